// SPDX-License-Identifier: GPL-2.0-only
/** The fitter against a kernel that the test makes up: rows of its table and bindings. */
#include "tests/unit/fixture_fit.h"

/* --- rows ------------------------------------------------------------------------------------ */

/* Evaluates one row. Strings of the result are lost, except a copy of the reason. */
static char reason[512];

static struct fit_row check(struct def_row def)
{
	struct fitter f;
	struct fit_row row;

	fitter_init(kernel, &def, 1, &f);
	assert_null(fitter_prepare(&f, 0));
	row = *fitter_row(&f, 0);
	snprintf(reason, sizeof(reason), "%s", row.reason ? row.reason : "");
	row.taken = row.reason = NULL;
	fitter_deinit(&f);
	return row;
}

#define FUNC_ROW(ret_type, arguments, alternatives)                                                \
	((struct def_row){.kind = ROW_FUNC,                                                        \
	                  .must = true,                                                            \
	                  .name = "x",                                                             \
	                  .symbol = "kfn_x",                                                       \
	                  .has = "x",                                                              \
	                  .type = ret_type,                                                        \
	                  .args = arguments,                                                       \
	                  .spec = alternatives})
#define FIELD_ROW(field, c_type, alternatives)                                                     \
	((struct def_row){.kind = ROW_FIELD,                                                       \
	                  .must = true,                                                            \
	                  .strct = "file",                                                         \
	                  .name = field,                                                           \
	                  .symbol = "koff_file_x",                                                 \
	                  .has = "file_x",                                                         \
	                  .type = c_type,                                                          \
	                  .spec = alternatives})

static void test_function_alternatives(void **state)
{
	const char *args = "(struct file *file, unsigned long n)";
	struct fit_row row = check(FUNC_ROW("int", args, "new_name, old_name"));

	assert_int_equal(row.verdict, FIT_OK);
	assert_int_equal(row.value, 0xffffffff81000000);
	assert_false(row.unchecked);
	row = check(FUNC_ROW("int", args, "newest_name, new_name"));
	assert_int_equal(row.verdict, FIT_ALTERNATIVE);
	row = check(FUNC_ROW("int", args, "old_name, new_name"));
	assert_int_equal(row.verdict, FIT_ALTERNATIVE); /* old_name takes an int there */
	row = check(FUNC_ROW("int", args, "newest_name"));
	assert_int_equal(row.verdict, FIT_MISSING);
	row = check(FUNC_ROW("int", "(void)", "not_in_btf"));
	assert_int_equal(row.verdict, FIT_OK);
	assert_true(row.unchecked);
}

static void test_conditions(void **state)
{
	const char *args = "(struct file *, unsigned long)";

	assert_int_equal(check(FUNC_ROW("int", args, "new_name if file.count")).verdict, FIT_OK);
	assert_int_equal(check(FUNC_ROW("int", args, "new_name if !file.count")).verdict,
	                 FIT_MISSING);
	assert_int_equal(check(FUNC_ROW("int", args, "new_name if file.none")).verdict,
	                 FIT_MISSING);
	assert_int_equal(check(FUNC_ROW("int", args, "new_name if printer() & !gone()")).verdict,
	                 FIT_OK);
	assert_int_equal(check(FUNC_ROW("int", args, "new_name if printer() & gone()")).verdict,
	                 FIT_MISSING);
}

static void test_prototype_mismatch_is_refused_by_name(void **state)
{
	static const char *const wrong[][2] = {
	    {"int", "(struct file *, unsigned int)"},         /* size of a number */
	    {"int", "(struct task_struct *, unsigned long)"}, /* structure pointed to */
	    {"int", "(struct file *)"},                       /* one less */
	    {"int", "(struct file *, unsigned long, int)"},   /* one more */
	    {"int", "(struct file *, ...)"},
	    {"int", "(struct file **, unsigned long)"},
	    {"int", "(struct file *, void *)"},
	    {"long", "(struct file *, unsigned long)"},
	    {"void *", "(struct file *, unsigned long)"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fit_row row = check(FUNC_ROW(wrong[i][0], wrong[i][1], "new_name"));

		assert_int_equal(row.verdict, FIT_REFUSED);
		assert_non_null(strstr(reason, "new_name"));
		assert_non_null(strstr(reason, "struct file *"));
	}
	/* What may differ: the unread result, void * for data, names. */
	assert_int_equal(check(FUNC_ROW("void", "(void *p, size_t)", "new_name")).verdict, FIT_OK);
	assert_int_equal(check(FUNC_ROW("int", "(const char *format, ...)", "printer")).verdict,
	                 FIT_OK);
	assert_int_equal(check(FUNC_ROW("int", "(const char *format)", "printer")).verdict,
	                 FIT_REFUSED);
}

static void test_callbacks(void **state)
{
	/* kcb_cpu is kernel.def's `void (void *)`, kcb_thread its `int (void *)`. */
	assert_int_equal(check(FUNC_ROW("void", "(kcb_cpu *fn)", "takes_callback")).verdict,
	                 FIT_OK);
	assert_int_equal(check(FUNC_ROW("void", "(kcb_thread *fn)", "takes_callback")).verdict,
	                 FIT_REFUSED);
	assert_int_equal(check(FUNC_ROW("void", "(void *fn)", "takes_callback")).verdict,
	                 FIT_REFUSED);
	assert_int_equal(check(FUNC_ROW("void", "(kcb_nonsense *fn)", "takes_callback")).verdict,
	                 FIT_REFUSED);
}

static void test_ambiguous_function_is_refused(void **state)
{
	struct fit_row row = check(FUNC_ROW("int", "(void)", "twins"));

	assert_int_equal(row.verdict, FIT_REFUSED);
	assert_non_null(strstr(reason, "twins"));
}

static void test_fields(void **state)
{
	struct fit_row row = check(FIELD_ROW("count", "unsigned int", ""));

	assert_int_equal(row.verdict, FIT_OK);
	assert_int_equal(row.value, 16);
	row = check(FIELD_ROW("task", "struct task_struct *", ""));
	assert_int_equal(row.value, 8);
	assert_int_equal(check(FIELD_ROW("task", "struct file *", "")).verdict, FIT_REFUSED);
	assert_int_equal(check(FIELD_ROW("count", "long", "")).verdict, FIT_REFUSED);
	assert_non_null(strstr(reason, "file.count"));
	assert_int_equal(check(FIELD_ROW("bits", "int", "")).verdict, FIT_REFUSED);
	assert_int_equal(check(FIELD_ROW("n", "int", "number, count")).verdict, FIT_ALTERNATIVE);
	assert_int_equal(check(FIELD_ROW("n", "int", "number")).verdict, FIT_MISSING);
	assert_int_equal(check(FIELD_ROW("cb", "kcb_module_init *", "")).verdict, FIT_OK);
	assert_int_equal(check(FIELD_ROW("cb", "kcb_cpu *", "")).verdict, FIT_REFUSED);
}

static void test_other_kinds(void **state)
{
	struct def_row row = {.kind = ROW_ENUM,
	                      .name = "m",
	                      .symbol = "kenum_m",
	                      .has = "m",
	                      .spec = "MODE_SOFT, MODE_HARD"};

	assert_int_equal(check(row).value, 9);
	row.spec = "MODE_SOFT, =0x20";
	assert_int_equal(check(row).value, 0x20);
	row = (struct def_row){.kind = ROW_BLOB,
	                       .must = true,
	                       .name = "file",
	                       .symbol = "ksize_file",
	                       .has = "file",
	                       .max = 40};
	assert_int_equal(check(row).value, 40);
	row.max = 39;
	assert_int_equal(check(row).verdict, FIT_REFUSED);
	row = (struct def_row){.kind = ROW_PERCPU,
	                       .name = "cpu",
	                       .symbol = "kcpu_cpu",
	                       .has = "cpu",
	                       .spec = "hot_line+hot.cpu, current_task"};
	assert_int_equal(check(row).value, 0xffffffff82000108);
	row.spec = "hot_line+hot.none, current_task";
	assert_int_equal(check(row).value, 0x1000);
	row = (struct def_row){.kind = ROW_FEATURE,
	                       .name = "f",
	                       .symbol = "kfeat_f",
	                       .has = "",
	                       .spec = "file.none, file.count & printer()"};
	assert_int_equal(check(row).value, 1);
	row.spec = "file.none";
	assert_int_equal(check(row).value, 0);
	row = (struct def_row){.kind = ROW_DATA,
	                       .name = "jiffies",
	                       .symbol = "kvar_jiffies",
	                       .has = "jiffies",
	                       .spec = ""};
	assert_int_equal(check(row).value, 0xffffffff82000000);
}

/* --- bindings -------------------------------------------------------------------------------- */

static struct error *bind(const char *symbol, struct binding *ret)
{
	static const struct def_row defs[] = {
	    {.kind = ROW_FUNC,
	     .name = "maybe",
	     .symbol = "kfn_maybe",
	     .has = "maybe",
	     .type = "void",
	     .args = "(void)",
	     .spec = "gone"},
	    {.kind = ROW_FUNC,
	     .must = true,
	     .name = "needed",
	     .symbol = "kfn_needed",
	     .has = "needed",
	     .type = "void",
	     .args = "(int)",
	     .spec = "differs"},
	    {.kind = ROW_FIELD,
	     .must = true,
	     .strct = "file",
	     .name = "count",
	     .symbol = "koff_file_count",
	     .has = "file_count",
	     .type = "int",
	     .spec = ""},
	};
	struct error *error;
	struct fitter f;

	fitter_init(kernel, defs, 3, &f);
	error = fit_bind(&f, symbol, ret);
	fitter_deinit(&f);
	return error;
}

static void expect_bound(const char *symbol, uint64_t value)
{
	struct binding binding;
	struct error *error = bind(symbol, &binding);

	if (error)
		fail_msg("%s: %s", symbol, error->message);
	assert_int_equal(binding.value, value);
}

static void expect_unbound(const char *symbol, const char *named)
{
	struct binding binding;
	struct error *error = bind(symbol, &binding);

	assert_non_null(error);
	if (!strstr(error->message, named))
		fail_msg("%s: %s", symbol, error->message);
	error_destroy(error);
}

static void test_bindings(void **state)
{
	expect_bound("kaddr_vfs_read", 0xffffffff810000b0);
	expect_bound("kaddr_twins__1", 0xffffffff81000040);
	expect_bound("kaddr_twins__2", 0xffffffff81000050);
	expect_bound("kaddr_other__in__vfs_read", 0xffffffffc0100000);
	expect_bound("kaddr_other__in__in_module", 0xffffffffc0100010);
	expect_bound("spile_exported", 0xffffffffc0000000);
	expect_bound("memset", 0xffffffff810000a0);
	expect_bound("koff_file_count", 16);
	expect_bound("khas_file_count", 1);
	expect_bound("khas_maybe", 0);
	expect_bound("kfn_maybe", 0);
	expect_unbound("kaddr_twins", "twins");
	expect_unbound("kaddr_twins__3", "twins");
	expect_unbound("kaddr_in_module", "in_module");
	expect_unbound("kaddr_none", "none");
	expect_unbound("spile_none", "spile_none");
	expect_unbound("khas_nothing", "nothing");
	expect_unbound("printf", "printf");
	expect_unbound("kfn_needed", "kfn_needed");
	expect_unbound("kfn_needed", "differs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_function_alternatives),
		TEST(test_conditions),
		TEST(test_prototype_mismatch_is_refused_by_name),
		TEST(test_callbacks),
		TEST(test_ambiguous_function_is_refused),
		TEST(test_fields),
		TEST(test_other_kinds),
		TEST(test_bindings),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
