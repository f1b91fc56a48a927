// SPDX-License-Identifier: GPL-2.0-only
/*
 * Matching at a hit, in time that is bounded by the lengths of the string and of the program.
 *
 * Whether there is a match is told by the automaton: one look-up a byte. Where it is, and where its
 * groups are, is found by running the program for all places where a match may begin at once: a
 * *thread* is a step of the program and the limits of groups so far. There is at most one thread for
 * each step: when two meet at a step, what follows is the same for both, so the one that came first
 * stays. They come in an order: repetitions rather once more than not, alternatives from left to
 * right. The match is the leftmost, of those the longest, of those the first.
 *
 * Lists of threads lie in the frame area. Any context.
 */
#include "runtime/internal.h"

#define UNSET 0xffffu

struct list {
	spl_u16 *order;  /* steps that have a thread */
	spl_u16 *limits; /* [step * nlimits] */
	spl_u32 count;
};

struct run {
	const struct spl_regex *regex;
	spl_u32 nlimits;
	struct list now, then;
	spl_u16 *mark;  /* of a step: the list being filled has been there */
	spl_u16 *stack; /* pairs: a step to go to, and the step from which */
	spl_u32 depth;  /* of the stack */
	spl_u16 *best;  /* limits of the best match, in the context */
	int matched;
};

static int takes(const struct spl_regex *regex, const struct spl_regex_op *step, spl_u8 ch)
{
	switch (step->code) {
	case SPL_RE_CHAR:
		return step->a == ch;
	case SPL_RE_SET:
		return regex->sets[step->a][ch / 8] >> ch % 8 & 1;
	default:
		return step->code == SPL_RE_ANY;
	}
}

static void limits_copy(spl_u16 *dst, const spl_u16 *src, spl_u32 n)
{
	while (n--)
		*dst++ = *src++;
}

/* A match is complete. */
static void note_match(struct run *r, const spl_u16 *limits)
{
	if (r->matched && (limits[0] > r->best[0] ||
			   (limits[0] == r->best[0] && limits[1] <= r->best[1])))
		return;
	r->matched = 1;
	limits_copy(r->best, limits, r->nlimits);
}

static void push(struct run *r, spl_u32 step, spl_s32 by)
{
	r->stack[r->depth++] = (spl_u16)(step + (spl_u32)by);
	r->stack[r->depth++] = (spl_u16)step;
}

/* Where a thread gets from a step without taking a byte; the first choice is pushed last. */
static void push_choices(struct run *r, spl_u32 step, spl_u32 pos, int at_end)
{
	const struct spl_regex_op *op = &r->regex->ops[step];

	switch (op->code) {
	case SPL_RE_SPLIT:
		push(r, step, op->b);
		push(r, step, op->a);
		break;
	case SPL_RE_JUMP:
		push(r, step, op->a);
		break;
	case SPL_RE_SAVE:
		push(r, step, 1);
		break;
	case SPL_RE_BEGIN:
		if (!pos)
			push(r, step, 1);
		break;
	case SPL_RE_END:
		if (at_end)
			push(r, step, 1);
		break;
	}
}

/* Adds a thread, if no better one is at its step, and all that it leads to without a byte. */
static void list_add(struct run *r, struct list *list, spl_u32 step, const spl_u16 *limits,
		     spl_u32 pos, int at_end)
{
	for (;;) {
		spl_u16 *mine = list->limits + step * r->nlimits;

		if (!r->mark[step]) {
			r->mark[step] = 1;
			list->order[list->count++] = (spl_u16)step;
			limits_copy(mine, limits, r->nlimits);
			if (r->regex->ops[step].code == SPL_RE_SAVE)
				mine[r->regex->ops[step].a] = (spl_u16)pos;
			else if (r->regex->ops[step].code == SPL_RE_MATCH)
				note_match(r, mine);
			push_choices(r, step, pos, at_end);
		}
		if (!r->depth)
			return;
		limits = list->limits + r->stack[--r->depth] * r->nlimits;
		step = r->stack[--r->depth];
	}
}

static void list_clear(struct run *r, struct list *list)
{
	spl_u32 i;

	list->count = 0;
	for (i = 0; i < r->regex->nops; i++)
		r->mark[i] = 0;
}

/* The threads that take the byte s[pos] go on to the next list. */
static void advance(struct run *r, const char *s, spl_u32 pos)
{
	struct list done = r->now;
	spl_u32 i;

	list_clear(r, &r->then);
	for (i = 0; i < done.count; i++) {
		spl_u32 step = done.order[i];

		if (takes(r->regex, &r->regex->ops[step], (spl_u8)s[pos]))
			list_add(r, &r->then, step + 1, done.limits + step * r->nlimits, pos + 1,
				 !s[pos + 1]);
	}
	r->now = r->then;
	r->then = done;
}

static void run_all(struct run *r, const char *s)
{
	spl_u16 none[2 * (SPL_GROUPS_MAX + 1)];
	spl_u32 pos, i;

	for (i = 0; i < r->nlimits; i++)
		none[i] = UNSET;
	list_clear(r, &r->now);
	for (pos = 0; pos < UNSET - 1; pos++) {
		if (!r->matched) /* later starts cannot be better */
			list_add(r, &r->now, 0, none, pos, !s[pos]);
		if (!s[pos] || (!r->now.count && r->matched))
			return;
		advance(r, s, pos);
	}
}

/* Lays the lists out in the frame. */
static void run_init(struct run *r, const struct spl_regex *regex, spl_u16 *frame, spl_u16 *best)
{
	r->regex = regex;
	r->nlimits = 2 * (regex->groups + 1);
	r->now.limits = frame;
	r->then.limits = r->now.limits + regex->nops * r->nlimits;
	r->now.order = r->then.limits + regex->nops * r->nlimits;
	r->then.order = r->now.order + regex->nops;
	r->mark = r->then.order + regex->nops;
	r->stack = r->mark + regex->nops;
	r->depth = 0;
	r->best = best;
	r->matched = 0;
}

static int run_program(struct spl_ctx *c, const struct spl_regex *regex, const char *s)
{
	spl_u16 *frame = spl_frame_push(c, SPL_REGEX_FRAME(regex->nops, regex->groups));
	struct run r;

	if (!frame)
		return 0;
	run_init(&r, regex, frame, c->match.at);
	run_all(&r, s);
	spl_frame_pop(c, frame);
	return r.matched;
}

static int run_automaton(const struct spl_regex *regex, const char *s)
{
	spl_u32 state = 0;

	for (; regex->final[state] != 1; s++) {
		if (!*s)
			return regex->final[state] == 2;
		state = regex->next[state * regex->nclasses + regex->classes[(spl_u8)*s]];
	}
	return 1;
}

int spl_regex_match(struct spl_ctx *c, const struct spl_regex *regex, const char *s)
{
	if (regex->next && !run_automaton(regex, s))
		return 0;
	if (regex->next && !c->match.text)
		return 1;
	if (!run_program(c, regex, s))
		return 0;
	if (c->match.text) {
		c->match.matched = 1;
		c->match.groups = regex->groups;
		spl_str_copy(c->match.text, c->session->script->string_size, s);
	}
	return 1;
}

char *spl_fn_matched(struct spl_ctx *c, char *dst, spl_size size, spl_s64 n, const char *place)
{
	const struct spl_match *m = &c->match;
	spl_size length;

	dst[0] = 0;
	if (!m->matched) {
		spl_fail(c, "no regular expression has matched here", place);
	} else if (n < 0 || n > m->groups) {
		spl_fail(c, "the regular expression has no such group", place);
	} else if (m->at[2 * n] != UNSET && m->at[2 * n + 1] != UNSET) {
		length = (spl_size)(m->at[2 * n + 1] - m->at[2 * n]) + 1;
		spl_str_copy(dst, length < size ? length : size, m->text + m->at[2 * n]);
	}
	return dst;
}

spl_s64 spl_fn_ngroups(struct spl_ctx *c)
{
	return c->match.matched ? c->match.groups + 1 : 0;
}
