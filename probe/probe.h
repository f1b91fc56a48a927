/* SPDX-License-Identifier: GPL-2.0-only */
/** probe/probe.h - the commands of spile-probe, one function each. */
#ifndef SPILE_PROBE_PROBE_H
#define SPILE_PROBE_PROBE_H

#include <stdbool.h>
#include <stdio.h>

#include "symbols/debuginfo.h"
#include "symbols/places.h"

/** Whom it is about, as the command line says. */
struct probe_request {
	const char *program;    /* -x; NULL: the kernel */
	const char *module;     /* -m */
	const char *vmlinux;    /* -k */
	const char *release;    /* -r: a kernel that spile-vm has described, or a folder; NULL: running */
	const char *source_dir; /* -s: where sources are, for those not at their recorded path */
	bool verbose;
	FILE *out;
};

/** The same, opened. */
struct probe_context {
	struct probe_request request;
	struct kernel *kernel;  /* NULL: a program */
	struct debuginfo *info; /* NULL until probe_info() */
};

struct error *probe_context_init(const struct probe_request *request, struct probe_context *ret);
void probe_context_deinit(struct probe_context *ctx);
/** Opens the file that the places are in, if it is not yet. */
struct error *probe_info(struct probe_context *ctx, struct debuginfo **ret);

/** Runs a command in a process of its own; its error comes back as a message. A crash becomes an
 *  error, too. */
struct error *probe_guard(struct error *(*command)(struct probe_context *ctx, const char *what),
			  struct probe_context *ctx, const char *what);

/** -L: the source of a function or of lines, those with code numbered. */
struct error *probe_list_lines(struct probe_context *ctx, const char *what);
/** -F: names of functions that match (NULL: all). */
struct error *probe_list_functions(struct probe_context *ctx, const char *pattern);
/** -V: the variables that can be seen at a place. */
struct error *probe_list_variables(struct probe_context *ctx, const char *what);
/** -nv: "[[GROUP:]EVENT=]PLACE [ARGUMENT]...": the exact places, and the event line for each. */
struct error *probe_show_definition(struct probe_context *ctx, const char *what);
/** -D: the event lines only. */
struct error *probe_show_event_lines(struct probe_context *ctx, const char *what);
/** --disasm: a function's instructions, with lines and verdicts. */
struct error *probe_disassemble(struct probe_context *ctx, const char *what);

/* --- shared by the commands ------------------------------------------------------------------- */

/** One source file, read. */
struct source {
	char *path;        /* where it was found; NULL: nowhere */
	char *text;
	const char **line; /* line[1] is the first; count of them */
	int count;
};

/** Finds the file recorded as `path`; ret->path stays NULL when it is not there. */
void source_init(const struct probe_context *ctx, const char *path, struct source *ret);
void source_deinit(struct source *source);
/** "" for lines that the file does not have. */
const char *source_line(const struct source *source, int line);

/** What probing an instruction would mean. */
struct verdict {
	const char *planter; /* "ftrace", "native", "jump", "breakpoint"; NULL: cannot be probed */
	const char *reason;  /* why not at all, or why not by a jump; NULL: nothing to say */
};

struct function_text;

/** Prepares judging the instructions of the function that `symbol` is. */
struct error *function_text_create(struct probe_context *ctx, const struct elf_symbol *symbol,
				   struct function_text **ret);
void function_text_destroy(struct function_text *f);
/** Judges the instruction at `address`, which lies in the function. */
struct verdict function_text_judge(struct function_text *f, uint64_t address);

#endif
