// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions by name: what kallsyms and BTF tell, without debug information.
 *
 * Which functions there are, and which of them take a probe, is asked of the kernel the script is
 * for. A pattern with wildcards means every function with a trace site; what it also matches is left
 * out with one warning. A function that is named may lack the site: a kprobe of the kernel's is
 * some milliseconds dearer to arm, which is too much for each of thousands, and right for one. Likewise
 * a name that several functions have means all of them, but a pattern passes them over.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "script/families/code_point.h"
#include "symbols/places_index.h"

static int note_trace_site(const struct kernel_function *fn, void *arg)
{
	bool *any = arg;

	return *any |= fn->has_ftrace_site;
}

/* Without any it is not the function's fault: their list cannot be read, or the kernel has none. */
bool code_kernel_has_trace_sites(struct code_request *q)
{
	bool any = false;
	struct error *error = kernel_function_match(q->kernel, NULL, "*", note_trace_site, &any);

	error_destroy(error);
	return any;
}

const char *code_refusal(struct code_request *q, const struct kernel_function *fn, bool is_entry)
{
	bool named = q->pattern && !code_is_pattern(q->pattern);

	if (fn->blacklisted)
		return "the kernel forbids probes in it (kprobes blacklist)";
	if (is_entry && !fn->has_ftrace_site && (!named || !code_kernel_has_trace_sites(q)))
		return "the kernel made no trace site for it (notrace, init or assembler code)";
	return NULL;
}

/* "vfs_read.isra.0" is what the compiler made of vfs_read. */
static const char *source_name(struct arena *arena, const char *name)
{
	return arena_strndup(arena, name, strcspn(name, "."));
}

struct namesake {
	const struct kernel_function *fn;
	unsigned count, position;
};

static int note_namesake(const struct kernel_symbol *symbol, void *arg)
{
	struct namesake *n = arg;

	if (!strchr("tTwW", symbol->type) || symbol->module != n->fn->module)
		return 0;
	n->count++;
	if (symbol->address == n->fn->address)
		n->position = n->count;
	return 0;
}

/* Which of several functions of its name it is, from 1, in the order that the fitter counts in. */
static unsigned position(struct code_request *q, const struct kernel_function *fn)
{
	struct namesake n = {.fn = fn};

	error_destroy(kernel_symbol_each(q->kernel, fn->name, note_namesake, &n));
	return n.position;
}

static void plant(struct code_request *q, const struct kernel_function *fn)
{
	struct planted_probe *planted = resolver_plant(q->r, q->point);

	planted->kind = q->part == CODE_RETURN ? "SPL_PROBE_RETURN" : "SPL_PROBE_ENTRY";
	planted->module = fn->module;
	planted->symbol = fn->name;
	planted->nth = fn->ambiguous ? position(q, fn) : 0;
	planted->func = source_name(q->r->arena, fn->name);
	planted->pp = code_point_text(q, fn->module, planted->func);
	planted->is_return = q->part == CODE_RETURN;
	planted->param = q->maxactive;
	q->planted++;
}

static bool is_exported(struct code_request *q, const struct kernel_function *fn)
{
	struct kernel_symbol entry;
	struct error *error = kernel_symbol_find(
	    q->kernel, arena_printf(q->r->arena, "__ksymtab_%s", fn->name), &entry);
	bool found = !error || error->err == ENOTUNIQ;

	error_destroy(error);
	return found;
}

static int add_function(const struct kernel_function *fn, void *arg)
{
	struct code_request *q = arg;
	const char *reason = code_refusal(q, fn, true);

	/* x.part.0 is a rest of x whose beginning was inlined: not where x is entered */
	if (code_is_pattern(q->pattern) && strstr(fn->name, ".part."))
		return 0;
	if (q->exported && !is_exported(q, fn)) {
		q->unexported++;
		return 0;
	}
	if (fn->ambiguous && code_is_pattern(q->pattern))
		reason = "the kernel has several functions of that name";
	if (reason)
		code_skip(q, fn->name, reason);
	else
		plant(q, fn);
	return 0;
}

/* A part of f that was moved out of it is not where f is entered. */
static int add_clone(const struct kernel_function *fn, void *arg)
{
	return strstr(fn->name, ".part.") ? 0 : add_function(fn, arg);
}

static int note_text(const struct kernel_symbol *symbol, void *arg)
{
	const char **found = arg;

	if (strchr("tTwW", symbol->type) && !symbol->module)
		*found = symbol->name;
	return 0;
}

/* A copy of f for some of its callers is entered in its stead. They are numbered from 0 in each source
 * file; that the number is small makes it a matter of a few look-ups. */
static void warn_of_copies(struct code_request *q)
{
	static const char *const kinds[] = {"constprop", "isra"};
	const char *found = NULL;

	for (unsigned i = 0; i < 32 && !found; i++) {
		const char *name = arena_printf(q->r->arena, "%s.%s.%u", q->pattern, kinds[i & 1],
		                                i / 2);

		error_destroy(kernel_symbol_each(q->kernel, name, note_text, &found));
	}
	if (!found)
		return;
	diag_add(q->r->diags, q->what->tok, COPIES_LEFT_OUT, q->pattern, found);
	diag_hint(q->r->diags, "kernel.function(\"%s.*\") means the copies", q->pattern);
}

/* Inlined copies are debug information's to tell. It is not opened for a plain name, but where its
 * index was made before, a look there takes no time. */
static void warn_of_inlined(struct code_request *q)
{
	_cleanup_free_ char *build_id = debuginfo_kernel_build_id(q->kernel);
	size_t count = places_index_count_inlined(build_id, q->pattern);

	if (!count)
		return;
	diag_add(q->r->diags, q->what->tok, INLINED_LEFT_OUT, q->pattern, count);
	diag_hint(q->r->diags, "kernel.function(\"%s@*\") probes them, too; with .call it is the "
	                       "function alone that is meant",
	          q->pattern);
}

/* A name that only copies bear means them: "f.isra.0" is all that there is of f. */
void code_names_expand(struct code_request *q)
{
	struct error *error =
	    kernel_function_match(q->kernel, q->module, q->pattern, add_function, q);
	bool exact = q->planted && !code_is_pattern(q->pattern) && !strchr(q->pattern, '.');

	if (!error && !q->planted && !q->skipped && !code_is_pattern(q->pattern))
		error = kernel_function_clones(q->kernel, q->module, q->pattern, add_clone, q);
	if (error)
		diag_add(q->r->diags, q->what->tok, KERNEL_UNREADABLE, error->message);
	else if (exact && !q->module)
		warn_of_copies(q);
	if (exact && !q->module && q->part == CODE_ANY && !q->exported)
		warn_of_inlined(q);
	error_destroy(error);
}
