/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/decode.h - what an x86-64 instruction is, as far as probing needs to know.
 *
 * The decoder answers four questions: how long is the instruction at these bytes, where are its
 * parts, where does control go after it, and what happens if a copy of it runs elsewhere. It knows
 * 64-bit mode only. It keeps no state, allocates nothing, and may be called from any context.
 *
 * An encoding that the processor manuals do not define is an error, not a guess: a wrong length
 * would put a breakpoint into the middle of an instruction.
 */
#ifndef SPILE_ENGINE_ARCH_X86_DECODE_H
#define SPILE_ENGINE_ARCH_X86_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X86_INSN_MAX 15 /* bytes; the processor refuses anything longer */

/** How the opcode is spelled. */
enum x86_encoding {
	X86_LEGACY,
	X86_VEX,
	X86_EVEX,
	X86_XOP,
};

/** The opcode map that `opcode` is a row of. */
enum x86_map {
	X86_MAP_1,    /* one byte */
	X86_MAP_0F,
	X86_MAP_0F38,
	X86_MAP_0F3A,
	X86_MAP_3DNOW, /* 0f 0f; the opcode stands where others have an immediate */
	X86_MAP_V1,   /* VEX counterparts of 0f, 0f38, 0f3a */
	X86_MAP_V2,
	X86_MAP_V3,
	X86_MAP_E1,   /* EVEX */
	X86_MAP_E2,
	X86_MAP_E3,
	X86_MAP_E5,
	X86_MAP_E6,
	X86_MAP_X8,   /* XOP */
	X86_MAP_X9,
	X86_MAP_XA,
	X86_MAPS,
};

/** What a probe must treat apart from ordinary computing. */
enum x86_kind {
	X86_PLAIN,
	/* relative branches; x86_insn_target() says where to */
	X86_JMP, X86_JCC, X86_LOOP /* loop, loope, loopne, jrcxz */, X86_CALL,
	X86_XBEGIN,   /* the target is where an abort goes */
	/* control transfers whose target is not in the bytes */
	X86_JMP_INDIRECT, X86_CALL_INDIRECT, X86_RET,
	X86_JMP_FAR, X86_CALL_FAR, X86_RET_FAR, X86_IRET /* eretu and erets too */,
	X86_SYSCALL, X86_SYSRET, X86_SYSENTER, X86_SYSEXIT,
	X86_INT3, X86_INT1, X86_INT,
	X86_UD,       /* ud0, ud1, ud2, udb: the kernel looks its address up */
	X86_HLT,
	X86_PUSHF, X86_POPF, X86_CLI, X86_STI,
	X86_LOAD_SS,  /* mov to ss, pop ss cannot be encoded: the next instruction is shadowed */
	X86_PUSH, X86_POP,
	X86_STRING,   /* movs cmps stos lods scas ins outs, repeated or not */
	X86_LEA,
	X86_NOP,      /* 90, 0f 1f and the reserved hints 0f 18 - 0f 1e */
	X86_ENDBR,    /* endbr64, endbr32 */
};

/** What must be done so that a copy at another address does what the original does. */
enum x86_copy_kind {
	X86_COPY_AS_IS,    /* nothing: the bytes mean the same anywhere */
	X86_COPY_DISPLACE, /* correct one 32-bit displacement by the distance moved */
	X86_COPY_EMULATE,  /* cannot be copied, but is simple: a call, a short branch */
	X86_COPY_CANNOT,   /* neither; do not plant here in any way that runs a copy */
};

enum x86_prefix {
	X86_PREFIX_LOCK = 1 << 0,
	X86_PREFIX_REPNE = 1 << 1,  /* f2; the later of f2 and f3 counts */
	X86_PREFIX_REP = 1 << 2,    /* f3 */
	X86_PREFIX_DATA16 = 1 << 3, /* 66 */
	X86_PREFIX_ADDR32 = 1 << 4, /* 67 */
	X86_PREFIX_CS = 1 << 5,     /* 2e, ignored by the processor; so are 26, 36, 3e */
	X86_PREFIX_DS = 1 << 6,     /* 3e, notrack */
	X86_PREFIX_ES = 1 << 7,
	X86_PREFIX_SS = 1 << 8,
	X86_PREFIX_FS = 1 << 9,
	X86_PREFIX_GS = 1 << 10,
};

#define X86_REX_B 1
#define X86_REX_X 2
#define X86_REX_R 4
#define X86_REX_W 8

enum x86_insn_flag {
	X86_INSN_MEMORY = 1 << 0,       /* accesses memory, named or implied (stack, strings) */
	X86_INSN_MAY_FAULT = 1 << 1,    /* can raise an exception for another reason too */
	X86_INSN_READS_IP = 1 << 2,     /* the result depends on where the instruction stands */
	X86_INSN_RIP_RELATIVE = 1 << 3, /* names memory at an offset from the next instruction */
	X86_INSN_BOOSTABLE = 1 << 4,    /* a copy needs no step: jump back behind it and done */
	X86_INSN_NO_STEP = 1 << 5,      /* goes wrong under the trap flag with interrupts masked */
	X86_INSN_NO_RETURN = 1 << 6,    /* never continues with the following byte */
	X86_INSN_VSIB = 1 << 7,         /* `index` is a vector register */
};

#define X86_NO_REGISTER 0xff
#define X86_RIP 16 /* `base` of a rip-relative operand */

/** One decoded instruction. Offsets count from its first byte; a size of 0 means: has none. */
struct x86_insn {
	uint8_t length;
	uint8_t opcode_offset; /* of the last opcode byte; of the suffix for 3DNow */
	uint8_t opcode;
	uint8_t map;           /* enum x86_map */
	uint8_t encoding;      /* enum x86_encoding */
	uint8_t kind;          /* enum x86_kind */
	uint8_t copy;          /* enum x86_copy_kind */
	uint8_t rex;           /* X86_REX_* in force, also from a VEX, EVEX or XOP prefix */
	uint16_t prefixes;     /* enum x86_prefix */
	uint16_t flags;        /* enum x86_insn_flag */

	bool has_modrm, has_sib;
	uint8_t modrm_offset, modrm;
	uint8_t sib_offset, sib;
	uint8_t disp_offset, disp_size;
	uint8_t imm_offset, imm_size; /* enter, extrq: both immediates; moffs: the address */
	int32_t disp;                 /* as encoded: EVEX scales one-byte displacements */
	int64_t imm;

	uint8_t base, index; /* of the memory operand: 0 (rax) to 15, or X86_NO_REGISTER */
	uint8_t vector_pp;   /* VEX, EVEX, XOP: the prefix folded in, 0 none, 1 66, 2 f3, 3 f2 */
	uint8_t vector_l;    /* 0: 128 bits, 1: 256, 2: 512 */
	uint8_t vector_v;    /* the second source register, 0 to 31 */
	uint8_t evex;        /* EVEX: the last prefix byte (z L'L b V' aaa) */
};

/**
 * Decodes the instruction that starts at `bytes`.
 *
 * @avail  how many bytes may be read; 15 are always enough
 * Returns its length, also in `ret`; -EINVAL if no processor defines it; -E2BIG if `avail` ends
 * before the instruction does. In both cases `ret` is undefined.
 */
int x86_decode(const uint8_t *bytes, size_t avail, struct x86_insn *ret);

/** Where a relative branch or xbegin at `address` goes; 0 for every other instruction. */
uint64_t x86_insn_target(const struct x86_insn *insn, uint64_t address);

/** What the rip-relative operand of an instruction at `address` names; 0 if it has none. */
uint64_t x86_insn_operand(const struct x86_insn *insn, uint64_t address);

/**
 * Copies up to `size` bytes of text that starts at `address`; returns how many, or -EFAULT. Where a
 * probe is planted it must give the bytes that were there before.
 */
typedef int x86_read_text(void *context, uint64_t address, uint8_t *dst, size_t size);

/**
 * Says whether an instruction starts at `address`, walking from `start`, where one does.
 *
 * Returns 0; -EILSEQ if `address` lies inside an instruction or before `start`; -EINVAL if the walk
 * meets bytes that are no instruction, after which nothing is certain; or what `read` failed with.
 */
int x86_boundary_check(uint64_t start, uint64_t address, x86_read_text *read, void *context);

#endif
