// SPDX-License-Identifier: GPL-2.0-only
/* Macros of the tapset: a .stpm file is read when a script first uses a name that it defines. */
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "script/preprocess.h"
#include "script/tapset.h"

static bool was_read(const struct macro_table *library, const char *path)
{
	for (size_t i = 0; i < library->files.count; i++)
		if (!strcmp(library->files.items[i], path))
			return true;
	return false;
}

static void read_macros(struct preprocessor *pp, struct macro_table *library, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct error *error;
	size_t len;

	ARENA_APPEND(pp->arena, &library->files, path); /* first: its own macros may use others */
	error = file_read(path, &text, &len);
	if (error)
		diag_add(pp->diags, NULL, CANNOT_READ, error->message);
	else
		preprocess_library(pp->arena, source_create(pp->arena, path, text, len), library,
		                   pp->options, pp->diags);
	error_destroy(error);
}

const struct macro *library_macro(struct preprocessor *pp, const char *name)
{
	struct macro_table *library = pp->macros.outer;
	const struct macro *macro = NULL;
	const char *path;
	size_t at = 0;

	if (!pp->options->library || !library)
		return NULL;
	while (!macro && (path = tapset_find(pp->options->library, TAPSET_MACRO, name, &at))) {
		if (was_read(library, path))
			continue;
		read_macros(pp, library, path);
		macro = macro_lookup(library, name);
	}
	return macro;
}
