// SPDX-License-Identifier: GPL-2.0-only
/*
 * -v: what is about to be planted, and what of the same functions is not. A line for each place; what is
 * true of a whole function stands in its first:
 *
 *	place: do_exit: planter ftrace; unlikely parts elsewhere: do_exit.cold
 *	place: vfs_read+0x5c: planter native
 *	place: vfs_read: planter ftrace; hidden: keeps arguments of each call for values at the entry
 *
 * Nothing is told that would have to be looked for in files that are not there: inlined copies need
 * debug information, tail calls the kernel's image.
 */
#include <string.h>

#include "base/strbuf.h"
#include "script/resolve_private.h"

enum { FUNCTIONS_TOLD_MAX = 32, NAMES_TOLD_MAX = 4 };

struct report {
	struct resolver *r;
	struct kernel *kernel;
	const struct planted_probe *planted;
	struct strbuf line;
	bool known, has_site, has_prototype, covers_inlined;
	size_t told; /* names in the list that is being written */
	const char *last;
};

/* --- lists of names --------------------------------------------------------------------------- */

static void start_list(struct report *p)
{
	p->told = 0;
	p->last = NULL;
}

static void add_name(struct report *p, const char *title, const char *name)
{
	if (p->last && !strcmp(p->last, name))
		return;
	if (p->told < NAMES_TOLD_MAX)
		strbuf_addf(&p->line, "%s%s", p->told ? ", " : title, name);
	else if (p->told == NAMES_TOLD_MAX)
		strbuf_adds(&p->line, ", ...");
	p->told++;
	p->last = name;
}

/* --- what symbols and BTF tell ------------------------------------------------------------------- */

static int note_function(const struct kernel_function *fn, void *arg)
{
	struct report *p = arg;

	p->known = true;
	p->has_site |= fn->has_ftrace_site;
	p->has_prototype = p->has_prototype || kernel_function_has_prototype(p->kernel, fn);
	return 0;
}

static int note_clone(const struct kernel_function *fn, void *arg)
{
	struct report *p = arg;

	if (strcmp(fn->name, p->planted->symbol))
		add_name(p, "; copies that the compiler made, not probed by this: ", fn->name);
	return 0;
}

static int note_cold(const struct kernel_symbol *symbol, void *arg)
{
	struct report *p = arg;

	add_name(p, "; unlikely parts elsewhere: ", symbol->name);
	return 0;
}

static void tell_planter(struct report *p)
{
	const struct planted_probe *planted = p->planted;

	error_destroy(kernel_function_match(p->kernel, planted->module, planted->symbol,
	                                    note_function, p));
	strbuf_addf(&p->line, "planter %s", p->has_site && !planted->offset ? "ftrace" : "native");
}

static void tell_symbols(struct report *p)
{
	const struct planted_probe *planted = p->planted;
	struct arena *arena = p->r->arena;

	if (p->known && !p->has_prototype && !planted->module)
		strbuf_adds(&p->line, "; no prototype in BTF: its variables need debug information");
	start_list(p);
	error_destroy(kernel_function_clones(p->kernel, planted->module, planted->func, note_clone,
	                                     p));
	start_list(p);
	error_destroy(kernel_symbol_each(p->kernel,
	                                 arena_printf(arena, "%s.cold", planted->symbol), note_cold,
	                                 p));
}

/* --- what the code and debug information tell --------------------------------------------------------- */

static int note_call(const struct call_info *call, void *arg)
{
	struct report *p = arg;

	bool is_thunk = call->target && (!strncmp(call->target, "__x86_", 6) ||
	                                 !strncmp(call->target, "__indirect_thunk", 16));

	if (call->is_tail && call->target && !is_thunk)
		add_name(p, "; tail calls, seen as its own: ", call->target);
	return 0;
}

static void tell_tail_calls(struct report *p, struct debuginfo *info)
{
	struct elf_symbol sym;
	struct code_function fn = {.kind = FUNCTION_BODY};
	struct error *error = debuginfo_symbol_find(info, p->planted->symbol, &sym);

	if (error) {
		error_destroy(error);
		return;
	}
	fn.name = fn.symbol = sym.name;
	fn.address = sym.address;
	fn.size = sym.size;
	start_list(p);
	error_destroy(function_calls(info, &fn, note_call, p));
}

static int note_inlined(const struct code_function *fn, void *arg)
{
	struct report *p = arg;

	add_name(p,
	         p->covers_inlined ? "; inlined copies, probed too, in "
	                           : "; inlined copies, not probed by this, in ",
	         fn->container ? fn->container : "?");
	return 0;
}

/* kernel.function without a suffix takes inlined copies along where it has asked debug information. */
static bool covers_inlined(const struct planted_probe *planted)
{
	return planted->site && !planted->is_return && !strstr(planted->pp, ".call");
}

static void tell_inlined(struct report *p, struct debuginfo *info)
{
	struct place_query q = {.function = (char *)p->planted->func};

	if (!debuginfo_dwarf_path(info))
		return;
	p->covers_inlined = covers_inlined(p->planted);
	start_list(p);
	error_destroy(functions_find(info, &q, FUNCTIONS_INLINES, note_inlined, p));
}

/* --- the report ------------------------------------------------------------------------------------------ */

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Whether a probe before this one is at the same place, or (`whole`) on the same function. */
static bool is_told(const struct program *program, size_t i, bool whole)
{
	const struct planted_probe *planted = program->probes.items[i];

	for (size_t j = 0; j < i; j++) {
		const struct planted_probe *other = program->probes.items[j];

		if (!other->symbol || !strcmp(other->kind, "SPL_PROBE_KEEP") || !is_same(other->module, planted->module))
			continue;
		if (whole ? !strcmp(other->func, planted->func)
		          : !strcmp(other->symbol, planted->symbol) &&
		                other->offset == planted->offset)
			return true;
	}
	return false;
}

/* What is true of all places of a function. */
static void tell_function(struct report *p)
{
	struct debuginfo *info;
	struct error *error;

	tell_symbols(p);
	error = resolver_debuginfo(p->r, p->planted->module, &info);
	if (!error) {
		tell_tail_calls(p, info);
		tell_inlined(p, info);
	}
	error_destroy(error);
}

static void tell_place(struct report *p, bool whole, FILE *out)
{
	const struct planted_probe *planted = p->planted;

	strbuf_init(&p->line);
	tell_planter(p);
	if (whole)
		tell_function(p);
	fprintf(out, "place: %s%s%s", planted->module ? planted->module : "",
	        planted->module ? ":" : "", planted->symbol);
	if (planted->offset)
		fprintf(out, "+0x%llx", (unsigned long long)planted->offset);
	fprintf(out, ": %s\n", p->line.data);
	strbuf_deinit(&p->line);
}

/* Beside what is at the same place for a handler. */
static void tell_keeper(struct report *p, FILE *out)
{
	const struct planted_probe *keeper = p->planted;

	strbuf_init(&p->line);
	tell_planter(p);
	fprintf(out, "place: %s%s%s: %s; hidden: keeps arguments of each call for values at the entry\n",
	        keeper->module ? keeper->module : "", keeper->module ? ":" : "", keeper->symbol,
	        p->line.data);
	strbuf_deinit(&p->line);
}

void program_report(struct program *program, const struct resolve_options *options, FILE *out)
{
	struct resolver r = {.script = program->script, .arena = &program->script->arena,
	                     .options = options, .program = program};
	size_t told = 0;

	for (size_t i = 0; i < program->probes.count; i++) {
		struct report report = {.r = &r, .planted = program->probes.items[i]};

		bool is_keeper = !strcmp(report.planted->kind, "SPL_PROBE_KEEP");

		if (!report.planted->symbol || (!is_keeper && is_told(program, i, false)) ||
		    told++ >= FUNCTIONS_TOLD_MAX)
			continue;
		report.kernel = resolver_kernel(&r, report.planted->tok);
		if (is_keeper)
			tell_keeper(&report, out);
		else
			tell_place(&report, !is_told(program, i, true), out);
	}
	if (told > FUNCTIONS_TOLD_MAX)
		fprintf(out, "place: %zu more\n", told - FUNCTIONS_TOLD_MAX);
}
