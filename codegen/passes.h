/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * codegen/passes.h - passes 1 to 4 in order, each shown on demand: script text to an object.
 *
 * Pass 5, running the object, is spile-run's. What a pass has to tell goes to standard error; what
 * the last pass made (-p) goes to standard output.
 */
#ifndef SPILE_CODEGEN_PASSES_H
#define SPILE_CODEGEN_PASSES_H

#include <stdbool.h>
#include <time.h>

#include "codegen/codegen.h"

enum passes_cache { CACHE_USE, CACHE_OFF, CACHE_RENEW };

struct passes_options {
	const char *path;        /* of the script; "-" standard input; NULL: `text` */
	const char *text;        /* -e */
	int argc;                /* script arguments */
	const char *const *argv;
	int last;                /* -p: the pass to stop after, 1 to 4; 5: leave the object to run */
	int verbose_pass[5];     /* -v, --vp: time and memory of a pass; the last is pass 5 */
	const char *kernel_dir;  /* description folder; NULL: the running kernel */
	bool guru, no_warnings, keep;
	bool fatal_warnings;     /* -W */
	bool unoptimized;        /* -u: leave nothing out */
	bool skip_badvars;       /* --skip-badvars */
	bool timing;             /* -t: tell at the end how long each probe took */
	bool bears_errors;       /* --suppress-handler-errors */
	bool no_globals;         /* do not print globals at the end */
	enum passes_cache cache;
	const char *version;     /* --compatible; NULL: the newest */
	const char *const *more_texts; /* -E */
	size_t more_text_count;
	const char *const *globals; /* -G NAME=VALUE */
	size_t global_count;
	bool process;            /* for the process home */
	const char *name;        /* -m; NULL: by content */
	const char *const *folders; /* -I: tapset folders, before the installed one */
	size_t folder_count;
	struct codegen_limits limits;
};

/** Runs the passes. True when all went well; *ret_object is set from pass 4 on, to be freed. */
bool passes_run(const struct passes_options *options, char **ret_object);
/** -l, -L: lists the probe points that match; false when there are none or on an error. */
bool passes_list(const struct passes_options *options, const char *pattern, bool variables);

enum passes_dump { DUMP_NONE, DUMP_PROBE_TYPES, DUMP_PROBE_ALIASES, DUMP_FUNCTIONS };
/** --dump-...: lists what there is to be used in scripts. */
bool passes_dump(const struct passes_options *options, enum passes_dump what);

/* Time and memory of a pass, as -v tells. */
struct pass_clock {
	struct timespec real, user, system;
};

void pass_clock_start(struct pass_clock *clock);
/** Prints "Pass N: WHAT using ...kb, in ...ms." */
void pass_clock_tell(const struct pass_clock *clock, int pass, const char *what);

#endif
