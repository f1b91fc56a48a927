/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/variables.h - the variables that can be seen at a place, their types and locations.
 *
 *	struct code_variable v;
 *	struct location loc;
 *
 *	error = variable_find(info, place.address, NULL, "skb", &v);
 *	if (!error)
 *		error = variable_location(info, &v, place.address, &loc);
 *
 * What is visible follows the source, not the code: inside an inlined copy its own arguments and
 * locals and the unit's globals, but not the variables of the function that it was put into. A
 * variable that the compiler left no trace of is listed, with a location without pieces.
 *
 * Where inlined copies begin, an address alone does not tell which function is meant. `of` does: one
 * that functions_find() gave. NULL is the innermost, but at the entry of a function that itself:
 * nothing inlined has begun there yet.
 *
 * For a kernel's per-CPU variable the address is its offset in each CPU's area.
 */
#ifndef SPILE_SYMBOLS_VARIABLES_H
#define SPILE_SYMBOLS_VARIABLES_H

#include "symbols/dwarf_type.h"
#include "symbols/location.h"
#include "symbols/places.h"

enum code_variable_kind {
	VARIABLE_PARAMETER,
	VARIABLE_LOCAL,
	VARIABLE_GLOBAL, /* of a unit; function-local statics are VARIABLE_LOCAL */
};

struct code_variable {
	const char *name;
	enum code_variable_kind kind;
	struct dwarf_type type;
	unsigned depth;   /* blocks between the place and the one that declares it: 0 innermost */
	bool is_hidden;   /* an inner block's variable has the same name */
	Dwarf_Die die;
	Dwarf_Die function; /* with the frame; addr NULL for globals */
};

/** Calls `cb` for parameters, then locals from the outermost block to the innermost; stops when it
 *  returns non-zero. */
struct error *variables_at(struct debuginfo *info, uint64_t address,
			   const struct code_function *of,
			   int (*cb)(const struct code_variable *variable, void *arg), void *arg);
/** The variable that the name means at `address`: the innermost, else a global of the unit, else one
 *  of any unit that `name@file` names. ENOENT. */
struct error *variable_find(struct debuginfo *info, uint64_t address,
			    const struct code_function *of, const char *name,
			    struct code_variable *ret);
/** A global by name and its unit's source file (NULL: any; then the index may be needed). */
struct error *variable_find_global(struct debuginfo *info, const char *name, const char *file,
				   struct code_variable *ret);

/** Where it is when the instruction at `address` is about to run. */
struct error *variable_location(struct debuginfo *info, const struct code_variable *variable,
				uint64_t address, struct location *ret);

/**
 * What a location's entry registers are counted from, at the same `address`: the entry of the function,
 * not of an inlined copy, whose code is there, and as a PIECE_VALUE the canonical frame address: what
 * the stack pointer was before that function was called. ENODATA.
 */
struct error *variable_entry(struct debuginfo *info, uint64_t address, uint64_t *ret_function,
			     struct location *ret_frame);

/**
 * What a function returns and where it is right after: rax, xmm0, or for a large structure the
 * memory that rax points to. EOPNOTSUPP for structures that come back in two registers.
 */
struct error *function_return(struct debuginfo *info, const struct code_function *fn,
			      struct dwarf_type *ret_type, struct location *ret);

#endif
