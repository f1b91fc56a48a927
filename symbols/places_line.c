// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_line.c - lines to addresses and back.
 *
 * A line table is rows of (address, file, line, flags), each valid up to the next row's address.
 * Three kinds of rows are no places for a probe: the end of a sequence (its line is the last row's,
 * its address another function's), line 0 (code that belongs to no line), and rows that are not
 * statements (the middle of a line's code). One line has many rows: loops are turned around, code
 * is duplicated, and each inlined copy has its own. Of each copy (function body or inlined instance,
 * found by walking down the DIEs at the row's address) the lowest address is the place.
 */
#include "symbols/places_private.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/places_index.h"

#define LINE_MAX 100000000

/* --- one address ------------------------------------------------------------------------------ */

Dwarf_Die *chain_innermost(struct die_chain *chain)
{
	for (unsigned i = chain->count; i-- > 0;) {
		int tag = dwarf_tag(&chain->dies[i]);

		if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram)
			return &chain->dies[i];
	}
	return NULL;
}

static void note_functions(struct die_chain *chain, struct place *ret)
{
	Dwarf_Die *inner = chain_innermost(chain);

	ret->function = inner ? die_name(inner) : NULL;
	if (inner && inner != &chain->dies[0])
		ret->container = die_name(&chain->dies[0]);
}

static void note_line(const struct unit *unit, uint64_t address, struct place *ret)
{
	Dwarf_Die die = unit->skeleton;
	Dwarf_Line *row = dwarf_getsrc_die(&die, address);

	if (!row)
		return;
	ret->file = dwarf_linesrc(row, NULL, NULL);
	dwarf_lineno(row, &ret->line);
	dwarf_linebeginstatement(row, &ret->is_statement);
}

static const struct elf_symbol *note_symbol(struct debuginfo *info, uint64_t address,
                                            struct place *ret)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(info, address);

	*ret = (struct place){.address = address};
	if (!sym)
		return NULL;
	ret->symbol = ret->function = sym->name;
	ret->offset = address - sym->address;
	return sym;
}

/* At a function's entry nothing inlined has begun. */
static void cut_at_entry(struct die_chain *chain, uint64_t address)
{
	uint64_t entry;

	if (die_entry(&chain->dies[0], &entry) && entry == address)
		chain->count = 1;
}

void place_in_unit(struct debuginfo *info, const struct unit *unit, uint64_t address,
                   struct place *ret)
{
	struct die_chain chain;

	note_symbol(info, address, ret);
	note_line(unit, address, ret);
	if (!die_chain_at(unit, address, &chain))
		return;
	cut_at_entry(&chain, address);
	note_functions(&chain, ret);
}

struct error *place_at(struct debuginfo *info, uint64_t address, struct place *ret)
{
	const struct elf_symbol *sym;
	struct unit unit;

	if (unit_of_address(info, address, &unit)) {
		place_in_unit(info, &unit, address, ret);
		return NULL;
	}
	sym = note_symbol(info, address, ret);
	if (sym && sym->is_function)
		return NULL;
	return error_create(ENOENT, "0x%llx is in no function of %s", (unsigned long long)address,
	                    info->path);
}

struct error *function_place(struct debuginfo *info, const struct code_function *fn,
                             struct place *ret)
{
	struct error *error = NULL;

	if (fn->place_file) {
		note_symbol(info, fn->address, ret);
		ret->file = fn->place_file;
		ret->line = fn->place_line;
		ret->is_statement = true;
	} else {
		error = place_at(info, fn->address, ret);
	}
	if (!error && (fn->kind == FUNCTION_INLINE || fn->place_file)) {
		ret->function = fn->name;
		ret->container = fn->container;
	}
	return error;
}

/* The line of an outer frame is where the inner one was called. */
struct error *place_frames(struct debuginfo *info, uint64_t address,
                           int (*cb)(const struct place *frame, void *arg), void *arg)
{
	struct die_chain chain;
	struct place frame;
	struct unit unit;
	struct error *error = place_at(info, address, &frame);

	if (error || !unit_of_address(info, address, &unit) ||
	    !die_chain_at(&unit, address, &chain)) {
		if (!error)
			cb(&frame, arg);
		return error;
	}
	cut_at_entry(&chain, address);
	for (unsigned i = chain.count; i-- > 0;) {
		int tag = dwarf_tag(&chain.dies[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		frame.function = die_name(&chain.dies[i]);
		frame.container = i ? die_name(&chain.dies[0]) : NULL;
		if (cb(&frame, arg) || tag == DW_TAG_subprogram)
			break;
		frame.file = die_called_from(&chain.dies[i], &frame.line);
	}
	return NULL;
}

/* --- rows of a unit ---------------------------------------------------------------------------- */

struct row {
	uint64_t address;
	const char *file;
	int line;
};

/* Calls `cb` for the rows where a statement begins. */
static int unit_each_row(const struct unit *unit, int (*cb)(const struct row *row, void *arg),
                         void *arg)
{
	Dwarf_Die die = unit->skeleton;
	Dwarf_Lines *lines;
	int result = 0;
	size_t n;

	if (dwarf_getsrclines(&die, &lines, &n))
		return 0;
	for (size_t i = 0; i < n && !result; i++) {
		Dwarf_Line *from = dwarf_onesrcline(lines, i);
		bool end = true, statement = false;
		struct row row = {.line = 0};

		dwarf_lineendsequence(from, &end);
		dwarf_linebeginstatement(from, &statement);
		if (end || !statement || dwarf_lineno(from, &row.line) || row.line <= 0 ||
		    dwarf_lineaddr(from, &row.address))
			continue;
		row.file = dwarf_linesrc(from, NULL, NULL);
		if (row.file)
			result = cb(&row, arg);
	}
	return result;
}

/* --- lines to places ---------------------------------------------------------------------------- */

/* One stretch of source that is asked for. */
struct stretch {
	const char *file;     /* as path_matches() takes it */
	const char *function; /* pattern, or NULL: whichever */
	int first, last;
};

struct candidate {
	uint64_t address;
	const void *copy; /* identity of the DIE: function body or inlined copy */
	struct place place;
};

struct line_search {
	struct debuginfo *info;
	struct function_map functions; /* of the unit that is looked at */
	struct stretch stretch;
	struct candidate *found;
	size_t count;
	const char *last_file; /* file names come in runs: compare each once */
	bool last_matches;
	int nearest;           /* line, while looking for it; 0 none yet */
};

static bool row_in_file(struct line_search *s, const struct row *row)
{
	if (row->file != s->last_file) {
		s->last_file = row->file;
		s->last_matches = !s->stretch.file || path_matches(row->file, s->stretch.file);
	}
	return s->last_matches;
}

static void add_found(struct line_search *s, struct candidate candidate)
{
	if (!(s->count & (s->count - 1))) {
		size_t room = s->count ? s->count * 2 : 16;

		s->found = reallocarray(s->found, room, sizeof(*s->found));
		if (!s->found)
			abort();
	}
	s->found[s->count++] = candidate;
}

/* Lines of one number in two files are two lines, also in one function. */
static struct candidate *candidate_of(struct line_search *s, const struct row *row, void *copy)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].place.line == row->line && s->found[i].copy == copy &&
		    !strcmp(s->found[i].place.file, row->file))
			return &s->found[i];
	add_found(s, (struct candidate){
	                 .address = ~0ull,
	                 .copy = copy,
	                 .place = {.file = row->file, .line = row->line},
	             });
	return &s->found[s->count - 1];
}

static bool in_function(const struct stretch *stretch, struct die_chain *chain)
{
	struct place_query q = {.function = (char *)stretch->function};
	Dwarf_Die *inner = chain_innermost(chain);

	return !stretch->function || (inner && query_takes(&q, die_name(inner), NULL));
}

static int take_row(const struct row *row, void *arg)
{
	struct line_search *s = arg;
	struct die_chain chain;
	struct candidate *c;
	Dwarf_Die *inner;

	if (row->line < s->stretch.first || row->line > s->stretch.last || !row_in_file(s, row))
		return 0;
	if (!function_map_chain(&s->functions, row->address, &chain) || !in_function(&s->stretch, &chain))
		return 0;
	inner = chain_innermost(&chain);
	c = candidate_of(s, row, inner->addr);
	if (row->address >= c->address)
		return 0;
	c->address = row->address;
	note_symbol(s->info, row->address, &c->place);
	note_functions(&chain, &c->place);
	c->place.file = row->file;
	c->place.line = row->line;
	c->place.is_statement = true;
	return 0;
}

static int each_row_of(struct line_search *s, const struct unit *unit,
                       int (*cb)(const struct row *row, void *arg))
{
	int result;

	function_map_init(unit, &s->functions);
	s->last_file = NULL;
	result = unit_each_row(unit, cb, s);
	function_map_deinit(&s->functions);
	return result;
}

static int take_unit(const struct unit *unit, void *arg)
{
	struct line_search *s = arg;

	return each_row_of(s, unit, take_row);
}

/* Of two lines equally far the later one: code for a line often stands behind it. */
static bool is_nearer(const struct line_search *s, int line)
{
	int64_t wanted = s->stretch.first; /* a damaged line may have any number */
	int64_t there = llabs(line - wanted), best = llabs(s->nearest - wanted);

	return !s->nearest || there < best || (there == best && line > s->nearest);
}

static int note_nearest(const struct row *row, void *arg)
{
	struct line_search *s = arg;
	struct die_chain chain;

	if (!row_in_file(s, row) || !is_nearer(s, row->line))
		return 0;
	if (s->stretch.function && (!function_map_chain(&s->functions, row->address, &chain) ||
	                            !in_function(&s->stretch, &chain)))
		return 0;
	s->nearest = row->line;
	return 0;
}

static int nearest_unit(const struct unit *unit, void *arg)
{
	struct line_search *s = arg;

	return each_row_of(s, unit, note_nearest);
}

/* --- which stretches a query means ---------------------------------------------------------------- */

struct stretches {
	struct stretch *items;
	size_t count;
};

static void add_stretch(struct stretches *to, struct stretch stretch)
{
	for (size_t i = 0; i < to->count; i++)
		if (to->items[i].first == stretch.first && to->items[i].file == stretch.file &&
		    !strcmp(to->items[i].function, stretch.function))
			return;
	to->items = reallocarray(to->items, to->count + 1, sizeof(*to->items));
	if (!to->items)
		abort();
	to->items[to->count++] = stretch;
}

/* By an alias's name a function is found, but not in debug information: that has its own. */
static const char *written_name(struct debuginfo *info, const struct code_function *fn)
{
	struct place place;
	struct error *error;

	if (fn->kind != FUNCTION_BODY || fn->place_file) /* the index has names of debug information */
		return fn->name;
	error = place_at(info, fn->address, &place);
	if (!error && place.function)
		return place.function;
	error_destroy(error);
	return fn->name;
}

struct relative {
	struct debuginfo *info;
	const struct place_query *q;
	struct stretches *to;
};

static int add_relative(const struct code_function *fn, void *arg)
{
	struct relative *r = arg;

	if (fn->file)
		add_stretch(r->to, (struct stretch){
		                       .file = fn->file,
		                       .function = written_name(r->info, fn),
		                       .first = fn->line + r->q->first,
		                       .last = fn->line + r->q->last,
		                   });
	return 0;
}

static struct error *stretches_of(struct debuginfo *info, const struct place_query *q,
                                  struct stretches *ret)
{
	struct relative relative = {.info = info, .q = q, .to = ret};
	struct stretch plain = {.file = q->file, .function = q->function, .first = q->first,
	                        .last = q->last};

	*ret = (struct stretches){.count = 0};
	if (q->lines == PLACE_LINES_RELATIVE)
		return functions_find(info, q, FUNCTIONS_BODIES | FUNCTIONS_INLINES, add_relative,
		                      &relative);
	if (q->lines == PLACE_LINES_ALL) {
		plain.first = 1;
		plain.last = LINE_MAX;
	}
	ret->items = calloc(1, sizeof(*ret->items));
	if (!ret->items)
		abort();
	ret->items[ret->count++] = plain;
	return NULL;
}

/* --- by the index ------------------------------------------------------------------------------------- */

static int take_indexed(const struct index_line *line, void *arg)
{
	struct line_search *s = arg;
	struct candidate c = {.address = line->address};

	note_symbol(s->info, line->address, &c.place);
	c.place.function = line->function;
	c.place.container = line->container;
	c.place.file = line->file;
	c.place.line = line->line;
	c.place.is_statement = true;
	add_found(s, c);
	return 0;
}

static int note_nearest_indexed(const struct index_line *line, void *arg)
{
	struct line_search *s = arg;

	if (is_nearer(s, line->line))
		s->nearest = line->line;
	return 0;
}

static void search_index(struct debuginfo *info, const struct place_query *q, struct line_search *s)
{
	struct index_question question = {s->stretch.file, s->stretch.function, s->stretch.first,
	                                  s->stretch.last};
	struct index_question all = {s->stretch.file, s->stretch.function, 1, LINE_MAX};
	size_t before = s->count;

	places_index_lines(info->index, &question, take_indexed, s);
	if (s->count == before && q->nearest) {
		s->nearest = 0;
		places_index_lines(info->index, &all, note_nearest_indexed, s);
		question.first = question.last = s->stretch.first = s->stretch.last = s->nearest;
		if (s->nearest)
			places_index_lines(info->index, &question, take_indexed, s);
	}
}

/* What no symbol and no unit's name leads to is asked of the index; when it is there, all is. */
static bool has_indexed_lines(struct debuginfo *info)
{
	return places_index_answers(info) && places_index_has_lines(info->index);
}

/* --- the question ------------------------------------------------------------------------------------ */

static unsigned line_kinds(const struct debuginfo *info, const struct place_query *q)
{
	return FUNCTIONS_BODIES | (q->function ? FUNCTIONS_INLINES : 0);
}

static struct error *search(struct debuginfo *info, const struct place_query *q,
                            struct line_search *s)
{
	unsigned kinds = line_kinds(info, q);
	size_t before = s->count;
	struct error *error;

	if (has_indexed_lines(info)) {
		search_index(info, q, s);
		return NULL;
	}
	error = units_of_query(info, q, kinds, take_unit, s);
	if (error || s->count != before || !q->nearest)
		return error;
	s->nearest = 0;
	error = units_of_query(info, q, kinds, nearest_unit, s);
	if (error || !s->nearest)
		return error;
	s->stretch.first = s->stretch.last = s->nearest;
	return units_of_query(info, q, kinds, take_unit, s);
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return strcmp(x->place.file, y->place.file);
}

static struct error *no_line(struct line_search *s, const struct place_query *q,
                             const struct stretch *stretch)
{
	const char *file = stretch->file ? stretch->file : "any file";
	char near[64] = "";

	s->stretch = *stretch;
	s->nearest = 0;
	error_destroy(units_of_query(s->info, q, line_kinds(s->info, q), nearest_unit, s));
	if (s->nearest)
		snprintf(near, sizeof(near), " (the nearest that has some: %d)", s->nearest);
	return error_create(ENOENT, "%s: no code of line %d%s of %s%s%s%s; `spile-probe -L` lists "
	                            "the lines that have some",
	                    s->info->path, stretch->first,
	                    stretch->last > stretch->first ? " ff." : "", file,
	                    q->function ? " in " : "", q->function ? q->function : "", near);
}

static struct error *find_lines(struct debuginfo *info, const struct place_query *q,
                                int (*cb)(const struct place *place, void *arg), void *arg)
{
	struct line_search s = {.info = info};
	struct stretches stretches;
	struct error *error = debuginfo_check_dwarf(info);

	if (error)
		return error;
	error = stretches_of(info, q, &stretches);
	for (size_t i = 0; !error && i < stretches.count; i++) {
		s.stretch = stretches.items[i];
		error = search(info, q, &s);
	}
	if (!error && !s.count)
		error = stretches.count ? no_line(&s, q, &stretches.items[0])
		                        : function_missing(info, q, FUNCTIONS_BODIES);
	if (s.count)
		qsort(s.found, s.count, sizeof(*s.found), compare_candidates);
	for (size_t i = 0; !error && i < s.count; i++)
		if (cb(&s.found[i].place, arg))
			break;
	free(s.found);
	free(stretches.items);
	return error;
}

struct entries {
	struct debuginfo *info;
	uint64_t offset;
	int (*cb)(const struct place *place, void *arg);
	void *arg;
	struct error *error;
};

static int entry_place(const struct code_function *fn, void *arg)
{
	struct entries *e = arg;
	struct place place;

	if (e->offset && e->offset >= fn->size) {
		e->error = error_create(ERANGE, "%s has %llu bytes, there is no %s+%llu", fn->name,
		                        (unsigned long long)fn->size, fn->name,
		                        (unsigned long long)e->offset);
		return 1;
	}
	e->error = place_at(e->info, fn->address + e->offset, &place);
	return e->error || e->cb(&place, e->arg);
}

struct error *places_find(struct debuginfo *info, const struct place_query *q,
                          int (*cb)(const struct place *place, void *arg), void *arg)
{
	struct entries e = {.info = info, .offset = q->offset, .cb = cb, .arg = arg};
	struct place place;
	struct error *error;

	if (q->has_address) {
		error = place_at(info, q->offset, &place);
		if (!error)
			cb(&place, arg);
		return error;
	}
	if (q->lines != PLACE_LINES_NONE)
		return find_lines(info, q, cb, arg);
	error = functions_find(info, q, FUNCTIONS_BODIES, entry_place, &e);
	return error ? error : e.error;
}

/* --- lines with code ----------------------------------------------------------------------------------- */

struct listing {
	struct debuginfo *info;
	const char *file;   /* precise path, once known */
	const char *function;
	int start, end;     /* lines */
	int *lines;
	size_t count;
};

static int list_place(const struct place *place, void *arg)
{
	struct listing *l = arg;

	if (!l->file)
		l->file = place->file;
	if (strcmp(place->file, l->file))
		return 0;
	for (size_t i = 0; i < l->count; i++)
		if (l->lines[i] == place->line)
			return 0;
	l->lines = reallocarray(l->lines, l->count + 2, sizeof(*l->lines));
	if (!l->lines)
		abort();
	l->lines[l->count++] = place->line;
	return 0;
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int note_declaration(const struct code_function *fn, void *arg)
{
	struct listing *l = arg;

	l->file = fn->file;
	l->start = fn->line;
	l->function = written_name(l->info, fn);
	return 1;
}

struct error *places_lines(struct debuginfo *info, const struct place_query *q, int **ret,
                           const char **ret_path, int *ret_start)
{
	struct place_query lines = *q;
	struct listing l = {.info = info, .function = q->function};
	struct error *error = debuginfo_check_dwarf(info);

	if (!error && q->function)
		error = functions_find(info, q, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
		                       note_declaration, &l);
	if (error)
		return error;
	if (q->lines == PLACE_LINES_NONE)
		lines.lines = PLACE_LINES_ALL;
	lines.function = (char *)l.function;
	error = find_lines(info, &lines, list_place, &l);
	if (error) {
		free(l.lines);
		return error;
	}
	if (q->function && q->lines == PLACE_LINES_NONE) /* the entry */
		list_place(&(struct place){.file = l.file, .line = l.start}, &l);
	if (l.count)
		qsort(l.lines, l.count, sizeof(*l.lines), compare_ints);
	else
		l.lines = calloc(1, sizeof(*l.lines));
	l.lines[l.count] = 0;
	*ret = l.lines;
	*ret_path = l.file;
	*ret_start = l.start;
	return NULL;
}
