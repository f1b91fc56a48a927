/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/location.h - where a variable is, as a small program.
 *
 * DWARF describes places by expressions, lists of them by address, frame bases, unwinding tables.
 * All that is worked out when the location is asked for; what remains are a few dozen plain
 * operations on a stack of 64-bit words that need nothing but registers and memory. They can be
 * run (location_evaluate), printed, or written out as C, one statement each:
 *
 *	struct location_op                   C, `s` being the stack
 *	{ LOC_REGISTER, .arg = 7 }           s[n++] = regs->sp;
 *	{ LOC_CONST, .arg = -24 }            s[n++] = -24;
 *	{ LOC_ADD }                          n--; s[n - 1] += s[n];
 *	{ LOC_READ, .arg = 4 }               s[n - 1] = checked_read_u32(s[n - 1]);
 *
 * A variable consists of pieces, one as a rule, in order of its bytes: each in memory (the program
 * leaves its address), in a register, computed (the program leaves its value), constant bytes, or
 * optimized out. Registers have DWARF's numbers for x86-64: 0-7 rax rdx rcx rbx rsi rdi rbp rsp,
 * 8-15 r8 to r15, 16 the return address, 17-32 xmm0 to xmm15.
 *
 * An entry register is the value that a register had when the function was entered. Only a probe
 * there can know it, or a caller that still has it; an evaluator without it says ENODATA.
 */
#ifndef SPILE_SYMBOLS_LOCATION_H
#define SPILE_SYMBOLS_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

enum location_opcode {
	LOC_CONST,          /* push arg */
	LOC_ADDRESS,        /* push arg, an address of the file, plus where the file is loaded */
	LOC_REGISTER,       /* push register arg */
	LOC_ENTRY_REGISTER, /* push what register arg was at the function's entry */
	LOC_READ,           /* pop an address, push the arg (1, 2, 4, 8) bytes there, zero-extended */
	LOC_TLS,            /* pop an offset, push its address in the thread's block of this file */
	LOC_DUP, LOC_DROP, LOC_SWAP, LOC_ROT, /* as DWARF's */
	LOC_PICK,           /* push a copy of the arg-th entry from the top, 0 being the top */
	LOC_ADD, LOC_SUB, LOC_MUL, /* pop b, a; push a OP b */
	LOC_DIV_S, LOC_DIV_U, LOC_MOD_S, LOC_MOD_U, /* b == 0: the location is not valid */
	LOC_AND, LOC_OR, LOC_XOR,
	LOC_SHL, LOC_SHR, LOC_SAR, /* b > 63 gives 0, or for SAR the sign */
	LOC_NEG, LOC_NOT, LOC_ABS,
	LOC_EQ, LOC_NE, LOC_LT_S, LOC_LE_S, LOC_GT_S, LOC_GE_S, /* push 1 or 0 */
	LOC_LT_U, LOC_LE_U, LOC_GT_U, LOC_GE_U,
	LOC_ZERO_EXTEND, LOC_SIGN_EXTEND, /* of the lowest arg bits */
	LOC_JUMP, LOC_JUMP_IF, /* to op arg of this location; the latter pops, and goes unless 0.
	                          Forward only, so every program ends */
	LOC_OPCODES,
};

struct location_op {
	enum location_opcode op;
	int64_t arg;
};

enum piece_kind {
	PIECE_MEMORY,   /* ops leave the address */
	PIECE_REGISTER, /* the low bytes of `reg` */
	PIECE_VALUE,    /* ops leave the value */
	PIECE_BYTES,    /* `bytes` */
	PIECE_POINTER,  /* a pointer to something that is in no memory: cannot be shown */
	PIECE_NONE,     /* optimized out */
};

struct location_piece {
	enum piece_kind kind;
	unsigned bits;       /* of the variable; 0: all that it has left */
	unsigned bit_offset; /* skipped in the register, value or memory */
	unsigned reg;
	size_t first, count; /* ops[first] to ops[first + count - 1] */
	const unsigned char *bytes; /* borrowed from the file */
	size_t byte_count;
};

/** The deepest that a program's stack gets, so that its user can allocate it. */
#define LOCATION_STACK 32
#define LOCATION_OPS 256
#define LOCATION_PIECES 32

struct location {
	struct location_op ops[LOCATION_OPS];
	size_t op_count;
	struct location_piece pieces[LOCATION_PIECES];
	size_t piece_count;
	bool uses_entry;     /* has LOC_ENTRY_REGISTER */
};

/** True when nothing of the variable is left. */
bool location_is_none(const struct location *loc);

/** What a program reads when it is run here. Each returns false for what it does not have. */
struct location_machine {
	bool (*read_register)(void *context, unsigned reg, uint64_t *ret);
	bool (*read_entry_register)(void *context, unsigned reg, uint64_t *ret); /* NULL: none */
	bool (*read_memory)(void *context, uint64_t address, void *dst, size_t size);
	bool (*read_vector)(void *context, unsigned reg, unsigned char dst[16]); /* NULL: none */
	uint64_t load_bias; /* where the file is loaded, less its own addresses */
	uint64_t tls;       /* the thread's block; 0: not known */
	void *context;
};

/** Copies the variable's `size` bytes. ENODATA: (partly) optimized out or its entry value is not
 *  known; EFAULT: memory cannot be read; EINVAL: the program is not valid. */
struct error *location_evaluate(const struct location *loc, const struct location_machine *m,
				void *dst, size_t size);
/** The address of a variable that is whole in memory; else ENODATA. */
struct error *location_address(const struct location *loc, const struct location_machine *m,
			       uint64_t *ret);

/** The location as a formula: "*(u32 *)(rsp - 24)", "rdi", "optimized out". */
void location_print(const struct location *loc, struct strbuf *out);
/** "rdi"; "?" for a number that x86-64 does not have. */
const char *location_register_name(unsigned reg);

#endif
