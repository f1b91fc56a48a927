// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native planter: any instruction, by the kernel's own register_kprobe underneath.
 *
 * One kernel kprobe for each site calls the site's handlers. A site that gets a post_handler gets
 * a second kernel kprobe that carries only that: the kernel puts both on one breakpoint, and the
 * sites without post_handlers keep the chance of being optimized to a jump.
 *
 * Contexts: task context under the engine's lock, except the two handlers, which run in any.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/planters.h"

#define NATIVE_FLAG_DISABLED 2u /* the kernel's KPROBE_FLAG_DISABLED, the same value as ours */

struct native_kprobe {
	struct kernel_kprobe kp; /* first: the kernel's handlers get its address */
	struct spile_site *site;
};

struct native_plant {
	struct native_kprobe pre;
	struct native_kprobe post;
	bool has_post; /* `post` is registered */
};

static inline struct native_plant *plant_of(const struct spile_site *site)
{
	return site->plant;
}

/* --- hits: any context ------------------------------------------------------------------------ */

static int native_pre(struct kernel_kprobe *kp, struct pt_regs *regs)
{
	return engine_hit(((struct native_kprobe *)kp)->site, regs);
}

static void native_post(struct kernel_kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
	engine_hit_post(((struct native_kprobe *)kp)->site, regs, flags);
}

/* --- registering ---------------------------------------------------------------------------------- */

static int native_register(struct native_kprobe *native, struct spile_site *site)
{
	native->site = site;
	knative(&native->kp, kprobe, addr) = (void *)site->addr;
	knative(&native->kp, kprobe, flags) = site->enabled ? 0 : NATIVE_FLAG_DISABLED;
	return kfn_register_kprobe(&native->kp);
}

/* The post_handlers of a site arrive: task context. */
static int native_update(struct spile_site *site)
{
	struct native_plant *plant = plant_of(site);
	int err;

	if (plant->has_post || !site->has_post)
		return 0;
	knative(&plant->post.kp, kprobe, post_handler) = native_post;
	err = native_register(&plant->post, site);
	plant->has_post = !err;
	return err;
}

static int plant_create(struct spile_site *site)
{
	struct native_plant *plant = host_zalloc(sizeof(*plant));
	int err;

	if (!plant)
		return -ENOMEM;
	site->plant = plant;
	knative(&plant->pre.kp, kprobe, pre_handler) = native_pre;
	err = native_register(&plant->pre, site);
	if (err)
		goto free_plant;
	err = native_update(site);
	if (!err)
		return 0;
	kfn_unregister_kprobe(&plant->pre.kp);
free_plant:
	host_free(plant);
	site->plant = NULL;
	return err;
}

/* --- unregistering: one wait of the kernel's for the whole list, if there is memory ------------------- */

static unsigned collect(struct spile_site *list, struct kernel_kprobe **ps)
{
	unsigned n = 0;

	for (; list; list = list->batch_next) {
		if (ps)
			ps[n] = &plant_of(list)->pre.kp;
		n++;
		if (!plant_of(list)->has_post)
			continue;
		if (ps)
			ps[n] = &plant_of(list)->post.kp;
		n++;
	}
	return n;
}

static void native_unplant(struct spile_site *list)
{
	unsigned n = collect(list, NULL);
	struct kernel_kprobe **ps = host_zalloc(n * sizeof(*ps));

	if (ps) {
		collect(list, ps);
		kfn_unregister_kprobes(ps, (int)n);
		host_free(ps);
		return;
	}
	for (; list; list = list->batch_next) {
		kfn_unregister_kprobe(&plant_of(list)->pre.kp);
		if (plant_of(list)->has_post)
			kfn_unregister_kprobe(&plant_of(list)->post.kp);
	}
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
		kfn_unregister_kprobe(&plant_of(undo)->pre.kp);
		if (plant_of(undo)->has_post)
			kfn_unregister_kprobe(&plant_of(undo)->post.kp);
		host_free(undo->plant);
		undo->plant = NULL;
	}
	return err;
}

static int native_arm(struct spile_site *site)
{
	struct native_plant *plant = plant_of(site);
	int err = kfn_enable_kprobe(&plant->pre.kp);

	if (!err && plant->has_post)
		err = kfn_enable_kprobe(&plant->post.kp);
	return err;
}

static void native_disarm(struct spile_site *site)
{
	struct native_plant *plant = plant_of(site);

	kfn_disable_kprobe(&plant->pre.kp);
	if (plant->has_post)
		kfn_disable_kprobe(&plant->post.kp);
}

/* Hits that the kernel did not even show us, because a kprobe's handler was running. */
static void native_account(const struct spile_site *site, struct site_misses *ret)
{
	ret->nested = knative(&plant_of(site)->pre.kp, kprobe, nmissed);
	ret->instance = 0;
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
	.account = native_account,
};
