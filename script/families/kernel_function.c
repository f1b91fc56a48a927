// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel.function("pattern")[.call|.return][.maxactive(N)]: entry and return of kernel functions.
 *
 * Which functions there are, and which of them take a probe, is asked of the kernel the script is
 * for. A pattern with wildcards means every function with a trace site; what it also matches is left
 * out with one warning. A function that is named may lack the site: a kprobe of the kernel's is
 * some milliseconds dearer to arm, which is too much for each of thousands, and right for one.
 */
#include <string.h>

#include "script/families/family.h"

struct request {
	struct resolver *r;
	struct kernel *kernel;
	const struct probe_point *point;
	const struct component *function;
	const char *pattern;
	bool wildcard, is_return;
	int64_t maxactive;
	size_t planted, skipped;
	const char *skipped_name, *skipped_reason; /* of the first */
};

static bool match(const struct probe_point *point)
{
	return component_is(point_component(point, 0), "kernel") &&
	       (point->components.count < 2 || component_is(point_component(point, 1), "function"));
}

static int note_trace_site(const struct kernel_function *fn, void *arg)
{
	bool *any = arg;

	return *any |= fn->has_ftrace_site;
}

/* Without any it is not the function's fault: their list cannot be read, or the kernel has none. */
static bool kernel_has_trace_sites(struct kernel *kernel)
{
	bool any = false;
	struct error *error = kernel_function_match(kernel, NULL, "*", note_trace_site, &any);

	error_destroy(error);
	return any;
}

/* NULL when it takes a probe. */
static const char *refusal(const struct request *q, const struct kernel_function *fn)
{
	if (fn->ambiguous)
		return "the kernel has several functions of that name";
	if (fn->blacklisted)
		return "the kernel forbids probes in it (kprobes blacklist)";
	if (!fn->has_ftrace_site && (q->wildcard || !kernel_has_trace_sites(q->kernel)))
		return "the kernel made no trace site for it (notrace, init or assembler code)";
	return NULL;
}

/* "vfs_read.isra.0" is what the compiler made of vfs_read. */
static const char *source_name(struct arena *arena, const char *name)
{
	return arena_strndup(arena, name, strcspn(name, "."));
}

static const char *planted_text(struct request *q, const char *name)
{
	const char *suffix = "";

	for (size_t i = 2; i < q->point->components.count; i++) {
		const struct component *part = &q->point->components.items[i];

		suffix = component_is(part, "maxactive")
		             ? arena_printf(q->r->arena, "%s.maxactive(%lld)", suffix,
		                            (long long)q->maxactive)
		             : arena_printf(q->r->arena, "%s.%s", suffix, part->name);
	}
	return arena_printf(q->r->arena, "kernel.function(\"%s\")%s", name, suffix);
}

static void plant(struct request *q, const struct kernel_function *fn)
{
	struct planted_probe *planted = resolver_plant(q->r, q->point);

	planted->kind = q->is_return ? "SPL_PROBE_RETURN" : "SPL_PROBE_ENTRY";
	planted->symbol = fn->name;
	planted->func = source_name(q->r->arena, fn->name);
	planted->pp = planted_text(q, planted->func);
	planted->is_return = q->is_return;
	planted->param = q->maxactive;
	q->planted++;
}

static int add_function(const struct kernel_function *fn, void *arg)
{
	struct request *q = arg;
	const char *reason = refusal(q, fn);

	/* x.part.0 is a rest of x whose beginning was inlined: not where x is entered */
	if (q->wildcard && strstr(fn->name, ".part."))
		return 0;
	if (!reason) {
		plant(q, fn);
	} else if (!q->skipped++) {
		q->skipped_name = fn->name;
		q->skipped_reason = reason;
	}
	return 0;
}

static void tell_no_match(struct request *q)
{
	const char *near = kernel_function_nearest(q->kernel, q->pattern);

	diag_add(q->r->diags, q->function->tok, NO_FUNCTION_MATCHES, kernel_release(q->kernel),
	         q->pattern);
	if (strchr(q->pattern, '@'))
		diag_hint(q->r->diags, "source files in patterns are not supported yet, "
		                       "match by function name");
	else if (near)
		diag_hint(q->r->diags, "did you mean \"%s\"?", near);
	else
		diag_hint(q->r->diags, "it may be inlined everywhere; "
		                       "list what there is with -l 'kernel.function(\"*\")'");
}

static void tell_no_trace_sites(struct request *q)
{
	if (diag_has(q->r->diags, DIAG_TAG_NO_TRACE_SITES))
		return;
	diag_add(q->r->diags, q->function->tok, NO_TRACE_SITES, kernel_release(q->kernel));
	diag_hint(q->r->diags,
	          "as root, see that tracefs is mounted on /sys/kernel/tracing; a kernel "
	          "without function tracing cannot be probed: --vm runs the script "
	          "in a guest");
}

static void tell_outcome(struct request *q)
{
	if (q->skipped && !q->planted && !kernel_has_trace_sites(q->kernel))
		tell_no_trace_sites(q);
	else if (q->planted && q->skipped)
		diag_add(q->r->diags, q->function->tok, SKIPPED_FUNCTIONS, q->skipped, q->pattern,
		         q->skipped_name, q->skipped_reason);
	else if (q->skipped)
		diag_add(q->r->diags, q->function->tok, CANNOT_PROBE, q->skipped_name,
		         q->skipped_reason);
	else if (!q->planted)
		tell_no_match(q);
}

/* Each instance takes memory that is set aside when the probe is planted. */
static bool read_maxactive(struct request *q, const struct component *part)
{
	if (!component_number(q->r, part, -1, &q->maxactive))
		return false;
	if (q->maxactive >= 0 && q->maxactive <= UINT16_MAX)
		return true;
	diag_add(q->r->diags, part->tok, PROBE_POINT_ARGUMENT, "maxactive",
	         "a number from 0 to 65535");
	return false;
}

static bool read_suffix(struct request *q)
{
	for (size_t i = 2; i < q->point->components.count; i++) {
		const struct component *part = &q->point->components.items[i];

		if (component_is(part, "call") && i == 2) {
			continue;
		} else if (component_is(part, "return") && i == 2) {
			q->is_return = true;
		} else if (component_is(part, "maxactive") && q->is_return) {
			if (!read_maxactive(q, part))
				return false;
		} else if (component_is(part, "inline") || component_is(part, "exported") ||
		           component_is(part, "callee") || component_is(part, "callees") ||
		           component_is(part, "label")) {
			resolver_unsupported(q->r, part->tok, "kernel.function().%s", part->name);
			return false;
		} else {
			component_tell_unknown(q->r, q->point, part);
			return false;
		}
	}
	return true;
}

static void expand(struct resolver *r, const struct probe_point *point)
{
	struct request q = {.r = r, .point = point, .function = point_component(point, 1)};
	struct error *error;

	if (!q.function) {
		diag_add(r->diags, point->tok, PROBE_POINT_ARGUMENT, "kernel",
		         "a part: kernel.function(\"NAME\")");
		return;
	}
	q.pattern = component_string(r, q.function);
	if (!q.pattern || !read_suffix(&q))
		return;
	q.wildcard = strpbrk(q.pattern, "*?[") != NULL;
	q.kernel = resolver_kernel(r, q.function->tok);
	if (!q.kernel)
		return;
	error = kernel_function_match(q.kernel, NULL, q.pattern, add_function, &q);
	if (error)
		diag_add(r->diags, q.function->tok, KERNEL_UNREADABLE, error->message);
	else
		tell_outcome(&q);
	error_destroy(error);
}

static void list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	target_list_variables(r, planted, out);
}

static const char *const spellings[] = {"kernel.function", "kernel.function.call",
                                        "kernel.function.return",
                                        "kernel.function.return.maxactive", NULL};

const struct probe_family family_kernel_function = {
    .name = "kernel_function",
    .spellings = spellings,
    .match = match,
    .expand = expand,
    .list_variables = list_variables,
};
