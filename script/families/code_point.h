/* SPDX-License-Identifier: GPL-2.0-only */
/** script/families/code_point.h - what the files share that expand points in the kernel's code. */
#ifndef SPILE_SCRIPT_CODE_POINT_H
#define SPILE_SCRIPT_CODE_POINT_H

#include "script/families/family.h"

/* What of a function is meant. */
enum code_part {
	CODE_ANY,     /* nothing was said: its entry, and that of inlined copies if they are known */
	CODE_CALL,    /* .call: its entry only */
	CODE_RETURN,  /* .return */
	CODE_INLINE,  /* .inline: inlined copies only */
	CODE_CALLEE,  /* .callee("x"): the functions that it calls */
	CODE_CALLEES, /* .callees(N): all of them, and those that they call */
	CODE_LABEL,   /* .label("x") */
};

/* One point, read. */
struct code_request {
	struct resolver *r;
	struct kernel *kernel;
	const struct probe_point *point;
	const struct component *what; /* function(...) or statement(...) */
	const char *module;           /* pattern or path; NULL: the kernel proper */
	const char *pattern;          /* NULL: an address */
	uint64_t address;
	bool is_statement, nearest, absolute, exported;
	enum code_part part;
	bool inner_return;   /* .callee("x").return */
	const char *inner;   /* pattern of callees or labels */
	const char *found;   /* the callee or label that is being planted */
	int64_t depth;       /* of callees */
	int64_t maxactive;
	size_t planted, skipped;
	size_t unexported;   /* that match but for .exported */
	const char *skipped_name, *skipped_reason; /* of the first */
};

/** Functions whose names the kernel's symbols tell. */
void code_names_expand(struct code_request *q);
/** Whatever needs debug information. */
void code_places_expand(struct code_request *q);

/** Whether the function there cannot be probed at all, and why. `is_entry`: by its trace site if it
 *  has one. NULL when it can. */
const char *code_refusal(struct code_request *q, const struct kernel_function *fn, bool is_entry);
/** Whether any function is known to have one; without, it is not a single function's fault. */
bool code_kernel_has_trace_sites(struct code_request *q);
/** Counts a function that is left out. */
void code_skip(struct code_request *q, const char *name, const char *reason);
/** The point with `text` in place of what was asked for: kernel.function("vfs_read").return */
const char *code_point_text(struct code_request *q, const char *module, const char *text);
/** The pattern or address, as text. */
const char *code_asked(const struct code_request *q);
bool code_is_pattern(const char *text);
/** Tells an error of symbols/. */
void code_tell(struct code_request *q, struct error *error);

#endif
