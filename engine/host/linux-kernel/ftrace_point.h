/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/ftrace_point.h - probed function entries and what hangs on them.
 *
 * The compiler left a call (a nop while nobody listens) at the entry of nearly every function, and
 * ftrace turns them on and off. Three planters share these places, so their bookkeeping is one:
 *
 *   point   a function entry, by the address of the call: the sites there, by role
 *   plant   a site's place in a point (site->plant)
 *   group   a struct ftrace_ops and its filter, which holds the points that are armed
 *
 * ftrace's price is paid for each change of a set, not for each function in it. So the points that
 * arrive together form a group; a point stays in the group it came with. A point has one group only,
 * whatever its roles, so that ours is the only ops at that function and ftrace calls our trampoline
 * directly; sites that are added to a point that is armed already cost nothing at all.
 *
 * Hits find the point by address without a lock: a chained hash whose links are published by release
 * stores, and whose points and plants are freed after host_synchronize(). A hit disables preemption
 * before it looks and until it is done. Everything else is task context under the engine's lock.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_FTRACE_POINT_H
#define SPILE_HOST_LINUX_KERNEL_FTRACE_POINT_H

#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/ftrace_code.h"

struct ftrace_group;
struct ftrace_point;

enum ftrace_role {
	FTRACE_ENTRY,   /* at most one: probes on one address share a site */
	FTRACE_THROUGH, /* returns, by call-through */
	FTRACE_RETURN,  /* returns, by rethook */
	FTRACE_ROLES,
};

struct ftrace_plant {
	struct spile_site *site;
	struct ftrace_point *point;
	struct ftrace_plant *next; /* of the same role; stays when it is taken out */
	enum ftrace_role role;
	bool linked; /* hits can find it */
	bool armed;  /* counted in point->armed */
	bool last;   /* took the point out of the table, and frees it */
};

struct ftrace_point {
	unsigned long ip;
	struct ftrace_point *next; /* in the bucket; stays when it is taken out */
	struct ftrace_plant *plants[FTRACE_ROLES];
	struct ftrace_group *group;
	unsigned users; /* linked plants */
	unsigned armed; /* those that want hits */
	bool filtered;  /* in the filter of the group's registered ops */
	bool leaving;   /* about to be taken out of it */
};

#define FTRACE_BUCKET_BITS 13

extern struct ftrace_point *ftrace_buckets[1u << FTRACE_BUCKET_BITS];

static inline unsigned ftrace_bucket(unsigned long ip)
{
	return (unsigned)((ip * 0x9e3779b97f4a7c15ul) >> (64 - FTRACE_BUCKET_BITS));
}

/** The point of a call's address, or NULL. any, with preemption disabled */
static inline struct ftrace_point *ftrace_point_find(unsigned long ip)
{
	struct ftrace_point *point;

	point = __atomic_load_n(&ftrace_buckets[ftrace_bucket(ip)], __ATOMIC_ACQUIRE);
	while (point && point->ip != ip)
		point = __atomic_load_n(&point->next, __ATOMIC_ACQUIRE);
	return point;
}

/** The plants of a role, one after the other. any, with preemption disabled */
static inline struct ftrace_plant *ftrace_plant_first(const struct ftrace_point *point,
						      enum ftrace_role role)
{
	return __atomic_load_n(&point->plants[role], __ATOMIC_ACQUIRE);
}

static inline struct ftrace_plant *ftrace_plant_next(const struct ftrace_plant *plant)
{
	return __atomic_load_n(&plant->next, __ATOMIC_ACQUIRE);
}

/* --- for the planters: the functions of struct planter -------------------------------------------- */

/** 0 if there is an ftrace place for the site, else -EOPNOTSUPP. */
int ftrace_points_can_plant(const struct spile_site *site);
/** `make` (or NULL) makes code for a site that comes alone, and gives NULL if there is nothing to gain. */
typedef struct ftrace_code *ftrace_code_maker(struct spile_site *site);
int ftrace_points_plant(struct spile_site *list, enum ftrace_role role, ftrace_code_maker *make);
void ftrace_points_unplant(struct spile_site *list);
void ftrace_points_release(struct spile_site *list);
int ftrace_points_arm(struct spile_site *site);
void ftrace_points_disarm(struct spile_site *site);

/** Something changes that the code made for the site's point, if any, does not know of. */
void ftrace_point_complicate(const struct spile_site *site);

/** ftrace.c: what ftrace calls when it cannot call the trampoline. any */
void ftrace_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs);

#endif
