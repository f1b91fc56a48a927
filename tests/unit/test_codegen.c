// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pass 3 where running cannot tell: what C target variables become (offsets of the kernel of
 * fixture_kernel.h), which handlers are shared, which locks are taken. Text is compared in parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "codegen/codegen.h"
#include "codegen/compile.h"
#include "fixture_kernel.h"
#include "reader/meta.h"
#include "script/parse.h"

static char kernel_dir[] = "/tmp/spile-fixture-XXXXXX";

static struct error *open_fixture(void *context, struct kernel **ret)
{
	struct kernel **kernel = context;
	struct error *error = NULL;

	if (!*kernel)
		error = kernel_open_dir(kernel_dir, kernel);
	*ret = *kernel;
	return error;
}

/* The C of a script, to be freed. */
static char *translate(const char *text)
{
	struct codegen_options options = {.kernel_identity = "id", .release = "6.0.0-fixture"};
	struct parse_options parse = {.release = "6.0.0-fixture"};
	struct kernel *kernel = NULL;
	struct resolve_options resolve = {
	    .kernel = open_fixture, .kernel_context = &kernel, .guru = true};
	struct program program;
	struct script script;
	struct diag_list diags;
	char *code;

	codegen_limits_init(&options.limits);
	script_init(&script);
	diag_list_init(&diags);
	script_parse_string(&script, "x.stp", text, strlen(text), &parse, &diags);
	script_resolve(&script, &resolve, &diags, &program);
	if (diag_error_count(&diags))
		diag_list_print(&diags, stderr);
	assert_int_equal(diag_error_count(&diags), 0);
	code = codegen_program(&program, &options);
	diag_list_deinit(&diags);
	program_deinit(&program);
	script_deinit(&script);
	if (kernel)
		kernel_close(kernel);
	return code;
}

static size_t count(const char *code, const char *part)
{
	size_t n = 0;

	for (const char *p = strstr(code, part); p; p = strstr(p + 1, part))
		n++;
	return n;
}

#define assert_has(code, part)                                                                     \
	do {                                                                                       \
		if (!strstr((code), (part)))                                                       \
			fail_msg("no '%s' in\n%s", (part), (code));                                \
	} while (0)

/* One statement in a probe of vfs_read; `part` is in its C. */
static void check_statement(const char *suffix, const char *statement, const char *part)
{
	_cleanup_free_ char *text = NULL, *code = NULL;

	assert_true(asprintf(&text, "probe kernel.function(\"vfs_read\")%s { %s }", suffix,
	                     statement) > 0);
	code = translate(text);
	assert_has(code, part);
}

/* The same of an expression. */
static void check_target(const char *suffix, const char *expr, const char *part)
{
	_cleanup_free_ char *statement = NULL;

	assert_true(asprintf(&statement, "println(%s)", expr) > 0);
	check_statement(suffix, statement, part);
}

static void test_target_fields(void **state)
{
	check_target("", "$count", "spl_s64 t0 = spl_arg(c, 2);");
	check_target("", "$color", "(spl_s64)(spl_u32)spl_arg(c, 3)");
	check_target("", "$file->f_path->dentry->d_ino",
	             "spl_load(c, (spl_u64)spl_arg(c, 0), 8, 0,");
	check_target("", "$file->f_path->dentry->d_ino", "spl_load(c, (spl_u64)t0, 8, 1,");
	check_target("", "$file->f_a", "(spl_arg(c, 0) + 32LL), 4, 1,");
	check_target("", "$file->f_b", "(spl_arg(c, 0) + 32LL), 1, 1,");
	check_target("", "$file->f_next->f_next", "(spl_arg(c, 0) + 40LL), 8, 0,");
	check_target("", "@cast($buf, \"file\")->f_a", " + 32LL), 4, 1,");
	check_target("", "@enum(\"GREEN\")", ".n = 7LL");
}

static void test_target_bits(void **state)
{
	check_target("", "$file->f_mode",
	             "spl_load_bits(c, (spl_u64)(spl_arg(c, 0) + 8LL), 1, 0, 3, 0,");
	check_target("", "$file->f_signed",
	             "spl_load_bits(c, (spl_u64)(spl_arg(c, 0) + 8LL), 1, 3, 5, 1,");
}

static void test_target_arrays(void **state)
{
	check_target("", "$file->f_pair[1]", "(spl_arg(c, 0) + 30LL), 2, 1,");
	check_target("", "$file->f_pair[$count]", "((spl_arg(c, 0) + 28LL) + t0 * 2LL), 2, 1,");
	check_target("", "$file->f_name", "(spl_arg(c, 0) + 12LL)");
	check_target("", "&$file->f_a", "(spl_arg(c, 0) + 32LL)");
	check_target("", "$buf[3]", "(spl_arg(c, 1) + 3LL), 1, 1,");
}

/* What is read is named; an index may be anywhere, of a cast too. */
static void test_target_places(void **state)
{
	check_target("", "$file->f_path->dentry->d_ino",
	             "\"identifier '$file->f_path->dentry' at x.stp:1:45\");");
	check_target("", "&$file->f_pair[1]", "(spl_arg(c, 0) + 30LL)");
	check_target("", "&@cast($buf, \"file\")[2]", " + 96LL)");
	check_target("", "&@cast($buf, \"file\")[$count]->f_a", " * 48LL) + 32LL)");
	check_target("", "&@var(\"jiffies\")", "(spl_s64)((spl_u64)kdata_jiffies");
	check_target("", "@cast(&@var(\"this_cpu_off\"), \"long\")[0]",
	             "spl_per_cpu(((spl_u64)kdata_this_cpu_off");
	check_target("", "@var(\"file\")->f_a", "(spl_arg(c, 0) + 32LL), 4, 1,");
}

static void test_target_text(void **state)
{
	check_target("", "$file$", "{ \"{.f_path={...}, .f_mode=\", 8, SPL_SHOW_UNSIGNED, 1, 0, 3, 0, 0 },");
	check_target("", "$file$", "{ \", .f_signed=\", 8, SPL_SHOW_SIGNED, 1, 3, 5, 0, 0 },");
	check_target("", "$file$",
	             "{ \", .f_name=[...], .f_pair=[...], <union>={...}, .f_next=\", 40, "
	             "SPL_SHOW_POINTER, 8, 0, 0, 0, 0 },");
	check_target("", "$file$", "{ \"}\", 0, SPL_SHOW_TEXT,");
	check_target("", "$file$$", "{ \"{.f_path={.dentry=\", 0, SPL_SHOW_POINTER, 8,");
	check_target("", "$file$$", "{ \", .f_name=\", 12, SPL_SHOW_CHARS, 1, 0, 0, 16, 0 },");
	check_target("", "$file$$", "{ \", .f_pair=[\", 28, SPL_SHOW_SIGNED, 2,");
	check_target("", "$file$$", "{ \"], <union>={.f_a=\", 32, SPL_SHOW_SIGNED, 4,");
	check_target("", "$file$$", "{ \", .f_b=\", 32, SPL_SHOW_CHAR, 1,");
	check_target("", "$color$", "{ 7LL, \"GREEN\" },");
	check_target("", "$color$", "SPL_SHOW_ENUM, 4, 0, 0, 2, w0_0 },");
	check_target("", "$color$", "SPL_IN_WORDS, (spl_u64)v");
	check_target("", "$buf$", "{ \"\", 0, SPL_SHOW_STRING, 8,");
	check_target("", "$file->f_next$", "SPL_IN_KERNEL, (spl_u64)t");
	check_target("", "$$parms$", "file=%s buf=%s count=%s color=%s");
	check_target("", "@cast(5, \"timespec\", \"<time.h>\")$", "SPL_IN_USER");
}

/* Structures in registers and on the stack, and a pointer of the process's. */
static void test_target_by_value(void **state)
{
	_cleanup_free_ char *code = translate(
	    "probe kernel.function(\"by_value\") {\n"
	    "	println($ufile->f_a, $ufile->f_next->f_a, $uid->val, $uid->more, $uid->last, $big->a[2])\n"
	    "	println($uid$, $ufile$, $big$$)\n"
	    "	$uid->more = 5 $uid->last = 6 $ufile->f_a = 7 $ufile->f_mode = 1\n"
	    "}\n"
	    "probe kernel.function(\"by_value\").return { println($return->last, $uid->more) $return->val = 3 }");

	assert_has(code, "spl_load_user(c, (spl_u64)(spl_arg(c, 0) + 32LL), 4, 1,");
	assert_has(code, "spl_load_user(c, (spl_u64)(spl_arg(c, 0) + 40LL), 8, 0,");
	assert_has(code, "(spl_s64)(spl_u32)spl_arg(c, 1)");
	assert_has(code, "(spl_s64)(spl_u32)(spl_s64)((spl_u64)spl_arg(c, 1) >> 32)");
	assert_has(code, "(spl_s64)(spl_s16)spl_arg(c, 2)");
	assert_has(code, "((spl_s64)spl_stack_arg(c, 6) + 16LL), 8, 1,");
	assert_has(code, "[1] = (spl_u64)spl_arg(c, 2);");
	assert_has(code, "SPL_IN_USER");
	assert_has(code, "spl_set_reg(c, 104, 32, 32, ");
	assert_has(code, "spl_set_reg(c, 96, 0, 16, ");
	assert_has(code, "spl_store_user(c, ");
	assert_has(code, "spl_store_user_bits(c, ");
	assert_has(code, "(spl_s64)(spl_s16)spl_reg(c, 96)");
	assert_has(code, "spl_set_reg(c, 80, 0, 32, ");
}

static void test_target_writes(void **state)
{
	check_statement("", "$count = 5", "spl_set_reg(c, 96, 0, 64, t0);");
	check_statement("", "$color = 7", "spl_set_reg(c, 88, 0, 64, (spl_s64)(spl_u32)(t0));");
	check_statement("", "$count += 2", "(t1 + t0);");
	check_statement("", "$count++", "+ 1);");
	check_statement("", "$file->f_a = 5", "spl_store(c, (spl_u64)t1, 4, t0,");
	check_statement("", "$file->f_mode = 5", "spl_store_bits(c, (spl_u64)t1, 1, 0, 3, t0,");
	check_statement("", "--$file->f_pair[1]", "spl_store(c, (spl_u64)t0, 2, t2,");
	check_statement(".return", "$return = -1", "spl_set_reg(c, 80, 0, 64, t0);");
	check_statement("", "x = $file x->f_next->f_a = 3", "spl_store(c, (spl_u64)t3, 4, t1,");
}

/* Debug information: registers, a global by symbol, a structure in pieces. */
static void check_place(const char *place, const char *expr, const char *part)
{
	_cleanup_free_ char *text = NULL, *code = NULL;

	assert_true(asprintf(&text, "probe module(\"build/places/programs/object.ko\").%s "
	                            "{ println(%s) }", place, expr) > 0);
	code = translate(text);
	assert_has(code, part);
}

static void test_target_debuginfo(void **state)
{
	assert_int_equal(system("make -s build/places/programs/list"), 0);
	check_place("function(\"labels\")", "$n", "spl_reg(c, 112)");
	check_place("function(\"structures\")", "$m->point->x",
	            "s0[0] = ((spl_u64)kdata_object__in__global_mixed"); /* the only one it gets */
	check_place("function(\"structures\")", "@var(\"global_mixed\")->small",
	            "kdata_object__in__global_mixed");
	check_place("function(\"labels\").return", "$n", "spl_arg(c, 0)");
	check_place("function(\"labels\")", "$$parms", "n=%#x");
	check_place("function(\"labels\").return", "$return", "spl_reg(c, 80)");
	check_place("function(\"arithmetic@fixture.c\")", "$s8$", "SPL_SHOW_SIGNED, 1,");
}

/* What only the entry had: a hidden probe there keeps it. One for a function, none if it is not read. */
static void test_target_entry_registers(void **state)
{
	const char *keep = "{ SPL_PROBE_KEEP, 0, (spl_u64)kaddr_object__in__split$constprop$0,";
	_cleanup_free_ char *asked = translate(
	    "probe module(\"build/places/programs/object.ko\").statement(\"split@fixture.c:+6\") "
	    "{ println(@defined($n), $$parms) }");

	check_place("statement(\"by_value@other.c:+7\")", "$tiny", "spl_entry_register(c, 1, s1[0], 3,");
	check_place("statement(\"by_value@other.c:+7\")", "$tiny", "s1[0] = (spl_u64)spl_reg(c, 152);");
	check_place("statement(\"by_value@other.c:+7\")", "$tiny, $flag", "kaddr_object__in__by_value, ");
	check_place("statement(\"split@fixture.c:+6\")", "$n, $n", keep); /* in .cold */
	check_place("statement(\"split@fixture.c:+6\")", "$n, $n", "nprobes = 2,");
	assert_null(strstr(asked, "SPL_PROBE_KEEP"));
}

static void test_target_returns(void **state)
{
	check_target(".return", "$return", "spl_retval(c)");
	check_target(".return", "$count", ", 6 },");
	check_target(".return", "$return", "SPL_PROBE_RETURN, 0,");
	check_target("", "$$parms", "file=%#x buf=%#x count=%#x color=%#x");
	check_target(".return", "$$return", "return=%#x");
}

/* Arguments by number are saved for return probes too, also when a function reads them. */
static void test_numbered_arguments(void **state)
{
	_cleanup_free_ char *code = translate("function inner() { return long_arg(2) }\n"
	                                      "function outer() { return inner() }\n"
	                                      "probe kernel.function(\"no_types\").return "
	                                      "{ println(outer()) }");

	assert_has(code, ", 6 },");
	check_target(".return", "pointer_arg(1)", ", 6 },");
}

static void test_defined(void **state)
{
	_cleanup_free_ char *code =
	    translate("probe kernel.function(\"vfs_*\") {\n"
	              "	if (@defined($count)) println($count) else println($level)\n"
	              "	println(@defined($file->nope) && $file->nope ? 1 : 2)\n"
	              "}");

	assert_has(code, "spl_arg(c, 2)");
	assert_has(code, "(spl_s64)(spl_s16)spl_arg(c, 1)");
	assert_int_equal(count(code, "static void probe_"), 2);
	assert_null(strstr(code, "if (0"));
}

static void test_stack_argument(void **state)
{
	_cleanup_free_ char *code =
	    translate("probe kernel.function(\"many\") { println($f, $g) }");

	_cleanup_free_ char *kept =
	    translate("probe kernel.function(\"many\").return { println($g) }");

	assert_has(code, "spl_arg(c, 5)");
	assert_has(code, "spl_arg(c, 6)");
	assert_has(code, ", 0 },");
	assert_has(kept, "spl_arg(c, 6)");
	assert_has(kept, ", 7 },");
}

/* A body that does not look at its place, or comes out equal, is one handler. */
static void test_shared_handlers(void **state)
{
	_cleanup_free_ char *shared =
	    translate("probe kernel.function(\"*\") { println(ppfunc()) }");
	_cleanup_free_ char *equal =
	    translate("probe kernel.function(\"vfs_*\") { println($file->f_a) }");

	assert_int_equal(count(shared, "static void probe_"), 1);
	assert_int_equal(count(shared, "{ SPL_PROBE_ENTRY,"), 7);
	assert_int_equal(count(equal, "static void probe_"), 1);
	assert_int_equal(count(equal, "{ SPL_PROBE_ENTRY,"), 2);
}

/* Each of several functions of one name, as the fitter counts them. */
static void test_namesakes(void **state)
{
	_cleanup_free_ char *code = translate("probe kernel.function(\"twice\") { println(pp()) }");

	assert_has(code, "{ SPL_PROBE_ENTRY, 0, (spl_u64)kaddr_twice__1,");
	assert_has(code, "{ SPL_PROBE_ENTRY, 0, (spl_u64)kaddr_twice__2,");
	assert_int_equal(count(code, "static void probe_"), 1);
}

static void test_locks(void **state)
{
	_cleanup_free_ char *code = translate("global a, b, c = 5\n"
	                                      "function put(x) { b = x }\n"
	                                      "probe begin { c = 6 }\n"
	                                      "probe timer.s(1) { println(a++) }\n"
	                                      "probe timer.s(2) { println(a + c) put(1) }\n"
	                                      "probe timer.s(3) { println(b) }\n");

	/* c does not change any more when the timers run */
	assert_int_equal(count(code, "static struct spl_lock"), 2);
	assert_int_equal(count(code, "spl_lock_write(&k_a)"), 1);
	assert_int_equal(count(code, "spl_lock_read(&k_a)"), 1);
	assert_int_equal(count(code, "spl_lock_write(&k_b)"), 1); /* through put() */
	assert_int_equal(count(code, "spl_lock_read(&k_b)"), 1);
	assert_true(strstr(code, "spl_lock_read(&k_a)") < strstr(code, "spl_lock_write(&k_b)"));
}

/* What probes on code only add to has no lock, unless other probes on code do more, or it wraps. */
static void test_shared_globals(void **state)
{
	_cleanup_free_ char *code =
	    translate("global n, m, s, w%[5], both\n"
	              "probe kernel.function(\"vfs_read\") { n++; m[1] += 2; s <<< 1; w[1]++; both++ }\n"
	              "probe kernel.function(\"vfs_close\") { println(both); for (; pid(); n--) next }\n"
	              "probe timer.s(1) { println(n) delete s }\n"
	              "probe end { foreach (k in m) println(m[k], w[k]) println(@count(s)) }\n");
	_cleanup_free_ char *alone = translate("global n\n"
	                                       "probe timer.s(1) { n++ }\n"
	                                       "probe end { println(n) }\n");

	assert_int_equal(count(code, "static struct spl_lock"), 2);
	assert_int_equal(count(code, "spl_lock_write(&k_w)"), 1);
	assert_int_equal(count(code, "spl_lock_write(&k_both)"), 1);
	assert_int_equal(count(code, "spl_tally_add(c, &g_n, "), 2);
	assert_int_equal(count(code, "spl_map_tally(c, g_m, "), 1);
	assert_int_equal(count(code, "spl_stat_add(c, &g_s, "), 1);
	assert_int_equal(count(code, "spl_share_enter(c)"), 2);
	assert_int_equal(count(code, "spl_share_stop(c)"), 2);
	/* only the end reads: nobody has to be kept out */
	assert_int_equal(count(alone, "spl_tally_add(c, &g_n, 1)"), 1);
	assert_int_equal(count(alone, "spl_share_enter(c)"), 0);
}

static char *compile(const char *code, bool *ret_cached)
{
	struct compile_options options = {0};
	struct error *error;
	char *object = NULL;

	error = compile_script(code, &options, &object, ret_cached);
	if (error)
		fail_msg("%s", error->message);
	return object;
}

/* The compiler takes what was generated, the second time from the cache. */
static void test_compile(void **state)
{
	_cleanup_free_ char *code =
	    translate("global a\n"
	              "probe kernel.function(\"vfs_read\").return { a[execname(), $file->f_mode] "
	              "+= $return }\n"
	              "probe end { foreach ([n, m] in a- limit 3) printf(\"%s %d\\n\", n, m) }");
	_cleanup_free_ char *first = NULL, *again = NULL;
	bool cached = true;

	first = compile(code, &cached);
	assert_false(cached);
	again = compile(code, &cached);
	assert_true(cached);
	assert_string_equal(first, again);
}

/* What the reader reads out of the object is what was put in. */
static void test_meta(void **state)
{
	_cleanup_free_ char *code = translate(
	    "probe kernel.function(\"vfs_read\") { printf(\"a\\tb\\\\%d%s\\n\", 1, \"x\") }");
	_cleanup_free_ char *object = NULL, *bytes = NULL;
	struct script_meta *meta = NULL;
	bool cached;
	size_t len;

	object = compile(code, &cached);
	assert_null(file_read(object, &bytes, &len));
	assert_null(meta_create_elf(bytes, len, &meta));
	assert_memory_equal(meta->name, "spile_", 6);
	assert_string_equal(meta->kernel, "id");
	assert_int_equal(meta->nformats, 1);
	assert_string_equal(meta->formats[0].text, "a\tb\\%d%s\n");
	assert_string_equal(meta->formats[0].types, "ns");
	assert_int_equal(meta->nprobes, 1);
	assert_string_equal(meta->probes[0].point, "kernel.function(\"vfs_read\")");
	assert_string_equal(meta->probes[0].source, "x.stp:1:7");
	meta_destroy(meta);
}

/* A function that takes much stack, and calls itself: refused, unless it may not nest. */
static void test_stack_budget(void **state)
{
	struct compile_options options = {.depth = 10};
	char *object = NULL;
	struct error *error;
	struct strbuf text;
	bool cached;

	strbuf_init(&text);
	strbuf_adds(&text, "function f(n) {");
	for (int i = 0; i < 60; i++)
		strbuf_addf(&text, "printf(\"%%d %%d %%d\\n\", n, n * %d, n + %d)\n", i, i);
	strbuf_adds(&text, "if (n) f(n - 1) }\nprobe begin { f(5) }");
	{
		_cleanup_free_ char *code = translate(text.data);

		error = compile_script(code, &options, &object, &cached);
		assert_non_null(error);
		assert_non_null(strstr(error->message, "kernel stack"));
		error_destroy(error);
		options.depth = 1;
		assert_null(compile_script(code, &options, &object, &cached));
	}
	free(object);
	strbuf_deinit(&text);
}

static size_t depth_of(const char *text)
{
	struct codegen_limits limits;
	struct parse_options parse = {0};
	struct resolve_options resolve = {0};
	struct program program;
	struct script script;
	struct diag_list diags;
	size_t depth;

	codegen_limits_init(&limits);
	script_init(&script);
	diag_list_init(&diags);
	script_parse_string(&script, "x.stp", text, strlen(text), &parse, &diags);
	script_resolve(&script, &resolve, &diags, &program);
	assert_int_equal(diag_error_count(&diags), 0);
	depth = codegen_call_depth(&program, &limits);
	diag_list_deinit(&diags);
	program_deinit(&program);
	script_deinit(&script);
	return depth;
}

static void test_call_depth(void **state)
{
	assert_int_equal(depth_of("probe begin { exit() }"), 0);
	assert_int_equal(depth_of("function a() { return b() + c() } function b() { return c() }"
	                          "function c() { return 1 } probe begin { println(a()) }"),
	                 3);
	assert_int_equal(depth_of("function a(n) { return n ? b(n - 1) : 0 }"
	                          "function b(n) { return a(n) } probe begin { println(a(3)) }"),
	                 10);
}

/* Objects are not taken from a folder that others can write to. */
static void test_cache_owner(void **state)
{
	_cleanup_free_ char *folder = NULL;
	struct error *error;

	error = cache_scripts_dir(&folder);
	assert_null(error);
	assert_int_equal(chmod(folder, 0777), 0);
	free(steal_ptr(folder));
	error = cache_scripts_dir(&folder);
	assert_non_null(error);
	assert_null(folder);
	error_destroy(error);
	assert_true(asprintf(&folder, "%s/scripts", kernel_dir) > 0);
	assert_int_equal(chmod(folder, 0755), 0);
}

static void test_limits(void **state)
{
	struct codegen_limits limits;
	struct error *error;

	codegen_limits_init(&limits);
	assert_null(codegen_limits_set(&limits, "MAXACTION=5"));
	assert_int_equal(limits.action, 5);
	error = codegen_limits_set(&limits, "MAXACTON=5");
	assert_non_null(error);
	error_destroy(error);
	error = codegen_limits_set(&limits, "MAXSTRINGLEN=1");
	assert_non_null(error);
	error_destroy(error);
}

static int make_kernel(void **state)
{
	if (!mkdtemp(kernel_dir))
		return -1;
	fixture_kernel_make(kernel_dir);
	setenv("SPILE_CACHE", kernel_dir, 1);
	return 0;
}

static int remove_kernel(void **state)
{
	_cleanup_free_ char *command = NULL;

	if (asprintf(&command, "rm -r %s/scripts", kernel_dir) < 0 || system(command))
		return -1;
	fixture_kernel_remove(kernel_dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_target_places),  cmocka_unit_test(test_target_text),
	    cmocka_unit_test(test_target_by_value),
	    cmocka_unit_test(test_target_writes),  cmocka_unit_test(test_target_debuginfo),
	    cmocka_unit_test(test_target_fields),  cmocka_unit_test(test_target_bits),
	    cmocka_unit_test(test_target_arrays),  cmocka_unit_test(test_target_returns),
	    cmocka_unit_test(test_defined),        cmocka_unit_test(test_numbered_arguments),
	    cmocka_unit_test(test_stack_argument), cmocka_unit_test(test_target_entry_registers), cmocka_unit_test(test_shared_handlers),
	    cmocka_unit_test(test_namesakes),      cmocka_unit_test(test_locks),
	    cmocka_unit_test(test_shared_globals),
	             cmocka_unit_test(test_meta),
	    cmocka_unit_test(test_compile),        cmocka_unit_test(test_stack_budget),
	    cmocka_unit_test(test_call_depth),     cmocka_unit_test(test_cache_owner),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, make_kernel, remove_kernel);
}
