// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/disasm.c - a function's instructions: the source line above the first of each, and for each
 * what planting a probe there would take. Capstone has the words; lengths are our decoder's, which
 * is the one that probes rely on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "engine/arch/x86/decode.h"
#include "probe/probe.h"
#include "probe/words.h"

struct listing {
	struct probe_context *ctx;
	struct debuginfo *info;
	struct function_text *text;
	struct words *words;
	struct source source; /* of the last line shown */
	const char *file;
	int line;
	const char *function;
	struct error *error;
	uint64_t start; /* of the function */
	size_t refused, total;
};

/* --- one instruction -------------------------------------------------------------------------------- */

/* Tells where a branch or a rip-relative operand leads. */
static void print_target(struct listing *l, const struct x86_insn *insn, uint64_t address)
{
	uint64_t target = x86_insn_target(insn, address);
	const struct elf_symbol *sym;

	if (debuginfo_is_relocatable(l->info))
		return;
	target = target ? target : x86_insn_operand(insn, address);
	sym = target ? debuginfo_symbol_at(l->info, target) : NULL;
	if (!sym)
		return;
	fprintf(l->ctx->request.out, "  <%s", sym->name);
	if (target != sym->address)
		fprintf(l->ctx->request.out, "+0x%llx", (unsigned long long)(target - sym->address));
	fprintf(l->ctx->request.out, ">");
}

/* The judgement is made once a line: it reads the whole function. */
static void print_instruction(struct listing *l, const struct x86_insn *insn, const uint8_t *bytes,
                              uint64_t address)
{
	struct verdict verdict = function_text_judge(l->text, address);
	FILE *out = l->ctx->request.out;
	char words[192];

	words_of(l->words, bytes, insn->length, address, words, sizeof(words));
	fprintf(out, "  +0x%-5llx %-10s %s", (unsigned long long)(address - l->start),
	        verdict.planter ? verdict.planter : "-", words);
	print_target(l, insn, address);
	if (verdict.reason)
		fprintf(out, "  ; %s%s", verdict.planter ? "no jump: " : "cannot be probed: ",
		        verdict.reason);
	fprintf(out, "\n");
	l->total++;
	l->refused += !verdict.planter;
}

/* --- the source between ------------------------------------------------------------------------------ */

static void print_source(struct listing *l, uint64_t address)
{
	FILE *out = l->ctx->request.out;
	struct place place;
	struct error *error = place_at(l->info, address, &place);

	if (error || !place.file || !place.line) {
		error_destroy(error);
		return;
	}
	if (place.file == l->file && place.line == l->line && place.function == l->function)
		return;
	if (place.file != l->file) {
		source_deinit(&l->source);
		source_init(l->ctx, place.file, &l->source);
	}
	l->file = place.file;
	l->line = place.line;
	l->function = place.function;
	fprintf(out, "%s:%d:", place.file, place.line);
	if (place.container)
		fprintf(out, " (%s, inlined)", place.function);
	fprintf(out, " %s\n", source_line(&l->source, place.line));
}

/* --- the function ------------------------------------------------------------------------------------- */

static void print_instructions(struct listing *l, const struct elf_symbol *sym)
{
	uint64_t address = sym->address, end = sym->address + sym->size;
	FILE *out = l->ctx->request.out;

	while (address < end) {
		uint8_t bytes[X86_INSN_MAX];
		size_t have = debuginfo_read(l->info, address, bytes, sizeof(bytes));
		struct x86_insn insn;
		int length = have ? x86_decode(bytes, have, &insn) : -1;

		if (length < 0) {
			fprintf(out, "  +0x%-5llx no instruction from here on\n",
			        (unsigned long long)(address - sym->address));
			return;
		}
		print_source(l, address);
		print_instruction(l, &insn, bytes, address);
		address += length;
	}
}

static int disassemble(const struct code_function *fn, void *arg)
{
	struct listing *l = arg;
	const struct elf_symbol *sym = debuginfo_symbol_at(l->info, fn->address);
	FILE *out = l->ctx->request.out;

	if (!sym || sym->address != fn->address) {
		l->error = error_create(ENOENT, "no symbol stands where %s begins", fn->name);
		return 1;
	}
	l->error = function_text_create(l->ctx, sym, &l->text);
	if (l->error)
		return 1;
	fprintf(out, "%s: %llu bytes at 0x%llx", sym->name, (unsigned long long)sym->size,
	        (unsigned long long)sym->address);
	if (fn->file)
		fprintf(out, ", %s:%d", fn->file, fn->line);
	fprintf(out, "%s\n", l->ctx->kernel ? " (native: the kernel's kprobe, a jump unless said)"
	                                    : "");
	l->refused = l->total = 0;
	l->start = sym->address;
	print_instructions(l, sym);
	fprintf(out, "%zu instructions, %zu cannot be probed\n\n", l->total, l->refused);
	function_text_destroy(l->text);
	return 0;
}

struct error *probe_disassemble(struct probe_context *ctx, const char *what)
{
	struct listing l = {.ctx = ctx};
	struct place_query q;
	struct error *error = place_query_parse(what, &q);

	if (error)
		return error;
	if (!q.function || q.lines != PLACE_LINES_NONE || q.has_offset)
		error = error_create(EINVAL, "--disasm takes a function: name or name@file");
	if (!error)
		error = probe_info(ctx, &l.info);
	if (!error && !(l.words = words_create()))
		error = error_create(ENOENT,
		                     "Capstone (%s), which writes the instructions, cannot be "
		                     "loaded: install it (Debian: libcapstone4)",
		                     words_library());
	if (!error)
		error = functions_find(l.info, &q, FUNCTIONS_BODIES, disassemble, &l);
	words_destroy(l.words);
	source_deinit(&l.source);
	place_query_deinit(&q);
	return error ? error : l.error;
}
