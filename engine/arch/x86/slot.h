/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/slot.h - where the instruction under a breakpoint runs.
 *
 * The breakpoint has overwritten the first byte of the instruction, so a hit must have it done
 * elsewhere. A slot is 64 bytes of executable memory within 2 GB of the probe:
 *
 *      0  a copy of the instruction, then a jump behind the original    the boosted half
 *     48  a copy of the instruction, then a breakpoint                  the stepped half
 *
 * A hit uses what is cheapest:
 *
 *   emulated   nothing of the slot: x86_slot_go() has done it, post_handlers run at once
 *   boosted    the hit returns into the slot and is over; post_handlers could not run
 *   stepped    only if there is a post_handler: the second breakpoint tells that the copy is done.
 *              No trap flag is involved, so neither pushf nor a signal handler can see one.
 *
 * Which instruction goes which way (the kernel's and a process's differ where flags and the
 * kernel itself are concerned):
 *
 *   instruction                          no post_handler         with one
 *   most; memory at x(%rip)              boosted                 stepped
 *   lea, push, pop, nop, with a slot     boosted                 emulated
 *   what x86_can_emulate() knows else    emulated                emulated
 *   call, jmp *mem that emulation        boosted                 boosted, post not run
 *     fails at (-EFAULT)                   (faults as the original)
 *   pushf popf cli in a process          boosted                 stepped
 *   syscall, int n, hlt, sti, far        process: boosted        -EOPNOTSUPP
 *     branches and iret                    kernel: -EINVAL       kernel: -EINVAL
 *   int3, ud2, xbegin, mov to ss, ...    -EINVAL                 -EINVAL
 *
 * A hit in a process looks like this (kernel: the same in its breakpoint notifier):
 *
 *     SIGTRAP at slot->from + 1:  run pre_handlers
 *                                 switch (x86_slot_go(slot, regs, site->has_post, memory))
 *                                 X86_SLOT_DONE:   return from the signal
 *                                 X86_SLOT_POST:   run post_handlers, return
 *                                 X86_SLOT_STEP:   remember the probe, return
 *     SIGTRAP at x86_slot_step_end(slot) + 1:  x86_slot_stepped(slot, regs), run post_handlers
 *     any other signal with ip inside a slot:  x86_slot_original_ip()
 */
#ifndef SPILE_ENGINE_ARCH_X86_SLOT_H
#define SPILE_ENGINE_ARCH_X86_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/emulate.h"
#include "engine/arch/x86/regs.h"

#define X86_SLOT_BYTES 64
#define X86_SLOT_STEP_OFFSET 48

struct x86_slot {
	uint64_t from;  /* the probed address */
	uint64_t at;    /* the slot's; 0: none is needed */
	struct x86_insn insn;
	uint8_t copy_size; /* of the boosted half's copy, without the jump; 0: no boosted half */
	bool can_step;     /* there is a stepped half */
	bool emulate;
	bool straight;     /* emulated, or, if nothing has to follow at once, copied */
};

enum x86_slot_next {
	X86_SLOT_DONE, /* the hit is over: return to regs->ip */
	X86_SLOT_POST, /* the instruction is done: run the post_handlers, return to regs->ip */
	X86_SLOT_STEP, /* return to regs->ip; a breakpoint at x86_slot_step_end() will follow */
	X86_SLOT_FAULT, /* `memory` failed and there is no slot to fail in; nothing has changed.
			 * Cannot happen if x86_slot_is_needed() was followed. */
};

/**
 * Whether an instruction can be probed by breakpoint: 0; -EINVAL if never; -EOPNOTSUPP if only
 * without post_handler (`post` says whether there is one). any
 */
int x86_slot_check(const struct x86_insn *insn, enum x86_home home, bool post);

/**
 * Whether the instruction needs a slot, or in the kernel is quicker with one. In a process also what is
 * emulated but may fault does: it shall fault as the instruction that it is, not as the emulation. any
 */
bool x86_slot_is_needed(const struct x86_insn *insn, enum x86_home home);

/**
 * Prepares a slot.
 *
 * @bytes  the original bytes of the instruction at `from`
 * @at     the address that the slot will run at; 0 for what needs no slot
 * @out    where to write its 64 bytes: `at`, or a writable view of it; unused if `at` is 0
 *
 * Returns 0, what x86_slot_check() says, or -ERANGE: take memory nearer to `from` and to what the
 * instruction names. Unused bytes become breakpoints. task
 */
int x86_slot_build(const struct x86_insn *insn, const uint8_t *bytes, uint64_t from, uint64_t at,
		   enum x86_home home, uint8_t *out, struct x86_slot *ret);

/** After the pre_handlers: has the instruction done, or regs->ip set to where it will be. any */
enum x86_slot_next x86_slot_go(const struct x86_slot *slot, struct pt_regs *regs, bool post,
			       const struct x86_memory *memory);

/** Where a hit goes on that has nothing to do after the instruction; 0: x86_slot_go() knows. any */
static inline uint64_t x86_slot_boosted(const struct x86_slot *slot)
{
	return slot->copy_size && (slot->straight || !slot->emulate) ? slot->at : 0;
}

/** The address of the breakpoint that ends the stepped half. any */
static inline uint64_t x86_slot_step_end(const struct x86_slot *slot)
{
	return slot->at + X86_SLOT_STEP_OFFSET + slot->insn.length;
}

/** At that breakpoint: sets regs->ip behind the original instruction. any */
static inline void x86_slot_stepped(const struct x86_slot *slot, struct pt_regs *regs)
{
	regs->ip = slot->from + slot->insn.length;
}

/**
 * Which original address stands for `ip` inside the slot: before the copy has run, the
 * instruction's own; after it, the next one's. For what others get to see (a signal's context, a
 * stack trace); whoever resumes goes on at `ip`, or the probe would be hit twice. Returns 0; -ENOENT if `ip` is not in the slot;
 * -EBUSY in the middle of a copy of several instructions: let it run on. any
 */
int x86_slot_original_ip(const struct x86_slot *slot, uint64_t ip, uint64_t *ret);

#endif
