// SPDX-License-Identifier: GPL-2.0-only
/*
 * -t: how long each probe took. Handlers get a wrapper that reads the cycle counter before and
 * after; the last end probe, which pass 2 adds (resolve_autoprint.c), prints the table.
 */
#include "codegen/codegen_private.h"

#include <string.h>

static const char recorder[] =
	"static struct timing { spl_u64 hits, total, min, max; } timing[TIMINGS];\n"
	"static void timing_report(struct spl_ctx *c);\n"
	"/* Probes of other CPUs note theirs at the same time; min 0 is none yet. */\n"
	"static void timing_note(struct timing *t, spl_u64 cycles)\n"
	"{\n"
	"\tspl_u64 old = __atomic_load_n(&t->min, __ATOMIC_RELAXED);\n"
	"\n"
	"\t__atomic_fetch_add(&t->hits, 1, __ATOMIC_RELAXED);\n"
	"\t__atomic_fetch_add(&t->total, cycles, __ATOMIC_RELAXED);\n"
	"\twhile ((!old || cycles < old) && !__atomic_compare_exchange_n(&t->min, &old, cycles, 0,\n"
	"\t\t__ATOMIC_RELAXED, __ATOMIC_RELAXED))\n"
	"\t\t;\n"
	"\told = __atomic_load_n(&t->max, __ATOMIC_RELAXED);\n"
	"\twhile (cycles > old && !__atomic_compare_exchange_n(&t->max, &old, cycles, 0,\n"
	"\t\t__ATOMIC_RELAXED, __ATOMIC_RELAXED))\n"
	"\t\t;\n"
	"}\n";

void gen_timing_recorder(struct gen *g)
{
	strbuf_addf(g->out, "#define TIMINGS %zu\n", g->program->probes.count);
	strbuf_adds(g->out, recorder);
}

void gen_timing_handler(struct gen *g, size_t handler)
{
	strbuf_addf(g->out,
	            "static void timed_%zu(struct spl_ctx *c)\n{\n"
	            "\tspl_u64 start = (spl_u64)spl_fn_get_cycles(c);\n\n"
	            "\tprobe_%zu(c);\n"
	            "\ttiming_note(&timing[c->probe->index], (spl_u64)spl_fn_get_cycles(c) - start);\n"
	            "}\n",
	            handler, handler);
}

static const char *place_of(struct gen *g, const struct token *tok)
{
	const char *text = gen_text(g, "%s:%u:%u", tok->source->name, tok->line, tok->column);

	return gen_literal(g, text, strlen(text));
}

/* The probes are the program's in order; those that were never hit are left out. */
void gen_timing_report(struct gen *g)
{
	strbuf_adds(g->out, "static const char *const timing_places[][2] = {\n");
	for (size_t i = 0; i < g->program->probes.count; i++) {
		const struct planted_probe *probe = g->program->probes.items[i];
		const char *origin = probe->origin ? probe->origin : probe->pp;

		strbuf_addf(g->out, "\t{ %s, %s },\n", place_of(g, probe->tok),
		            gen_literal(g, origin, strlen(origin)));
	}
	strbuf_adds(g->out,
	            "};\n"
	            "static void timing_report(struct spl_ctx *c)\n{\n"
	            "\tspl_c_print(c, PRINT_FORMAT, \"----- probe hit report: \\n\");\n"
	            "\tfor (int i = 0; i < TIMINGS; i++)\n"
	            "\t\tif (timing[i].hits)\n"
	            "\t\t\tspl_c_print(c, PRINT_FORMAT, \"%s, (%s), hits: %llu, cycles: %llumin/%lluavg\"\n"
	            "\t\t\t\t\"/%llumax, from: %s, index: %d\\n\", probes[i].pp, timing_places[i][0],\n"
	            "\t\t\t\t(unsigned long long)timing[i].hits,\n"
	            "\t\t\t\t(unsigned long long)timing[i].min,\n"
	            "\t\t\t\t(unsigned long long)(timing[i].total / timing[i].hits),\n"
	            "\t\t\t\t(unsigned long long)timing[i].max, timing_places[i][1], i);\n"
	            "}\n");
}
