// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/definition.c - "[[GROUP:]EVENT=]PLACE[%return|;PATTERN] [ARGUMENT]..." as event lines, without
 * planting. ARGUMENT is in argument.c.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "probe/argument.h"
#include "probe/probe.h"

/* The first word, cut into its parts. */
struct event_head {
	const char *group, *event; /* NULL: made of the place */
	const char *place;
	const char *pattern;       /* of source lines: behind the ';', NULL none */
	bool is_return;
};

struct definition {
	struct probe_context *ctx;
	struct debuginfo *info;
	const struct place_query *q;
	struct event_head head;
	bool lines_only;                /* -D: nothing but event lines */
	const struct code_function *of; /* whose variables; NULL: of whatever is there */
	char **arguments;
	size_t argument_count, places, refused;
	struct error *error; /* of the last place that is refused; the others go on */
};

/* --- the head ----------------------------------------------------------------------------------------- */

static bool is_word(const char *text)
{
	bool ok = *text && !isdigit((unsigned char)*text);

	for (; *text; text++)
		ok &= isalnum((unsigned char)*text) || *text == '_';
	return ok;
}

static struct error *cut_name(char *name, struct event_head *ret)
{
	char *colon = strchr(name, ':');

	ret->event = colon ? colon + 1 : name;
	ret->group = colon ? name : NULL;
	if (colon)
		*colon = '\0';
	if (is_word(ret->event) && (!ret->group || is_word(ret->group)))
		return NULL;
	return error_create(EINVAL, "before the = stands [GROUP:]EVENT, of letters, digits and _");
}

static struct error *cut_head(char *text, struct event_head *ret)
{
	char *semicolon = strchr(text, ';'), *equals = strchr(text, '='), *percent, *start = NULL;

	*ret = (struct event_head){.place = text};
	if (semicolon) {
		*semicolon = '\0';
		ret->pattern = semicolon + 1;
		equals = equals > semicolon ? NULL : equals;
	}
	if (equals) {
		*equals = '\0';
		start = text;
		ret->place = text = equals + 1;
	}
	percent = strchr(text, '%');
	if (percent && strcmp(percent, "%return"))
		return error_create(EINVAL, "%s: behind a function's name stands %%return", percent);
	if (percent)
		*percent = '\0';
	ret->is_return = percent;
	if (ret->is_return && ret->pattern)
		return error_create(EINVAL, "it has both %%return and a pattern of lines");
	if (ret->pattern && !*ret->pattern)
		return error_create(EINVAL, "the pattern of lines behind the ; is empty");
	return start ? cut_name(start, ret) : NULL;
}

/* --- places ----------------------------------------------------------------------------------------------- */

/* Of several places each has a name of its own. */
static void add_number(struct definition *d, struct strbuf *out)
{
	if (d->places > 1)
		strbuf_addf(out, "_%zu", d->places - 1);
}

static void add_group(struct definition *d, struct strbuf *out)
{
	const char *base = d->ctx->request.program ? strrchr(d->ctx->request.program, '/') : NULL;

	if (d->head.group) {
		strbuf_addf(out, "%s/", d->head.group);
	} else if (d->ctx->request.program) {
		strbuf_adds(out, "probe_");
		for (base = base ? base + 1 : d->ctx->request.program; *base; base++)
			strbuf_addc(out, isalnum((unsigned char)*base) ? *base : '_');
		strbuf_addc(out, '/');
	} else {
		strbuf_adds(out, "probe/");
	}
}

static void add_event_name(struct definition *d, const struct place *place, struct strbuf *out)
{
	add_group(d, out);
	if (d->head.event) {
		strbuf_adds(out, d->head.event);
		add_number(d, out);
		return;
	}
	strbuf_adds(out, place->function ? place->function : "abs");
	if (d->q->lines == PLACE_LINES_RELATIVE && d->q->first == d->q->last)
		strbuf_addf(out, "_L%d", d->q->first);
	else if (d->q->lines != PLACE_LINES_NONE)
		strbuf_addf(out, "_L%d", place->line);
	if (d->head.is_return)
		strbuf_adds(out, "__return");
	add_number(d, out);
}

static struct error *add_event_place(struct definition *d, const struct place *place,
                                     struct strbuf *out)
{
	uint64_t offset;
	char *path;

	if (!d->ctx->kernel && debuginfo_is_relocatable(d->info))
		return error_create(EINVAL, "%s is an unlinked object, which no process runs (of a "
		                            "kernel's module: -m %s)",
		                    d->ctx->request.program, d->ctx->request.program);
	if (!d->ctx->kernel) {
		if (!debuginfo_file_offset(d->info, place->address, &offset))
			return error_create(ENOENT, "0x%llx is not loaded from the file",
			                    (unsigned long long)place->address);
		path = realpath(d->ctx->request.program, NULL);
		strbuf_addf(out, " %s:0x%llx", path ? path : d->ctx->request.program,
		            (unsigned long long)offset);
		free(path);
		return NULL;
	}
	if (!place->symbol)
		return error_create(ENOENT, "no symbol for 0x%llx",
		                    (unsigned long long)place->address);
	strbuf_addf(out, " %s%s%s+%llu", d->ctx->request.module ? d->ctx->request.module : "",
	            d->ctx->request.module ? ":" : "", place->symbol,
	            (unsigned long long)place->offset);
	return NULL;
}

static void print_place(struct definition *d, const struct place *place, struct verdict verdict)
{
	FILE *out = d->ctx->request.out;

	if (d->lines_only)
		return;
	fprintf(out, "%s", place->symbol ? place->symbol : "?");
	fprintf(out, "+%llu (0x%llx)", (unsigned long long)place->offset,
	        (unsigned long long)place->address);
	if (place->container)
		fprintf(out, ", %s inlined", place->function);
	if (place->file)
		fprintf(out, ", %s:%d", place->file, place->line);
	if (verdict.planter)
		fprintf(out, ", planter %s", verdict.planter);
	if (verdict.reason)
		fprintf(out, " (%s%s)", verdict.planter ? "no jump: " : "", verdict.reason);
	fprintf(out, "\n");
}

/* Judged only where the file has code, and never planted inside an instruction. */
static struct error *judge(struct definition *d, const struct place *place, struct verdict *ret)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(d->info, place->address);
	struct function_text *text;
	struct error *error;
	uint64_t before, after;

	*ret = (struct verdict){.planter = NULL};
	if (!sym)
		return NULL;
	error = function_text_create(d->ctx, sym, &text);
	if (error) { /* no text: nothing to judge by */
		error_destroy(error);
		return NULL;
	}
	error = places_boundary(d->info, place->address, &before, &after);
	if (!error)
		*ret = function_text_judge(text, place->address);
	function_text_destroy(text);
	if (!error && !ret->planter)
		error = error_create(EINVAL, "%s+%llu cannot be probed: %s", sym->name,
		                     (unsigned long long)place->offset, ret->reason);
	return error;
}

static struct error *define_place(struct definition *d, const struct place *place)
{
	struct event_place at = {d->info, d->of, place->address};
	struct verdict verdict;
	struct strbuf line;
	struct error *error = judge(d, place, &verdict);

	if (error)
		return error;
	strbuf_init(&line);
	strbuf_adds(&line, d->head.is_return ? "r:" : "p:");
	add_event_name(d, place, &line);
	error = add_event_place(d, place, &line);
	for (size_t i = 0; i < d->argument_count && !error; i++)
		error = event_argument_add(&at, d->arguments[i], &line);
	if (!error) {
		print_place(d, place, verdict);
		fprintf(d->ctx->request.out, "%s%s\n", d->lines_only ? "" : "    ", line.data);
	}
	strbuf_deinit(&line);
	return error;
}

static int define(const struct place *place, void *arg)
{
	struct definition *d = arg;
	struct error *error;

	d->places++;
	error = define_place(d, place);
	if (!error)
		return 0;
	d->refused++;
	if (d->error && d->refused > 1)
		fprintf(stderr, "%s\n", d->error->message);
	error_destroy(d->error);
	d->error = error;
	return 0;
}

static bool wants_variables(const struct definition *d)
{
	for (size_t i = 0; i < d->argument_count; i++)
		if (event_argument_is_variable(d->arguments[i]))
			return true;
	return false;
}

static int define_function(const struct code_function *fn, void *arg)
{
	struct definition *d = arg;
	uint64_t address = fn->address;
	struct place place;
	struct error *error;

	if (d->head.is_return && fn->kind == FUNCTION_INLINE)
		return 0; /* it does not return */
	if (!d->head.is_return && wants_variables(d))
		address = function_after_prologue(d->info, fn);
	error = address == fn->address ? function_place(d->info, fn, &place)
	                               : place_at(d->info, address, &place);
	if (error) {
		error_destroy(error);
		return 0;
	}
	d->of = fn;
	place.function = fn->name;
	place.container = fn->kind == FUNCTION_INLINE ? fn->container : NULL;
	return define(&place, d);
}

/* --- lines by pattern -------------------------------------------------------------------------------------- */

static char *without_spaces(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (; *text; text++)
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	*to = '\0';
	return copy;
}

/* The place of one line, if its text matches. */
static struct error *define_line(struct definition *d, int line, const char *text, const char *pattern)
{
	_cleanup_free_ char *bare = without_spaces(text);
	struct place_query q = *d->q;

	if (fnmatch(pattern, bare, 0))
		return NULL;
	q.lines = PLACE_LINES_ABSOLUTE;
	q.first = q.last = line;
	return places_find(d->info, &q, define, d);
}

/* As perf probe's lazy patterns: white space counts neither in the pattern nor in the line. */
static struct error *define_by_pattern(struct definition *d)
{
	_cleanup_free_ char *pattern = without_spaces(d->head.pattern);
	_cleanup_free_ int *lines = NULL;
	struct source source;
	const char *path;
	int start;
	struct error *error = places_lines(d->info, d->q, &lines, &path, &start);

	if (error)
		return error;
	source_init(d->ctx, path, &source);
	if (!source.path)
		error = error_create(ENOENT, "the source %s is not there to look for \"%s\" in: name its "
		                             "folder with -s",
		                     path, d->head.pattern);
	for (int *line = lines; *line && !error; line++)
		error = define_line(d, *line, source_line(&source, *line), pattern);
	if (!error && !d->places)
		error = error_create(ENOENT, "no line with code matches \"%s\" in %s", d->head.pattern,
		                     source.path);
	source_deinit(&source);
	return error;
}

/* --- the command ------------------------------------------------------------------------------------------- */

static struct error *check_return(const struct definition *d)
{
	if (!d->head.is_return)
		return NULL;
	if (!d->q->function || d->q->lines != PLACE_LINES_NONE || d->q->has_offset)
		return error_create(EINVAL, "%%return is of a function, not of a line or an address");
	for (size_t i = 0; i < d->argument_count; i++)
		if (event_argument_is_variable(d->arguments[i]))
			return error_create(EINVAL, "%s: when a function has returned its variables are "
			                            "gone; $retval, registers and symbols are there",
			                    d->arguments[i]);
	return NULL;
}

static struct error *define_places(struct definition *d)
{
	unsigned kinds = FUNCTIONS_BODIES |
	                 (debuginfo_dwarf_path(d->info) && !d->head.is_return ? FUNCTIONS_INLINES : 0);

	if (d->head.pattern)
		return define_by_pattern(d);
	if (d->q->function && d->q->lines == PLACE_LINES_NONE && !d->q->has_offset)
		return functions_find(d->info, d->q, kinds, define_function, d);
	return places_find(d->info, d->q, define, d);
}

static struct error *define_all(struct definition *d)
{
	struct error *error = check_return(d);

	if (!error)
		error = probe_info(d->ctx, &d->info);
	if (!error && wants_variables(d))
		error = debuginfo_check_dwarf(d->info);
	if (error)
		return error;
	error = define_places(d);
	if (!error && d->refused < d->places && d->error) { /* some can be probed: no failure */
		fprintf(stderr, "%s\n", d->error->message);
		error_destroy(d->error);
		d->error = NULL;
	}
	return error ? error : d->error;
}

static struct error *read_definition(struct probe_context *ctx, const char *what, bool lines_only)
{
	_cleanup_free_ char *copy = strdup(what);
	char *save, *word = strtok_r(copy, " \t", &save), *arguments[64];
	struct definition d = {.ctx = ctx, .arguments = arguments, .lines_only = lines_only};
	struct place_query q;
	struct error *error = cut_head(word ? word : copy, &d.head);

	if (!error)
		error = place_query_parse_perf(d.head.place, &q);
	if (error)
		return error;
	while ((word = strtok_r(NULL, " \t", &save)) && d.argument_count < 64)
		arguments[d.argument_count++] = word;
	d.q = &q;
	error = define_all(&d);
	place_query_deinit(&q);
	return error;
}

struct error *probe_show_definition(struct probe_context *ctx, const char *what)
{
	return read_definition(ctx, what, false);
}

struct error *probe_show_event_lines(struct probe_context *ctx, const char *what)
{
	return read_definition(ctx, what, true);
}
