/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/optimize.h - may a jump of 5 bytes replace what stands at an address?
 *
 * The jump overwrites the probed instruction and, if that is shorter, the ones behind it: the
 * *region*, whole instructions of 5 to 19 bytes together. That is right only if nobody ever arrives
 * inside the region but by running through it from its first byte. So the whole function is read,
 * and all that can be known about it checked; what cannot be known counts against the jump. Not
 * being optimizable is no error of the probe: it stays a breakpoint.
 */
#ifndef SPILE_ENGINE_ARCH_X86_OPTIMIZE_H
#define SPILE_ENGINE_ARCH_X86_OPTIMIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/emulate.h"
#include "engine/arch/x86/relocate.h"

#define X86_REGION_MAX (X86_JUMP_BYTES - 1 + X86_INSN_MAX)
#define X86_REGION_INSNS X86_JUMP_BYTES

/** The instructions that a jump at `from` replaces. */
struct x86_region {
	uint64_t from;
	uint8_t length, insns;
	uint8_t bytes[X86_REGION_MAX]; /* as they were */
};

/** Why there can be no jump. Zero: there can. x86_verdict_text() has the words. */
enum x86_verdict {
	X86_JUMP_OK,
	X86_JUMP_NOT_BOUNDARY,   /* the address is inside an instruction: the probe is -EILSEQ */
	X86_JUMP_UNREADABLE,     /* text could not be read */
	X86_JUMP_UNDECODABLE,    /* the function contains bytes that are no instruction */
	X86_JUMP_END,            /* the function ends inside the region */
	X86_JUMP_NOT_COPYABLE,   /* an instruction of the region cannot run elsewhere */
	X86_JUMP_RETURNS_INSIDE, /* a call or a system call would come back into the region */
	X86_JUMP_TARGET_INSIDE,  /* the function jumps into the region or takes an address in it */
	X86_JUMP_INDIRECT,       /* the function jumps to where the bytes do not tell */
	X86_JUMP_FIXUP,          /* an exception's handling touches the region */
	X86_JUMP_OCCUPIED,       /* another probe or patch site is inside the region */
	X86_JUMP_ENDBR,          /* indirect branches must find the endbr at the address */
};

/** What to check. All callbacks but `read` may be NULL, which stands for the answer "no". */
struct x86_optimize {
	uint64_t address;    /* of the probe */
	uint64_t start, end; /* the function; the first byte behind it */
	bool keep_endbr;     /* indirect branch tracking is on: an endbr must stay */

	/** Reads text as it was before any probe. */
	x86_read_text *read;
	/** A probe, a patch site of the kernel's (jump label, static call, alternative) or any other
	 *  claim on one of the bytes from `start` up to `end`. The region's first byte is not asked
	 *  for: it is the probe's own. */
	bool (*is_occupied)(void *context, uint64_t start, uint64_t end);
	/** An instruction of [start, end) has an exception-table entry, or the handling of some
	 *  exception (fixup code, landing pad) can continue at an address in (start, end). */
	bool (*has_fixup)(void *context, uint64_t start, uint64_t end);
	/** An indirect jump that cannot arrive in this function's middle: not a switch table. By
	 *  itself only jmp *x(%rip), as made for imported functions, counts as such. */
	bool (*is_harmless)(void *context, const struct x86_insn *insn, uint64_t address);
	/** Direct jumps to `target`, outside the function, are indirect ones: a retpoline. */
	bool (*is_thunk)(void *context, uint64_t target);
	/** `target`, outside the function, belongs to a part of it that the compiler put elsewhere
	 *  (name.cold): it is read, too. */
	bool (*is_part)(void *context, uint64_t target, uint64_t *ret_start, uint64_t *ret_end);
	void *context;
};

/**
 * Checks everything. Only when all is well `ret` describes the region. The checks are those of
 * the moment: `is_occupied` must be asked again when probes come and go. task
 */
enum x86_verdict x86_optimize_check(const struct x86_optimize *o, struct x86_region *ret);

/** The verdict in a few words, for listings and reports. any */
const char *x86_verdict_text(enum x86_verdict verdict);

#endif
