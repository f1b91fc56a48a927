/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/handlers.h - what a handler may clobber.
 *
 * A handler in a process is ordinary code, and may use vector registers that the probed code needs
 * afterwards. Saving them all costs more than everything else of a hit, so handlers are read first.
 * In the same go it is seen whether a handler only loads the registers that hold arguments, which
 * makes the hit cheaper once more: a handler that counts is done in 6 ns.
 */
#ifndef SPILE_HOST_LINUX_USER_HANDLERS_H
#define SPILE_HOST_LINUX_USER_HANDLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/handler.h"

/* In the upper half of what handler_needs() gives: the registers that the handler may change. */
#define HANDLER_CLOBBERS(needs) ((uint16_t)((needs) >> 16))

/** What a handler needs: X86_HANDLER_*, and what it clobbers. NULL needs nothing. Sums by "or". */
unsigned handler_needs(uint64_t address);

/** What XSAVEC is to save, and the bytes it takes; false: this CPU has no XSAVEC. */
bool handlers_vector_area(uint64_t *ret_mask, uint32_t *ret_bytes);

/** Calls with all vector registers kept. any */
void handlers_call_saved(void (*fn)(void *arg), void *arg);

#endif
