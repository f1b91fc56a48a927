// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is this address the beginning of an instruction?
 *
 * x86 text cannot be read backwards: the only way to know is to walk from a place where an
 * instruction surely starts, a function's first byte, and see whether the walk meets the address.
 */
#include "engine/arch/x86/decode.h"
#include "engine/host.h"

#define WINDOW 64 /* bytes read at once; what remains of them is refilled below one instruction */

/* Text as the walk sees it: `have` bytes from `address` on. */
struct window {
	uint64_t address;
	int have;
	uint8_t bytes[WINDOW];
};

/*
 * Fewer than 15 bytes may be left before the end of what is mapped, so a failing read for a
 * window that still has bytes is not an error yet: the instruction may be shorter.
 */
static int window_fill(struct window *w, x86_read_text *read, void *context)
{
	int got = read(context, w->address, w->bytes, WINDOW);

	if (got > 0) {
		w->have = got;
		return 0;
	}
	return w->have > 0 ? 0 : got ? got : -EFAULT;
}

static void window_advance(struct window *w, int length)
{
	w->address += length;
	w->have -= length;
	memmove(w->bytes, w->bytes + length, w->have);
}

int x86_boundary_check(uint64_t start, uint64_t address, x86_read_text *read, void *context)
{
	struct window w = { .address = start };
	struct x86_insn insn;
	int length, err;

	while (w.address < address) {
		if (w.have < X86_INSN_MAX) {
			err = window_fill(&w, read, context);
			if (err)
				return err;
		}
		length = x86_decode(w.bytes, w.have, &insn);
		if (length < 0)
			return length == -E2BIG ? -EFAULT : length;
		window_advance(&w, length);
	}
	return w.address == address ? 0 : -EILSEQ;
}
