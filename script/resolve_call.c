// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call reaches: a private function of the same file, one of the script (calls inside the
 * library too, so a script can replace a function of it), of the run-time, of the library, in this
 * order. Functions of one name may differ in the number of their parameters: these have nothing to
 * do with each other. Several with the same number are tried in the order of their priorities: one
 * that says `next` hands over to its fallback.
 */
#include "script/resolve_private.h"

#include <string.h>

/* Low ones come first: the script's own before those of the library, unless they say otherwise. */
static int64_t priority_of(const struct function_info *info)
{
	return info->decl->has_priority ? info->decl->priority : info->decl->file->is_tapset;
}

/* Whether a call may reach it: 0 no, 1 yes, 2 it is private to the same file and hides others. */
static int reach_of(const struct function_info *info, const struct script_file *file,
                    const char *name, size_t argc)
{
	if (info->original || strcmp(info->decl->name, name) || info->decl->params.count != argc ||
	    (info->decl->is_private && info->decl->file != file))
		return 0;
	return info->decl->is_private ? 2 : 1;
}

/* The first that is declared; after `last`, if that is not NULL. */
static struct function_info *find_overload(struct resolver *r, const struct script_file *file,
                                           const char *name, size_t argc,
                                           const struct function_info *last)
{
	struct function_info *found = NULL;
	bool passed = false;
	int best = 1;

	for (size_t i = 0; i < r->program->functions.count; i++) {
		struct function_info *info = r->program->functions.items[i];
		int reach = reach_of(info, file, name, argc);

		if (info == last) {
			passed = true;
			continue;
		}
		if (reach < best || (last && (priority_of(info) < priority_of(last) ||
		                              (priority_of(info) == priority_of(last) && !passed))))
			continue;
		if (!found || reach > best || priority_of(info) < priority_of(found))
			found = info;
		best = reach;
	}
	return found;
}

/* *ret_named: how many arguments some function of the name takes. */
static struct function_info *find_function(struct resolver *r, const struct expr *call,
                                           size_t *ret_named)
{
	const struct script_file *file = resolver_file_of(r, call->tok);

	for (size_t i = 0; i < r->program->functions.count; i++) {
		const struct function *decl = r->program->functions.items[i]->decl;

		if (reach_of(r->program->functions.items[i], file, call->call.name,
		             decl->params.count))
			*ret_named = decl->params.count;
	}
	return find_overload(r, file, call->call.name, call->call.args.count, NULL);
}

static struct function_info *find_in_library(struct resolver *r, const struct expr *call,
                                             size_t *ret_named)
{
	struct function_info *found = NULL;
	size_t at = 0;

	while (!found && resolver_load(r, TAPSET_FUNCTION, call->call.name, &at))
		found = find_function(r, call, ret_named);
	return found;
}

static const char *nearest_function(struct resolver *r, const char *name)
{
	const struct program *program = r->program;
	struct {
		ARENA_LIST(const char *);
	} names = {0};

	for (size_t i = 0; i < program->functions.count; i++)
		ARENA_APPEND(r->arena, &names, program->functions.items[i]->decl->name);
	for (size_t i = 0; i < builtin_count(); i++)
		ARENA_APPEND(r->arena, &names, builtin_at(i)->name);
	for (size_t i = 0; r->options->library; i++) {
		const char *known = tapset_name(r->options->library->library, TAPSET_FUNCTION, i);

		if (!known)
			break;
		ARENA_APPEND(r->arena, &names, known);
	}
	ARENA_APPEND(r->arena, &names, "print");
	ARENA_APPEND(r->arena, &names, "printf");
	ARENA_APPEND(r->arena, &names, "println");
	return diag_nearest(name, names.items, names.count);
}

static void tell_unknown(struct resolver *r, const struct expr *call)
{
	const char *near = nearest_function(r, call->call.name);

	diag_add(r->diags, call->tok, UNKNOWN_FUNCTION, call->call.name);
	if (near)
		diag_hint(r->diags, "did you mean '%s'?", near);
}

static bool is_in_library(struct resolver *r, const struct token *tok)
{
	const struct script_file *file = resolver_file_of(r, tok);

	return file && file->is_tapset;
}

static void want_bound(struct resolver *r, struct function_info *info)
{
	if (info->bound || (!info->decl->file->is_tapset && !function_is_placed(r, info)))
		return;
	info->bound = true;
	ARENA_APPEND(r->arena, &r->pending, info);
}

/* What runs for it in the body that is being bound: itself, or a copy for the probe. */
static struct function_info *at_place(struct resolver *r, struct body *body,
                                      struct function_info *info)
{
	if (info && r->place && function_is_placed(r, info)) {
		body->wants_place = true;
		return function_at_place(r, info);
	}
	if (info)
		want_bound(r, info);
	return info;
}

/* Those that a function may hand over to with `next`, each knowing the one after it. */
static void find_fallbacks(struct resolver *r, const struct expr *call, struct function_info *info)
{
	struct function_info *next;
	const struct script_file *file = resolver_file_of(r, call->tok);
	size_t at = 0;

	while (resolver_load(r, TAPSET_FUNCTION, call->call.name, &at))
		;
	while (info->may_next && !info->fallback) {
		next = find_overload(r, file, call->call.name, call->call.args.count,
		                     info->original ? info->original : info);
		info->fallback = at_place(r, &info->body, next);
		if (!info->fallback)
			return;
		info->fallback->is_fallback = true;
		ARENA_APPEND(r->arena, &info->body.callees, info->fallback);
		info = info->fallback;
	}
}

static struct function_info *reach(struct resolver *r, struct body *body, const struct expr *call,
                                   struct function_info *info)
{
	info = at_place(r, body, info);
	ARENA_APPEND(r->arena, &body->callees, info);
	if (function_needs_guru(info) && !r->options->guru && !is_in_library(r, call->tok))
		diag_add(r->diags, call->tok, FUNCTION_NEEDS_GURU, call->call.name);
	if (info->may_next)
		find_fallbacks(r, call, info);
	return info;
}

static void note_builtin(struct resolver *r, struct body *body, const struct builtin *builtin)
{
	if (builtin->flags & BUILTIN_ARGS)
		body_want_args(body, ARGUMENT_REGISTERS);
	r->program->captures |= (builtin->flags & BUILTIN_CAPTURES) != 0;
}

void resolve_call(struct resolver *r, struct body *body, struct expr *call)
{
	struct function_set *set = ARENA_NEW(r->arena, struct function_set);
	size_t named = SIZE_MAX;

	call->call.functions = set;
	set->function = find_function(r, call, &named);
	if (!set->function)
		set->builtin = builtin_find(call->call.name, call->call.args.count, &named);
	if (!set->function && !set->builtin)
		set->function = find_in_library(r, call, &named);
	if (set->function)
		set->function = reach(r, body, call, set->function);
	else if (set->builtin)
		note_builtin(r, body, set->builtin);
	else if (named == SIZE_MAX)
		tell_unknown(r, call);
	else
		diag_add(r->diags, call->tok, WRONG_ARGUMENT_COUNT, call->call.name, named,
		         call->call.args.count);
}
