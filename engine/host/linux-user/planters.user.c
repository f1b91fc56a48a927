// SPDX-License-Identifier: GPL-2.0-only
/*
 * The planters of a process: jump and breakpoint for probes, and one for returns. They differ in
 * when they may be used; what they do is to hang sites on points (point.h) and to have the text
 * follow. site->plant is the point, site->extra tells whether the site is armed; a return site's
 * plant is its pool.
 */
#include <sys/syscall.h>

#include "engine/core/control.h"
#include "engine/core/engine.h"
#include "engine/host.h"
#include "engine/host/linux-user/handlers.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/planters.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/return.h"
#include "engine/host/linux-user/signals.h"
#include "engine/host/linux-user/trap.h"
#include "spile/session.h"

/* --- what all have in common ---------------------------------------------------------------------- */

static struct point *point_of(const struct spile_site *site)
{
	if (!site->plant)
		return NULL;
	return site->kind == SITE_RETURN ? return_point(site->plant) : site->plant;
}

/* Counts the site among the armed ones of its point, or not any more. */
static void set_armed(struct spile_site *site, bool on)
{
	struct point *point = point_of(site);

	if (on == (site->extra != NULL))
		return;
	site->extra = on ? site : NULL;
	point->armed += on ? 1 : -1;
	if (site->kind == SITE_RETURN && !on)
		return_set_armed(site->plant, false);
}

/* The text is ready: hits may run its handlers. */
static void go_live(struct spile_site *site)
{
	if (site->kind == SITE_RETURN)
		return_set_armed(site->plant, site->extra != NULL);
	else
		__atomic_store_n(&point_of(site)->live, site, __ATOMIC_RELEASE);
	point_update_only(point_of(site));
}

static unsigned probe_needs(const struct kprobe *p)
{
	return handler_needs((uint64_t)(uintptr_t)p->pre_handler);
}

/* What hangs on the point may need more than its detour saves: that must change before it is hit. */
static int needs_more(struct point *point, unsigned needs)
{
	point->needs |= needs;
	return point->needs & ~point->gives && point->mode == POINT_JUMP ? point_apply(point) : 0;
}

static int probe_attach(struct spile_site *site)
{
	const struct kprobe *p;
	struct point *point;
	int err = point_get(site->addr, &point);

	if (err)
		return err;
	site->plant = point;
	point->wants_jump |= site->planter == &planter_jump;
	for (p = site->probes; p; p = p->next)
		point->needs |= probe_needs(p);
	point->probes = site;
	return 0;
}

static int return_attach(struct spile_site *site)
{
	struct return_pool *pool;
	struct point *point;
	int err = point_get(site->addr, &point);

	if (err)
		return err;
	err = return_create(site, &pool);
	if (err) {
		point_put(point);
		return err;
	}
	site->plant = pool;
	point->wants_jump = true;
	/* The pool itself looks for the return address: at sp. */
	err = needs_more(point, X86_HANDLER_WORDS |
			 handler_needs((uint64_t)(uintptr_t)site_kretprobe(site)->entry_handler));
	__atomic_store_n(&point->only, NULL, __ATOMIC_RELEASE);
	return_link(pool, point);
	return err;
}

/* No hit begins any more; those that have begun may still use the site. */
static void detach(struct spile_site *site)
{
	struct point *point = point_of(site);

	if (site->kind == SITE_RETURN) {
		return_unlink(site->plant);
	} else {
		__atomic_store_n(&point->live, NULL, __ATOMIC_RELEASE);
		point->probes = NULL;
	}
	point_update_only(point);
}

static void text_unplant(struct spile_site *list)
{
	struct point *changed = NULL;
	struct spile_site *site;

	points_sweep(); /* what has been closed is not to be written to */
	for (site = list; site; site = site->batch_next) {
		if (!site->plant)
			continue;
		set_armed(site, false);
		change_list_add(&changed, point_of(site));
	}
	change_list_apply(changed, NULL);
	for (site = list; site; site = site->batch_next)
		if (site->plant)
			detach(site);
	for (site = list; site; site = site->batch_next)
		if (site->plant)
			point_put(point_of(site));
}

static int text_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct point *changed = NULL, *culprit = NULL;
	struct spile_site *site;
	int err = traps_init();

	points_sweep();
	for (site = list; site && !err; site = site->batch_next) {
		err = site->kind == SITE_RETURN ? return_attach(site) : probe_attach(site);
		if (err) {
			*ret_failed = site;
			break;
		}
		set_armed(site, site->enabled != 0);
		change_list_add(&changed, point_of(site));
	}
	if (!err)
		err = change_list_apply(changed, &culprit);
	else
		change_list_drop(changed);
	for (site = list; site && !err; site = site->batch_next)
		go_live(site);
	if (!err)
		return 0;
	for (site = list; culprit && site; site = site->batch_next)
		if (point_of(site) == culprit)
			*ret_failed = site;
	text_unplant(list);
	return err;
}

static void text_release(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next) {
		if (site->plant && site->kind == SITE_RETURN)
			return_release(site->plant);
		site->plant = NULL;
	}
	points_collect(false);
}

static int text_arm(struct spile_site *site)
{
	int err;

	set_armed(site, true);
	err = point_apply(point_of(site));
	if (err)
		set_armed(site, false);
	else
		go_live(site);
	return err;
}

static void text_disarm(struct spile_site *site)
{
	set_armed(site, false);
	point_apply(point_of(site));
}

/* Its handler may need more than the detour saves. */
static int text_join(struct spile_site *site, const struct kprobe *p)
{
	struct point *point = point_of(site);
	int err = needs_more(point, probe_needs(p));

	__atomic_store_n(&point->only, NULL, __ATOMIC_RELEASE); /* until the next change here */
	return err;
}

/* A post_handler has come, or the last one has gone: a jump can, or need not, give way. */
static int text_update(struct spile_site *site)
{
	return point_apply(point_of(site));
}

static void text_relax(struct spile_site *site)
{
	point_apply(point_of(site));
}

/* A point knows by itself what it wants; all of them are looked at, whatever the list. */
static void text_optimize(struct spile_site *list)
{
	points_set_optimization(engine_optimization());
}

/* --- shadow stacks ---------------------------------------------------------------------------------- */

#define SHADOW_STATUS 0x5005 /* arch_prctl: which shadow stack features this thread has */
#define SHADOW_ON 1

/*
 * With one, the processor compares each return with the call that it belongs to. What bends return
 * addresses is refused then, and what does a call's work in another place.
 */
static bool has_shadow_stack(void)
{
	unsigned long features = 0;

	return !RAW_SYSCALL(SYS_arch_prctl, SHADOW_STATUS, (long)&features) &&
	       features & SHADOW_ON;
}

static bool is_call(const struct x86_insn *insn)
{
	return insn->kind == X86_CALL || insn->kind == X86_CALL_INDIRECT;
}

/* --- which may be used ------------------------------------------------------------------------------ */

static int breakpoint_can_plant(const struct spile_site *site)
{
	uint8_t bytes[X86_INSN_MAX];
	struct x86_insn insn;
	int got = point_read_original(NULL, site->addr, bytes, sizeof(bytes));

	if (got <= 0 || x86_decode(bytes, (size_t)got, &insn) < 0)
		return -EINVAL;
	if (is_call(&insn) && has_shadow_stack())
		return -EOPNOTSUPP;
	return x86_slot_check(&insn, X86_PROCESS, false);
}

static int jump_can_plant(const struct spile_site *site)
{
	const char *why;
	int err = breakpoint_can_plant(site); /* every jump is a breakpoint first */

	if (err)
		return err;
	if (has_shadow_stack()) /* there may be a call among the instructions that a jump covers */
		return -EOPNOTSUPP;
	return points_optimization() && point_may_jump(site->addr, &why) ? 0 : -EOPNOTSUPP;
}

static int return_can_plant(const struct spile_site *site)
{
	struct function f;

	/* Later than the first instruction the stack does not begin with the return address. */
	if (objects_function(site->addr, &f) || f.start != site->addr)
		return -EINVAL;
	if (!return_is_allowed(f.name))
		return -EINVAL;
	if (has_shadow_stack())
		return -EOPNOTSUPP;
	return breakpoint_can_plant(site);
}

const struct planter planter_jump = {
	.name = "jump",
	.id = SPILE_PLANTER_JUMP,
	.kinds = SITE_PROBE,
	.can_plant = jump_can_plant,
	.plant = text_plant,
	.unplant = text_unplant,
	.release = text_release,
	.arm = text_arm,
	.disarm = text_disarm,
	.join = text_join,
	.update = text_update,
	.relax = text_relax,
	.optimize = text_optimize,
};

const struct planter planter_breakpoint = {
	.name = "breakpoint",
	.id = SPILE_PLANTER_BREAKPOINT,
	.kinds = SITE_PROBE,
	.can_plant = breakpoint_can_plant,
	.plant = text_plant,
	.unplant = text_unplant,
	.release = text_release,
	.arm = text_arm,
	.disarm = text_disarm,
	.join = text_join,
	.update = text_update,
	.relax = text_relax,
};

const struct planter planter_return = {
	.name = "return",
	.id = SPILE_PLANTER_RETURN,
	.kinds = SITE_RETURN,
	.can_plant = return_can_plant,
	.plant = text_plant,
	.unplant = text_unplant,
	.release = text_release,
	.arm = text_arm,
	.disarm = text_disarm,
};
