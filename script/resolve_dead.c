// SPDX-License-Identifier: GPL-2.0-only
/*
 * Assignments to locals that nothing reads are left out. Aliases of the tapset set many variables
 * (a system call's name, its arguments as text), of which a script uses a few; the rest would cost
 * at each hit. What the assigned expression does beside giving a value is kept. One that is gone
 * may have been the only reader of another variable, so it is looked at again until nothing goes.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

struct reads {
	bool *read; /* by number of local */
	bool changed;
};

struct calls {
	struct arena *arena;
	struct body *body;
};

/* --- effects ---------------------------------------------------------------------------------- */

static bool stmt_has_effects(struct stmt *st);

/* One that calls itself is taken to have some, so that each function is looked at once. */
static bool function_has_effects(struct function_info *info)
{
	bool found;

	if (info->visiting || info->effects != EFFECTS_UNKNOWN)
		return info->visiting || info->effects == EFFECTS_SOME;
	info->visiting = true;
	if (info->decl->body->kind == STMT_EMBEDDED)
		found = !embedded_has_pragma(info->decl->body->embedded, "pure");
	else
		found = stmt_has_effects(info->body.stmt);
	found = found || (info->fallback && function_has_effects(info->fallback));
	info->visiting = false;
	info->effects = found ? EFFECTS_SOME : EFFECTS_NONE;
	return found;
}

static bool builtin_has_effects(const struct builtin *builtin)
{
	return builtin_result_type(builtin) == TYPE_UNKNOWN ||
	       !strcmp(builtin->name, "thread_indent");
}

static bool is_local(const struct expr *e)
{
	return e->kind == EXPR_SYMBOL && e->symbol.var && e->symbol.var->kind != VAR_GLOBAL;
}

static void note_effects(struct expr **slot, void *arg)
{
	const struct expr *e = *slot;
	bool *found = arg;

	switch (e->kind) {
	case EXPR_ASSIGN:
		*found |= !is_local(e->binary.left);
		break;
	case EXPR_STEP:
		*found |= !is_local(e->step.operand);
		break;
	case EXPR_PRINT:
		*found |= !e->print->to_string;
		break;
	case EXPR_EMBEDDED:
		*found |= !embedded_has_pragma(e->embedded, "pure");
		break;
	case EXPR_CALL:
		if (e->call.functions->function)
			*found |= function_has_effects(e->call.functions->function);
		else if (e->call.functions->builtin)
			*found |= builtin_has_effects(e->call.functions->builtin);
		break;
	case EXPR_BINARY:
		*found |= op_group(e->binary.op) == OPS_REGEX; /* matched() looks at it later */
		break;
	case EXPR_PROBEWRITE:
		*found = true;
		break;
	default:
		break;
	}
	if (!*found)
		expr_each_child(*slot, note_effects, found);
}

static void note_stmt_effects(struct stmt **slot, void *arg)
{
	bool *found = arg;

	*found |= stmt_has_effects(*slot);
}

/* Of a function's body: what it does to its own variables is no effect. */
static bool stmt_has_effects(struct stmt *st)
{
	bool found = st->kind == STMT_DELETE || st->kind == STMT_EMBEDDED;

	stmt_each_expr(st, note_effects, &found);
	if (!found)
		stmt_each_child(st, note_stmt_effects, &found);
	return found;
}

/* Unlike in a function of its own, assignments to the body's locals count here. */
static void note_body_effects(struct expr **slot, void *arg)
{
	bool *found = arg;

	if ((*slot)->kind == EXPR_ASSIGN || (*slot)->kind == EXPR_STEP)
		*found = true;
	else
		expr_each_child(*slot, note_body_effects, found);
}

static bool has_effects(struct expr *e)
{
	bool found = false;

	note_effects(&e, &found);
	note_body_effects(&e, &found);
	return found;
}

/* --- reads ------------------------------------------------------------------------------------ */

/* x = ... as a statement: the one place of a local that does not read it. */
static struct variable *assigned_local(const struct stmt *st)
{
	const struct expr *e = st->kind == STMT_EXPR ? st->expr : NULL;

	if (!e || e->kind != EXPR_ASSIGN || e->binary.op != OP_SET || !is_local(e->binary.left) ||
	    e->binary.left->symbol.var->kind != VAR_LOCAL)
		return NULL;
	return e->binary.left->symbol.var;
}

static void note_read(struct expr **slot, void *arg)
{
	struct reads *reads = arg;

	if (is_local(*slot))
		reads->read[(*slot)->symbol.var->number] = true;
	expr_each_child(*slot, note_read, reads);
}

static void note_key(struct reads *reads, const struct foreach_key *key)
{
	if (key && key->var->kind != VAR_GLOBAL)
		reads->read[key->var->number] = true;
}

/* Variables that a statement sets by itself have to stay. */
static void note_set(struct reads *reads, const struct stmt *st)
{
	if (st->kind == STMT_TRY)
		note_key(reads, st->trial.message);
	if (st->kind != STMT_FOREACH)
		return;
	note_key(reads, st->foreach.value);
	for (size_t i = 0; i < st->foreach.keys.count; i++)
		note_key(reads, &st->foreach.keys.items[i]);
}

static void note_stmt_reads(struct stmt **slot, void *arg)
{
	struct reads *reads = arg;

	note_set(reads, *slot);
	if (assigned_local(*slot))
		note_read(&(*slot)->expr->binary.right, reads);
	else
		stmt_each_expr(*slot, note_read, reads);
	stmt_each_child(*slot, note_stmt_reads, reads);
}

static void drop_dead(struct stmt **slot, void *arg)
{
	struct reads *reads = arg;
	struct stmt *st = *slot;
	struct variable *var = assigned_local(st);

	stmt_each_child(st, drop_dead, reads);
	if (!var || reads->read[var->number])
		return;
	var->assigned = true; /* for the warning */
	reads->changed = true;
	if (has_effects(st->expr->binary.right))
		st->expr = st->expr->binary.right;
	else
		st->kind = STMT_NULL;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void note_call(struct expr **slot, void *arg)
{
	struct calls *calls = arg;

	if ((*slot)->kind == EXPR_CALL && (*slot)->call.functions->function)
		ARENA_APPEND(calls->arena, &calls->body->callees,
		             (*slot)->call.functions->function);
	expr_each_child(*slot, note_call, calls);
}

static void note_stmt_calls(struct stmt **slot, void *arg)
{
	stmt_each_expr(*slot, note_call, arg);
	stmt_each_child(*slot, note_stmt_calls, arg);
}

/* Functions that are no longer called are not to be locked for. */
static void find_calls(struct resolver *r, struct body *body)
{
	struct calls calls = {r->arena, body};

	body->callees.items = NULL;
	body->callees.count = 0;
	note_stmt_calls(&body->stmt, &calls);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static bool drop_dead_of_body(struct resolver *r, struct body *body)
{
	struct reads reads = {0};
	bool any = false;

	reads.read = arena_alloc(r->arena, body->locals.count + 1);
	do {
		memset(reads.read, 0, body->locals.count + 1);
		reads.changed = false;
		note_stmt_reads(&body->stmt, &reads);
		drop_dead(&body->stmt, &reads);
		any |= reads.changed;
	} while (reads.changed);
	for (size_t i = 0; i < body->locals.count; i++)
		body->locals.items[i]->dropped =
		    body->locals.items[i]->kind == VAR_LOCAL && !reads.read[i];
	return any;
}

static void drop_dead_of_function(struct resolver *r, struct function_info *info)
{
	if (!drop_dead_of_body(r, &info->body))
		return;
	find_calls(r, &info->body);
	if (info->fallback)
		ARENA_APPEND(r->arena, &info->body.callees, info->fallback);
}

void resolve_dead(struct resolver *r)
{
	const struct program *program = r->program;

	if (r->options->unoptimized)
		return;
	for (size_t i = 0; i < program->functions.count; i++)
		if (program->functions.items[i]->decl->body->kind != STMT_EMBEDDED)
			drop_dead_of_function(r, program->functions.items[i]);
	for (size_t i = 0; i < program->probes.count; i++)
		if ((!i || program->probes.items[i]->body != program->probes.items[i - 1]->body) &&
		    drop_dead_of_body(r, program->probes.items[i]->body))
			find_calls(r, program->probes.items[i]->body);
}
