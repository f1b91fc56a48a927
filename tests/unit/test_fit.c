// SPDX-License-Identifier: GPL-2.0-only
/** The fitter against kernels that the test makes up: rows, bindings, the module image, damage. */
#include <errno.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "symbols/elf_image.h"
#include "symbols/fit_private.h"

static const char KALLSYMS[] = "0000000000001000 A current_task\n"
                               "ffffffff81000000 T new_name\n"
                               "ffffffff81000010 T old_name\n"
                               "ffffffff81000020 T differs\n"
                               "ffffffff81000030 T not_in_btf\n"
                               "ffffffff81000040 t twins\n"
                               "ffffffff81000050 t twins\n"
                               "ffffffff81000060 T takes_callback\n"
                               "ffffffff81000070 T printer\n"
                               "ffffffff81000080 T __x86_return_thunk\n"
                               "ffffffff81000090 T __x86_indirect_thunk_rax\n"
                               "ffffffff81000098 T __x86_indirect_thunk_r11\n"
                               "ffffffff810000a0 T memset\n"
                               "ffffffff810000b0 T vfs_read\n"
                               "ffffffff82000000 D jiffies\n"
                               "ffffffff82000100 D hot_line\n"
                               "ffffffffc0000000 T spile_exported\t[spile]\n"
                               "ffffffffc0100000 t vfs_read\t[other]\n"
                               "ffffffffc0100010 t in_module\t[other]\n";

#define MODULE_SIZE 256 /* of the made-up struct module */
#define LAYOUT_CRC 0x12345678

static char dir[64], bare[80];
static struct kernel *kernel;

/* --- the made-up kernel ---------------------------------------------------------------------- */

static void write_file(const char *name, const void *data, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_null(file_write_atomic(path, data, len));
}

static void add_module_struct(struct btf *b, int t_int, int t_char)
{
	int name = btf__add_array(b, t_int, t_char, 56);
	int init = btf__add_ptr(b, btf__add_func_proto(b, t_int));
	int leave = btf__add_ptr(b, btf__add_func_proto(b, 0));

	btf__add_struct(b, "module", MODULE_SIZE);
	btf__add_field(b, "name", name, 24 * 8, 0);
	btf__add_field(b, "init", init, 120 * 8, 0);
	btf__add_field(b, "exit", leave, 200 * 8, 0);
}

static void add_function(struct btf *b, const char *name, int ret, int a, int c)
{
	int proto = btf__add_func_proto(b, ret);

	if (a)
		btf__add_func_param(b, "a", a);
	if (c)
		btf__add_func_param(b, "c", c);
	btf__add_func(b, name, BTF_FUNC_STATIC, proto);
}

static void write_btf(void)
{
	struct btf *b = btf__new_empty();
	int t_int = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	int t_long = btf__add_int(b, "long unsigned int", 8, 0);
	int t_char = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	int task = btf__add_struct(b, "task_struct", 64), task_ptr, file, file_ptr, callback;
	int void_ptr, char_ptr;
	const void *raw;
	uint32_t len;

	task_ptr = btf__add_ptr(b, task);
	callback = btf__add_ptr(b, btf__add_func_proto(b, t_int));
	void_ptr = btf__add_ptr(b, 0);
	char_ptr = btf__add_ptr(b, t_char);
	file = btf__add_struct(b, "file", 40);
	btf__add_field(b, "task", task_ptr, 64, 0);
	btf__add_field(b, "count", t_int, 128, 0);
	btf__add_field(b, "bits", t_int, 160, 3);
	btf__add_field(b, "cb", callback, 192, 0);
	file_ptr = btf__add_ptr(b, file);
	add_module_struct(b, t_int, t_char);
	add_function(b, "new_name", t_int, file_ptr, t_long);
	add_function(b, "old_name", t_int, file_ptr, t_int);
	add_function(b, "differs", t_int, task_ptr, 0);
	callback = btf__add_func_proto(b, 0);
	btf__add_func_param(b, "arg", void_ptr);
	add_function(b, "takes_callback", 0, btf__add_ptr(b, callback), 0);
	callback = btf__add_func_proto(b, t_int);
	btf__add_func_param(b, "fmt", char_ptr);
	btf__add_func_param(b, NULL, 0);
	btf__add_func(b, "printer", BTF_FUNC_STATIC, callback);
	btf__add_enum(b, "mode", 4);
	btf__add_enum_value(b, "MODE_HARD", 9);
	btf__add_struct(b, "hot", 16);
	btf__add_field(b, "cpu", t_int, 64, 0);
	raw = btf__raw_data(b, &len);
	write_file("btf", raw, len);
	btf__free(b);
}

/* Compiles C text into dir/NAME with the flags that matter here. */
static void compile(const char *name, const char *text)
{
	char command[512];

	write_file("source.c", text, strlen(text));
	snprintf(command, sizeof(command),
	         "cc -c -O2 -ffreestanding -fno-PIE -mcmodel=kernel -fcf-protection=none "
	         "-fno-asynchronous-unwind-tables -mindirect-branch=thunk-extern "
	         "-mindirect-branch-register -mfunction-return=thunk-extern %s/source.c -o %s/%s",
	         dir, dir, name);
	assert_int_equal(system(command), 0);
}

static void write_shipped_module(void)
{
	char command[200];

	snprintf(command, sizeof(command), "mkdir -p %s/modules/kernel", dir);
	assert_int_equal(system(command), 0);
	compile("modules/kernel/any.ko",
	        "__attribute__((section(\".modinfo\"))) const char m[] ="
	        "\"license=GPL\\0vermagic=6.1.0-test SMP modversions \";\n"
	        "__attribute__((section(\"__versions\"))) const struct { unsigned long crc; char "
	        "n[56]; } v[]"
	        "= { { 1, \"printk\" }, { 0x12345678, \"module_layout\" } };\n");
}

static int setup(void **state)
{
	strcpy(dir, "/tmp/spile-fit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	write_file("release", "6.1.0-test\n", 11);
	snprintf(bare, sizeof(bare), "%s/bare", dir);
	assert_int_equal(mkdir(bare, 0777), 0);
	write_file("kallsyms", KALLSYMS, strlen(KALLSYMS));
	write_btf();
	write_shipped_module();
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int open_kernel(void **state)
{
	assert_null(kernel_open_dir(dir, &kernel));
	return 0;
}

static int close_kernel(void **state)
{
	kernel_close(kernel);
	return 0;
}

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

/* --- the image ------------------------------------------------------------------------------- */

static const char SCRIPT[] = "extern char kaddr_vfs_read[]; int spile_exported(void *); void "
                             "*memset(void *, int, unsigned long);\n"
                             "char area[4096]; int (*hook)(int);\n"
                             "int init_module(void); void cleanup_module(void);\n"
                             "int init_module(void) { memset(area, 1, sizeof(area)); hook(2); "
                             "hook(3); return spile_exported(kaddr_vfs_read) + 1; }\n"
                             "void cleanup_module(void) { hook(4); area[0]++; __asm__(\".byte "
                             "0x90, 0x2e\\n call __x86_indirect_thunk_r11\\n .byte 0x0f, 0x84\\n "
                             ".long __x86_indirect_thunk_rax - . - 4\"); }\n";

static char version[FIT_VERSION_LEN + 1]; /* of the object that fit() compiled last */

static struct error *fit(const char *source, void **image, size_t *len)
{
	struct error *error;
	size_t object_len;
	char path[128], *object;

	compile("script.o", source);
	snprintf(path, sizeof(path), "%s/script.o", dir);
	assert_null(file_read(path, &object, &object_len));
	error = fit_module(kernel, object, object_len, "script", image, len);
	fit_object_version(object, object_len, version);
	free(object);
	return error;
}

static Elf_Scn *section_find(Elf *elf, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t names;

	elf_getshdrstrndx(elf, &names);
	while ((scn = elf_nextscn(elf, scn)))
		if (!strcmp(elf_strptr(elf, names, gelf_getshdr(scn, shdr)->sh_name), name))
			return scn;
	return NULL;
}

static Elf_Data *section_data(Elf *elf, const char *name)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = section_find(elf, name, &shdr);

	return scn ? elf_getdata(scn, NULL) : NULL;
}

static void check_symbols(Elf *elf)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = section_find(elf, ".symtab", &shdr);
	bool seen = false;
	GElf_Sym sym;

	for (int i = 1; gelf_getsym(elf_getdata(scn, NULL), i, &sym); i++) {
		const char *name = elf_strptr(elf, shdr.sh_link, sym.st_name);

		assert_int_not_equal(sym.st_shndx, SHN_UNDEF);
		if (strcmp(name, "kaddr_vfs_read"))
			continue;
		seen = true;
		assert_int_equal(sym.st_shndx, SHN_ABS);
		assert_int_equal(sym.st_value, 0xffffffff810000b0);
	}
	assert_true(seen);
}

/* Where a relocation's target lies must hold the opcode that the site claims. */
static void check_sites(Elf *elf, const char *name, size_t expected, int special)
{
	int prefixed = 0, conditional = 0;
	char rela_name[64];
	Elf_Data *data = section_data(elf, name), *rela;
	GElf_Shdr symtab;
	Elf_Scn *scn = section_find(elf, ".symtab", &symtab);

	assert_non_null(data);
	assert_int_equal(data->d_size, expected * 4);
	snprintf(rela_name, sizeof(rela_name), ".rela%s", name);
	rela = section_data(elf, rela_name);
	assert_int_equal(rela->d_size / sizeof(Elf64_Rela), expected);
	for (size_t i = 0; i < expected; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		Elf_Data *text;
		unsigned char opcode;

		gelf_getrela(rela, i, &r);
		assert_int_equal(GELF_R_TYPE(r.r_info), R_X86_64_PC32);
		assert_int_equal(r.r_offset, i * 4);
		gelf_getsym(elf_getdata(scn, NULL), GELF_R_SYM(r.r_info), &sym);
		text = elf_getdata(elf_getscn(elf, sym.st_shndx), NULL);
		assert_in_range(sym.st_value + r.r_addend, 0, text->d_size - 1);
		opcode = ((unsigned char *)text->d_buf)[sym.st_value + r.r_addend];
		/* call, jmp, or one of them behind a prefix, or a conditional jump */
		assert_true(opcode == 0xe8 || opcode == 0xe9 || opcode == 0x2e || opcode == 0x0f);
		prefixed += opcode == 0x2e;
		conditional += opcode == 0x0f;
	}
	assert_int_equal(prefixed, special);
	assert_int_equal(conditional, special);
}

static void check_this_module(Elf *elf)
{
	Elf_Data *data = section_data(elf, ".gnu.linkonce.this_module");
	Elf_Data *rela = section_data(elf, ".rela.gnu.linkonce.this_module");
	GElf_Rela r;

	assert_int_equal(data->d_size, MODULE_SIZE);
	assert_string_equal((char *)data->d_buf + 24, "script");
	assert_int_equal(rela->d_size, 2 * sizeof(Elf64_Rela));
	gelf_getrela(rela, 0, &r);
	assert_int_equal(r.r_offset, 120);
	gelf_getrela(rela, 1, &r);
	assert_int_equal(r.r_offset, 200);
}

static bool holds(const Elf_Data *data, const char *text, size_t len)
{
	return memmem(data->d_buf, data->d_size, text, len) != NULL;
}

static void test_image(void **state)
{
	uint64_t crc = LAYOUT_CRC;
	char srcversion[40];
	Elf_Data *data;
	void *image;
	size_t len;
	Elf *elf;

	assert_null(fit(SCRIPT, &image, &len));
	elf = elf_memory(image, len);
	assert_non_null(elf);
	data = section_data(elf, ".modinfo");
	assert_true(holds(data, "vermagic=6.1.0-test SMP modversions \0", 37));
	assert_true(holds(data, "license=GPL\0", 12));
	assert_true(holds(data, "name=script\0", 12));
	snprintf(srcversion, sizeof(srcversion), "srcversion=%s", version);
	assert_true(holds(data, srcversion, strlen(srcversion) + 1));
	data = section_data(elf, "__versions");
	assert_int_equal(data->d_size, 64);
	assert_memory_equal(data->d_buf, &crc, 8);
	assert_string_equal((char *)data->d_buf + 8, "module_layout");
	check_symbols(elf);
	check_this_module(elf);
	check_sites(elf, ".return_sites", 2, 0);
	check_sites(elf, ".retpoline_sites", 5, 1);
	assert_null(section_data(elf, ".comment"));
	elf_end(elf);
	free(image);
}

static void expect_refused(const char *source, const char *named)
{
	struct error *error;
	void *image;
	size_t len;

	error = fit(source, &image, &len);
	assert_non_null(error);
	if (!strstr(error->message, named))
		fail_msg("%s", error->message);
	error_destroy(error);
}

/* Adds 0x1000 pages to every address in a text of kallsyms. */
static void write_moved_kallsyms(void)
{
	char *text = strdup(KALLSYMS);

	for (char *p = text; (p = strstr(p, "ffffffff8")); p += 9)
		p[8] = '9';
	write_file("kallsyms", text, strlen(text));
	free(text);
}

static void test_moved_image(void **state)
{
	static const char source[] =
	    "extern char kaddr_vfs_read[], unused[];"
	    "void *memset(void *, int, unsigned long); char area[4096]; extern char koff_module_init[];"
	    "int init_module(void) { memset(area, 1, 4096); return (int)(long)koff_module_init; }"
	    "void cleanup_module(void) { area[0] = (char)(long)kaddr_vfs_read; }";
	struct kernel *here = kernel;
	void *image, *expected;
	size_t len, expected_len;

	assert_null(fit(source, &image, &len));
	write_moved_kallsyms();
	assert_null(kernel_open_dir(dir, &kernel));
	assert_null(fit(source, &expected, &expected_len));
	kernel_close(kernel);
	kernel = here;
	write_file("kallsyms", KALLSYMS, strlen(KALLSYMS));
	assert_int_equal(len, expected_len);
	assert_memory_not_equal(image, expected, len);
	fit_image_move(image, len, 0x10000000);
	assert_memory_equal(image, expected, len);
	assert_true(fit_image_is(image, len, version));
	version[3] ^= 1;
	assert_false(fit_image_is(image, len, version));
	free(image);
	free(expected);
}

static void test_tables_differ(void **state)
{
	struct def_row rows[2] = {{.name = "a", .spec = "b"}, {.name = "c"}};
	uint64_t h = def_rows_hash(rows, 2);

	rows[0].must = true;
	assert_int_not_equal(def_rows_hash(rows, 2), h);
	rows[0].must = false;
	assert_int_equal(def_rows_hash(rows, 2), h);
	rows[0].spec = "bc";
	rows[1].name = "";
	assert_int_not_equal(def_rows_hash(rows, 2), h);
	rows[0].spec = "";
	rows[1].name = "c";
	assert_int_not_equal(def_rows_hash(rows, 2), h);
	assert_int_not_equal(def_rows_hash(rows, 1), def_rows_hash(rows, 2));
}

static void test_versions_differ(void **state)
{
	char bytes[100] = {0}, a[FIT_VERSION_LEN + 1], b[FIT_VERSION_LEN + 1];

	fit_object_version(bytes, 100, a);
	assert_int_equal(strlen(a), FIT_VERSION_LEN);
	for (int i = 0; i < 100; i++) {
		bytes[i] = 1;
		fit_object_version(bytes, 100, b);
		assert_string_not_equal(a, b);
		bytes[i] = 0;
	}
	fit_object_version(bytes, 99, b);
	assert_string_not_equal(a, b);
	fit_object_version(bytes, 100, b);
	assert_string_equal(a, b);
}

/* A script that needs nothing but what the core has too is fitted by the core's image alone. */
static void test_core_image_tells_enough(void **state)
{
	static const char core[] = "void *memset(void *, int, unsigned long);\n"
	                           "extern char koff_module_name[]; char area[4096]; int n;\n"
	                           "int init_module(void); void cleanup_module(void);\n"
	                           "int init_module(void) { memset(area, n, 4096); return 1; }\n"
	                           "void cleanup_module(void) { n = (int)(long)koff_module_name; }\n";
	static const char script[] = "void *memset(void *, int, unsigned long); char area[4096];"
	                             "int init_module(void) { memset(area, 2, 4096); return 0; }\n"
	                             "void cleanup_module(void) {}\n";
	struct kernel *whole = kernel;
	void *image, *expected;
	size_t len, expected_len;

	assert_null(fit(core, &image, &len));
	assert_null(fit(script, &expected, &expected_len));
	/* A description that has neither types nor symbols nor modules. */
	write_file("bare/release", "6.1.0-test\n", 11);
	assert_null(kernel_open_dir(bare, &kernel));
	expect_refused(script, "6.1.0-test");
	assert_null(kernel_learn_module(kernel, "spile-not-loaded", image, len));
	free(image);
	assert_null(fit(script, &image, &len));
	assert_int_equal(len, expected_len);
	assert_memory_equal(image, expected, len);
	free(image);
	free(expected);
	/* But not one that needs more, or a function of the core of which no section is known. */
	expect_refused("extern char kaddr_vfs_read[]; int init_module(void) {"
	               "return (int)(long)kaddr_vfs_read; } void cleanup_module(void) {}", "vfs_read");
	kernel_close(kernel);
	kernel = whole;
}

#define EXIT "void cleanup_module(void) {}\n"

static void test_refused_objects(void **state)
{
	expect_refused("int init_module(void) { return 0; }\n", "cleanup_module");
	expect_refused("int puts(const char *); int init_module(void) { return puts(\"x\"); }" EXIT,
	               "puts");
	/* A size used relative to the code. */
	expect_refused(
	    "int init_module(void) { long v; __asm__(\"leaq ksize_module(%%rip), %0\" : \"=r\"(v));"
	    "return v; }" EXIT,
	    "ksize_module");
	expect_refused(
	    "int ksize_module(void); int init_module(void) { return ksize_module() + 1; }" EXIT,
	    "ksize_module");
	expect_refused(
	    "int x[4]; __attribute__((section(\".d\"))) short s = 0; __asm__(\".data\\n.word x\");"
	    "int init_module(void) { return 0; }" EXIT,
	    "relocation type");
}

/* Every truncation and many flipped bytes of an object: an error or an image, never a crash. */
static void test_damaged_object(void **state)
{
	uint32_t seed = 4711;
	char path[128], *object;
	size_t object_len, step;
	void *image;
	size_t len;

	compile("script.o", SCRIPT);
	snprintf(path, sizeof(path), "%s/script.o", dir);
	assert_null(file_read(path, &object, &object_len));
	step = object_len / 150 + 1;
	for (size_t n = 0; n < object_len; n += step) {
		char *cut = malloc(n ? n : 1);
		struct error *error;

		memcpy(cut, object, n);
		error = fit_module(kernel, cut, n, "script", &image, &len);
		assert_non_null(error); /* the section headers stand at the end */
		error_destroy(error);
		free(cut);
	}
	for (int round = 0; round < 600; round++) {
		char *copy = malloc(object_len);
		struct error *error;

		memcpy(copy, object, object_len);
		for (int k = 0; k < 1 + round % 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			/* Half of them in the section headers and what stands near them. */
			copy[k & 1 ? object_len - 1 - (seed >> 8) % 1000
			           : (seed >> 8) % object_len] = seed >> 24;
		}
		error = fit_module(kernel, copy, object_len, "script", &image, &len);
		if (!error)
			free(image);
		error_destroy(error);
		free(copy);
	}
	free(object);
}

static void test_no_shipped_module(void **state)
{
	char command[200];

	snprintf(command, sizeof(command), "mv %s/modules %s/hidden", dir, dir);
	assert_int_equal(system(command), 0);
	expect_refused(SCRIPT, "/modules");
	snprintf(command, sizeof(command), "mv %s/hidden %s/modules", dir, dir);
	assert_int_equal(system(command), 0);
}

/* --- the kernel's own image instead ---------------------------------------------------------- */

static void add_part(struct elf_image *image, const char *name, uint64_t address, const void *data,
                     size_t len)
{
	size_t i = elf_image_add(image, name, SHT_PROGBITS, SHF_ALLOC, 4);

	image->sections[i].shdr.sh_addr = address;
	strbuf_add(&image->sections[i].data, data, len);
}

/* The first `crcs` of two exported symbols have a checksum; the second is module_layout. */
static void write_vmlinux(const char *rodata, size_t len, size_t crcs)
{
	static const char strings[] = "printk\0module_layout";
	static const uint32_t crc[2] = {1, LAYOUT_CRC};
	/* Entries at 0x1000, 12 bytes each; names from 0x900 on. */
	static const int32_t table[6] = {0, 0x900 - 0x1004, 0, 0, 0x907 - 0x1010, 0};
	struct elf_image image;
	void *data;

	elf_image_init(&image);
	add_part(&image, ".rodata", 0x5000, rodata, len);
	add_part(&image, "__ksymtab", 0x1000, table, sizeof(table));
	add_part(&image, "__kcrctab", 0x2000, crc, crcs * sizeof(crc[0]));
	add_part(&image, "__ksymtab_strings", 0x900, strings, sizeof(strings));
	elf_image_finish(&image, &data, &len);
	write_file("vmlinux", data, len);
	elf_image_deinit(&image);
	free(data);
}

static bool marks(struct shipped *ret)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/vmlinux", dir);
	return shipped_from_image(path, "6.1.0-test", ret);
}

#define RODATA "Linux version 6.1.0-test (gcc) \0\0" "6.1.0-test\0" "6.1.0-test-not \0"
#define VERMAGIC "6.1.0-test SMP modversions "

static void test_marks_of_an_image(void **state)
{
	static const char rodata[] = RODATA VERMAGIC, plain[] = RODATA "6.1.0-test SMP ";
	static const char cut[] = RODATA VERMAGIC;
	struct shipped found;

	write_vmlinux(rodata, sizeof(rodata), 2);
	assert_true(marks(&found));
	assert_string_equal(found.vermagic, VERMAGIC);
	assert_true(found.has_layout_crc);
	assert_int_equal(found.layout_crc, LAYOUT_CRC);
	shipped_deinit(&found);
	write_vmlinux(plain, sizeof(plain), 0);
	assert_true(marks(&found));
	assert_string_equal(found.vermagic, "6.1.0-test SMP ");
	assert_false(found.has_layout_crc);
	shipped_deinit(&found);
	write_vmlinux(rodata, sizeof(rodata), 1); /* tables that do not go side by side */
	assert_false(marks(&found));
	write_vmlinux(RODATA, sizeof(RODATA), 2);
	assert_false(marks(&found));
	write_vmlinux(cut, sizeof(cut) - 1, 2); /* no end of the string */
	assert_false(marks(&found));
}

static void test_image_instead_of_shipped_module(void **state)
{
	static const char rodata[] = RODATA VERMAGIC;
	struct kernel *whole = kernel;
	char command[256];
	void *image, *expected;
	size_t len, expected_len;

	assert_null(fit(SCRIPT, &expected, &expected_len));
	write_vmlinux(rodata, sizeof(rodata), 2);
	snprintf(command, sizeof(command), "mv %s/modules %s/hidden", dir, dir);
	assert_int_equal(system(command), 0);
	assert_null(kernel_open_dir(dir, &kernel));
	assert_null(fit(SCRIPT, &image, &len));
	assert_int_equal(len, expected_len);
	assert_memory_equal(image, expected, len);
	free(image);
	free(expected);
	kernel_close(kernel);
	kernel = whole;
	snprintf(command, sizeof(command), "mv %s/hidden %s/modules; rm %s/vmlinux", dir, dir, dir);
	assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_kernel)

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
	    TEST(test_image),
	    TEST(test_moved_image),
	    TEST(test_tables_differ),
	    TEST(test_versions_differ),
	    TEST(test_core_image_tells_enough),
	    TEST(test_refused_objects),
	    TEST(test_damaged_object),
	    TEST(test_no_shipped_module),
	    TEST(test_marks_of_an_image),
	    TEST(test_image_instead_of_shipped_module),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
