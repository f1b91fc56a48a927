// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in the kernel's code:
 *
 *	kernel.function("NAME[@FILE[:LINE]]")[.call|.return[.maxactive(N)]|.inline|.exported
 *	                                     |.callee("NAME")[.call|.return]|.callees(N)|.label("L")]
 *	kernel.statement("NAME@FILE:LINE")[.nearest]      kernel.statement(ADDRESS)[.absolute]
 *	module("NAME").function(...), module("NAME").statement(...)     the same in modules
 *
 * This file reads a point. Plain names are then looked up among the kernel's symbols (code_names.c),
 * which takes a blink; all that names a file, a line, an inlined copy, a callee or a label is asked of
 * debug information (code_places.c), which is opened for nothing else.
 */
#include "script/families/code_point.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

/* --- shared ----------------------------------------------------------------------------------- */

bool code_is_pattern(const char *text)
{
	return text && strpbrk(text, "*?[") != NULL;
}

void code_skip(struct code_request *q, const char *name, const char *reason)
{
	if (q->skipped++)
		return;
	q->skipped_name = name;
	q->skipped_reason = reason;
}

/* Of callees and labels it is the one that was found. */
static void add_suffix(const struct code_request *q, struct strbuf *sb,
                       const struct component *part)
{
	bool calls = component_is(part, "callee") || component_is(part, "callees");

	if (q->found && (calls || component_is(part, "label"))) {
		strbuf_addf(sb, ".%s(\"%s\")", calls ? "callee" : "label", q->found);
		return;
	}
	strbuf_addf(sb, ".%s", part->name);
	if (part->arg && part->arg->kind == EXPR_STRING)
		strbuf_addf(sb, "(\"%s\")", part->arg->string.data);
	else if (part->arg)
		strbuf_addf(sb, "(%lld)", (long long)part->arg->number);
}

const char *code_point_text(struct code_request *q, const char *module, const char *text)
{
	const struct component *first = point_component(q->point, 0);
	struct strbuf sb;
	const char *kept;

	strbuf_init(&sb);
	strbuf_adds(&sb, first->name);
	if (module)
		strbuf_addf(&sb, "(\"%s\")", module);
	strbuf_addf(&sb, ".%s(%s%s%s)", q->what->name, *text == '0' ? "" : "\"", text,
	            *text == '0' ? "" : "\"");
	for (size_t i = 2; i < q->point->components.count; i++)
		add_suffix(q, &sb, &q->point->components.items[i]);
	kept = arena_strdup(q->r->arena, sb.data);
	strbuf_deinit(&sb);
	return kept;
}

const char *code_asked(const struct code_request *q)
{
	return q->pattern ? q->pattern
	                  : arena_printf(q->r->arena, "0x%llx", (unsigned long long)q->address);
}

void code_tell(struct code_request *q, struct error *error)
{
	const char *text = code_asked(q);

	if (error->err == ENODATA)
		diag_add(q->r->diags, q->what->tok, NEEDS_DEBUGINFO, text, error->message);
	else if (error->err == EILSEQ)
		diag_add(q->r->diags, q->what->tok, INSIDE_INSTRUCTION, error->message);
	else
		diag_add(q->r->diags, q->what->tok, NO_PLACE, text, error->message);
	error_destroy(error);
}

/* --- reading a point -------------------------------------------------------------------------- */

static bool match(const struct probe_point *point)
{
	const struct component *what = point_component(point, 1);

	if (component_is(point_component(point, 0), "module"))
		return true;
	return component_is(point_component(point, 0), "kernel") &&
	       (!what || component_is(what, "function") || component_is(what, "statement"));
}

/* Each instance takes memory that is set aside when the probe is planted. */
static bool read_maxactive(struct code_request *q, const struct component *part)
{
	if (!component_number(q->r, part, -1, &q->maxactive))
		return false;
	if (q->maxactive >= 0 && q->maxactive <= UINT16_MAX)
		return true;
	diag_add(q->r->diags, part->tok, PROBE_POINT_ARGUMENT, "maxactive",
	         "a number from 0 to 65535");
	return false;
}

static bool read_inner(struct code_request *q, const struct component *part, enum code_part meant)
{
	q->part = meant;
	q->depth = 1;
	q->inner = component_string(q->r, part);
	return q->inner != NULL;
}

/* .callees is .callees(1). */
static bool read_callees(struct code_request *q, const struct component *part)
{
	q->part = CODE_CALLEES;
	q->inner = "*";
	if (!component_number(q->r, part, 1, &q->depth))
		return false;
	if (q->depth < 1 || q->depth > 16) {
		diag_add(q->r->diags, part->tok, PROBE_POINT_ARGUMENT, "callees", "a depth from 1 to 16");
		return false;
	}
	if (q->depth > 1)
		diag_add(q->r->diags, part->tok, CALLEES_NEAREST);
	return true;
}

static bool read_function_part(struct code_request *q, const struct component *part)
{
	static const struct {
		const char *name;
		enum code_part meant;
	} plain[] = {{"call", CODE_CALL}, {"return", CODE_RETURN}, {"inline", CODE_INLINE}};
	bool calls = q->part == CODE_CALLEE || q->part == CODE_CALLEES;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]) && q->part == CODE_ANY; i++) {
		if (!component_is(part, plain[i].name))
			continue;
		q->part = plain[i].meant;
		return true;
	}
	if (component_is(part, "exported") && !q->exported && q->part <= CODE_RETURN)
		return q->exported = true;
	if (component_is(part, "maxactive") && (q->part == CODE_RETURN || q->inner_return))
		return read_maxactive(q, part);
	if (component_is(part, "callee") && q->part == CODE_ANY)
		return read_inner(q, part, CODE_CALLEE);
	if (component_is(part, "label") && q->part == CODE_ANY)
		return read_inner(q, part, CODE_LABEL);
	if (component_is(part, "callees") && q->part == CODE_ANY)
		return read_callees(q, part);
	if (calls && component_is(part, "return") && !q->inner_return)
		return q->inner_return = true;
	if (calls && component_is(part, "call"))
		return true;
	component_tell_unknown(q->r, q->point, part);
	return false;
}

static bool read_statement_part(struct code_request *q, const struct component *part)
{
	if (component_is(part, "nearest") && q->pattern)
		return q->nearest = true;
	if (component_is(part, "absolute") && !q->pattern) {
		q->absolute = true;
		if (!q->r->options->guru)
			diag_add(q->r->diags, part->tok, ABSOLUTE_NEEDS_GURU);
		return q->r->options->guru;
	}
	component_tell_unknown(q->r, q->point, part);
	return false;
}

static bool read_suffix(struct code_request *q)
{
	for (size_t i = 2; i < q->point->components.count; i++) {
		const struct component *part = &q->point->components.items[i];

		if (!(q->is_statement ? read_statement_part(q, part) : read_function_part(q, part)))
			return false;
	}
	return true;
}

static bool read_place(struct code_request *q)
{
	const struct expr *arg = q->what->arg;

	if (arg && arg->kind == EXPR_NUMBER) {
		q->address = (uint64_t)arg->number;
		return true;
	}
	q->pattern = component_string(q->r, q->what);
	return q->pattern != NULL;
}

static bool read_point(struct code_request *q)
{
	const struct component *first = point_component(q->point, 0);

	if (!q->what) {
		diag_add(q->r->diags, q->point->tok, PROBE_POINT_ARGUMENT, first->name,
		         arena_printf(q->r->arena, "a part: %s.function(\"NAME\")",
		                      component_is(first, "module") ? "module(\"NAME\")" : "kernel"));
		return false;
	}
	if (component_is(first, "module")) {
		q->module = component_string(q->r, first);
		if (!q->module)
			return false;
	}
	if (!component_is(q->what, "function") && !component_is(q->what, "statement")) {
		component_tell_unknown(q->r, q->point, q->what);
		return false;
	}
	q->is_statement = component_is(q->what, "statement");
	return read_place(q) && read_suffix(q);
}

/* --- outcome ----------------------------------------------------------------------------------- */

static bool need_not_be_there(const struct code_request *q)
{
	return q->point->optional || q->point->sufficient;
}

static void tell_no_match(struct code_request *q)
{
	const char *near = NULL;

	if (q->unexported) {
		code_tell(q, error_create(ENOENT, "%s is not exported", q->pattern));
		return;
	}
	if (!need_not_be_there(q)) /* nobody would read it, and it is a search through all names */
		near = kernel_function_nearest(q->kernel, q->pattern);
	diag_add(q->r->diags, q->what->tok, NO_FUNCTION_MATCHES, kernel_release(q->kernel),
	         q->pattern);
	if (near)
		diag_hint(q->r->diags, "did you mean \"%s\"?", near);
	else
		diag_hint(q->r->diags, "it may be inlined everywhere; "
		                       "list what there is with -l 'kernel.function(\"*\")'");
}

static void tell_no_trace_sites(struct code_request *q)
{
	if (diag_has(q->r->diags, DIAG_TAG_NO_TRACE_SITES))
		return;
	diag_add(q->r->diags, q->what->tok, NO_TRACE_SITES, kernel_release(q->kernel));
	diag_hint(q->r->diags,
	          "as root, see that tracefs is mounted on /sys/kernel/tracing; a kernel "
	          "without function tracing cannot be probed: --vm runs the script "
	          "in a guest");
}

static void tell_skipped(struct code_request *q)
{
	const char *text = code_asked(q);

	if (!q->planted && !code_kernel_has_trace_sites(q))
		tell_no_trace_sites(q);
	else if (q->planted)
		diag_add(q->r->diags, q->what->tok, SKIPPED_FUNCTIONS, q->skipped, text,
		         q->skipped_name, q->skipped_reason);
	else
		diag_add(q->r->diags, q->what->tok, CANNOT_PROBE, q->skipped_name,
		         q->skipped_reason);
}

/* --- the family --------------------------------------------------------------------------------- */

/* A name that symbols can answer. A module's may be known from its file only. */
static bool is_plain_name(const struct code_request *q)
{
	return q->pattern && !q->is_statement && q->part <= CODE_RETURN &&
	       !strpbrk(q->pattern, "@:+") && !(q->module && strchr(q->module, '/'));
}

/* Nothing has the name as a symbol. It may be inlined everywhere, or be in a module that the kernel's
 * symbols do not have; what need not be there is not worth the search. */
static void expand_elsewhere(struct code_request *q)
{
	struct diag_list quiet, *loud = q->r->diags;

	if (q->module && !need_not_be_there(q)) { /* its file has the answer, or is not there */
		code_places_expand(q);
		return;
	}
	if (q->part == CODE_ANY && !need_not_be_there(q)) {
		diag_list_init(&quiet);
		q->r->diags = &quiet;
		code_places_expand(q);
		q->r->diags = loud;
		diag_list_deinit(&quiet);
	}
	if (!q->planted && !q->skipped)
		tell_no_match(q);
}

static void expand(struct resolver *r, const struct probe_point *point)
{
	struct code_request q = {.r = r, .point = point, .what = point_component(point, 1)};
	size_t errors = diag_error_count(r->diags);

	if (!read_point(&q))
		return;
	q.kernel = resolver_kernel(r, q.what->tok);
	if (!q.kernel)
		return;
	if (is_plain_name(&q)) {
		code_names_expand(&q);
		if (!q.planted && !q.skipped && diag_error_count(r->diags) == errors)
			expand_elsewhere(&q);
	} else {
		code_places_expand(&q);
	}
	if (q.skipped && diag_error_count(r->diags) == errors)
		tell_skipped(&q);
}

static void list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	target_list_variables(r, planted, out);
}

static const char *const spellings[] = {
    "kernel.function",
    "kernel.function.call",
    "kernel.function.call.exported",
    "kernel.function.callee",
    "kernel.function.callee.call",
    "kernel.function.callee.return",
    "kernel.function.callee.return.maxactive",
    "kernel.function.callees",
    "kernel.function.exported",
    "kernel.function.inline",
    "kernel.function.label",
    "kernel.function.return",
    "kernel.function.return.exported",
    "kernel.function.return.maxactive",
    "kernel.statement",
    "kernel.statement.absolute",
    "kernel.statement.nearest",
    "module.function",
    "module.function.call",
    "module.function.call.exported",
    "module.function.callee",
    "module.function.callee.call",
    "module.function.callee.return",
    "module.function.callee.return.maxactive",
    "module.function.callees",
    "module.function.exported",
    "module.function.inline",
    "module.function.label",
    "module.function.return",
    "module.function.return.exported",
    "module.function.return.maxactive",
    "module.statement",
    "module.statement.nearest",
    NULL,
};

const struct probe_family family_code_point = {
    .name = "code_point",
    .spellings = spellings,
    .match = match,
    .expand = expand,
    .list_variables = list_variables,
};
