// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which globals each body reads and writes, its callees' included. From it follow the locks that
 * a handler takes, and what is told about: things never used, and an array that changes while a
 * foreach walks it.
 */
#include "script/resolve_private.h"

#include "script/walk.h"

struct walk {
	struct resolver *r;
	struct body *body;
	struct variable *iterated[16]; /* arrays of the foreach loops around this place */
	size_t depth;
	bool checking; /* the functions' sets are complete */
};

static void visit_expr(struct expr **slot, void *arg);

/* --- uses ------------------------------------------------------------------------------------- */

static void tell_if_iterated(struct walk *w, const struct variable *var, const struct token *tok)
{
	for (size_t i = 0; i < w->depth; i++) {
		if (w->iterated[i] != var)
			continue;
		diag_add(w->r->diags, tok, FOREACH_MODIFIES, var->name);
		return;
	}
}

static void use(struct walk *w, struct variable *var, unsigned flags, const struct token *tok)
{
	if (!var)
		return;
	if (flags & USE_READ)
		var->read = true;
	if ((flags & (USE_CHANGE | USE_SORT)) && w->checking)
		tell_if_iterated(w, var, tok);
	if (var->kind != VAR_GLOBAL) {
		var->assigned |= var->kind == VAR_LOCAL && (flags & USE_CHANGE);
		return;
	}
	w->body->uses[var->number] |= flags;
	if (flags & USE_CHANGE)
		var->written = true;
}

/* A variable or array element that is written, and perhaps read; its keys are read. */
static void use_place(struct walk *w, struct expr *place, unsigned flags)
{
	if (place->kind == EXPR_SYMBOL) {
		use(w, place->symbol.var, flags, place->tok);
		return;
	}
	if (place->kind != EXPR_INDEX) {
		expr_each_child(place, visit_expr, w);
		return;
	}
	if (place->index.base->kind == EXPR_SYMBOL)
		use(w, place->index.base->symbol.var, flags, place->tok);
	else
		visit_expr(&place->index.base, w);
	for (size_t i = 0; i < place->index.keys.count; i++)
		if (place->index.keys.items[i])
			visit_expr(&place->index.keys.items[i], w);
}

static void visit_call(struct walk *w, struct expr *e)
{
	const struct function_info *callee = e->call.functions->function;

	for (size_t i = 0; callee && w->checking && i < w->r->program->globals.count; i++)
		if (callee->body.uses[i] & (USE_CHANGE | USE_SORT))
			tell_if_iterated(w, w->r->program->globals.items[i], e->tok);
	expr_each_child(e, visit_expr, w);
}

static void visit_expr(struct expr **slot, void *arg)
{
	struct walk *w = arg;
	struct expr *e = *slot;

	switch (e->kind) {
	case EXPR_SYMBOL:
	case EXPR_INDEX:
		use_place(w, e, USE_READ);
		break;
	case EXPR_ASSIGN:
		use_place(w, e->binary.left, e->binary.op == OP_SAMPLE ? USE_ADD : USE_WRITE);
		visit_expr(&e->binary.right, w);
		break;
	case EXPR_STEP:
		use_place(w, e->step.operand, USE_READ | USE_WRITE);
		break;
	case EXPR_CALL:
		visit_call(w, e);
		break;
	default:
		expr_each_child(e, visit_expr, w);
		break;
	}
}

/* An expression whose value nobody takes: what only adds is told from what writes. */
static void visit_discarded(struct walk *w, struct expr *e)
{
	if (!e)
		return;
	if (e->kind == EXPR_STEP) {
		use_place(w, e->step.operand, USE_ADD);
	} else if (e->kind == EXPR_ASSIGN && (e->binary.op == OP_ADD || e->binary.op == OP_SUB)) {
		use_place(w, e->binary.left, USE_ADD);
		visit_expr(&e->binary.right, w);
	} else {
		visit_expr(&e, w);
	}
}

/* --- statements ------------------------------------------------------------------------------- */

static void visit_stmt(struct stmt **slot, void *arg);

/* The variables that a loop gives a value to. */
static void visit_foreach_targets(struct walk *w, struct stmt *st)
{
	for (size_t i = 0; i < st->foreach.keys.count; i++)
		use(w, st->foreach.keys.items[i].var, USE_READ | USE_WRITE, st->tok);
	if (st->foreach.value)
		use(w, st->foreach.value->var, USE_READ | USE_WRITE, st->tok);
}

static void visit_foreach(struct walk *w, struct stmt *st)
{
	struct variable *var = st->foreach.base->symbol.var;

	use(w, var, USE_READ | (st->foreach.sort_direction ? USE_SORT : 0), st->foreach.base->tok);
	visit_foreach_targets(w, st);
	for (size_t i = 0; i < st->foreach.slice.count; i++)
		if (st->foreach.slice.items[i])
			visit_expr(&st->foreach.slice.items[i], w);
	if (st->foreach.limit)
		visit_expr(&st->foreach.limit, w);
	if (w->depth == sizeof(w->iterated) / sizeof(w->iterated[0])) {
		resolver_unsupported(w->r, st->tok, "foreach nested more than 16 deep");
		return;
	}
	w->iterated[w->depth++] = var;
	visit_stmt(&st->foreach.body, w);
	w->depth--;
}

static void visit_stmt(struct stmt **slot, void *arg)
{
	struct walk *w = arg;
	struct stmt *st = *slot;

	if (st->kind == STMT_FOREACH && st->foreach.base->kind == EXPR_SYMBOL) {
		visit_foreach(w, st);
		return;
	}
	if (st->kind == STMT_DELETE) {
		use_place(w, st->expr, USE_WRITE);
	} else if (st->kind == STMT_EXPR) {
		visit_discarded(w, st->expr);
	} else if (st->kind == STMT_FOR) {
		visit_discarded(w, st->loop.init);
		if (st->loop.cond)
			visit_expr(&st->loop.cond, w);
		visit_discarded(w, st->loop.next);
	} else {
		stmt_each_expr(st, visit_expr, w);
	}
	if (st->kind == STMT_FOREACH)
		visit_foreach_targets(w, st);
	if (st->kind == STMT_TRY && st->trial.message)
		use(w, st->trial.message->var, USE_READ | USE_WRITE, st->tok);
	stmt_each_child(st, visit_stmt, w);
}

static void walk_body(struct resolver *r, struct body *body, bool checking)
{
	struct walk walk = {.r = r, .body = body, .checking = checking};

	for (size_t i = 0; i < body->embedded_uses.count; i++)
		use(&walk, body->embedded_uses.items[i].var, body->embedded_uses.items[i].use,
		    body->stmt->tok);
	visit_stmt(&body->stmt, &walk);
}

/* --- the call graph --------------------------------------------------------------------------- */

/* Adds what the callees use and want; false when nothing was new. */
static bool absorb_callees(struct resolver *r, struct body *body)
{
	bool changed = false;

	for (size_t i = 0; i < body->callees.count; i++) {
		const struct body *callee = &body->callees.items[i]->body;

		changed |= callee->entry_args > body->entry_args;
		changed |= callee->impure && !body->impure;
		body->impure |= callee->impure;
		body_want_args(body, callee->entry_args);
		for (size_t j = 0; j < r->program->globals.count; j++) {
			changed |= (body->uses[j] | callee->uses[j]) != body->uses[j];
			body->uses[j] |= callee->uses[j];
		}
	}
	return changed;
}

static void close_functions(struct resolver *r)
{
	bool changed;

	do {
		changed = false;
		for (size_t i = 0; i < r->program->functions.count; i++)
			changed |= absorb_callees(r, &r->program->functions.items[i]->body);
	} while (changed);
}

/* --- unused things ---------------------------------------------------------------------------- */

static void mark_used(struct function_info *info)
{
	if (info->visiting)
		return;
	info->visiting = info->used = true;
	for (size_t i = 0; i < info->body.callees.count; i++)
		mark_used(info->body.callees.items[i]);
}

static void mark_functions(struct program *program, bool all)
{
	for (size_t i = 0; i < program->functions.count; i++)
		program->functions.items[i]->used = all;
	for (size_t i = 0; i < program->probes.count; i++) {
		const struct body *body = program->probes.items[i]->body;

		for (size_t j = 0; body && j < body->callees.count; j++)
			mark_used(body->callees.items[j]);
	}
	for (size_t i = 0; i < program->functions.count; i++)
		program->functions.items[i]->visiting = false;
}

/* Aliases offer variables that need not be used. */
static bool is_library_token(const struct resolver *r, const struct token *tok)
{
	const struct script_file *file = resolver_file_of(r, tok);

	return file && file->is_tapset;
}

static void warn_locals(struct resolver *r, const struct body *body)
{
	for (size_t i = 0; i < body->locals.count; i++)
		if (body->locals.items[i]->assigned && !body->locals.items[i]->read &&
		    !is_library_token(r, body->locals.items[i]->tok))
			diag_add(r->diags, body->locals.items[i]->tok, UNUSED_VARIABLE,
			         body->locals.items[i]->name);
}

void resolve_unused(struct resolver *r)
{
	const struct program *program = r->program;

	if (r->options->no_warnings)
		return;
	for (size_t i = 0; i < program->globals.count; i++) {
		const struct variable *var = program->globals.items[i];

		if (!var->read && !var->written && !var->global->file->is_tapset)
			diag_add(r->diags, var->tok, UNUSED_VARIABLE, var->name);
	}
	for (size_t i = 0; i < program->functions.count; i++) {
		const struct function_info *info = program->functions.items[i];

		if (info->decl->file->is_tapset || info->is_again)
			continue;
		if (!info->used && !info->original)
			diag_add(r->diags, info->decl->tok, UNUSED_FUNCTION, info->decl->name);
		else
			warn_locals(r, &info->body);
	}
	for (size_t i = 0; i < program->probes.count; i++)
		if (!i || program->probes.items[i]->source != program->probes.items[i - 1]->source)
			warn_locals(r, program->probes.items[i]->body);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void make_sets(struct resolver *r, struct body *body)
{
	if (!body->uses)
		body->uses = arena_alloc(r->arena, r->program->globals.count + 1);
}

/* Functions are walked twice: what a call changes is only known when all have been. */
static void walk_functions(struct resolver *r)
{
	const struct program *program = r->program;

	for (size_t i = 0; i < program->functions.count; i++)
		make_sets(r, &program->functions.items[i]->body);
	for (size_t i = 0; i < program->functions.count; i++)
		walk_body(r, &program->functions.items[i]->body, false);
	close_functions(r);
	for (size_t i = 0; i < program->functions.count; i++)
		walk_body(r, &program->functions.items[i]->body, true);
}

void resolve_sets(struct resolver *r)
{
	const struct program *program = r->program;

	if (program->functions.count && !program->functions.items[0]->body.uses)
		walk_functions(r);
	for (size_t i = 0; i < program->probes.count; i++) {
		struct body *body = program->probes.items[i]->body;

		if (!body || body->uses)
			continue; /* shared, and done; or told why it is not there */
		make_sets(r, body);
		walk_body(r, body, true);
		absorb_callees(r, body);
	}
	mark_functions(r->program, r->options->unoptimized);
}
