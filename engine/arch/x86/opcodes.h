/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/opcodes.h - the opcode tables as the decoder sees them.
 *
 * Private to the decoder. One row is one line of opcodes*.def, where the columns are explained.
 */
#ifndef SPILE_ENGINE_ARCH_X86_OPCODES_H
#define SPILE_ENGINE_ARCH_X86_OPCODES_H

#include "engine/arch/x86/decode.h"

/* Sets of mandatory prefixes, by x86_insn.vector_pp. */
#define PREFIX_SET_ALL 0x0f
#define PREFIX_SET_ANY 0x1f /* all, because the opcode ignores them */

enum immediate {
	IMM_NONE, IMM_8, IMM_16, IMM_32,
	IMM_Z,    /* 32 bits, 16 with an operand-size prefix */
	IMM_V,    /* 64 bits with REX.W, else as Z */
	IMM_16_8, /* enter */
	IMM_8_8,  /* extrq insertq */
	IMM_ADDR, /* 64 bits, 32 with an address-size prefix */
	IMM_REL8, IMM_REL32,
	IMM_RELZ, /* xbegin alone honours the operand-size prefix */
};

enum row_flag {
	ROW_MODRM = 1 << 0,
	ROW_MEM = 1 << 1,      /* ModRM may name memory */
	ROW_REG = 1 << 2,      /* ModRM may name a register */
	ROW_CONTROL = 1 << 3,  /* ModRM names registers whatever its mod bits say */
	ROW_ALT = 1 << 4,      /* belongs to the same opcode as the row before */
	ROW_LOCK = 1 << 5,
	ROW_IMPLIED = 1 << 6,  /* accesses memory that ModRM does not name */
	ROW_FAULTS = 1 << 7,
	ROW_NO_ACCESS = 1 << 8, /* the memory operand is an address only */
	ROW_CR = 1 << 9,
	ROW_DR = 1 << 10,
	ROW_BND = 1 << 11,     /* ModRM.reg is one of four bounds registers */
	ROW_BND_RM = 1 << 12,  /* ModRM.rm too */
	ROW_NO_V = 1 << 13,    /* vvvv must be 1111 */
	ROW_VSIB = 1 << 14,
	ROW_GATHER = 1 << 15,  /* result, index and mask must differ */
	ROW_MASK_REG = 1 << 16,
	ROW_MASK_V = 1 << 17,
	ROW_TILE = 1 << 18,    /* three different matrix registers */
	ROW_TILE_REG = 1 << 19,
	ROW_SIB = 1 << 20,
	ROW_BROADCAST = 1 << 21,
	ROW_ROUNDING = 1 << 22,
	ROW_SILENCE = 1 << 23,
	ROW_MASKED = 1 << 24,
	ROW_ZEROING = 1 << 25,
	ROW_MASK_MUST = 1 << 26,
	ROW_DISTINCT = 1 << 27, /* the result must not be a source */
	ROW_GENERAL_REG = 1 << 28, /* EVEX: ModRM.reg is one of 16 general registers */
	ROW_NO_RIP = 1 << 29,   /* the memory operand must not be rip-relative */
};

struct opcode_row {
	uint32_t flags;     /* enum row_flag */
	uint8_t prefixes;   /* set of vector_pp */
	uint8_t w;          /* set of W values */
	uint8_t l;          /* set of vector lengths */
	uint8_t reg;        /* set of ModRM.reg */
	uint8_t rm;         /* set of ModRM.rm */
	uint8_t immediate;  /* enum immediate */
	uint8_t kind;       /* enum x86_kind */
};

/** The first row of an opcode, or NULL; the further ones follow while they carry ROW_ALT. */
const struct opcode_row *opcode_rows(enum x86_map map, uint8_t opcode);

/** Fills kind, copy and flags of an instruction whose parts are known. */
void x86_classify(struct x86_insn *insn, const struct opcode_row *row);

#endif
