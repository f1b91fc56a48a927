/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/watch.h - what a home does for watchpoints, and what it calls when one fires.
 *
 *   resolve   address of a variable; 0 or -ENOENT; NULL: as the home's own. task
 *   arm       has accesses reported to engine_watch_hit() from now on; sets wp->watch. 0 or -errno, see
 *             spile/watchpoint.h; length, type and alignment have been checked. task, locked
 *   disarm    no more reports begin; running ones may go on until host_synchronize(). The wp may
 *             then be freed. task, locked
 */
#ifndef SPILE_ENGINE_CORE_WATCH_H
#define SPILE_ENGINE_CORE_WATCH_H

#include <stdint.h>

#include "spile/watchpoint.h"

struct watch_home {
	int (*resolve)(const char *name, uint64_t *ret);
	int (*arm)(struct spile_watchpoint *wp);
	void (*disarm)(struct spile_watchpoint *wp);
};

/** An armed watchpoint has fired. any, with preemption disabled */
void engine_watch_hit(struct spile_watchpoint *wp, struct pt_regs *regs);

#endif
