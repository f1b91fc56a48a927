/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/parse.h - pass 1: script text to syntax tree.
 *
 *	struct script script;
 *	struct diag_list diags;
 *	struct parse_options options = { .argc = argc, .argv = argv, .release = "6.1.0-28-amd64" };
 *
 *	script_init(&script);
 *	diag_list_init(&diags);
 *	file = script_parse_file(&script, "x.stp", &options, &diags);
 *	if (diag_error_count(&diags))
 *		diag_list_print(&diags, stderr);
 *	...
 *	diag_list_deinit(&diags);
 *	script_deinit(&script);
 *
 * More files (tapsets, -E) are parsed into the same script. Messages point into the script's
 * memory: print them before script_deinit().
 */
#ifndef SPILE_SCRIPT_PARSE_H
#define SPILE_SCRIPT_PARSE_H

#include <stdio.h>

#include "base/error.h"
#include "script/ast.h"
#include "script/diag.h"
#include "script/tapset.h"

/* What the conditions of %( cond %? ... %) and the words $1 @1 are answered with. Any may be NULL
 * or 0: then the answer is the empty string. */
struct parse_options {
	int argc; /* script arguments, the first is $1 */
	const char *const *argv;
	const char *release;   /* kernel_vr, and kernel_v up to the first - */
	const char *arch;      /* "x86_64" */
	const char *version;   /* systemtap_v; NULL: SCRIPT_LANGUAGE_VERSION */
	const char *privilege; /* systemtap_privilege: "stapusr" "stapsys"; NULL: "stapdev" */
	const char *runtime;   /* "kernel" or "process"; NULL: "kernel" */
	bool guru;             /* -g: embedded C is allowed */
	bool tapset;           /* the file is of the library: embedded C is allowed */
	struct tapset *library; /* where macros that the file does not define are looked up */
	/* The value of a kernel configuration option ("y", "m", "1000"), NULL when unset. */
	const char *(*config_lookup)(void *context, const char *option);
	void *config_context;
};

/** The language version that is spoken unless --compatible says otherwise. */
#define SCRIPT_LANGUAGE_VERSION "4.8"

void script_init(struct script *script);
void script_deinit(struct script *script);

/**
 * Parses a file ("-": standard input) into the script. What cannot be read or parsed is told to
 * `diags`; the file is returned with all that could be understood, NULL if it could not be read.
 */
struct script_file *script_parse_file(struct script *script, const char *path,
				      const struct parse_options *options, struct diag_list *diags);
/** The same for text that is at hand (-e); it is copied. `name` is for messages. */
struct script_file *script_parse_string(struct script *script, const char *name, const char *text,
					size_t len, const struct parse_options *options,
					struct diag_list *diags);
/** Reads a .stpm file, which holds only @define; its macros are visible to all files after it. */
void script_parse_macros(struct script *script, const char *path,
			 const struct parse_options *options, struct diag_list *diags);

/** Defines a library macro from text, as if a .stpm file did. */
void script_define_macro(struct script *script, const char *name, const char *text,
			 const struct parse_options *options, struct diag_list *diags);

/** Gives a global another initial value, from "NAME=VALUE": a number, or else a string. */
struct error *script_global_set(struct script *script, const char *assignment);

/** Prints files as script text in canonical form; parsing that again gives the same tree. */
void script_print(const struct script *script, FILE *out);
void script_file_print(const struct script_file *file, FILE *out);
/** One expression or statement as script text, for messages and listings. */
void expr_print(const struct expr *expr, FILE *out);
void stmt_print(const struct stmt *stmt, int indent, FILE *out);
void probe_point_print(const struct probe_point *point, FILE *out);
/** The tree, a line per node, without places: for tests and debugging. */
void script_file_dump(const struct script_file *file, FILE *out);

#endif
