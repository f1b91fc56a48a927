/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/emulate.h - instructions done by hand on the saved registers of a hit.
 *
 * After a trap it is cheaper to do a jump than to run a copy of it, and after it the post_handlers
 * can run at once. What is emulated, and in which home:
 *
 *   both      jmp jcc loop* jrcxz call, relative and indirect; ret, ret n; push of a register or a
 *             constant, pop to a register; lea; nops and endbr
 *   kernel    pushf popf cli: the flags that count are those that the trap saved
 *   process   none of those three: a copy of them runs as well
 *
 * A call pushes the original return address. Where the trap's frame lies on the stack that is
 * pushed to, the entry code has left a gap for one word (kernels do, from 5.2 on; a process's
 * signal frame is below the red zone).
 */
#ifndef SPILE_ENGINE_ARCH_X86_EMULATE_H
#define SPILE_ENGINE_ARCH_X86_EMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/regs.h"

enum x86_home {
	X86_KERNEL,
	X86_PROCESS,
};

/**
 * How emulation reaches the probed code's memory. Every function may be called in any context in
 * which a probe is hit. `read` and `write` return 0 or -EFAULT. A NULL function is: plain access,
 * which faults as any other; and for segment_base: operands in fs and gs are not supported.
 */
struct x86_memory {
	int (*read)(void *context, uint64_t address, void *dst, size_t size);
	int (*write)(void *context, uint64_t address, const void *src, size_t size);
	uint64_t (*segment_base)(void *context, enum x86_prefix segment);
	void *context;
};

/** Whether x86_emulate() knows the instruction. any */
bool x86_can_emulate(const struct x86_insn *insn, enum x86_home home);

/**
 * Does what `insn`, which stands at `address`, does. regs->ip counts as undefined before, and
 * says afterwards where to go on.
 *
 * @memory  NULL: plain accesses, no operands in fs and gs
 *
 * Returns 0; -EFAULT if memory could not be accessed, -EOPNOTSUPP if the instruction is not known.
 * In both cases neither registers nor memory have changed. any
 */
int x86_emulate(const struct x86_insn *insn, uint64_t address, struct pt_regs *regs,
		const struct x86_memory *memory);

#endif
