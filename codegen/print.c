// SPDX-License-Identifier: GPL-2.0-only
/*
 * The print family. Every statement becomes a number of the script's format table and raw
 * arguments; what is constant in it (texts, delimiters, literal strings) goes into the format.
 */
#include "codegen/codegen_private.h"

#include <string.h>

/* A piece of memory to be printed: arguments of the layout are its address and its size. */
struct memory {
	size_t address, size;
	int constant_size; /* when there is no such argument: -1: one byte */
	bool has_size, from_user;
	const struct token *tok;
};

struct layout {
	struct gen *g;
	struct strbuf text, types;
	struct {
		ARENA_LIST(struct expr *);
	} args;
	struct {
		ARENA_LIST(struct memory);
	} memory;
};

static void add_plain(struct layout *l, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		strbuf_addc(&l->text, text[i]);
		if (text[i] == '%')
			strbuf_addc(&l->text, '%');
	}
}

static void add_arg(struct layout *l, struct expr *arg)
{
	strbuf_addc(&l->types, arg->type == TYPE_STRING ? 's' : 'n');
	ARENA_APPEND(&l->g->arena, &l->args, arg);
}

/* --- printf: the parts in order, spelled in one way ------------------------------------------- */

static bool is_memory(const struct format_part *part)
{
	return part->conversion == 'm' || part->conversion == 'M';
}

static void add_size(struct layout *l, const struct format_part *part, struct expr *const *args,
                     size_t *next)
{
	if (part->dynamic_width) {
		strbuf_addc(&l->text, '*');
		add_arg(l, args[(*next)++]);
	} else if (part->width >= 0) {
		strbuf_addf(&l->text, "%d", part->width);
	}
	if (is_memory(part))
		return; /* its precision is how much is read */
	if (part->dynamic_precision) {
		strbuf_adds(&l->text, ".*");
		add_arg(l, args[(*next)++]);
	} else if (part->precision >= 0) {
		strbuf_addf(&l->text, ".%d", part->precision);
	}
}

/* The size is an argument for the handler only: it has no letter, and gen_memory() takes it out. */
static void add_memory(struct layout *l, const struct format_part *part, struct expr *const *args,
                       size_t *next)
{
	struct memory memory = {.constant_size = part->precision,
	                        .has_size = part->dynamic_precision,
	                        .from_user = part->flags & FORMAT_ALT};

	if (memory.has_size) {
		memory.size = l->args.count;
		ARENA_APPEND(&l->g->arena, &l->args, args[(*next)++]);
	}
	memory.address = l->args.count;
	memory.tok = args[*next]->tok;
	ARENA_APPEND(&l->g->arena, &l->memory, memory);
	strbuf_addc(&l->types, 'm');
	ARENA_APPEND(&l->g->arena, &l->args, args[(*next)++]);
}

static void add_conversion(struct layout *l, const struct format_part *part,
                           struct expr *const *args, size_t *next)
{
	static const struct {
		uint8_t flag;
		char letter;
	} flags[] = {{FORMAT_LEFT, '-'},
	             {FORMAT_PLUS, '+'},
	             {FORMAT_SPACE, ' '},
	             {FORMAT_ALT, '#'},
	             {FORMAT_ZERO, '0'}};

	strbuf_addc(&l->text, '%');
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (part->flags & flags[i].flag)
			strbuf_addc(&l->text, flags[i].letter);
	add_size(l, part, args, next);
	strbuf_addc(&l->text, part->conversion);
	if (is_memory(part))
		add_memory(l, part, args, next);
	else
		add_arg(l, args[(*next)++]);
}

static void lay_out_format(struct layout *l, const struct print *print)
{
	size_t next = 0;

	for (size_t i = 0; i < print->parts.count; i++) {
		const struct format_part *part = &print->parts.items[i];

		if (part->conversion)
			add_conversion(l, part, print->args.items, &next);
		else
			add_plain(l, part->text, part->text_len);
	}
}

/* --- print, println, printd, printdln --------------------------------------------------------- */

static void lay_out_values(struct layout *l, const struct print *print)
{
	for (size_t i = 0; i < print->args.count; i++) {
		struct expr *arg = print->args.items[i];

		if (i && print->has_delimiter)
			add_plain(l, print->delimiter, print->delimiter_len);
		if (arg->kind == EXPR_STRING) {
			add_plain(l, arg->string.data, arg->string.len);
		} else {
			strbuf_adds(&l->text, arg->type == TYPE_STRING ? "%s" : "%d");
			add_arg(l, arg);
		}
	}
}

/* --- both ------------------------------------------------------------------------------------- */

size_t gen_format(struct gen *g, const char *text, const char *types)
{
	struct gen_format format = {arena_strdup(&g->arena, text), arena_strdup(&g->arena, types)};

	for (size_t i = 0; i < g->formats.count; i++)
		if (!strcmp(g->formats.items[i].text, text) &&
		    !strcmp(g->formats.items[i].types, types))
			return i;
	ARENA_APPEND(&g->arena, &g->formats, format);
	return g->formats.count - 1;
}

/* Reads the memory that is to be printed into slots; takes the sizes out of the arguments. */
static void gen_memory(struct layout *l, struct operand *ops)
{
	struct gen *g = l->g;
	size_t kept = 0;

	for (size_t i = 0; i < l->memory.count; i++) {
		const struct memory *m = &l->memory.items[i];
		const char *size = m->has_size ? ops[m->size].text
		                   : gen_text(g, "%d", m->constant_size < 0 ? 1 : m->constant_size);

		ops[m->address] = gen_temp(
		    g, gen_text(g, "spl_load_bytes(c, %s, SIZE, (spl_u64)%s, %s, %d, %s)",
		                gen_slot(g).text, ops[m->address].text, size, m->from_user,
		                gen_place(g, m->tok)),
		    true);
		if (m->has_size)
			l->args.items[m->size] = NULL;
	}
	for (size_t i = 0; i < l->args.count; i++) {
		if (!l->args.items[i])
			continue;
		l->args.items[kept] = l->args.items[i];
		ops[kept++] = ops[i];
	}
	l->args.count = kept;
}

static struct operand gen_record(struct gen *g, const struct print *print, struct layout *l)
{
	struct operand *ops = arena_alloc(&g->arena, (l->args.count + 1) * sizeof(*ops));
	struct operand slot = operand_of("0", true);
	const char *values;
	size_t format =
	    gen_format(g, l->text.data ? l->text.data : "", l->types.data ? l->types.data : "");

	gen_list(g, l->args.items, l->args.count, ops);
	gen_memory(l, ops);
	values = gen_values(g, l->args.items, ops, l->args.count);
	if (!print->to_string) {
		gen_line(g, "spl_print(c, %zu, %s);", format, values);
		return slot;
	}
	slot = gen_slot(g);
	gen_line(g, "spl_sprint(c, %s, SIZE, %zu, %s);", slot.text, format, values);
	return slot;
}

struct operand gen_print(struct gen *g, struct expr *e)
{
	struct layout layout = {.g = g};
	struct operand result;

	/* it ends with a blank line in any case: println adds nothing */
	if (print_histogram(e->print))
		return gen_histogram(g, e->print,
		                     e->print->to_string ? 0 : gen_format(g, "%H", "h"));
	strbuf_init(&layout.text);
	strbuf_init(&layout.types);
	if (e->print->has_format)
		lay_out_format(&layout, e->print);
	else
		lay_out_values(&layout, e->print);
	if (e->print->newline)
		strbuf_addc(&layout.text, '\n');
	result = gen_record(g, e->print, &layout);
	strbuf_deinit(&layout.text);
	strbuf_deinit(&layout.types);
	return result;
}
