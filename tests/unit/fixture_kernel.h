/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * tests/unit/fixture_kernel.h - a small kernel, described in a folder that the test makes.
 *
 *	struct path { struct dentry *dentry; };                  struct dentry { long d_ino; };
 *	struct file {
 *		struct path f_path;            // 0
 *		unsigned int f_mode : 3;       // bits 64 to 66
 *		int f_signed : 5;              // bits 67 to 71
 *		char f_name[16];               // 12
 *		short f_pair[2];               // 28
 *		union { int f_a; char f_b; };  // 32
 *		struct file *f_next;           // 40
 *	};
 *	enum color { RED = 3, GREEN = 7 };
 *	long vfs_read(struct file *file, char *buf, unsigned long count, enum color color);
 *	void vfs_close(struct file *file, short level);
 *	long many(long a, long b, long c, long d, long e, long f, long g);
 *	struct kuid { unsigned int val; unsigned int more; short last; };
 *	struct kuid by_value(struct file __user *ufile, struct kuid uid, struct big { long a[3]; } big);
 *
 * and the functions no_types, blacklisted_fn, untraced_fn, twice (two of them).
 */
#ifndef SPILE_TESTS_FIXTURE_KERNEL_H
#define SPILE_TESTS_FIXTURE_KERNEL_H

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static inline void fixture_write(const char *dir, const char *name, const void *data, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	error_destroy(file_write_atomic(path, data, len));
}

static inline int fixture_file_struct(struct btf *btf, int dentry, int u32, int s32, int ch)
{
	int s16 = btf__add_int(btf, "short", 2, BTF_INT_SIGNED);
	int path, name, pair, either, file, index = u32;

	path = btf__add_struct(btf, "path", 8);
	btf__add_field(btf, "dentry", dentry, 0, 0);
	name = btf__add_array(btf, index, ch, 16);
	pair = btf__add_array(btf, index, s16, 2);
	either = btf__add_union(btf, NULL, 4);
	btf__add_field(btf, "f_a", s32, 0, 0);
	btf__add_field(btf, "f_b", ch, 0, 0);
	file = btf__add_struct(btf, "file", 48);
	btf__add_field(btf, "f_path", path, 0, 0);
	btf__add_field(btf, "f_mode", u32, 64, 3);
	btf__add_field(btf, "f_signed", s32, 67, 5);
	btf__add_field(btf, "f_name", name, 96, 0);
	btf__add_field(btf, "f_pair", pair, 224, 0);
	btf__add_field(btf, NULL, either, 256, 0);
	btf__add_field(btf, "f_next", file + 1, 320, 0);
	btf__add_ptr(btf, file); /* its id is file + 1 */
	return file;
}

static inline void fixture_functions(struct btf *btf, int file, int s64, int ch)
{
	int buf = btf__add_ptr(btf, ch), u64 = btf__add_int(btf, "unsigned long", 8, 0);
	int s16 = btf__find_by_name(btf, "short"), color, proto;
	static const char *const letters[] = { "a", "b", "c", "d", "e", "f", "g" };

	color = btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 3);
	btf__add_enum_value(btf, "GREEN", 7);
	proto = btf__add_func_proto(btf, s64);
	btf__add_func_param(btf, "file", file + 1);
	btf__add_func_param(btf, "buf", buf);
	btf__add_func_param(btf, "count", u64);
	btf__add_func_param(btf, "color", color);
	btf__add_func(btf, "vfs_read", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, "file", file + 1);
	btf__add_func_param(btf, "level", s16);
	btf__add_func(btf, "vfs_close", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(btf, s64);
	for (int i = 0; i < 7; i++)
		btf__add_func_param(btf, letters[i], s64);
	btf__add_func(btf, "many", BTF_FUNC_STATIC, proto);
}

static inline void fixture_by_value(struct btf *btf, int file, int u32)
{
	int tag = btf__add_type_tag(btf, "user", file), user = btf__add_ptr(btf, tag);
	int s16 = btf__find_by_name(btf, "short"), s64 = btf__find_by_name(btf, "long");
	int uid = btf__add_struct(btf, "kuid", 12), array, big, proto;

	btf__add_field(btf, "val", u32, 0, 0);
	btf__add_field(btf, "more", u32, 32, 0);
	btf__add_field(btf, "last", s16, 64, 0);
	array = btf__add_array(btf, u32, s64, 3);
	big = btf__add_struct(btf, "big", 24);
	btf__add_field(btf, "a", array, 0, 0);
	proto = btf__add_func_proto(btf, uid);
	btf__add_func_param(btf, "ufile", user);
	btf__add_func_param(btf, "uid", uid);
	btf__add_func_param(btf, "big", big);
	btf__add_func(btf, "by_value", BTF_FUNC_STATIC, proto);
}

static inline void fixture_btf(const char *dir)
{
	struct btf *btf = btf__new_empty();
	int s32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int u32 = btf__add_int(btf, "unsigned int", 4, 0);
	int s64 = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	int ch = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	int dentry = btf__add_struct(btf, "dentry", 8), file;
	const void *raw;
	__u32 size;

	btf__add_field(btf, "d_ino", s64, 0, 0);
	dentry = btf__add_ptr(btf, dentry);
	file = fixture_file_struct(btf, dentry, u32, s32, ch);
	fixture_functions(btf, file, s64, ch);
	fixture_by_value(btf, file, u32);
	raw = btf__raw_data(btf, &size);
	fixture_write(dir, "btf", raw, size);
	btf__free(btf);
}

/** Writes the list of functions with trace sites, or an empty one. */
static inline void fixture_kernel_trace_sites(const char *dir, bool any)
{
	static const char functions[] = "vfs_read\nvfs_close\nmany\nno_types\nblacklisted_fn\n"
					"by_value\ntwice\ntwice\ncopied\ncopied.constprop.3\n";

	fixture_write(dir, "functions", functions, any ? sizeof(functions) - 1 : 0);
}

/** Writes the folder at `dir` (a mkdtemp template's result). */
static inline void fixture_kernel_make(const char *dir)
{
	static const char symbols[] = "ffffffff81000000 T _stext\n"
				      "ffffffff81000100 T vfs_read\n"
				      "ffffffff81000200 T vfs_close\n"
				      "ffffffff81000300 T many\n"
				      "ffffffff81000400 T no_types\n"
				      "ffffffff81000500 T blacklisted_fn\n"
				      "ffffffff81000600 T untraced_fn\n"
				      "ffffffff81000700 t twice\n"
				      "ffffffff81000800 t twice\n"
				      "ffffffff81000820 t copied\n"
				      "ffffffff81000840 t copied.constprop.3\n"
				      "ffffffff81000880 t lone.isra.0\n"
				      "ffffffff810008c0 t lone.part.0\n"
				      "ffffffff81000880 T by_value\n"
				      "ffffffff81000900 T _etext\n"
				      "ffffffff82000000 D jiffies\n"
				      "0000000000000000 A __per_cpu_start\n"
				      "0000000000019578 A this_cpu_off\n"
				      "0000000000030000 A __per_cpu_end\n";
	static const char blacklist[] = "0xffffffff81000500-0xffffffff81000600\tblacklisted_fn\n";

	fixture_btf(dir);
	fixture_write(dir, "release", "6.0.0-fixture\n", 14);
	fixture_write(dir, "kallsyms", symbols, sizeof(symbols) - 1);
	fixture_kernel_trace_sites(dir, true);
	fixture_write(dir, "blacklist", blacklist, sizeof(blacklist) - 1);
}

static inline void fixture_kernel_remove(const char *dir)
{
	static const char *const names[] = { "btf", "release", "kallsyms", "functions",
					     "blacklist", "kallsyms.table" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

#endif
