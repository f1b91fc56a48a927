// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchpoints: checks, batches, on and off, and what runs at a hit. How the hardware is told is the
 * home's (watch.h). They obey the rule of hit.c: handlers do not run inside each other.
 */
#include "engine/core/watch.h"

#include "engine/core/run.h"
#include "engine/host.h"

static struct spile_watchpoint *watchpoints; /* the registered ones, under the home's lock */

/* any, with preemption disabled */
void engine_watch_hit(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	struct engine_frame frame;
	struct engine_cpu *cpu = hit_enter(NULL, &frame);

	if (!cpu) {
		__atomic_fetch_add(&wp->nmissed, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&wp->nhit, 1, __ATOMIC_RELAXED);
	if (wp->handler)
		wp->handler(wp, regs);
	hit_leave(cpu, &frame);
}

/* --- registration: task context, locked ------------------------------------------------------------ */

static bool is_registered(const struct spile_watchpoint *wanted)
{
	const struct spile_watchpoint *wp = watchpoints;

	while (wp && wp != wanted)
		wp = wp->next;
	return wp != NULL;
}

static int watch_resolve(const char *name, uint64_t *ret)
{
	if (engine.home->watch->resolve)
		return engine.home->watch->resolve(name, ret);
	return engine.home->resolve(name, ret);
}

static int watch_check(struct spile_watchpoint *wp, uint64_t *ret_addr)
{
	int err;

	*ret_addr = wp->bp_addr;
	if (!wp->bp_addr == !wp->symbol_name)
		return -EINVAL;
	if (wp->bp_type != SPILE_WATCH_WRITE && wp->bp_type != SPILE_WATCH_READ_WRITE)
		return -EINVAL;
	if (wp->bp_len != 1 && wp->bp_len != 2 && wp->bp_len != 4 && wp->bp_len != 8)
		return -EINVAL;
	if (!engine.home->watch)
		return -EOPNOTSUPP;
	err = wp->symbol_name ? watch_resolve(wp->symbol_name, ret_addr) : 0;
	return err ? err : *ret_addr % wp->bp_len ? -EINVAL : 0;
}

static int watch_arm(struct spile_watchpoint *wp)
{
	return wp->flags & KPROBE_FLAG_DISABLED ? 0 : engine.home->watch->arm(wp);
}

static void watch_disarm(struct spile_watchpoint *wp)
{
	if (!(wp->flags & KPROBE_FLAG_DISABLED))
		engine.home->watch->disarm(wp);
	wp->watch = NULL;
}

static int watch_register(struct spile_watchpoint *wp)
{
	uint64_t addr, asked = wp->bp_addr;
	int err;

	if (is_registered(wp))
		return -EBUSY;
	err = watch_check(wp, &addr);
	if (err)
		return err;
	wp->bp_addr = addr;
	wp->nhit = wp->nmissed = 0;
	wp->watch = NULL;
	wp->flags &= KPROBE_FLAG_DISABLED;
	err = watch_arm(wp);
	if (err) {
		wp->bp_addr = asked;
		return err;
	}
	wp->next = watchpoints;
	watchpoints = wp;
	return 0;
}

/* Afterwards the address of one that was given by name is unknown again. */
static void watch_unregister(struct spile_watchpoint *wp)
{
	struct spile_watchpoint **link = &watchpoints;

	while (*link && *link != wp)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = wp->next;
	watch_disarm(wp);
	if (wp->symbol_name)
		wp->bp_addr = 0;
}

/* --- the API ------------------------------------------------------------------------------------------ */

int spile_register_watchpoints(struct spile_watchpoint **wps, int num)
{
	int done, err = 0;

	if (num <= 0)
		return -EINVAL;
	engine.home->lock();
	for (done = 0; done < num && !err; done++)
		err = watch_register(wps[done]);
	if (err) {
		for (done--; done > 0; done--)
			watch_unregister(wps[done - 1]);
		host_synchronize();
	}
	engine.home->unlock();
	return err;
}

void spile_unregister_watchpoints(struct spile_watchpoint **wps, int num)
{
	int i;

	engine.home->lock();
	for (i = 0; i < num; i++)
		watch_unregister(wps[i]);
	host_synchronize();
	engine.home->unlock();
}

int spile_register_watchpoint(struct spile_watchpoint *wp)
{
	return spile_register_watchpoints(&wp, 1);
}

void spile_unregister_watchpoint(struct spile_watchpoint *wp)
{
	spile_unregister_watchpoints(&wp, 1);
}

int spile_disable_watchpoint(struct spile_watchpoint *wp)
{
	int err = -EINVAL;

	engine.home->lock();
	if (is_registered(wp)) {
		err = 0;
		watch_disarm(wp);
		wp->flags |= KPROBE_FLAG_DISABLED;
	}
	engine.home->unlock();
	return err;
}

int spile_enable_watchpoint(struct spile_watchpoint *wp)
{
	int err = -EINVAL;

	engine.home->lock();
	if (is_registered(wp)) {
		err = wp->flags & KPROBE_FLAG_DISABLED ? engine.home->watch->arm(wp) : 0;
		if (!err)
			wp->flags &= ~(uint32_t)KPROBE_FLAG_DISABLED;
	}
	engine.home->unlock();
	return err;
}
