/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/arena.h - executable memory within a jump's reach of probed code.
 *
 * Handed out in grains of 64 bytes, each of which knows whose it is, so that a trap or a fault in
 * it finds its probe without a lock. Task context but for code_arena_owner().
 */
#ifndef SPILE_HOST_LINUX_USER_ARENA_H
#define SPILE_HOST_LINUX_USER_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_GRAIN 64

/** Memory of `size` bytes within reach of addr, for `owner`; 0 if there is none. */
uint64_t code_arena_alloc(uint64_t addr, size_t size, void *owner);
/** Gives it back; nobody may be in it any more. */
void code_arena_free(uint64_t at, size_t size);
/** Makes it another owner's. */
void code_arena_give(uint64_t at, size_t size, void *owner);
/** Whose memory it is, or NULL. Any context. */
void *code_arena_owner(uint64_t at);

#endif
