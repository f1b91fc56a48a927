// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a script value points to, so that value->member needs no @cast. A value knows it that is
 *
 *	a target variable with a pointer in it, $file->f_mapping
 *	the address of one, &$file->f_path, or @cast(p, "type") alone
 *	a local variable that was last assigned such a value, as the text goes
 *	a call of a function whose first `return` gives one; C code says it by the
 *		pragma pointer:task_struct
 *	a choice, cond ? a : b, of which one knows
 */
#include <ctype.h>
#include <string.h>

#include "script/target_private.h"
#include "script/walk.h"

static bool find(struct target_walk *w, const struct expr *value, struct pointed_type *ret);

static bool of_target(const struct target *target, struct pointed_type *ret)
{
	if (!target->access || target->pretty)
		return false;
	ret->type = target->access->type;
	ret->is_pointee = target->address || (target->base == TARGET_CAST && !target->path.count);
	ret->is_user = target->access->is_user;
	return true;
}

static bool of_local(const struct target_walk *w, const struct variable *var, struct pointed_type *ret)
{
	bool found = false;

	for (size_t i = 0; var && i < w->locals.count; i++) {
		if (w->locals.items[i].var != var)
			continue;
		*ret = w->locals.items[i].value;
		found = true;
	}
	return found;
}

/* --- functions -------------------------------------------------------------------------------------- */

static void note_return(struct stmt **slot, void *arg)
{
	const struct expr **found = arg;

	if (!*found && (*slot)->kind == STMT_RETURN)
		*found = (*slot)->expr;
	if (!*found)
		stmt_each_child(*slot, note_return, arg);
}

/* The name after the pragma, in C code. */
static const char *pragma_pointer(struct arena *arena, const struct embedded *code)
{
	static const char word[] = "/* pointer:";
	const char *at = memmem(code->code, code->len, word, sizeof(word) - 1);
	size_t len = 0;

	if (!at)
		return NULL;
	at += sizeof(word) - 1;
	while (at + len < code->code + code->len && (isalnum((unsigned char)at[len]) || at[len] == '_'))
		len++;
	return arena_strndup(arena, at, len);
}

static bool of_named(struct target_walk *w, const struct token *tok, const char *name,
                     struct pointed_type *ret)
{
	struct error *error;

	if (!target_need_btf(w, tok))
		return false;
	error = target_find_type(w, name, NULL, &ret->type);
	ret->is_pointee = !error;
	error_destroy(error);
	return ret->is_pointee;
}

/* What it returns was perhaps not resolved yet: a copy is, and its errors are told elsewhere. */
static bool of_returned(struct target_walk *w, const struct function_info *callee,
                        const struct expr *value, struct pointed_type *ret)
{
	struct target_walk walk = {.r = w->r, .planted = callee->place};
	struct expr *copy = expr_clone(w->r->arena, value);
	struct diag_list quiet, *loud = w->r->diags;
	struct body body = callee->body;
	bool found;

	walk.body = &body;
	diag_list_init(&quiet);
	w->r->diags = &quiet;
	target_visit_expr(&copy, &walk);
	found = find(&walk, copy, ret);
	w->r->diags = loud;
	diag_list_deinit(&quiet);
	return found;
}

static bool of_function(struct target_walk *w, const struct expr *call,
                        const struct function_info *callee, struct pointed_type *ret)
{
	struct stmt *body = callee->decl->body;
	const struct expr *value = NULL;
	const char *name;

	if (body->kind == STMT_EMBEDDED) {
		name = pragma_pointer(w->r->arena, body->embedded);
		return name && of_named(w, call->tok, name, ret);
	}
	note_return(&body, &value);
	return value && of_returned(w, callee, value, ret);
}

/* Each function is looked at once: one that returns what it itself returns tells nothing. */
static bool of_call(struct target_walk *w, const struct expr *call, struct pointed_type *ret)
{
	struct function_info *callee = call->call.functions ? call->call.functions->function : NULL;
	struct pointed_type *type;

	if (!callee)
		return false;
	if (!callee->points_known) {
		callee->points_known = true;
		type = ARENA_NEW(w->r->arena, struct pointed_type);
		if (of_function(w, call, callee, type))
			callee->points_to = type;
	}
	if (callee->points_to)
		*ret = *callee->points_to;
	return callee->points_to != NULL;
}

static bool find(struct target_walk *w, const struct expr *value, struct pointed_type *ret)
{
	switch (value->kind) {
	case EXPR_TARGET:
		return of_target(value->target, ret);
	case EXPR_SYMBOL:
		return of_local(w, value->symbol.var, ret);
	case EXPR_CALL:
		return of_call(w, value, ret);
	case EXPR_TERNARY:
		return find(w, value->ternary.yes, ret) || find(w, value->ternary.no, ret);
	case EXPR_ASSIGN:
		return value->binary.op == OP_SET && find(w, value->binary.right, ret);
	default:
		return false;
	}
}

bool target_value_type(struct target_walk *w, const struct expr *value, struct pointed_type *ret)
{
	*ret = (struct pointed_type){.type = c_type_void()};
	return find(w, value, ret);
}
