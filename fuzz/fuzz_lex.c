// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the lexer alone on any bytes. It ends; each token lies behind the one before it, within
 * the text, on the line that the newlines before it say; what is between tokens is white or comment.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool truth, const char *what, const struct token *token)
{
	if (truth)
		return;
	fprintf(stderr, "%s: token at %u:%u, offset %zu\n", what, token->line, token->column,
		(size_t)token->offset);
	abort();
}

static uint32_t count_lines(const char *text, size_t from, size_t to)
{
	uint32_t lines = 0;

	for (; from < to; from++)
		lines += text[from] == '\n';
	return lines;
}

/* Nothing is passed over but white space and comments, which begin with one of three signs. */
static bool may_be_skipped(const char *text, size_t from, size_t to)
{
	while (from < to && strchr(" \t\n\r\v\f", text[from]) && text[from])
		from++;
	return from == to || text[from] == '#' || text[from] == '/';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct lexer lexer;
	const struct source *source = source_create(&arena, "fuzz", (const char *)data, size);
	const struct token *token;
	size_t end = 0;
	uint32_t line = 1;

	lexer_init(&lexer, &arena, source);
	while ((token = lexer_next(&lexer))->kind != TOKEN_END) {
		hold(token->offset >= end && token->len && token->offset + token->len <= size,
		     "a token out of its place", token);
		hold(may_be_skipped(source->text, end, token->offset), "text was passed over", token);
		line += count_lines(source->text, end, token->offset);
		hold(token->line == line, "a wrong line", token);
		hold(*token_describe(token, &arena), "a token without a description", token);
		line += count_lines(source->text, token->offset, token->offset + token->len);
		end = token->offset + token->len;
	}
	hold(lexer_next(&lexer)->kind == TOKEN_END, "more after the end", token);
	arena_deinit(&arena);
	return 0;
}
