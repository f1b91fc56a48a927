/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/text.h - reading and writing this process's code. Task context.
 *
 * Code is never written through its own mapping, which stays read-only: /proc/self/mem is the
 * second way to the page, and the kernel gives this process its own copy of a page that comes from
 * a file. Every write says what must be there before it; bytes that are not what we left are
 * somebody else's, and are left alone.
 */
#ifndef SPILE_HOST_LINUX_USER_TEXT_H
#define SPILE_HOST_LINUX_USER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** Finds out what this kernel offers; also in a child of fork. 0 or -errno. */
int text_init(void);

/** Copies up to n bytes of what is in memory now; how many, or -EFAULT. Any context. */
int text_read(uint64_t addr, void *dst, size_t n);
/**
 * Replaces n bytes (<= 16) by others, provided that they are `old`. 0; -EACCES no way to write;
 * -EFAULT nothing is mapped there; -EBUSY other bytes are there, before or after.
 */
int text_write(uint64_t addr, const uint8_t *old, const uint8_t *new, size_t n);
/** Fills memory of our own that no thread runs in. */
int text_fill(uint64_t addr, const uint8_t *bytes, size_t n);

/** After it, every thread's CPU has dropped what it had fetched of the code before. */
void text_sync(void);

#endif
