/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/token.h - places in script text.
 *
 * A source is one text: a file, a -e string, or a command-line argument that $1 pastes in. A
 * token is a piece of a source with its place; syntax tree nodes point to the token that they
 * begin with (operators: to the operator's own), and messages point to tokens.
 */
#ifndef SPILE_SCRIPT_TOKEN_H
#define SPILE_SCRIPT_TOKEN_H

#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,        /* end of the text */
	TOKEN_IDENTIFIER, /* foo $foo $$vars @count; keywords too */
	TOKEN_NUMBER,     /* value in .number */
	TOKEN_STRING,     /* value in .string, escapes decoded */
	TOKEN_OPERATOR,   /* also the preprocessor's %( %? %: %) */
	TOKEN_EMBEDDED,   /* %{ ... %}, contents in .string */
	TOKEN_JUNK,       /* what is not a token; .problem and .text say why, told when it is used */
};

struct source {
	const char *name; /* as messages show it: path, "<input>", "<argument $1>" */
	const char *text; /* NUL-terminated after len bytes; may hold NULs */
	size_t len;
};

struct token {
	enum token_kind kind;
	uint32_t line;   /* from 1 */
	uint32_t column; /* from 1, in bytes */
	size_t offset;   /* in source->text */
	size_t len;      /* bytes of source text */
	const struct source *source;
	/* Where the token was brought in, when it comes from a macro's body or a pasted argument:
	 * the token of the use (@foo, $1); NULL when it stands in its file. */
	const struct token *used_at;
	const char *text; /* identifiers, operators: the spelling; junk: the message; else "" */
	union {
		int64_t number;
		int problem; /* junk: enum diag_tag of the message */
		struct {
			const char *data; /* NUL-terminated; may hold NULs */
			size_t len;
		} string;
	};
};

#endif
