// SPDX-License-Identifier: GPL-2.0-only
/** The fitter against a kernel that the test makes up: the image of a module, and damage. */
#include "tests/unit/fixture_fit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
