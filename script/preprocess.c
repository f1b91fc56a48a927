// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditionals: %( cond %? tokens [ %: tokens ] %). The tokens of the branch that counts are passed
 * on, those of the other one are dropped, with the conditionals nested in them. A stack
 * remembers the %( of each branch that is being passed on.
 */
#include "script/preprocess.h"

#include <string.h>

enum where { AT_ELSE, AT_CLOSE, AT_END };

/* Drops tokens up to the %: or %) of this level. */
static enum where skip_branch(struct preprocessor *pp)
{
	size_t depth = 0;

	for (;;) {
		const struct token *token = macro_next(pp);

		if (token->kind == TOKEN_END)
			return AT_END;
		if (token_is(token, "%("))
			depth++;
		else if (token_is(token, "%)") && !depth--)
			return AT_CLOSE;
		else if (token_is(token, "%:") && !depth)
			return AT_ELSE;
	}
}

static void open_branch(struct preprocessor *pp, struct token_list *open,
			const struct token *token)
{
	bool truth;
	enum where where;

	if (!condition_read(pp, token, &truth)) {
		/* Told already. Read on as if both branches were dead. */
		if (skip_branch(pp) == AT_ELSE)
			skip_branch(pp);
		return;
	}
	if (truth) {
		ARENA_APPEND(pp->arena, open, token);
		return;
	}
	where = skip_branch(pp);
	if (where == AT_ELSE)
		ARENA_APPEND(pp->arena, open, token);
	else if (where == AT_END)
		diag_add(pp->diags, token, UNTERMINATED_CONDITIONAL);
}

/* After the true branch: %: and what is behind it. */
static void skip_else(struct preprocessor *pp, struct token_list *open)
{
	const struct token *token = open->items[--open->count];
	enum where where = skip_branch(pp);

	while (where == AT_ELSE)
		where = skip_branch(pp);
	if (where == AT_END)
		diag_add(pp->diags, token, UNTERMINATED_CONDITIONAL);
}

/* Whether the token belongs to a conditional and was dealt with. */
static bool conditional_token(struct preprocessor *pp, struct token_list *open,
			      const struct token *token)
{
	if (token->kind != TOKEN_OPERATOR || token->text[0] != '%')
		return false;
	if (!strcmp(token->text, "%("))
		open_branch(pp, open, token);
	else if (!strcmp(token->text, "%)") && open->count)
		open->count--;
	else if (!strcmp(token->text, "%:") && open->count)
		skip_else(pp, open);
	else if (strchr("):?", token->text[1]) && token->text[1])
		diag_add(pp->diags, token, STRAY_PREPROCESSOR, token->text);
	else
		return false;
	return true;
}

static void preprocessor_init(struct preprocessor *pp, struct arena *arena,
			      const struct source *source, struct macro_table *library,
			      const struct parse_options *options, struct diag_list *diags)
{
	memset(pp, 0, sizeof(*pp));
	pp->arena = arena;
	pp->diags = diags;
	pp->options = options;
	pp->error_limit = diag_error_count(diags) + ERRORS_PER_FILE;
	pp->macros.outer = library;
	lexer_init(&pp->lexer, arena, source);
}

void preprocess(struct arena *arena, const struct source *source,
		struct macro_table *library, const struct parse_options *options,
		struct diag_list *diags, struct token_list *ret)
{
	struct preprocessor pp;
	struct token_list open = { 0 };
	const struct token *token;

	preprocessor_init(&pp, arena, source, library, options, diags);
	while ((token = macro_next(&pp))->kind != TOKEN_END)
		if (!conditional_token(&pp, &open, token))
			ARENA_APPEND(arena, ret, token);
	if (open.count) /* the innermost: the outer ones follow from it */
		diag_add(diags, open.items[open.count - 1], UNTERMINATED_CONDITIONAL);
	ARENA_APPEND(arena, ret, token);
}

void preprocess_library(struct arena *arena, const struct source *source,
			struct macro_table *library, const struct parse_options *options,
			struct diag_list *diags)
{
	struct preprocessor pp;
	const struct token *token;

	preprocessor_init(&pp, arena, source, library, options, diags);
	token = macro_next(&pp);
	if (token->kind != TOKEN_END)
		diag_add(diags, token, NOT_A_MACRO_FILE);
	for (size_t i = 0; i < pp.macros.count; i++)
		ARENA_APPEND(arena, library, pp.macros.items[i]);
}
