// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions by name: what kallsyms and BTF tell, without debug information.
 *
 * Which functions there are, and which of them take a probe, is asked of the kernel the script is
 * for. A pattern with wildcards means every function with a trace site; what it also matches is left
 * out with one warning. A function that is named may lack the site: a kprobe of the kernel's is
 * some milliseconds dearer to arm, which is too much for each of thousands, and right for one.
 */
#include <errno.h>
#include <string.h>

#include "script/families/code_point.h"

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

static void plant(struct code_request *q, const struct kernel_function *fn)
{
	struct planted_probe *planted = resolver_plant(q->r, q->point);

	planted->kind = q->part == CODE_RETURN ? "SPL_PROBE_RETURN" : "SPL_PROBE_ENTRY";
	planted->module = fn->module;
	planted->symbol = fn->name;
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
	if (q->exported && !is_exported(q, fn))
		return 0;
	if (fn->ambiguous)
		reason = "the kernel has several functions of that name";
	if (reason)
		code_skip(q, fn->name, reason);
	else
		plant(q, fn);
	return 0;
}

void code_names_expand(struct code_request *q)
{
	struct error *error =
	    kernel_function_match(q->kernel, q->module, q->pattern, add_function, q);

	if (error)
		diag_add(q->r->diags, q->what->tok, KERNEL_UNREADABLE, error->message);
	error_destroy(error);
}
