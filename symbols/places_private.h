/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/places_private.h - shared by the files behind places.h. */
#ifndef SPILE_SYMBOLS_PLACES_PRIVATE_H
#define SPILE_SYMBOLS_PLACES_PRIVATE_H

#include "symbols/debuginfo_private.h"
#include "symbols/places.h"

typedef int unit_cb(const struct unit *unit, void *arg);
typedef int function_cb(const struct code_function *fn, void *arg);

/** Every function body and inlined copy of one unit, without `symbol`. */
int unit_each_function(struct debuginfo *info, const struct unit *unit, unsigned kinds,
		       function_cb *cb, void *arg);
/** The same, with the DIE and how deep it stands; also what is_rest. */
typedef int walk_cb(const struct code_function *fn, Dwarf_Die *die, unsigned depth, void *arg);
int unit_walk_functions(struct debuginfo *info, const struct unit *unit, unsigned kinds, walk_cb *cb,
			void *arg);
/** True when the query's patterns take that name and that file (either may be NULL). */
bool query_takes(const struct place_query *q, const char *name, const char *file);
bool is_pattern(const char *text);

/** The units that may hold code of the query's function and file, each once. */
struct error *units_of_query(struct debuginfo *info, const struct place_query *q, unsigned kinds,
			     unit_cb *cb, void *arg);
/** ENOENT for a function that is not there, with its right file or the nearest name that is. */
struct error *function_missing(struct debuginfo *info, const struct place_query *q, unsigned kinds);

/** The path behind a DW_AT_call_file, and its line. */
const char *die_called_from(Dwarf_Die *die, int *line);
/** The innermost inlined copy or function in the chain. */
Dwarf_Die *chain_innermost(struct die_chain *chain);
/** The place at an address of a unit that is known. */
void place_in_unit(struct debuginfo *info, const struct unit *unit, uint64_t address,
		   struct place *ret);

#endif
