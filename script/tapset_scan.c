// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a tapset file defines, without parsing it: the words after `function`, `global`, `probe` and
 * `@define` outside of braces. Both branches of %( %? %: %) count, so the index can name a file that
 * turns out not to define the name for this kernel; whoever loads it looks again. Private names
 * are left out, since nobody else can use them.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "script/lex.h"
#include "script/tapset_private.h"

struct scan {
	struct tapset *tapset;
	size_t file;
	bool has_macros; /* for others: it is a .stpm file */
	struct lexer lexer;
	const struct token *token;
};

static const struct token *next(struct scan *s)
{
	s->token = lexer_next(&s->lexer);
	return s->token;
}

static void add(struct scan *s, enum tapset_kind kind, const char *name)
{
	tapset_add_entry(s->tapset, kind, name, s->file);
}

/* { ... }; the opening brace is the current token, the closing one afterwards. */
static void skip_braces(struct scan *s)
{
	int depth = 1;

	while (depth && next(s)->kind != TOKEN_END)
		depth += token_is(s->token, "{") - token_is(s->token, "}");
}

/* The head of a variable's initial value or size needs no care: it holds no names. */
static void scan_globals(struct scan *s)
{
	do {
		if (next(s)->kind != TOKEN_IDENTIFIER)
			return;
		add(s, TAPSET_GLOBAL, s->token->text);
		while (next(s)->kind == TOKEN_NUMBER || s->token->kind == TOKEN_STRING ||
		       token_is(s->token, "%") || token_is(s->token, "[") ||
		       token_is(s->token, "]") || token_is(s->token, "=") ||
		       token_is(s->token, "-"))
			;
	} while (token_is(s->token, ","));
}

/* name { "." name } ( "=" | "+=" ), several times; then the points up to the body. */
static void scan_probe(struct scan *s)
{
	struct strbuf name;

	strbuf_init(&name);
	next(s);
	while (s->token->kind != TOKEN_END && !token_is(s->token, "{")) {
		if (token_is(s->token, "=") || token_is(s->token, "+=")) {
			add(s, TAPSET_ALIAS, name.data ? name.data : "");
			strbuf_deinit(&name);
			strbuf_init(&name);
		} else if (s->token->kind == TOKEN_IDENTIFIER || token_is(s->token, ".")) {
			strbuf_adds(&name, s->token->text);
		} else {
			strbuf_addc(&name, ' '); /* no alias is named so */
		}
		next(s);
	}
	strbuf_deinit(&name);
}

/* After `private`: up to the function's name, which is a word like any other then, or the end of
 * the line with the variables. */
static void skip_private(struct scan *s)
{
	uint32_t line = s->token->line;

	if (token_is(next(s), "function"))
		next(s);
	else
		while (s->token->kind != TOKEN_END && s->token->line == line)
			next(s);
}

static void scan_define(struct scan *s)
{
	int depth = 1;

	if (next(s)->kind != TOKEN_IDENTIFIER)
		return;
	if (s->has_macros)
		add(s, TAPSET_MACRO, s->token->text);
	while (s->token->kind != TOKEN_END && !token_is(s->token, "%("))
		next(s);
	while (depth && next(s)->kind != TOKEN_END)
		depth += token_is(s->token, "%(") - token_is(s->token, "%)");
}

static void scan_item(struct scan *s)
{
	if (token_is(s->token, "private")) {
		skip_private(s);
		return;
	}
	if (token_is(s->token, "function")) {
		if (next(s)->kind == TOKEN_IDENTIFIER)
			add(s, TAPSET_FUNCTION, s->token->text);
	} else if (token_is(s->token, "global")) {
		scan_globals(s);
		return; /* stands on what comes next */
	} else if (token_is(s->token, "probe")) {
		scan_probe(s);
	} else if (token_is(s->token, "@define")) {
		scan_define(s); /* in a .stp file they are the file's own */
	}
	if (token_is(s->token, "{"))
		skip_braces(s);
	next(s);
}

void tapset_scan(struct tapset *tapset, const char *path, size_t file)
{
	const bool is_stpm = path[strlen(path) - 1] == 'm';
	struct scan s = {.tapset = tapset, .file = file, .has_macros = is_stpm};
	_cleanup_free_ char *text = NULL;
	struct arena arena;
	struct error *error;
	size_t len;

	error = file_read(path, &text, &len);
	error_destroy(error);
	if (error)
		return;
	arena_init(&arena);
	lexer_init(&s.lexer, &arena, source_create(&arena, path, text, len));
	next(&s);
	while (s.token->kind != TOKEN_END)
		scan_item(&s);
	arena_deinit(&arena);
}
