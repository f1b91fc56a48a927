/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/lex.h - text to tokens.
 *
 * The lexer knows characters only: comments are dropped here, while macros, conditionals and
 * script arguments are preprocess.h's. What is no token becomes TOKEN_JUNK with its message in
 * it, which is told when the token is used: junk in a conditional's dead branch harms nobody.
 */
#ifndef SPILE_SCRIPT_LEX_H
#define SPILE_SCRIPT_LEX_H

#include <stdbool.h>

#include "base/arena.h"
#include "script/token.h"

struct lexer {
	struct arena *arena;
	const struct source *source;
	const struct token *used_at; /* for pasted text: where it is pasted */
	size_t pos;
	size_t line_start;
	uint32_t line;
};

/** A source whose text is copied into the arena. */
const struct source *source_create(struct arena *arena, const char *name, const char *text,
				   size_t len);

void lexer_init(struct lexer *lexer, struct arena *arena, const struct source *source);
/** The next token; at the end TOKEN_END, again and again. Never NULL. */
struct token *lexer_next(struct lexer *lexer);

/** Whether an operator or identifier is spelled so. */
bool token_is(const struct token *token, const char *spelling);
/** "identifier 'foo'", "operator ')'", "end of file" ...: a token as messages name it. */
const char *token_describe(const struct token *token, struct arena *arena);

#endif
