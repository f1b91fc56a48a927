/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/diag.h - messages about scripts: collected with their place, printed at the end.
 *
 * The sentences are in errors.def. A pass adds what it finds and goes on where it can, so that one
 * run tells all errors of a file; the caller asks diag_error_count() between passes.
 *
 *	diag_add(diags, token, UNKNOWN_FUNCTION, name);
 *	diag_second(diags, other, "declared here");
 *	diag_hint(diags, "did you mean '%s'?", near);
 *
 * prints, for a parse and for a semantic error,
 *
 *	parse error: expected statement
 *	        saw: operator ')' at x.stp:1:15
 *	     source: probe begin { ) }
 *	                           ^
 *	semantic error: unknown function 'prnt': identifier 'prnt' at x.stp:1:15
 *	        source: probe begin { prnt(1) }
 *	                              ^
 *	        hint: did you mean 'print'?
 */
#ifndef SPILE_SCRIPT_DIAG_H
#define SPILE_SCRIPT_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "script/token.h"

enum diag_pass { DIAG_PARSE, DIAG_RESOLVE, DIAG_WARN };

enum diag_tag {
#define DIAG(pass, tag, sentence) DIAG_TAG_##tag,
#include "script/errors.def"
#undef DIAG
	DIAG_TAG_COUNT,
};

/* The sentences as arrays, so that the compiler checks each use against its format. */
#define DIAG(pass, tag, sentence)                                                                  \
	static const char diag_sentence_##tag[] __attribute__((unused)) = sentence;
#include "script/errors.def"
#undef DIAG

struct diag {
	enum diag_tag tag;
	enum diag_pass pass;
	const struct token *token; /* NULL: no place */
	const char *text;          /* the sentence with its arguments */
	const struct token *second; /* another place that belongs to it, or NULL */
	const char *second_text;
	const char *hint; /* the remedy, or NULL */
};

struct diag_list {
	struct arena arena; /* owns the texts; tokens belong to the script */
	ARENA_LIST(struct diag);
	size_t errors;
	size_t warnings;
};

void diag_list_init(struct diag_list *list);
void diag_list_deinit(struct diag_list *list);

/** Adds a message of errors.def about `token` (may be NULL). Arguments as its sentence says. */
#define diag_add(list, token, tag, ...)                                                            \
	diag_add_format((list), (token), DIAG_TAG_##tag, diag_sentence_##tag, ##__VA_ARGS__)
void diag_add_format(struct diag_list *list, const struct token *token, enum diag_tag tag,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** Gives the newest message a second place. */
void diag_second(struct diag_list *list, const struct token *token, const char *text);
/** Gives the newest message a remedy. */
void diag_hint(struct diag_list *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Whether a message of this tag was added: for what is told once. */
bool diag_has(const struct diag_list *list, enum diag_tag tag);
/** Errors so far, warnings not counted. */
size_t diag_error_count(const struct diag_list *list);
/** Prints all messages in the order of adding, equal ones once. */
void diag_list_print(const struct diag_list *list, FILE *out);
/** The tag's name, as tests name it. */
const char *diag_tag_name(enum diag_tag tag);

/**
 * The candidate that `word` was probably meant to be, by edit distance; NULL when none is near
 * (more edits than a third of its length, and more than one) or the word is a candidate itself.
 */
const char *diag_nearest(const char *word, const char *const *candidates, size_t count);

#endif
