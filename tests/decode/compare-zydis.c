// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the decoder with Zydis on random byte strings:
 *
 *     compare-zydis COUNT SEED [SHOWN]
 *
 * Of four strings one is purely random; the others begin as instructions do, with prefixes, an
 * escape byte or a vector prefix, because random bytes alone seldom reach the larger tables. For
 * each string: defined or not, the length, the offsets of the parts, the target of a branch, the
 * address of a rip-relative operand, and the kind as far as Zydis has a category for it.
 *
 * The two disagree where processors do, or where one side is younger. Each such class is a rule in
 * the table below, with its own count; README.md explains them. A string that differs and that no
 * rule covers makes the exit status 1. The last line repeats the run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>

#include "engine/arch/x86/decode.h"

#define ADDRESS 0xffffffff81234567ull

static unsigned long differences, shown = 20;

/* --- random strings --- */

static uint64_t state;

/* xorshift64*: quick, and the same everywhere */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

static unsigned below(unsigned n)
{
	return (next_random() >> 32) % n;
}

static void put_prefixes(uint8_t **p)
{
	static const uint8_t prefixes[] = { 0x66, 0x66, 0x67, 0xf2, 0xf2, 0xf3, 0xf3, 0xf0, 0x2e,
					    0x3e, 0x26, 0x36, 0x64, 0x65, 0x48, 0x41, 0x4f };
	unsigned n = below(4);

	while (n--)
		*(*p)++ = prefixes[below(sizeof(prefixes))];
	if (below(3) == 0)
		*(*p)++ = 0x40 + below(16);
}

static void put_escape(uint8_t **p)
{
	static const char *const escapes[] = { "\x0f", "\x0f\x38", "\x0f\x3a", "\x0f\x01",
					       "\x0f\xae", "\x0f\xc7", "\x0f\x0f", "" };
	const char *e = escapes[below(8)];

	memcpy(*p, e, strlen(e));
	*p += strlen(e);
}

/* A vector prefix whose fixed bits are mostly right. */
static void put_vector(uint8_t **p)
{
	uint8_t r = next_random();

	switch (below(8)) {
	case 0:
		*(*p)++ = 0xc5;
		break;
	case 1:
		*(*p)++ = 0x8f;
		*(*p)++ = (r & 0xe0) | (8 + below(3));
		break;
	case 2:
	case 3:
		*(*p)++ = 0xc4;
		*(*p)++ = (r & 0xe0) | (1 + below(3));
		break;
	default:
		*(*p)++ = 0x62;
		*(*p)++ = (r & 0xf0) | (1 + below(6));
		*(*p)++ = (next_random() & 0xff) | 0x04 | (below(2) ? 0x78 : 0);
		r = next_random();
		*(*p)++ = r & (below(2) ? 0x6f : 0xff) & (below(2) ? 0xf8 : 0xff);
		return;
	}
	*(*p)++ = (next_random() & 0xff) | (below(2) ? 0x78 : 0);
}

static void fill(uint8_t bytes[16], unsigned n)
{
	uint64_t a = next_random(), b = next_random();
	uint8_t *p = bytes;

	memcpy(bytes, &a, 8);
	memcpy(bytes + 8, &b, 8);
	if (n % 4 == 1 || n % 4 == 2)
		put_prefixes(&p);
	if (n % 4 == 2)
		put_escape(&p);
	if (n % 4 == 3)
		put_vector(&p);
}

/* --- rules --- */

/* One string as both see it. */
struct pair {
	const uint8_t *bytes;
	int ours;
	struct x86_insn insn;
	bool valid;
	ZyanStatus status;
	ZydisDecodedInstruction zydis;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

#include "zydis-rules.h"

static void print_bytes(const struct pair *p)
{
	int i;

	for (i = 0; i < X86_INSN_MAX; i++)
		printf("%02x%s", p->bytes[i], i == 14 ? "" : " ");
}

static void differ(const struct pair *p, const char *what, int64_t ours, int64_t theirs)
{
	struct rule *rule;

	for (rule = rules; rule->name; rule++) {
		if (rule->covers(p)) {
			rule->count++;
			return;
		}
	}
	if (differences++ >= shown)
		return;
	print_bytes(p);
	printf("  %s %lx, Zydis %lx %s\n", what, (long)ours, (long)theirs,
	       p->valid ? ZydisMnemonicGetString(p->zydis.mnemonic) : "");
}

/* --- comparison --- */

static bool compare_parts(const struct pair *p, const char **what, int64_t *ours, int64_t *theirs)
{
	const struct x86_insn *i = &p->insn;
	const ZydisDecodedInstruction *z = &p->zydis;
	bool modrm = z->attributes & ZYDIS_ATTRIB_HAS_MODRM;
	unsigned imm = (z->raw.imm[0].size + z->raw.imm[1].size) / 8;

	*what = "ModRM offset", *ours = i->modrm_offset, *theirs = modrm ? z->raw.modrm.offset : 0;
	if (*ours != *theirs)
		return false;
	*what = "SIB offset", *ours = i->sib_offset, *theirs = i->has_sib ? z->raw.sib.offset : 0;
	if (*ours != *theirs)
		return false;
	if (i->map != X86_MAP_1 || i->opcode < 0xa0 || i->opcode > 0xa3) { /* moffs: an immediate */
		*what = "disp size", *ours = i->disp_size, *theirs = z->raw.disp.size / 8;
		if (*ours != *theirs)
			return false;
		*what = "disp offset", *ours = i->disp_offset, *theirs = z->raw.disp.offset;
		if (*ours != *theirs)
			return false;
		*what = "imm size", *ours = i->imm_size, *theirs = imm;
		if (*ours != *theirs)
			return false;
		*what = "imm offset", *ours = i->imm_offset;
		*theirs = imm ? z->raw.imm[0].offset : 0;
	}
	return *ours == *theirs;
}

static bool compare_addresses(const struct pair *p, const char **what, int64_t *ours,
			      int64_t *theirs)
{
	unsigned i;

	for (i = 0; i < p->zydis.operand_count_visible; i++) {
		const ZydisDecodedOperand *o = &p->operands[i];
		ZyanU64 address;

		*what = "branch target";
		*ours = x86_insn_target(&p->insn, ADDRESS);
		if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o->imm.is_relative) {
			ZydisCalcAbsoluteAddress(&p->zydis, o, ADDRESS, &address);
			*theirs = address;
			return *ours == *theirs;
		}
		*what = "rip-relative operand";
		*ours = x86_insn_operand(&p->insn, ADDRESS);
		if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP)) {
			ZydisCalcAbsoluteAddress(&p->zydis, o, ADDRESS, &address);
			*theirs = address;
			return *ours == *theirs;
		}
	}
	*theirs = 0, *ours = x86_insn_target(&p->insn, ADDRESS);
	return *ours == 0;
}

static int zydis_register(ZydisRegister r)
{
	if (r == ZYDIS_REGISTER_NONE)
		return X86_NO_REGISTER;
	if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
		return X86_RIP;
	return ZydisRegisterGetId(r);
}

/* Base and index of the operand that ModRM names. */
static bool compare_registers(const struct pair *p, const char **what, int64_t *ours,
			      int64_t *theirs)
{
	unsigned i;

	if (!p->insn.has_modrm || p->insn.modrm >> 6 == 3)
		return true;
	for (i = 0; i < p->zydis.operand_count; i++) {
		const ZydisDecodedOperand *o = &p->operands[i];

		if (o->type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    o->encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
			continue;
		*what = "base", *ours = p->insn.base, *theirs = zydis_register(o->mem.base);
		if (*ours != *theirs)
			return false;
		if (p->insn.flags & X86_INSN_VSIB)
			return true;
		*what = "index", *ours = p->insn.index, *theirs = zydis_register(o->mem.index);
		return *ours == *theirs;
	}
	return true;
}

static int category_of(enum x86_kind kind)
{
	switch (kind) {
	case X86_JCC:
	case X86_LOOP:
	case X86_XBEGIN:
		return ZYDIS_CATEGORY_COND_BR;
	case X86_JMP:
	case X86_JMP_INDIRECT:
	case X86_JMP_FAR:
		return ZYDIS_CATEGORY_UNCOND_BR;
	case X86_CALL:
	case X86_CALL_INDIRECT:
	case X86_CALL_FAR:
		return ZYDIS_CATEGORY_CALL;
	case X86_RET:
	case X86_RET_FAR:
	case X86_IRET:
		return ZYDIS_CATEGORY_RET;
	default:
		return 0;
	}
}

static bool compare_kind(const struct pair *p, const char **what, int64_t *ours, int64_t *theirs)
{
	int category = p->zydis.meta.category;

	*what = "category", *ours = category_of(p->insn.kind), *theirs = category;
	if (category == ZYDIS_CATEGORY_COND_BR || category == ZYDIS_CATEGORY_UNCOND_BR ||
	    category == ZYDIS_CATEGORY_CALL || category == ZYDIS_CATEGORY_RET || *ours)
		return *ours == *theirs;
	return true;
}

static void compare(struct pair *p, const ZydisDecoder *decoder)
{
	const char *what;
	int64_t ours, theirs;

	p->ours = x86_decode(p->bytes, X86_INSN_MAX, &p->insn);
	p->status = ZydisDecoderDecodeFull(decoder, p->bytes, X86_INSN_MAX, &p->zydis, p->operands);
	p->valid = ZYAN_SUCCESS(p->status);
	if ((p->ours > 0) != p->valid)
		differ(p, "defined", p->ours, p->valid ? p->zydis.length : 0);
	else if (p->valid && p->ours != p->zydis.length)
		differ(p, "length", p->ours, p->zydis.length);
	else if (p->valid && (!compare_parts(p, &what, &ours, &theirs) ||
			      !compare_addresses(p, &what, &ours, &theirs) ||
			      !compare_registers(p, &what, &ours, &theirs) ||
			      !compare_kind(p, &what, &ours, &theirs)))
		differ(p, what, ours, theirs);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000, i, defined = 0;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	ZydisDecoder decoder;
	struct rule *rule;

	if (argc > 3)
		shown = strtoul(argv[3], NULL, 0);
	state = seed * 2 + 1;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (i = 0; i < count; i++) {
		uint8_t bytes[16];
		struct pair p = { .bytes = bytes };

		fill(bytes, i);
		compare(&p, &decoder);
		defined += p.ours > 0;
	}
	for (rule = rules; rule->name; rule++)
		printf("  rule %-12s %lu\n", rule->name, rule->count);
	printf("%lu strings, %lu defined, %lu differences; again with: compare-zydis %lu %lu\n", count,
	       defined, differences, count, seed);
	return differences || !defined;
}
