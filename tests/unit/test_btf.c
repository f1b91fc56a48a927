// SPDX-License-Identifier: GPL-2.0-only
/** symbols/btf.h on BTF that the test makes itself: fields, duplicates, types as C, damaged bytes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/btf.h"
#include "symbols/nearest.h"

struct fixture {
	struct btf *btf; /* owned by idx once that exists */
	struct btf_index *idx;
	int t_int, t_long, t_char, outer, task_ptr;
};

/*
 * struct inner { int val; };
 * struct outer {                          offset
 *	int first;                              0
 *	union { long a; struct { int b; int c; }; };   8, c at 12
 *	unsigned low : 3, high : 5;            16 bits 0 and 3
 *	struct inner in;                       20
 * };
 */
static void add_outer(struct fixture *f)
{
	struct btf *b = f->btf;
	int inner = btf__add_struct(b, "inner", 4), anonymous, u;

	btf__add_field(b, "val", f->t_int, 0, 0);
	anonymous = btf__add_struct(b, NULL, 8);
	btf__add_field(b, "b", f->t_int, 0, 0);
	btf__add_field(b, "c", f->t_int, 32, 0);
	u = btf__add_union(b, NULL, 8);
	btf__add_field(b, "a", f->t_long, 0, 0);
	btf__add_field(b, NULL, anonymous, 0, 0);
	f->outer = btf__add_struct(b, "outer", 24);
	btf__add_field(b, "first", f->t_int, 0, 0);
	btf__add_field(b, NULL, u, 64, 0);
	btf__add_field(b, "low", f->t_int, 128, 3);
	btf__add_field(b, "high", f->t_int, 131, 5);
	btf__add_field(b, "in", inner, 160, 0);
}

static void add_functions(struct fixture *f)
{
	struct btf *b = f->btf;
	int file = btf__add_struct(b, "file", 8), file_ptr = btf__add_ptr(b, file);
	int const_char = btf__add_const(b, f->t_char), text = btf__add_ptr(b, const_char);
	int size = btf__add_typedef(b, "size_t", f->t_long);
	int read = btf__add_func_proto(b, f->t_long), other;

	btf__add_func_param(b, "file", file_ptr);
	btf__add_func_param(b, "buf", text);
	btf__add_func_param(b, "count", size);
	btf__add_func(b, "vfs_read", BTF_FUNC_STATIC, read);
	btf__add_func(b, "agree", BTF_FUNC_STATIC, read);
	btf__add_func(b, "agree", BTF_FUNC_STATIC, read);
	other = btf__add_func_proto(b, 0);
	btf__add_func_param(b, "fmt", text);
	btf__add_func_param(b, NULL, 0);
	btf__add_func(b, "printk", BTF_FUNC_STATIC, other);
	btf__add_func(b, "clash", BTF_FUNC_STATIC, read);
	btf__add_func(b, "clash", BTF_FUNC_STATIC, other);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct btf *b = f->btf = btf__new_empty();

	f->t_int = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	f->t_long = btf__add_int(b, "long unsigned int", 8, 0);
	f->t_char = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	add_outer(f);
	add_functions(f);
	btf__add_struct(b, "twice", 4);
	btf__add_struct(b, "twice", 8);
	btf__add_typedef(b, "alias_t", f->outer);
	btf__add_enum(b, "color", 4);
	btf__add_enum_value(b, "RED", 7);
	btf__add_enum_value(b, "SHARED", 1);
	btf__add_enum(b, "other", 4);
	btf__add_enum_value(b, "SHARED", 2);
	assert_null(btf_index_create(b, &f->idx));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	btf_index_destroy(f->idx);
	free(f);
	return 0;
}

static int error_number(struct error *error)
{
	int err = error ? error->err : 0;

	error_destroy(error);
	return err;
}

static uint32_t offset_of(struct fixture *f, const char *path)
{
	struct btf_field field;

	assert_null(btf_index_find_field(f->idx, f->outer, path, &field));
	return field.offset;
}

static void test_fields(void **state)
{
	struct fixture *f = *state;
	struct btf_field field;

	assert_int_equal(offset_of(f, "first"), 0);
	assert_int_equal(offset_of(f, "a"), 8);
	assert_int_equal(offset_of(f, "b"), 8);
	assert_int_equal(offset_of(f, "c"), 12);
	assert_int_equal(offset_of(f, "in"), 20);
	assert_int_equal(offset_of(f, "in.val"), 20);
	assert_null(btf_index_find_field(f->idx, f->outer, "high", &field));
	assert_int_equal(field.offset, 16);
	assert_int_equal(field.bit_offset, 131);
	assert_int_equal(field.bit_size, 5);
}

static void test_field_missing_names_the_nearest(void **state)
{
	struct fixture *f = *state;
	struct btf_field field;
	struct error *error = btf_index_find_field(f->idx, f->outer, "frist", &field);

	assert_non_null(error);
	assert_int_equal(error->err, ENOENT);
	assert_non_null(strstr(error->message, "struct outer"));
	assert_non_null(strstr(error->message, "first"));
	error_destroy(error);
	assert_int_equal(error_number(btf_index_find_field(f->idx, f->outer, "first.x", &field)),
	                 ENOENT);
	assert_int_equal(error_number(btf_index_find_field(f->idx, f->outer, "", &field)), ENOENT);
}

static void test_struct_lookup(void **state)
{
	struct fixture *f = *state;
	int type;

	assert_null(btf_index_find_struct(f->idx, "outer", &type));
	assert_int_equal(type, f->outer);
	assert_null(btf_index_find_struct(f->idx, "alias_t", &type));
	assert_int_equal(type, f->outer);
	assert_int_equal(error_number(btf_index_find_struct(f->idx, "twice", &type)), ENOTUNIQ);
	assert_int_equal(error_number(btf_index_find_struct(f->idx, "none", &type)), ENOENT);
	assert_int_equal(error_number(btf_index_find_struct(f->idx, "size_t", &type)), ENOENT);
	assert_int_equal(error_number(btf_index_find_struct(f->idx, "", &type)), ENOENT);
	assert_null(btf_index_find_type(f->idx, "struct outer", &type));
	assert_int_equal(type, f->outer);
	assert_null(btf_index_find_type(f->idx, "size_t", &type));
	assert_int_equal(btf_index_size(f->idx, type), 8);
}

static void test_functions(void **state)
{
	struct fixture *f = *state;
	struct btf_prototype proto;
	char *s;

	assert_null(btf_index_find_function(f->idx, "vfs_read", &proto));
	assert_int_equal(proto.argc, 3);
	assert_false(proto.variadic);
	assert_string_equal(btf_index_name(f->idx, proto.args[2].name_off), "count");
	s = btf_index_type_string(f->idx, proto.args[2].type);
	assert_string_equal(s, "size_t");
	free(s);
	assert_null(btf_index_find_function(f->idx, "printk", &proto));
	assert_int_equal(proto.argc, 1);
	assert_true(proto.variadic);
	assert_true(btf_index_has_function(f->idx, "agree"));
	assert_false(btf_index_has_function(f->idx, "clash"));
	assert_int_equal(error_number(btf_index_find_function(f->idx, "clash", &proto)), ENOTUNIQ);
	assert_int_equal(error_number(btf_index_find_function(f->idx, "none", &proto)), ENOENT);
}

static void test_enumerators(void **state)
{
	struct fixture *f = *state;
	int64_t value;

	assert_null(btf_index_find_enumerator(f->idx, "RED", &value));
	assert_int_equal(value, 7);
	assert_int_equal(error_number(btf_index_find_enumerator(f->idx, "SHARED", &value)),
	                 ENOTUNIQ);
	assert_int_equal(error_number(btf_index_find_enumerator(f->idx, "BLUE", &value)), ENOENT);
}

static void expect_c(struct btf *b, int type, const char *expected)
{
	struct btf_index *idx;
	uint32_t len;
	const void *raw = btf__raw_data(b, &len);
	char *s;

	assert_null(btf_index_create_raw(raw, len, &idx));
	s = btf_index_type_string(idx, type);
	assert_string_equal(s, expected);
	free(s);
	btf_index_destroy(idx);
}

static void test_types_as_c(void **state)
{
	struct btf *b = btf__new_empty();
	int i = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	int c = btf__add_const(b, i), p = btf__add_ptr(b, c), pc = btf__add_const(b, p);
	int array = btf__add_array(b, i, i, 4), pa = btf__add_ptr(b, array);
	int matrix = btf__add_array(b, i, array, 2);
	int proto = btf__add_func_proto(b, i), pp, s;

	btf__add_func_param(b, "a", p);
	btf__add_func_param(b, NULL, 0);
	pp = btf__add_ptr(b, proto);
	s = btf__add_struct(b, "file", 4);
	expect_c(b, 0, "void");
	expect_c(b, i, "int");
	expect_c(b, p, "const int *");
	expect_c(b, pc, "const int *const");
	expect_c(b, array, "int [4]");
	expect_c(b, matrix, "int [2][4]");
	expect_c(b, pa, "int (*)[4]");
	expect_c(b, pp, "int (*)(const int *, ...)");
	expect_c(b, btf__add_ptr(b, btf__add_ptr(b, s)), "struct file **");
	expect_c(b, btf__add_struct(b, NULL, 4), "struct {...}");
	btf__free(b);
}

/* Circles and ids that point nowhere must end every question. */
static void test_circles(void **state)
{
	struct btf *b = btf__new_empty();
	int t = btf__add_typedef(b, "round", 2), c = btf__add_const(b, t), s, p;
	struct btf_index *idx;
	struct btf_field field;
	char *text;

	s = btf__add_struct(b, "self", 8);
	btf__add_field(b, NULL, s, 0, 0);
	btf__add_field(b, NULL, s, 0, 0);
	btf__add_field(b, "x", 9999, 0, 0);
	p = btf__add_ptr(b, 5);
	assert_null(btf_index_create(b, &idx));
	assert_int_equal(btf_index_strip(idx, c), 0);
	assert_int_equal(btf_index_size(idx, t), -1);
	text = btf_index_type_string(idx, c);
	free(text);
	text = btf_index_type_string(idx, p);
	free(text);
	assert_int_equal(error_number(btf_index_find_field(idx, s, "none", &field)), ENOENT);
	btf_index_destroy(idx);
}

static void ask_everything(struct btf_index *idx)
{
	static const char *const names[] = {"outer",  "inner", "vfs_read",
	                                    "size_t", "RED",   "in.val"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct btf_prototype proto;
		struct btf_field field;
		int64_t value;
		int type;

		error_destroy(btf_index_find_function(idx, names[i], &proto));
		error_destroy(btf_index_find_enumerator(idx, names[i], &value));
		if (!error_number(btf_index_find_struct(idx, names[i], &type)))
			error_destroy(btf_index_find_field(idx, type, "in.val", &field));
	}
	for (int id = 0; id < 60; id++) {
		btf_index_size(idx, id);
		free(btf_index_type_string(idx, id));
	}
}

static void try_raw(const void *data, size_t len)
{
	struct btf_index *idx;
	struct error *error = btf_index_create_raw(data, len, &idx);

	if (error) {
		assert_true(strlen(error->message) > 10);
		error_destroy(error);
		return;
	}
	ask_everything(idx);
	btf_index_destroy(idx);
}

/* Every truncation and many flipped bytes: a message or an answer, never a crash. */
static void test_damaged_bytes(void **state)
{
	struct fixture *f = *state;
	uint32_t len, seed = 12345;
	const void *raw = btf__raw_data(btf_index_btf(f->idx), &len);
	unsigned char *copy = malloc(len);

	for (uint32_t n = 0; n < len; n++) {
		unsigned char *cut =
		    malloc(n ? n : 1); /* exact, so that the sanitizer sees overruns */

		memcpy(cut, raw, n);
		try_raw(cut, n);
		free(cut);
	}
	for (int round = 0; round < 3000; round++) {
		memcpy(copy, raw, len);
		for (int k = 0; k < 1 + round % 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			copy[24 + (seed >> 8) % (len - 24)] = seed >> 24;
		}
		try_raw(copy, len);
	}
	free(copy);
}

static struct btf_index *reopen_raw(struct fixture *f)
{
	size_t size;
	const void *raw = btf_index_bytes(f->idx, &size);
	struct btf_index *idx;

	assert_null(btf_index_create_raw(raw, size, &idx));
	return idx;
}

/* The bytes' own reader finds the records and the names that libbpf finds. */
static void test_raw_records(void **state)
{
	struct fixture *f = *state;
	struct btf_index *idx = reopen_raw(f);
	uint32_t count = btf__type_cnt(f->btf);

	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *ours = btf_index_type(idx, id);
		const struct btf_type *theirs = btf__type_by_id(f->btf, id);

		assert_memory_equal(ours, theirs, sizeof(*theirs));
		assert_string_equal(btf_index_name(idx, ours->name_off),
		                    btf__name_by_offset(f->btf, theirs->name_off));
	}
	assert_null(btf_index_type(idx, count));
	assert_int_equal(btf__type_cnt(btf_index_btf(idx)), count);
	btf_index_destroy(idx);
}

/* The first questions walk all types, later ones go by a hash: the answers stay. */
static void test_many_questions(void **state)
{
	static const char *const names[] = {"outer", "twice", "alias_t", "file", "vfs_read", "none"};
	struct fixture *f = *state;
	struct btf_index *idx = reopen_raw(f);

	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct btf_prototype proto = {0}, expected_proto = {0};
			int type = 0, expected = 0;

			assert_int_equal(
			    error_number(btf_index_find_struct(idx, names[i], &type)),
			    error_number(btf_index_find_struct(f->idx, names[i], &expected)));
			assert_int_equal(type, expected);
			error_destroy(btf_index_find_function(idx, names[i], &proto));
			error_destroy(btf_index_find_function(f->idx, names[i], &expected_proto));
			assert_int_equal(proto.type, expected_proto.type);
			assert_false(btf_index_has_function(idx, "clash"));
			assert_true(btf_index_has_function(idx, "agree"));
		}
	btf_index_destroy(idx);
}

static void test_sizes(void **state)
{
	struct btf *b = btf__new_empty();
	int i = btf__add_int(b, "int", 4, BTF_INT_SIGNED), row = btf__add_array(b, i, i, 3);
	int matrix = btf__add_array(b, i, row, 5), huge = btf__add_array(b, i, row, 0xffffffff);
	int round = btf__add_array(b, i, 5, 2), very = btf__add_array(b, i, huge, 0xffffffff);
	int also = btf__add_array(b, i, very, 0xffffffff);
	struct btf_index *idx;

	(void)also;
	btf__add_typedef(b, "matrix_t", matrix);
	assert_null(btf_index_create(b, &idx));
	assert_int_equal(btf_index_size(idx, matrix), 60);
	assert_int_equal(btf_index_size(idx, btf__type_cnt(b) - 1), 60);
	assert_int_equal(btf_index_size(idx, huge), 12 * 0xffffffffll);
	assert_int_equal(btf_index_size(idx, round), -1);
	assert_int_equal(btf_index_size(idx, also), -1);
	btf_index_destroy(idx);
}

static void test_nearest(void **state)
{
	assert_int_equal(nearest_distance("vfs_read", "vfs_read", 3), 0);
	assert_int_equal(nearest_distance("vfs_raed", "vfs_read", 3), 1);
	assert_int_equal(nearest_distance("vfs_rea", "vfs_read", 3), 1);
	assert_int_equal(nearest_distance("kitten", "sitting", 3), 3);
	assert_int_equal(nearest_distance("abc", "xyz", 2), 3);
	assert_int_equal(nearest_distance("", "ab", 3), 2);
	assert_int_equal(nearest_distance("abcdefgh", "a", 3), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_field_missing_names_the_nearest, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_struct_lookup, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_functions, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_enumerators, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_damaged_bytes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_raw_records, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_many_questions, setup, teardown),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_types_as_c),
	    cmocka_unit_test(test_circles),
	    cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
