// SPDX-License-Identifier: GPL-2.0-only
/* Statements. */
#include <string.h>

#include "script/parse_private.h"

struct stmt *stmt_create(struct parser *p, enum stmt_kind kind, const struct token *tok)
{
	struct stmt *stmt = ARENA_NEW(p->arena, struct stmt);

	stmt->kind = kind;
	stmt->tok = tok;
	return stmt;
}

/* --- recovery -------------------------------------------------------------------------------- */

static bool begins_statement(const struct parser *p)
{
	static const char *const words[] = { "if",     "for",  "foreach", "while", "return",
					     "delete", "next", "break",	  "continue", "try" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (next_is(p, words[i]))
			return true;
	return false;
}

/* Brackets that are open between a statement's start and where it failed. */
static int open_brackets(const struct parser *p, size_t from, const char *pairs)
{
	int open = 0;

	for (size_t i = from; i < p->next; i++) {
		const struct token *token = p->tokens.items[i];

		if (token->kind != TOKEN_OPERATOR || token->text[1])
			continue;
		if (strchr(pairs, token->text[0]))
			open += (strchr(pairs, token->text[0]) - pairs) % 2 ? -1 : 1;
	}
	return open;
}

/*
 * Finds the end of a broken statement: a semicolon or the block's closing brace, or a line that
 * begins with what can begin a statement. While parentheses are open a new line proves nothing,
 * unless it begins with a statement's keyword.
 */
static void skip_statement(struct parser *p, size_t started)
{
	int braces = open_brackets(p, started, "{}");
	int others = open_brackets(p, started, "()[]");
	bool header = token_is(p->tokens.items[started], "for");

	for (;; take(p)) {
		if (peek(p)->kind == TOKEN_END || begins_item(p))
			return;
		if (next_is(p, "}") && --braces < 0)
			return;
		if (next_is(p, "{"))
			braces++;
		if (braces > 0)
			continue;
		if (next_is(p, "(") || next_is(p, "["))
			others++;
		if (next_is(p, ")") || next_is(p, "]"))
			others--;
		if ((!header || others <= 0) && accept(p, ";"))
			return;
		if (p->next > started && first_on_line(p) &&
		    (begins_statement(p) ||
		     (others <= 0 && peek(p)->kind == TOKEN_IDENTIFIER && !is_keyword(peek(p)))))
			return;
	}
}

/* A statement of a block; NULL after an error, from which it has recovered. */
static struct stmt *parse_statement_or_skip(struct parser *p)
{
	size_t started = p->next;
	unsigned depth = p->depth;
	jmp_buf *outer = p->recover;
	struct stmt *volatile stmt = NULL;
	jmp_buf here;

	p->recover = &here;
	if (setjmp(here) == 0) {
		stmt = parse_statement(p);
	} else {
		p->depth = depth;
		skip_statement(p, started);
	}
	p->recover = outer;
	return stmt;
}

/* --- rules ----------------------------------------------------------------------------------- */

static void fail_unclosed(struct parser *p, const struct stmt *block) __attribute__((noreturn));

static void fail_unclosed(struct parser *p, const struct stmt *block)
{
	if (!p->text_lost) {
		diag_add(p->diags, peek(p), UNCLOSED_BLOCK);
		diag_second(p->diags, block->tok, "the block was opened");
	}
	p->recover = p->recover_item;
	fail(p);
}

/* block = "{" { statement } "}" */
struct stmt *parse_block(struct parser *p)
{
	struct stmt *block = stmt_create(p, STMT_BLOCK, expect(p, "{"));

	while (!next_is(p, "}")) {
		struct stmt *stmt;

		if (peek(p)->kind == TOKEN_END || begins_item(p))
			fail_unclosed(p, block);
		stmt = parse_statement_or_skip(p);
		if (stmt)
			ARENA_APPEND(p->arena, &block->block, stmt);
	}
	block->block.end = take(p);
	return block;
}

/* if = "if" "(" expression ")" statement [ "else" statement ] */
static struct stmt *parse_if(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_IF, take(p));

	expect(p, "(");
	stmt->branch.cond = parse_expression(p);
	expect(p, ")");
	stmt->branch.then = parse_statement(p);
	if (accept(p, "else"))
		stmt->branch.otherwise = parse_statement(p);
	return stmt;
}

/* while = "while" "(" expression ")" statement */
static struct stmt *parse_while(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_WHILE, take(p));

	expect(p, "(");
	stmt->loop.cond = parse_expression(p);
	expect(p, ")");
	stmt->loop.body = parse_statement(p);
	return stmt;
}

static struct expr *parse_optional(struct parser *p, const char *end)
{
	struct expr *expr = next_is(p, end) ? NULL : parse_expression(p);

	expect(p, end);
	return expr;
}

/* for = "for" "(" [ expression ] ";" [ expression ] ";" [ expression ] ")" statement */
static struct stmt *parse_for(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_FOR, take(p));

	expect(p, "(");
	stmt->loop.init = parse_optional(p, ";");
	stmt->loop.cond = parse_optional(p, ";");
	stmt->loop.next = parse_optional(p, ")");
	stmt->loop.body = parse_statement(p);
	return stmt;
}

/* sort = [ "+" | "-" ]; `key` is what it sorts by */
static void parse_sort(struct parser *p, struct stmt *stmt, int key)
{
	const struct token *token = peek(p);
	int direction = accept(p, "+") ? 1 : accept(p, "-") ? -1 : 0;

	if (!direction)
		return;
	if (stmt->foreach.sort_direction)
		fail_at(p, token, SORTED_TWICE);
	stmt->foreach.sort_direction = direction;
	stmt->foreach.sort_key = key;
}

/* key = name sort */
static void parse_foreach_key(struct parser *p, struct stmt *stmt)
{
	struct foreach_key key = { .tok = expect_name(p, "the name of a variable") };

	key.name = key.tok->text;
	ARENA_APPEND(p->arena, &stmt->foreach.keys, key);
	parse_sort(p, stmt, (int)stmt->foreach.keys.count);
}

static struct foreach_key *parse_named(struct parser *p)
{
	struct foreach_key *named = ARENA_NEW(p->arena, struct foreach_key);

	named->tok = expect_name(p, "the name of a variable");
	named->name = named->tok->text;
	return named;
}

/* keys = [ name sort "=" ] ( key | "[" key { "," key } "]" ) */
static void parse_foreach_keys(struct parser *p, struct stmt *stmt)
{
	bool sorted = token_is(peek_at(p, 1), "+") || token_is(peek_at(p, 1), "-");

	if (token_is(peek_at(p, sorted ? 2 : 1), "=")) {
		stmt->foreach.value = parse_named(p);
		parse_sort(p, stmt, 0);
		expect(p, "=");
	}
	if (!accept(p, "[")) {
		parse_foreach_key(p, stmt);
		return;
	}
	do
		parse_foreach_key(p, stmt);
	while (accept(p, ","));
	expect(p, "]");
}

/* array = container [ "@" stat ] sort; a container's [keys] is the slice that is walked */
static void parse_foreach_array(struct parser *p, struct stmt *stmt)
{
	struct expr *base = parse_container(p);

	stmt->foreach.base = base;
	stmt->foreach.sort_stat = STAT_NONE;
	if (base->kind == EXPR_INDEX) {
		stmt->foreach.base = base->index.base;
		stmt->foreach.slice = base->index.keys;
	}
	if (peek(p)->kind == TOKEN_IDENTIFIER && peek(p)->text[0] == '@') {
		if (!stat_op_lookup(peek(p)->text + 1, &stmt->foreach.sort_stat) ||
		    stmt->foreach.sort_stat > STAT_AVG)
			fail_expected(p, "@count, @sum, @min, @max or @avg to sort by");
		take(p);
		if (!next_is(p, "+") && !next_is(p, "-"))
			fail_expected(p, "'+' or '-', the direction of sorting");
	}
	parse_sort(p, stmt, 0);
}

/* foreach = "foreach" "(" keys "in" array [ "limit" expression ] ")" statement */
static struct stmt *parse_foreach(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_FOREACH, take(p));

	expect(p, "(");
	parse_foreach_keys(p, stmt);
	expect(p, "in");
	parse_foreach_array(p, stmt);
	if (accept(p, "limit"))
		stmt->foreach.limit = parse_expression(p);
	expect(p, ")");
	stmt->foreach.body = parse_statement(p);
	return stmt;
}

/* return = "return" [ expression ] */
static struct stmt *parse_return(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_RETURN, take(p));
	const struct token *token = peek(p);

	if (!next_is(p, ";") && !next_is(p, "}") && token->kind != TOKEN_END && !is_keyword(token))
		stmt->expr = parse_expression(p);
	return stmt;
}

/* delete = "delete" container, but no histogram */
static struct stmt *parse_delete(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_DELETE, take(p));
	const struct token *token = peek(p);

	stmt->expr = parse_container(p);
	if (is_histogram(stmt->expr) ||
	    (stmt->expr->kind == EXPR_INDEX && is_histogram(stmt->expr->index.base)))
		fail_at(p, token, NOT_DELETABLE);
	return stmt;
}

/* try = "try" block "catch" [ "(" name ")" ] block */
static struct stmt *parse_try(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_TRY, take(p));

	stmt->trial.body = parse_block(p);
	expect(p, "catch");
	if (accept(p, "(")) {
		stmt->trial.message = parse_named(p);
		expect(p, ")");
	}
	stmt->trial.handler = parse_block(p);
	return stmt;
}

static struct stmt *parse_expression_statement(struct parser *p)
{
	struct stmt *stmt = stmt_create(p, STMT_EXPR, peek(p));

	stmt->expr = parse_expression(p);
	return stmt;
}

typedef struct stmt *statement_rule(struct parser *p);

static struct stmt *parse_next(struct parser *p)
{
	return stmt_create(p, STMT_NEXT, take(p));
}

static struct stmt *parse_break(struct parser *p)
{
	return stmt_create(p, STMT_BREAK, take(p));
}

static struct stmt *parse_continue(struct parser *p)
{
	return stmt_create(p, STMT_CONTINUE, take(p));
}

static struct stmt *parse_null(struct parser *p)
{
	return stmt_create(p, STMT_NULL, take(p));
}

static statement_rule *statement_lookup(const struct token *token)
{
	static const struct {
		const char *word;
		statement_rule *rule;
	} rules[] = {
		{ "{", parse_block },	  { ";", parse_null },	      { "if", parse_if },
		{ "for", parse_for },	  { "foreach", parse_foreach }, { "while", parse_while },
		{ "return", parse_return }, { "delete", parse_delete }, { "try", parse_try },
		{ "next", parse_next },	  { "break", parse_break },   { "continue", parse_continue },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (token_is(token, rules[i].word))
			return rules[i].rule;
	return NULL;
}

static bool begins_expression(const struct token *token)
{
	static const char *const operators[] = { "(", "[", "!", "~", "+", "-", "++", "--", "&" };

	if (token->kind != TOKEN_OPERATOR)
		return token->kind != TOKEN_END && !is_keyword(token);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strcmp(token->text, operators[i]))
			return true;
	return false;
}

static bool takes_semicolon(const struct stmt *stmt)
{
	switch (stmt->kind) {
	case STMT_EXPR:
	case STMT_RETURN:
	case STMT_DELETE:
	case STMT_NEXT:
	case STMT_BREAK:
	case STMT_CONTINUE:
		return true;
	default:
		return false;
	}
}

/* statement = block | ";" | if | for | foreach | while | try
 *           | ( return | delete | "next" | "break" | "continue" | expression ) [ ";" ] */
struct stmt *parse_statement(struct parser *p)
{
	statement_rule *rule = statement_lookup(peek(p));
	struct stmt *stmt;

	enter(p);
	if (!rule && !begins_expression(peek(p)))
		fail_expected(p, "statement");
	stmt = rule ? rule(p) : parse_expression_statement(p);
	if (takes_semicolon(stmt))
		accept(p, ";");
	leave(p);
	return stmt;
}
