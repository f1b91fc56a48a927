/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/ftrace_group.h - many function entries behind one ftrace callback.
 *
 * The compiler left a call (a nop while nobody listens) at the entry of nearly every function, and
 * ftrace turns them on and off. The price of that is paid for each change of a set, not for each
 * function in it, so all sites that are planted together form a *group* with one struct ftrace_ops:
 *
 *   group -> ops (filter: the ips of the armed sites)
 *         -> slots: an open-addressed hash from ip to site, filled before the ops is registered
 *
 * At a hit the planter's callback walks the slots of its ip. Slots never move; a slot whose site
 * has gone says NULL. The group lives until its last site is released. Several sites of a group may
 * have the same ip (return probes on one function).
 *
 * The callback runs in any context; it disables preemption before it looks at a slot and until it
 * is done with the site, so that a site that was taken out of its slot can be freed after
 * host_synchronize(). Everything else here is task context under the engine's lock.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_FTRACE_GROUP_H
#define SPILE_HOST_LINUX_KERNEL_FTRACE_GROUP_H

#include "engine/host/linux-kernel/engine_kernel.h"

struct ftrace_group;

/** site->plant of a planted site. */
struct ftrace_slot {
	unsigned long ip;        /* 0: free */
	struct spile_site *site; /* NULL: gone */
	struct ftrace_group *group;
	bool armed;              /* wants hits: its ip is in the filter of a registered ops */
};

struct ftrace_group {
	struct ftrace_ops ops; /* first: a callback gets its address */
	unsigned users;        /* sites not yet released */
	unsigned armed;        /* armed slots */
	unsigned leaving;      /* armed slots of the unplant under way */
	bool registered;
	bool stuck;            /* could not be unregistered: must never be freed */
	unsigned mask;         /* slots - 1; at least half of them are free */
	struct ftrace_slot slots[];
};

/* --- for the callbacks: any context --------------------------------------------------------------- */

static inline unsigned ftrace_slot_start(const struct ftrace_group *group, unsigned long ip)
{
	return (unsigned)((ip * 0x9e3779b97f4a7c15ul) >> 40) & group->mask;
}

/** The next slot of ip from index *i on; NULL when there is no more. Start with the above. */
static inline struct ftrace_slot *ftrace_slot_next(struct ftrace_group *group, unsigned long ip,
						   unsigned *i)
{
	struct ftrace_slot *slot;

	do {
		slot = &group->slots[*i];
		*i = (*i + 1) & group->mask;
		if (slot->ip == ip)
			return slot;
	} while (slot->ip);
	return NULL;
}

static inline struct spile_site *ftrace_slot_site(struct ftrace_slot *slot)
{
	return __atomic_load_n(&slot->site, __ATOMIC_ACQUIRE);
}

/* --- for the planters: the contract's functions with a callback ----------------------------------- */

/** 0 if there is an ftrace site for it, else -EOPNOTSUPP. */
int ftrace_group_can_plant(const struct spile_site *site);
int ftrace_group_plant(struct spile_site *list, kcb_ftrace *callback);
void ftrace_group_unplant(struct spile_site *list);
void ftrace_group_release(struct spile_site *list);
int ftrace_group_arm(struct spile_site *site);
void ftrace_group_disarm(struct spile_site *site);

#endif
