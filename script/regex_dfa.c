// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deterministic automaton of a regular expression, by the construction of subsets.
 *
 * A state stands for a set of steps of the program at which a match may be, wherever in the string it
 * began: the program's beginning is added after each byte. Bytes that no step tells apart are one
 * class. State 0 is where a string begins; a state is final (1) when a match is complete there, or at
 * the end of the string only (2).
 */
#include "script/regex.h"

#include <string.h>

struct state {
	uint8_t in[REGEX_OPS_MAX / 8]; /* the steps that take a byte, END and MATCH */
};

struct builder {
	const struct regex_tables *program;
	struct state *states;
	size_t nstates, nclasses;
	uint8_t class_of[256];
	uint8_t sample[256]; /* a byte of each class */
	uint16_t *next;      /* [state * nclasses + class] */
};

static bool has(const struct state *s, size_t op)
{
	return s->in[op / 8] >> op % 8 & 1;
}

/* Which steps can be reached from `op` without a byte. `seen` keeps from going round. */
static void reach(const struct builder *b, struct state *s, struct state *seen, size_t op,
		  bool at_begin)
{
	const struct regex_op *step = &b->program->ops[op];

	if (has(seen, op))
		return;
	seen->in[op / 8] |= (uint8_t)(1u << op % 8);
	switch (step->code) {
	case REGEX_SPLIT:
		reach(b, s, seen, op + (size_t)(ptrdiff_t)step->a, at_begin);
		reach(b, s, seen, op + (size_t)(ptrdiff_t)step->b, at_begin);
		break;
	case REGEX_JUMP:
		reach(b, s, seen, op + (size_t)(ptrdiff_t)step->a, at_begin);
		break;
	case REGEX_SAVE:
		reach(b, s, seen, op + 1, at_begin);
		break;
	case REGEX_BEGIN:
		if (at_begin)
			reach(b, s, seen, op + 1, at_begin);
		break;
	default:
		s->in[op / 8] |= (uint8_t)(1u << op % 8);
	}
}

static bool takes(const struct regex_tables *program, const struct regex_op *step, unsigned ch)
{
	switch (step->code) {
	case REGEX_CHAR: return (unsigned)step->a == ch;
	case REGEX_SET: return program->sets[step->a][ch / 8] >> ch % 8 & 1;
	case REGEX_ANY: return true;
	default: return false;
	}
}

/* Two bytes are of one class when every step takes both or neither. */
static void find_classes(struct builder *b)
{
	for (unsigned ch = 0; ch < 256; ch++) {
		size_t k = 0;

		for (; k < b->nclasses; k++) {
			size_t op = 0;

			while (op < b->program->nops &&
			       takes(b->program, &b->program->ops[op], ch) ==
				       takes(b->program, &b->program->ops[op], b->sample[k]))
				op++;
			if (op == b->program->nops)
				break;
		}
		if (k == b->nclasses)
			b->sample[b->nclasses++] = (uint8_t)ch;
		b->class_of[ch] = (uint8_t)k;
	}
}

/* The number of a state, a new one if need be; REGEX_STATES_MAX: no room. */
static size_t intern(struct builder *b, const struct state *s)
{
	size_t i = 1; /* not the beginning: at it more holds */

	while (i < b->nstates && memcmp(&b->states[i], s, sizeof(*s)))
		i++;
	if (i == b->nstates && i < REGEX_STATES_MAX)
		b->states[b->nstates++] = *s;
	return i;
}

static size_t follow(struct builder *b, const struct state *from, unsigned ch)
{
	struct state to = { { 0 } }, seen = { { 0 } };

	for (size_t op = 0; op < b->program->nops; op++)
		if (has(from, op) && takes(b->program, &b->program->ops[op], ch))
			reach(b, &to, &seen, op + 1, false);
	reach(b, &to, &seen, 0, false);
	return intern(b, &to);
}

/* What holds at the end of a string: END leads on there. */
static bool matches_at_end(const struct builder *b, const struct state *s, bool at_begin)
{
	struct state all = *s, seen = { { 0 } };
	bool grown = true;

	while (grown) {
		grown = false;
		for (size_t op = 0; op < b->program->nops; op++) {
			struct state before = all;

			if (!has(&all, op) || b->program->ops[op].code != REGEX_END)
				continue;
			reach(b, &all, &seen, op + 1, at_begin);
			grown |= memcmp(&before, &all, sizeof(all)) != 0;
		}
	}
	return has(&all, b->program->nops - 1);
}

static uint8_t finality(const struct builder *b, size_t state)
{
	if (has(&b->states[state], b->program->nops - 1))
		return 1;
	return matches_at_end(b, &b->states[state], state == 0) ? 2 : 0;
}

void regex_add_automaton(struct arena *arena, struct regex *regex)
{
	struct builder b = { .program = &regex->tables };
	struct state start = { { 0 } }, seen = { { 0 } };
	uint8_t *final, *class_of;

	b.states = arena_alloc(arena, REGEX_STATES_MAX * sizeof(*b.states));
	find_classes(&b);
	b.next = arena_alloc(arena, REGEX_STATES_MAX * b.nclasses * sizeof(*b.next));
	/* Not by intern(): what may begin a string is a state of its own, which nothing leads to. */
	reach(&b, &start, &seen, 0, true);
	b.states[b.nstates++] = start;
	for (size_t i = 0; i < b.nstates; i++) {
		for (size_t k = 0; k < b.nclasses; k++) {
			size_t to = follow(&b, &b.states[i], b.sample[k]);

			if (to == REGEX_STATES_MAX)
				return;
			b.next[i * b.nclasses + k] = (uint16_t)to;
		}
	}
	final = arena_alloc(arena, b.nstates);
	for (size_t i = 0; i < b.nstates; i++)
		final[i] = finality(&b, i);
	class_of = arena_alloc(arena, sizeof(b.class_of));
	memcpy(class_of, b.class_of, sizeof(b.class_of));
	regex->nstates = b.nstates;
	regex->nclasses = b.nclasses;
	regex->tables.classes = class_of;
	regex->tables.nclasses = b.nclasses;
	regex->tables.next = b.next;
	regex->tables.final = final;
}
