/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/decode/zydis-rules.h - where the decoder and Zydis 4.0 may differ, and why.
 *
 * A rule covers a string that differs; it is asked for no other. It must name the instructions
 * exactly, so that a wrong line of a table cannot hide behind it. Included by compare-zydis.c only.
 */

struct rule {
	const char *name;
	bool (*covers)(const struct pair *p);
	unsigned long count;
};

/*
 * Instructions of the Xeon Phi coprocessor, which no kernel runs on: Zydis decodes what they left
 * free in the VEX space, and the EVEX encodings with bit 2 of P1 clear, which were theirs.
 */
static bool covers_knc(const struct pair *p)
{
	return p->valid && p->ours < 0 &&
	       (strstr(ZydisISASetGetString(p->zydis.meta.isa_set), "KNC") ||
		p->zydis.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX);
}

/* Opcodes that were defined after Zydis 4.0: first..last with a set of folded prefixes. */
static const struct newer {
	uint8_t map, first, last, prefixes;
} newer[] = {
	{ X86_MAP_1, 0xd6, 0xd6, 0x0f },    /* udb */
	{ X86_MAP_0F38, 0xfc, 0xfc, 0x0f }, /* RAO-INT */
	{ X86_MAP_V2, 0x50, 0x51, 0x0d },   /* AVX-VNNI-INT8 */
	{ X86_MAP_V2, 0x5c, 0x5c, 0x08 },   /* AMX-FP16 */
	{ X86_MAP_V2, 0x6c, 0x6c, 0x03 },   /* AMX-COMPLEX */
	{ X86_MAP_V2, 0x72, 0x72, 0x04 },   /* AVX-NE-CONVERT */
	{ X86_MAP_V2, 0xb0, 0xb0, 0x0f },
	{ X86_MAP_V2, 0xb1, 0xb1, 0x06 },
	{ X86_MAP_V2, 0xb4, 0xb5, 0x02 },   /* AVX-IFMA */
	{ X86_MAP_V2, 0xcb, 0xcd, 0x08 },   /* SHA512 */
	{ X86_MAP_V2, 0xd2, 0xd3, 0x07 },   /* AVX-VNNI-INT16 */
	{ X86_MAP_V2, 0xda, 0xda, 0x0f },   /* SM3, SM4 */
	{ X86_MAP_V2, 0xe0, 0xef, 0x02 },   /* CMPCCXADD */
	{ X86_MAP_V3, 0xde, 0xde, 0x02 },   /* SM3 */
};

static bool covers_newer(const struct pair *p)
{
	const struct x86_insn *i = &p->insn;
	unsigned n;

	if (p->valid || p->ours < 0)
		return false;
	for (n = 0; n < sizeof(newer) / sizeof(newer[0]); n++)
		if (i->map == newer[n].map && i->opcode >= newer[n].first &&
		    i->opcode <= newer[n].last &&
		    (i->encoding == X86_LEGACY || newer[n].prefixes >> i->vector_pp & 1))
			return true;
	if (i->map == X86_MAP_0F38 && i->opcode == 0xf8)
		return i->modrm >> 6 == 3; /* USER_MSR */
	if (i->map == X86_MAP_0F && i->opcode == 0x00)
		return (i->modrm >> 3 & 7) == 6; /* lkgs */
	if (i->map != X86_MAP_0F || i->opcode != 0x01)
		return false;
	/* wrmsrns, rdmsrlist, wrmsrlist; pbndkb; eretu, erets, of which clac lacks the prefix */
	return i->modrm == 0xc6 || i->modrm == 0xc7 ||
	       (i->modrm == 0xca && i->prefixes & (X86_PREFIX_REP | X86_PREFIX_REPNE));
}

/*
 * A SIB byte without base, with REX.B and 67: the manual gives it no base, as without 67; Zydis
 * says r13d.
 */
static bool covers_no_base(const struct pair *p)
{
	const struct x86_insn *i = &p->insn;

	return p->valid && p->ours == p->zydis.length && i->has_sib && (i->sib & 7) == 5 &&
	       i->modrm >> 6 == 0 && i->rex & X86_REX_B && i->prefixes & X86_PREFIX_ADDR32;
}

/*
 * The bounds instructions ignore 67 in 64-bit mode. The decoder does not make that distinction: an
 * operand at eip is never copied, whatever the instruction.
 */
static bool covers_mpx(const struct pair *p)
{
	const struct x86_insn *i = &p->insn;

	return p->valid && p->ours == p->zydis.length && i->map == X86_MAP_0F &&
	       (i->opcode == 0x1a || i->opcode == 0x1b) && i->base == X86_RIP &&
	       i->prefixes & X86_PREFIX_ADDR32 && i->copy == X86_COPY_CANNOT;
}

/*
 * Zydis files by instruction set: rsm with sysret, uiret with user interrupts, xend and xabort with
 * branches. The first two are returns for a probe, the others fall through.
 */
static bool covers_category(const struct pair *p)
{
	if (!p->valid || p->ours != p->zydis.length)
		return false;
	switch (p->zydis.mnemonic) {
	case ZYDIS_MNEMONIC_RSM:
	case ZYDIS_MNEMONIC_UIRET:
		return p->insn.kind == X86_IRET;
	case ZYDIS_MNEMONIC_XEND:
	case ZYDIS_MNEMONIC_XABORT:
		return p->insn.kind == X86_PLAIN;
	default:
		return false;
	}
}

static struct rule rules[] = {
	{ "knc", covers_knc, 0 },
	{ "newer", covers_newer, 0 },
	{ "no-base", covers_no_base, 0 },
	{ "mpx", covers_mpx, 0 },
	{ "category", covers_category, 0 },
	{ NULL, NULL, 0 },
};
