/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/regex.h - regular expressions, from the text behind =~ to tables for runtime/regex.c.
 *
 * The syntax is that of POSIX extended regular expressions without back-references, on bytes:
 *
 *	regex     = branch { "|" branch }
 *	branch    = { piece }
 *	piece     = atom { "*" | "+" | "?" | "{" n [ "," [ m ] ] "}" }
 *	atom      = "(" regex ")" | "." | "^" | "$" | "[" [ "^" ] set "]" | "\" character | character
 *
 * In sets stand characters, ranges, and classes such as [:alpha:] of the C locale. "." matches any
 * byte of a string, line ends too. "\" takes the meaning from a special character; before others it
 * stands for nothing.
 *
 * A program for the run-time's matcher is always made, and, when that does not take too many states,
 * the table of a deterministic automaton, which tells whether there is a match in one look-up a byte.
 */
#ifndef SPILE_SCRIPT_REGEX_H
#define SPILE_SCRIPT_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define REGEX_OPS_MAX 512    /* of a program */
#define REGEX_STATES_MAX 256 /* of an automaton */
#define REGEX_REPEAT_MAX 255 /* n and m in {n,m} */
#define REGEX_GROUPS_MAX 15

/** Steps of a program, what they do is said of enum spl_regex_code in runtime/script.h. */
enum regex_code {
	REGEX_CHAR,
	REGEX_SET,
	REGEX_ANY,
	REGEX_SPLIT,
	REGEX_JUMP,
	REGEX_SAVE,
	REGEX_BEGIN,
	REGEX_END,
	REGEX_MATCH,
};

struct regex_op {
	enum regex_code code;
	int16_t a, b;
};

/** As struct spl_regex there. Arrays are the arena's. */
struct regex_tables {
	const struct regex_op *ops;
	size_t nops, groups;
	const uint8_t (*sets)[32];
	const uint8_t *classes; /* from here on of the automaton: NULL if there is none */
	size_t nclasses;
	const uint16_t *next;
	const uint8_t *final;
};

struct regex {
	const char *pattern;
	struct regex_tables tables;
	size_t nstates;          /* of the automaton; 0: there is none */
	size_t nclasses;         /* of bytes that the automaton does not tell apart */
	size_t nsets;
};

/**
 * Compiles a pattern. Returns NULL, or why it is not a regular expression; *ret_offset is then where.
 * Everything is allocated from the arena and lives as long.
 */
const char *regex_compile(struct arena *arena, const char *pattern, size_t *ret_offset,
			  struct regex *ret);

/** regex_dfa.c: adds the automaton to a compiled program, if it is not too large. */
void regex_add_automaton(struct arena *arena, struct regex *regex);

#endif
