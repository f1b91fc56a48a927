// SPDX-License-Identifier: GPL-2.0-only
/* symbols/places_missing.c - why a function was not found, and what may have been meant. */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "symbols/nearest.h"
#include "symbols/places_index.h"
#include "symbols/places_private.h"

struct nearest_name {
	const char *wanted, *best;
	unsigned distance;
};

static int note_nearest(const struct elf_symbol *sym, void *arg)
{
	struct nearest_name *n = arg;
	unsigned d = sym->is_function ? nearest_distance(n->wanted, sym->name, n->distance) : ~0u;

	if (d < n->distance + !n->best) {
		n->best = sym->name;
		n->distance = d;
	}
	return 0;
}

enum { FILES_TOLD_MAX = 3 };

struct files_told {
	const char *names[FILES_TOLD_MAX + 1];
	size_t count;
	struct strbuf text;
};

static int tell_file(const struct code_function *fn, void *arg)
{
	struct files_told *t = arg;

	for (size_t i = 0; i < t->count; i++)
		if (fn->file && !strcmp(t->names[i], fn->file))
			return 0;
	if (!fn->file)
		return 0;
	if (t->count == FILES_TOLD_MAX) {
		strbuf_adds(&t->text, ", ...");
		return 1;
	}
	strbuf_addf(&t->text, "%s%s", t->count ? ", " : "", fn->file);
	t->names[t->count++] = fn->file;
	return 0;
}

/* The function is there, the file is wrong. NULL when it is not there either. */
static struct error *other_file(struct debuginfo *info, const struct place_query *q, bool has_symbol)
{
	struct place_query anywhere = {.function = q->function};
	struct files_told t = {.count = 0};
	struct error *error = NULL;

	if (!has_symbol && !places_index_is_made(info)) /* not worth making it */
		return NULL;
	strbuf_init(&t.text);
	error_destroy(functions_find(info, &anywhere,
	                             FUNCTIONS_BODIES | (has_symbol ? 0 : FUNCTIONS_INLINES),
	                             tell_file, &t));
	if (t.count)
		error = error_create(ENOENT, "%s has no function %s in %s: it is in %s", info->path,
		                     q->function, q->file, t.text.data);
	strbuf_deinit(&t.text);
	return error;
}

struct error *function_missing(struct debuginfo *info, const struct place_query *q, unsigned kinds)
{
	struct nearest_name n = {.wanted = q->function};
	bool has_symbol;
	struct error *error = NULL;

	if (info->split_missing)
		return error_create(ENODATA,
		                    "%s: the .dwo files of %u units are missing, where their debug "
		                    "information is: keep them where they were compiled (.dwp "
		                    "packages are not read yet)",
		                    info->path, info->split_missing);
	if (!q->function)
		return error_create(ENOENT, "%s has no function of a source file %s", info->path,
		                    q->file ? q->file : "*");
	n.distance = nearest_limit(q->function);
	if (!is_pattern(q->function))
		symbols_each(info, note_nearest, &n);
	has_symbol = n.best && !n.distance;
	if (q->file && !is_pattern(q->function))
		error = other_file(info, q, has_symbol);
	if (error)
		return error;
	if (!(kinds & FUNCTIONS_BODIES) && has_symbol)
		return error_create(ENOENT, "%s is not inlined anywhere in %s", q->function,
		                    info->path);
	return error_create(ENOENT, "%s has no function %s%s%s%s%s%s", info->path, q->function,
	                    q->file ? " in " : "", q->file ? q->file : "",
	                    n.best ? " (did you mean " : "", n.best ? n.best : "",
	                    n.best ? "?)" : "");
}
