/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/regs.h - the registers at a hit.
 *
 * The layout in which x86-64 kernels save registers has been the same for all kernels that Spile
 * knows; it is the order in which the entry code pushes them, the last pushed first.
 */
#ifndef SPILE_ENGINE_ARCH_X86_REGS_H
#define SPILE_ENGINE_ARCH_X86_REGS_H

#include <stdint.h>

struct pt_regs {
	uint64_t r15, r14, r13, r12, bp, bx;      /* kept by the callee */
	uint64_t r11, r10, r9, r8, ax, cx, dx, si, di;
	uint64_t orig_ax;                         /* system call number or error code */
	uint64_t ip, cs, flags, sp, ss;           /* pushed by the processor */
};

#define ARCH_BREAKPOINT_BYTES 1 /* a hit shows ip behind the breakpoint, as the API documents */
#define ARCH_CALL_BYTES 5       /* what the compiler leaves room for at a function's entry */

#endif
