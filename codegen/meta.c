// SPDX-License-Identifier: GPL-2.0-only
/* The section .spile.meta, laid out as README.md says, written as assembler strings. */
#include <string.h>

#include "codegen/codegen_private.h"

static void add_field(struct strbuf *line, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char ch = text[i];

		if (ch == '\\' || ch == '\t' || ch == '\n' || !ch)
			strbuf_addf(line, "\\%c",
			            ch == '\t'   ? 't'
			            : ch == '\n' ? 'n'
			            : ch         ? ch
			                         : '0');
		else
			strbuf_addc(line, ch);
	}
}

static void add_fields(struct strbuf *line, const char *const *fields)
{
	for (size_t i = 0; fields[i]; i++) {
		if (i)
			strbuf_addc(line, '\t');
		add_field(line, fields[i], strlen(fields[i]));
	}
	strbuf_addc(line, '\n');
}

/* A line of the section inside an assembler string inside a C string. */
static void add_line(struct gen *g, struct strbuf *out, const char *const *fields)
{
	struct strbuf line;
	const char *literal;

	strbuf_init(&line);
	add_fields(&line, fields);
	literal = gen_literal(g, line.data, line.len);
	strbuf_addf(out, "\t\".ascii %s\\n\"\n",
	            gen_text(g, "%.*s", (int)strlen(gen_literal(g, literal, strlen(literal))) - 2,
	                     gen_literal(g, literal, strlen(literal)) + 1));
	strbuf_deinit(&line);
}

#define ADD_LINE(g, out, ...) add_line((g), (out), (const char *const[]){__VA_ARGS__, NULL})

static const char *source_text(struct gen *g, const struct token *tok)
{
	return tok ? gen_text(g, "%s:%u:%u", tok->source->name, tok->line, tok->column) : "";
}

void gen_meta(struct gen *g, struct strbuf *out)
{
	strbuf_adds(out, "__asm__(\".pushsection .spile.meta,\\\"\\\",@progbits\\n\"\n");
	ADD_LINE(g, out, "spile-meta 1");
	strbuf_adds(out, "\t\".ascii \\\"name\\\\t\" SPILE_SCRIPT_NAME \"\\\\n\\\"\\n\"\n");
	ADD_LINE(g, out, "kernel", g->options->kernel_identity);
	ADD_LINE(g, out, "release", g->options->release);
	strbuf_adds(out, "\t\".ascii \\\"abi\\\\t\" TEXT_OF(SPL_ABI) \"\\\\n\\\"\\n\"\n");
	for (size_t i = 0; i < g->formats.count; i++)
		ADD_LINE(g, out, "format", g->formats.items[i].types, g->formats.items[i].text);
	for (size_t i = 0; i < g->program->probes.count; i++) {
		const struct planted_probe *probe = g->program->probes.items[i];

		ADD_LINE(g, out, "probe", probe->kind + strlen("SPL_PROBE_"),
		         probe->symbol ? probe->symbol : "", probe->pp, source_text(g, probe->tok));
	}
	ADD_LINE(g, out, "end");
	strbuf_adds(out, "\t\".popsection\\n\");\n");
}
