// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target variables: $file->f_path->dentry to a base value and a list of steps.
 *
 * BTF gives the probed function's parameters and the layout of every structure, so a path becomes
 * arithmetic with constants: the base is an argument register, the return value or @cast's pointer;
 * then offsets are added, and a pointer on the way is loaded. While walking, the steps so far are
 * either a *value* of a type (what was loaded, or the base) or the *address* of an object of it:
 *
 *	$file->f_path->dentry->d_inode		value struct file *	argument 0
 *	       f_path				address struct path	+16
 *	               dentry			address struct dentry *	+8
 *	                       d_inode		address struct inode *	load 8, +48
 *	(end: read it)				value			load 8
 *
 * As in stap, -> goes through embedded structures and through pointers alike. @defined() asks
 * whether the walk succeeds; branches that it rules out are removed unresolved, here.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/resolve_target.h"
#include "script/walk.h"

enum { ARGUMENT_REGISTERS = 6 };

struct target_walk {
	struct resolver *r;
	struct body *body;
	const struct planted_probe *planted; /* NULL in functions */
	struct btf_index *btf;
};

struct cursor {
	struct target_walk *w;
	struct target_access *access;
	const char *spelled; /* the path so far, for messages */
	int type;            /* BTF id, typedefs included */
	bool is_address;
	struct btf_field field; /* bit-field data of the last field */
};

static void visit_expr(struct expr **slot, void *arg);
static void visit_stmt(struct stmt **slot, void *arg);

/* --- where the variables come from ------------------------------------------------------------ */

static bool need_btf(struct target_walk *w, const struct token *tok)
{
	struct kernel *kernel;
	struct error *error;

	if (w->btf)
		return true;
	kernel = resolver_kernel(w->r, tok);
	if (!kernel)
		return false;
	error = kernel_btf(kernel, &w->btf);
	if (error)
		diag_add(w->r->diags, tok, KERNEL_UNREADABLE, error->message);
	error_destroy(error);
	return w->btf != NULL;
}

static bool need_prototype(struct target_walk *w, const struct token *tok, const char *name,
                           struct btf_prototype *ret)
{
	struct error *error;

	if (!w->planted || !w->planted->symbol) {
		diag_add(w->r->diags, tok, TARGET_NOT_HERE, name,
		         w->planted ? arena_printf(w->r->arena, "in probe %s", w->planted->pp)
		                    : "in functions; pass it as an argument");
		return false;
	}
	if (w->planted->site && (w->planted->site->kind == SITE_PLACE ||
	                         w->planted->site->fn->kind == FUNCTION_INLINE)) {
		diag_add(w->r->diags, tok, TARGET_NOT_HERE, name,
		         arena_printf(w->r->arena, "in probe %s", w->planted->pp));
		return false;
	}
	if (!need_btf(w, tok))
		return false;
	error = btf_index_find_function(w->btf, w->planted->symbol, ret);
	if (!error)
		return true;
	diag_add(w->r->diags, tok, TARGET_NO_PROTOTYPE, w->planted->symbol, error->message);
	diag_hint(w->r->diags, "long_arg(n) and pointer_arg(n) read them by number");
	error_destroy(error);
	return false;
}

/* How many eight-byte words of registers or stack an argument takes. */
static int argument_words(const struct btf_index *btf, int type)
{
	int64_t size = btf_index_size(btf, type);

	return size > 8 ? (int)((size + 7) / 8) : 1;
}

/* The psABI hands out registers in order. A structure over 16 bytes, or one that the registers
 * left do not hold, goes to the stack whole; what follows may still get registers. */
int target_argument_word(const struct btf_index *btf, const struct btf_prototype *proto,
                         unsigned argument)
{
	int reg = 0, stack = ARGUMENT_REGISTERS;

	for (unsigned i = 0;; i++) {
		int words = argument_words(btf, proto->args[i].type);
		bool in_regs = words <= 2 && reg + words <= ARGUMENT_REGISTERS;

		if (i == argument)
			return in_regs ? reg : stack;
		*(in_regs ? &reg : &stack) += words;
	}
}

static void tell_unknown_parameter(struct target_walk *w, const struct expr *e, const char *name,
                                   const struct btf_prototype *proto)
{
	struct {
		ARENA_LIST(const char *);
	} names = {0};
	const char *near;

	for (unsigned i = 0; i < proto->argc; i++)
		ARENA_APPEND(w->r->arena, &names, btf_index_name(w->btf, proto->args[i].name_off));
	if (w->planted->is_return)
		ARENA_APPEND(w->r->arena, &names, "return");
	near = diag_nearest(name, names.items, names.count);
	diag_add(w->r->diags, e->tok, TARGET_UNKNOWN, w->planted->symbol, name);
	if (near)
		diag_hint(w->r->diags, "did you mean '$%s'?", near);
	else if (names.count)
		diag_hint(w->r->diags,
		          "locals need debug information; list what is here with "
		          "-L '%s'",
		          w->planted->pp);
}

static bool start_argument(struct cursor *at, const struct expr *e, const char *name,
                           const struct btf_prototype *proto)
{
	struct target_walk *w = at->w;

	for (unsigned i = 0; i < proto->argc; i++) {
		if (strcmp(btf_index_name(w->btf, proto->args[i].name_off), name))
			continue;
		at->type = proto->args[i].type;
		at->access->base = ACCESS_ARGUMENT;
		at->access->argument = target_argument_word(w->btf, proto, i);
		if (!w->planted->is_return)
			return true;
		w->body->wants_entry_args = true;
		if (at->access->argument < ARGUMENT_REGISTERS)
			return true;
		resolver_unsupported(w->r, e->tok, "stack arguments in return probes");
		return false;
	}
	tell_unknown_parameter(w, e, name, proto);
	return false;
}

static bool start_dollar(struct cursor *at, const struct expr *e)
{
	const char *name = e->target->base == TARGET_DOLLAR ? e->target->name + 1 : e->target->name;
	struct btf_prototype proto;

	if (!need_prototype(at->w, e->tok, e->tok->text, &proto))
		return false;
	if (strcmp(name, "return"))
		return start_argument(at, e, name, &proto);
	if (!at->w->planted->is_return) {
		diag_add(at->w->r->diags, e->tok, TARGET_NOT_HERE, "$return",
		         "at a function's entry; probe .return");
		return false;
	}
	if (!proto.return_type) {
		diag_add(at->w->r->diags, e->tok, TARGET_NOT_HERE, "$return",
		         "since the function returns nothing");
		return false;
	}
	at->access->base = ACCESS_RETVAL;
	at->type = proto.return_type;
	return true;
}

/* @cast(p, "type"): a pointer to it. "struct" may be left out, as in stap. */
static bool start_cast(struct cursor *at, const struct expr *e)
{
	struct target_walk *w = at->w;
	const char *name = e->target->type;
	struct error *error;

	if (e->target->module && strncmp(e->target->module, "kernel", 6)) {
		resolver_unsupported(w->r, e->tok, "@cast to types of %s", e->target->module);
		return false;
	}
	if (!need_btf(w, e->tok))
		return false;
	error = btf_index_find_type(w->btf, name, &at->type);
	if (error) {
		error_destroy(error);
		error = btf_index_find_struct(w->btf, name, &at->type);
	}
	if (error) {
		diag_add(w->r->diags, e->tok, TARGET_TYPE, name, error->message);
		error_destroy(error);
		return false;
	}
	visit_expr(&e->target->pointer, w);
	at->access->base = ACCESS_POINTER;
	at->access->pointer = e->target->pointer;
	at->is_address = true;
	return true;
}

/* --- the path --------------------------------------------------------------------------------- */

static const struct btf_type *type_at(const struct cursor *at)
{
	return btf__type_by_id(btf_index_btf(at->w->btf), btf_index_strip(at->w->btf, at->type));
}

static struct access_step *add_step(struct cursor *at, enum access_op op, int64_t number)
{
	struct access_step step = {.op = op, .number = number};

	ARENA_APPEND(at->w->r->arena, &at->access->steps, step);
	return &at->access->steps.items[at->access->steps.count - 1];
}

static void add_offset(struct cursor *at, int64_t offset)
{
	size_t count = at->access->steps.count;

	if (count && at->access->steps.items[count - 1].op == ACCESS_ADD)
		at->access->steps.items[count - 1].number += offset;
	else if (offset)
		add_step(at, ACCESS_ADD, offset);
}

/* Follows a pointer: afterwards the steps are the address of what it points to. */
static void follow(struct cursor *at, const struct btf_type *pointer)
{
	if (at->is_address)
		add_step(at, ACCESS_LOAD, 0)->width = 8;
	at->is_address = true;
	at->type = (int)pointer->type;
}

static bool walk_field(struct cursor *at, const struct accessor *accessor)
{
	struct target_walk *w = at->w;
	const struct btf_type *type = type_at(at);
	const char *near;
	struct error *error;

	if (btf_is_ptr(type)) {
		follow(at, type);
		type = type_at(at);
	}
	if (!btf_is_composite(type) || !at->is_address) {
		diag_add(w->r->diags, accessor->tok, TARGET_NOT_STRUCT, at->spelled);
		return false;
	}
	error = btf_index_find_field(w->btf, at->type, accessor->field, &at->field);
	if (error) {
		near = btf_index_nearest_field(w->btf, at->type, accessor->field);
		diag_add(w->r->diags, accessor->tok, TARGET_FIELD,
		         target_type_text(w->r->arena, w->btf, at->type), accessor->field);
		if (near)
			diag_hint(w->r->diags, "did you mean '%s'?", near);
		error_destroy(error);
		return false;
	}
	add_offset(at, at->field.offset);
	at->type = at->field.type;
	at->spelled = arena_printf(w->r->arena, "%s->%s", at->spelled, accessor->field);
	return true;
}

static bool walk_index(struct cursor *at, const struct accessor *accessor)
{
	struct target_walk *w = at->w;
	const struct btf_type *type = type_at(at);
	int64_t size;

	if (btf_is_array(type) && at->is_address)
		at->type = (int)btf_array(type)->type;
	else if (btf_is_ptr(type))
		follow(at, type);
	else
		type = NULL;
	size = type ? btf_index_size(w->btf, at->type) : -1;
	if (size <= 0) {
		diag_add(w->r->diags, accessor->tok, TARGET_NOT_INDEXED, at->spelled);
		return false;
	}
	if (accessor->index->kind == EXPR_NUMBER)
		add_offset(at, accessor->index->number * size);
	else
		add_step(at, ACCESS_SCALE, size)->index = accessor->index;
	at->field.bit_size = 0;
	at->spelled = arena_printf(w->r->arena, "%s[]", at->spelled);
	return true;
}

/* --- the end of the path ---------------------------------------------------------------------- */

static bool is_signed_type(const struct btf_type *type)
{
	if (btf_is_int(type))
		return btf_int_encoding(type) & BTF_INT_SIGNED;
	return btf_is_any_enum(type) && btf_kflag(type);
}

static void read_bits(struct cursor *at, bool is_signed)
{
	int shift = (int)(at->field.bit_offset - at->field.offset * 8);
	struct access_step *step = add_step(at, ACCESS_LOAD, 0);

	step->bit_shift = shift;
	step->bit_size = (int)at->field.bit_size;
	step->is_signed = is_signed;
	step->width = 1;
	while (step->width * 8 < shift + step->bit_size)
		step->width *= 2;
}

/* Makes a value of what the path leads to. Arrays are their address, as in C. */
static bool read_value(struct cursor *at, const struct expr *e)
{
	const struct btf_type *type = type_at(at);
	struct resolver *r = at->w->r;
	struct access_step *step;
	int64_t size = btf_index_size(at->w->btf, at->type);

	if (btf_is_array(type) && at->is_address)
		return true;
	if (!(btf_is_int(type) || btf_is_any_enum(type) || btf_is_ptr(type)) || size > 8) {
		diag_add(r->diags, e->tok, TARGET_NOT_SCALAR, at->spelled,
		         target_type_text(r->arena, at->w->btf, at->type));
		return false;
	}
	if (at->is_address && at->field.bit_size) {
		read_bits(at, is_signed_type(type));
	} else if (at->is_address || size < 8) {
		step = add_step(at, at->is_address ? ACCESS_LOAD : ACCESS_CUT, 0);
		step->width = (int)size;
		step->is_signed = is_signed_type(type);
	}
	return true;
}

static bool finish(struct cursor *at, const struct expr *e)
{
	if (e->target->base == TARGET_CAST && !e->target->path.count)
		return true; /* the pointer itself */
	if (!e->target->address)
		return read_value(at, e);
	if (at->is_address && !at->field.bit_size)
		return true;
	diag_add(at->w->r->diags, e->tok, TARGET_NO_ADDRESS, at->spelled);
	return false;
}

static void resolve_path(struct target_walk *w, struct expr *e)
{
	struct target *target = e->target;
	struct cursor at = {.w = w, .spelled = e->tok->text};
	bool ok;

	if (target->base == TARGET_VALUE) {
		resolver_unsupported(w->r, e->tok, "a member of what a variable points to; name the "
		                     "type: @cast(pointer, \"type\")->member");
		return;
	}
	at.access = ARENA_NEW(w->r->arena, struct target_access);
	ok = target->base == TARGET_CAST ? start_cast(&at, e) : start_dollar(&at, e);
	for (size_t i = 0; ok && i < target->path.count; i++) {
		const struct accessor *accessor = &target->path.items[i];

		if (accessor->index)
			visit_expr(&target->path.items[i].index, w);
		ok = accessor->kind == ACCESS_FIELD ? walk_field(&at, accessor)
		                                    : walk_index(&at, accessor);
	}
	if (ok && finish(&at, e))
		target->access = at.access;
}

/* --- $$parms and its like: a sprintf of name=value -------------------------------------------- */

static void add_text(struct target_walk *w, struct print *print, const char *text)
{
	struct format_part part = {
	    .text = text, .text_len = strlen(text), .width = -1, .precision = -1};

	ARENA_APPEND(w->r->arena, &print->parts, part);
}

static void add_variable(struct target_walk *w, struct print *print, const struct expr *origin,
                         const char *name)
{
	struct format_part part = {
	    .conversion = 'x', .flags = FORMAT_ALT, .width = -1, .precision = -1};
	struct expr *e = ARENA_NEW(w->r->arena, struct expr);

	e->kind = EXPR_TARGET;
	e->tok = origin->tok;
	e->target = ARENA_NEW(w->r->arena, struct target);
	e->target->base = TARGET_DOLLAR;
	e->target->name = arena_printf(w->r->arena, "$%s", name);
	resolve_path(w, e);
	add_text(w, print, arena_printf(w->r->arena, "%s%s=", print->args.count ? " " : "", name));
	ARENA_APPEND(w->r->arena, &print->parts, part);
	ARENA_APPEND(w->r->arena, &print->args, e);
}

static bool is_printable(const struct btf_index *btf, int type)
{
	const struct btf_type *t = btf__type_by_id(btf_index_btf(btf), btf_index_strip(btf, type));

	return btf_is_int(t) || btf_is_any_enum(t) || btf_is_ptr(t);
}

/* True if the name is one of $$vars $$parms $$return; the node is then a print. */
static bool resolve_listing(struct target_walk *w, struct expr *e)
{
	const char *name = e->target->name;
	struct btf_prototype proto;
	struct print *print;

	if (e->target->base != TARGET_DOLLAR || strncmp(name, "$$", 2))
		return false;
	if (!strcmp(name, "$$locals"))
		resolver_unsupported(w->r, e->tok, "$$locals, which needs debug information");
	if (e->target->pretty != PRETTY_NONE)
		resolver_unsupported(w->r, e->tok, "pretty-printed %s", name);
	if (!need_prototype(w, e->tok, name, &proto))
		return true;
	print = ARENA_NEW(w->r->arena, struct print);
	print->name = "sprintf";
	print->to_string = print->has_format = true;
	if (!strcmp(name, "$$return")) {
		if (w->planted->is_return && is_printable(w->btf, proto.return_type))
			add_variable(w, print, e, "return");
	} else {
		for (unsigned i = 0; i < proto.argc; i++)
			if (is_printable(w->btf, proto.args[i].type))
				add_variable(w, print, e,
				             btf_index_name(w->btf, proto.args[i].name_off));
	}
	e->kind = EXPR_PRINT;
	e->print = print;
	return true;
}

static void resolve_target(struct target_walk *w, struct expr *e)
{
	if (resolve_listing(w, e))
		return;
	if (e->target->pretty != PRETTY_NONE)
		resolver_unsupported(w->r, e->tok, "pretty-printed target variables ($x$)");
	else
		resolve_path(w, e);
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
	bool defined;

	diag_list_init(&quiet);
	w->r->diags = &quiet;
	visit_expr(slot, w);
	w->r->diags = loud;
	defined = !diag_error_count(&quiet);
	diag_list_deinit(&quiet);
	return defined;
}

static void visit_logic(struct target_walk *w, struct expr *e)
{
	bool is_or = e->binary.op == OP_LOR;

	visit_expr(&e->binary.left, w);
	if (e->binary.left->kind == EXPR_NUMBER && (e->binary.left->number != 0) == is_or)
		make_number(e, is_or);
	else
		visit_expr(&e->binary.right, w);
	if (e->kind == EXPR_BINARY && e->binary.left->kind == EXPR_NUMBER &&
	    e->binary.right->kind == EXPR_NUMBER)
		make_number(e, e->binary.right->number != 0);
}

static void visit_ternary(struct target_walk *w, struct expr **slot)
{
	struct expr *e = *slot;

	visit_expr(&e->ternary.cond, w);
	if (e->ternary.cond->kind != EXPR_NUMBER) {
		visit_expr(&e->ternary.yes, w);
		visit_expr(&e->ternary.no, w);
		return;
	}
	*slot = e->ternary.cond->number ? e->ternary.yes : e->ternary.no;
	visit_expr(slot, w);
}

static void visit_enum(struct target_walk *w, struct expr *e)
{
	struct error *error;
	int64_t value = 0;

	if (!need_btf(w, e->tok))
		return;
	error = btf_index_find_enumerator(w->btf, e->named.name, &value);
	if (error)
		diag_add(w->r->diags, e->tok, ENUM_UNKNOWN, e->named.name, error->message);
	error_destroy(error);
	make_number(e, value);
}

static void check_write(struct target_walk *w, const struct expr *place)
{
	if (place->kind != EXPR_TARGET)
		return;
	if (w->r->options->guru)
		resolver_unsupported(w->r, place->tok, "writing to target variables");
	else
		diag_add(w->r->diags, place->tok, TARGET_WRITE);
}

static void visit_expr(struct expr **slot, void *arg)
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
			visit_expr(slot, w);
		return;
	case EXPR_TARGET:
		resolve_target(w, e);
		return;
	case EXPR_ENUM:
		visit_enum(w, e);
		return;
	case EXPR_TERNARY:
		visit_ternary(w, slot);
		return;
	case EXPR_ASSIGN:
		check_write(w, e->binary.left);
		break;
	case EXPR_STEP:
		check_write(w, e->step.operand);
		break;
	default:
		break;
	}
	if (e->kind == EXPR_BINARY && op_group(e->binary.op) == OPS_LOGIC) {
		visit_logic(w, e);
		return;
	}
	expr_each_child(e, visit_expr, w);
	if (e->kind == EXPR_UNARY && e->unary.op == OP_NOT && e->unary.operand->kind == EXPR_NUMBER)
		make_number(e, !e->unary.operand->number);
}

static void visit_stmt(struct stmt **slot, void *arg)
{
	struct stmt *st = *slot;

	stmt_each_expr(st, visit_expr, arg);
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
