// SPDX-License-Identifier: GPL-2.0-only
/*
 * @entry(expression) in a return probe: what the expression was when the function was entered. It is
 * worked out by a probe at the entry, which is planted beside, and kept in an array:
 *
 *	probe F.return { print(@entry($x)) }
 *
 * becomes
 *
 *	global __entry_0%
 *	probe F { __entry_0[tid(), 7] = $x }
 *	probe F.return { print(__entry_0[tid(), 7]) }
 *
 * 7 being the number of the place: the places that one probe statement expands to share their
 * arrays. The arrays wrap, so what was entered and never left does not fill them. A function that
 * calls itself has its outer call's values overwritten.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

struct entries {
	struct resolver *r;
	size_t place, ordinal;
	struct stmt *block; /* of the probe at the entry */
};

static struct expr *make(struct resolver *r, enum expr_kind kind, const struct token *tok)
{
	struct expr *e = ARENA_NEW(r->arena, struct expr);

	e->kind = kind;
	e->tok = tok;
	e->height = 1;
	return e;
}

/* --- arrays ----------------------------------------------------------------------------------- */

/* A global of the library's kind: nobody is told that it is not read, nor shown it at the end. */
static struct global *declare_array(struct resolver *r, const struct token *tok)
{
	struct global *global = ARENA_NEW(r->arena, struct global);
	struct script_file *file = ARENA_NEW(r->arena, struct script_file);
	struct variable *var = ARENA_NEW(r->arena, struct variable);

	file->is_tapset = true;
	global->name = arena_printf(r->arena, "__entry_%zu", r->entry_arrays.count);
	global->tok = tok;
	global->is_array = global->wraps = true;
	global->file = file;
	global->var = var;
	var->kind = VAR_GLOBAL;
	var->name = global->name;
	var->tok = tok;
	var->global = global;
	var->is_array = true;
	var->number = r->program->globals.count;
	ARENA_APPEND(r->arena, &r->program->globals, var);
	return global;
}

/* The array of the n-th @entry of the probe statement. */
static struct global *find_array(struct entries *at, const struct token *tok)
{
	struct resolver *r = at->r;
	struct entry_array made = {r->source, at->ordinal++, NULL};

	for (size_t i = 0; i < r->entry_arrays.count; i++)
		if (r->entry_arrays.items[i].source == made.source &&
		    r->entry_arrays.items[i].ordinal == made.ordinal)
			return r->entry_arrays.items[i].global;
	made.global = declare_array(r, tok);
	ARENA_APPEND(r->arena, &r->entry_arrays, made);
	return made.global;
}

/* NAME[tid(), place] */
static struct expr *make_element(struct entries *at, const struct global *global,
                                 const struct token *tok)
{
	struct expr *e = make(at->r, EXPR_INDEX, tok), *tid = make(at->r, EXPR_CALL, tok);
	struct expr *place = make(at->r, EXPR_NUMBER, tok);

	e->index.base = make(at->r, EXPR_SYMBOL, tok);
	e->index.base->symbol.name = global->name;
	tid->call.name = "tid";
	place->number = (int64_t)at->place;
	ARENA_APPEND(at->r->arena, &e->index.keys, tid);
	ARENA_APPEND(at->r->arena, &e->index.keys, place);
	return e;
}

/* --- the two bodies --------------------------------------------------------------------------- */

static void add_assignment(struct entries *at, struct expr *place, struct expr *value)
{
	struct stmt *st = ARENA_NEW(at->r->arena, struct stmt);
	struct expr *e = make(at->r, EXPR_ASSIGN, value->tok);

	e->binary.op = OP_SET;
	e->binary.left = place;
	e->binary.right = value;
	st->kind = STMT_EXPR;
	st->tok = value->tok;
	st->expr = e;
	ARENA_APPEND(at->r->arena, &at->block->block, st);
}

static void replace_entry(struct expr **slot, void *arg)
{
	struct entries *at = arg;
	struct expr *e = *slot;
	const struct global *global;

	if (e->kind != EXPR_ENTRY) {
		expr_each_child(e, replace_entry, at);
		return;
	}
	global = find_array(at, e->tok);
	add_assignment(at, make_element(at, global, e->tok), e->wrapped.operand);
	*slot = make_element(at, global, e->tok);
}

static void replace_in_stmt(struct stmt **slot, void *arg)
{
	stmt_each_expr(*slot, replace_entry, arg);
	stmt_each_child(*slot, replace_in_stmt, arg);
}

static void plant_entry(struct resolver *r, const struct planted_probe *at_return,
                        struct stmt *block)
{
	struct planted_probe *planted = ARENA_NEW(r->arena, struct planted_probe);

	*planted = *at_return;
	planted->pp = arena_strndup(r->arena, planted->pp,
	                            (size_t)(strstr(planted->pp, ".return") - planted->pp));
	planted->kind = "SPL_PROBE_ENTRY";
	planted->is_return = false;
	planted->param = planted->param2 = 0;
	planted->body = ARENA_NEW(r->arena, struct body);
	planted->body->stmt = block;
	planted->body->wants_place = true;
	ARENA_APPEND(r->arena, &r->program->probes, planted);
	resolve_names(r, planted->body, NULL);
	resolve_targets(r, planted->body, planted);
}

void resolve_entries(struct resolver *r, struct planted_probe *planted)
{
	struct entries at = {.r = r, .place = r->program->probes.count};

	if (!planted->is_return || strcmp(planted->kind, "SPL_PROBE_RETURN"))
		return; /* what @entry is left is told when names are bound */
	at.block = ARENA_NEW(r->arena, struct stmt);
	at.block->kind = STMT_BLOCK;
	at.block->tok = planted->tok;
	replace_in_stmt(&planted->body->stmt, &at);
	if (!at.block->block.count)
		return;
	planted->body->wants_place = true;
	plant_entry(r, planted, at.block);
}
