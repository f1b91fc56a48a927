// SPDX-License-Identifier: GPL-2.0-only
/*
 * @probewrite(x): 1 if the probe's handler writes x, else 0. In an alias the handler is what its user
 * wrote, so each use of the alias gets its own copy of the alias's statements with the answers in it.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

struct search {
	const struct expr *wanted; /* a name, or a target variable: its members count as it does */
	bool found;
};

static bool is_same(const struct expr *wanted, const struct expr *place)
{
	if (place->kind == EXPR_INDEX)
		place = place->index.base;
	if (wanted->kind != place->kind)
		return false;
	if (wanted->kind == EXPR_SYMBOL)
		return !strcmp(wanted->symbol.name, place->symbol.name);
	return wanted->kind == EXPR_TARGET && wanted->target->base == place->target->base &&
	       wanted->target->name && !strcmp(wanted->target->name, place->target->name);
}

static void search_expr(struct expr **slot, void *arg)
{
	struct search *search = arg;
	const struct expr *e = *slot;

	if (e->kind == EXPR_ASSIGN)
		search->found |= is_same(search->wanted, e->binary.left);
	else if (e->kind == EXPR_STEP)
		search->found |= is_same(search->wanted, e->step.operand);
	expr_each_child(*slot, search_expr, arg);
}

static void search_key(struct search *search, const struct foreach_key *key)
{
	if (key && search->wanted->kind == EXPR_SYMBOL)
		search->found |= !strcmp(search->wanted->symbol.name, key->name);
}

static void search_stmt(struct stmt **slot, void *arg)
{
	struct search *search = arg;
	struct stmt *st = *slot;

	if (st->kind == STMT_FOREACH) {
		for (size_t i = 0; i < st->foreach.keys.count; i++)
			search_key(search, &st->foreach.keys.items[i]);
		search_key(search, st->foreach.value);
	} else if (st->kind == STMT_TRY) {
		search_key(search, st->trial.message);
	}
	stmt_each_expr(st, search_expr, arg);
	stmt_each_child(st, search_stmt, arg);
}

/* --- answers ---------------------------------------------------------------------------------- */

struct answers {
	struct stmt *handler; /* NULL: only look whether there is a question */
	bool asked;
};

static void answer_expr(struct expr **slot, void *arg)
{
	struct answers *answers = arg;
	struct expr *e = *slot;

	if (e->kind == EXPR_PROBEWRITE) {
		struct search search = {.wanted = e->wrapped.operand};

		answers->asked = true;
		if (!answers->handler)
			return;
		search_stmt(&answers->handler, &search);
		e->kind = EXPR_NUMBER;
		e->number = search.found;
		return;
	}
	expr_each_child(e, answer_expr, arg);
}

static void answer_stmt(struct stmt **slot, void *arg)
{
	stmt_each_expr(*slot, answer_expr, arg);
	stmt_each_child(*slot, answer_stmt, arg);
}

struct stmt *resolve_probewrites(struct resolver *r, struct stmt *part, struct stmt *handler)
{
	struct answers answers = {.asked = false};

	answer_stmt(&part, &answers);
	if (!answers.asked)
		return part;
	part = stmt_clone(r->arena, part);
	answers.handler = handler;
	answer_stmt(&part, &answers);
	return part;
}
