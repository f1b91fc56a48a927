// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/variables.c - what can be seen at a place. With DWARF: all variables, wherever they are. With
 * BTF only: the arguments, at a function's entry, in the registers that the calling convention says.
 */
#include "symbols/variables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "probe/probe.h"

struct view {
	struct probe_context *ctx;
	struct debuginfo *info;
	struct error *error;
	uint64_t address;
	const struct code_function *of; /* NULL: whichever is there */
	unsigned places, variables;
};

static int print_variable(const struct code_variable *v, void *arg)
{
	struct view *view = arg;
	_cleanup_free_ char *type = dwarf_type_string(v->type);
	FILE *out = view->ctx->request.out;
	struct location loc;
	struct error *error;
	struct strbuf sb;

	if (v->is_hidden)
		return 0;
	view->variables++;
	fprintf(out, "\t\t%s\t%s", type, v->name);
	error = variable_location(view->info, v, view->address, &loc);
	strbuf_init(&sb);
	if (error)
		strbuf_addf(&sb, "not readable: %s", error->message);
	else
		location_print(&loc, &sb);
	if (error || location_is_none(&loc) || view->ctx->request.verbose)
		fprintf(out, "\t(%s)", sb.data);
	fprintf(out, "\n");
	strbuf_deinit(&sb);
	error_destroy(error);
	return 0;
}

static void print_place(FILE *out, const struct place *place)
{
	fprintf(out, "\t@<%s+%llu>", place->symbol ? place->symbol : "?",
	        (unsigned long long)place->offset);
	if (place->container)
		fprintf(out, " %s inlined into %s", place->function, place->container);
	if (place->file)
		fprintf(out, " %s:%d", place->file, place->line);
	fprintf(out, "\n");
}

static int show_place(const struct place *place, void *arg)
{
	struct view *view = arg;
	FILE *out = view->ctx->request.out;

	view->places++;
	view->address = place->address;
	print_place(out, place);
	view->variables = 0;
	view->error = variables_at(view->info, place->address, view->of, print_variable, view);
	if (!view->error && !view->variables)
		fprintf(out, "\t\t(No variables)\n");
	return view->error != NULL;
}

/* A function means the place where its arguments can be seen. */
static int show_function(const struct code_function *fn, void *arg)
{
	struct view *view = arg;
	struct place place;

	uint64_t address = function_after_prologue(view->info, fn);

	view->of = fn;
	view->error = address == fn->address ? function_place(view->info, fn, &place)
	                                     : place_at(view->info, address, &place);
	return view->error || show_place(&place, view);
}

/* --- with BTF only -------------------------------------------------------------------------------- */

static const char *const argument_registers[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};

static struct error *show_prototype(struct probe_context *ctx, struct btf_index *btf,
                                    const char *function)
{
	struct btf_prototype proto;
	struct error *error = btf_index_find_function(btf, function, &proto);

	if (error)
		return error;
	fprintf(ctx->request.out, "\t@<%s+0> (from BTF: arguments at the entry)\n", function);
	for (unsigned i = 0; i < proto.argc; i++) {
		_cleanup_free_ char *type = btf_index_type_string(btf, proto.args[i].type);

		fprintf(ctx->request.out, "\t\t%s\t%s", type,
		        btf_index_name(btf, proto.args[i].name_off));
		if (ctx->request.verbose)
			fprintf(ctx->request.out, "\t(%s)",
			        i < 6 ? argument_registers[i] : "on the stack");
		fprintf(ctx->request.out, "\n");
	}
	if (!proto.argc)
		fprintf(ctx->request.out, "\t\t(No variables)\n");
	return NULL;
}

static bool is_entry(const struct place_query *q)
{
	return q->function && !strpbrk(q->function, "*?[") && !q->file && !q->offset &&
	       q->lines == PLACE_LINES_NONE;
}

/* `no_dwarf` is what is said when BTF cannot answer either. */
static struct error *show_from_btf(struct probe_context *ctx, const struct place_query *q,
                                   struct error *no_dwarf)
{
	struct btf_index *btf;
	struct error *error;

	if (!ctx->kernel || !is_entry(q))
		return no_dwarf;
	error = ctx->info ? debuginfo_btf(ctx->info, &btf) : kernel_btf(ctx->kernel, &btf);
	if (!error) {
		fprintf(ctx->request.out, "Available variables at %s\n", q->function);
		error = show_prototype(ctx, btf, q->function);
	}
	error_destroy(no_dwarf);
	return error;
}

/* --- the command ------------------------------------------------------------------------------------ */

static struct error *show(struct probe_context *ctx, const struct place_query *q, const char *what)
{
	struct view view = {.ctx = ctx};
	struct error *error = probe_info(ctx, &view.info);

	if (!error)
		error = debuginfo_check_dwarf(view.info);
	if (error)
		return show_from_btf(ctx, q, error);
	fprintf(ctx->request.out, "Available variables at %s\n", what);
	if (q->function && q->lines == PLACE_LINES_NONE && !q->has_offset)
		error = functions_find(view.info, q, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
		                       show_function, &view);
	else
		error = places_find(view.info, q, show_place, &view);
	return error ? error : view.error;
}

struct error *probe_list_variables(struct probe_context *ctx, const char *what)
{
	struct place_query q;
	struct error *error = place_query_parse_perf(what, &q);

	if (error)
		return error;
	error = show(ctx, &q, what);
	place_query_deinit(&q);
	return error;
}
