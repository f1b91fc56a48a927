// SPDX-License-Identifier: GPL-2.0-only
/* The tables of regular expressions, as runtime/script.h describes them. */
#include "codegen/codegen_private.h"

static void add_numbers(struct strbuf *out, const char *what, size_t number, const char *type,
                        const void *data, size_t width, size_t count)
{
	strbuf_addf(out, "static const %s r_%zu_%s[] = {", type, number, what);
	for (size_t i = 0; i < count; i++) {
		if (i % 24 == 0)
			strbuf_adds(out, "\n\t");
		strbuf_addf(out, "%u,",
		            width == 1 ? ((const uint8_t *)data)[i] : ((const uint16_t *)data)[i]);
	}
	strbuf_adds(out, "\n};\n");
}

static const char *const codes[] = {
    [REGEX_CHAR] = "CHAR",   [REGEX_SET] = "SET",   [REGEX_ANY] = "ANY",
    [REGEX_SPLIT] = "SPLIT", [REGEX_JUMP] = "JUMP", [REGEX_SAVE] = "SAVE",
    [REGEX_BEGIN] = "BEGIN", [REGEX_END] = "END",   [REGEX_MATCH] = "MATCH",
};

static void add_program(struct strbuf *out, const struct regex *regex, size_t number)
{
	strbuf_addf(out, "static const struct spl_regex_op r_%zu_ops[] = {\n", number);
	for (size_t i = 0; i < regex->tables.nops; i++)
		strbuf_addf(out, "\t{ SPL_RE_%s, 0, %d, %d },\n", codes[regex->tables.ops[i].code],
		            regex->tables.ops[i].a, regex->tables.ops[i].b);
	strbuf_adds(out, "};\n");
	strbuf_addf(out, "static const spl_u8 r_%zu_sets[][32] = {\n", number);
	for (size_t i = 0; i < regex->nsets; i++) {
		strbuf_adds(out, "\t{ ");
		for (size_t j = 0; j < 32; j++)
			strbuf_addf(out, "%u,", regex->tables.sets[i][j]);
		strbuf_adds(out, " },\n");
	}
	strbuf_adds(out, "\t{ 0 },\n};\n");
}

static void add_regex(struct strbuf *out, const struct regex *regex, size_t number)
{
	const struct regex_tables *tables = &regex->tables;
	size_t cells = regex->nstates * regex->nclasses;

	add_program(out, regex, number);
	if (regex->nstates) {
		add_numbers(out, "classes", number, "spl_u8", tables->classes, 1, 256);
		add_numbers(out, "next", number, "spl_u16", tables->next, 2, cells);
		add_numbers(out, "final", number, "spl_u8", tables->final, 1, regex->nstates);
	}
	strbuf_addf(out, "static const struct spl_regex r_%zu = {\n", number);
	strbuf_addf(out, "\t.ops = r_%zu_ops, .nops = %zu, .groups = %zu, .sets = r_%zu_sets,\n", number,
	            tables->nops, tables->groups, number);
	if (regex->nstates)
		strbuf_addf(out,
		            "\t.classes = r_%zu_classes, .nclasses = %zu, .next = r_%zu_next, "
		            ".final = r_%zu_final,\n",
		            number, tables->nclasses, number, number);
	strbuf_adds(out, "};\n");
}

void gen_regexes(const struct gen *g, struct strbuf *out)
{
	for (size_t i = 0; i < g->program->regexes.count; i++)
		add_regex(out, g->program->regexes.items[i], i);
}

const char *gen_regex_frame(struct gen *g)
{
	size_t nops = 0, groups = 0;

	for (size_t i = 0; i < g->program->regexes.count; i++) {
		const struct regex *regex = g->program->regexes.items[i];

		if (!g->program->captures && regex->nstates)
			continue;
		nops = regex->tables.nops > nops ? regex->tables.nops : nops;
		groups = regex->tables.groups > groups ? regex->tables.groups : groups;
	}
	return nops ? gen_text(g, " + SPL_REGEX_FRAME(%zu, %zu)", nops, groups) : "";
}
