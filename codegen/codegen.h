/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * codegen/codegen.h - pass 3: a resolved program to C.
 *
 * The C needs nothing but the prelude (runtime/script.h and codegen/support.h, embedded in this
 * program) in front of it. Compiled for the kernel it is a module's code; compiled with -fPIC
 * -shared it is a script for the process home. It names the functions that it probes as
 * `kaddr_NAME`, to be bound to addresses at load.
 */
#ifndef SPILE_CODEGEN_H
#define SPILE_CODEGEN_H

#include "script/resolve.h"

/* The limits that -D NAME=VALUE changes; names, defaults and ranges are in limits.def. */
struct codegen_limits {
#define LIMIT(name, member, value, low, high) int64_t member;
#include "codegen/limits.def"
};

void codegen_limits_init(struct codegen_limits *limits);
/** The statements that begin and end may take; what was not set follows from MAXACTION. */
int64_t codegen_limits_interruptible(const struct codegen_limits *limits);
/** Why "NAME=VALUE" or "NAME" is a limit of stap's that needs no setting; NULL if it is none. */
const char *codegen_limits_needless(const char *assignment);
/** Sets one from "NAME=VALUE". */
struct error *codegen_limits_set(struct codegen_limits *limits, const char *assignment);

struct codegen_options {
	const char *kernel_identity; /* "" when the script needs no kernel's facts */
	const char *release;
	struct codegen_limits limits;
	bool timing; /* note how long each probe takes */
	bool bears_errors; /* --suppress-handler-errors */
};

/**
 * The C text, without the prelude, for the caller to free. The script's name is left to the
 * compiler's command line (-DSPILE_SCRIPT_NAME="..."), since it is made from the text itself.
 */
char *codegen_program(const struct program *program, const struct codegen_options *options);
/** How deep script functions can call each other: the longest chain, or MAXNESTING if some call
 *  themselves. */
size_t codegen_call_depth(const struct program *program, const struct codegen_limits *limits);

#endif
