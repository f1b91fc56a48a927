// SPDX-License-Identifier: GPL-2.0-only
/* -G NAME=VALUE. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "script/parse.h"

static struct global *find_global(const struct script *script, const char *name, size_t len)
{
	for (size_t i = 0; i < script->files.count; i++) {
		const struct script_file *file = script->files.items[i];

		for (size_t j = 0; j < file->items.count; j++) {
			struct global *global = file->items.items[j].global;

			if (file->items.items[j].kind == ITEM_GLOBAL &&
			    strlen(global->name) == len && !strncmp(global->name, name, len))
				return global;
		}
	}
	return NULL;
}

static struct expr *make_value(struct script *script, const struct global *global,
                               const char *text)
{
	struct expr *value = ARENA_NEW(&script->arena, struct expr);
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 0);
	value->tok = global->tok;
	if (*text && !*end && !errno) {
		value->kind = EXPR_NUMBER;
		value->number = number;
	} else {
		value->kind = EXPR_STRING;
		value->string.data = arena_strdup(&script->arena, text);
		value->string.len = strlen(text);
	}
	return value;
}

struct error *script_global_set(struct script *script, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	struct global *global;

	if (!equals || equals == assignment)
		return error_create(EINVAL, "-G %s: write it as NAME=VALUE", assignment);
	global = find_global(script, assignment, (size_t)(equals - assignment));
	if (!global)
		return error_create(ENOENT, "-G %s: the script has no such global variable",
		                    assignment);
	if (global->is_array)
		return error_create(EINVAL, "-G %s: an array cannot have a value", assignment);
	global->value = make_value(script, global, equals + 1);
	return NULL;
}
