// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/definition.c - "PLACE [NAME=]VARIABLE[.member|->member]..." as event lines, without planting.
 *
 * An event line reads registers and memory by fixed steps: a register, or memory at a register plus an
 * offset, any number of times. A variable whose location is more than that (computed, in pieces, a
 * value of the function's entry) cannot be written so and is refused; scripts can read it.
 */
#include "symbols/variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "probe/probe.h"

struct definition {
	struct probe_context *ctx;
	struct debuginfo *info;
	const struct place_query *q;
	const struct code_function *of; /* whose variables; NULL: of whatever is there */
	char **arguments;
	size_t argument_count, places, refused;
	struct error *error; /* of the last place that is refused; the others go on */
};

/* --- arguments ---------------------------------------------------------------------------------------- */

/* tracefs's names: ax, r8. */
static const char *event_register(unsigned reg)
{
	const char *name = location_register_name(reg);

	return *name == 'r' && !isdigit((unsigned char)name[1]) ? name + 1 : name;
}

static struct error *cannot_write(const char *name, const struct location *loc)
{
	struct strbuf sb;
	struct error *error;

	strbuf_init(&sb);
	location_print(loc, &sb);
	error = error_create(EOPNOTSUPP, "%s: an event line cannot say where it is: %s", name,
	                     sb.data);
	strbuf_deinit(&sb);
	return error;
}

/* Register plus offset, or a fixed address. */
static bool base_and_offset(const struct location *loc, const struct location_piece *piece,
                            char *base, size_t size, int64_t *offset)
{
	const struct location_op *op = &loc->ops[piece->first], *end = op + piece->count;

	*offset = 0;
	if (op == end)
		return false;
	if (op->op == LOC_REGISTER)
		snprintf(base, size, "%%%s", event_register(op->arg));
	else if (op->op == LOC_ADDRESS && piece->count == 1)
		snprintf(base, size, "@0x%llx", (unsigned long long)op->arg);
	else
		return false;
	for (op++; op < end; op += 2) {
		if (end - op < 2 || op[0].op != LOC_CONST || op[1].op != LOC_ADD)
			return false;
		*offset += op[0].arg;
	}
	return true;
}

/* The text of what holds the variable; `memory` tells whether that is its address's place. */
static struct error *fetch_base(const char *name, const struct location *loc, char **ret,
                                bool *memory, int64_t *offset)
{
	const struct location_piece *piece = &loc->pieces[0];
	char base[64];

	*memory = false;
	*offset = 0;
	if (loc->piece_count != 1 || loc->uses_entry)
		return cannot_write(name, loc);
	if (piece->kind == PIECE_REGISTER && piece->reg <= 16) {
		snprintf(base, sizeof(base), "%%%s", event_register(piece->reg));
	} else if (piece->kind == PIECE_MEMORY &&
	           base_and_offset(loc, piece, base, sizeof(base), offset)) {
		*memory = true;
	} else if (piece->kind == PIECE_VALUE && piece->count == 1 &&
	           loc->ops[piece->first].op == LOC_CONST) {
		snprintf(base, sizeof(base), "\\%lld", (long long)loc->ops[piece->first].arg);
	} else {
		return cannot_write(name, loc);
	}
	*ret = strdup(base);
	return NULL;
}

/* Wraps the text in a read: "+16(%di)"; a fixed address reads by itself. */
static void wrap(char **text, int64_t offset)
{
	char *wrapped;

	if (**text == '@' && !offset)
		return;
	if (asprintf(&wrapped, "%+lld(%s)", (long long)offset, *text) < 0)
		abort();
	free(*text);
	*text = wrapped;
}

static const char *type_suffix(struct dwarf_type type)
{
	static const char *const with_sign[] = {"s8", "s16", "s32", "s64"};
	static const char *const without[] = {"u8", "u16", "u32", "u64"};
	static const char *const bits[] = {"x8", "x16", "x32", "x64"};
	enum type_kind kind = dwarf_type_kind(dwarf_type_strip(type));
	int64_t size = dwarf_type_size(type);
	int i = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1;

	if (i < 0 || kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ARRAY)
		return NULL;
	if (kind == TYPE_POINTER || kind == TYPE_FLOAT)
		return bits[i];
	return dwarf_type_is_signed(type) ? with_sign[i] : without[i];
}

struct fetch {
	char *text;
	bool memory;    /* text is an address's holder: the value is one read away */
	int64_t offset;
	struct dwarf_type type;
};

/* One "->member" or ".member". */
static struct error *fetch_member(struct fetch *f, bool arrow, const char *name)
{
	struct dwarf_type bare = dwarf_type_strip(f->type);
	struct type_member member;
	struct error *error;

	if (arrow != (dwarf_type_kind(bare) == TYPE_POINTER))
		return error_create(EINVAL, "%s%s: %s", arrow ? "->" : ".", name,
		                    arrow ? "what is left of it is no pointer"
		                          : "what is left of it is a pointer, use ->");
	if (arrow) {
		if (f->memory)
			wrap(&f->text, f->offset);
		f->memory = true;
		f->offset = 0;
		bare = dwarf_type_strip(dwarf_type_target(bare));
	}
	error = dwarf_type_find_member(bare, name, &member);
	if (error)
		return error;
	if (!f->memory || member.bit_size)
		return error_create(EOPNOTSUPP, "%s: bit-fields and structures in registers cannot "
		                                "be written in an event line",
		                    name);
	f->offset += member.bit_offset / 8;
	f->type = member.type;
	return NULL;
}

static struct error *fetch_path(struct fetch *f, char *path)
{
	struct error *error = NULL;

	while (*path && !error) {
		bool arrow = !strncmp(path, "->", 2);
		char *name = path + (arrow ? 2 : 1), *end = name + strcspn(name, ".-");
		char keep = *end;

		*end = '\0';
		error = fetch_member(f, arrow, name);
		*end = keep;
		path = end;
	}
	return error;
}

static struct error *add_argument(struct definition *d, uint64_t address, const char *argument,
                                  struct strbuf *out)
{
	const char *equals = strchr(argument, '=');
	_cleanup_free_ char *name = strdup(equals ? equals + 1 : argument);
	char *path = name + strcspn(name, ".-"), separator = *path;
	struct code_variable variable;
	struct location loc;
	struct fetch f = {.text = NULL};
	struct error *error;

	*path = '\0';
	error = variable_find(d->info, address, d->of, name, &variable);
	if (!error)
		error = variable_location(d->info, &variable, address, &loc);
	if (!error)
		error = fetch_base(name, &loc, &f.text, &f.memory, &f.offset);
	f.type = variable.type;
	*path = separator;
	if (!error)
		error = fetch_path(&f, path);
	if (!error && !type_suffix(f.type))
		error = error_create(EOPNOTSUPP, "%s is a structure or an array: name a member",
		                     argument);
	if (!error) {
		if (f.memory)
			wrap(&f.text, f.offset);
		strbuf_addf(out, " %.*s=%s:%s",
		            equals ? (int)(equals - argument) : (int)strcspn(argument, ".-"),
		            argument, f.text, type_suffix(f.type));
	}
	free(f.text);
	return error;
}

/* --- places ----------------------------------------------------------------------------------------------- */

static void add_event_name(struct definition *d, const struct place *place, struct strbuf *out)
{
	const char *base = d->ctx->request.program ? strrchr(d->ctx->request.program, '/') : NULL;

	if (d->ctx->request.program) {
		strbuf_adds(out, "probe_");
		for (base = base ? base + 1 : d->ctx->request.program; *base; base++)
			strbuf_addc(out, isalnum((unsigned char)*base) ? *base : '_');
		strbuf_addc(out, '/');
	} else {
		strbuf_adds(out, "probe/");
	}
	strbuf_adds(out, place->function ? place->function : "abs");
	if (d->q->lines == PLACE_LINES_RELATIVE && d->q->first == d->q->last)
		strbuf_addf(out, "_L%d", d->q->first);
	else if (d->q->lines != PLACE_LINES_NONE)
		strbuf_addf(out, "_L%d", place->line);
	if (d->places > 1)
		strbuf_addf(out, "_%zu", d->places - 1);
}

static struct error *add_event_place(struct definition *d, const struct place *place,
                                     struct strbuf *out)
{
	uint64_t offset;
	char *path;

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
	struct verdict verdict;
	struct strbuf line;
	struct error *error = judge(d, place, &verdict);

	if (error)
		return error;
	strbuf_init(&line);
	strbuf_adds(&line, "p:");
	add_event_name(d, place, &line);
	error = add_event_place(d, place, &line);
	for (size_t i = 0; i < d->argument_count && !error; i++)
		error = add_argument(d, place->address, d->arguments[i], &line);
	if (!error) {
		print_place(d, place, verdict);
		fprintf(d->ctx->request.out, "    %s\n", line.data);
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
		fprintf(d->ctx->request.out, "%s\n", d->error->message);
	error_destroy(d->error);
	d->error = error;
	return 0;
}

static int define_function(const struct code_function *fn, void *arg)
{
	struct definition *d = arg;
	uint64_t address = d->argument_count ? function_after_prologue(d->info, fn) : fn->address;
	struct place place;
	struct error *error = place_at(d->info, address, &place);

	if (error) {
		error_destroy(error);
		return 0;
	}
	d->of = fn;
	if (fn->kind == FUNCTION_INLINE) {
		place.function = fn->name;
		place.container = fn->container;
	}
	return define(&place, d);
}

static struct error *define_all(struct definition *d)
{
	struct error *error = probe_info(d->ctx, &d->info);
	bool has_dwarf;

	if (error)
		return error;
	has_dwarf = debuginfo_dwarf_path(d->info) != NULL;
	if (d->argument_count && !has_dwarf)
		return debuginfo_check_dwarf(d->info);
	if (d->q->function && d->q->lines == PLACE_LINES_NONE && !d->q->has_offset)
		error = functions_find(d->info, d->q,
		                       FUNCTIONS_BODIES | (has_dwarf ? FUNCTIONS_INLINES : 0),
		                       define_function, d);
	else
		error = places_find(d->info, d->q, define, d);
	if (!error && d->refused < d->places && d->error) { /* some can be probed: no failure */
		fprintf(d->ctx->request.out, "%s\n", d->error->message);
		error_destroy(d->error);
		d->error = NULL;
	}
	return error ? error : d->error;
}

struct error *probe_show_definition(struct probe_context *ctx, const char *what)
{
	_cleanup_free_ char *copy = strdup(what);
	char *save, *word = strtok_r(copy, " \t", &save), *arguments[64];
	struct definition d = {.ctx = ctx, .arguments = arguments};
	struct place_query q;
	struct error *error = place_query_parse_perf(word ? word : "", &q);

	if (error)
		return error;
	while ((word = strtok_r(NULL, " \t", &save)) && d.argument_count < 64)
		arguments[d.argument_count++] = word;
	d.q = &q;
	error = define_all(&d);
	place_query_deinit(&q);
	return error;
}
