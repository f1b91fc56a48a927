// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: macros, conditionals and script arguments on any bytes, without the grammar. It ends with
 * TOKEN_END; no layer's own tokens come out; a text of nothing but ordinary tokens comes out as it is.
 *
 * The first byte chooses the options and whether the text is a library's macros, the rest is the text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/preprocess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static bool is_ordinary(const struct token *token)
{
	return token->kind != TOKEN_JUNK && !token_is(token, "%(") && !token_is(token, "%?") &&
	       !token_is(token, "%:") && !token_is(token, "%)") &&
	       !(token->kind == TOKEN_IDENTIFIER && strchr("@$", *token->text));
}

/* What the lexer alone gives, or a list without items if the layers have something to do. */
static struct token_list lex_plain(struct arena *arena, const struct source *source)
{
	struct token_list list = {0};
	const struct token *token;
	struct lexer lexer;

	lexer_init(&lexer, arena, source);
	while ((token = lexer_next(&lexer))->kind != TOKEN_END) {
		if (!is_ordinary(token))
			return (struct token_list){0};
		ARENA_APPEND(arena, &list, token);
	}
	return list;
}

static void check(struct arena *arena, const struct source *source, const struct token_list *tokens)
{
	const struct token_list plain = lex_plain(arena, source);

	hold(tokens->count && tokens->items[tokens->count - 1]->kind == TOKEN_END, "no end");
	for (size_t i = 0; i < tokens->count; i++)
		hold(!token_is(tokens->items[i], "%(") && !token_is(tokens->items[i], "%?"),
		     "a conditional came through");
	if (!plain.count)
		return;
	hold(plain.count == tokens->count - 1, "plain text has another number of tokens");
	for (size_t i = 0; i < plain.count; i++)
		hold(plain.items[i]->kind == tokens->items[i]->kind &&
			     plain.items[i]->offset == tokens->items[i]->offset,
		     "plain text changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = { "kernel.function(\"f\")", "5 + \"", "@a(" };
	const uint8_t choice = size ? data[0] : 0;
	const struct parse_options options = { .guru = choice & 1,
					       .argc = choice & 2 ? 3 : 0,
					       .argv = argv,
					       .release = choice & 4 ? "6.1.0-28-amd64" : NULL,
					       .arch = "x86_64" };
	struct macro_table library = {0};
	struct token_list tokens = {0};
	struct diag_list diags;
	struct arena arena = {0};
	const struct source *source =
		source_create(&arena, "fuzz", (const char *)data + (size > 0), size - (size > 0));

	diag_list_init(&diags);
	if (choice & 8)
		preprocess_library(&arena, source, &library, &options, &diags);
	preprocess(&arena, source, &library, &options, &diags, &tokens);
	check(&arena, source, &tokens);
	diag_list_deinit(&diags);
	arena_deinit(&arena);
	return 0;
}
