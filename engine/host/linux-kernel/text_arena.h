/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/text_arena.h - executable memory for slots and detours.
 *
 * A part of the core's own text, hence within a jump's reach of all kernel text, and as read-only as
 * the rest of it: it is written like all text. Handed out in grains of 64 bytes, each of which
 * knows whose it is, so that a breakpoint in it finds its point without a lock. Task context under
 * the engine's lock but for text_arena_owner().
 */
#ifndef SPILE_HOST_LINUX_KERNEL_TEXT_ARENA_H
#define SPILE_HOST_LINUX_KERNEL_TEXT_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct text_point;

#define TEXT_ARENA_GRAIN 64u
/** The owner of code that no breakpoint is ever in. */
#define TEXT_ARENA_NO_POINT ((struct text_point *)1)

/** Memory for `owner`; 0 if there is none left. */
uint64_t text_arena_alloc(size_t size, struct text_point *owner);
/** Gives back what [at, at + size) touches; nobody may be in it any more. 0 is fine. */
void text_arena_free(uint64_t at, size_t size);
/** Whose memory an address is in, or NULL. Any context. */
struct text_point *text_arena_owner(uint64_t at);

#endif
