/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/places_index_format.h - the file of an index, shared by who makes it (places_make.c) and who
 * asks it (places_index.c). Its parts stand one behind the other in this order:
 *
 *	header    version, build id, how many of each
 *	records   bodies and inlined copies, sorted by name, then address; not of weak functions that lost
 *	symbols   of the ELF file, as debuginfo_symbol_at() wants them sorted
 *	frames    entries of .debug_frame by the code that they are about
 *	names     one per function name, sorted: where its records begin
 *	units     compile units by offset: where their headers are
 *	files     one per source file that has lines: where its rows begin
 *	rows      the lines of a file, sorted by line, then address: of each line in each copy the lowest
 *	          address where a statement begins, which is the place for a probe
 *	strings   NUL-terminated
 *
 * All offsets of DIEs and units are those of .debug_info in the file, which has less than 4 GB of it.
 */
#ifndef SPILE_SYMBOLS_PLACES_INDEX_FORMAT_H
#define SPILE_SYMBOLS_PLACES_INDEX_FORMAT_H

#include "symbols/places_private.h"

#define PLACES_INDEX_VERSION 0x33584449454c5053ull /* "SPLEIDX3"; another one is made again */

struct index_header {
	uint64_t version;
	char build_id[64];
	uint64_t base; /* rows count their addresses from here */
	uint64_t has_rows; /* 0: the code lies too far apart for that, and there are none */
	uint64_t records, symbols, frames, names, units, files, rows, strings; /* counts; strings in bytes */
};

struct index_record {
	uint64_t address;
	uint32_t size, unit, die;
	uint32_t body; /* DIE of the function whose code it is part of */
	uint32_t name, file, container; /* offsets of strings; 0: the empty one, none */
	uint32_t place_file;            /* source of the instruction at `address` */
	int32_t line, call_line, place_line;
	uint8_t kind, is_external;
	uint8_t is_rest, padding; /* no copy of its own, but lines have it */
};

struct index_symbol {
	uint64_t address;
	uint32_t size, name;
	uint8_t is_function, is_global, padding[6];
};

struct index_frame {
	uint64_t start;
	uint32_t length, entry; /* bytes of code; where in .debug_frame */
};

struct index_name {
	uint32_t name, first, count;
};

struct index_unit {
	uint32_t die, header;
	uint32_t is_alone; /* whole here, and refers to no DIE of another unit */
};

struct index_file {
	uint32_t name, first, count;
};

struct index_row {
	uint32_t line;
	uint32_t copy;    /* the record that has it */
	uint32_t address; /* from header.base */
};

/** Bytes of the whole file. */
size_t places_index_size(const struct index_header *h);
/** Makes the index as the file `path`. */
struct error *places_index_make(struct debuginfo *info, const char *path);

#endif
