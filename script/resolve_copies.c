// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions with target variables. What $x means depends on the probe that calls, so each planted probe
 * gets a copy of such a function of its own, in which $x is what it is in the probe; so does a
 * function that calls one. The function itself stays unbound and is forgotten at the end:
 *
 *	function size() { return $count }          size            (no code)
 *	probe kernel.function("vfs_read") {...}    size, copy 1    argument 2 of vfs_read
 *	probe kernel.function("vfs_write") {...}   size, copy 2    argument 2 of vfs_write
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

struct search {
	const struct program *program;
	bool found;
};

static bool is_placed_callee(const struct program *program, const char *name, size_t argc)
{
	for (size_t i = 0; i < program->functions.count; i++) {
		const struct function_info *info = program->functions.items[i];

		if (info->is_placed && info->decl->params.count == argc &&
		    !strcmp(info->decl->name, name))
			return true;
	}
	return false;
}

static void search_expr(struct expr **slot, void *arg)
{
	struct search *search = arg;
	const struct expr *e = *slot;

	if (e->kind == EXPR_TARGET && e->target->base == TARGET_DOLLAR)
		search->found = true;
	else if (e->kind == EXPR_CALL && search->program)
		search->found |=
		    is_placed_callee(search->program, e->call.name, e->call.args.count);
	if (!search->found)
		expr_each_child(*slot, search_expr, arg);
}

static void search_stmt(struct stmt **slot, void *arg)
{
	struct search *search = arg;

	stmt_each_expr(*slot, search_expr, arg);
	if (!search->found)
		stmt_each_child(*slot, search_stmt, arg);
}

bool function_has_targets(const struct function *function)
{
	struct search search = {.program = NULL};
	struct stmt *body = function->body;

	search_stmt(&body, &search);
	return search.found;
}

/* By its calls, or because an overload that it can hand over to is. */
static bool becomes_placed(const struct program *program, const struct function_info *info)
{
	struct search search = {.program = program};
	struct stmt *body = info->decl->body;

	search_stmt(&body, &search);
	return search.found || (info->may_next &&
	                        is_placed_callee(program, info->decl->name,
	                                         info->decl->params.count));
}

/* To be done again when the library brought more functions. */
static void close_placed(struct resolver *r)
{
	const struct program *program = r->program;
	bool changed;

	do {
		changed = false;
		for (size_t i = 0; i < program->functions.count; i++) {
			struct function_info *info = program->functions.items[i];

			if (info->is_placed || info->bound || !becomes_placed(program, info))
				continue;
			info->is_placed = changed = true;
		}
	} while (changed);
	r->placed_known = program->functions.count;
}

bool function_is_placed(struct resolver *r, const struct function_info *info)
{
	if (!r->has_placed)
		return false;
	if (r->placed_known != r->program->functions.count)
		close_placed(r);
	return info->is_placed && !info->original;
}

static struct function *copy_decl(struct resolver *r, const struct function *decl)
{
	struct function *copy = ARENA_NEW(r->arena, struct function);

	*copy = *decl;
	memset(&copy->params, 0, sizeof(copy->params));
	for (size_t i = 0; i < decl->params.count; i++)
		ARENA_APPEND(r->arena, &copy->params, decl->params.items[i]);
	copy->body = stmt_clone(r->arena, decl->body);
	return copy;
}

struct function_info *function_at_place(struct resolver *r, struct function_info *info)
{
	struct function_info *copy;

	if (info->copy && info->copy->place == r->place)
		return info->copy;
	copy = resolver_add_function(r, copy_decl(r, info->decl));
	copy->original = info;
	copy->is_again = info->copy != NULL;
	copy->place = r->place;
	copy->bound = true;
	info->copy = copy;
	resolve_names(r, &copy->body, copy);
	resolve_targets(r, &copy->body, r->place);
	return copy;
}
