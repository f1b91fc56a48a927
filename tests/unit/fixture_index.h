/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/unit/fixture_index.h - the same question with an index and without: the same answer. */
#ifndef SPILE_TESTS_FIXTURE_INDEX_H
#define SPILE_TESTS_FIXTURE_INDEX_H

#include "base/strbuf.h"
#include "symbols/debuginfo_private.h"
#include "symbols/places_index.h"
#include "symbols/variables.h"
#include "tests/unit/fixture_places.h"

struct answer {
	struct debuginfo *info;
	struct strbuf text;
	unsigned functions, inlined, variables, lines;
};

static inline const char *or_none(const char *text)
{
	return text ? text : "-";
}

static inline int answer_place(const struct place *p, void *arg)
{
	struct answer *a = arg;

	a->lines++;
	strbuf_addf(&a->text, "0x%llx %s+%llu %s in %s %s:%d\n", (unsigned long long)p->address,
	            or_none(p->symbol), (unsigned long long)p->offset, or_none(p->function),
	            or_none(p->container), or_none(p->file), p->line);
	return 0;
}

struct at_address {
	struct answer *a;
	uint64_t address;
};

static inline int answer_location(const struct code_variable *v, void *arg)
{
	struct at_address *at = arg;
	struct location loc;
	struct error *error = variable_location(at->a->info, v, at->address, &loc);

	at->a->variables++;
	strbuf_addf(&at->a->text, "\t%s depth %u%s ", v->name, v->depth, v->is_hidden ? " hidden" : "");
	if (error)
		strbuf_adds(&at->a->text, error->message);
	else
		location_print(&loc, &at->a->text);
	strbuf_addc(&at->a->text, '\n');
	error_destroy(error);
	return 0;
}

static inline int answer_function(const struct code_function *fn, void *arg)
{
	struct answer *a = arg;
	struct at_address at = {a, function_after_prologue(a->info, fn)};
	struct place place;
	struct error *error;

	a->functions++;
	a->inlined += fn->kind == FUNCTION_INLINE;
	strbuf_addf(&a->text, "%s %s %s:%d kind %d size %llu in %s from %d%s die %llx body %llx\n",
	            fn->name, or_none(fn->symbol), or_none(fn->file), fn->line, fn->kind,
	            (unsigned long long)fn->size, or_none(fn->container), fn->call_line,
	            fn->is_external ? " external" : "", (unsigned long long)fn->die,
	            (unsigned long long)fn->body);
	error = function_place(a->info, fn, &place);
	if (!error) {
		answer_place(&place, a);
		error = variables_at(a->info, at.address, fn, answer_location, &at);
	}
	if (error)
		strbuf_addf(&a->text, "%s\n", error->message);
	error_destroy(error);
	return 0;
}

/* All that is found of the functions and, unless `lines` is none, of the lines. */
static inline void ask(struct debuginfo *info, const struct place_query *q, struct answer *ret)
{
	struct error *error;

	*ret = (struct answer){.info = info};
	strbuf_init(&ret->text);
	error = q->lines == PLACE_LINES_NONE
	            ? functions_find(info, q, FUNCTIONS_BODIES | FUNCTIONS_INLINES, answer_function, ret)
	            : places_find(info, q, answer_place, ret);
	if (error)
		strbuf_addf(&ret->text, "%s\n", error->message);
	error_destroy(error);
}

/* Shows the first line in which the answers differ. */
static inline bool answers_agree(const struct answer *walked, const struct answer *indexed)
{
	const char *a = or_none(walked->text.data), *b = or_none(indexed->text.data), *line = a;
	size_t at = 0, before;

	while (a[at] && a[at] == b[at])
		if (a[at++] == '\n')
			line = a + at;
	if (a[at] == b[at])
		return true;
	before = line - a;
	print_error("walked:  %.*s\nindexed: %.*s\n", (int)strcspn(line, "\n"), line,
	            (int)strcspn(b + before, "\n"), b + before);
	return false;
}

static inline bool agree(struct debuginfo *walked, struct debuginfo *indexed,
			 const struct place_query *q, struct answer *sum)
{
	struct answer a, b;
	bool same;

	ask(walked, q, &a);
	ask(indexed, q, &b);
	same = answers_agree(&a, &b);
	sum->functions += b.functions;
	sum->inlined += b.inlined;
	sum->variables += b.variables;
	sum->lines += b.lines;
	strbuf_deinit(&a.text);
	strbuf_deinit(&b.text);
	return same;
}

#endif
