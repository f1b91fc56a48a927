// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel.function("f").callee("g"): g, when f calls it.
 *
 * The probe is planted at g's entry (or return) and lets pass only calls that return to behind one of
 * f's call instructions: the return address tells them apart (SPL_PROBE_CALLED_FROM). Each call
 * instruction is a probe of its own. A callee that was inlined into f is probed at that copy. With
 * .callees(N) the same is done from each callee on; there the nearest caller is compared, not the whole
 * chain. Not found are calls through pointers, tail calls (nothing returns to f) and calls that leave
 * the file.
 */
#include "script/families/code_places.h"

#include <fnmatch.h>
#include <string.h>

#include "base/arena.h"

struct caller {
	struct code_search *s;
	const struct code_function *fn;
	int64_t depth; /* how many more levels are wanted, this one included */
	struct {
		ARENA_LIST(struct code_function);
	} callees; /* each once */
};

static int plant_callees(struct code_search *s, const struct code_function *fn, int64_t depth);

/* --- one call ------------------------------------------------------------------------------------ */

struct at_address {
	uint64_t address;
	struct code_function found;
};

static int note_at(const struct code_function *fn, void *arg)
{
	struct at_address *a = arg;

	if (fn->address == a->address)
		a->found = *fn;
	return a->found.name != NULL;
}

/* The function that begins at the call's target. */
static bool find_target(struct code_search *s, const struct call_info *call,
                        struct code_function *ret)
{
	struct at_address a = {.address = call->target_address};
	char *name = arena_strndup(s->q->r->arena, call->target, strcspn(call->target, "."));
	struct place_query q = {.function = name};
	struct error *error = functions_find(s->info, &q, FUNCTIONS_BODIES, note_at, &a);

	error_destroy(error);
	*ret = a.found;
	return a.found.name != NULL;
}

static const struct call_return *return_of(struct code_search *s, const struct call_info *call)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(s->info, call->address);
	struct call_return *ret;

	if (!sym)
		return NULL;
	ret = ARENA_NEW(s->q->r->arena, struct call_return);
	ret->symbol = arena_strdup(s->q->r->arena, sym->name);
	ret->nth = code_search_namesake(s, sym);
	ret->offset = call->after - sym->address;
	return ret;
}

static void note_callee(struct caller *c, const struct code_function *callee)
{
	for (size_t i = 0; i < c->callees.count; i++)
		if (c->callees.items[i].address == callee->address)
			return;
	ARENA_APPEND(c->s->q->r->arena, &c->callees, *callee);
}

/* pp() is f's, with .callee("g"); ppfunc() is g. */
static void plant_call(struct caller *c, const struct call_info *call,
                       const struct code_function *callee)
{
	struct code_search *s = c->s;
	const struct call_return *from = return_of(s, call);
	struct planted_probe *planted;

	if (!from)
		return;
	s->q->found = callee->name;
	planted = code_search_plant(
	    s, callee->address, code_search_text(s, c->fn->name, c->fn->file, c->fn->line),
	    callee->name,
	    resolver_add_site(s->q->r, s->q->inner_return ? SITE_RETURN : SITE_ENTRY, s->info, callee,
	                      callee->address));
	if (planted)
		planted->called_from = from;
}

/* What the compiler calls on its own behalf. */
static bool is_helper(const char *name)
{
	return !strcmp(name, "__fentry__") || !strcmp(name, "__stack_chk_fail") ||
	       !strncmp(name, "__x86_", 6) || !strncmp(name, "__indirect_thunk_", 17) ||
	       !strncmp(name, "__asan_", 7);
}

static int take_call(const struct call_info *call, void *arg)
{
	struct caller *c = arg;
	struct code_function callee;

	if (!call->target || !call->target_address || call->is_tail ||
	    is_helper(call->target) || !find_target(c->s, call, &callee) || fnmatch(c->s->q->inner, callee.name, 0))
		return 0;
	note_callee(c, &callee);
	plant_call(c, call, &callee);
	return 0;
}

/* --- inlined callees ------------------------------------------------------------------------------- */

static int take_inlined(const struct code_function *fn, void *arg)
{
	struct caller *c = arg;

	if (fn->address >= c->fn->address && fn->address < c->fn->address + c->fn->size &&
	    strcmp(fn->name, c->fn->name)) {
		c->s->q->found = fn->name;
		code_search_plant_function(c->s, fn, false);
	}
	return 0;
}

static void plant_inlined(struct caller *c)
{
	struct place_query q = {.function = (char *)c->s->q->inner};

	if (!c->s->q->inner_return && strcmp(c->s->q->inner, "*"))
		error_destroy(functions_find(c->s->info, &q, FUNCTIONS_INLINES, take_inlined, c));
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static int plant_callees(struct code_search *s, const struct code_function *fn, int64_t depth)
{
	struct caller c = {.s = s, .fn = fn, .depth = depth};

	s->error = function_calls(s->info, fn, take_call, &c);
	if (!s->error)
		plant_inlined(&c);
	for (size_t i = 0; depth > 1 && i < c.callees.count && !s->error; i++)
		plant_callees(s, &c.callees.items[i], depth - 1);
	return s->error != NULL;
}

int code_search_plant_callees(const struct code_function *fn, void *search)
{
	struct code_search *s = search;

	return plant_callees(s, fn, s->q->depth);
}
