// SPDX-License-Identifier: GPL-2.0-only
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *format_message(const char *fmt, va_list ap)
{
	char *message;

	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	return message;
}

struct error *error_create(int err, const char *fmt, ...)
{
	struct error *error = malloc(sizeof(*error));
	va_list ap;

	if (!error)
		abort();
	va_start(ap, fmt);
	error->message = format_message(fmt, ap);
	va_end(ap);
	error->err = err;
	return error;
}

struct error *error_wrap(struct error *error, const char *fmt, ...)
{
	char *prefix, *message;
	va_list ap;

	va_start(ap, fmt);
	prefix = format_message(fmt, ap);
	va_end(ap);
	if (asprintf(&message, "%s: %s", prefix, error->message) < 0)
		abort();
	free(prefix);
	free(error->message);
	error->message = message;
	return error;
}

void error_destroy(struct error *error)
{
	if (!error)
		return;
	free(error->message);
	free(error);
}
