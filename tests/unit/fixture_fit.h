/* SPDX-License-Identifier: GPL-2.0-only */
/** The fitter's tests: a kernel that the test makes up, in a folder; a new one is opened for each test. */
#ifndef SPILE_TESTS_UNIT_FIXTURE_FIT_H
#define SPILE_TESTS_UNIT_FIXTURE_FIT_H

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_kernel)

#endif
