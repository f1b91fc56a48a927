// SPDX-License-Identifier: GPL-2.0-only
/*
 * The print family. Every statement becomes a number of the script's format table and raw
 * arguments; what is constant in it (texts, delimiters, literal strings) goes into the format.
 */
#include "codegen/codegen_private.h"

#include <string.h>

struct layout {
	struct gen *g;
	struct strbuf text, types;
	struct {
		ARENA_LIST(struct expr *);
	} args;
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

static void add_size(struct layout *l, const struct format_part *part, struct expr *const *args,
                     size_t *next)
{
	if (part->dynamic_width) {
		strbuf_addc(&l->text, '*');
		add_arg(l, args[(*next)++]);
	} else if (part->width >= 0) {
		strbuf_addf(&l->text, "%d", part->width);
	}
	if (part->dynamic_precision) {
		strbuf_adds(&l->text, ".*");
		add_arg(l, args[(*next)++]);
	} else if (part->precision >= 0) {
		strbuf_addf(&l->text, ".%d", part->precision);
	}
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

static struct operand gen_record(struct gen *g, const struct print *print, struct layout *l)
{
	struct operand *ops = arena_alloc(&g->arena, (l->args.count + 1) * sizeof(*ops));
	struct operand slot = operand_of("0", true);
	const char *values;
	size_t format =
	    gen_format(g, l->text.data ? l->text.data : "", l->types.data ? l->types.data : "");

	gen_list(g, l->args.items, l->args.count, ops);
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
