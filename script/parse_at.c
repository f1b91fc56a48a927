// SPDX-License-Identifier: GPL-2.0-only
/* @words that are no macros, and target variables. */
#include <string.h>

#include "script/parse_private.h"

/* --- target variables ------------------------------------------------------------------------ */

/* How many dollars end the name; the name without them. Leading ones ($$vars) belong to it. */
static const char *split_pretty(struct parser *p, const char *name, enum target_pretty *ret)
{
	size_t len = strlen(name), head = strspn(name, "$"), dollars = 0;

	while (len > head && dollars < 2 && name[len - 1] == '$') {
		len--;
		dollars++;
	}
	*ret = (enum target_pretty)dollars;
	return dollars ? arena_strndup(p->arena, name, len) : name;
}

/* member = "->" word; a word may end in $ or $$ */
static void parse_member(struct parser *p, struct target *target)
{
	struct accessor accessor = { .kind = ACCESS_FIELD };

	expect(p, "->");
	accessor.tok = peek(p);
	if (accessor.tok->kind != TOKEN_IDENTIFIER || strchr("@$", accessor.tok->text[0]))
		fail_expected(p, "the name of a member");
	accessor.field = split_pretty(p, take(p)->text, &target->pretty);
	ARENA_APPEND(p->arena, &target->path, accessor);
}

/* subscript = "[" expression "]" */
static void parse_subscript(struct parser *p, struct expr *expr)
{
	struct accessor accessor = { .kind = ACCESS_INDEX, .tok = peek(p) };

	expect(p, "[");
	accessor.index = parse_expression(p);
	expect(p, "]");
	expr_raise(p, expr, accessor.index);
	ARENA_APPEND(p->arena, &expr->target->path, accessor);
}

/* path = { member | subscript } [ "$" | "$$" ] */
static struct expr *parse_path(struct parser *p, struct expr *expr)
{
	struct target *target = expr->target;

	while (!target->pretty) {
		if (next_is(p, "->"))
			parse_member(p, target);
		else if (next_is(p, "["))
			parse_subscript(p, expr);
		else
			break;
	}
	if (!target->pretty && accept(p, "$"))
		target->pretty = PRETTY_SHALLOW;
	else if (!target->pretty && accept(p, "$$"))
		target->pretty = PRETTY_DEEP;
	return expr;
}

static struct expr *target_create(struct parser *p, enum target_base base,
				  const struct token *tok)
{
	struct expr *expr = expr_create(p, EXPR_TARGET, tok);

	expr->target = ARENA_NEW(p->arena, struct target);
	expr->target->base = base;
	return expr;
}

/* target = "$" name path | "$$" name path */
struct expr *parse_target(struct parser *p)
{
	const struct token *token = peek(p);
	struct expr *expr = target_create(p, TARGET_DOLLAR, token);
	struct target *target = expr->target;

	target->name = split_pretty(p, token->text, &target->pretty);
	if (strspn(target->name, "$") > 2 || strspn(target->name, "$") == strlen(target->name))
		fail_at(p, token, BAD_TARGET, token->text);
	take(p);
	return parse_path(p, expr);
}

/* value path, beginning with a member */
struct expr *parse_value_path(struct parser *p, struct expr *value)
{
	struct expr *expr = target_create(p, TARGET_VALUE, peek(p));

	expr->target->pointer = value;
	expr_raise(p, expr, value);
	return parse_path(p, expr);
}

static const char *literal_text(struct parser *p, const char *what)
{
	return parse_literal_string(p, what)->string.data;
}

/* [ "," string ] */
static const char *optional_module(struct parser *p)
{
	return accept(p, ",") ? literal_text(p, "the name of a module, a string") : NULL;
}

/* var = "@var" "(" string [ "," string ] ")" path */
static struct expr *parse_var(struct parser *p, const struct token *tok)
{
	struct expr *expr = target_create(p, TARGET_VAR, tok);
	const char *name = literal_text(p, "the name of a variable, a string");
	const char *at = strchr(name, '@');

	expr->target->name = at ? arena_strndup(p->arena, name, (size_t)(at - name)) : name;
	expr->target->file = at ? at + 1 : NULL;
	expr->target->module = optional_module(p);
	expect(p, ")");
	return parse_path(p, expr);
}

/* cast = "@cast" "(" expression "," string [ "," string ] ")" path */
static struct expr *parse_cast(struct parser *p, const struct token *tok)
{
	struct expr *expr = target_create(p, TARGET_CAST, tok);

	expr->target->pointer = parse_expression(p);
	expr_raise(p, expr, expr->target->pointer);
	expect(p, ",");
	expr->target->type = literal_text(p, "the name of a type, a string");
	expr->target->module = optional_module(p);
	expect(p, ")");
	return parse_path(p, expr);
}

/* --- statistics ------------------------------------------------------------------------------ */

bool stat_op_lookup(const char *word, enum stat_op *ret)
{
	for (int op = 0; op < STAT_NONE; op++)
		if (!strcmp(word, stat_op_word((enum stat_op)op))) {
			*ret = (enum stat_op)op;
			return true;
		}
	return false;
}

static void parse_stat_params(struct parser *p, struct expr *expr)
{
	size_t most = expr->stat.op == STAT_HIST_LINEAR ? 3 : expr->stat.op == STAT_VARIANCE;
	const int64_t *v = expr->stat.params;

	while (expr->stat.param_count < most) {
		if (most == 3)
			expect(p, ",");
		else if (!accept(p, ","))
			break;
		expr->stat.params[expr->stat.param_count++] =
			parse_literal_number(p, "a literal number")->number;
	}
	if (most == 3 && (v[0] > v[1] || v[2] < 1))
		fail_at(p, expr->tok, BAD_HISTOGRAM);
}

/* stat = "@" word "(" ( name | element ) { "," number } ")" [ "[" expression "]" ] */
static struct expr *parse_stat(struct parser *p, const struct token *tok, enum stat_op op)
{
	struct expr *expr = expr_create(p, EXPR_STAT, tok), *index;

	expr->stat.op = op;
	expr->stat.stat = parse_expression(p);
	if (expr->stat.stat->kind != EXPR_SYMBOL && expr->stat.stat->kind != EXPR_INDEX)
		fail_at(p, tok, NOT_A_STATISTIC, tok->text);
	expr_raise(p, expr, expr->stat.stat);
	parse_stat_params(p, expr);
	expect(p, ")");
	if (!is_histogram(expr) || !accept(p, "["))
		return expr;
	index = expr_create(p, EXPR_INDEX, tok);
	index->index.base = expr;
	ARENA_APPEND(p->arena, &index->index.keys, parse_expression(p));
	expr_raise(p, index, expr);
	expr_raise(p, index, index->index.keys.items[0]);
	expect(p, "]");
	return index;
}

/* --- the others ------------------------------------------------------------------------------ */

static struct expr *parse_wrapped(struct parser *p, enum expr_kind kind, const struct token *tok)
{
	struct expr *expr = expr_create(p, kind, tok);

	expr->wrapped.operand = parse_expression(p);
	expr_raise(p, expr, expr->wrapped.operand);
	expect(p, ")");
	return expr;
}

/* defined = "@defined" "(" expression ")" */
static struct expr *parse_defined(struct parser *p, const struct token *tok)
{
	return parse_wrapped(p, EXPR_DEFINED, tok);
}

/* entry = "@entry" "(" expression ")" */
static struct expr *parse_entry(struct parser *p, const struct token *tok)
{
	return parse_wrapped(p, EXPR_ENTRY, tok);
}

/* probewrite = "@probewrite" "(" expression ")" */
static struct expr *parse_probewrite(struct parser *p, const struct token *tok)
{
	return parse_wrapped(p, EXPR_PROBEWRITE, tok);
}

/* choose = "@choose_defined" "(" expression "," expression ")" */
static struct expr *parse_choose(struct parser *p, const struct token *tok)
{
	struct expr *expr = expr_create(p, EXPR_CHOOSE, tok);

	expr->binary.left = parse_expression(p);
	expect(p, ",");
	expr->binary.right = parse_expression(p);
	expr_raise(p, expr, expr->binary.left);
	expr_raise(p, expr, expr->binary.right);
	expect(p, ")");
	return expr;
}

static struct expr *parse_named(struct parser *p, enum expr_kind kind, const struct token *tok)
{
	struct expr *expr = expr_create(p, kind, tok);

	expr->named.name = literal_text(p, "literal string");
	if (kind == EXPR_ENUM)
		expr->named.module = optional_module(p);
	expect(p, ")");
	return expr;
}

/* perf = "@perf" "(" string ")" */
static struct expr *parse_perf(struct parser *p, const struct token *tok)
{
	return parse_named(p, EXPR_PERF, tok);
}

/* const = "@const" "(" string ")"; it is C code, so guru mode's rule applies */
static struct expr *parse_const(struct parser *p, const struct token *tok)
{
	if (!p->options->guru && !p->options->tapset)
		diag_add(p->diags, tok, NEEDS_GURU);
	return parse_named(p, EXPR_CONST, tok);
}

/* enum = "@enum" "(" string [ "," string ] ")" */
static struct expr *parse_enum(struct parser *p, const struct token *tok)
{
	return parse_named(p, EXPR_ENUM, tok);
}

/* register = ( "@kregister" | "@uregister" ) "(" expression ")" */
static struct expr *parse_register(struct parser *p, const struct token *tok)
{
	struct expr *expr = expr_create(p, EXPR_REGISTER, tok);

	expr->machine.user = tok->text[1] == 'u';
	expr->machine.address = parse_expression(p);
	expr_raise(p, expr, expr->machine.address);
	expect(p, ")");
	return expr;
}

/* deref = ( "@kderef" | "@uderef" ) "(" expression "," expression ")" */
static struct expr *parse_deref(struct parser *p, const struct token *tok)
{
	struct expr *expr = expr_create(p, EXPR_DEREF, tok);

	expr->machine.user = tok->text[1] == 'u';
	expr->machine.size = parse_expression(p);
	expect(p, ",");
	expr->machine.address = parse_expression(p);
	expr_raise(p, expr, expr->machine.size);
	expr_raise(p, expr, expr->machine.address);
	expect(p, ")");
	return expr;
}

static const struct {
	const char *word;
	struct expr *(*rule)(struct parser *p, const struct token *tok);
} at_words[] = {
	{ "@var", parse_var },		   { "@cast", parse_cast },
	{ "@defined", parse_defined },	   { "@choose_defined", parse_choose },
	{ "@entry", parse_entry },	   { "@probewrite", parse_probewrite },
	{ "@perf", parse_perf },	   { "@const", parse_const },
	{ "@enum", parse_enum },	   { "@kregister", parse_register },
	{ "@uregister", parse_register },  { "@kderef", parse_deref },
	{ "@uderef", parse_deref },
};

enum { AT_WORDS = sizeof(at_words) / sizeof(at_words[0]) };

static void unknown_at_word(struct parser *p, const struct token *tok)
	__attribute__((noreturn));

static void unknown_at_word(struct parser *p, const struct token *tok)
{
	const char *words[AT_WORDS + STAT_NONE];
	const char *near;
	size_t count = 0;

	for (; count < AT_WORDS; count++)
		words[count] = at_words[count].word;
	for (int op = 0; op < STAT_NONE; op++)
		words[count++] = arena_printf(p->arena, "@%s", stat_op_word((enum stat_op)op));
	near = diag_nearest(tok->text, words, count);
	diag_add(p->diags, tok, UNKNOWN_AT_WORD, tok->text);
	if (near)
		diag_hint(p->diags, "did you mean '%s'?", near);
	fail(p);
}

/* at_word = var | cast | defined | choose | entry | probewrite | perf | const | enum
 *         | register | deref | stat */
struct expr *parse_at_word(struct parser *p)
{
	const struct token *tok = take(p);
	enum stat_op op;

	for (size_t i = 0; i < AT_WORDS; i++)
		if (!strcmp(tok->text, at_words[i].word)) {
			expect(p, "(");
			return at_words[i].rule(p, tok);
		}
	if (!stat_op_lookup(tok->text + 1, &op))
		unknown_at_word(p, tok);
	expect(p, "(");
	return parse_stat(p, tok, op);
}
