// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged BTF: every question of btf.h and c_type.h. An error is fine, so is a wrong answer; a crash,
 * an endless walk or a sanitizer's finding is not.
 *
 * Random bytes are soon refused, so the input says how to damage BTF that has each kind of type: from
 * byte 4 on, for each 3 bytes of input, which byte to overwrite, and where to cut it off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "symbols/c_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the sound BTF ------------------------------------------------------------------------------ */

static void add_structures(struct btf *b, int number, int letter)
{
	int inner, whole = btf__add_union(b, NULL, 4), pair = btf__add_array(b, number, number, 3);

	btf__add_field(b, "whole", number, 0, 0);
	btf__add_field(b, "letter", letter, 0, 0);
	inner = btf__add_struct(b, "inner", 8);
	btf__add_field(b, "value", number, 0, 0);
	btf__add_field(b, NULL, whole, 32, 0);
	btf__add_struct(b, "outer", 40);
	btf__add_field(b, "first", btf__add_typedef(b, "word", number), 0, 0);
	btf__add_field(b, "low", number, 32, 3);
	btf__add_field(b, "high", number, 35, 5);
	btf__add_field(b, "in", btf__add_const(b, inner), 64, 0);
	btf__add_field(b, "next", btf__add_ptr(b, inner), 128, 0);
	btf__add_field(b, "pair", pair, 192, 0);
}

static void add_functions(struct btf *b, int number)
{
	int text = btf__add_ptr(b, btf__add_volatile(b, number)), proto, variable;

	proto = btf__add_func_proto(b, number);
	btf__add_func_param(b, "text", text);
	btf__add_func_param(b, "count", number);
	btf__add_func(b, "reads", BTF_FUNC_GLOBAL, proto);
	btf__add_func(b, "writes", BTF_FUNC_STATIC, proto);
	variable = btf__add_var(b, "counter", BTF_VAR_GLOBAL_ALLOCATED, number);
	btf__add_datasec(b, ".data", 4);
	btf__add_datasec_var_info(b, variable, 0, 4);
}

static struct btf *sound(void)
{
	struct btf *b = btf__new_empty();
	int number = btf__add_int(b, "int", 4, BTF_INT_SIGNED), letter = btf__add_int(b, "char", 1, 0);

	btf__add_enum(b, "colour", 4);
	btf__add_enum_value(b, "RED", 0);
	btf__add_enum_value(b, "BLUE", -3);
	btf__add_enum64(b, "wide", 8, false);
	btf__add_enum64_value(b, "FAR", 1ull << 40);
	btf__add_fwd(b, "elsewhere", BTF_FWD_STRUCT);
	btf__add_float(b, "double", 8);
	btf__add_restrict(b, number);
	btf__add_type_tag(b, "user", number);
	add_structures(b, number, letter);
	add_functions(b, number);
	return b;
}

/* --- the questions ------------------------------------------------------------------------------ */

static int ask_field(const struct btf_field *field, void *arg)
{
	return strlen(field->name) > 100000;
}

static int ask_member(const struct c_member *member, void *arg)
{
	c_type_size(member->type);
	return strlen(member->name) > 100000;
}

static int ask_enumerator(const char *name, int64_t value, void *arg)
{
	return strlen(name) > 100000;
}

static void ask_type(const struct btf_index *idx, int id)
{
	struct c_type type = c_type_btf(idx, id);
	enum type_kind kind = c_type_kind(type);
	struct btf_prototype proto;
	struct btf_field field;
	struct c_member member;

	btf_index_strip(idx, id);
	btf_index_size(idx, id);
	free(btf_index_type_string(idx, id));
	btf_index_each_field(idx, id, ask_field, NULL);
	error_destroy(btf_index_find_field(idx, id, "in.value", &field));
	error_destroy(btf_index_prototype(idx, id, &proto));
	btf_index_nearest_field(idx, id, "frist");
	c_type_size(type);
	if (kind == TYPE_POINTER || kind == TYPE_ARRAY)
		c_type_size(c_type_target(type));
	if (kind == TYPE_ARRAY)
		c_type_count(type);
	c_type_is_scalar(type);
	c_type_is_char(type);
	c_type_is_signed(type);
	if (kind == TYPE_POINTER)
		c_type_is_user(type);
	c_type_name(type);
	if (kind == TYPE_ENUM)
		c_type_each_enumerator(type, ask_enumerator, NULL);
	if (kind != TYPE_STRUCT && kind != TYPE_UNION)
		return;
	c_type_each_member(type, ask_member, NULL);
	error_destroy(c_type_find_member(type, "letter", &member));
}

static void ask_names(const struct btf_index *idx)
{
	static const char *const types[] = {"struct outer", "union inner", "enum colour", "word",
	                                    "int", "struct elsewhere"};
	struct btf_prototype proto;
	int64_t value;
	int id;

	error_destroy(btf_index_find_struct(idx, "outer", &id));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		error_destroy(btf_index_find_type(idx, types[i], &id));
	error_destroy(btf_index_find_enumerator(idx, "BLUE", &value));
	error_destroy(btf_index_find_function(idx, "reads", &proto));
	btf_index_has_function(idx, "writes");
	btf_index_find_variable(idx, "counter");
	btf_index_find_section(idx, ".data");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *base;
	static uint32_t base_size;
	struct btf_index *idx;
	struct error *error;
	size_t len;
	char *copy;

	if (!base) {
		libbpf_set_print(NULL);
		struct btf *btf = sound();
		const void *raw = btf__raw_data(btf, &base_size);

		base = malloc(base_size);
		if (!base)
			abort();
		memcpy(base, raw, base_size);
		btf__free(btf);
	}
	if (size < 7)
		return 0;
	len = data[0] < 32 ? base_size * data[1] / 256 : base_size;
	copy = malloc(len ? len : 1); /* exactly: what reads behind it is seen */
	if (!copy)
		abort();
	memcpy(copy, base, len);
	for (size_t at = 4; at + 3 <= size && at < 4 + 3 * (1 + data[2] % 8u) && len; at += 3)
		copy[(data[at] | data[at + 1] << 8) % len] = data[at + 2];
	error = btf_index_create_raw(copy, len, &idx);
	free(copy);
	if (error) {
		error_destroy(error);
		return 0;
	}
	for (int id = 0; id < 40; id++)
		ask_type(idx, id);
	ask_names(idx);
	btf_index_btf(idx);
	btf_index_destroy(idx);
	return 0;
}
