/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/btf.h - questions to a kernel's BTF: types, fields, prototypes, enum values.
 *
 * Types are <bpf/btf.h>'s records; this adds names looked up, fields seen through anonymous structs and
 * unions, types printed as C, and honesty about duplicates.
 * BTF has several different structures (about 20) and functions (about 400) under one name; such a
 * name is answered with error ENOTUNIQ, never with a guess. A missing name is ENOENT.
 *
 * Type ids are libbpf's (0 is void). A file's bytes are used where they lie (btf_raw.h).
 */
#ifndef SPILE_SYMBOLS_BTF_H
#define SPILE_SYMBOLS_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>

#include "base/error.h"

struct btf_index;

/** A member of a structure or union, its offset counted from the structure it was asked of. */
struct btf_field {
	const char *name;    /* last part of the path; borrowed from the BTF */
	int type;            /* type id as declared, typedefs and qualifiers included */
	uint32_t offset;     /* bytes; of a bit-field: bytes to the bit's byte */
	uint32_t bit_offset; /* bits from the structure's start */
	uint32_t bit_size;   /* 0 unless it is a bit-field */
};

/** A function's prototype. Argument i: args[i].type, name btf_index_name(idx, args[i].name_off). */
struct btf_prototype {
	int type;                     /* id of the FUNC_PROTO */
	int return_type;              /* 0 = void */
	unsigned argc;                /* without the "..." */
	bool variadic;
	const struct btf_param *args; /* borrowed */
};

/** Indexes `btf` and owns it from now on, also when it fails. */
struct error *btf_index_create(struct btf *btf, struct btf_index **ret);
void btf_index_destroy(struct btf_index *idx);
/** Makes an index over raw BTF bytes (copied). Damaged bytes give an error. */
struct error *btf_index_create_raw(const void *data, size_t len, struct btf_index **ret);
/** The same for a file of them, which is mapped where that is possible. */
struct error *btf_index_create_file(const char *path, struct btf_index **ret);

/** For libbpf, which makes a copy when first asked (4 ms); NULL when it does not take the bytes. */
const struct btf *btf_index_btf(const struct btf_index *idx);
/** The bytes that it was made of. */
const void *btf_index_bytes(const struct btf_index *idx, size_t *ret_size);
/** A type's record, that of void for 0. NULL for an id that is not there. */
const struct btf_type *btf_index_type(const struct btf_index *idx, uint32_t id);
/** The string at a type's or member's name_off. Never NULL. */
const char *btf_index_name(const struct btf_index *idx, uint32_t name_off);

/** The struct, union or typedef'd struct called `name` ("task_struct", without the word struct). */
struct error *btf_index_find_struct(const struct btf_index *idx, const char *name, int *ret);
/** Any type by its C name without stars: "struct file", "union x", "enum x", "size_t", "int". */
struct error *btf_index_find_type(const struct btf_index *idx, const char *name, int *ret);
/** The id of the VAR, the DATASEC called `name`; 0 none. */
int btf_index_find_variable(const struct btf_index *idx, const char *name);
int btf_index_find_section(const struct btf_index *idx, const char *name);
/** The prototype of the function called `name`. Same-named functions that agree are no clash. */
struct error *btf_index_find_function(const struct btf_index *idx, const char *name,
				      struct btf_prototype *ret);
/** True when a FUNC of that name exists with one prototype: cheap, makes no error object. */
bool btf_index_has_function(const struct btf_index *idx, const char *name);
/** Fills *ret from a FUNC_PROTO id (or a pointer to one, or a typedef of these). */
struct error *btf_index_prototype(const struct btf_index *idx, int type,
				  struct btf_prototype *ret);
/** The value of an enumerator, of whichever enum. */
struct error *btf_index_find_enumerator(const struct btf_index *idx, const char *name,
					int64_t *ret);

/**
 * Finds a member of the struct or union `type` (typedefs and qualifiers are looked through).
 * `path` is a member's name or several joined by dots through embedded (not pointed-to) structs:
 * "uid.val". Members of anonymous structs and unions count as the outer one's own, as in C.
 */
struct error *btf_index_find_field(const struct btf_index *idx, int type, const char *path,
				   struct btf_field *ret);
/** The member name nearest to `name`, or NULL when none is near. Borrowed. */
const char *btf_index_nearest_field(const struct btf_index *idx, int type, const char *name);
/** Calls `cb` for each member in order, anonymous ones opened; stops when it returns non-zero. */
int btf_index_each_field(const struct btf_index *idx, int type,
			 int (*cb)(const struct btf_field *field, void *arg), void *arg);

/** The type behind typedefs, const, volatile, restrict and type tags. */
int btf_index_strip(const struct btf_index *idx, int type);
/** Bytes of a type, or -1 (void, functions, incomplete types). */
int64_t btf_index_size(const struct btf_index *idx, int type);
/** The type as C writes it, typedef names kept: "struct file *", "const char *", "size_t". The
 *  caller frees it. */
char *btf_index_type_string(const struct btf_index *idx, int type);

#endif
