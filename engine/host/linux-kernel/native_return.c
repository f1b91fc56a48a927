// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native return planter: function returns, by the kernel's own register_kretprobe underneath.
 *
 * The kernel keeps the pool of instances, swaps the return address, and knows how to walk a stack
 * that has its trampoline on it. Each of its instances has room for data of ours, and that is
 * where our instance lives, the user's data behind it.
 *
 * Contexts: task context under the engine's lock, except the two handlers, which run in any.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/planters.h"

#define NATIVE_FLAG_DISABLED 2u

struct native_return {
	struct kernel_kretprobe rp; /* first: instances lead to its address */
	struct spile_site *site;
};

static inline struct native_return *plant_of(const struct spile_site *site)
{
	return site->plant;
}

static inline struct kernel_kprobe *kprobe_of(struct native_return *plant)
{
	return &knative(&plant->rp, kretprobe, kp);
}

/* --- hits: any context --------------------------------------------------------------------------- */

static inline struct kretprobe_instance *our_instance(struct kernel_kretprobe_instance *ri)
{
	return (struct kretprobe_instance *)&knative(ri, kretprobe_instance, data);
}

/* The kernel's kretprobe of an instance; NULL when it is being unregistered. */
static inline struct native_return *plant_of_instance(struct kernel_kretprobe_instance *ri)
{
	struct rethook *hook;

	if (khas(kretprobe_instance_rp))
		return (struct native_return *)knative(ri, kretprobe_instance, rp);
	hook = kfield(&knative(ri, kretprobe_instance, node), rethook_node, rethook);
	return __atomic_load_n(&kfield(hook, rethook, data), __ATOMIC_RELAXED);
}

/* The return address is still where the call put it: the kernel replaces it after this. */
static int native_entry(struct kernel_kretprobe_instance *ri, struct pt_regs *regs)
{
	struct native_return *plant = plant_of_instance(ri);

	if (!plant)
		return 1;
	return engine_return_entry(plant->site, our_instance(ri), regs, *(uint64_t *)regs->sp);
}

/*
 * Calls that found no instance are the kernel's to see. Its count is taken over when one of the
 * instances comes back, so that it can be read while the probe is registered.
 */
static inline void take_missed(const struct native_return *plant, struct kretprobe *rp)
{
	__atomic_store_n(&rp->nmissed, knative(&plant->rp, kretprobe, nmissed), __ATOMIC_RELAXED);
}

static int native_exit(struct kernel_kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = our_instance(ri)->rp;

	take_missed(plant_of(rp->kp.site), rp);
	engine_return_exit(rp->kp.site, our_instance(ri), regs);
	return 0;
}

/* --- the planter ------------------------------------------------------------------------------------ */

static int return_can_plant(const struct spile_site *site)
{
	bool leads_back = khas(kretprobe_instance_rp) ||
			  (khas(kretprobe_instance_node) && khas(rethook_data));

	return khas(register_kretprobe) && leads_back ? 0 : -EOPNOTSUPP;
}

static int plant_create(struct spile_site *site)
{
	struct native_return *plant = host_zalloc(sizeof(*plant));
	struct kretprobe *rp = site_kretprobe(site);
	int err;

	if (!plant)
		return -ENOMEM;
	if (rp->maxactive <= 0)
		rp->maxactive = kretprobe_default_maxactive(host_cpu_max());
	plant->site = site;
	knative(kprobe_of(plant), kprobe, addr) = (void *)site->addr;
	knative(kprobe_of(plant), kprobe, flags) = site->enabled ? 0 : NATIVE_FLAG_DISABLED;
	knative(&plant->rp, kretprobe, handler) = native_exit;
	knative(&plant->rp, kretprobe, entry_handler) = native_entry;
	knative(&plant->rp, kretprobe, maxactive) = rp->maxactive;
	knative(&plant->rp, kretprobe, data_size) = sizeof(struct kretprobe_instance) +
						    rp->data_size;
	site->plant = plant;
	err = kfn_register_kretprobe(&plant->rp);
	if (err) {
		site->plant = NULL;
		host_free(plant);
		return err;
	}
	return 0;
}

static void return_unplant(struct spile_site *list)
{
	struct kernel_kretprobe **rps;
	struct spile_site *site;
	unsigned n = 0;

	for (site = list; site; site = site->batch_next)
		n++;
	rps = host_zalloc(n * sizeof(*rps));
	for (site = list, n = 0; site; site = site->batch_next) {
		if (rps)
			rps[n++] = &plant_of(site)->rp;
		else
			kfn_unregister_kretprobe(&plant_of(site)->rp);
	}
	if (rps)
		kfn_unregister_kretprobes(rps, (int)n);
	host_free(rps);
}

static void return_release(struct spile_site *list)
{
	for (; list; list = list->batch_next)
		host_free(list->plant);
}

static int return_plant(struct spile_site *list, struct spile_site **ret_failed)
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
		kfn_unregister_kretprobe(&plant_of(undo)->rp);
		host_free(undo->plant);
		undo->plant = NULL;
	}
	return err;
}

static int return_arm(struct spile_site *site)
{
	return kfn_enable_kprobe(kprobe_of(plant_of(site)));
}

static void return_disarm(struct spile_site *site)
{
	kfn_disable_kprobe(kprobe_of(plant_of(site)));
}

static void return_account(const struct spile_site *site, struct site_misses *ret)
{
	struct native_return *plant = plant_of(site);

	ret->nested = knative(kprobe_of(plant), kprobe, nmissed);
	take_missed(plant, site_kretprobe(site));
}

const struct planter planter_native_return = {
	.name = "native return",
	.id = SPILE_PLANTER_NATIVE_RETURN,
	.kinds = SITE_RETURN,
	.can_plant = return_can_plant,
	.plant = return_plant,
	.unplant = return_unplant,
	.release = return_release,
	.arm = return_arm,
	.disarm = return_disarm,
	.account = return_account,
};
