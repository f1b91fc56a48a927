// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target variables: $file->f_path->dentry to a base value and a list of steps.
 *
 * What tells of a variable (target_base.c: BTF; target_dwarf.c: debug information) gives its type and
 * where it is, and the layout of every structure. So a path becomes arithmetic with constants: the
 * base is an argument register, the return value, @cast's pointer, a location; then offsets are
 * added, and a pointer on the way is loaded. While walking (target_path.c), the steps so far are
 * either a *value* of a type (what was loaded, or the base) or the *address* of an object of it:
 *
 *	$file->f_path->dentry->d_inode		value struct file *	argument 0
 *	       f_path				address struct path	+16
 *	               dentry			address struct dentry *	+8
 *	                       d_inode		address struct inode *	load 8, +48
 *	(end: read it)				value			load 8
 *
 * As in stap, -> goes through embedded structures and through pointers alike. $x$ ends in a table of
 * what is in the object (target_show.c), $$vars and its like are a print of several (target_listing.c).
 * An assignment (guru mode) takes the last load away and stores there.
 *
 * @defined() asks whether the walk succeeds; branches that it rules out are removed unresolved, here.
 */
#include "script/target_private.h"

#include <string.h>

#include "script/walk.h"

static void visit_stmt(struct stmt **slot, void *arg);

void target_resolve(struct target_walk *w, struct expr *e)
{
	struct cursor at = {
	    .w = w, .tok = e->tok, .spelled = e->tok->text, .type = c_type_void()};

	at.access = ARENA_NEW(w->r->arena, struct target_access);
	if (!target_begin(&at, e) || !target_walk_path(&at, e->target) ||
	    !target_end_path(&at, e))
		return;
	at.access->type = at.type;
	at.access->is_user = at.is_user;
	e->target->access = at.access;
}

/* --- @defined and dead branches --------------------------------------------------------------- */

static void make_number(struct expr *e, int64_t number)
{
	e->kind = EXPR_NUMBER;
	e->number = number;
}

/* Whether an expression resolves. Its errors are not told; it stays resolved if it does. */
static bool is_defined(struct target_walk *w, struct expr **slot)
{
	struct diag_list quiet, *loud = w->r->diags;
	const bool was_strict = w->is_strict;
	bool defined;

	diag_list_init(&quiet);
	w->r->diags = &quiet;
	w->is_strict = true;
	target_visit_expr(slot, w);
	w->is_strict = was_strict;
	w->r->diags = loud;
	defined = !diag_error_count(&quiet);
	diag_list_deinit(&quiet);
	return defined;
}

static void visit_target(struct target_walk *w, struct expr *e)
{
	if (!target_listing(w, e))
		target_resolve(w, e);
}

/* --skip-badvars: what is not there is 0, and "" where it is a text. What is to be written must be. */
static void visit_lenient(struct target_walk *w, struct expr **slot)
{
	const struct target *target = (*slot)->target;
	const bool is_text = target->pretty != PRETTY_NONE ||
	                     (target->base == TARGET_DOLLAR && !strncmp(target->name, "$$", 2));

	if (is_defined(w, slot))
		return;
	make_number(*slot, 0);
	if (!is_text)
		return;
	(*slot)->kind = EXPR_STRING;
	(*slot)->string.data = "";
	(*slot)->string.len = 0;
}

static void visit_logic(struct target_walk *w, struct expr *e)
{
	bool is_or = e->binary.op == OP_LOR;

	target_visit_expr(&e->binary.left, w);
	if (e->binary.left->kind == EXPR_NUMBER && (e->binary.left->number != 0) == is_or)
		make_number(e, is_or);
	else
		target_visit_expr(&e->binary.right, w);
	if (e->kind == EXPR_BINARY && e->binary.left->kind == EXPR_NUMBER &&
	    e->binary.right->kind == EXPR_NUMBER)
		make_number(e, e->binary.right->number != 0);
}

static void visit_ternary(struct target_walk *w, struct expr **slot)
{
	struct expr *e = *slot;

	target_visit_expr(&e->ternary.cond, w);
	if (e->ternary.cond->kind != EXPR_NUMBER) {
		target_visit_expr(&e->ternary.yes, w);
		target_visit_expr(&e->ternary.no, w);
		return;
	}
	*slot = e->ternary.cond->number ? e->ternary.yes : e->ternary.no;
	target_visit_expr(slot, w);
}

static void visit_enum(struct target_walk *w, struct expr *e)
{
	struct error *error;
	int64_t value = 0;

	if (!target_need_btf(w, e->tok))
		return;
	error = btf_index_find_enumerator(w->btf, e->named.name, &value);
	if (error)
		diag_add(w->r->diags, e->tok, ENUM_UNKNOWN, e->named.name, error->message);
	error_destroy(error);
	make_number(e, value);
}

/* What resolve_names() left: an enumerator of the kernel, or nothing that is known. */
static void visit_const(struct target_walk *w, struct expr *e)
{
	struct error *error;
	int64_t value = 0;

	if (!target_need_btf(w, e->tok))
		return;
	error = btf_index_find_enumerator(w->btf, e->named.name, &value);
	if (error) {
		diag_add(w->r->diags, e->tok, CONST_UNKNOWN, e->named.name,
		         "no enumerator of the kernel, and no common macro of its headers");
		diag_hint(w->r->diags, "give its value in C code: %%{ #define %s ... %%}",
		          e->named.name);
	}
	error_destroy(error);
	make_number(e, value);
}

static void note_write(struct target_walk *w, const struct expr *place)
{
	if (place->kind != EXPR_TARGET)
		return;
	place->target->is_written = true;
	if (!w->r->options->guru)
		diag_add(w->r->diags, place->tok, TARGET_WRITE);
}

/* x = $file: from here on x->f_inode is known. What is assigned last in the text counts. */
static void note_type(struct target_walk *w, const struct expr *e)
{
	struct typed_local local;

	if (e->binary.op != OP_SET || e->binary.left->kind != EXPR_SYMBOL ||
	    !target_value_type(w, e->binary.right, &local.value))
		return;
	local.var = e->binary.left->symbol.var;
	ARENA_APPEND(w->r->arena, &w->locals, local);
}

void target_visit_expr(struct expr **slot, void *arg)
{
	struct target_walk *w = arg;
	struct expr *e = *slot;

	switch (e->kind) {
	case EXPR_DEFINED:
		make_number(e, is_defined(w, &e->wrapped.operand));
		return;
	case EXPR_CHOOSE:
		*slot = is_defined(w, &e->binary.left) ? e->binary.left : e->binary.right;
		if (*slot == e->binary.right)
			target_visit_expr(slot, w);
		return;
	case EXPR_TARGET:
		if (w->r->options->skip_badvars && !w->is_strict && !e->target->is_written)
			visit_lenient(w, slot);
		else
			visit_target(w, e);
		return;
	case EXPR_ENUM:
		visit_enum(w, e);
		return;
	case EXPR_CONST:
		visit_const(w, e);
		return;
	case EXPR_TERNARY:
		visit_ternary(w, slot);
		return;
	case EXPR_ASSIGN:
		note_write(w, e->binary.left);
		break;
	case EXPR_STEP:
		note_write(w, e->step.operand);
		break;
	default:
		break;
	}
	if (e->kind == EXPR_BINARY && op_group(e->binary.op) == OPS_LOGIC) {
		visit_logic(w, e);
		return;
	}
	expr_each_child(e, target_visit_expr, w);
	if (e->kind == EXPR_ASSIGN)
		note_type(w, e);
	if (e->kind == EXPR_UNARY && e->unary.op == OP_NOT && e->unary.operand->kind == EXPR_NUMBER)
		make_number(e, !e->unary.operand->number);
}

static void visit_stmt(struct stmt **slot, void *arg)
{
	struct stmt *st = *slot;

	stmt_each_expr(st, target_visit_expr, arg);
	if (st->kind == STMT_IF && st->branch.cond->kind == EXPR_NUMBER) {
		struct stmt *taken =
		    st->branch.cond->number ? st->branch.then : st->branch.otherwise;

		if (taken) {
			*slot = taken;
			visit_stmt(slot, arg);
		} else {
			st->kind = STMT_NULL;
		}
		return;
	}
	stmt_each_child(st, visit_stmt, arg);
}

void resolve_targets(struct resolver *r, struct body *body, const struct planted_probe *planted)
{
	struct target_walk walk = {.r = r, .body = body, .planted = planted};

	visit_stmt(&body->stmt, &walk);
}
