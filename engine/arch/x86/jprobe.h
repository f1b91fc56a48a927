/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/arch/x86/jprobe.h - calling a jprobe's handler as if it were the probed function. */
#ifndef SPILE_ENGINE_ARCH_X86_JPROBE_H
#define SPILE_ENGINE_ARCH_X86_JPROBE_H

#include "engine/arch/x86/regs.h"

/**
 * How much of the stack above the stack pointer a handler is shown: the return address and 31
 * arguments of 8 bytes. The document promises 64 bytes at least.
 */
#define X86_JPROBE_STACK_BYTES 256

/**
 * Enters `handler` with the registers of `regs`, which belong to a function's first instruction, and
 * with a copy of the stack there. Returns when x86_jprobe_return() is called with what *ret_frame
 * was set to. any context
 */
void x86_jprobe_call(const void *handler, const struct pt_regs *regs, void **ret_frame);

/** Leaves the handler from wherever it is. any context, on the handler's stack */
void x86_jprobe_return(void *frame) __attribute__((noreturn));

#endif
