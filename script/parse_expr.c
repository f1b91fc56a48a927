// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expressions. Precedence as in C, with awk's additions, loosest first:
 *
 *	= += -= *= /= %= <<= >>= >>>= &= ^= |= .= <<<     right
 *	? :                                              right
 *	||    &&    |    ^    &                          left, each on its own level
 *	in                                               (its right side is a name)
 *	== != =~ !~                                      left
 *	< <= > >=                                        left
 *	<< >> >>>                                        left
 *	.                                                left
 *	+ -                                              left
 *	* / %                                            left
 *	+ - ! ~ & ++ --                                  prefix
 *	++ --                                            suffix
 */
#include <string.h>

#include "script/parse_private.h"

typedef struct expr *expr_rule(struct parser *p);

struct expr *expr_create(struct parser *p, enum expr_kind kind, const struct token *tok)
{
	struct expr *expr = ARENA_NEW(p->arena, struct expr);

	expr->kind = kind;
	expr->tok = tok;
	return expr;
}

void expr_raise(struct parser *p, struct expr *expr, const struct expr *operand)
{
	if (!operand || operand->height < expr->height)
		return;
	expr->height = operand->height + 1;
	if (expr->height > HEIGHT_MAX)
		fail_at(p, expr->tok, TOO_DEEP, HEIGHT_MAX);
}

bool is_histogram(const struct expr *expr)
{
	return expr->kind == EXPR_STAT &&
	       (expr->stat.op == STAT_HIST_LOG || expr->stat.op == STAT_HIST_LINEAR);
}

/* Whether the expression names something that can be written. */
static bool is_place(const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_SYMBOL:
		return true;
	case EXPR_INDEX:
		return !is_histogram(expr->index.base);
	case EXPR_TARGET:
		return !expr->target->address && !expr->target->pretty;
	default:
		return false;
	}
}

static struct expr *need_place(struct parser *p, struct expr *expr, const struct token *op)
{
	if (!is_place(expr))
		fail_at(p, op, PLACE_NEEDED, op->text);
	return expr;
}

/* --- primary --------------------------------------------------------------------------------- */

/* keys = "[" key { "," key } "]"      key = expression | "*" */
void parse_keys(struct parser *p, struct expr_list *ret)
{
	expect(p, "[");
	do {
		const struct token *after = peek_at(p, 1);
		struct expr *key = NULL;

		if (next_is(p, "*") && (token_is(after, ",") || token_is(after, "]")))
			take(p);
		else
			key = parse_expression(p);
		ARENA_APPEND(p->arena, ret, key);
	} while (accept(p, ","));
	expect(p, "]");
}

static struct expr *parse_index(struct parser *p, struct expr *base)
{
	struct expr *expr = expr_create(p, EXPR_INDEX, base->tok);

	expr->index.base = base;
	expr_raise(p, expr, base);
	parse_keys(p, &expr->index.keys);
	for (size_t i = 0; i < expr->index.keys.count; i++)
		expr_raise(p, expr, expr->index.keys.items[i]);
	return expr;
}

static struct expr *parse_symbol(struct parser *p, const char *what)
{
	const struct token *token = expect_name(p, what);
	struct expr *expr = expr_create(p, EXPR_SYMBOL, token);

	expr->symbol.name = token->text;
	return expr;
}

/* container = ( name | histogram ) [ keys ] */
struct expr *parse_container(struct parser *p)
{
	const struct token *token = peek(p);
	bool at_word = token->kind == TOKEN_IDENTIFIER && token->text[0] == '@';
	struct expr *expr = at_word ? parse_at_word(p) : parse_symbol(p, "the name of an array");

	if (at_word && !is_histogram(expr) &&
	    !(expr->kind == EXPR_INDEX && is_histogram(expr->index.base)))
		fail_at(p, token, EXPECTED, "the name of an array or a histogram");
	return expr->kind != EXPR_INDEX && next_is(p, "[") ? parse_index(p, expr) : expr;
}

/* element = name keys, without * */
static struct expr *parse_element(struct parser *p)
{
	struct expr *expr = parse_index(p, parse_symbol(p, "the name of an array"));

	for (size_t i = 0; i < expr->index.keys.count; i++)
		if (!expr->index.keys.items[i])
			fail_at(p, expr->tok, MISPLACED_SLICE);
	return expr;
}

/* call = name "(" [ expression { "," expression } ] ")" */
static struct expr *parse_call(struct parser *p)
{
	const struct token *name = take(p);
	struct expr *expr = expr_create(p, EXPR_CALL, name);

	expr->call.name = name->text;
	expect(p, "(");
	if (accept(p, ")"))
		return expr;
	do {
		struct expr *arg = parse_expression(p);

		expr_raise(p, expr, arg);
		ARENA_APPEND(p->arena, &expr->call.args, arg);
	} while (accept(p, ","));
	if (!next_is(p, ")"))
		fail_expected(p, "',' or ')'");
	take(p);
	return expr;
}

/* membership of a tuple = keys "in" container */
static struct expr *parse_tuple_in(struct parser *p)
{
	struct expr *expr = expr_create(p, EXPR_MEMBER, peek(p));

	parse_keys(p, &expr->member.keys);
	for (size_t i = 0; i < expr->member.keys.count; i++)
		expr_raise(p, expr, expr->member.keys.items[i]);
	expr->tok = expect(p, "in");
	expr->member.base = parse_symbol(p, "the name of an array");
	return expr;
}

static struct expr *parse_group(struct parser *p)
{
	struct expr *expr;

	expect(p, "(");
	expr = parse_expression(p);
	expect(p, ")");
	return expr;
}

static struct expr *parse_embedded_expression(struct parser *p)
{
	struct expr *expr = expr_create(p, EXPR_EMBEDDED, peek(p));

	expr->embedded = parse_embedded(p);
	return expr;
}

static struct expr *parse_word(struct parser *p)
{
	const struct token *token = peek(p);

	if (token->text[0] == '@')
		return parse_at_word(p);
	if (token->text[0] == '$')
		return parse_target(p);
	if (is_keyword(token))
		fail_expected(p, "expression");
	if (token_is(peek_at(p, 1), "("))
		return is_print_name(token->text) ? parse_print_call(p) : parse_call(p);
	if (token_is(peek_at(p, 1), "["))
		return parse_element(p);
	return parse_symbol(p, "expression");
}

/* primary = number | string | embedded | word | "(" expression ")" | keys "in" name */
static struct expr *parse_primary(struct parser *p)
{
	switch (peek(p)->kind) {
	case TOKEN_NUMBER:
		return parse_literal_number(p, "expression");
	case TOKEN_STRING:
		return parse_literal_string(p, "expression");
	case TOKEN_EMBEDDED:
		return parse_embedded_expression(p);
	case TOKEN_IDENTIFIER:
		return parse_word(p);
	default:
		if (next_is(p, "("))
			return parse_group(p);
		if (next_is(p, "["))
			return parse_tuple_in(p);
		fail_expected(p, "expression");
	}
}

/* --- prefixes and suffixes ------------------------------------------------------------------- */

static struct expr *make_step(struct parser *p, const struct token *op, bool prefix,
			      struct expr *operand)
{
	struct expr *expr = expr_create(p, EXPR_STEP, op);

	expr->step.op = token_is(op, "++") ? OP_INC : OP_DEC;
	expr->step.prefix = prefix;
	expr->step.operand = need_place(p, operand, op);
	expr_raise(p, expr, operand);
	return expr;
}

/* value = primary [ "->" path ] */
static struct expr *parse_value(struct parser *p)
{
	struct expr *expr = parse_primary(p);

	return next_is(p, "->") ? parse_value_path(p, expr) : expr;
}

/* postfix = value [ "++" | "--" ] */
static struct expr *parse_postfix(struct parser *p)
{
	struct expr *expr = parse_value(p);

	if (next_is(p, "++") || next_is(p, "--"))
		return make_step(p, take(p), false, expr);
	return expr;
}

/* address = "&" value, a target variable */
static struct expr *parse_address(struct parser *p)
{
	const struct token *op = expect(p, "&");
	struct expr *expr = parse_value(p);

	if (expr->kind != EXPR_TARGET || expr->target->pretty)
		fail_at(p, op, ADDRESS_OF);
	expr->target->address = true;
	return expr;
}

static bool unary_lookup(const struct token *token, enum op *ret)
{
	static const enum op ops[] = { OP_NOT, OP_COMPL, OP_PLUS, OP_NEG };

	for (size_t i = 0; i < 4; i++)
		if (token_is(token, op_spelling(ops[i]))) {
			*ret = ops[i];
			return true;
		}
	return false;
}

/* unary = ( "!" | "~" | "+" | "-" | "++" | "--" ) unary | address | postfix */
static struct expr *parse_unary(struct parser *p)
{
	const struct token *token = peek(p);
	struct expr *expr;
	enum op op;

	enter(p);
	if (unary_lookup(token, &op)) {
		take(p);
		expr = expr_create(p, EXPR_UNARY, token);
		expr->unary.op = op;
		expr->unary.operand = parse_unary(p);
		expr_raise(p, expr, expr->unary.operand);
	} else if (accept(p, "++") || accept(p, "--")) {
		expr = make_step(p, token, true, parse_unary(p));
	} else if (next_is(p, "&")) {
		expr = parse_address(p);
	} else {
		expr = parse_postfix(p);
	}
	leave(p);
	return expr;
}

/* --- binary operators ------------------------------------------------------------------------ */

static struct expr *make_binary(struct parser *p, enum expr_kind kind, const struct token *tok,
				enum op op, struct expr *left, struct expr *right)
{
	struct expr *expr = expr_create(p, kind, tok);

	expr->binary.op = op;
	expr->binary.left = left;
	expr->binary.right = right;
	expr_raise(p, expr, left);
	expr_raise(p, expr, right);
	return expr;
}

/* rule = operand { op operand }, for the `count` operators of one level */
static struct expr *parse_left(struct parser *p, expr_rule *operand, const enum op *ops,
			       size_t count)
{
	struct expr *left = operand(p);

	for (size_t i = 0; i < count; i++) {
		const struct token *tok = peek(p);

		if (!accept(p, op_spelling(ops[i])))
			continue;
		left = make_binary(p, EXPR_BINARY, tok, ops[i], left, operand(p));
		if (op_group(ops[i]) == OPS_REGEX && left->binary.right->kind != EXPR_STRING)
			fail_at(p, left->binary.right->tok, REGEX_NOT_LITERAL, tok->text);
		i = (size_t)-1;
	}
	return left;
}

#define PARSE_LEFT(p, operand, ...)                                                                \
	parse_left((p), (operand), (const enum op[]){ __VA_ARGS__ },                               \
		   sizeof((const enum op[]){ __VA_ARGS__ }) / sizeof(enum op))

/* multiplicative = unary { ( "*" | "/" | "%" ) unary } */
static struct expr *parse_multiplicative(struct parser *p)
{
	return PARSE_LEFT(p, parse_unary, OP_MUL, OP_DIV, OP_MOD);
}

/* additive = multiplicative { ( "+" | "-" ) multiplicative } */
static struct expr *parse_additive(struct parser *p)
{
	return PARSE_LEFT(p, parse_multiplicative, OP_ADD, OP_SUB);
}

/* concatenation = additive { "." additive } */
static struct expr *parse_concatenation(struct parser *p)
{
	return PARSE_LEFT(p, parse_additive, OP_CONCAT);
}

/* shift = concatenation { ( "<<" | ">>" | ">>>" ) concatenation } */
static struct expr *parse_shift(struct parser *p)
{
	return PARSE_LEFT(p, parse_concatenation, OP_SHL, OP_SHR, OP_USHR);
}

/* relation = shift { ( "<" | "<=" | ">" | ">=" ) shift } */
static struct expr *parse_relation(struct parser *p)
{
	return PARSE_LEFT(p, parse_shift, OP_LT, OP_LE, OP_GT, OP_GE);
}

/* equality = relation { ( "==" | "!=" | "=~" | "!~" ) relation } */
static struct expr *parse_equality(struct parser *p)
{
	return PARSE_LEFT(p, parse_relation, OP_EQ, OP_NE, OP_MATCH, OP_NOMATCH);
}

/* membership = equality { "in" name } */
static struct expr *parse_membership(struct parser *p)
{
	struct expr *left = parse_equality(p);

	while (next_is(p, "in")) {
		struct expr *expr = expr_create(p, EXPR_MEMBER, take(p));

		ARENA_APPEND(p->arena, &expr->member.keys, left);
		expr_raise(p, expr, left);
		expr->member.base = parse_symbol(p, "the name of an array");
		left = expr;
	}
	return left;
}

/* and = membership { "&" membership } */
static struct expr *parse_and(struct parser *p)
{
	return PARSE_LEFT(p, parse_membership, OP_AND);
}

/* exclusive_or = and { "^" and } */
static struct expr *parse_exclusive_or(struct parser *p)
{
	return PARSE_LEFT(p, parse_and, OP_XOR);
}

/* inclusive_or = exclusive_or { "|" exclusive_or } */
static struct expr *parse_inclusive_or(struct parser *p)
{
	return PARSE_LEFT(p, parse_exclusive_or, OP_OR);
}

/* logical_and = inclusive_or { "&&" inclusive_or } */
static struct expr *parse_logical_and(struct parser *p)
{
	return PARSE_LEFT(p, parse_inclusive_or, OP_LAND);
}

/* logical_or = logical_and { "||" logical_and } */
static struct expr *parse_logical_or(struct parser *p)
{
	return PARSE_LEFT(p, parse_logical_and, OP_LOR);
}

/* ternary = logical_or [ "?" ternary ":" ternary ] */
static struct expr *parse_ternary(struct parser *p)
{
	struct expr *cond = parse_logical_or(p), *expr;

	if (!next_is(p, "?"))
		return cond;
	enter(p);
	expr = expr_create(p, EXPR_TERNARY, take(p));
	expr->ternary.cond = cond;
	expr->ternary.yes = parse_ternary(p);
	expect(p, ":");
	expr->ternary.no = parse_ternary(p);
	expr_raise(p, expr, cond);
	expr_raise(p, expr, expr->ternary.yes);
	expr_raise(p, expr, expr->ternary.no);
	leave(p);
	return expr;
}

static bool assignment_lookup(const struct token *token, enum op *ret)
{
	static const struct {
		const char *spelling;
		enum op op;
	} ops[] = {
		{ "=", OP_SET },    { "<<<", OP_SAMPLE }, { "+=", OP_ADD },   { "-=", OP_SUB },
		{ "*=", OP_MUL },   { "/=", OP_DIV },	  { "%=", OP_MOD },   { "<<=", OP_SHL },
		{ ">>=", OP_SHR },  { ">>>=", OP_USHR },  { "&=", OP_AND },   { "^=", OP_XOR },
		{ "|=", OP_OR },    { ".=", OP_CONCAT },
	};

	if (token->kind != TOKEN_OPERATOR)
		return false;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(token->text, ops[i].spelling)) {
			*ret = ops[i].op;
			return true;
		}
	return false;
}

/* expression = ternary [ assignment expression ] */
struct expr *parse_expression(struct parser *p)
{
	struct expr *left;
	const struct token *tok;
	enum op op;

	enter(p);
	left = parse_ternary(p);
	tok = peek(p);
	if (assignment_lookup(tok, &op)) {
		take(p);
		need_place(p, left, tok);
		left = make_binary(p, EXPR_ASSIGN, tok, op, left, parse_expression(p));
	}
	leave(p);
	return left;
}
