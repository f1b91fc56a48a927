/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/detour.h - the code that a jump-optimized probe jumps to.
 *
 *     probed function                 detour
 *     ...                             save registers: a struct pt_regs on the stack
 *     jmp detour       ------------>  handler(arg, regs)
 *     (rest of region)                if it returned non-zero: restore, go to regs->ip
 *     next instruction <--+           restore registers
 *                         |           copies of the region's instructions
 *                         +---------  jump behind the region
 *
 * The handler is a normal C function of the psABI. It sees regs->ip one byte behind the probed
 * address, as after a breakpoint, and regs->sp as the probed code has it. It may change registers;
 * they are loaded again, of the flags the status flags and DF. If it returns non-zero, the region is
 * left out and control goes on at regs->ip with regs->sp, which may be higher than before, or lower
 * by at most 40 bytes. (If it returns 0, these two are not looked at.)
 *
 * Options trade completeness for time; on a Zen 3 a hit costs, with a handler that counts:
 *
 *   (none)     6 ns   all of struct pt_regs, all flags
 *   LIGHT      3.5    ax cx dx si di r8-r11 ip sp only, other fields undefined; the return value is
 *                     ignored; the handler must not depend on the direction flag. Less if it is known
 *                     to look at nothing, see x86_detour_plan.clobbers
 *   SSE        +3     keeps xmm0 to xmm15 for handlers compiled to use them, not the upper halves
 *   XSAVE      +170   keeps all that xsave_mask names: for any handler and anything that it calls
 *
 * With AFTER the handler sees regs->ip behind the region, and goes elsewhere from there if it returns
 * non-zero. Such a detour is entered at its first copy, by who has had a breakpoint at the region.
 *
 * With neither SSE nor XSAVE the handler must leave vector and x87 registers alone (compile it and
 * what it calls with -mgeneral-regs-only; the core is compiled so).
 *
 * A detour may be hit on any number of threads at once and from any context. Before its memory is
 * given back nobody may be inside it or below the handler that it called.
 */
#ifndef SPILE_ENGINE_ARCH_X86_DETOUR_H
#define SPILE_ENGINE_ARCH_X86_DETOUR_H

#include <stddef.h>
#include <stdint.h>

#include "engine/arch/x86/code.h"
#include "engine/arch/x86/optimize.h"
#include "engine/arch/x86/regs.h"

enum x86_detour_option {
	X86_DETOUR_PROCESS = 1 << 0, /* keep the red zone, align the stack, user segments */
	X86_DETOUR_LIGHT = 1 << 1,
	X86_DETOUR_SSE = 1 << 2,
	X86_DETOUR_XSAVE = 1 << 3,   /* needs the XSAVEC instruction; not in the kernel */
	X86_DETOUR_AFTER = 1 << 4,   /* the handler is a post_handler: the region first, then the handler */
};

/** Non-zero: go to regs->ip instead of running the region. */
typedef int x86_detour_handler(void *arg, struct pt_regs *regs);

struct x86_detour_plan {
	const struct x86_region *region;
	uint64_t handler;     /* address of an x86_detour_handler; must be within 2 GB in the kernel */
	uint64_t arg;
	unsigned options;
	/*
	 * LIGHT: 0, or which registers (1 << number) the handler may change of those that C functions may,
	 * if it does not look at pt_regs at all: the others are not saved. si, di and ax always are, in a
	 * process cx and dx, too. Without SSE, what is so known gets no aligned stack: it has no use for one.
	 */
	uint16_t clobbers;
	/*
	 * In the kernel: writes what is done instead of handler(arg, regs), with regs in rsi and rsp; and
	 * the rest of that, which is not on the usual way. It may change what `clobbers` says, or, without
	 * LIGHT or `clobbers`, what a C function may, and leaves rsp as it was and the answer in rax.
	 */
	void (*write_call)(struct x86_code *c, void *context);
	void (*write_rest)(struct x86_code *c, void *context);
	void *context;
	uint32_t xsave_bytes; /* XSAVE: size of the compacted area for xsave_mask (cpuid 13.1) */
	uint64_t xsave_mask;  /* XSAVE: what to save, a subset of xcr0 */
};

#define X86_DETOUR_MAX 768 /* bytes that a detour can need; most need half of it */

struct x86_detour {
	uint64_t from, at;
	uint32_t size;
	uint8_t region;     /* bytes of the region */
	uint8_t insns;
	uint8_t original[X86_REGION_INSNS]; /* offsets of the instructions in the region */
	uint16_t copy[X86_REGION_INSNS + 1]; /* and of their copies in the detour, and of the jump */
};

/**
 * Writes a detour that will run at `at`; `out` is there or in a writable view of it.
 *
 * Returns 0; -ERANGE if `at` is too far from something; -ENOSPC if `room` is too small;
 * -EOPNOTSUPP if an instruction cannot be copied; -EINVAL for options that make no sense. task
 */
int x86_detour_build(const struct x86_detour_plan *plan, uint64_t at, uint8_t *out, size_t room,
		     struct x86_detour *ret);

/**
 * For a thread that stands at `ip` in the region when the jump is about to be written: the address
 * in the detour to go on at instead. Returns 0, -ENOENT if `ip` is not inside the region (its first
 * byte is not inside: the jump may run), -EINVAL if `ip` is no boundary. any
 */
int x86_detour_copy_ip(const struct x86_detour *detour, uint64_t ip, uint64_t *ret);

/**
 * Which original address stands for `ip` inside the detour: for signals, faults and stack traces.
 * Returns 0; -ENOENT if `ip` is not in the detour; -EBUSY where registers are being saved or
 * restored, or in the middle of a copy: let it run on. any
 */
int x86_detour_original_ip(const struct x86_detour *detour, uint64_t ip, uint64_t *ret);

#endif
