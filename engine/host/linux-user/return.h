/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/return.h - return probes: pools of instances, and pads that calls return to.
 *
 * Task context under the home's lock, except those marked "any".
 */
#ifndef SPILE_HOST_LINUX_USER_RETURN_H
#define SPILE_HOST_LINUX_USER_RETURN_H

#include <stdbool.h>
#include <stdint.h>

struct point;
struct pt_regs;
struct return_pool;
struct spile_site;

/** Reserves the pads. 0 or -errno. */
int returns_init(void);
/** In the child of a fork: calls of the parent's other threads do not return here. */
void returns_forked(void);

/** Makes the instances of a return site; sets the default of maxactive. 0 or -errno. */
int return_create(struct spile_site *site, struct return_pool **ret);
/** Hangs a pool on a point, and takes it off: no new instances from then on. */
void return_link(struct return_pool *pool, struct point *point);
void return_unlink(struct return_pool *pool);
/** After host_synchronize(): frees, now or when the last call that is watched has returned. */
void return_release(struct return_pool *pool);
void returns_collect(void);

struct point *return_point(const struct return_pool *pool);
void return_set_optimized(struct return_pool *pool, bool on);
void return_set_gone(struct return_pool *pool);
void return_set_armed(struct return_pool *pool, bool armed);

/** The next pool of the same point. any */
struct return_pool *return_next(const struct return_pool *pool);
/** The function has been entered: takes an instance and bends the return address. any, preempt off */
void return_enter(struct return_pool *pool, struct pt_regs *regs);

/** Whether a return probe may be put on a function of this name: not if it returns twice. */
bool return_is_allowed(const char *function);

#endif
