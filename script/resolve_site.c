// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug information for pass 2. Opening a kernel's costs some milliseconds and most scripts never
 * need it, so it is opened when a probe point names a line or a variable is no argument, once for
 * the kernel and once for each module, and stays open with the program: places, types and variables
 * refer to it.
 */
#include <errno.h>
#include <string.h>

#include "script/resolve_private.h"

static struct error *kernel_of(struct resolver *r, struct kernel **ret)
{
	struct error *error = NULL;

	if (!r->kernel && r->options->kernel)
		error = r->options->kernel(r->options->kernel_context, &r->kernel);
	if (!error && !r->kernel)
		error = error_create(ENODATA, "there is no kernel in this home");
	*ret = r->kernel;
	return error;
}

const char *resolver_module_name(struct resolver *r, const char *path)
{
	const char *base = strrchr(path, '/');
	char *name;

	base = base ? base + 1 : path;
	name = arena_strndup(r->arena, base, strcspn(base, "."));
	for (char *at = name; *at; at++)
		if (*at == '-' || *at == ',')
			*at = '_';
	return name;
}

/* A module is asked for by its name or by its path. */
static bool is_of_module(struct resolver *r, const struct program_debuginfo *known,
                         const char *module)
{
	if (!known->module || !module)
		return known->module == module;
	return !strcmp(known->module, module) ||
	       !strcmp(resolver_module_name(r, known->module), module);
}

struct error *resolver_debuginfo(struct resolver *r, const char *module, struct debuginfo **ret)
{
	struct program_debuginfo opened = {.module = module};
	struct kernel *kernel;
	struct error *error;

	for (size_t i = 0; i < r->program->debuginfos.count; i++) {
		const struct program_debuginfo *known = &r->program->debuginfos.items[i];

		*ret = known->info;
		if (is_of_module(r, known, module))
			return NULL;
	}
	*ret = NULL;
	error = kernel_of(r, &kernel);
	if (!error)
		error = debuginfo_open_kernel(kernel, module, NULL, &opened.info);
	if (error)
		return error;
	ARENA_APPEND(r->arena, &r->program->debuginfos, opened);
	*ret = opened.info;
	return NULL;
}

void program_deinit(struct program *program)
{
	for (size_t i = 0; i < program->debuginfos.count; i++)
		debuginfo_close(program->debuginfos.items[i].info);
	program->debuginfos.count = 0;
	for (size_t i = 0; i < program->headers.count; i++)
		btf_index_destroy(program->headers.items[i].btf);
	program->headers.count = 0;
}

struct error *resolver_btf(struct resolver *r, const char *module, struct btf_index **ret)
{
	struct debuginfo *info;
	struct kernel *kernel;
	struct error *error = kernel_of(r, &kernel);

	if (error || !module)
		return error ? error : kernel_btf(kernel, ret);
	error = resolver_debuginfo(r, module, &info);
	return error ? error : debuginfo_btf(info, ret);
}

/* --- functions that were found by name --------------------------------------------------------- */

struct search {
	const char *symbol;
	struct code_function *found; /* filled in */
	size_t count;
};

static int note_function(const struct code_function *fn, void *arg)
{
	struct search *s = arg;

	if (fn->symbol && !strcmp(fn->symbol, s->symbol) && !s->count++)
		*s->found = *fn;
	return 0;
}

static struct error *find_function(struct debuginfo *info, const struct planted_probe *planted,
                                   struct code_function *ret)
{
	struct place_query q = {.function = (char *)planted->func};
	struct search s = {.symbol = planted->symbol, .found = ret};
	struct error *error = debuginfo_check_dwarf(info);

	if (!error)
		error = functions_find(info, &q, FUNCTIONS_BODIES, note_function, &s);
	if (!error && s.count != 1)
		error = error_create(s.count ? ENOTUNIQ : ENOENT, "%s has %s function %s",
		                     debuginfo_path(info), s.count ? "more than one" : "no",
		                     planted->symbol);
	return error;
}

const struct probe_site *resolver_add_site(struct resolver *r, enum site_kind kind,
                                           struct debuginfo *info, const struct code_function *fn,
                                           uint64_t address)
{
	struct probe_site *site = ARENA_NEW(r->arena, struct probe_site);

	*site = (struct probe_site){.kind = kind, .info = info, .address = address};
	if (fn) {
		struct code_function *copy = ARENA_NEW(r->arena, struct code_function);

		*copy = *fn;
		site->fn = copy;
	}
	return site;
}

struct error *resolver_site(struct resolver *r, const struct planted_probe *planted,
                            const struct probe_site **ret)
{
	struct code_function fn;
	struct debuginfo *info;
	struct error *error;

	*ret = planted->site ? planted->site : r->site;
	if (planted->site || (r->site && r->sited == planted))
		return NULL;
	*ret = NULL;
	if (!planted->symbol)
		return error_create(ENOENT, "probe %s is at no place in the code", planted->pp);
	error = resolver_debuginfo(r, planted->module, &info);
	if (!error)
		error = find_function(info, planted, &fn);
	if (error)
		return error;
	r->site = resolver_add_site(r, planted->is_return ? SITE_RETURN : SITE_ENTRY, info, &fn,
	                            fn.address);
	r->sited = planted;
	*ret = r->site;
	return NULL;
}
