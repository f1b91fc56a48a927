/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/text_write.h - reading and writing code in the kernel. Task context.
 *
 * Code is written through the kernel's own text_poke(), which makes a second mapping of the page for
 * this CPU alone. Every write says what must be there before it; bytes that are not what we left
 * are somebody else's, and are left alone.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_TEXT_WRITE_H
#define SPILE_HOST_LINUX_KERNEL_TEXT_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether this kernel has all that it takes to change its text from here. */
bool text_is_available(void);

/** Copies up to n bytes of what is in memory now; how many, or -EFAULT. */
int text_read(uint64_t addr, uint8_t *dst, size_t n);

/** Keeps the kernel from changing text meanwhile; writes need it. */
void text_lock(void);
void text_unlock(void);
/**
 * Replaces n bytes (<= 16) by others, provided that they are `old`. 0; -EFAULT nothing is mapped
 * there; -EBUSY other bytes are there, before or after.
 */
int text_write(uint64_t addr, const uint8_t *old, const uint8_t *new, size_t n);
/** Fills memory of our own that no CPU runs in. */
int text_fill(uint64_t addr, const uint8_t *bytes, size_t n);
/** After it, every CPU has dropped what it had fetched of the code before. */
void text_sync(void);

/**
 * Returns when every task has left the code that it was in at the call, interrupted or preempted
 * there: one that still runs in it has entered it since. Some 50 ms where tasks can be preempted.
 * Without the lock, of text and of the engine.
 */
void text_quiesce(void);

#endif
