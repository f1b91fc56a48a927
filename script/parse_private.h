/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/parse_private.h - what the parser's files share.
 *
 *	parse.c         files, top level, functions, globals      parse_point.c  probe points
 *	parse_stmt.c    statements                                parse_expr.c   expressions
 *	parse_at.c      @words and target variables               parse_print.c  print family, formats
 *
 * A parse function is named after its grammar rule, reads the rule's tokens and returns its node,
 * never NULL. On an error it does not return: fail() adds the message and jumps to the innermost
 * recovery point, which is the statement or the top-level item; that skips to where the next one
 * seems to begin. Everything is in the arena, so nothing is lost on the way.
 *
 * EBNF as written above the functions: "literal", [ optional ], { any number }, a | b.
 */
#ifndef SPILE_SCRIPT_PARSE_PRIVATE_H
#define SPILE_SCRIPT_PARSE_PRIVATE_H

#include <setjmp.h>

#include "script/preprocess.h"

enum {
	NESTING_MAX = 300, /* recursion of the parser: brackets, statements, prefixes */
	HEIGHT_MAX = 3000, /* of the tree: a + b + c + ... leans left without recursion */
};

struct parser {
	struct arena *arena;
	struct diag_list *diags;
	const struct parse_options *options;
	struct script_file *file;
	struct token_list tokens; /* the last one is TOKEN_END */
	size_t next;              /* index of the token to be read */
	unsigned depth;
	bool text_lost; /* an error told already has swallowed text: do not miss braces */
	size_t error_limit; /* of diag_error_count(): then give up */
	jmp_buf *recover;   /* innermost statement or item */
	jmp_buf *recover_item;
	jmp_buf *give_up;
};

/* --- tokens --- */
const struct token *peek(const struct parser *p);
const struct token *peek_at(const struct parser *p, size_t ahead);
const struct token *take(struct parser *p);
/* Whether the next token is spelled so; accept() also takes it. */
bool next_is(const struct parser *p, const char *spelling);
bool accept(struct parser *p, const char *spelling);
/* Takes the token or fails: "expected ')'". */
const struct token *expect(struct parser *p, const char *spelling);
/* Takes a name that is no keyword; `what` for the message. */
const struct token *expect_name(struct parser *p, const char *what);
bool is_name(const struct token *token);
bool is_keyword(const struct token *token);
/* The word begins a top-level item and stands first on its line: text there is out of blocks. */
bool begins_item(const struct parser *p);
bool first_on_line(const struct parser *p);

/* --- errors --- */
/* Jumps to the recovery point; the message has been added. */
void fail(struct parser *p) __attribute__((noreturn));
/* "expected X", about the next token; junk tells its own story. */
void fail_expected(struct parser *p, const char *what) __attribute__((noreturn));
/* The same with a remedy, which may be NULL. */
void fail_expected_hint(struct parser *p, const char *what, const char *hint)
	__attribute__((noreturn));
#define fail_at(p, token, tag, ...)                                                                \
	do {                                                                                       \
		diag_add((p)->diags, (token), tag, ##__VA_ARGS__);                                 \
		fail(p);                                                                           \
	} while (0)
/* Counts one level of nesting; leave() ends it. After fail() the recovery point restores it. */
void enter(struct parser *p);
void leave(struct parser *p);

/* --- rules --- */
struct stmt *parse_block(struct parser *p);
struct stmt *parse_statement(struct parser *p);
struct expr *parse_expression(struct parser *p);
/* name or name[keys] of an array or statistic, or a histogram: where foreach and `in` look. */
struct expr *parse_container(struct parser *p);
/* "[" key { "," key } "]" with * allowed as a key (NULL in the list) */
void parse_keys(struct parser *p, struct expr_list *ret);
struct expr *parse_at_word(struct parser *p);
struct expr *parse_target(struct parser *p);
/* The path that begins here, of a value that is no target variable itself. */
struct expr *parse_value_path(struct parser *p, struct expr *value);
struct expr *parse_print_call(struct parser *p);
bool is_print_name(const char *name);
/* Literals, as @cast, probe points and globals take them. */
struct expr *parse_literal(struct parser *p);
struct expr *parse_literal_string(struct parser *p, const char *what);
struct expr *parse_literal_number(struct parser *p, const char *what);
struct embedded *parse_embedded(struct parser *p);
/* { "," point } of a probe, braces expanded, appended to the lists. */
void parse_probe_header(struct parser *p, struct probe *probe);
/* A statistics word as after `foreach (a in b`; false if the token is none. */
bool stat_op_lookup(const char *word, enum stat_op *ret);
bool is_histogram(const struct expr *expr);

struct expr *expr_create(struct parser *p, enum expr_kind kind, const struct token *tok);
/* Takes the heights of the operands over; fails when the tree gets too high. */
void expr_raise(struct parser *p, struct expr *expr, const struct expr *operand);
struct stmt *stmt_create(struct parser *p, enum stmt_kind kind, const struct token *tok);

#endif
