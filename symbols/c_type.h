/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/c_type.h - a C type, whether BTF or DWARF describes it.
 *
 * Who walks $file->f_path->dentry should not care which of the two told of $file. Both sources'
 * types are values that stay good while the source is open; kinds are those of dwarf_type.h.
 * Typedefs and qualifiers are looked through wherever they do not matter.
 */
#ifndef SPILE_SYMBOLS_C_TYPE_H
#define SPILE_SYMBOLS_C_TYPE_H

#include "symbols/btf.h"
#include "symbols/dwarf_type.h"

struct c_type {
	const struct btf_index *btf; /* NULL: it is DWARF's */
	int id;                      /* BTF's, 0 is void */
	struct dwarf_type dwarf;
	unsigned dimension;          /* of DWARF's array: those before it are taken, 0 first */
};

/** A member, its offset counted from the structure that was asked. */
struct c_member {
	const char *name;    /* "" for an anonymous struct or union */
	struct c_type type;
	uint64_t offset;     /* bytes; of a bit-field: to its first bit's byte */
	uint64_t bit_offset; /* bits */
	unsigned bit_size;   /* 0 unless it is a bit-field */
};

struct c_type c_type_btf(const struct btf_index *btf, int id);
struct c_type c_type_dwarf(struct dwarf_type type);
struct c_type c_type_void(void);

/** Never TYPE_TYPEDEF or TYPE_QUALIFIED. */
enum type_kind c_type_kind(struct c_type type);
/** A number that fits a script's value: integer, bool, enum, pointer; at most 8 bytes. */
bool c_type_is_scalar(struct c_type type);
/** A character, as strings are made of. */
bool c_type_is_char(struct c_type type);
/** What a pointer points to, or an array consists of. */
struct c_type c_type_target(struct c_type type);
/** A pointer into the process's memory. Only compilers with type tags tell; others never do. */
bool c_type_is_user(struct c_type pointer);
/** Bytes; -1 when it has no size. */
int64_t c_type_size(struct c_type type);
bool c_type_is_signed(struct c_type type);
/** Elements of an array, -1 unknown. */
int64_t c_type_count(struct c_type array);

/** Members of anonymous structures count as the outer one's own. ENOENT. */
struct error *c_type_find_member(struct c_type type, const char *name, struct c_member *ret);
/** Members in order, anonymous ones not opened; stops when cb returns non-zero, returns that. */
int c_type_each_member(struct c_type type, int (*cb)(const struct c_member *member, void *arg),
		       void *arg);
/** The member name nearest to a mistyped one, or NULL. */
const char *c_type_nearest_member(struct c_type type, const char *name);
/** Enumerators in order; stops when cb returns non-zero, which is returned. */
int c_type_each_enumerator(struct c_type type,
			   int (*cb)(const char *name, int64_t value, void *arg), void *arg);

/** Name and keyword of what stands at the end of pointers: "file" and "struct "; "int" and "". */
const char *c_type_name(struct c_type type);

#endif
