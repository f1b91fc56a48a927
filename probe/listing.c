// SPDX-License-Identifier: GPL-2.0-only
/* probe/listing.c - source lines and functions that can be probed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/probe.h"

/* --- lines -------------------------------------------------------------------------------------- */

#define AROUND 2 /* lines shown behind the last with code: the closing brace */

struct lines {
	int *with_code; /* ended by 0 */
	const char *path;
	int start; /* of the function; 0: none, lines are counted as the file does */
	int first, last;
};

/* The head "<function@path:0>" and one line each, numbered when it has code. */
static void print_lines(struct probe_context *ctx, const struct place_query *q,
                        const struct lines *l, const struct source *source)
{
	const int *code = l->with_code;
	FILE *out = ctx->request.out;

	fprintf(out, "<%s%s%s:%d>\n", q->function ? q->function : "", q->function ? "@" : "",
	        source->path ? source->path : l->path, l->first - l->start);
	for (int line = l->first; line <= l->last; line++) {
		while (*code && *code < line)
			code++;
		if (*code == line)
			fprintf(out, "%7d  %s\n", line - l->start, source_line(source, line));
		else if (source->path)
			fprintf(out, "         %s\n", source_line(source, line));
	}
	fprintf(out, "\n");
}

static void choose_range(const struct place_query *q, struct lines *l)
{
	int last = 0;

	for (const int *code = l->with_code; *code; code++)
		last = *code;
	l->first = l->start ? l->start : l->with_code[0];
	l->last = last + (q->lines == PLACE_LINES_NONE ? AROUND - 1 : 0);
	if (q->lines == PLACE_LINES_NONE)
		return;
	l->first = q->first + (q->lines == PLACE_LINES_RELATIVE ? l->start : 0);
	if (q->last < 100000000)
		l->last = q->last + (q->lines == PLACE_LINES_RELATIVE ? l->start : 0);
}

static struct error *list(struct probe_context *ctx, struct debuginfo *info,
                          const struct place_query *q)
{
	struct source source;
	struct lines l;
	struct error *error = places_lines(info, q, &l.with_code, &l.path, &l.start);

	if (error)
		return error;
	choose_range(q, &l);
	source_init(ctx, l.path, &source);
	print_lines(ctx, q, &l, &source);
	if (!source.path)
		error = error_create(ENOENT, "the source %s is not there (only numbers are shown): "
		                             "name its folder with -s",
		                     l.path);
	source_deinit(&source);
	free(l.with_code);
	return error;
}

struct error *probe_list_lines(struct probe_context *ctx, const char *what)
{
	struct debuginfo *info;
	struct place_query q;
	struct error *error = place_query_parse_perf(what, &q);

	if (error)
		return error;
	error = probe_info(ctx, &info);
	if (!error)
		error = list(ctx, info, &q);
	place_query_deinit(&q);
	return error;
}

/* --- functions ---------------------------------------------------------------------------------- */

static int print_kernel_function(const struct kernel_function *fn, void *arg)
{
	struct probe_context *ctx = arg;

	if (fn->blacklisted)
		return 0;
	fprintf(ctx->request.out, "%s", fn->name);
	if (ctx->request.verbose)
		fprintf(ctx->request.out, "\t%s%s%s",
		        fn->has_ftrace_site ? "ftrace" : "native",
		        kernel_function_has_prototype(ctx->kernel, fn) ? "" : ", no prototype",
		        fn->ambiguous ? ", several of that name" : "");
	fprintf(ctx->request.out, "\n");
	return 0;
}

static void print_declared(struct probe_context *ctx, const struct elf_symbol *symbol)
{
	struct place place;
	struct error *error = place_at(ctx->info, symbol->address, &place);

	if (!error && place.file)
		fprintf(ctx->request.out, "\t%s:%d", place.file, place.line);
	error_destroy(error);
}

struct symbol_list {
	struct probe_context *ctx;
	size_t count;
};

static int print_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct symbol_list *list = arg;
	struct probe_context *ctx = list->ctx;

	if (!symbol->is_function || strstr(symbol->name, ".cold") ||
	    !strncmp(symbol->name, "__pfx_", 6))
		return 0;
	list->count++;
	fprintf(ctx->request.out, "%s", symbol->name);
	if (ctx->request.verbose)
		print_declared(ctx, symbol);
	fprintf(ctx->request.out, "\n");
	return 0;
}

static int print_function(const struct code_function *fn, void *arg)
{
	struct probe_context *ctx = arg;

	fprintf(ctx->request.out, "%s", fn->symbol ? fn->symbol : fn->name);
	if (ctx->request.verbose && fn->file)
		fprintf(ctx->request.out, "\t%s:%d", fn->file, fn->line);
	fprintf(ctx->request.out, "\n");
	return 0;
}

/* The functions of the file: its symbols suffice, unless a source file is named. A function may have
 * several of them: malloc and __libc_malloc. */
static struct error *list_from_file(struct probe_context *ctx, const char *pattern)
{
	struct symbol_list list = {.ctx = ctx};
	struct debuginfo *info;
	struct place_query q;
	struct error *error = place_query_parse(pattern, &q);

	if (error)
		return error;
	error = probe_info(ctx, &info);
	if (!error && !strchr(pattern, '@')) /* what has no symbol is left to the question below */
		debuginfo_symbol_match(info, pattern, print_symbol, &list);
	if (!error && !list.count)
		error = functions_find(info, &q, FUNCTIONS_BODIES, print_function, ctx);
	place_query_deinit(&q);
	return error;
}

struct error *probe_list_functions(struct probe_context *ctx, const char *pattern)
{
	pattern = pattern ? pattern : "*";
	if (ctx->kernel && !ctx->request.module && !ctx->request.vmlinux && !strchr(pattern, '@'))
		return kernel_function_match(ctx->kernel, NULL, pattern, print_kernel_function, ctx);
	return list_from_file(ctx, pattern);
}
