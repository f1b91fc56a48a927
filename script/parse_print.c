// SPDX-License-Identifier: GPL-2.0-only
/* The print family, and the format strings of printf and sprintf. */
#include <limits.h>
#include <string.h>

#include "script/parse_private.h"

static const struct print print_kinds[] = {
	{ .name = "print" },
	{ .name = "println", .newline = true },
	{ .name = "printf", .has_format = true },
	{ .name = "printd", .has_delimiter = true },
	{ .name = "printdln", .has_delimiter = true, .newline = true },
	{ .name = "sprint", .to_string = true },
	{ .name = "sprintln", .to_string = true, .newline = true },
	{ .name = "sprintf", .to_string = true, .has_format = true },
	{ .name = "sprintd", .to_string = true, .has_delimiter = true },
	{ .name = "sprintdln", .to_string = true, .has_delimiter = true, .newline = true },
};

static const struct print *print_lookup(const char *name)
{
	for (size_t i = 0; i < sizeof(print_kinds) / sizeof(print_kinds[0]); i++)
		if (!strcmp(name, print_kinds[i].name))
			return &print_kinds[i];
	return NULL;
}

bool is_print_name(const char *name)
{
	return print_lookup(name) != NULL;
}

/* --- formats --------------------------------------------------------------------------------- */

struct format_reader {
	struct parser *p;
	const struct token *tok; /* the format, for messages */
	struct print *print;
	const char *at;
	const char *end;
};

static void add_text(struct format_reader *r, const char *text, size_t len)
{
	struct format_part part = { .text = text, .text_len = len, .width = -1, .precision = -1 };

	if (len)
		ARENA_APPEND(r->p->arena, &r->print->parts, part);
}

static uint8_t read_flags(struct format_reader *r)
{
	static const char flags[] = "-+ #0";
	uint8_t found = 0;
	const char *flag;

	while (r->at < r->end && *r->at && (flag = strchr(flags, *r->at))) {
		found |= (uint8_t)(1 << (flag - flags));
		r->at++;
	}
	return found;
}

/* A number, or * for an argument. -1 if there is none. */
static int read_count(struct format_reader *r, bool *dynamic)
{
	int value = 0;

	*dynamic = r->at < r->end && *r->at == '*';
	if (*dynamic) {
		r->at++;
		return -1;
	}
	if (r->at >= r->end || *r->at < '0' || *r->at > '9')
		return -1;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
		if (value > (INT_MAX - 9) / 10)
			fail_at(r->p, r->tok, BAD_FORMAT, "a width or precision is too large");
		else
			value = value * 10 + *r->at - '0';
	return value;
}

/* conversion = "%" { flag } [ width ] [ "." [ precision ] ] { length } specifier; % is read */
static void read_conversion(struct format_reader *r)
{
	struct format_part part = { .precision = -1 };
	const char *start = r->at - 1;

	part.flags = read_flags(r);
	part.width = read_count(r, &part.dynamic_width);
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		part.precision = read_count(r, &part.dynamic_precision);
		if (part.precision < 0 && !part.dynamic_precision)
			part.precision = 0;
	}
	while (r->at < r->end && *r->at && strchr("hlLjzt", *r->at))
		r->at++;
	if (r->at >= r->end)
		fail_at(r->p, r->tok, BAD_FORMAT, "it ends within a conversion; %% prints a %");
	if (!*r->at || !strchr("diouxXpbcsmM", *r->at))
		fail_at(r->p, r->tok, BAD_FORMAT,
			arena_printf(r->p->arena, "'%.*s' is not a conversion; %%%% prints a %%",
				     (int)(r->at + 1 - start), start));
	part.conversion = *r->at++;
	ARENA_APPEND(r->p->arena, &r->print->parts, part);
}

/* format = { text | "%%" | conversion } */
static void read_format(struct format_reader *r)
{
	while (r->at < r->end) {
		const char *percent = memchr(r->at, '%', (size_t)(r->end - r->at));

		add_text(r, r->at, (size_t)((percent ? percent : r->end) - r->at));
		if (!percent)
			return;
		r->at = percent + 1;
		if (r->at < r->end && *r->at == '%')
			add_text(r, r->at++, 1);
		else
			read_conversion(r);
	}
}

/* --- calls ----------------------------------------------------------------------------------- */

/* The first argument of printf and printd. */
static void parse_first(struct parser *p, struct print *print)
{
	const struct token *tok = peek(p);
	struct expr *literal;

	if (tok->kind != TOKEN_STRING && tok->kind != TOKEN_JUNK)
		fail_at(p, tok, FORMAT_NOT_LITERAL, print->name);
	literal = parse_literal_string(p, "literal string");
	if (print->has_delimiter) {
		print->delimiter = literal->string.data;
		print->delimiter_len = literal->string.len;
	} else {
		struct format_reader reader = { p, tok, print, literal->string.data,
						literal->string.data + literal->string.len };

		print->format = literal->string.data;
		print->format_len = literal->string.len;
		read_format(&reader);
	}
}

static void check_count(struct parser *p, const struct expr *expr)
{
	const struct print *print = expr->print;

	if (print->has_delimiter && print->args.count < 2)
		diag_add(p->diags, expr->tok, PRINT_ARGUMENTS, print->name,
			 "a delimiter and at least two values");
	else if (!print->has_format && !print->newline && !print->args.count)
		diag_add(p->diags, expr->tok, PRINT_ARGUMENTS, print->name, "a value");
}

/* print = name "(" [ expression { "," expression } ] ")"
 * The first argument of the forms with a format or a delimiter is a string literal. */
struct expr *parse_print_call(struct parser *p)
{
	struct expr *expr = expr_create(p, EXPR_PRINT, take(p));
	bool more;

	expr->print = ARENA_NEW(p->arena, struct print);
	*expr->print = *print_lookup(expr->tok->text);
	expect(p, "(");
	more = !next_is(p, ")");
	if (expr->print->has_format || expr->print->has_delimiter) {
		parse_first(p, expr->print);
		more = accept(p, ",");
	}
	while (more) {
		struct expr *arg = parse_expression(p);

		expr_raise(p, expr, arg);
		ARENA_APPEND(p->arena, &expr->print->args, arg);
		more = accept(p, ",");
	}
	if (!next_is(p, ")"))
		fail_expected(p, "',' or ')'");
	take(p);
	check_count(p, expr);
	return expr;
}
