// SPDX-License-Identifier: GPL-2.0-only
/* Expressions, but for assignments (assign.c), calls (call.c), prints and target variables. */
#include "codegen/codegen_private.h"

#include <string.h>

static struct operand gen_number(struct gen *g, int64_t number)
{
	if (number == INT64_MIN)
		return operand_of("(-9223372036854775807LL - 1)", true);
	return operand_of(gen_text(g, number < 0 ? "(%lldLL)" : "%lldLL", (long long)number), true);
}

static struct operand gen_symbol(struct gen *g, const struct expr *e)
{
	struct operand op = operand_of(gen_variable(g, e->symbol.var), false);

	op.global = e->symbol.var->kind == VAR_GLOBAL;
	return op;
}

const char *gen_values(struct gen *g, struct expr *const *items, const struct operand *ops,
                       size_t count)
{
	struct strbuf sb;
	const char *text;

	if (!count)
		return "0";
	strbuf_init(&sb);
	strbuf_adds(&sb, "(union spl_val[]){");
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&sb, "%s{ .%c = %s }", i ? ", " : " ",
		            items[i]->type == TYPE_STRING ? 's' : 'n', ops[i].text);
	strbuf_adds(&sb, " }");
	text = arena_strdup(&g->arena, sb.data);
	strbuf_deinit(&sb);
	return text;
}

unsigned slice_any(const struct expr_list *keys)
{
	unsigned any = 0;

	for (size_t i = 0; i < keys->count; i++)
		any |= keys->items[i] ? 0 : 1u << i;
	return any;
}

/* In the place of a * is a number that nobody looks at. */
const char *gen_keys(struct gen *g, const struct expr_list *keys)
{
	static struct expr nothing = {.kind = EXPR_NUMBER, .type = TYPE_LONG};
	struct expr *items[RESOLVE_KEYS_MAX];
	struct operand ops[RESOLVE_KEYS_MAX];

	for (size_t i = 0; i < keys->count; i++)
		items[i] = keys->items[i] ? keys->items[i] : &nothing;
	gen_list(g, items, keys->count, ops);
	return gen_values(g, items, ops, keys->count);
}

/* An element's string lies in the map until the element is written or deleted. */
static struct operand gen_index(struct gen *g, struct expr *e)
{
	const struct variable *map = e->index.base->symbol.var;
	const char *keys;
	struct operand op;

	if (e->index.base->kind == EXPR_STAT)
		return gen_bucket(g, e);
	keys = gen_keys(g, &e->index.keys);

	if (map->value.type != TYPE_STRING)
		return gen_temp(g, gen_text(g, "spl_map_get_n(%s, %s)", gen_variable(g, map), keys),
		                false);
	op = operand_of(gen_text(g, "t%u", g->temps++), false);
	op.global = true;
	gen_line(g, "const char *%s = spl_map_get_s(%s, %s);", op.text, gen_variable(g, map), keys);
	return op;
}

static struct operand gen_member(struct gen *g, const struct expr *e)
{
	const char *keys = gen_keys(g, &e->member.keys);
	const char *map = gen_variable(g, e->member.base->symbol.var);
	unsigned any = slice_any(&e->member.keys);

	return gen_temp(g,
	                any ? gen_text(g, "spl_map_has_slice(%s, %s, %u)", map, keys, any)
	                    : gen_text(g, "spl_map_has(%s, %s)", map, keys),
	                false);
}

static struct operand gen_unary(struct gen *g, const struct expr *e)
{
	struct operand op = gen_expr(g, e->unary.operand);

	if (e->unary.op == OP_PLUS)
		return op;
	/* a space keeps -(-1) from becoming -- */
	op.text = gen_text(g, "(%s %s)", op_spelling(e->unary.op), op.text);
	return op;
}

/* --- control flow in expressions -------------------------------------------------------------- */

/* Translates into a buffer of its own; what must happen before the operand is in *code. */
static struct operand gen_apart(struct gen *g, struct expr *e, const char **code)
{
	struct strbuf *outer = g->out, inner;
	struct operand op;

	strbuf_init(&inner);
	g->out = &inner;
	g->indent++;
	op = gen_expr(g, e);
	g->indent--;
	g->out = outer;
	*code = arena_strdup(&g->arena, inner.data ? inner.data : "");
	strbuf_deinit(&inner);
	return op;
}

static struct operand gen_logic(struct gen *g, struct expr *e)
{
	bool is_and = e->binary.op == OP_LAND;
	struct operand left = gen_expr(g, e->binary.left), right, result;
	const char *code;

	if (expr_has_effects(g, e->binary.right))
		left = gen_stable(g, left, TYPE_LONG);
	right = gen_apart(g, e->binary.right, &code);
	if (!*code)
		return operand_of(
		    gen_text(g, "(%s %s %s)", left.text, is_and ? "&&" : "||", right.text),
		    left.stable && right.stable);
	result = gen_temp(g, is_and ? "0" : "1", false);
	gen_line(g, "if (%s(%s)) {", is_and ? "" : "!", left.text);
	strbuf_adds(g->out, code);
	gen_line(g, "\t%s = %s != 0;", result.text, right.text);
	gen_line(g, "}");
	return result;
}

static void gen_branch(struct gen *g, struct expr *e, const char *result)
{
	struct operand op;

	g->indent++;
	op = gen_expr(g, e);
	if (e->type == TYPE_STRING)
		op = gen_stable(g, op, TYPE_STRING);
	gen_line(g, "%s = %s;", result, op.text);
	g->indent--;
}

static struct operand gen_ternary(struct gen *g, struct expr *e)
{
	struct operand cond = gen_expr(g, e->ternary.cond), result;

	result = operand_of(gen_text(g, "t%u", g->temps++), true);
	if (e->type == TYPE_STRING)
		gen_line(g, "const char *%s;", result.text);
	else
		gen_line(g, "spl_s64 %s;", result.text);
	gen_line(g, "if (%s) {", cond.text);
	gen_branch(g, e->ternary.yes, result.text);
	gen_line(g, "} else {");
	gen_branch(g, e->ternary.no, result.text);
	gen_line(g, "}");
	return result;
}

/* --- operators -------------------------------------------------------------------------------- */

static struct operand gen_compare(struct gen *g, const struct expr *e, struct operand left,
                                  struct operand right)
{
	const char *op = op_spelling(e->binary.op);
	bool stable = left.stable && right.stable;

	if (e->binary.left->type == TYPE_STRING)
		return operand_of(
		    gen_text(g, "(spl_str_cmp(%s, %s) %s 0)", left.text, right.text, op), stable);
	return operand_of(gen_text(g, "(%s %s %s)", left.text, op, right.text), stable);
}

/* At once, since the match is what matched() tells of next. */
static struct operand gen_match(struct gen *g, struct expr *e)
{
	struct operand text = gen_expr(g, e->binary.left);

	return gen_temp(g,
	                gen_text(g, "%sspl_regex_match(c, &r_%zu, %s)",
	                         e->binary.op == OP_NOMATCH ? "!" : "", e->binary.regex, text.text),
	                false);
}

static struct operand gen_binary(struct gen *g, struct expr *e)
{
	struct operand ops[2];

	if (op_group(e->binary.op) == OPS_LOGIC)
		return gen_logic(g, e);
	if (op_group(e->binary.op) == OPS_REGEX)
		return gen_match(g, e);
	gen_list(g, (struct expr *[]){e->binary.left, e->binary.right}, 2, ops);
	if (op_group(e->binary.op) == OPS_COMPARE)
		return gen_compare(g, e, ops[0], ops[1]);
	return gen_arith(g, e, e->binary.op, ops[0], ops[1]);
}

static struct operand gen_deref(struct gen *g, const struct expr *e)
{
	struct operand address = gen_expr(g, e->machine.address);

	return gen_temp(g,
	                gen_text(g, "spl_load%s(c, (spl_u64)%s, %d, 0, %s)",
	                         e->machine.user ? "_user" : "", address.text,
	                         (int)e->machine.size->number, gen_place(g, e->tok)),
	                true);
}

static struct operand gen_kernel_register(struct gen *g, const struct expr *e)
{
	return gen_temp(g,
	                gen_text(g, "spl_reg(c, %d)",
	                         gen_register_offset(e->machine.address->number)),
	                true);
}

struct operand gen_expr(struct gen *g, struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
		return gen_number(g, e->number);
	case EXPR_STRING:
		return operand_of(gen_literal(g, e->string.data, strlen(e->string.data)), true);
	case EXPR_SYMBOL:
		return gen_symbol(g, e);
	case EXPR_INDEX:
		return gen_index(g, e);
	case EXPR_MEMBER:
		return gen_member(g, e);
	case EXPR_UNARY:
		return gen_unary(g, e);
	case EXPR_BINARY:
		return gen_binary(g, e);
	case EXPR_TERNARY:
		return gen_ternary(g, e);
	case EXPR_ASSIGN:
		return gen_assign(g, e, false);
	case EXPR_STEP:
		return gen_step(g, e, false);
	case EXPR_CALL:
		return gen_call(g, e);
	case EXPR_PRINT:
		return gen_print(g, e);
	case EXPR_TARGET:
		return gen_target(g, e);
	case EXPR_DEREF:
		return gen_deref(g, e);
	case EXPR_REGISTER:
		return gen_kernel_register(g, e);
	case EXPR_EMBEDDED:
		return gen_embedded_expr(g, e);
	case EXPR_STAT:
		return gen_stat(g, e);
	default:
		return operand_of("0", true); /* pass 2 told that it is not supported */
	}
}

void gen_discard(struct gen *g, struct expr *e)
{
	if (e->kind == EXPR_ASSIGN)
		gen_assign(g, e, true);
	else if (e->kind == EXPR_STEP)
		gen_step(g, e, true);
	else
		gen_expr(g, e);
}
