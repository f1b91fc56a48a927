// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"

void codegen_limits_init(struct codegen_limits *limits)
{
#define LIMIT(name, member, value, low, high) limits->member = value;
#include "codegen/limits.def"
}

int64_t codegen_limits_interruptible(const struct codegen_limits *limits)
{
	if (limits->action_interruptible)
		return limits->action_interruptible;
	return limits->action > INT64_MAX / 10 ? INT64_MAX : limits->action * 10;
}

static struct error *set(int64_t *place, const char *name, const char *text, int64_t low,
                         int64_t high)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end)
		return error_create(EINVAL, "-D %s=%s: '%s' is not a number", name, text, text);
	if (value < low || value > high)
		return error_create(ERANGE, "-D %s=%s: must be from %lld to %lld", name, text,
		                    (long long)low, (long long)high);
	*place = value;
	return NULL;
}

const char *codegen_limits_needless(const char *assignment)
{
	size_t len = strcspn(assignment, "=");

#define NEEDLESS(name, reason)                                                                     \
	if (len == strlen(#name) && !strncmp(assignment, #name, len))                              \
		return reason;
#include "codegen/limits.def"
	return NULL;
}

struct error *codegen_limits_set(struct codegen_limits *limits, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	size_t len = equals ? (size_t)(equals - assignment) : strlen(assignment);

	if (!equals)
		return error_create(EINVAL, "-D %s: write it as NAME=VALUE", assignment);
#define LIMIT(name, member, value, low, high)                                                      \
	if (len == strlen(#name) && !strncmp(assignment, #name, len))                              \
		return set(&limits->member, #name, equals + 1, low, high);
#include "codegen/limits.def"
	return error_create(EINVAL, "-D %s: there is no such limit; those that can be set are"
#define LIMIT(name, member, value, low, high) " " #name
#include "codegen/limits.def"
	                    ,
	                    assignment);
}
