// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic and assignments. Numbers wrap around (the flags say -fno-strict-overflow); division is
 * checked, shift counts are taken modulo 64. Of updates of array elements, += -= ++ -- are one
 * operation on the map; the others read and write.
 */
#include "codegen/codegen_private.h"

#include <string.h>

/* A divisor that is written as a number and can do no harm. */
static bool is_safe_divisor(const struct expr *right)
{
	return right && right->kind == EXPR_NUMBER && right->number > 0;
}

static const struct expr *right_side(const struct expr *e)
{
	return e->kind == EXPR_BINARY || e->kind == EXPR_ASSIGN ? e->binary.right : NULL;
}

static struct operand gen_concat(struct gen *g, struct operand left, struct operand right)
{
	/* a . b . c goes on in the slot that holds a . b */
	struct operand slot = left.slot >= 0 ? left : gen_slot(g);

	gen_line(g, "spl_str_cat(%s, SIZE, %s, %s);", slot.text, left.text, right.text);
	return slot;
}

struct operand gen_arith(struct gen *g, const struct expr *e, enum op op, struct operand left,
                         struct operand right)
{
	bool stable = left.stable && right.stable;
	const char *helper = NULL;

	if (op == OP_CONCAT)
		return gen_concat(g, left, right);
	if ((op == OP_DIV || op == OP_MOD) && !is_safe_divisor(right_side(e)))
		return gen_temp(g,
		                gen_text(g, "spl_%s(c, %s, %s, %s)", op == OP_DIV ? "div" : "mod",
		                         left.text, right.text, gen_place(g, e->tok)),
		                true);
	if (op == OP_SHL || op == OP_SHR || op == OP_USHR)
		helper = op == OP_SHL ? "shl" : op == OP_SHR ? "shr" : "ushr";
	if (helper)
		return operand_of(gen_text(g, "spl_%s(%s, %s)", helper, left.text, right.text),
		                  stable);
	return operand_of(gen_text(g, "(%s %s %s)", left.text, op_spelling(op), right.text),
	                  stable);
}

/* --- scalars ---------------------------------------------------------------------------------- */

static struct operand assign_scalar(struct gen *g, struct expr *e, bool discard)
{
	const struct variable *var = e->binary.left->symbol.var;
	struct operand right = gen_expr(g, e->binary.right), place;

	if (discard && is_shared(g, var) && (e->binary.op == OP_ADD || e->binary.op == OP_SUB)) {
		gen_line(g, "spl_tally_add(c, &g_%s, %s(%s));", var->name,
		         e->binary.op == OP_SUB ? "- " : "", right.text);
		return operand_of("0", true);
	}
	place = operand_of(gen_variable(g, var), false);
	place.global = var->kind == VAR_GLOBAL;
	if (e->binary.op != OP_SET)
		right = gen_arith(g, e, e->binary.op, place, right);
	gen_store(g, var, right.text);
	return place;
}

static struct operand step_scalar(struct gen *g, struct expr *e, bool discard)
{
	const struct variable *var = e->step.operand->symbol.var;
	const char *name = gen_variable(g, var);
	const char *op = e->step.op == OP_INC ? "++" : "--";

	if (discard && is_shared(g, var)) {
		gen_line(g, "spl_tally_add(c, &g_%s, %s1);", var->name,
		         e->step.op == OP_INC ? "" : "-");
		return operand_of("0", true);
	}
	if (!discard)
		return gen_temp(g,
		                e->step.prefix ? gen_text(g, "%s%s", op, name)
		                               : gen_text(g, "%s%s", name, op),
		                false);
	gen_line(g, "%s%s;", name, op);
	return operand_of(name, false);
}

/* --- array elements --------------------------------------------------------------------------- */

struct element gen_element(struct gen *g, struct expr *place, struct expr *value,
                           struct operand *ret_value)
{
	const struct expr_list *keys = &place->index.keys;
	struct expr *items[RESOLVE_KEYS_MAX + 1];
	struct operand ops[RESOLVE_KEYS_MAX + 1];
	struct element element;
	unsigned n;

	memcpy(items, keys->items, keys->count * sizeof(items[0]));
	items[keys->count] = value;
	gen_list(g, items, keys->count + (value != NULL), ops);
	/* a key out of the map itself might be evicted while the new entry is made */
	for (size_t i = 0; i < keys->count; i++)
		if (items[i]->type == TYPE_STRING && ops[i].global)
			ops[i] = gen_stable(g, ops[i], TYPE_STRING);
	if (value)
		*ret_value = ops[keys->count];
	n = g->temps++;
	element.map = gen_variable(g, place->index.base->symbol.var);
	element.keys = gen_text(g, "k%u", n);
	gen_line(g, "const union spl_val *k%u = %s;", n,
	         gen_values(g, keys->items, ops, keys->count));
	return element;
}

static struct operand set_element(struct gen *g, const struct element *at, struct operand value,
                                  enum value_type type, bool discard)
{
	/* A string out of the map itself might move under the map's hands. */
	if (!discard || (type == TYPE_STRING && value.global))
		value = gen_stable(g, value, type);
	gen_line(g, "spl_map_set_%c(c, %s, %s, %s);", type == TYPE_STRING ? 's' : 'n', at->map,
	         at->keys, value.text);
	gen_line(g, "CHECK(%s);", g->fail);
	return value;
}

static struct operand add_element(struct gen *g, const struct element *at, const char *amount,
                                  bool tally, bool discard)
{
	const char *call = gen_text(g, "spl_map_%s(c, %s, %s, %s)", tally ? "tally" : "add_n",
	                            at->map, at->keys, amount);

	if (!discard)
		return gen_temp(g, call, true);
	gen_line(g, "%s;", call);
	gen_line(g, "CHECK(%s);", g->fail);
	return operand_of("0", true);
}

static struct operand assign_element(struct gen *g, struct expr *e, bool discard)
{
	enum value_type type = e->binary.left->type;
	enum op op = e->binary.op;
	struct operand value, old;
	struct element at = gen_element(g, e->binary.left, e->binary.right, &value);

	if (op == OP_ADD || op == OP_SUB)
		return add_element(
		    g, &at, op == OP_ADD ? value.text : gen_text(g, "(- %s)", value.text),
		    discard && is_shared(g, e->binary.left->index.base->symbol.var), discard);
	if (op != OP_SET) {
		old = operand_of(gen_text(g, "spl_map_get_%c(%s, %s)",
		                          type == TYPE_STRING ? 's' : 'n', at.map, at.keys),
		                 false);
		value = gen_arith(g, e, op, old, value);
	}
	return set_element(g, &at, value, type, discard);
}

static struct operand step_element(struct gen *g, struct expr *e, bool discard)
{
	struct element at = gen_element(g, e->step.operand, NULL, NULL);
	bool up = e->step.op == OP_INC;
	bool tally = discard && is_shared(g, e->step.operand->index.base->symbol.var);
	struct operand value = add_element(g, &at, up ? "1" : "-1", tally, discard);

	if (!e->step.prefix && !discard)
		value.text = gen_text(g, "(%s %s 1)", value.text, up ? "-" : "+");
	return value;
}

struct operand gen_assign(struct gen *g, struct expr *e, bool discard)
{
	if (e->binary.op == OP_SAMPLE)
		return gen_sample(g, e);
	if (e->binary.left->kind == EXPR_TARGET)
		return gen_target_assign(g, e);
	return e->binary.left->kind == EXPR_INDEX ? assign_element(g, e, discard)
	                                          : assign_scalar(g, e, discard);
}

struct operand gen_step(struct gen *g, struct expr *e, bool discard)
{
	if (e->step.operand->kind == EXPR_TARGET)
		return gen_target_step(g, e);
	return e->step.operand->kind == EXPR_INDEX ? step_element(g, e, discard)
	                                           : step_scalar(g, e, discard);
}
