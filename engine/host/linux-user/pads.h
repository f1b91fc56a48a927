/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/pads.h - the places that watched calls return to; see pads.user.c. */
#ifndef SPILE_HOST_LINUX_USER_PADS_H
#define SPILE_HOST_LINUX_USER_PADS_H

#include <stdbool.h>
#include <stdint.h>

struct pad {
	uint64_t ret_addr; /* where the call really returns to */
	void *instance;
};

/** Reserves address space and tells the unwinder. 0 or -errno. Task context. */
int pads_init(void);
/** A row of n pads; the first one's address, or 0. Task context. */
uint64_t pads_alloc(unsigned n);
void pads_free(uint64_t first, unsigned n);

#define PAD_BYTES 16
#define PADS_DISTANCE 0x2000000u /* from a pad's code to its data */

extern uint64_t pads_base;

/** any */
static inline bool pads_contain(uint64_t addr)
{
	return addr - pads_base < PADS_DISTANCE;
}

/** any */
static inline struct pad *pad_of(uint64_t addr)
{
	return (struct pad *)(uintptr_t)(addr + PADS_DISTANCE);
}

#endif
