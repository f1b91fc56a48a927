// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regular expressions: the parser, which emits the program as it goes.
 *
 * A program is a list of steps (enum regex_code). What is being repeated or is an alternative must
 * be moved behind a step that is only known to be needed later, so pieces are emitted at the end of
 * the program and shifted by insert(); jumps are relative inside a piece and so move along.
 */
#include "script/regex.h"

#include <ctype.h>
#include <string.h>

struct compiler {
	struct arena *arena;
	const char *pattern, *p;
	struct regex_op ops[REGEX_OPS_MAX];
	size_t count;
	uint8_t (*sets)[32];
	size_t nsets;
	unsigned groups;
	unsigned depth;
	const char *error;
	const char *error_at;
};

#define DEPTH_MAX 64

static void fail(struct compiler *c, const char *at, const char *why)
{
	if (c->error)
		return;
	c->error = why;
	c->error_at = at;
}

/* --- emitting ----------------------------------------------------------------------------------- */

static bool room(struct compiler *c, size_t n)
{
	if (c->count + n <= REGEX_OPS_MAX)
		return true;
	fail(c, c->p, "it is too large");
	return false;
}

static void emit(struct compiler *c, enum regex_code code, int a, int b)
{
	if (room(c, 1))
		c->ops[c->count++] = (struct regex_op){ code, (int16_t)a, (int16_t)b };
}

/* Puts a step before those from `at` on. */
static void insert(struct compiler *c, size_t at, enum regex_code code, int a, int b)
{
	if (!room(c, 1))
		return;
	memmove(&c->ops[at + 1], &c->ops[at], (c->count - at) * sizeof(c->ops[0]));
	c->ops[at] = (struct regex_op){ code, (int16_t)a, (int16_t)b };
	c->count++;
}

static void append_copy(struct compiler *c, const struct regex_op *ops, size_t n)
{
	if (!room(c, n))
		return;
	memcpy(&c->ops[c->count], ops, n * sizeof(*ops));
	c->count += n;
}

static void set_add(uint8_t *set, unsigned ch)
{
	set[ch / 8] |= (uint8_t)(1u << ch % 8);
}

static uint8_t *set_create(struct compiler *c)
{
	uint8_t(*sets)[32] = arena_alloc(c->arena, (c->nsets + 1) * sizeof(*sets));

	if (c->nsets)
		memcpy(sets, c->sets, c->nsets * sizeof(*sets));
	c->sets = sets;
	memset(sets[c->nsets], 0, sizeof(*sets));
	return sets[c->nsets++];
}

/* --- atoms -------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*is)(int ch);
} classes[] = {
	{ "alpha", isalpha }, { "digit", isdigit }, { "alnum", isalnum }, { "upper", isupper },
	{ "lower", islower }, { "space", isspace }, { "blank", isblank }, { "punct", ispunct },
	{ "print", isprint }, { "graph", isgraph }, { "cntrl", iscntrl }, { "xdigit", isxdigit },
};

/* "[:" is behind. */
static void parse_class(struct compiler *c, uint8_t *set)
{
	const char *end = strstr(c->p, ":]");

	for (size_t i = 0; end && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) != (size_t)(end - c->p) ||
		    strncmp(c->p, classes[i].name, (size_t)(end - c->p)))
			continue;
		for (int ch = 1; ch < 128; ch++)
			if (classes[i].is(ch))
				set_add(set, (unsigned)ch);
		c->p = end + 2;
		return;
	}
	fail(c, c->p, "there is no such class of characters");
}

static void parse_range(struct compiler *c, uint8_t *set)
{
	const char *at = c->p;
	unsigned low = (unsigned char)*c->p++, high = low;

	if (c->p[0] == '-' && c->p[1] && c->p[1] != ']') {
		high = (unsigned char)c->p[1];
		c->p += 2;
	}
	if (low > high)
		fail(c, at, "this range has its ends the wrong way round");
	for (unsigned ch = low; ch <= high; ch++)
		set_add(set, ch);
}

/* "[" is behind. */
static void parse_set(struct compiler *c)
{
	const char *start = c->p - 1, *first;
	uint8_t *set = set_create(c);
	bool negated = *c->p == '^';

	c->p += negated;
	first = c->p;
	while (!c->error && *c->p && (*c->p != ']' || c->p == first)) {
		if (c->p[0] == '[' && c->p[1] == ':') {
			c->p += 2;
			parse_class(c, set);
		} else if (c->p[0] == '[' && (c->p[1] == '.' || c->p[1] == '=')) {
			fail(c, c->p, "collating elements are not supported");
		} else {
			parse_range(c, set);
		}
	}
	if (*c->p != ']')
		fail(c, start, "this [ has no ]");
	else
		c->p++;
	for (size_t i = 0; negated && i < 32; i++)
		set[i] = (uint8_t)~set[i];
	emit(c, REGEX_SET, (int)c->nsets - 1, 0);
}

static void parse_alternatives(struct compiler *c);

/* "(" is behind. */
static void parse_group(struct compiler *c)
{
	const char *start = c->p - 1;
	unsigned group = ++c->groups;

	if (group > REGEX_GROUPS_MAX)
		fail(c, start, "it has more than 15 groups");
	if (++c->depth > DEPTH_MAX)
		fail(c, start, "it is nested too deeply");
	if (c->error)
		return;
	emit(c, REGEX_SAVE, (int)group * 2, 0);
	parse_alternatives(c);
	emit(c, REGEX_SAVE, (int)group * 2 + 1, 0);
	if (*c->p == ')')
		c->p++;
	else
		fail(c, start, "this ( has no )");
	c->depth--;
}

static void parse_escape(struct compiler *c)
{
	if (!*c->p)
		fail(c, c->p - 1, "nothing follows the last \\");
	else if (isdigit((unsigned char)*c->p))
		fail(c, c->p - 1, "references to groups are not supported");
	else
		emit(c, REGEX_CHAR, (unsigned char)*c->p++, 0);
}

static bool at_repetition(const struct compiler *c)
{
	return *c->p && strchr("*+?", *c->p);
}

static void parse_atom(struct compiler *c)
{
	char ch = *c->p;

	if (at_repetition(c) || (ch == '{' && isdigit((unsigned char)c->p[1]))) {
		fail(c, c->p, "there is nothing before this to repeat");
		return;
	}
	c->p++;
	switch (ch) {
	case '(': parse_group(c); break;
	case '[': parse_set(c); break;
	case '.': emit(c, REGEX_ANY, 0, 0); break;
	case '^': emit(c, REGEX_BEGIN, 0, 0); break;
	case '$': emit(c, REGEX_END, 0, 0); break;
	case '\\': parse_escape(c); break;
	default: emit(c, REGEX_CHAR, (unsigned char)ch, 0);
	}
}

/* --- repetition ----------------------------------------------------------------------------------- */

/* The piece from `start` on, once more or not at all. */
static void make_optional(struct compiler *c, size_t start)
{
	insert(c, start, REGEX_SPLIT, 1, (int)(c->count - start) + 1);
}

/* Any number of times, none too: L: split 1, end; piece; jump L */
static void make_star(struct compiler *c, size_t start)
{
	size_t length = c->count - start;

	insert(c, start, REGEX_SPLIT, 1, (int)length + 2);
	emit(c, REGEX_JUMP, -(int)(length + 1), 0);
}

/* At least once: piece; split back, 1 */
static void make_plus(struct compiler *c, size_t start)
{
	emit(c, REGEX_SPLIT, -(int)(c->count - start), 1);
}

static unsigned parse_count(struct compiler *c)
{
	const char *at = c->p;
	unsigned n = 0;

	if (!isdigit((unsigned char)*c->p))
		fail(c, c->p, "{ takes {n}, {n,} or {n,m}");
	for (; isdigit((unsigned char)*c->p) && n <= REGEX_REPEAT_MAX; c->p++)
		n = n * 10 + (unsigned)(*c->p - '0');
	if (n > REGEX_REPEAT_MAX)
		fail(c, at, "this number of repetitions is above 255");
	return n;
}

/* The piece from `start` on, `low` to `high` times; high < 0: without end. */
static void repeat(struct compiler *c, size_t start, unsigned low, int high)
{
	struct regex_op piece[REGEX_OPS_MAX];
	size_t length = c->count - start;

	memcpy(piece, &c->ops[start], length * sizeof(piece[0]));
	c->count = start;
	for (unsigned i = 0; i < low && !c->error; i++)
		append_copy(c, piece, length);
	if (high < 0) {
		append_copy(c, piece, length);
		if (!c->error)
			make_star(c, c->count - length);
	}
	/* x{0,3} is (x(x(x)?)?)?: each split leaves by the end of all */
	for (int i = (int)low; i < high && !c->error; i++) {
		int left = high - i;

		emit(c, REGEX_SPLIT, 1, left * ((int)length + 1));
		append_copy(c, piece, length);
	}
}

/* "{" is here. */
static void parse_counts(struct compiler *c, size_t start)
{
	const char *at = c->p++;
	unsigned low = parse_count(c);
	int high = (int)low;

	if (*c->p == ',') {
		c->p++;
		high = *c->p == '}' ? -1 : (int)parse_count(c);
	}
	if (*c->p != '}')
		fail(c, at, "{ takes {n}, {n,} or {n,m}");
	else
		c->p++;
	if (high >= 0 && (unsigned)high < low)
		fail(c, at, "the second number is smaller than the first");
	if (!c->error)
		repeat(c, start, low, high);
}

static void parse_piece(struct compiler *c)
{
	size_t start = c->count;

	parse_atom(c);
	while (!c->error) {
		if (*c->p == '*')
			make_star(c, start);
		else if (*c->p == '+')
			make_plus(c, start);
		else if (*c->p == '?')
			make_optional(c, start);
		else if (*c->p == '{' && isdigit((unsigned char)c->p[1])) {
			parse_counts(c, start);
			continue;
		} else
			return;
		c->p++;
	}
}

static void parse_alternatives(struct compiler *c)
{
	size_t start = c->count, last;

	while (!c->error && *c->p && *c->p != '|' && (*c->p != ')' || !c->depth))
		parse_piece(c);
	if (c->error || *c->p != '|')
		return;
	/* split left, right; left; jump end; right */
	c->p++;
	insert(c, start, REGEX_SPLIT, 1, (int)(c->count - start) + 2);
	last = c->count;
	emit(c, REGEX_JUMP, 0, 0);
	parse_alternatives(c);
	if (!c->error)
		c->ops[last].a = (int16_t)(c->count - last);
}

const char *regex_compile(struct arena *arena, const char *pattern, size_t *ret_offset,
			  struct regex *ret)
{
	struct compiler c = { .arena = arena, .pattern = pattern, .p = pattern };
	struct regex_op *ops;

	emit(&c, REGEX_SAVE, 0, 0);
	parse_alternatives(&c);
	emit(&c, REGEX_SAVE, 1, 0);
	emit(&c, REGEX_MATCH, 0, 0);
	if (c.error) {
		*ret_offset = (size_t)(c.error_at - pattern);
		return c.error;
	}
	ops = arena_alloc(arena, c.count * sizeof(*ops));
	memcpy(ops, c.ops, c.count * sizeof(*ops));
	*ret = (struct regex){
		.pattern = pattern,
		.nsets = c.nsets,
		.tables = { .ops = ops, .nops = c.count, .groups = c.groups,
			    .sets = (const uint8_t(*)[32])c.sets },
	};
	regex_add_automaton(arena, ret);
	return NULL;
}
