// SPDX-License-Identifier: GPL-2.0-only
/* Pass 2: declarations, and the order of its steps. See resolve.h. */
#include "script/resolve_private.h"

#include <string.h>

struct kernel *resolver_kernel(struct resolver *r, const struct token *tok)
{
	struct error *error = NULL;

	if (!r->kernel && !r->kernel_failure && r->options->kernel)
		error = r->options->kernel(r->options->kernel_context, &r->kernel);
	if (r->kernel)
		return r->kernel;
	if (!r->kernel_failure)
		r->kernel_failure =
		    error ? arena_strdup(r->arena, error->message) : "there is none in this home";
	error_destroy(error);
	if (!diag_has(r->diags, DIAG_TAG_KERNEL_UNREADABLE)) {
		diag_add(r->diags, tok, KERNEL_UNREADABLE, r->kernel_failure);
		diag_hint(r->diags, "--vm translates for a stock kernel and runs in a guest");
	}
	return NULL;
}

/* --- declarations ----------------------------------------------------------------------------- */

/* Two globals of one name are two things if one of them is private and they are in two files. */
static struct variable *find_namesake(struct resolver *r, const struct global *global,
                                      bool *ret_apart)
{
	struct variable *found = NULL;

	*ret_apart = false;
	for (size_t i = 0; i < r->program->globals.count; i++) {
		const struct global *other = r->program->globals.items[i]->global;

		if (strcmp(other->name, global->name))
			continue;
		if (other->file != global->file && (other->is_private || global->is_private))
			*ret_apart = true;
		else
			found = r->program->globals.items[i];
	}
	return found;
}

static void declare_global(struct resolver *r, struct global *global)
{
	struct variable *var = ARENA_NEW(r->arena, struct variable);
	bool apart;
	const struct variable *namesake = find_namesake(r, global, &apart);

	if (namesake && global->file->is_tapset)
		return; /* the script's own stands for it */
	if (namesake) {
		diag_add(r->diags, global->tok, DUPLICATE_GLOBAL, global->name);
		diag_second(r->diags, namesake->tok, "declared here");
		return;
	}
	var->kind = VAR_GLOBAL;
	var->name = apart ? arena_printf(r->arena, "%s__%zu", global->name,
	                                 r->program->globals.count)
	                  : global->name;
	var->tok = global->tok;
	var->global = global;
	var->is_array = global->is_array;
	var->number = r->program->globals.count;
	if (global->value) {
		var->value.type = global->value->kind == EXPR_STRING ? TYPE_STRING : TYPE_LONG;
		var->value.tok = global->value->tok;
	}
	global->var = var;
	ARENA_APPEND(r->arena, &r->program->globals, var);
}

static void check_duplicate(struct resolver *r, const struct function *function)
{
	for (size_t i = 0; i < r->program->functions.count; i++) {
		const struct function *other = r->program->functions.items[i]->decl;

		if (strcmp(other->name, function->name))
			continue;
		if (other->file != function->file && (other->is_private || function->is_private))
			continue;
		if (other->params.count == function->params.count && !other->has_priority &&
		    !function->has_priority && !function_may_next(other)) {
			diag_add(r->diags, function->tok, DUPLICATE_FUNCTION, function->name);
			diag_second(r->diags, other->tok, "defined here");
		}
	}
}

struct function_info *resolver_add_function(struct resolver *r, struct function *function)
{
	struct function_info *info = ARENA_NEW(r->arena, struct function_info);

	info->decl = function;
	info->may_next = function_may_next(function);
	info->number = r->program->functions.count;
	info->body.stmt = function->body;
	if (function->type != TYPE_UNKNOWN) {
		info->result.type = function->type;
		info->result.tok = function->tok;
	}
	function->note = info;
	ARENA_APPEND(r->arena, &r->program->functions, info);
	return info;
}

static void declare_function(struct resolver *r, struct function *function)
{
	struct function_info *info;

	if (!function->file->is_tapset)
		check_duplicate(r, function);
	info = resolver_add_function(r, function);
	info->is_placed = function_has_targets(function);
	r->has_placed |= info->is_placed;
}

void resolver_declare(struct resolver *r, const struct script_file *file)
{
	for (size_t i = 0; i < file->items.count; i++) {
		const struct item *item = &file->items.items[i];

		switch (item->kind) {
		case ITEM_GLOBAL:
			declare_global(r, item->global);
			break;
		case ITEM_FUNCTION:
			declare_function(r, item->function);
			break;
		case ITEM_ALIAS:
			ARENA_APPEND(r->arena, &r->aliases, item->probe);
			break;
		case ITEM_EMBEDDED:
			resolve_embedded_top(r, item->embedded);
			break;
		case ITEM_PROBE:
			break;
		}
	}
}

/* --- the steps -------------------------------------------------------------------------------- */

static void resolver_init(struct resolver *r, struct script *script,
                          const struct resolve_options *options, struct diag_list *diags,
                          struct program *program)
{
	memset(r, 0, sizeof(*r));
	memset(program, 0, sizeof(*program));
	program->script = script;
	program->skip_badvars = options->skip_badvars;
	r->script = script;
	r->arena = &script->arena;
	r->options = options;
	r->diags = diags;
	r->program = program;
	for (size_t i = 0; i < script->files.count; i++)
		resolver_declare(r, script->files.items[i]);
}

static void resolve_function(struct resolver *r, struct function_info *info)
{
	resolve_names(r, &info->body, info);
	if (info->decl->body->kind == STMT_EMBEDDED)
		resolve_embedded_function(info);
	resolve_targets(r, &info->body, NULL);
}

/* The script's own, used or not, so that all of its errors are told. */
static void resolve_functions(struct resolver *r)
{
	for (size_t i = 0; i < r->program->functions.count; i++) {
		struct function_info *info = r->program->functions.items[i];

		if (info->decl->file->is_tapset || info->bound || function_is_placed(r, info))
			continue;
		info->bound = true;
		resolve_function(r, info);
	}
}

/* Those of the library that were called: each may call others. */
static void resolve_pending(struct resolver *r)
{
	while (r->resolved < r->pending.count)
		resolve_function(r, r->pending.items[r->resolved++]);
}

static void resolve_file_probes(struct resolver *r, const struct script_file *file)
{
	for (size_t i = 0; i < file->items.count; i++) {
		if (file->items.items[i].kind != ITEM_PROBE)
			continue;
		r->source = r->program->sources++;
		resolve_probe(r, file->items.items[i].probe);
	}
}

/* Binding a probe or a function can load files of the library, with probes and functions. */
static void resolve_probes(struct resolver *r)
{
	size_t files = 0;

	do {
		while (files < r->script->files.count)
			resolve_file_probes(r, r->script->files.items[files++]);
		resolve_pending(r);
	} while (files < r->script->files.count);
	if (!r->program->sources)
		diag_add(r->diags, NULL, NO_PROBES);
}

void script_resolve(struct script *script, const struct resolve_options *options,
                    struct diag_list *diags, struct program *ret)
{
	struct resolver r;
	bool failed;

	resolver_init(&r, script, options, diags, ret);
	resolve_functions(&r);
	resolve_probes(&r);
	resolver_drop_unwanted(&r);
	failed = diag_error_count(diags) != 0;
	if (!failed) {
		resolve_dead(&r);
		resolve_keepers_used(&r);
	}
	resolve_sets(&r);
	resolve_types(&r);
	if (failed)
		return; /* what is unused may be so because of the errors */
	if (!diag_error_count(diags) && !options->no_globals && resolve_autoprint(&r)) {
		resolve_sets(&r);
		resolve_types(&r);
	}
	if (!diag_error_count(diags) && options->timing) {
		resolve_timing(&r);
		resolve_sets(&r);
		resolve_types(&r);
	}
	resolve_unused(&r);
}

/* -l PATTERN: each planted probe of the pattern is a line. The family's own order is kept. */
size_t probe_points_list(struct script *script, const struct probe *pattern,
                         const struct resolve_options *options, bool variables,
                         struct diag_list *diags, FILE *out)
{
	struct program program;
	struct resolver r;
	size_t count = 0;

	resolver_init(&r, script, options, diags, &program);
	for (size_t i = 0; i < pattern->points.count; i++)
		count += probe_point_list(&r, pattern->points.items[i], variables, out);
	program_deinit(&program);
	return count;
}
