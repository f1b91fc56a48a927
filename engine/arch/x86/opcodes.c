// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns opcodes*.def into two arrays at compile time: the rows in order, and for every opcode of
 * every map the number of its first row. The row numbers come from an enumeration that is made from
 * the same lines, so no program has to run during the build and no line must know its place.
 */
#include "engine/arch/x86/opcodes.h"

/* Columns, as opcodes.def explains them. */
#define N 1
#define S 2
#define Z 4
#define Y 8
#define ANY PREFIX_SET_ANY

/* The operand column is a triple: flags, set of ModRM.reg, set of ModRM.rm. */
#define FLAGS_OF(flags, regs, rms) (flags)
#define REGS_OF(flags, regs, rms) (regs)
#define RMS_OF(flags, regs, rms) (rms)
#define NONE (0, 0xff, 0xff)
#define E Er(0xff)
#define M Mr(0xff)
#define U Ur(0xff)
#define C (ROW_MODRM | ROW_REG | ROW_CONTROL, 0xff, 0xff)
#define Er(regs) (ROW_MODRM | ROW_MEM | ROW_REG, regs, 0xff)
#define Mr(regs) (ROW_MODRM | ROW_MEM, regs, 0xff)
#define Ur(regs) (ROW_MODRM | ROW_REG, regs, 0xff)
#define Urm(regs, rms) (ROW_MODRM | ROW_REG, regs, rms)

#define IB IMM_8
#define IW IMM_16
#define ID IMM_32
#define IZ IMM_Z
#define IV IMM_V
#define IWB IMM_16_8
#define IBB IMM_8_8
#define IO IMM_ADDR
#define JB IMM_REL8
#define JZ IMM_REL32
#define JX IMM_RELZ

#define LK ROW_LOCK
#define MI ROW_IMPLIED
#define FT ROW_FAULTS
#define NA ROW_NO_ACCESS
#define CR ROW_CR
#define DR ROW_DR
#define MPX ROW_BND
#define MPX2 ROW_BND_RM
#define NR ROW_NO_RIP

#define W0 1
#define W1 2
#define WX 3
#define L0 1
#define L1 2
#define L2 4
#define LX 3
#define LH 6
#define LV 7
#define LS 7

#define V0 ROW_NO_V
#define VS ROW_VSIB
#define GA ROW_GATHER
#define KR ROW_MASK_REG
#define GR ROW_GENERAL_REG
#define KV ROW_MASK_V
#define TILE ROW_TILE
#define TILE1 ROW_TILE_REG
#define SB ROW_SIB
#define BC ROW_BROADCAST
#define ER ROW_ROUNDING
#define SAE ROW_SILENCE
#define MK ROW_MASKED
#define MZ (ROW_MASKED | ROW_ZEROING)
#define MN ROW_MASK_MUST
#define DS ROW_DISTINCT

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)

/* 1. the number of each row */
enum {
	ROW_NUMBER_0, /* row 0: no such opcode */
#define OP(map, first, last, ...) ROW_##map##_##first,
#define ALT(...) PASTE(ROW_ALT_, __COUNTER__),
#define VOP OP
#define VALT ALT
#include "engine/arch/x86/opcodes.def"
#include "engine/arch/x86/opcodes_vex.def"
#include "engine/arch/x86/opcodes_evex.def"
#undef OP
#undef ALT
#undef VOP
#undef VALT
};

/* 2. the rows */
#define ROW(more, p, wset, lset, operand, imm, k) \
	{ .flags = FLAGS_OF operand | (more), .prefixes = (p), .w = (wset), .l = (lset), \
	  .reg = REGS_OF operand, .rm = RMS_OF operand, .immediate = (imm), .kind = (k) }
#define OP(map, first, last, p, operand, imm, attributes, k) \
	ROW(attributes, p, WX, LS, operand, imm, X86_##k),
#define ALT(p, operand, imm, attributes, k) \
	ROW((attributes) | ROW_ALT, p, WX, LS, operand, imm, X86_##k),
#define VOP(map, first, last, p, wset, lset, operand, imm, attributes) \
	ROW(attributes, p, wset, lset, operand, imm, X86_PLAIN),
#define VALT(p, wset, lset, operand, imm, attributes) \
	ROW((attributes) | ROW_ALT, p, wset, lset, operand, imm, X86_PLAIN),
static const struct opcode_row rows[] = {
	{ .kind = X86_PLAIN },
#include "engine/arch/x86/opcodes.def"
#include "engine/arch/x86/opcodes_vex.def"
#include "engine/arch/x86/opcodes_evex.def"
	{ .kind = X86_PLAIN }, /* ends the last opcode's rows */
};
#undef OP
#undef ALT
#undef VOP
#undef VALT

/* 3. where each opcode begins */
#define OP(map, first, last, ...) \
	[X86_MAP_##map][0x##first ... 0x##last] = ROW_##map##_##first,
#define ALT(...)
#define VOP OP
#define VALT ALT
static const uint16_t first_row[X86_MAPS][256] = {
#include "engine/arch/x86/opcodes.def"
#include "engine/arch/x86/opcodes_vex.def"
#include "engine/arch/x86/opcodes_evex.def"
};

const struct opcode_row *opcode_rows(enum x86_map map, uint8_t opcode)
{
	unsigned n = first_row[map][opcode];

	return n ? &rows[n] : NULL;
}
