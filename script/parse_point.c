// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe points, with braces expanded as a shell does it, in product order:
 *
 *	{kernel,module("nfs")}.function("nfs*")!
 *	    -> kernel.function("nfs*")!, module("nfs").function("nfs*")!
 *
 * Each rule returns the list of points that its text stands for; a dot multiplies two lists.
 * Points of one text share their arguments and conditions.
 */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "script/parse_private.h"

enum { POINTS_MAX = 1024 };

struct point_list {
	ARENA_LIST(struct probe_point *);
};

static void parse_chain(struct parser *p, struct point_list *ret);

static bool has_suffix(const struct probe_point *point)
{
	return point->optional || point->sufficient || point->condition;
}

/* --- components ------------------------------------------------------------------------------ */

/* A token that can be part of a component's name: sys, *, 64, if. */
static bool is_name_part(const struct token *token, bool first)
{
	switch (token->kind) {
	case TOKEN_IDENTIFIER:
		return token->text[0] != '$' && token->text[0] != '@';
	case TOKEN_OPERATOR:
		return !strcmp(token->text, "*");
	case TOKEN_NUMBER:
		return !first;
	case TOKEN_JUNK: /* *64bit: no number, but a fine end of a name */
		return !first && isdigit((unsigned char)token->source->text[token->offset]);
	default:
		return false;
	}
}

static bool touches(const struct token *before, const struct token *token)
{
	return before->source == token->source && before->offset + before->len == token->offset;
}

/* name = part { part }, without blanks between      part = word | "*" | number */
static const char *parse_component_name(struct parser *p)
{
	const struct token *token = take(p);
	const char *start = token->source->text + token->offset;
	size_t len = token->len;

	while (is_name_part(peek(p), false) && touches(token, peek(p))) {
		token = take(p);
		len += token->len;
	}
	return arena_strndup(p->arena, start, len);
}

/* component = name [ "(" [ literal ] ")" ] */
static struct component parse_component(struct parser *p)
{
	struct component component = { .tok = peek(p) };

	if (!is_name_part(component.tok, true))
		fail_expected(p, "the name of a probe point");
	component.name = parse_component_name(p);
	if (accept(p, "(")) {
		if (is_name(peek(p)))
			fail_expected_hint(p, "literal string or number",
					   arena_printf(p->arena, "did you mean \"%s\"?",
							peek(p)->text));
		component.arg = parse_literal(p);
		expect(p, ")");
	}
	return component;
}

/* --- lists ----------------------------------------------------------------------------------- */

static struct probe_point *point_join(struct parser *p, const struct probe_point *left,
				      const struct probe_point *right)
{
	struct probe_point *point = ARENA_NEW(p->arena, struct probe_point);

	*point = *right;
	point->tok = left->tok ? left->tok : right->tok;
	point->components.items = NULL;
	point->components.count = 0;
	for (size_t i = 0; i < left->components.count; i++)
		ARENA_APPEND(p->arena, &point->components, left->components.items[i]);
	for (size_t i = 0; i < right->components.count; i++)
		ARENA_APPEND(p->arena, &point->components, right->components.items[i]);
	return point;
}

/* Every point of `left`, followed by every point of `right`. */
static void points_multiply(struct parser *p, struct point_list *left,
			    const struct point_list *right, const struct token *tok)
{
	struct point_list product = { 0 };

	if (left->count * right->count > POINTS_MAX)
		fail_at(p, tok, TOO_MANY_POINTS, POINTS_MAX);
	for (size_t i = 0; i < left->count; i++) {
		if (has_suffix(left->items[i]))
			fail_at(p, tok, BRACE_SUFFIX);
		for (size_t j = 0; j < right->count; j++)
			ARENA_APPEND(p->arena, &product,
				     point_join(p, left->items[i], right->items[j]));
	}
	*left = product;
}

/* braces = "{" chain { "," chain } "}" */
static void parse_braces(struct parser *p, struct point_list *ret)
{
	const struct token *tok = expect(p, "{");

	enter(p);
	do {
		struct point_list chain = { 0 };

		parse_chain(p, &chain);
		for (size_t i = 0; i < chain.count; i++)
			ARENA_APPEND(p->arena, ret, chain.items[i]);
		if (ret->count > POINTS_MAX)
			fail_at(p, tok, TOO_MANY_POINTS, POINTS_MAX);
	} while (accept(p, ","));
	expect(p, "}");
	leave(p);
}

/* part = component | braces */
static void parse_part(struct parser *p, struct point_list *ret)
{
	struct probe_point *point;

	if (next_is(p, "{")) {
		parse_braces(p, ret);
		return;
	}
	point = ARENA_NEW(p->arena, struct probe_point);
	point->tok = peek(p);
	ARENA_APPEND(p->arena, &point->components, parse_component(p));
	ARENA_APPEND(p->arena, ret, point);
}

/* suffix = { "?" | "!" | "if" "(" expression ")" } */
static void parse_suffix(struct parser *p, struct point_list *points)
{
	for (;;) {
		struct expr *condition = NULL;
		bool optional = accept(p, "?");
		bool sufficient = !optional && accept(p, "!");

		if (!optional && !sufficient) {
			if (!accept(p, "if"))
				return;
			expect(p, "(");
			condition = parse_expression(p);
			expect(p, ")");
		}
		for (size_t i = 0; i < points->count; i++) {
			struct probe_point *point = points->items[i];

			point->optional |= optional;
			point->sufficient |= sufficient;
			if (condition)
				point->condition = condition;
		}
	}
}

/* chain = part { "." part } suffix */
static void parse_chain(struct parser *p, struct point_list *ret)
{
	parse_part(p, ret);
	for (;;) {
		struct point_list right = { 0 };
		const struct token *dot = peek(p);

		if (!accept(p, "."))
			break;
		parse_part(p, &right);
		points_multiply(p, ret, &right, dot);
	}
	parse_suffix(p, ret);
}

/* points = chain { "," chain } */
static void parse_points(struct parser *p, struct point_list *ret)
{
	do {
		struct point_list chain = { 0 };

		parse_chain(p, &chain);
		for (size_t i = 0; i < chain.count; i++)
			ARENA_APPEND(p->arena, ret, chain.items[i]);
	} while (accept(p, ","));
}

/* --- probes ---------------------------------------------------------------------------------- */

static void check_alias_name(struct parser *p, const struct probe_point *name)
{
	const char *why = has_suffix(name) ? "without '?', '!' or 'if'" : NULL;

	for (size_t i = 0; !why && i < name->components.count; i++) {
		if (name->components.items[i].arg)
			why = "without arguments";
		else if (strchr(name->components.items[i].name, '*'))
			why = "without '*'";
	}
	if (why)
		fail_at(p, name->tok, BAD_ALIAS_NAME, why);
}

/* header = { points ( "=" | "+=" ) } points */
void parse_probe_header(struct parser *p, struct probe *probe)
{
	for (;;) {
		struct point_list points = { 0 };
		bool equals, adds;

		parse_points(p, &points);
		equals = accept(p, "=");
		adds = !equals && accept(p, "+=");
		if (!equals && !adds) {
			probe->points.items = points.items;
			probe->points.count = points.count;
			break;
		}
		probe->epilogue = adds;
		for (size_t i = 0; i < points.count; i++) {
			check_alias_name(p, points.items[i]);
			ARENA_APPEND(p->arena, &probe->names, points.items[i]);
		}
	}
	if (!next_is(p, "{"))
		fail_expected(p, "'{', ',', '.', '=' or '+='");
}
