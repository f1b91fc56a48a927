// SPDX-License-Identifier: GPL-2.0-only
/* symbols/places_query.c - the two ways in which a place is written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/places.h"

static struct error *bad(const char *text, const char *reason)
{
	return error_create(EINVAL, "\"%s\" names no place: %s", text, reason);
}

/* A decimal number; false when there is none or it is out of range. Moves *at behind it. */
static bool read_number(const char **at, int *ret)
{
	char *end;
	long n;

	if (**at < '0' || **at > '9')
		return false;
	n = strtol(*at, &end, 10);
	if (n > 100000000)
		return false;
	*at = end;
	*ret = n;
	return true;
}

/* N, N-M, and N+M: M lines, of which N is the first. */
static bool read_range(const char *at, struct place_query *q)
{
	int more;

	if (!read_number(&at, &q->first))
		return false;
	q->last = q->first;
	if (*at == '-') {
		at++;
		if (!*at)
			q->last = 100000000;
		else if (!read_number(&at, &q->last) || q->last < q->first)
			return false;
	} else if (*at == '+') {
		at++;
		if (!read_number(&at, &more))
			return false;
		q->last = q->first + (more ? more - 1 : 0);
	}
	return !*at;
}

/* What stands behind the colon of a script's place. */
static bool read_lines(const char *at, struct place_query *q)
{
	if (!strcmp(at, "*")) {
		q->lines = PLACE_LINES_ALL;
		return true;
	}
	q->lines = *at == '+' ? PLACE_LINES_RELATIVE : PLACE_LINES_ABSOLUTE;
	return read_range(at + (*at == '+'), q);
}

static bool read_address(const char *text, struct place_query *q)
{
	char *end;

	if (strncmp(text, "0x", 2))
		return false;
	q->offset = strtoull(text, &end, 16);
	q->has_address = !*end && end != text + 2;
	return q->has_address;
}

/* "name+offset": cuts the offset off. False when what follows the sign is no number. */
static bool read_offset(char *name, struct place_query *q)
{
	char *plus = strrchr(name, '+'), *end;

	if (!plus)
		return true;
	q->offset = strtoull(plus + 1, &end, 0);
	q->has_offset = end != plus + 1 && !*end;
	*plus = '\0';
	return q->has_offset;
}

/* An empty pattern, or "*", is none. */
static char *pattern_of(const char *text)
{
	return *text && strcmp(text, "*") ? strdup(text) : NULL;
}

static struct error *finish(const char *text, struct place_query *q, const char *reason)
{
	if (!reason && q->lines == PLACE_LINES_RELATIVE && !q->function)
		reason = "lines counted from a function's start need the function's name";
	if (!reason && q->has_offset && q->lines != PLACE_LINES_NONE)
		reason = "it has both an offset and a line";
	if (!reason && q->has_offset && !q->function)
		reason = "an offset needs the function's name";
	if (!reason)
		return NULL;
	place_query_deinit(q);
	return bad(text, reason);
}

/* Where in `text` the lines begin: behind a colon, or at the + that follows a file's name. `copy` is
 * cut there. */
static const char *cut_lines(const char *text, char *copy)
{
	char *colon = strrchr(copy, ':'), *at = strchr(copy, '@'), *plus = at ? strrchr(at, '+') : NULL;

	if (!colon && (!plus || plus[1] < '0' || plus[1] > '9'))
		return NULL;
	*(colon ? colon : plus) = '\0';
	return text + strlen(copy) + (colon != NULL);
}

struct error *place_query_parse(const char *text, struct place_query *ret)
{
	char *copy = strdup(text), *at;
	const char *reason = NULL, *lines;

	memset(ret, 0, sizeof(*ret));
	if (!read_address(text, ret)) {
		lines = cut_lines(text, copy);
		if (lines && !read_lines(lines, ret))
			reason = "behind the colon stands N, +N, N-M or *";
		at = strchr(copy, '@');
		if (at)
			*at = '\0';
		if (!reason && !read_offset(copy, ret))
			reason = "behind the + stands the number of bytes";
		ret->function = pattern_of(copy);
		ret->file = at ? pattern_of(at + 1) : NULL;
		if (!reason && at && !at[1])
			reason = "behind the @ stands a source file";
		if (!reason && !*text)
			reason = "it is empty";
	}
	free(copy);
	return finish(text, ret, reason);
}

/* "socket.c" and "net/socket.c" are files; function names have neither. */
static bool is_file_name(const char *name)
{
	return strchr(name, '/') || strchr(name, '.');
}

static bool read_perf_lines(const char *at, struct place_query *q)
{
	q->lines = q->function ? PLACE_LINES_RELATIVE : PLACE_LINES_ABSOLUTE;
	if (!read_range(at, q))
		return false;
	if (q->function && !q->last) /* the function's own line is its entry */
		q->lines = PLACE_LINES_NONE;
	return true;
}

struct error *place_query_parse_perf(const char *text, struct place_query *ret)
{
	char *copy = strdup(text), *at, *colon;
	const char *reason = NULL;

	memset(ret, 0, sizeof(*ret));
	if (!read_address(text, ret)) {
		colon = strchr(copy, ':');
		if (colon)
			*colon = '\0';
		at = strchr(copy, '@');
		if (at)
			*at = '\0';
		if (!at && is_file_name(copy) && !strchr(copy, '+')) {
			ret->file = strdup(copy);
		} else if (!read_offset(copy, ret)) {
			reason = "behind the + stands the number of bytes";
		} else {
			ret->function = pattern_of(copy);
			ret->file = at ? pattern_of(at + 1) : NULL;
		}
		if (strpbrk(text, "%;"))
			reason = "%return and patterns of lines belong to event definitions (-n, -D)";
		else if (colon && !reason && !read_perf_lines(colon + 1, ret))
			reason = "behind the colon stands N or N-M";
		else if (!reason && at && !at[1])
			reason = "behind the @ stands a source file";
		else if (!*text)
			reason = "it is empty";
	}
	free(copy);
	return finish(text, ret, reason);
}

void place_query_deinit(struct place_query *q)
{
	free(q->function);
	free(q->file);
	memset(q, 0, sizeof(*q));
}
