// SPDX-License-Identifier: GPL-2.0-only
/** symbols/kernel.h on a kernel description that the test writes: symbols, functions, bad files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/described.h"
#include "symbols/elf_image.h"
#include "symbols/kernel.h"

static const char KALLSYMS[] = "0000000000000000 A fixed_percpu_data\n"
                               "0000000000001000 A current_task\n"
                               "ffffffff81000000 T _stext\n"
                               "ffffffff81000010 T vfs_read\n"
                               "ffffffff81000040 T vfs_write\n"
                               "ffffffff81000060 t vfs_write.cold\n"
                               "ffffffff81000070 t __pfx_helper\n"
                               "ffffffff81000080 t helper\n"
                               "ffffffff81000090 t helper\n"
                               "ffffffff810000a0 t int3_handler\n"
                               "ffffffff810000b0 T alias_plain\n"
                               "ffffffff810000b0 T alias_second\n"
                               "ffffffff82000000 D jiffies\n"
                               "ffffffff83000000 T _sinittext\n"
                               "ffffffff83000010 t setup_once\n"
                               "ffffffff83000020 T _einittext\n"
                               "ffffffffc0000000 t mod_func\t[ext4]\n"
                               "ffffffffc0000010 t vfs_read\t[ext4]\n"
                               "ffffffffc0000020 d mod_data\t[ext4]\n"
                               "ffffffffc0001000 t only_in_modules\t[one]\n"
                               "ffffffffc0002000 t only_in_modules\t[two]\n";

struct fixture {
	char dir[64];
	struct kernel *k;
};

static void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_null(file_write_atomic(path, data, len));
}

static void write_text(const char *dir, const char *name, const char *text)
{
	write_file(dir, name, text, strlen(text));
}

static void write_btf(const char *dir)
{
	struct btf *b = btf__new_empty();
	int proto = btf__add_func_proto(b, 0);
	const void *raw;
	uint32_t len;

	btf__add_func(b, "vfs_read", BTF_FUNC_STATIC, proto);
	raw = btf__raw_data(b, &len);
	write_file(dir, "btf", raw, len);
	btf__free(b);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/spile-kernel-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	write_text(f->dir, "release", "6.1.0-test\n");
	write_text(f->dir, "kallsyms", KALLSYMS);
	write_text(f->dir, "functions", "vfs_read\nmod_func [ext4]\nalias_plain\nno_such\n");
	write_text(f->dir, "blacklist", "0xffffffff810000a0-0xffffffff810000b0\tint3_handler\n");
	write_btf(f->dir);
	assert_null(kernel_open_dir(f->dir, &f->k));
	*state = f;
	return 0;
}

static int count_functions(const struct kernel_function *fn, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static void open_anew(struct fixture *f)
{
	kernel_close(f->k);
	assert_null(kernel_open_dir(f->dir, &f->k));
}

/* As another start finds it: the symbols are kept as a table. */
static int setup_kept(void **state)
{
	unsigned n = 0;
	struct fixture *f;

	setup(state);
	f = *state;
	assert_null(kernel_function_match(f->k, NULL, "*", count_functions, &n));
	open_anew(f);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"release",   "kallsyms", "functions",
	                                    "blacklist", "btf",      "vmlinux",
	                                    "kallsyms.table"};
	struct fixture *f = *state;
	char path[128];

	kernel_close(f->k);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

static int error_number(struct error *error)
{
	int err = error ? error->err : 0;

	error_destroy(error);
	return err;
}

static void test_symbol_find(void **state)
{
	struct fixture *f = *state;
	struct kernel_symbol s;

	assert_string_equal(kernel_release(f->k), "6.1.0-test");
	assert_null(kernel_symbol_find(f->k, "vfs_read", &s));
	assert_int_equal(s.address, 0xffffffff81000010);
	assert_int_equal(s.size, 0x30);
	assert_null(s.module);
	assert_null(kernel_symbol_find(f->k, "mod_data", &s));
	assert_string_equal(s.module, "ext4");
	assert_int_equal(s.type, 'd');
	assert_null(kernel_symbol_find(f->k, "current_task", &s));
	assert_int_equal(s.address, 0x1000);
	assert_int_equal(error_number(kernel_symbol_find(f->k, "helper", &s)), ENOTUNIQ);
	assert_int_equal(error_number(kernel_symbol_find(f->k, "only_in_modules", &s)), ENOTUNIQ);
	assert_int_equal(error_number(kernel_symbol_find(f->k, "vfs_rea", &s)), ENOENT);
}

static int collect_address(const struct kernel_symbol *symbol, void *arg)
{
	uint64_t **next = arg;

	*(*next)++ = symbol->address;
	return 0;
}

static void test_symbol_each_in_file_order(void **state)
{
	struct fixture *f = *state;
	uint64_t addresses[4] = {0}, *next = addresses;

	assert_null(kernel_symbol_each(f->k, "helper", collect_address, &next));
	assert_int_equal(next - addresses, 2);
	assert_int_equal(addresses[0], 0xffffffff81000080);
	assert_int_equal(addresses[1], 0xffffffff81000090);
}

static void test_symbol_at(void **state)
{
	struct fixture *f = *state;
	struct kernel_symbol s;
	uint64_t offset;

	assert_null(kernel_symbol_at(f->k, 0xffffffff81000014, &s, &offset));
	assert_string_equal(s.name, "vfs_read");
	assert_int_equal(offset, 4);
	assert_null(kernel_symbol_at(f->k, 0xffffffff810000b1, &s, &offset));
	assert_string_equal(s.name, "alias_plain");
	assert_null(kernel_symbol_at(f->k, 0xffffffffc0000012, &s, NULL));
	assert_string_equal(s.module, "ext4");
}

struct collected {
	struct kernel_function fns[16];
	size_t count;
};

static int collect(const struct kernel_function *fn, void *arg)
{
	struct collected *c = arg;

	c->fns[c->count++] = *fn;
	return c->count == 16;
}

static struct collected match(struct fixture *f, const char *module, const char *pattern)
{
	struct collected c = {.count = 0};

	assert_null(kernel_function_match(f->k, module, pattern, collect, &c));
	return c;
}

static void test_match(void **state)
{
	struct fixture *f = *state;
	struct collected c = match(f, NULL, "vfs_*");

	assert_int_equal(c.count, 2); /* not vfs_write.cold, not the module's */
	assert_string_equal(c.fns[0].name, "vfs_read");
	assert_true(c.fns[0].has_ftrace_site);
	assert_true(kernel_function_has_prototype(f->k, &c.fns[0]));
	assert_false(c.fns[0].ambiguous);
	assert_false(c.fns[0].blacklisted);
	assert_string_equal(c.fns[1].name, "vfs_write");
	assert_false(c.fns[1].has_ftrace_site);
	assert_false(kernel_function_has_prototype(f->k, &c.fns[1]));
	c = match(f, NULL, "helper");
	assert_int_equal(c.count, 2);
	assert_true(c.fns[0].ambiguous && c.fns[1].ambiguous);
	c = match(f, NULL, "int3_handler");
	assert_true(c.count == 1 && c.fns[0].blacklisted);
	c = match(f, NULL, "setup_once");
	assert_true(c.count == 1 && c.fns[0].blacklisted);
	assert_int_equal(match(f, NULL, "jiffies").count, 0);
	assert_int_equal(match(f, NULL, "mod_func").count, 0);
}

static void test_match_in_modules(void **state)
{
	struct fixture *f = *state;
	struct collected c = match(f, "ext*", "*");

	assert_int_equal(c.count, 2);
	assert_string_equal(c.fns[0].name, "mod_func");
	assert_true(c.fns[0].has_ftrace_site);
	assert_false(c.fns[1].has_ftrace_site); /* vfs_read of the kernel has, ext4's has not */
	assert_int_equal(match(f, "*", "only_in_modules").count, 2);
}

static void test_nearest(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(kernel_function_nearest(f->k, "vfs_raed"), "vfs_read");
	assert_null(kernel_function_nearest(f->k, "completely_else"));
	/* Blacklisted ones are no help. */
	assert_null(kernel_function_nearest(f->k, "int3_handlr"));
}

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct kernel *again;
	const char *a, *b;

	assert_null(kernel_identity(f->k, &a));
	assert_int_equal(strlen(a), 16);
	write_text(f->dir, "release", "6.1.1-test\n");
	assert_null(kernel_open_dir(f->dir, &again));
	assert_null(kernel_identity(again, &b));
	assert_string_not_equal(a, b);
	kernel_close(again);
}

static void test_missing_parts(void **state)
{
	struct fixture *f = *state;
	struct kernel_symbol s;
	struct btf_index *idx;
	struct kernel *k;
	char path[128];

	snprintf(path, sizeof(path), "%s/kallsyms", f->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/btf", f->dir);
	unlink(path);
	assert_null(kernel_open_dir(f->dir, &k));
	assert_int_equal(error_number(kernel_symbol_find(k, "vfs_read", &s)), ENOENT);
	assert_int_equal(error_number(kernel_btf(k, &idx)), ENOENT);
	assert_null(kernel_function_nearest(k, "vfs_raed"));
	kernel_close(k);
	assert_non_null(strstr(f->dir, "spile"));
	assert_int_equal(error_number(kernel_open_dir("/nonexistent", &k)), ENOENT);
}

static void test_damaged_kallsyms(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\n",
	    "zzz",
	    "ffffffff81000000",
	    "ffffffff81000000 ",
	    "ffffffff81000000 T",
	    "ffffffff81000000 T \n",
	    "ffffffff81000000 T a\nffff",
	    "ffffffff81000000 T a [b] c\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kernel_symbol s;
		struct kernel *k;

		write_text(f->dir, "kallsyms", texts[i]);
		assert_null(kernel_open_dir(f->dir, &k));
		assert_int_equal(error_number(kernel_symbol_find(k, "vfs_read", &s)), EBADMSG);
		kernel_close(k);
	}
}

/* --- the running kernel's symbols from a description ----------------------------------------- */

#define NOTE_LEN 36

/* A build-id note of 20 equal bytes. */
static void make_note(char note[NOTE_LEN], int byte)
{
	uint32_t words[3] = {4, 20, NT_GNU_BUILD_ID};

	memcpy(note, words, 12);
	memcpy(note + 12, "GNU", 4);
	memset(note + 16, byte, 20);
}

static void write_image(const char *dir, const char *notes, size_t notes_len)
{
	struct elf_image image;
	void *data;
	size_t len, i;

	elf_image_init(&image);
	i = elf_image_add(&image, ".notes", SHT_NOTE, 0, 4);
	strbuf_add(&image.sections[i].data, notes, notes_len);
	elf_image_finish(&image, &data, &len);
	write_file(dir, "vmlinux", data, len);
	elf_image_deinit(&image);
	free(data);
}

static void write_vmlinux(const char *dir, int byte)
{
	char note[NOTE_LEN];

	make_note(note, byte);
	write_image(dir, note, sizeof(note));
}

static void test_described_moves_with_the_kernel(void **state)
{
	static const char head[] = "0000000000000000 A fixed_percpu_data\n"
	                           "ffffffff9a000000 T _stext\nffffffff9a000010 T vfs_r";
	struct fixture *f = *state;
	struct kallsyms *ks;
	char note[NOTE_LEN];

	write_vmlinux(f->dir, 7);
	make_note(note, 7);
	assert_true(described_fits(f->dir, note, sizeof(note)));
	described_kallsyms_from(f->dir, head, &ks);
	assert_non_null(ks);
	assert_int_equal(kallsyms_next(ks, NULL, "vfs_read")->address, 0xffffffff9a000010);
	assert_int_equal(kallsyms_next(ks, NULL, "jiffies")->address, 0xffffffff9b000000);
	assert_int_equal(kallsyms_next(ks, NULL, "current_task")->address, 0x1000);
	/* Another boot has other modules. */
	assert_null(kallsyms_next(ks, NULL, "mod_func"));
	assert_null(kallsyms_next(ks, kallsyms_next(ks, NULL, "vfs_read"), "vfs_read"));
	kallsyms_destroy(ks);
}

static void test_described_of_another_build_is_not_used(void **state)
{
	struct fixture *f = *state;
	char note[NOTE_LEN];

	make_note(note, 7);
	assert_false(described_fits(f->dir, note, sizeof(note))); /* no image */
	write_vmlinux(f->dir, 8);
	assert_false(described_fits(f->dir, note, sizeof(note)));
	write_vmlinux(f->dir, 7);
	assert_false(described_fits(f->dir, note, 0));
	assert_false(described_fits(f->dir, note, sizeof(note) - 1));
	write_file(f->dir, "vmlinux", "no ELF", 6);
	assert_false(described_fits(f->dir, note, sizeof(note)));
}

static void test_described_needs_the_distance(void **state)
{
	static const char *const heads[] = {"0000000000000000 T _stext\n", "_stext\n", ""};
	struct fixture *f = *state;
	struct kallsyms *ks;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		described_kallsyms_from(f->dir, heads[i], &ks);
		assert_null(ks);
	}
}

static void test_description_is_looked_for(void **state)
{
	_cleanup_free_ char *notes = NULL;
	struct fixture *f = *state;
	char *dir;
	size_t len;

	/* Its own build id is what the running kernel has: no test for other kernels. */
	error_destroy(file_read("/sys/kernel/notes", &notes, &len));
	setenv("SPILE_KERNEL_DIR", f->dir, 1);
	setenv("SPILE_CACHE", "/none", 1);
	write_vmlinux(f->dir, 7);
	assert_null(described_dir("6.1.0-test"));
	if (!notes)
		skip();
	write_image(f->dir, notes, len);
	dir = described_dir("6.1.0-test");
	unsetenv("SPILE_KERNEL_DIR");
	assert_null(described_dir("6.1.0-test"));
	unsetenv("SPILE_CACHE");
	assert_string_equal(dir, f->dir);
	free(dir);
}

/* --- kept tables ------------------------------------------------------------------------------ */

static char *table_of(const struct fixture *f, size_t *len)
{
	char path[128], *data;

	snprintf(path, sizeof(path), "%s/kallsyms.table", f->dir);
	assert_null(file_read(path, &data, len));
	return data;
}

static bool has_symbol(struct fixture *f, const char *name)
{
	struct kernel_symbol s;

	open_anew(f);
	return !error_number(kernel_symbol_find(f->k, name, &s));
}

static void test_kept_table_is_what_is_read(void **state)
{
	struct fixture *f = *state;
	size_t len;
	char *data = table_of(f, &len), *name = memmem(data, len, "jiffies", 7);

	assert_non_null(name);
	*name = 'J';
	write_file(f->dir, "kallsyms.table", data, len);
	free(data);
	assert_false(has_symbol(f, "jiffies"));
}

static void test_kept_table_is_of_these_files(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	write_text(f->dir, "kallsyms", "ffffffff81000000 T _stext\nffffffff81000010 T quite_new\n");
	assert_true(has_symbol(f, "quite_new"));
	assert_false(has_symbol(f, "vfs_read"));
	write_text(f->dir, "functions", "quite_new\n");
	open_anew(f);
	assert_null(kernel_function_match(f->k, NULL, "quite_new", count_functions, &n));
	assert_int_equal(n, 1);
}

static void test_damaged_table_is_not_used(void **state)
{
	static const size_t cuts[] = {0, 1, 15, 16, 40, 63, 64, 65, 200};
	struct fixture *f = *state;
	size_t len;
	char *data = table_of(f, &len);

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		write_file(f->dir, "kallsyms.table", data, cuts[i]);
		assert_true(has_symbol(f, "vfs_write"));
	}
	write_file(f->dir, "kallsyms.table", data, len - 1);
	assert_true(has_symbol(f, "vfs_write"));
	for (size_t i = 16; i < 64; i++) { /* the numbers in its head */
		data[i] ^= 0x7f;
		write_file(f->dir, "kallsyms.table", data, len);
		assert_true(has_symbol(f, "vfs_write"));
		data[i] ^= 0x7f;
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_symbol_find, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_symbol_each_in_file_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_symbol_at, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_match, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_match_in_modules, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nearest, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_missing_parts, setup, teardown),
	    {"test_symbol_find, kept", test_symbol_find, setup_kept, teardown, NULL},
	    {"test_symbol_each, kept", test_symbol_each_in_file_order, setup_kept, teardown, NULL},
	    {"test_symbol_at, kept", test_symbol_at, setup_kept, teardown, NULL},
	    {"test_match, kept", test_match, setup_kept, teardown, NULL},
	    {"test_match_in_modules, kept", test_match_in_modules, setup_kept, teardown, NULL},
	    {"test_nearest, kept", test_nearest, setup_kept, teardown, NULL},
	    {"test_described_moves, kept", test_described_moves_with_the_kernel, setup_kept, teardown,
	     NULL},
	    cmocka_unit_test_setup_teardown(test_kept_table_is_what_is_read, setup_kept, teardown),
	    cmocka_unit_test_setup_teardown(test_kept_table_is_of_these_files, setup_kept, teardown),
	    cmocka_unit_test_setup_teardown(test_damaged_table_is_not_used, setup_kept, teardown),
	    cmocka_unit_test_setup_teardown(test_damaged_kallsyms, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_described_moves_with_the_kernel, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_described_of_another_build_is_not_used, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(test_described_needs_the_distance, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_description_is_looked_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
