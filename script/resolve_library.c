// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of the tapset. A name that the script does not define is looked up in the library's index;
 * the file that defines it is parsed then and its declarations join the script's. Its functions and
 * globals are kept only if somebody uses them; its probes, if it has any, are planted.
 */
#include <fnmatch.h>
#include <string.h>

#include "script/resolve_private.h"

const struct script_file *resolver_file_of(const struct resolver *r, const struct token *tok)
{
	while (tok->used_at)
		tok = tok->used_at;
	for (size_t i = 0; i < r->script->files.count; i++)
		if (r->script->files.items[i]->source == tok->source)
			return r->script->files.items[i];
	return NULL;
}

static bool is_loaded(const struct resolver *r, const char *path)
{
	for (size_t i = 0; i < r->script->files.count; i++)
		if (!strcmp(r->script->files.items[i]->source->name, path))
			return true;
	return false;
}

static bool load_file(struct resolver *r, const char *path)
{
	const struct script_file *file;

	if (is_loaded(r, path))
		return false;
	file = script_parse_file(r->script, path, r->options->library, r->diags);
	if (file)
		resolver_declare(r, file);
	return file != NULL;
}

bool resolver_load(struct resolver *r, enum tapset_kind kind, const char *name, size_t *at)
{
	const char *path;

	if (!r->options->library)
		return false;
	while ((path = tapset_find(r->options->library->library, kind, name, at)))
		if (load_file(r, path))
			return true;
	return false;
}

/* --- aliases ---------------------------------------------------------------------------------- */

/* Whether "vfs.read" can be what the first components of the point mean. */
static bool name_fits(struct arena *arena, const char *name, const struct probe_point *point)
{
	char *rest = arena_strdup(arena, name), *part;
	size_t i = 0;

	while ((part = strsep(&rest, ".")))
		if (i == point->components.count ||
		    fnmatch(point->components.items[i++].name, part, 0))
			return false;
	return true;
}

void resolver_load_aliases(struct resolver *r, const struct probe_point *point)
{
	const char *name, *previous = "";

	if (!r->options->library)
		return;
	for (size_t i = 0; (name = tapset_name(r->options->library->library, TAPSET_ALIAS, i));
	     i++) {
		size_t at = 0;

		if (!strcmp(name, previous) || !name_fits(r->arena, name, point))
			continue;
		previous = name;
		while (resolver_load(r, TAPSET_ALIAS, name, &at))
			;
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Of those that were copied for probes only the copies stay; one without was called nowhere. */
static void drop_functions(struct resolver *r, struct program *program)
{
	size_t kept = 0;

	for (size_t i = 0; i < program->functions.count; i++) {
		struct function_info *info = program->functions.items[i];

		if (info->bound)
			program->functions.items[kept++] = info;
		else if (!info->copy && !info->decl->file->is_tapset && !r->options->no_warnings)
			diag_add(r->diags, info->decl->tok, UNUSED_FUNCTION, info->decl->name);
	}
	program->functions.count = kept;
}

void resolver_drop_unwanted(struct resolver *r)
{
	struct program *program = r->program;
	size_t kept = 0;

	drop_functions(r, program);
	for (size_t i = 0; i < program->globals.count; i++) {
		struct variable *var = program->globals.items[i];

		if (!var->wanted && var->global->file->is_tapset)
			continue;
		var->number = kept;
		program->globals.items[kept++] = var;
	}
	program->globals.count = kept;
}
