// SPDX-License-Identifier: GPL-2.0-only
/*
 * Macros. A body is kept as raw tokens and read again at each use, with a stack of frames:
 *
 *	@define twice(x) %( (@x + @x) %)        @twice(@one)
 *
 *	file's text  ->  frame {body of twice, use U1}  ->  frame {tokens of x: "@one", use NULL}
 *
 * A frame's `use` says what names in its tokens mean: in a body, @x is U1's argument; an argument's
 * own tokens were written outside of U1, so their names mean what they meant there. A macro
 * that is met while the chain of uses holds it already is recursive: an error, so expansion
 * ends; MACRO_TOKENS_MAX bounds chains of macros that double each other.
 */
#include <string.h>

#include "script/preprocess.h"

void junk_report(struct diag_list *diags, const struct token *token)
{
	diag_add_format(diags, token, (enum diag_tag)token->problem, "%s", token->text);
}

static const struct macro *table_find(const struct macro_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->items[i]->name, name))
			return table->items[i];
	return NULL;
}

const struct macro *macro_lookup(const struct macro_table *table, const char *name)
{
	const struct macro *macro = NULL;

	for (; table && !macro; table = table->outer)
		macro = table_find(table, name);
	return macro;
}

/* --- frames ---------------------------------------------------------------------------------- */

/* Frames come and go; their memory is kept for the next (an ARENA_LIST would grow at each push). */
static void frame_push(struct preprocessor *pp, const struct token_list *tokens,
		       const struct macro_use *use, bool is_body)
{
	if (pp->count == pp->frame_room) {
		pp->items = arena_grow(pp->arena, pp->items, pp->count, sizeof(*pp->items));
		pp->frame_room = pp->count ? 2 * pp->count : 1;
	}
	pp->items[pp->count++] = (struct macro_frame){ tokens, 0, use, is_body };
}

/* The token as it comes out of a body: its place is the body's, marked with the place of use. */
static const struct token *mark_use(struct preprocessor *pp, const struct token *token,
				    const struct macro_use *use)
{
	struct token *copy = ARENA_NEW(pp->arena, struct token);

	*copy = *token;
	copy->used_at = use->tok;
	return copy;
}

static const struct token *too_large(struct preprocessor *pp, const struct token *token)
{
	struct token *end = ARENA_NEW(pp->arena, struct token);

	if (pp->expanded != SIZE_MAX)
		diag_add(pp->diags, token, MACRO_TOO_LARGE, MACRO_TOKENS_MAX);
	pp->expanded = SIZE_MAX;
	*end = *token;
	end->kind = TOKEN_END;
	return end;
}

/* The next token, not expanded, and the use whose names it speaks. */
static const struct token *raw_next(struct preprocessor *pp, const struct macro_use **use)
{
	while (pp->count) {
		struct macro_frame *frame = &pp->items[pp->count - 1];
		const struct token *token;

		if (frame->next == frame->tokens->count) {
			pp->count--;
			continue;
		}
		token = frame->tokens->items[frame->next++];
		if (pp->expanded >= MACRO_TOKENS_MAX)
			return too_large(pp, token);
		pp->expanded++;
		*use = frame->use;
		return frame->is_body ? mark_use(pp, token, frame->use) : token;
	}
	*use = NULL;
	return args_next(pp);
}

/* Looks at the token that follows. The layer below has no way back, so what is read from the
 * file is kept as a frame of its own. */
static const struct token *raw_peek(struct preprocessor *pp)
{
	struct token_list *kept;

	while (pp->count) {
		struct macro_frame *frame = &pp->items[pp->count - 1];

		if (frame->next < frame->tokens->count)
			return frame->tokens->items[frame->next];
		pp->count--;
	}
	kept = ARENA_NEW(pp->arena, struct token_list);
	ARENA_APPEND(pp->arena, kept, args_next(pp));
	frame_push(pp, kept, NULL, false);
	return kept->items[0];
}

/* --- definitions ----------------------------------------------------------------------------- */

/* Reads up to the %) that closes the body; its own conditionals stay in it. */
static bool body_read(struct preprocessor *pp, struct macro *macro)
{
	const struct macro_use *use;
	unsigned depth = 0;

	for (;;) {
		const struct token *token = raw_next(pp, &use);

		if (token->kind == TOKEN_END) {
			diag_add(pp->diags, macro->tok, UNTERMINATED_DEFINE, macro->name);
			return false;
		}
		if (token_is(token, "%("))
			depth++;
		if (token_is(token, "%)") && !depth--)
			return true;
		ARENA_APPEND(pp->arena, &macro->body, token);
	}
}

static bool param_add(struct preprocessor *pp, struct macro *macro, const struct token *token)
{
	if (token->kind != TOKEN_IDENTIFIER) {
		diag_add(pp->diags, token, BAD_DEFINE);
		return false;
	}
	for (size_t i = 0; i < macro->params.count; i++)
		if (!strcmp(macro->params.items[i]->text, token->text)) {
			diag_add(pp->diags, token, DUPLICATE_MACRO_PARAMETER, token->text);
			return false;
		}
	ARENA_APPEND(pp->arena, &macro->params, token);
	return true;
}

/* params = "(" [ identifier { "," identifier } ] ")"; the parenthesis is read. */
static bool params_read(struct preprocessor *pp, struct macro *macro)
{
	const struct macro_use *use;
	const struct token *token = raw_next(pp, &use);

	if (token_is(token, ")"))
		return true;
	for (;;) {
		if (!param_add(pp, macro, token))
			return false;
		token = raw_next(pp, &use);
		if (token_is(token, ")"))
			return true;
		if (!token_is(token, ",")) {
			diag_add(pp->diags, token, BAD_DEFINE);
			return false;
		}
		token = raw_next(pp, &use);
	}
}

/* After a broken definition: the rest of its line, and its body if that begins there. */
static void define_skip(struct preprocessor *pp, const struct token *tok)
{
	const struct macro_use *use;
	unsigned depth = 0;

	for (;;) {
		const struct token *token = raw_peek(pp);

		if (token->kind == TOKEN_END ||
		    (!depth && (token->source != tok->source || token->line != tok->line)))
			return;
		raw_next(pp, &use);
		if (token_is(token, "%("))
			depth++;
		else if (depth && token_is(token, "%)") && !--depth)
			return;
	}
}

/* define = "@define" identifier [ params ] "%(" body "%)"; @define is read. */
static void define_read(struct preprocessor *pp, const struct token *tok)
{
	const struct macro_use *use;
	struct macro *macro = ARENA_NEW(pp->arena, struct macro);
	const struct token *token = raw_next(pp, &use);
	const struct macro *old;

	if (token->kind != TOKEN_IDENTIFIER) {
		diag_add(pp->diags, token, BAD_DEFINE);
		define_skip(pp, tok);
		return;
	}
	macro->tok = token;
	macro->name = token->text;
	token = raw_next(pp, &use);
	if (token_is(token, "(")) {
		macro->has_params = true;
		if (!params_read(pp, macro)) {
			define_skip(pp, tok);
			return;
		}
		token = raw_next(pp, &use);
	}
	if (!token_is(token, "%(")) {
		diag_add(pp->diags, token, BAD_DEFINE);
		define_skip(pp, tok);
		return;
	}
	if (!body_read(pp, macro))
		return;
	old = table_find(&pp->macros, macro->name);
	if (old) {
		diag_add(pp->diags, macro->tok, DUPLICATE_MACRO, macro->name);
		diag_second(pp->diags, old->tok, "the first one is");
		return;
	}
	ARENA_APPEND(pp->arena, &pp->macros, macro);
}

/* --- uses ------------------------------------------------------------------------------------ */

/* +1 for what opens a bracket, -1 for what closes one. */
static int bracket(const struct token *token)
{
	if (token_is(token, "(") || token_is(token, "[") || token_is(token, "{") ||
	    token_is(token, "%("))
		return 1;
	if (token_is(token, ")") || token_is(token, "]") || token_is(token, "}") ||
	    token_is(token, "%)"))
		return -1;
	return 0;
}

/* arguments = "(" [ tokens { "," tokens } ] ")"; commas inside brackets do not separate.
 * Returns the number of arguments, or -1 after an error. */
static ssize_t args_read(struct preprocessor *pp, const struct macro *macro,
			 const struct token *tok, struct token_list *args)
{
	const struct macro_use *use;
	size_t count = 1, want = macro->params.count;
	int depth = 0;
	bool empty = true;

	raw_next(pp, &use); /* the parenthesis */
	for (;;) {
		const struct token *token = raw_next(pp, &use);

		if (token->kind == TOKEN_END) {
			diag_add(pp->diags, tok, UNTERMINATED_MACRO_CALL, macro->name);
			return -1;
		}
		if (!depth && token_is(token, ")"))
			return empty && count == 1 && !want ? 0 : (ssize_t)count;
		if (!depth && token_is(token, ",")) {
			count++;
			empty = false;
			continue;
		}
		depth += bracket(token);
		empty = false;
		if (count <= want)
			ARENA_APPEND(pp->arena, &args[count - 1], token);
	}
}

static bool is_active(const struct macro_use *use, const struct macro *macro)
{
	for (; use; use = use->outer)
		if (use->macro == macro)
			return true;
	return false;
}

/* What stands for a macro that cannot be expanded, so that one error does not cause others. */
static void push_stopgap(struct preprocessor *pp, const struct token *tok)
{
	struct token_list *tokens = ARENA_NEW(pp->arena, struct token_list);
	struct token *zero = ARENA_NEW(pp->arena, struct token);

	*zero = *tok;
	zero->kind = TOKEN_NUMBER;
	zero->text = "";
	zero->number = 0;
	ARENA_APPEND(pp->arena, tokens, zero);
	frame_push(pp, tokens, NULL, false);
}

/* Replaces @macro; `outer` is the use whose names the @macro token speaks. */
static void macro_expand(struct preprocessor *pp, const struct macro *macro,
			 const struct token *tok, const struct macro_use *outer)
{
	struct macro_use *use = ARENA_NEW(pp->arena, struct macro_use);
	ssize_t given = 0;

	if (is_active(outer, macro)) {
		diag_add(pp->diags, tok, RECURSIVE_MACRO, macro->name);
		push_stopgap(pp, tok);
		return;
	}
	use->macro = macro;
	use->tok = tok;
	use->outer = outer;
	use->args = arena_alloc(pp->arena, (macro->params.count + 1) * sizeof(*use->args));
	if (macro->has_params) {
		if (token_is(raw_peek(pp), "("))
			given = args_read(pp, macro, tok, use->args);
		if (given < 0)
			return;
		if ((size_t)given != macro->params.count) {
			diag_add(pp->diags, tok, MACRO_ARGUMENTS, macro->name, macro->params.count,
				 (size_t)given);
			diag_second(pp->diags, macro->tok, "it is defined");
		}
	}
	frame_push(pp, &macro->body, use, true);
}

/* @name in a macro's body may be a parameter: then its argument is read next. */
static bool param_expand(struct preprocessor *pp, const struct token *token,
			 const struct macro_use *use)
{
	if (!use)
		return false;
	for (size_t i = 0; i < use->macro->params.count; i++)
		if (!strcmp(use->macro->params.items[i]->text, token->text + 1)) {
			frame_push(pp, &use->args[i], use->outer, false);
			return true;
		}
	return false;
}

/* The end, wherever the text is. */
static const struct token *give_up(struct preprocessor *pp)
{
	pp->count = 0;
	pp->pasting = false;
	pp->lexer.pos = pp->lexer.source->len;
	return args_next(pp);
}

const struct token *macro_next(struct preprocessor *pp)
{
	while (diag_error_count(pp->diags) < pp->error_limit) {
		const struct macro_use *use;
		const struct token *token = raw_next(pp, &use);
		const struct macro *macro;

		if (token->kind != TOKEN_IDENTIFIER || token->text[0] != '@')
			return token;
		if (!strcmp(token->text, "@define")) {
			define_read(pp, token);
			continue;
		}
		if (param_expand(pp, token, use))
			continue;
		macro = macro_lookup(&pp->macros, token->text + 1);
		if (!macro)
			macro = library_macro(pp, token->text + 1);
		if (!macro)
			return token;
		macro_expand(pp, macro, token, use);
	}
	return give_up(pp);
}
