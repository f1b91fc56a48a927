// SPDX-License-Identifier: GPL-2.0-only
#include "script/builtins.h"

#include <stdint.h>
#include <string.h>

enum { FAILS = BUILTIN_FAILS, ARGS = BUILTIN_ARGS, CAPTURES = BUILTIN_CAPTURES };

static const struct builtin builtins[] = {
#define BUILTIN(name, signature, flags, code) {name, signature, flags, code},
#include "script/builtins.def"
#undef BUILTIN
};

size_t builtin_count(void)
{
	return sizeof(builtins) / sizeof(builtins[0]);
}

const struct builtin *builtin_at(size_t i)
{
	return &builtins[i];
}

const struct builtin *builtin_find(const char *name, size_t argc, size_t *ret_named)
{
	for (size_t i = 0; i < builtin_count(); i++) {
		if (strcmp(builtins[i].name, name))
			continue;
		*ret_named = builtin_argc(&builtins[i]);
		if (*ret_named == argc)
			return &builtins[i];
	}
	return NULL;
}

bool builtin_exists(const char *name)
{
	size_t named = SIZE_MAX;

	builtin_find(name, SIZE_MAX, &named);
	return named != SIZE_MAX;
}

size_t builtin_argc(const struct builtin *b)
{
	return (size_t)(strchr(b->signature, ':') - b->signature);
}

static enum value_type letter_type(char letter)
{
	return letter == 'n' ? TYPE_LONG : letter == 's' ? TYPE_STRING : TYPE_UNKNOWN;
}

enum value_type builtin_arg_type(const struct builtin *b, size_t i)
{
	return letter_type(b->signature[i]);
}

enum value_type builtin_result_type(const struct builtin *b)
{
	return letter_type(strchr(b->signature, ':')[1]);
}
