// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native planter: any instruction, by the kernel's own register_kprobe underneath.
 *
 * One kernel kprobe for each site calls the site's handlers. It has a post_handler only when one
 * of the site's probes has, or when optimization is switched off, because that keeps the kernel from
 * optimizing it to a jump; and when there is a fault_handler, because then the kernel knows whose copy
 * of an instruction runs. When that changes later, the kernel kprobe is replaced; hits in between,
 * some milliseconds, are not seen. (A second kernel kprobe for the post_handlers beside the first would
 * leave no gap, but 5.10 does not call a post_handler that joins a kprobe without one.)
 *
 * Contexts: task context under the engine's lock, except the two handlers, which run in any.
 */
#include "engine/core/control.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/planters.h"

#define NATIVE_FLAG_DISABLED 2u /* the kernel's KPROBE_FLAG_DISABLED, the same value as ours */

struct native_plant {
	struct kernel_kprobe kp; /* first: the kernel's handlers get its address */
	struct spile_site *site;
	uint64_t missed_before;  /* by a kernel kprobe that this one replaced */
	bool with_post;
};

static inline struct native_plant *plant_of(const struct spile_site *site)
{
	return site->plant;
}

/* --- hits: any context ------------------------------------------------------------------------ */

static int native_pre(struct kernel_kprobe *kp, struct pt_regs *regs)
{
	return engine_hit(((struct native_plant *)kp)->site, regs);
}

static void native_post(struct kernel_kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
	engine_hit_post(((struct native_plant *)kp)->site, regs, flags);
}

/* --- registering and unregistering ------------------------------------------------------------ */

/*
 * A kprobe that has been optimized stays in place for a while after it was unregistered, and one that
 * comes meanwhile is made a part of it; on 5.10 without its post_handler.
 */
static void wait_for_former(uint64_t addr)
{
	bool found;

	if (!khas(get_kprobe) || !khas(wait_for_kprobe_optimizer))
		return;
	host_preempt_disable();
	found = kfn_get_kprobe((void *)addr) != NULL;
	host_preempt_enable();
	if (found)
		kfn_wait_for_kprobe_optimizer();
}

static int plant_register(struct native_plant *plant, bool with_post)
{
	struct spile_site *site = plant->site;

	if (with_post)
		wait_for_former(site->addr);
	memset(&plant->kp, 0, sizeof(plant->kp));
	knative(&plant->kp, kprobe, addr) = (void *)site->addr;
	knative(&plant->kp, kprobe, flags) = site->enabled ? 0 : NATIVE_FLAG_DISABLED;
	knative(&plant->kp, kprobe, pre_handler) = native_pre;
	knative(&plant->kp, kprobe, post_handler) = with_post ? native_post : NULL;
	plant->with_post = with_post;
	return kfn_register_kprobe(&plant->kp);
}

static bool wants_post(const struct spile_site *site)
{
	return site->has_post || site->has_fault || !engine_optimization();
}

static int plant_create(struct spile_site *site)
{
	struct native_plant *plant = host_zalloc(sizeof(*plant));
	int err;

	if (!plant)
		return -ENOMEM;
	plant->site = site;
	site->plant = plant;
	err = plant_register(plant, wants_post(site));
	if (err) {
		host_free(plant);
		site->plant = NULL;
	}
	return err;
}

/*
 * The first post_handler or fault_handler of a site arrives, or optimization is switched. If the kernel refuses, the
 * rest goes on as before.
 */
static int native_update(struct spile_site *site)
{
	struct native_plant *plant = plant_of(site);
	bool before = plant->with_post;
	int err;

	if (before == wants_post(site))
		return 0;
	kfn_unregister_kprobe(&plant->kp);
	plant->missed_before += knative(&plant->kp, kprobe, nmissed);
	err = plant_register(plant, !before);
	if (err && plant_register(plant, before))
		host_log("the probe at %#llx could not be planted again",
			 (unsigned long long)site->addr);
	return err;
}

static void native_optimize(struct spile_site *list)
{
	for (; list; list = list->batch_next)
		native_update(list);
}

/* One wait of the kernel's for the whole list, if there is memory for an array of it. */
static void native_unplant(struct spile_site *list)
{
	struct kernel_kprobe **ps;
	struct spile_site *site;
	unsigned n = 0;

	for (site = list; site; site = site->batch_next)
		n++;
	ps = host_zalloc(n * sizeof(*ps));
	for (site = list, n = 0; site; site = site->batch_next) {
		if (ps)
			ps[n++] = &plant_of(site)->kp;
		else
			kfn_unregister_kprobe(&plant_of(site)->kp);
	}
	if (ps)
		kfn_unregister_kprobes(ps, (int)n);
	host_free(ps);
}

static void native_release(struct spile_site *list)
{
	for (; list; list = list->batch_next)
		host_free(list->plant);
}

/* --- the planter ------------------------------------------------------------------------------------------ */

static int native_can_plant(const struct spile_site *site)
{
	return khas(register_kprobe) ? 0 : -EOPNOTSUPP;
}

static int native_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site, *undo;
	int err = 0;

	for (site = list; site; site = site->batch_next) {
		err = plant_create(site);
		if (err)
			break;
	}
	if (!err)
		return 0;
	*ret_failed = site;
	for (undo = list; undo != site; undo = undo->batch_next) {
		kfn_unregister_kprobe(&plant_of(undo)->kp);
		host_free(undo->plant);
		undo->plant = NULL;
	}
	return err;
}

static int native_arm(struct spile_site *site)
{
	return kfn_enable_kprobe(&plant_of(site)->kp);
}

static void native_disarm(struct spile_site *site)
{
	kfn_disable_kprobe(&plant_of(site)->kp);
}

/* Hits that the kernel did not even show us, because a kprobe's handler was running. */
static void native_account(const struct spile_site *site, struct site_misses *ret)
{
	ret->nested = plant_of(site)->missed_before + knative(&plant_of(site)->kp, kprobe, nmissed);
}

const struct planter planter_native = {
	.name = "native",
	.id = SPILE_PLANTER_NATIVE,
	.kinds = SITE_PROBE,
	.can_plant = native_can_plant,
	.plant = native_plant,
	.unplant = native_unplant,
	.release = native_release,
	.arm = native_arm,
	.disarm = native_disarm,
	.update = native_update,
	.optimize = native_optimize,
	.account = native_account,
};
