/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/handler.h - what a handler needs of a hit, by reading its code.
 *
 * A handler is called as f(what, struct pt_regs *). To make all of pt_regs for it, or to keep vector
 * registers, can cost more than the rest of the hit, and most handlers look at a few arguments or at
 * nothing. So the code is read, and all that it can call: does it touch vector or x87 registers, and
 * does it do anything with its second argument but load certain words from it. "Cannot tell" is
 * "needs": an indirect call, code that is too long, code that the system may change later.
 */
#ifndef SPILE_ENGINE_ARCH_X86_HANDLER_H
#define SPILE_ENGINE_ARCH_X86_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/decode.h"

enum x86_handler_needs {
	X86_HANDLER_VECTORS = 1 << 0, /* it, or what it calls, may touch vector or x87 registers */
	X86_HANDLER_REGS = 1 << 1,    /* more of pt_regs than `words`, or in another way */
	X86_HANDLER_WORDS = 1 << 2,   /* some of `words` */
};

struct x86_handler_reader {
	x86_read_text *read;
	void *context;
	const uint8_t *words; /* offsets in pt_regs that may be loaded */
	unsigned nwords;
	/* What the loader has put into an import's slot; 0: not yet. NULL: there are none. */
	uint64_t (*import)(uint64_t slot);
	/*
	 * The code is a kernel's, which changes jumps and calls while it runs: calls are not followed,
	 * and nops in the middle of a function, where a jump may appear, are not believed.
	 */
	bool changes;
	uint64_t return_thunk; /* a jump there is a return; or 0 */
};

struct x86_handler {
	unsigned needs;    /* X86_HANDLER_*; 0 needs nothing */
	uint16_t clobbers; /* general registers that it may change, by their numbers */
	bool takes_what;   /* it may look at its first argument */
};

#define X86_CLOBBERS_ALL 0xffffu

/** Reads the handler at `address`; 0: there is none. */
struct x86_handler x86_handler_read(const struct x86_handler_reader *reader, uint64_t address);

#endif
