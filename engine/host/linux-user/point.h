/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/point.h - a place in the text that fires.
 *
 * A function's entry may have a site for probes and several for returns; all of them share the
 * bytes there, and that is a *point*. The planters hang sites on points and tell a point what has
 * changed; points_apply() then brings the text from what it is to what is wanted.
 *
 *     CLEAR <----> BREAKPOINT <----> JUMP
 *
 * There is no other way: a jump is always made out of a breakpoint, and becomes one first.
 *
 * All functions: task context, under the home's lock, except those marked "any".
 */
#ifndef SPILE_HOST_LINUX_USER_POINT_H
#define SPILE_HOST_LINUX_USER_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/detour.h"
#include "engine/arch/x86/optimize.h"
#include "engine/arch/x86/slot.h"
#include "engine/core/planter.h"

struct return_pool;

enum point_mode {
	POINT_CLEAR,
	POINT_BREAKPOINT,
	POINT_JUMP,
};

struct point {
	uint64_t addr;
	uint64_t serial;             /* of the object whose code it is */
	struct point *hash_next;     /* read by hits */
	struct point *change_next;   /* links the list for points_apply() */

	/* Who is here. `live` and `returns` are read by hits, without a lock. */
	struct spile_site *probes;
	struct spile_site *live;     /* the same when the text is ready for its handlers */
	struct return_pool *returns;
	struct kprobe *only;         /* not NULL: nothing else has to be run here, which is quick */
	unsigned users, armed;       /* sites; those with an enabled probe */

	enum point_mode mode;
	bool gone;                   /* the code has been unmapped */
	bool can_jump;               /* the checks that do not depend on other probes passed */
	bool wants_jump;             /* a planter that jumps has a site here */
	unsigned needs;              /* of all handlers that have been here (handlers.h) */
	unsigned gives;              /* and what the detour was built for */
	bool queued, leaving_jump, entering_jump, entered_jump; /* points_apply()'s */
	int err;                     /* what went wrong with its text */

	uint8_t original[X86_INSN_MAX];
	struct x86_insn insn;
	struct x86_slot slot;
	struct x86_region region;
	struct x86_detour detour;
	uint64_t detour_at;
	uint64_t via_detour;         /* where a breakpoint's hit goes on in the detour; 0: in the slot */
};

/** The point at addr, made if there is none; one more user. 0 or -errno. */
int point_get(uint64_t addr, struct point **ret);
/** One user less. With the last one gone, hits do not find the point any more. */
void point_put(struct point *point);
/**
 * After host_synchronize(): gives back the memory of points without users, as far as nobody is in
 * it; `now`: even if it is little.
 */
void points_collect(bool now);

/** The point at addr, or NULL. Calls for every point. */
struct point *point_at(uint64_t addr);
void points_each(void (*visit)(struct point *point, void *arg), void *arg);

/** Collects points that have changed, each once, with those whose jump may reach into them. */
void change_list_add(struct point **list, struct point *point);
/** Brings their text to what is wanted. 0 or some point's error; then *ret_failed, if not NULL. */
int change_list_apply(struct point *list, struct point **ret_failed);
void change_list_drop(struct point *list);
int point_apply(struct point *point);
/** Looks for closed libraries; their points become gone. */
void points_sweep(void);

/** Whether all of the checks of the text allow a jump at addr; the verdict's words otherwise. */
bool point_may_jump(uint64_t addr, const char **ret_why);
/** Optimization on or off, for all points. */
void points_set_optimization(bool on);
bool points_optimization(void);

/** The text as it is without any probe; x86_read_text. */
int point_read_original(void *unused, uint64_t addr, uint8_t *dst, size_t size);

/** The code is no more: other code may come there, with points of its own. */
void point_set_gone(struct point *point);
/** Calls for the slot of each point in [start, end), also of those that are gone but may be in use. */
void points_slots(uint64_t start, uint64_t end, void (*visit)(uint64_t slot, void *arg), void *arg);
/** Changes whenever a point comes or goes. any */
uint32_t points_generation(void);
/** The point whose breakpoint is at addr, or whose slot or detour contains it. any, preempt off */
struct point *point_find(uint64_t addr);
/** Finds out whether there is but one probe to run. */
void point_update_only(struct point *point);
/** Takes a detour that nobody enters any more away from its point; the memory is given back later. */
void point_retire_detour(struct point *point);
/**
 * Tells the engine of a handler that runs on the short way on this thread: hits that come now are
 * nested. quick_hide() takes the answer. any, preempt off
 */
bool quick_show(void);
void quick_hide(bool shown);
/** Runs what hangs on the point; non-zero: go to regs->ip. any */
int point_hit(struct point *point, struct pt_regs *regs);

static inline void kprobe_flag(struct kprobe *p, uint32_t flag, bool on)
{
	if (on)
		__atomic_fetch_or(&p->flags, flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&p->flags, ~flag, __ATOMIC_RELAXED);
}

#endif
