// SPDX-License-Identifier: GPL-2.0-only
#include "script/walk.h"

#include <string.h>

static void visit(struct expr **slot, expr_visit_fn *cb, void *arg)
{
	if (*slot)
		cb(slot, arg);
}

static void visit_list(struct expr_list *list, expr_visit_fn *cb, void *arg)
{
	for (size_t i = 0; i < list->count; i++)
		visit(&list->items[i], cb, arg);
}

static void visit_target(struct target *target, expr_visit_fn *cb, void *arg)
{
	visit(&target->pointer, cb, arg);
	for (size_t i = 0; i < target->path.count; i++)
		visit(&target->path.items[i].index, cb, arg);
}

void expr_each_child(struct expr *e, expr_visit_fn *cb, void *arg)
{
	switch (e->kind) {
	case EXPR_INDEX:
		visit(&e->index.base, cb, arg);
		visit_list(&e->index.keys, cb, arg);
		break;
	case EXPR_UNARY:
		visit(&e->unary.operand, cb, arg);
		break;
	case EXPR_STEP:
		visit(&e->step.operand, cb, arg);
		break;
	case EXPR_BINARY:
	case EXPR_ASSIGN:
	case EXPR_CHOOSE:
		visit(&e->binary.left, cb, arg);
		visit(&e->binary.right, cb, arg);
		break;
	case EXPR_TERNARY:
		visit(&e->ternary.cond, cb, arg);
		visit(&e->ternary.yes, cb, arg);
		visit(&e->ternary.no, cb, arg);
		break;
	case EXPR_MEMBER:
		visit_list(&e->member.keys, cb, arg);
		visit(&e->member.base, cb, arg);
		break;
	case EXPR_CALL:
		visit_list(&e->call.args, cb, arg);
		break;
	case EXPR_PRINT:
		visit_list(&e->print->args, cb, arg);
		break;
	case EXPR_STAT:
		visit(&e->stat.stat, cb, arg);
		break;
	case EXPR_TARGET:
		visit_target(e->target, cb, arg);
		break;
	case EXPR_DEFINED:
	case EXPR_ENTRY:
	case EXPR_PROBEWRITE:
		visit(&e->wrapped.operand, cb, arg);
		break;
	case EXPR_REGISTER:
	case EXPR_DEREF:
		visit(&e->machine.size, cb, arg);
		visit(&e->machine.address, cb, arg);
		break;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SYMBOL:
	case EXPR_PERF:
	case EXPR_CONST:
	case EXPR_ENUM:
	case EXPR_EMBEDDED:
		break;
	}
}

void stmt_each_expr(struct stmt *s, expr_visit_fn *cb, void *arg)
{
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_RETURN:
	case STMT_DELETE:
		visit(&s->expr, cb, arg);
		break;
	case STMT_IF:
		visit(&s->branch.cond, cb, arg);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		visit(&s->loop.init, cb, arg);
		visit(&s->loop.cond, cb, arg);
		visit(&s->loop.next, cb, arg);
		break;
	case STMT_FOREACH:
		visit(&s->foreach.base, cb, arg);
		visit_list(&s->foreach.slice, cb, arg);
		visit(&s->foreach.limit, cb, arg);
		break;
	default:
		break;
	}
}

static void visit_stmt(struct stmt **slot, stmt_visit_fn *cb, void *arg)
{
	if (*slot)
		cb(slot, arg);
}

void stmt_each_child(struct stmt *s, stmt_visit_fn *cb, void *arg)
{
	switch (s->kind) {
	case STMT_BLOCK:
		for (size_t i = 0; i < s->block.count; i++)
			visit_stmt(&s->block.items[i], cb, arg);
		break;
	case STMT_IF:
		visit_stmt(&s->branch.then, cb, arg);
		visit_stmt(&s->branch.otherwise, cb, arg);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		visit_stmt(&s->loop.body, cb, arg);
		break;
	case STMT_FOREACH:
		visit_stmt(&s->foreach.body, cb, arg);
		break;
	case STMT_TRY:
		visit_stmt(&s->trial.body, cb, arg);
		visit_stmt(&s->trial.handler, cb, arg);
		break;
	default:
		break;
	}
}

/* --- copies: the node, its lists, then what its slots hold ------------------------------------ */

static void *copy_bytes(struct arena *arena, const void *data, size_t size)
{
	void *copy = size ? arena_alloc(arena, size) : NULL;

	if (copy)
		memcpy(copy, data, size);
	return copy;
}

/* ARENA_APPEND takes the capacity for the next power of two: a copied list is never appended to
 * while it is shorter, so it is copied with that capacity. */
static void *copy_items(struct arena *arena, const void *items, size_t count, size_t size)
{
	size_t cap = 1;
	void *copy;

	if (!count)
		return NULL;
	while (cap < count)
		cap *= 2;
	copy = arena_alloc(arena, cap * size);
	memcpy(copy, items, count * size);
	return copy;
}

#define COPY_LIST(arena, list)                                                                     \
	((list)->items = copy_items((arena), (list)->items, (list)->count, sizeof(*(list)->items)))

static void clone_slot(struct expr **slot, void *arena)
{
	*slot = expr_clone(arena, *slot);
}

static void clone_lists(struct arena *arena, struct expr *e)
{
	switch (e->kind) {
	case EXPR_INDEX:
		COPY_LIST(arena, &e->index.keys);
		break;
	case EXPR_MEMBER:
		COPY_LIST(arena, &e->member.keys);
		break;
	case EXPR_CALL:
		COPY_LIST(arena, &e->call.args);
		break;
	case EXPR_PRINT:
		e->print = copy_bytes(arena, e->print, sizeof(*e->print));
		COPY_LIST(arena, &e->print->args);
		break;
	case EXPR_TARGET:
		e->target = copy_bytes(arena, e->target, sizeof(*e->target));
		COPY_LIST(arena, &e->target->path);
		break;
	default:
		break;
	}
}

struct expr *expr_clone(struct arena *arena, const struct expr *expr)
{
	struct expr *copy;

	if (!expr)
		return NULL;
	copy = copy_bytes(arena, expr, sizeof(*expr));
	clone_lists(arena, copy);
	expr_each_child(copy, clone_slot, arena);
	return copy;
}

static void clone_stmt_slot(struct stmt **slot, void *arena)
{
	*slot = stmt_clone(arena, *slot);
}

struct stmt *stmt_clone(struct arena *arena, const struct stmt *stmt)
{
	struct stmt *copy;

	if (!stmt)
		return NULL;
	copy = copy_bytes(arena, stmt, sizeof(*stmt));
	if (copy->kind == STMT_BLOCK) {
		COPY_LIST(arena, &copy->block);
	} else if (copy->kind == STMT_FOREACH) {
		COPY_LIST(arena, &copy->foreach.keys);
		COPY_LIST(arena, &copy->foreach.slice);
		if (copy->foreach.value)
			copy->foreach.value =
			    copy_bytes(arena, copy->foreach.value, sizeof(*copy->foreach.value));
	} else if (copy->kind == STMT_TRY && copy->trial.message) {
		copy->trial.message =
		    copy_bytes(arena, copy->trial.message, sizeof(*copy->trial.message));
	}
	stmt_each_expr(copy, clone_slot, arena);
	stmt_each_child(copy, clone_stmt_slot, arena);
	return copy;
}
