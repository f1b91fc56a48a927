// SPDX-License-Identifier: GPL-2.0-only
/* symbols/dwarf_type.c - see dwarf_type.h. */
#include "symbols/dwarf_type.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "symbols/debuginfo_private.h"

#define DEPTH_MAX 64 /* typedefs of typedefs: a damaged file may go in circles */

static const struct dwarf_type no_type = {.is_void = true};

struct dwarf_type dwarf_type_of(const Dwarf_Die *die)
{
	struct dwarf_type type = {.is_void = false};
	Dwarf_Die at = *die;
	Dwarf_Attribute attr;

	if (!dwarf_attr_integrate(&at, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type.die))
		return no_type;
	return type;
}

static int tag_of(struct dwarf_type type)
{
	return type.is_void ? DW_TAG_unspecified_type : dwarf_tag(&type.die);
}

static enum type_kind base_kind(struct dwarf_type type)
{
	switch (die_number(&type.die, DW_AT_encoding, 0)) {
	case DW_ATE_boolean:
		return TYPE_BOOL;
	case DW_ATE_float:
	case DW_ATE_complex_float:
	case DW_ATE_imaginary_float:
	case DW_ATE_decimal_float:
		return TYPE_FLOAT;
	}
	return TYPE_INT;
}

enum type_kind dwarf_type_kind(struct dwarf_type type)
{
	switch (tag_of(type)) {
	case DW_TAG_base_type: return base_kind(type);
	case DW_TAG_enumeration_type: return TYPE_ENUM;
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type: return TYPE_POINTER;
	case DW_TAG_structure_type:
	case DW_TAG_class_type: return TYPE_STRUCT;
	case DW_TAG_union_type: return TYPE_UNION;
	case DW_TAG_array_type: return TYPE_ARRAY;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram: return TYPE_FUNCTION;
	case DW_TAG_typedef: return TYPE_TYPEDEF;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
	case DW_TAG_immutable_type: return TYPE_QUALIFIED;
	}
	return TYPE_VOID;
}

const char *dwarf_type_name(struct dwarf_type type)
{
	return type.is_void ? NULL : dwarf_diename(&type.die);
}

struct dwarf_type dwarf_type_target(struct dwarf_type type)
{
	return type.is_void ? no_type : dwarf_type_of(&type.die);
}

/* A struct may be declared only, in a unit whose type unit or neighbour defines it. */
struct dwarf_type dwarf_type_strip(struct dwarf_type type)
{
	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		enum type_kind kind = dwarf_type_kind(type);

		if (kind != TYPE_TYPEDEF && kind != TYPE_QUALIFIED)
			return type;
		type = dwarf_type_target(type);
	}
	return no_type;
}

int64_t dwarf_type_count(struct dwarf_type array)
{
	Dwarf_Attribute attr;
	Dwarf_Die child;
	int64_t count;

	if (array.is_void || dwarf_child(&array.die, &child))
		return -1;
	while (dwarf_tag(&child) != DW_TAG_subrange_type)
		if (dwarf_siblingof(&child, &child))
			return -1;
	count = die_number(&child, DW_AT_count, -1);
	if (count < 0 && dwarf_attr(&child, DW_AT_upper_bound, &attr))
		count = die_number(&child, DW_AT_upper_bound, -2) + 1;
	return count < -1 ? -1 : count;
}

int64_t dwarf_type_size(struct dwarf_type type)
{
	Dwarf_Word size;

	type = dwarf_type_strip(type);
	if (type.is_void || dwarf_type_kind(type) == TYPE_FUNCTION ||
	    dwarf_aggregate_size(&type.die, &size) || size > INT64_MAX)
		return -1;
	return size;
}

bool dwarf_type_is_signed(struct dwarf_type type)
{
	type = dwarf_type_strip(type);
	if (dwarf_type_kind(type) == TYPE_ENUM) {
		struct dwarf_type base = dwarf_type_strip(dwarf_type_target(type));

		if (!base.is_void)
			return dwarf_type_is_signed(base);
	}
	switch (type.is_void ? 0 : die_number(&type.die, DW_AT_encoding, 0)) {
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		return true;
	}
	return false;
}

/* --- members ------------------------------------------------------------------------------------- */

/* DWARF 5 counts bit-fields from the start; before, from the end of the storage unit, big-endian's
 * way. */
static uint64_t bit_offset_of(Dwarf_Die *member, struct dwarf_type type, unsigned bit_size)
{
	int64_t bytes = die_number(member, DW_AT_data_member_location, 0);
	int64_t bits = die_number(member, DW_AT_data_bit_offset, -1);
	int64_t from_end, storage;

	if (bits >= 0)
		return bits;
	from_end = die_number(member, DW_AT_bit_offset, -1);
	if (!bit_size || !dwarf_hasattr(member, DW_AT_bit_offset))
		return bytes * 8;
	storage = die_number(member, DW_AT_byte_size, dwarf_type_size(type));
	return bytes * 8 + storage * 8 - from_end - bit_size;
}

struct walk {
	bool open;
	unsigned depth;
	uint64_t base; /* bits */
	int (*cb)(const struct type_member *member, void *arg);
	void *arg;
};

static int walk_members(struct walk *w, struct dwarf_type type);

static int take_member(struct walk *w, Dwarf_Die *die)
{
	struct type_member member = {.name = dwarf_diename(die), .type = dwarf_type_of(die)};
	enum type_kind kind = dwarf_type_kind(dwarf_type_strip(member.type));
	uint64_t base = w->base;
	int result;

	member.bit_size = die_number(die, DW_AT_bit_size, 0);
	member.bit_offset = base + bit_offset_of(die, member.type, member.bit_size);
	if (member.name || !w->open || (kind != TYPE_STRUCT && kind != TYPE_UNION)) {
		member.name = member.name ? member.name : "";
		return w->cb(&member, w->arg);
	}
	w->base = member.bit_offset;
	result = walk_members(w, member.type);
	w->base = base;
	return result;
}

static int walk_members(struct walk *w, struct dwarf_type type)
{
	int result = 0;
	Dwarf_Die child;

	type = dwarf_type_strip(type);
	if (w->depth == DEPTH_MAX || type.is_void || dwarf_child(&type.die, &child))
		return 0;
	w->depth++;
	do
		if (dwarf_tag(&child) == DW_TAG_member &&
		    !dwarf_hasattr(&child, DW_AT_external))
			result = take_member(w, &child);
	while (!result && dwarf_siblingof(&child, &child) == 0);
	w->depth--;
	return result;
}

int dwarf_type_each_member(struct dwarf_type type, bool open,
                           int (*cb)(const struct type_member *member, void *arg), void *arg)
{
	struct walk w = {.open = open, .cb = cb, .arg = arg};

	return walk_members(&w, type);
}

struct member_search {
	const char *name;
	struct type_member *ret;
};

static int compare_member(const struct type_member *member, void *arg)
{
	struct member_search *s = arg;

	if (strcmp(member->name, s->name))
		return 0;
	*s->ret = *member;
	return 1;
}

struct error *dwarf_type_find_member(struct dwarf_type type, const char *name,
                                     struct type_member *ret)
{
	struct member_search s = {.name = name, .ret = ret};
	_cleanup_free_ char *text = NULL;

	if (*name && dwarf_type_each_member(type, true, compare_member, &s))
		return NULL;
	text = dwarf_type_string(type);
	return error_create(ENOENT, "%s has no member %s", text, name);
}

const char *dwarf_type_enumerator(struct dwarf_type type, int64_t value)
{
	Dwarf_Die child;

	type = dwarf_type_strip(type);
	if (type.is_void || dwarf_child(&type.die, &child))
		return NULL;
	do
		if (dwarf_tag(&child) == DW_TAG_enumerator &&
		    die_number(&child, DW_AT_const_value, ~value) == value)
			return dwarf_diename(&child);
	while (dwarf_siblingof(&child, &child) == 0);
	return NULL;
}

/* --- as text --------------------------------------------------------------------------------------- */

static void print_plain(struct dwarf_type type, struct strbuf *out)
{
	static const char *const words[] = {
		[TYPE_ENUM] = "enum ", [TYPE_STRUCT] = "struct ", [TYPE_UNION] = "union ",
	};
	enum type_kind kind = dwarf_type_kind(type);
	const char *name = dwarf_type_name(type);

	if (kind <= TYPE_UNION && words[kind])
		strbuf_adds(out, words[kind]);
	if (kind == TYPE_VOID)
		strbuf_adds(out, "void");
	else
		strbuf_adds(out, name ? name : kind == TYPE_FUNCTION ? "function" : "{...}");
}

static const char *qualifier(struct dwarf_type type)
{
	switch (tag_of(type)) {
	case DW_TAG_const_type: return "const";
	case DW_TAG_volatile_type: return "volatile";
	case DW_TAG_restrict_type: return "restrict";
	case DW_TAG_atomic_type: return "_Atomic";
	}
	return "";
}

static void print_type(struct dwarf_type type, struct strbuf *out, unsigned depth);

static void print_parameters(struct dwarf_type type, struct strbuf *out, unsigned depth)
{
	const char *comma = "";
	Dwarf_Die child;

	strbuf_addc(out, '(');
	if (dwarf_child(&type.die, &child) == 0)
		do {
			bool more = dwarf_tag(&child) == DW_TAG_unspecified_parameters;

			if (!more && dwarf_tag(&child) != DW_TAG_formal_parameter)
				continue;
			strbuf_adds(out, comma);
			comma = ", ";
			if (more)
				strbuf_adds(out, "...");
			else
				print_type(dwarf_type_of(&child), out, depth + 1);
		} while (dwarf_siblingof(&child, &child) == 0);
	strbuf_adds(out, *comma ? ")" : "void)");
}

static void print_pointer(struct dwarf_type type, struct strbuf *out, unsigned depth)
{
	struct dwarf_type target = dwarf_type_target(type);

	if (dwarf_type_kind(target) == TYPE_FUNCTION && !target.is_void) {
		print_type(dwarf_type_target(target), out, depth + 1);
		strbuf_adds(out, " (*)");
		print_parameters(target, out, depth);
		return;
	}
	print_type(target, out, depth + 1);
	if (out->len && out->data[out->len - 1] != '*')
		strbuf_addc(out, ' ');
	strbuf_addc(out, '*');
}

static void print_type(struct dwarf_type type, struct strbuf *out, unsigned depth)
{
	struct dwarf_type target = dwarf_type_target(type);

	if (depth > DEPTH_MAX) {
		strbuf_adds(out, "...");
		return;
	}
	switch (dwarf_type_kind(type)) {
	case TYPE_POINTER:
		print_pointer(type, out, depth);
		break;
	case TYPE_ARRAY:
		print_type(target, out, depth + 1);
		if (dwarf_type_count(type) < 0)
			strbuf_adds(out, " []");
		else
			strbuf_addf(out, " [%lld]", (long long)dwarf_type_count(type));
		break;
	case TYPE_QUALIFIED: /* a qualifier of a pointer stands behind it */
		if (dwarf_type_kind(target) == TYPE_POINTER) {
			print_type(target, out, depth + 1);
			strbuf_addf(out, " %s", qualifier(type));
		} else {
			strbuf_addf(out, "%s ", qualifier(type));
			print_type(target, out, depth + 1);
		}
		break;
	default:
		print_plain(type, out);
	}
}

char *dwarf_type_string(struct dwarf_type type)
{
	struct strbuf sb;

	strbuf_init(&sb);
	print_type(type, &sb, 0);
	return strbuf_steal(&sb);
}

/* --- BTF ------------------------------------------------------------------------------------------- */

struct error *dwarf_type_btf(struct dwarf_type type, const struct btf_index *idx, int *ret)
{
	struct error *error;
	struct strbuf sb;

	while (dwarf_type_kind(type) == TYPE_QUALIFIED)
		type = dwarf_type_target(type);
	if (!dwarf_type_name(type))
		return error_create(ENOENT, "a type without a name cannot be looked up in BTF");
	strbuf_init(&sb);
	print_plain(type, &sb);
	error = btf_index_find_type(idx, sb.data, ret);
	if (!error && btf_index_size(idx, *ret) != dwarf_type_size(type))
		error = error_create(ENOENT, "%s is another type in BTF", sb.data);
	strbuf_deinit(&sb);
	return error;
}
