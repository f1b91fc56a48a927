/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/places_index.h - every function, inlined copy and source file of a large file's DWARF.
 *
 * Most questions lead from a name to one unit; these do not: where was this function inlined, who
 * uses this header's line, which functions match this pattern. The answers lie in all units, and
 * walking a kernel's takes seconds. So they are walked once, by as many processes as there are
 * CPUs, and what was found is kept as CACHE/places/BUILD-ID, a file that is mapped, not read.
 *
 * Nothing in the file is trusted: offsets are checked where they are used, and a file of another
 * version, another machine's byte order or a wrong length is made again.
 */
#ifndef SPILE_SYMBOLS_PLACES_INDEX_H
#define SPILE_SYMBOLS_PLACES_INDEX_H

#include "symbols/places.h"

struct places_index;

/** Maps the index of `info`, making it first if need be; info->index is set. Idempotent. */
struct error *places_index_open(struct debuginfo *info);
/** Maps it if it was made before: then asking it is cheaper than anything else. */
bool places_index_is_made(struct debuginfo *info);
/** How often the index of the file with that build id, if it was made before, knows the function as
 *  inlined; nothing but the index is opened. */
size_t places_index_count_inlined(const char *build_id, const char *function);
/** The same, but not for small files, where looking for it is dearer than a walk: then it answers also
 *  what could be found without. */
bool places_index_answers(struct debuginfo *info);
void places_index_close(struct places_index *index);

/** The functions that q names, as functions_find() gives them, but without `symbol`. */
int places_index_functions(const struct places_index *index, const struct place_query *q,
			   unsigned kinds,
			   int (*cb)(const struct code_function *fn, void *arg), void *arg);
/** The units (offsets) that have code of q's function, or lines of q's file when there is none. */
int places_index_units(const struct places_index *index, const struct place_query *q,
		       unsigned kinds, int (*cb)(uint64_t unit, void *arg), void *arg);

/** Lines first to last of the files that path_matches(), of functions of that name; NULL: any. */
struct index_question {
	const char *file, *function;
	int first, last;
};

/** A line in a copy, with the lowest address where a statement of it begins. */
struct index_line {
	uint64_t address;
	const char *file;
	int line;
	const char *function, *container; /* as in struct place */
};

/** False when the code lies too far apart for lines to be in the index. */
bool places_index_has_lines(const struct places_index *index);
/** Calls `cb` for the lines, file by file, by line, then address. */
int places_index_lines(const struct places_index *index, const struct index_question *q,
		       int (*cb)(const struct index_line *line, void *arg), void *arg);

/** The file's symbols, sorted as debuginfo_symbol_at() wants them. */
size_t places_index_symbols(const struct places_index *index);
void places_index_symbol(const struct places_index *index, size_t i, struct elf_symbol *ret);
uint64_t places_index_symbol_address(const struct places_index *index, size_t i);
/** Calls `cb` for those of that name, by address, until it gives non-zero, which is returned. A name that
 *  places_index_symbol() gave is found faster than another. */
int places_index_symbol_each(const struct places_index *index, const char *name,
			     int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg);

/** Where in .debug_frame the entry for that code is. */
bool places_index_frame(const struct places_index *index, uint64_t address, uint32_t *ret);
/** True when the unit whose DIE is at that offset refers to no other; *ret_header is where it begins. */
bool places_index_unit(const struct places_index *index, uint64_t unit, uint64_t *ret_header);

#endif
