/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/places.h - where in the code: functions, lines, inlined copies, calls, labels.
 *
 * A question is a `struct place_query`: a function, a source file, a line, an offset, each perhaps
 * left out. The answers come one by one through a callback, by address. Two writings of a query are
 * read: that of scripts, `name@file:line`, and that of perf probe, `name:relative`, `file:line`.
 *
 *	struct place_query q;
 *	error = place_query_parse("tcp_sendmsg@net/ipv4/tcp.c:+3", &q);   script's manner
 *	error = places_find(info, &q, print_place, NULL);
 *	place_query_deinit(&q);
 *
 * From a name the way leads to its address (symbols), to the one unit that holds the address, to
 * the answer: some milliseconds on a kernel. Only what may be anywhere, the inlined copies of a
 * function or the users of a header's line, asks the index (places_index.h). It is made when it is
 * first needed, with a line on stderr for large files, and kept by build id.
 *
 * Without DWARF, functions and offsets are still answered, from the symbols; the rest is refused
 * with ENODATA and the remedy. A name that is not there is ENOENT, with the nearest one.
 *
 * Variables at a place are in variables.h. All strings live until debuginfo_close().
 */
#ifndef SPILE_SYMBOLS_PLACES_H
#define SPILE_SYMBOLS_PLACES_H

#include "symbols/debuginfo.h"

/* --- queries --------------------------------------------------------------------------------- */

enum place_lines {
	PLACE_LINES_NONE,     /* no line: function entries */
	PLACE_LINES_ABSOLUTE, /* first to last, as the file counts */
	PLACE_LINES_RELATIVE, /* the same, counted from the function's own line, which is 0 */
	PLACE_LINES_ALL,      /* every line with code */
};

/** perf probe's lazy patterns and %return are no places and are not here. */
struct place_query {
	char *function;    /* shell pattern, NULL: any */
	char *file;        /* end of a path or shell pattern, NULL: any */
	enum place_lines lines;
	int first, last;   /* last is inside; equal for a single line */
	bool nearest;      /* a line without code means the nearest one that has some */
	uint64_t offset;   /* bytes behind the function's entry; with has_offset */
	bool has_offset;
	bool has_address;  /* a bare number: `offset` is an address */
};

/** Reads `function`, `function@file`, `function@file:N`, `...:+N` (or without the colon), `...:N-M`,
 *  `...:*`, `function+offset`, `0xaddress`. */
struct error *place_query_parse(const char *text, struct place_query *ret);
/** Reads `function[@file][:rel[-rel]|+offset]`, `file:line[-line]`, `0xaddress`. */
struct error *place_query_parse_perf(const char *text, struct place_query *ret);
void place_query_deinit(struct place_query *q);

/* --- functions ------------------------------------------------------------------------------- */

enum function_kind {
	FUNCTION_BODY,   /* has code of its own at `address` */
	FUNCTION_INLINE, /* one inlined copy, its code at `address` inside `container` */
};

struct code_function {
	const char *name;      /* as in the source */
	const char *symbol;    /* of the code: "name", "name.isra.0"; NULL in an inlined copy */
	const char *file;      /* declared there; NULL: only a symbol is known (no DWARF) */
	int line;              /* 0 unknown */
	enum function_kind kind;
	uint64_t address;      /* entry */
	uint64_t size;         /* of the range that starts there */
	const char *container; /* the function that an inlined copy was put into */
	int call_line;         /* inlined copy: the line that called it */
	bool is_external;      /* visible to other units */
	bool is_rest;          /* the rest of a function, inlined in itself; not handed out */
	uint64_t unit, die;    /* offsets in .debug_info, 0 without DWARF */
	uint64_t body;         /* DIE of the function whose code it is: `die`, or that of `container` */
	const char *place_file; /* source of the instruction at `address`; NULL: place_at() finds it */
	int place_line;
};

enum {
	FUNCTIONS_BODIES = 1 << 0,
	FUNCTIONS_INLINES = 1 << 1,
};

/**
 * Calls `cb` for the functions that q->function and q->file name; `kinds` are FUNCTIONS_ flags.
 * Inlined copies are real ones only: a call site that names the same function is none. Stops
 * when cb returns non-zero.
 */
struct error *functions_find(struct debuginfo *info, const struct place_query *q, unsigned kinds,
			     int (*cb)(const struct code_function *fn, void *arg), void *arg);

/**
 * Where the function's arguments are in their documented places: its entry where location lists
 * tell where they are at each instruction (optimized code), else behind what sets the frame up.
 */
uint64_t function_after_prologue(struct debuginfo *info, const struct code_function *fn);

/* --- places ---------------------------------------------------------------------------------- */

struct place {
	uint64_t address;
	const char *symbol;    /* the function whose code it is, and how far behind its start: */
	uint64_t offset;       /* what survives loading elsewhere */
	const char *function;  /* source name of the innermost function, inlined or not */
	const char *container; /* the outermost, when `function` was inlined; else NULL */
	const char *file;      /* NULL, 0: no line is known */
	int line;
	bool is_statement;     /* the compiler recommends it for a breakpoint */
};

/**
 * Calls `cb` for the places that `q` names. For a line that is, in each function and each inlined
 * copy that has the line, the lowest address recommended for a breakpoint: one place per copy.
 */
struct error *places_find(struct debuginfo *info, const struct place_query *q,
			  int (*cb)(const struct place *place, void *arg), void *arg);
/** The place where `fn` is entered; what it was inlined from and into as fn tells it. */
struct error *function_place(struct debuginfo *info, const struct code_function *fn,
			     struct place *ret);
/** What is at an address. An address between instructions' starts is not noticed here: see
 *  places_boundary(). */
struct error *place_at(struct debuginfo *info, uint64_t address, struct place *ret);
/** The inlined copies around an address, innermost first, ending with the function itself; `call`
 *  is where the line of the next one stands. */
struct error *place_frames(struct debuginfo *info, uint64_t address,
			   int (*cb)(const struct place *frame, void *arg), void *arg);

/**
 * Checks that an instruction starts at `address`, reading the function's code from its start. When
 * it does not, the error (EILSEQ) names the two starts around it, which are also stored.
 */
struct error *places_boundary(struct debuginfo *info, uint64_t address, uint64_t *before,
			      uint64_t *after);

/**
 * The lines that have code: of q's file (its precise path is stored in *ret_path), in q's range or
 * q's function. *ret is the caller's, sorted, ended by 0. A function's own line (*ret_start, 0
 * without a function) stands for its entry.
 */
struct error *places_lines(struct debuginfo *info, const struct place_query *q, int **ret,
			   const char **ret_path, int *ret_start);

/* --- calls and labels ------------------------------------------------------------------------ */

struct call_info {
	uint64_t address;   /* of the call instruction, 0 unknown */
	uint64_t after;     /* where it returns to */
	const char *target; /* NULL: indirect, target not known */
	uint64_t target_address; /* 0: not in this file */
	bool is_tail;       /* a jump: nothing returns here */
};

/**
 * The calls that fn's code makes, by address. Direct ones are read from the instructions; the
 * names of others come from DWARF's call sites, where there are any.
 */
struct error *function_calls(struct debuginfo *info, const struct code_function *fn,
			     int (*cb)(const struct call_info *call, void *arg), void *arg);

/** Labels of the source in fn that still have a place. */
struct error *function_labels(struct debuginfo *info, const struct code_function *fn,
			      int (*cb)(const char *name, const struct place *place, void *arg),
			      void *arg);

#endif
