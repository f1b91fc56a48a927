/* SPDX-License-Identifier: GPL-2.0-only */
/** script/builtins.h - look-up in the table of builtins.def. */
#ifndef SPILE_SCRIPT_BUILTINS_H
#define SPILE_SCRIPT_BUILTINS_H

#include <stdbool.h>
#include <stddef.h>

#include "script/ast.h"

enum { BUILTIN_FAILS = 1, BUILTIN_ARGS = 2, BUILTIN_CAPTURES = 4 };

struct builtin {
	const char *name;
	const char *signature; /* "sn:n" */
	unsigned flags;        /* BUILTIN_* */
	const char *code;      /* C with placeholders */
};

/** The one of that name that takes so many arguments. NULL: there is none; then *ret_named is how
 *  many one of that name takes, if there is one. */
const struct builtin *builtin_find(const char *name, size_t argc, size_t *ret_named);
bool builtin_exists(const char *name);
size_t builtin_count(void);
const struct builtin *builtin_at(size_t i);

size_t builtin_argc(const struct builtin *builtin);
enum value_type builtin_arg_type(const struct builtin *builtin, size_t i);
/** TYPE_UNKNOWN: it gives no value. */
enum value_type builtin_result_type(const struct builtin *builtin);

#endif
