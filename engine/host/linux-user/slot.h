/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/slot.h - how many threads can have per-CPU data; see cpu.user.c. */
#ifndef SPILE_HOST_LINUX_USER_SLOT_H
#define SPILE_HOST_LINUX_USER_SLOT_H

#include <stdint.h>

/** Threads at once. A slot costs address space; memory only when its thread runs a handler. */
#define HOST_SLOTS 64

struct host_slot {
	uint32_t taken;   /* tid of the thread that has it, 0: free */
	uint32_t depth;   /* of host_irq_save and host_preempt_disable; written by the owner */
	uint32_t left;    /* how often depth has become 0 */
	void *cpu;        /* the engine's, of the same number; set when a home starts */
	uintptr_t quick;  /* the probe that is hit on a short way (apply.user.c), as a depth of 1 */
} __attribute__((aligned(64)));

/* In `quick`: the probe has been seen to be planted still, so it stays for as long as it is there. */
#define QUICK_SURE ((uintptr_t)1)

/* In a library that is loaded late, too, reading it must not allocate: a handler may do it. */
#define HOST_TLS __attribute__((tls_model("initial-exec"), visibility("hidden")))

extern struct host_slot host_slots[HOST_SLOTS] __attribute__((visibility("hidden")));
extern __thread int host_my_slot HOST_TLS; /* negative: none */
extern __thread struct host_slot *host_my_slot_at HOST_TLS; /* the same as an address, or NULL */

/** The thread's own slot: what host_preempt_disable() and _enable() do to it. any */
static inline void host_slot_enter(struct host_slot *slot)
{
	__atomic_store_n(&slot->depth, slot->depth + 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void host_slot_leave(struct host_slot *slot)
{
	uint32_t depth = slot->depth - 1;

	__atomic_store_n(&slot->depth, depth, __ATOMIC_RELEASE);
	if (!depth)
		__atomic_store_n(&slot->left, slot->left + 1, __ATOMIC_RELEASE);
}

#endif
