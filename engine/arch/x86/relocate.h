/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/relocate.h - a copy of an instruction that does elsewhere what it did at home.
 *
 * What becomes of each kind of instruction, `from` being its address and `next` the one behind it:
 *
 *   most                       the same bytes
 *   memory at x(%rip)          the same, the displacement corrected by the distance moved
 *   jmp, jcc rel8 or rel32     the form with 32 bits, to the same target
 *   loop*, jrcxz               the same in front of a jump over, and a jump to the target
 *   call rel32                 push $next; jmp target: the return address is the original one, so
 *                              unwinders, and the callee that looks at its caller, see no copy
 *   call *operand              push $next; jmp *operand; not with an operand that uses rsp
 *   what X86_COPY_CANNOT says  refused
 *
 * A copy has no side effects of its own: it changes no register and no flag that the original leaves
 * alone, and writes no memory but the original's. Any number of copies may stand in a row; after
 * the last one a jump to `next` of the last original is due, unless x86_insn says NO_RETURN.
 */
#ifndef SPILE_ENGINE_ARCH_X86_RELOCATE_H
#define SPILE_ENGINE_ARCH_X86_RELOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/arch/x86/decode.h"

#define X86_RELOCATED_MAX 32 /* bytes that one instruction can become */
#define X86_JUMP_BYTES 5     /* of jmp rel32 */

/**
 * Writes what runs at `to` as `insn` does at `from`.
 *
 * @bytes  the instruction's own bytes, insn->length of them
 * @out    where to write; need not be at `to`
 * @room   how many bytes may be written; X86_RELOCATED_MAX always suffice
 *
 * Returns how many bytes were written; -ERANGE if something is too far from `to` for 32 bits;
 * -EOPNOTSUPP if the instruction cannot run elsewhere; -ENOSPC if `room` is too small. any
 */
int x86_relocate(const struct x86_insn *insn, const uint8_t *bytes, uint64_t from, uint64_t to,
		 uint8_t *out, size_t room);

/** Writes the 5 bytes of a jump that stands at `at`; 0 or -ERANGE. any */
int x86_jump_encode(uint64_t at, uint64_t target, uint8_t out[X86_JUMP_BYTES]);

#endif
