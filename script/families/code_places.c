// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places that need the debug information of the kernel or of a module: functions of a file or around a
 * line, inlined copies, lines, addresses, labels.
 *
 * What is found has an address of the file; what is planted is a symbol and a distance behind it, which
 * holds wherever the kernel or the module is loaded. Of several symbols of one name, the kernel's are
 * told apart by their order of addresses, a module's by their order in the file: kallsyms has the same.
 */
#include "script/families/code_point.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "script/families/code_places.h"

/* --- symbols ----------------------------------------------------------------------------------- */

struct namesakes {
	const struct code_search *s;
	uint64_t address; /* of the one that is meant */
	unsigned count, before, position; /* `before`: with lower addresses; `position`: from 1 */
};

static int count_namesake(const struct elf_symbol *sym, void *arg)
{
	struct namesakes *n = arg;

	if (!sym->is_function)
		return 0;
	n->count++;
	n->before += sym->address < n->address;
	if (sym->address == n->address && !n->position)
		n->position = n->count;
	return 0;
}

static int count_known(const struct kernel_symbol *sym, void *arg)
{
	struct namesakes *n = arg;

	n->count += strchr("tTwW", sym->type) && !sym->module == !n->s->module &&
	            (!sym->module || !strcmp(sym->module, n->s->module));
	return 0;
}

/* Whether kallsyms, where a name is found at once, says that there is only one. */
static bool is_alone(const struct code_search *s, const char *name)
{
	struct namesakes n = {.s = s};
	struct error *error = kernel_symbol_each(s->q->kernel, name, count_known, &n);

	error_destroy(error);
	return n.count == 1;
}

unsigned code_search_namesake(const struct code_search *s, const struct elf_symbol *sym)
{
	struct namesakes n = {.s = s, .address = sym->address};

	if (is_alone(s, sym->name))
		return 0;
	debuginfo_symbol_match(s->info, sym->name, count_namesake, &n);
	if (n.count < 2)
		return 0;
	return debuginfo_is_relocatable(s->info) ? n.position : n.before + 1;
}

struct refusal {
	struct code_search *s;
	bool is_entry;
	unsigned count;
	const char *reason; /* of the last; NULL: some can be probed */
	bool any;
};

static int note_refusal(const struct kernel_function *fn, void *arg)
{
	struct refusal *r = arg;
	const char *reason = code_refusal(r->s->q, fn, r->is_entry);

	r->count++;
	r->any |= !reason;
	r->reason = r->any ? NULL : reason;
	return 0;
}

/* What the kernel says about probing there; a module that it does not know is not spoken for. */
const char *code_search_refusal(struct code_search *s, const struct elf_symbol *sym, bool is_entry)
{
	struct refusal r = {.s = s, .is_entry = is_entry};
	struct error *error =
	    kernel_function_match(s->q->kernel, s->module, sym->name, note_refusal, &r);

	error_destroy(error);
	return r.reason;
}

/* --- planting ---------------------------------------------------------------------------------- */

static const char *short_file(const char *file)
{
	return strncmp(file, "./", 2) ? file : file + 2;
}

const char *code_search_text(struct code_search *s, const char *function, const char *file,
                             int line)
{
	struct arena *arena = s->q->r->arena;

	if (!file)
		return function;
	return line ? arena_printf(arena, "%s@%s:%d", function, short_file(file), line)
	            : arena_printf(arena, "%s@%s", function, short_file(file));
}

struct planted_probe *code_search_plant(struct code_search *s, uint64_t address, const char *text,
                                        const char *func, const struct probe_site *site)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(s->info, address);
	struct code_request *q = s->q;
	struct planted_probe *planted;
	const char *reason;
	bool is_entry = sym && site->kind != SITE_PLACE && address == sym->address;

	if (!sym) {
		code_skip(q, func, "no symbol is near the address");
		return NULL;
	}
	reason = code_search_refusal(s, sym, is_entry);
	if (reason) {
		code_skip(q, func, reason);
		return NULL;
	}
	planted = resolver_plant(q->r, q->point);
	planted->is_return = site->kind == SITE_RETURN;
	planted->kind = planted->is_return ? "SPL_PROBE_RETURN"
	                : is_entry         ? "SPL_PROBE_ENTRY"
	                                   : "SPL_PROBE_STATEMENT";
	planted->module = s->module;
	planted->symbol = arena_strdup(q->r->arena, sym->name);
	planted->offset = address - sym->address;
	planted->nth = code_search_namesake(s, sym);
	planted->func = arena_strdup(q->r->arena, func);
	planted->pp = code_point_text(q, s->module, text);
	planted->param = q->maxactive;
	planted->site = site;
	q->planted++;
	return planted;
}

void code_search_plant_place(struct code_search *s, const struct place *place,
                             const struct code_function *fn, const char *func)
{
	code_search_plant(s, place->address, code_search_text(s, func, place->file, place->line), func,
	                  resolver_add_site(s->q->r, SITE_PLACE, s->info, fn, place->address));
}

/* --- functions ---------------------------------------------------------------------------------- */

static bool is_exported(struct code_search *s, const struct code_function *fn)
{
	struct elf_symbol entry;
	struct error *error =
	    fn->symbol ? debuginfo_symbol_find(
	                     s->info, arena_printf(s->q->r->arena, "__ksymtab_%s", fn->symbol), &entry)
	               : error_create(ENOENT, "inlined");
	bool found = !error || error->err == ENOTUNIQ;

	error_destroy(error);
	return found;
}

/* Its entry, or the place behind the prologue where its arguments are; a return needs the entry. One
 * that symbols alone have told is like one that was found by name: BTF may know its arguments. */
void code_search_plant_function(struct code_search *s, const struct code_function *fn,
                                bool is_return)
{
	uint64_t address = is_return ? fn->address : function_after_prologue(s->info, fn);
	enum site_kind kind = is_return ? SITE_RETURN : SITE_ENTRY;
	struct planted_probe *planted =
	    code_search_plant(s, address, code_search_text(s, fn->name, fn->file, fn->line), fn->name,
	                      resolver_add_site(s->q->r, kind, s->info, fn, address));

	if (planted && !fn->die)
		planted->site = NULL;
}

static int add_function(const struct code_function *fn, void *arg)
{
	struct code_search *s = arg;

	/* x.part.0 is a rest of x whose beginning was inlined: not where x is entered */
	if (fn->symbol && strstr(fn->symbol, ".part."))
		return 0;
	if (s->q->exported && !is_exported(s, fn))
		return 0;
	code_search_plant_function(s, fn, s->q->part == CODE_RETURN);
	return 0;
}

static unsigned function_kinds(const struct code_request *q)
{
	switch (q->part) {
	case CODE_ANY:
		return q->exported ? FUNCTIONS_BODIES : FUNCTIONS_BODIES | FUNCTIONS_INLINES;
	case CODE_INLINE:
		return FUNCTIONS_INLINES;
	case CODE_LABEL:
		return FUNCTIONS_BODIES | FUNCTIONS_INLINES;
	default:
		return FUNCTIONS_BODIES;
	}
}

/* --- labels ------------------------------------------------------------------------------------- */

struct labels {
	struct code_search *s;
	const struct code_function *fn;
};

static int add_label(const char *name, const struct place *place, void *arg)
{
	struct labels *l = arg;

	if (!fnmatch(l->s->q->inner, name, 0)) {
		l->s->q->found = name;
		code_search_plant_place(l->s, place, l->fn, l->fn->name);
	}
	return 0;
}

static int add_labels(const struct code_function *fn, void *arg)
{
	struct code_search *s = arg;
	struct labels labels = {.s = s, .fn = fn};

	s->error = function_labels(s->info, fn, add_label, &labels);
	return s->error != NULL;
}

/* --- functions around lines ------------------------------------------------------------------------ */

struct around {
	struct code_search *s;
	int (*cb)(const struct code_function *fn, void *arg);
	struct code_function found;
	const struct place *place;
	struct {
		ARENA_LIST(uint64_t);
	} seen; /* entries that were handed out */
};

/* The copy that the line's place is in: the one that begins last before it. */
static int note_around(const struct code_function *fn, void *arg)
{
	struct around *a = arg;
	const char *in = fn->kind == FUNCTION_INLINE ? fn->container : NULL;

	if (fn->address > a->place->address || (in && a->place->container
	                                        ? strcmp(in, a->place->container)
	                                        : in || a->place->container))
		return 0;
	if (!a->found.name || fn->address >= a->found.address)
		a->found = *fn;
	return 0;
}

static bool is_new(struct around *a, uint64_t address)
{
	for (size_t i = 0; i < a->seen.count; i++)
		if (a->seen.items[i] == address)
			return false;
	ARENA_APPEND(a->s->q->r->arena, &a->seen, address);
	return true;
}

static int find_around(const struct place *place, void *arg)
{
	struct around *a = arg;
	struct place_query q = {.function = (char *)place->function};
	struct error *error;

	a->place = place;
	a->found = (struct code_function){.name = NULL};
	error = functions_find(a->s->info, &q, function_kinds(a->s->q), note_around, a);
	error_destroy(error);
	if (!a->found.name || !is_new(a, a->found.address))
		return 0;
	return a->cb(&a->found, a->s);
}

static struct error *each_function(struct code_search *s, const struct place_query *pq,
                                   int (*cb)(const struct code_function *fn, void *arg))
{
	struct around around = {.s = s, .cb = cb};

	if (pq->lines == PLACE_LINES_NONE)
		return functions_find(s->info, pq, function_kinds(s->q), cb, s);
	return places_find(s->info, pq, find_around, &around);
}

/* --- statements ---------------------------------------------------------------------------------- */

/* Rows of the line table begin instructions; a number of bytes may not. */
static bool is_instruction(struct code_search *s, uint64_t address)
{
	uint64_t before, after;

	s->error = places_boundary(s->info, address, &before, &after);
	if (s->error && s->error->err != EILSEQ) { /* no code in the file: the kernel will check */
		error_destroy(s->error);
		s->error = NULL;
	}
	return !s->error;
}

static int add_place(const struct place *place, void *arg)
{
	struct code_search *s = arg;

	if (s->checked && !is_instruction(s, place->address))
		return 1;
	code_search_plant_place(s, place, NULL, place->function ? place->function : "");
	return 0;
}

static struct error *add_statements(struct code_search *s, const struct place_query *pq)
{
	s->checked = pq->has_offset;
	return places_find(s->info, pq, add_place, s);
}

/* --- addresses ------------------------------------------------------------------------------------ */

static struct error *add_address(struct code_search *s)
{
	struct code_request *q = s->q;
	struct place place;
	struct error *error = place_at(s->info, q->address, &place);

	if (error)
		return error;
	if (!q->is_statement) {
		struct place_query pq = {.function = (char *)place.function};
		struct around around = {.s = s, .cb = add_function, .place = &place};

		error = functions_find(s->info, &pq, function_kinds(q), note_around, &around);
		if (!error && around.found.name)
			add_function(&around.found, s);
		return error;
	}
	if (!is_instruction(s, q->address))
		return NULL;
	code_search_plant(s, q->address, code_asked(q), place.function ? place.function : "",
	                  resolver_add_site(q->r, SITE_PLACE, s->info, NULL, q->address));
	return NULL;
}

/* Nothing is known about it, and nothing is checked. */
static void add_absolute(struct code_request *q)
{
	struct planted_probe *planted = resolver_plant(q->r, q->point);

	planted->kind = "SPL_PROBE_STATEMENT";
	planted->offset = q->address;
	planted->pp = arena_printf(q->r->arena, "kernel.statement(0x%llx).absolute",
	                           (unsigned long long)q->address);
	q->planted++;
}

/* --- the question ---------------------------------------------------------------------------------- */

static struct error *search_one(struct code_search *s, const char *text)
{
	struct code_request *q = s->q;
	struct place_query pq;
	struct error *error = place_query_parse(text, &pq);

	if (error)
		return error;
	pq.nearest = q->nearest;
	if (pq.file || pq.lines != PLACE_LINES_NONE || q->part > CODE_RETURN)
		error = debuginfo_check_dwarf(s->info);
	if (error)
		;
	else if (q->is_statement)
		error = add_statements(s, &pq);
	else if (q->part == CODE_CALLEE || q->part == CODE_CALLEES)
		error = each_function(s, &pq, code_search_plant_callees);
	else if (q->part == CODE_LABEL)
		error = each_function(s, &pq, add_labels);
	else
		error = each_function(s, &pq, add_function);
	place_query_deinit(&pq);
	return error;
}

/* "f@x.c:12,20-25" is "f@x.c:12" and "f@x.c:20-25". */
static struct error *search_lines(struct code_search *s)
{
	const char *text = s->q->pattern, *colon = strrchr(text, ':');
	struct arena *arena = s->q->r->arena;
	struct error *error = NULL;

	if (!colon || !strchr(colon, ','))
		return search_one(s, text);
	for (const char *at = colon + 1; *at && !error; at += strspn(at, ",")) {
		size_t n = strcspn(at, ",");

		error = search_one(s, arena_printf(arena, "%.*s%.*s", (int)(colon + 1 - text), text,
		                                   (int)n, at));
		at += n;
	}
	return error;
}

static struct error *search_module(struct code_request *q, const char *path, const char *module)
{
	struct code_search s = {.q = q, .module = module};
	struct error *error = resolver_debuginfo(q->r, path, &s.info);

	if (error && !path)
		error->err = ENODATA; /* there is a kernel, but no file of it */
	if (!error)
		error = q->pattern ? search_lines(&s) : add_address(&s);
	if (!error)
		return s.error;
	error_destroy(s.error);
	return error;
}

/* --- modules ---------------------------------------------------------------------------------------- */

struct modules {
	struct code_request *q;
	struct {
		ARENA_LIST(const char *);
	} names;
};

static int note_module(const struct kernel_function *fn, void *arg)
{
	struct modules *m = arg;
	size_t n = m->names.count;

	if (!n || strcmp(m->names.items[n - 1], fn->module))
		ARENA_APPEND(m->q->r->arena, &m->names, fn->module);
	return 0;
}

/* Those of a pattern are the loaded ones; in some of them there may be nothing that matches. */
static struct error *search_modules(struct code_request *q)
{
	struct modules m = {.q = q};
	struct error *error =
	    kernel_function_match(q->kernel, q->module, "*", note_module, &m);

	for (size_t i = 0; i < m.names.count; i++) {
		error_destroy(error);
		error = search_module(q, m.names.items[i], m.names.items[i]);
	}
	if (!error && !m.names.count)
		error = error_create(ENOENT, "no module is loaded that matches \"%s\"", q->module);
	if (error && q->planted) {
		error_destroy(error);
		error = NULL;
	}
	return error;
}

static const char *nothing_found(const struct code_request *q)
{
	switch (q->part) {
	case CODE_LABEL:
		return "no function there has such a label";
	case CODE_CALLEE:
	case CODE_CALLEES:
		return "no call of such a function is known there (calls through pointers, tail calls and "
		       "calls into other modules are not)";
	case CODE_INLINE:
		return "the function is inlined nowhere";
	default:
		return q->exported ? "no function there is exported" : "no function there is meant";
	}
}

void code_places_expand(struct code_request *q)
{
	struct error *error = NULL;

	if (q->absolute)
		add_absolute(q);
	else if (code_is_pattern(q->module))
		error = search_modules(q);
	else if (q->module)
		error = search_module(q, q->module, resolver_module_name(q->r, q->module));
	else
		error = search_module(q, NULL, NULL);
	if (error)
		code_tell(q, error);
	else if (!q->planted && !q->skipped)
		code_tell(q, error_create(ENOENT, "%s", nothing_found(q)));
}
