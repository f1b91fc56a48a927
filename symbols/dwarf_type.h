/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/dwarf_type.h - types as DWARF has them: what a variable's bytes mean.
 *
 * For a kernel the same types are in BTF (btf.h), which is cheaper and knows offsets as well:
 * dwarf_type_btf() goes over to it. Programs have only this.
 */
#ifndef SPILE_SYMBOLS_DWARF_TYPE_H
#define SPILE_SYMBOLS_DWARF_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "base/error.h"
#include "symbols/btf.h"

enum type_kind {
	TYPE_VOID, /* also what is damaged or unknown */
	TYPE_INT,  /* and characters */
	TYPE_BOOL,
	TYPE_FLOAT,
	TYPE_ENUM,
	TYPE_POINTER, /* and references */
	TYPE_STRUCT,  /* and classes */
	TYPE_UNION,
	TYPE_ARRAY,
	TYPE_FUNCTION,
	TYPE_TYPEDEF,   /* the rest are looked through by dwarf_type_strip() */
	TYPE_QUALIFIED, /* const volatile restrict _Atomic */
};

/** A type, to be passed by value. Valid while its debuginfo is open. */
struct dwarf_type {
	Dwarf_Die die;
	bool is_void;
};

/** A member, its offset counted from the structure it was asked of. */
struct type_member {
	const char *name;    /* "" anonymous */
	struct dwarf_type type;
	uint64_t bit_offset; /* from the structure's start */
	unsigned bit_size;   /* 0 unless it is a bit-field */
};

/** The type of a variable, member, function (what it returns): whatever has DW_AT_type. */
struct dwarf_type dwarf_type_of(const Dwarf_Die *die);
enum type_kind dwarf_type_kind(struct dwarf_type type);
/** The name itself: "int", "sock" of struct sock, "u32" of a typedef. NULL when it has none. */
const char *dwarf_type_name(struct dwarf_type type);
/** As C writes it: "const struct sock *", "int [16]". The caller frees it. */
char *dwarf_type_string(struct dwarf_type type);
/** What a pointer points to, an array has, a typedef or qualifier stands for, a function returns. */
struct dwarf_type dwarf_type_target(struct dwarf_type type);
/** The type behind typedefs and qualifiers. */
struct dwarf_type dwarf_type_strip(struct dwarf_type type);
/** In bytes, -1 when it has none (void, incomplete). */
int64_t dwarf_type_size(struct dwarf_type type);
bool dwarf_type_is_signed(struct dwarf_type type);
/** Elements of an array's first dimension; -1 unknown ("[]"). */
int64_t dwarf_type_count(struct dwarf_type array);

/** Calls `cb` for each member of a struct or union, in order; members of anonymous ones are opened
 *  when `open` is true. Stops when cb returns non-zero, which is returned. */
int dwarf_type_each_member(struct dwarf_type type, bool open,
			   int (*cb)(const struct type_member *member, void *arg), void *arg);
/** Members of anonymous structs and unions count as the outer one's own. ENOENT. */
struct error *dwarf_type_find_member(struct dwarf_type type, const char *name,
				     struct type_member *ret);
/** The enumerator of that value, or NULL. */
const char *dwarf_type_enumerator(struct dwarf_type type, int64_t value);

/** The same type in a BTF, by name and size; ENOENT when it has no name or BTF lacks it. */
struct error *dwarf_type_btf(struct dwarf_type type, const struct btf_index *idx, int *ret);

#endif
