// SPDX-License-Identifier: GPL-2.0-only
/* symbols/c_type.c - see c_type.h. Each question is asked of one of the two sources. */
#include "symbols/c_type.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbols/debuginfo_private.h"
#include "symbols/nearest.h"

struct c_type c_type_btf(const struct btf_index *btf, int id)
{
	return (struct c_type){.btf = btf, .id = id, .dwarf = {.is_void = true}};
}

struct c_type c_type_dwarf(struct dwarf_type type)
{
	return (struct c_type){.dwarf = type};
}

struct c_type c_type_void(void)
{
	return (struct c_type){.dwarf = {.is_void = true}};
}

/* --- kinds ------------------------------------------------------------------------------------- */

static struct c_type strip(struct c_type type)
{
	if (type.btf)
		type.id = btf_index_strip(type.btf, type.id);
	else
		type.dwarf = dwarf_type_strip(type.dwarf);
	return type;
}

/* The BTF record behind typedefs. */
static const struct btf_type *record(struct c_type type)
{
	return btf_index_type(type.btf, (uint32_t)strip(type).id);
}

static enum type_kind btf_int_kind(const struct btf_type *t)
{
	return btf_int_encoding(t) & BTF_INT_BOOL ? TYPE_BOOL : TYPE_INT;
}

static enum type_kind btf_type_kind(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT: return btf_int_kind(t);
	case BTF_KIND_FLOAT: return TYPE_FLOAT;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return TYPE_ENUM;
	case BTF_KIND_PTR: return TYPE_POINTER;
	case BTF_KIND_STRUCT: return TYPE_STRUCT;
	case BTF_KIND_UNION: return TYPE_UNION;
	case BTF_KIND_FWD: return btf_kflag(t) ? TYPE_UNION : TYPE_STRUCT;
	case BTF_KIND_ARRAY: return TYPE_ARRAY;
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO: return TYPE_FUNCTION;
	}
	return TYPE_VOID;
}

enum type_kind c_type_kind(struct c_type type)
{
	return type.btf ? btf_type_kind(record(type)) : dwarf_type_kind(strip(type).dwarf);
}

bool c_type_is_scalar(struct c_type type)
{
	enum type_kind kind = c_type_kind(type);
	int64_t size = c_type_size(type);

	return (kind == TYPE_INT || kind == TYPE_BOOL || kind == TYPE_ENUM ||
	        kind == TYPE_POINTER) &&
	       size > 0 && size <= 8;
}

bool c_type_is_char(struct c_type type)
{
	return c_type_kind(type) == TYPE_INT && c_type_size(type) == 1;
}

/* --- DWARF has one type for an array of arrays, with several dimensions ----------------------------- */

/* The elements of dimension n, -1 unknown or not there; *ret_count: how many dimensions there are. */
static int64_t dimension_size(struct dwarf_type array, unsigned n, unsigned *ret_count)
{
	int64_t size = -1;
	Dwarf_Die child;

	*ret_count = 0;
	if (array.is_void || dwarf_child(&array.die, &child))
		return -1;
	do {
		if (dwarf_tag(&child) != DW_TAG_subrange_type || (*ret_count)++ != n)
			continue;
		size = die_number(&child, DW_AT_count, -1);
		if (size < 0 && dwarf_hasattr(&child, DW_AT_upper_bound))
			size = die_number(&child, DW_AT_upper_bound, -2) + 1;
	} while (!dwarf_siblingof(&child, &child));
	return size < -1 ? -1 : size;
}

static struct c_type dwarf_target(struct c_type type)
{
	struct c_type rest = type;
	unsigned count;

	if (dwarf_type_kind(type.dwarf) == TYPE_ARRAY) {
		dimension_size(type.dwarf, 0, &count);
		rest.dimension++;
		if (rest.dimension < count)
			return rest;
	}
	return c_type_dwarf(dwarf_type_target(type.dwarf));
}

/* Of what is left of an array whose first dimensions are taken. */
static int64_t rest_size(struct c_type array)
{
	int64_t size = dwarf_type_size(dwarf_type_target(array.dwarf));
	unsigned count = array.dimension + 1;

	for (unsigned n = array.dimension; n < count && size >= 0; n++)
		size *= dimension_size(array.dwarf, n, &count);
	return size;
}

/* --- what types lead to, and sizes -------------------------------------------------------------------- */

struct c_type c_type_target(struct c_type type)
{
	const struct btf_type *t;

	type = strip(type);
	if (!type.btf)
		return dwarf_target(type);
	t = record(type);
	return c_type_btf(type.btf, (int)(btf_is_array(t) ? btf_array(t)->type : t->type));
}

bool c_type_is_user(struct c_type pointer)
{
	const struct btf_type *t;

	if (!pointer.btf || c_type_kind(pointer) != TYPE_POINTER)
		return false;
	t = btf_index_type(pointer.btf, record(pointer)->type);
	while (t && (btf_is_mod(t) || btf_is_type_tag(t))) {
		if (btf_is_type_tag(t) &&
		    !strcmp(btf_index_name(pointer.btf, t->name_off), "user"))
			return true;
		t = btf_index_type(pointer.btf, t->type);
	}
	return false;
}

int64_t c_type_size(struct c_type type)
{
	if (type.btf)
		return btf_index_size(type.btf, type.id);
	return type.dimension ? rest_size(strip(type)) : dwarf_type_size(type.dwarf);
}

bool c_type_is_signed(struct c_type type)
{
	const struct btf_type *t;

	if (!type.btf)
		return dwarf_type_is_signed(type.dwarf);
	t = record(type);
	if (btf_is_int(t))
		return btf_int_encoding(t) & BTF_INT_SIGNED;
	return btf_is_any_enum(t) && btf_kflag(t);
}

int64_t c_type_count(struct c_type array)
{
	unsigned count;

	return array.btf ? btf_array(record(array))->nelems
	                 : dimension_size(strip(array).dwarf, array.dimension, &count);
}

const char *c_type_name(struct c_type type)
{
	const char *name;

	type = strip(type);
	name = type.btf ? btf_index_name(type.btf, record(type)->name_off)
	                : dwarf_type_name(type.dwarf);
	return name ? name : "";
}

/* --- members ------------------------------------------------------------------------------------ */

struct member_walk {
	const struct btf_index *btf;
	int (*cb)(const struct c_member *member, void *arg);
	void *arg;
};

static int tell_btf_member(struct member_walk *w, const struct btf_type *t, unsigned i)
{
	uint32_t bits = btf_member_bit_offset(t, i);
	struct c_member member = {
	    .name = btf_index_name(w->btf, btf_members(t)[i].name_off),
	    .type = c_type_btf(w->btf, (int)btf_members(t)[i].type),
	    .offset = bits / 8,
	    .bit_offset = bits,
	    .bit_size = btf_member_bitfield_size(t, i),
	};

	return w->cb(&member, w->arg);
}

static struct c_member dwarf_member(const struct type_member *member)
{
	return (struct c_member){
	    .name = member->name,
	    .type = c_type_dwarf(member->type),
	    .offset = member->bit_offset / 8,
	    .bit_offset = member->bit_offset,
	    .bit_size = member->bit_size,
	};
}

static int tell_dwarf_member(const struct type_member *member, void *arg)
{
	struct member_walk *w = arg;
	struct c_member told = dwarf_member(member);

	return w->cb(&told, w->arg);
}

int c_type_each_member(struct c_type type, int (*cb)(const struct c_member *member, void *arg),
                       void *arg)
{
	struct member_walk w = {type.btf, cb, arg};
	const struct btf_type *t;
	int result = 0;

	if (!type.btf)
		return dwarf_type_each_member(type.dwarf, false, tell_dwarf_member, &w);
	t = record(type);
	for (unsigned i = 0; btf_is_composite(t) && i < btf_vlen(t) && !result; i++)
		result = tell_btf_member(&w, t, i);
	return result;
}

struct error *c_type_find_member(struct c_type type, const char *name, struct c_member *ret)
{
	struct type_member member;
	struct btf_field field;
	struct error *error;

	if (type.btf) {
		error = btf_index_find_field(type.btf, type.id, name, &field);
		if (!error)
			*ret = (struct c_member){field.name, c_type_btf(type.btf, field.type),
			                         field.offset, field.bit_offset, field.bit_size};
		return error;
	}
	error = dwarf_type_find_member(type.dwarf, name, &member);
	if (!error)
		*ret = dwarf_member(&member);
	return error;
}

struct near_member {
	const char *name, *nearest;
	unsigned distance;
};

static int note_near(const struct type_member *member, void *arg)
{
	struct near_member *q = arg;
	unsigned distance = nearest_distance(q->name, member->name, q->distance - 1);

	if (distance < q->distance) {
		q->distance = distance;
		q->nearest = member->name;
	}
	return q->distance <= 1;
}

const char *c_type_nearest_member(struct c_type type, const char *name)
{
	struct near_member q = {.name = name, .distance = nearest_limit(name) + 1};

	if (type.btf)
		return btf_index_nearest_field(type.btf, type.id, name);
	dwarf_type_each_member(type.dwarf, true, note_near, &q);
	return q.nearest;
}

/* --- enumerators ---------------------------------------------------------------------------------- */

static int64_t btf_enumerator(const struct btf_type *t, unsigned i)
{
	if (btf_is_enum64(t))
		return (int64_t)btf_enum64_value(&btf_enum64(t)[i]);
	return btf_kflag(t) ? btf_enum(t)[i].val : (int64_t)(uint32_t)btf_enum(t)[i].val;
}

static uint32_t btf_enumerator_name(const struct btf_type *t, unsigned i)
{
	return btf_is_enum64(t) ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
}

int c_type_each_enumerator(struct c_type type,
                           int (*cb)(const char *name, int64_t value, void *arg), void *arg)
{
	const struct btf_type *t;
	Dwarf_Die child;
	int result = 0;

	if (c_type_kind(type) != TYPE_ENUM)
		return 0;
	type = strip(type);
	if (type.btf) {
		t = record(type);
		for (unsigned i = 0; i < btf_vlen(t) && !result; i++)
			result = cb(btf_index_name(type.btf, btf_enumerator_name(t, i)),
			            btf_enumerator(t, i), arg);
		return result;
	}
	if (dwarf_child(&type.dwarf.die, &child))
		return 0;
	do
		if (dwarf_tag(&child) == DW_TAG_enumerator && dwarf_diename(&child))
			result = cb(dwarf_diename(&child),
			            die_number(&child, DW_AT_const_value, 0), arg);
	while (!result && !dwarf_siblingof(&child, &child));
	return result;
}
