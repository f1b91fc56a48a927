// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a target variable, step by step, and what is made of its end. What the cursor means is
 * told at the top of resolve_target.c.
 *
 * An object that is in no memory, a structure in registers, has no steps: its members are parts of
 * it, counted in bits (access->part).
 */
#include "script/target_private.h"

static struct access_step *add_step(struct cursor *at, enum access_op op, int64_t number)
{
	struct access_step step = {.op = op, .number = number};

	ARENA_APPEND(at->w->r->arena, &at->access->steps, step);
	return &at->access->steps.items[at->access->steps.count - 1];
}

static void add_offset(struct cursor *at, int64_t offset)
{
	size_t count = at->access->steps.count;

	at->is_part |= !at->is_address;
	if (!at->is_address)
		at->access->part += (int)offset * 8;
	else if (count && at->access->steps.items[count - 1].op == ACCESS_ADD)
		at->access->steps.items[count - 1].number += offset;
	else if (offset)
		add_step(at, ACCESS_ADD, offset);
}

static struct access_step *add_load(struct cursor *at, int width)
{
	struct access_step *step = add_step(at, ACCESS_LOAD, 0);

	step->width = width;
	step->is_user = at->is_user;
	step->spelled = at->spelled;
	return step;
}

void target_follow(struct cursor *at)
{
	if (at->is_address)
		add_load(at, 8);
	else
		at->access->part_bits = 64;
	at->is_user |= c_type_is_user(at->type);
	at->is_address = true;
	at->type = c_type_target(at->type);
	at->field.bit_size = 0;
}

static bool is_composite(struct c_type type)
{
	enum type_kind kind = c_type_kind(type);

	return kind == TYPE_STRUCT || kind == TYPE_UNION;
}

/* DWARF of one unit may only declare a structure that another defines; BTF has them all. */
static void complete_type(struct cursor *at)
{
	struct btf_index *btf;
	int id;

	if (at->type.btf || c_type_size(at->type) >= 0 ||
	    resolver_btf(at->w->r, at->w->planted ? at->w->planted->module : NULL, &btf))
		return;
	if (!btf_index_find_struct(btf, c_type_name(at->type), &id))
		at->type = c_type_btf(btf, id);
}

static bool tell_no_member(struct cursor *at, const struct accessor *accessor)
{
	struct target_walk *w = at->w;
	const char *near = c_type_nearest_member(at->type, accessor->field);

	diag_add(w->r->diags, accessor->tok, TARGET_FIELD, target_type_text(w->r->arena, at->type),
	         accessor->field);
	if (near)
		diag_hint(w->r->diags, "did you mean '%s'?", near);
	return false;
}

static bool walk_field(struct cursor *at, const struct accessor *accessor)
{
	struct target_walk *w = at->w;
	struct error *error;

	if (c_type_kind(at->type) == TYPE_POINTER)
		target_follow(at);
	if (!is_composite(at->type)) {
		diag_add(w->r->diags, accessor->tok, TARGET_NOT_STRUCT, at->spelled);
		return false;
	}
	complete_type(at);
	error = c_type_find_member(at->type, accessor->field, &at->field);
	if (error) {
		error_destroy(error);
		return tell_no_member(at, accessor);
	}
	add_offset(at, (int64_t)at->field.offset);
	at->type = at->field.type;
	at->spelled = arena_printf(w->r->arena, "%s->%s", at->spelled, accessor->field);
	return true;
}

static const char *spell_index(struct cursor *at, const struct expr *index)
{
	return index->kind == EXPR_NUMBER ? arena_printf(at->w->r->arena, "%s[%lld]", at->spelled,
	                                                 (long long)index->number)
	                                  : arena_printf(at->w->r->arena, "%s[...]", at->spelled);
}

static bool walk_index(struct cursor *at, const struct accessor *accessor)
{
	struct target_walk *w = at->w;
	enum type_kind kind = c_type_kind(at->type);
	bool is_number = accessor->index->kind == EXPR_NUMBER;
	int64_t size = -1;

	if (at->is_pointee)
		kind = TYPE_POINTER; /* one of several: the type stays */
	else if (kind == TYPE_POINTER)
		target_follow(at);
	else if (kind == TYPE_ARRAY && (at->is_address || is_number))
		at->type = c_type_target(at->type);
	else
		kind = TYPE_VOID;
	if (kind != TYPE_VOID)
		size = c_type_size(at->type);
	if (size <= 0) {
		diag_add(w->r->diags, accessor->tok, TARGET_NOT_INDEXED, at->spelled);
		return false;
	}
	if (is_number)
		add_offset(at, accessor->index->number * size);
	else
		add_step(at, ACCESS_SCALE, size)->index = accessor->index;
	at->field.bit_size = 0;
	at->spelled = spell_index(at, accessor->index);
	return true;
}

bool target_walk_path(struct cursor *at, const struct target *target)
{
	bool ok = true;

	for (size_t i = 0; ok && i < target->path.count; i++) {
		const struct accessor *accessor = &target->path.items[i];

		if (accessor->index)
			target_visit_expr(&target->path.items[i].index, at->w);
		ok = accessor->kind == ACCESS_FIELD ? walk_field(at, accessor)
		                                    : walk_index(at, accessor);
		at->is_pointee = false;
	}
	return ok;
}

/* --- the end of the path ---------------------------------------------------------------------- */

static void read_bits(struct cursor *at, bool is_signed)
{
	int shift = (int)(at->field.bit_offset - at->field.offset * 8);
	struct access_step *step = add_load(at, 1);

	step->bit_shift = shift;
	step->bit_size = (int)at->field.bit_size;
	step->is_signed = is_signed;
	while (step->width * 8 < shift + step->bit_size)
		step->width *= 2;
}

/* A value, or a part of one. */
static void cut_part(struct cursor *at, int64_t size, bool is_signed)
{
	struct target_access *access = at->access;
	struct access_step *step;

	access->part_is_whole = !at->is_part;
	access->part_bits = at->field.bit_size ? (int)at->field.bit_size : (int)size * 8;
	if (at->field.bit_size)
		access->part += (int)(at->field.bit_offset - at->field.offset * 8);
	if (access->part_bits == 64)
		return;
	step = add_step(at, ACCESS_CUT, 0);
	step->width = (int)size;
	step->bit_size = (int)at->field.bit_size;
	step->is_signed = is_signed;
}

/* Makes a value of what the path leads to. Arrays are their address, as in C. */
static bool read_value(struct cursor *at)
{
	struct resolver *r = at->w->r;
	bool is_signed = c_type_is_signed(at->type);
	int64_t size = c_type_size(at->type);
	struct access_step *step;

	if (c_type_kind(at->type) == TYPE_ARRAY && at->is_address)
		return true;
	if (!c_type_is_scalar(at->type)) {
		diag_add(r->diags, at->tok, TARGET_NOT_SCALAR, at->spelled,
		         target_type_text(r->arena, at->type));
		return false;
	}
	if (!at->is_address) {
		cut_part(at, size, is_signed);
	} else if (at->field.bit_size) {
		read_bits(at, is_signed);
	} else {
		step = add_load(at, (int)size);
		step->is_signed = is_signed;
	}
	return true;
}

/* Within a structure that was kept at the entry: that is the handler's copy, nobody else's. */
static bool is_in_copy(const struct cursor *at, size_t steps)
{
	const struct target_access *access = at->access;

	for (size_t i = 0; i < steps; i++)
		if (access->steps.items[i].op == ACCESS_LOAD)
			return false;
	return access->base == ACCESS_STACK && at->w->planted->is_return;
}

/* What an assignment can change: memory, or a register that the handler's end puts back. */
static const char *why_not_written(const struct cursor *at, const struct expr *e)
{
	const struct planted_probe *planted = at->w->planted;
	const struct target_access *access = at->access;
	const char *returned = "when the function has returned";
	size_t count = access->steps.count;

	if (e->target->address || e->target->pretty != PRETTY_NONE)
		return "since it is worked out, not stored";
	if (count && access->steps.items[count - 1].op == ACCESS_LOAD)
		return is_in_copy(at, count - 1) ? returned : NULL;
	if (at->is_address)
		return "as a whole";
	if (access->base == ACCESS_ARGUMENT)
		return planted && planted->is_return ? returned : NULL;
	if (access->base == ACCESS_LOCATION && access->location->piece_count == 1 &&
	    access->location->pieces[0].kind == PIECE_REGISTER)
		return NULL;
	return access->base == ACCESS_RETVAL ? NULL : "since it is worked out, not stored";
}

static bool check_write(struct cursor *at, const struct expr *e)
{
	const char *reason = e->target->is_written ? why_not_written(at, e) : NULL;

	if (reason)
		diag_add(at->w->r->diags, e->tok, TARGET_NOT_WRITABLE, at->spelled, reason);
	return !reason;
}

static bool end_with_value(struct cursor *at, const struct expr *e)
{
	if (e->target->base == TARGET_CAST && !e->target->path.count)
		return true; /* the pointer itself */
	if (!e->target->address)
		return read_value(at);
	if (at->is_address && !at->field.bit_size && !is_in_copy(at, at->access->steps.count))
		return true;
	diag_add(at->w->r->diags, e->tok, TARGET_NO_ADDRESS, at->spelled);
	return false;
}

bool target_end_path(struct cursor *at, const struct expr *e)
{
	if (e->target->pretty != PRETTY_NONE && !e->target->is_written)
		return target_show(at, e);
	return end_with_value(at, e) && check_write(at, e);
}
