// SPDX-License-Identifier: GPL-2.0-only
/*
 * Script arguments. $N pastes the argument's text, which is then read as tokens; @N is the whole
 * argument as one string literal; $# and @# are the number of arguments as a number and as a string.
 * An argument that is not there becomes junk, told only if it is used: scripts ask
 * %( $# > 1 %? $2 %) first. Inside a pasted text there are no further arguments.
 */
#include <stdlib.h>
#include <string.h>

#include "script/preprocess.h"

static struct token *token_copy(struct arena *arena, const struct token *token)
{
	struct token *copy = ARENA_NEW(arena, struct token);

	*copy = *token;
	return copy;
}

static const struct token *make_missing(struct preprocessor *pp, struct token *token)
{
	const char *why = pp->pasting ? "it stands in an argument itself" :
			  pp->options->argc ?
					arena_printf(pp->arena, "%d given", pp->options->argc) :
					"none was given";

	token->kind = TOKEN_JUNK;
	token->problem = DIAG_TAG_MISSING_ARGUMENT;
	token->text = arena_printf(pp->arena, diag_sentence_MISSING_ARGUMENT, token->text, why);
	return token;
}

static const struct token *make_count(struct preprocessor *pp, struct token *token)
{
	if (token->text[0] == '$') {
		token->kind = TOKEN_NUMBER;
		token->number = pp->options->argc;
	} else {
		token->kind = TOKEN_STRING;
		token->string.data = arena_printf(pp->arena, "%d", pp->options->argc);
		token->string.len = strlen(token->string.data);
	}
	token->text = "";
	return token;
}

static void start_pasting(struct preprocessor *pp, const struct token *use, const char *text)
{
	const char *name = arena_printf(pp->arena, "<argument %s>", use->text);

	lexer_init(&pp->pasted, pp->arena,
		   source_create(pp->arena, name, text, strlen(text)));
	pp->pasted.used_at = use;
	pp->pasting = true;
}

static bool is_argument(const struct token *token)
{
	return token->kind == TOKEN_IDENTIFIER && (token->text[0] == '$' || token->text[0] == '@') &&
	       (token->text[1] == '#' || (token->text[1] >= '0' && token->text[1] <= '9'));
}

const struct token *args_next(struct preprocessor *pp)
{
	for (;;) {
		const struct token *raw = lexer_next(pp->pasting ? &pp->pasted : &pp->lexer);
		struct token *token;
		long number;

		if (raw->kind == TOKEN_END && pp->pasting) {
			pp->pasting = false;
			continue;
		}
		if (!is_argument(raw))
			return raw;
		token = token_copy(pp->arena, raw);
		if (pp->pasting)
			return make_missing(pp, token);
		if (raw->text[1] == '#')
			return make_count(pp, token);
		number = strtol(raw->text + 1, NULL, 10);
		if (number < 1 || number > pp->options->argc)
			return make_missing(pp, token);
		if (raw->text[0] == '$') {
			start_pasting(pp, raw, pp->options->argv[number - 1]);
			continue;
		}
		token->kind = TOKEN_STRING;
		token->string.data = arena_strdup(pp->arena, pp->options->argv[number - 1]);
		token->string.len = strlen(token->string.data);
		token->text = "";
		return token;
	}
}
