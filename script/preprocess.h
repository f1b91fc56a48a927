/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/preprocess.h - the token stream that the grammar sees.
 *
 * Three layers, each pulling tokens from the one below:
 *
 *	preprocess.c        conditionals   %( cond %? tokens %: tokens %)
 *	preprocess_macro.c  macros         @define m(a) %( body %), @m(x)
 *	preprocess_args.c   arguments      $1 pastes text, @1 is a string, $# @# count
 *	lex.c               characters
 *
 * Macros come below conditionals, as the language reference says: what is in a dead branch is
 * expanded too, and @define counts wherever it stands.
 */
#ifndef SPILE_SCRIPT_PREPROCESS_H
#define SPILE_SCRIPT_PREPROCESS_H

#include "script/lex.h"
#include "script/parse.h"

enum { MACRO_TOKENS_MAX = 1000000, ERRORS_PER_FILE = 100 };

struct token_list {
	ARENA_LIST(const struct token *);
};

struct macro {
	const char *name; /* without the @ */
	const struct token *tok;
	bool has_params; /* parentheses were written, even empty ones: uses have them too */
	struct token_list params;
	struct token_list body;
};

struct macro_table {
	struct macro_table *outer; /* the library's, seen from a file's own */
	struct {
		ARENA_LIST(const char *);
	} files; /* library: tapset files that were read */
	ARENA_LIST(struct macro *);
};

/* One use of a macro: what @param means inside its body. */
struct macro_use {
	const struct macro *macro;
	const struct token *tok; /* the @name that is replaced */
	const struct macro_use *outer; /* the use whose body or argument holds this one */
	struct token_list *args;       /* one per parameter */
};

/* Tokens that are read before the layer below goes on: a macro's body or an argument of it. */
struct macro_frame {
	const struct token_list *tokens;
	size_t next;
	const struct macro_use *use; /* for names in these tokens; NULL: the file's own text */
	bool is_body;                /* its tokens are marked with where the macro was used */
};

struct preprocessor {
	struct arena *arena;
	struct diag_list *diags;
	const struct parse_options *options;
	struct lexer lexer;
	struct lexer pasted; /* the text of $N while pasting */
	bool pasting;
	struct macro_table macros;
	ARENA_LIST(struct macro_frame); /* .count is the depth */
	size_t frame_room;
	size_t expanded; /* tokens that came out of macros */
	size_t error_limit; /* of diag_error_count(): then the text ends here */
};

/** Turns a source into the tokens of the grammar; the last one is TOKEN_END. */
void preprocess(struct arena *arena, const struct source *source,
		struct macro_table *library, const struct parse_options *options,
		struct diag_list *diags, struct token_list *ret);

/** The macro of a name, looked up in a table and those around it; NULL if there is none. */
const struct macro *macro_lookup(const struct macro_table *table, const char *name);
/** Reads a text of nothing but @define into the library's table. */
void preprocess_library(struct arena *arena, const struct source *source,
			struct macro_table *library, const struct parse_options *options,
			struct diag_list *diags);

/* --- between the layers --- */

/* The macro of a tapset file, which is read now; NULL if there is none. */
const struct macro *library_macro(struct preprocessor *pp, const char *name);

/* The next token with script arguments replaced. */
const struct token *args_next(struct preprocessor *pp);
/* The next token with macros expanded and definitions taken out. */
const struct token *macro_next(struct preprocessor *pp);
/* Tells what is wrong with a junk token. */
void junk_report(struct diag_list *diags, const struct token *token);
/* The truth of the condition after %(; the tokens up to and with %? are read. On an error the
 * condition is told to be wrong and *ret is false. */
bool condition_read(struct preprocessor *pp, const struct token *open, bool *ret);

#endif
