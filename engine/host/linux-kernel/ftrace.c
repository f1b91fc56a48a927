// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ftrace planter: function entries, by a callback.
 *
 * The compiler left a call (a nop while nobody listens) at the entry of nearly every function, and
 * ftrace turns them on and off. The price of that is paid for each change of a set, not for each
 * function in it, so all sites that are planted together form a *group* with one struct ftrace_ops:
 *
 *   group -> ops (filter: the ips of the armed sites)
 *         -> slots: an open-addressed hash from ip to site, filled before the ops is registered
 *
 * At a hit the callback finds its site through the group's hash. Slots never move; a slot whose
 * site has gone says NULL. The group lives until its last site is released.
 *
 * The trap to know: an ops with an empty filter hooks *every* function of the kernel. So a filter
 * is set, and the result checked, before the ops is registered, and the last ip never leaves the
 * filter of a registered ops: the ops is unregistered instead.
 *
 * Contexts: everything is task context under the engine's lock, except ftrace_hit(), which runs
 * in any.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/planters.h"

struct ftrace_group;

struct ftrace_slot {
	unsigned long ip;        /* 0: free */
	struct spile_site *site; /* NULL: gone */
	struct ftrace_group *group;
	bool armed;              /* in the filter of a registered ops */
};

struct ftrace_group {
	struct ftrace_ops ops; /* first: a callback gets its address */
	unsigned users;        /* sites not yet released */
	unsigned armed;
	unsigned leaving;      /* armed sites of the unplant under way */
	bool registered;
	bool stuck;            /* could not be unregistered: must never be freed */
	unsigned mask;         /* slots - 1 */
	struct ftrace_slot slots[];
};

static inline struct ftrace_slot *slot_of(const struct spile_site *site)
{
	return site->plant;
}

/* --- the hash: any context --------------------------------------------------------------------- */

static inline unsigned slot_start(const struct ftrace_group *group, unsigned long ip)
{
	return (unsigned)((ip * 0x9e3779b97f4a7c15ul) >> 40) & group->mask;
}

/* The slot of ip, or the free one where it belongs. At least half of the slots are free. */
static inline struct ftrace_slot *slot_find(struct ftrace_group *group, unsigned long ip)
{
	unsigned i = slot_start(group, ip);

	while (group->slots[i].ip && group->slots[i].ip != ip)
		i = (i + 1) & group->mask;
	return &group->slots[i];
}

/* --- the hit: any context ------------------------------------------------------------------------- */

/*
 * Shows the registers as a breakpoint would: ip one behind the probed address, and for
 * post_handlers behind the call's place. A handler that returns 1 has set ip itself.
 */
static void site_hit(struct spile_site *site, unsigned long ip, struct pt_regs *regs)
{
	unsigned long saved = regs->ip;

	regs->ip = site->addr + ARCH_BREAKPOINT_BYTES;
	if (engine_hit(site, regs))
		return;
	if (site->has_post) {
		regs->ip = ip + ARCH_CALL_BYTES;
		engine_hit_post(site, regs, 0);
	}
	regs->ip = saved;
}

/*
 * Preemption is off from the look at the slot on, so that a site that was taken out of it can be
 * freed after host_synchronize(). `regs` is a struct ftrace_regs on newer kernels, which begins
 * with the pt_regs that FTRACE_OPS_FL_SAVE_REGS asks for.
 */
static void ftrace_hit(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs)
{
	struct ftrace_group *group = (struct ftrace_group *)ops;
	struct spile_site *site;

	host_preempt_disable();
	site = __atomic_load_n(&slot_find(group, ip)->site, __ATOMIC_ACQUIRE);
	if (site && regs)
		site_hit(site, ip, regs);
	host_preempt_enable();
}

/* --- groups ------------------------------------------------------------------------------------------ */

static struct ftrace_group *group_create(unsigned sites)
{
	unsigned slots = 2;
	struct ftrace_group *group;

	while (slots < 2 * sites)
		slots *= 2;
	group = host_zalloc(sizeof(*group) + slots * sizeof(group->slots[0]));
	if (!group)
		return NULL;
	group->mask = slots - 1;
	kfield(&group->ops, ftrace_ops, func) = ftrace_hit;
	kfield(&group->ops, ftrace_ops, flags) = (unsigned long)(kenum(ftrace_fl_save_regs) |
								 kenum(ftrace_fl_recursion_safe) |
								 kenum(ftrace_fl_permanent));
	return group;
}

static void group_destroy(struct ftrace_group *group)
{
	if (group->stuck)
		return;
	if (khas(ftrace_free_filter))
		kfn_ftrace_free_filter(&group->ops);
	host_free(group);
}

static void group_add(struct ftrace_group *group, struct spile_site *site)
{
	unsigned long ip = kfn_ftrace_location(site->addr);
	struct ftrace_slot *slot = slot_find(group, ip);

	slot->ip = ip;
	slot->site = site;
	slot->group = group;
	site->plant = slot;
	group->users++;
}

static int group_register(struct ftrace_group *group)
{
	int err = kfn_register_ftrace_function(&group->ops);

	group->registered = !err;
	return err;
}

static void group_unregister(struct ftrace_group *group)
{
	unsigned i;
	int err = kfn_unregister_ftrace_function(&group->ops);

	if (err) { /* ftrace has shut itself down after a bug of its own: leave it alone */
		host_log("ftrace does not let go of its probes (error %d); their memory is kept",
			 err);
		group->stuck = true;
		kfn_try_module_get(&__this_module); /* and so is our text */
	}
	group->registered = false;
	group->armed = 0;
	for (i = 0; i <= group->mask; i++)
		group->slots[i].armed = false;
}

/* --- filters -------------------------------------------------------------------------------------------- */

static int filter_add_all(struct ftrace_group *group, unsigned long *ips, unsigned n)
{
	unsigned i;
	int err = 0;

	if (khas(ftrace_set_filter_ips))
		return kfn_ftrace_set_filter_ips(&group->ops, ips, n, 0, 0);
	for (i = 0; i < n && !err; i++)
		err = kfn_ftrace_set_filter_ip(&group->ops, ips[i], 0, 0);
	return err;
}

/* Arms the enabled sites of a new group in one go. */
static int group_arm(struct ftrace_group *group)
{
	unsigned long *ips = host_zalloc((group->users + 1) * sizeof(*ips));
	unsigned i, n = 0;
	int err;

	if (!ips)
		return -ENOMEM;
	for (i = 0; i <= group->mask; i++) {
		struct ftrace_slot *slot = &group->slots[i];

		slot->armed = slot->site && slot->site->enabled;
		if (slot->armed)
			ips[n++] = slot->ip;
	}
	group->armed = n;
	err = n ? filter_add_all(group, ips, n) : 0;
	if (!err && n)
		err = group_register(group);
	host_free(ips);
	return err;
}

static int slot_arm(struct ftrace_slot *slot)
{
	struct ftrace_group *group = slot->group;
	int err;

	if (slot->armed)
		return 0;
	/* an unregistered ops may still have the ips of earlier times in its filter: reset */
	err = kfn_ftrace_set_filter_ip(&group->ops, slot->ip, 0, !group->registered);
	if (!err && !group->registered)
		err = group_register(group);
	if (err)
		return err;
	slot->armed = true;
	group->armed++;
	return 0;
}

/* If ftrace cannot, the engine or the empty slot ignores the hits. */
static void slot_disarm(struct ftrace_slot *slot)
{
	struct ftrace_group *group = slot->group;

	if (!slot->armed)
		return;
	if (group->armed == 1) {
		group_unregister(group);
		return;
	}
	if (kfn_ftrace_set_filter_ip(&group->ops, slot->ip, 1, 0))
		return;
	slot->armed = false;
	group->armed--;
}

/* --- the planter --------------------------------------------------------------------------------------------- */

static int ftrace_can_plant(const struct spile_site *site)
{
	return kfn_ftrace_location(site->addr) ? 0 : -EOPNOTSUPP;
}

static int ftrace_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct ftrace_group *group;
	struct spile_site *site;
	unsigned n = 0;
	int err;

	for (site = list; site; site = site->batch_next)
		n++;
	group = group_create(n);
	if (!group)
		return -ENOMEM;
	for (site = list; site; site = site->batch_next)
		group_add(group, site);
	err = group_arm(group);
	if (!err)
		return 0;
	for (site = list; site; site = site->batch_next)
		site->plant = NULL;
	group_destroy(group);
	return err;
}

/* A group that loses all its armed sites is unregistered as a whole; else one by one. */
static void ftrace_unplant(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next)
		slot_of(site)->group->leaving += slot_of(site)->armed;
	for (site = list; site; site = site->batch_next) {
		struct ftrace_slot *slot = slot_of(site);
		struct ftrace_group *group = slot->group;

		if (group->registered && group->leaving == group->armed)
			group_unregister(group);
		else
			slot_disarm(slot);
		group->leaving = 0;
		__atomic_store_n(&slot->site, NULL, __ATOMIC_RELEASE);
	}
}

static void ftrace_release(struct spile_site *list)
{
	for (; list; list = list->batch_next) {
		struct ftrace_slot *slot = slot_of(list);

		if (slot && !--slot->group->users)
			group_destroy(slot->group);
	}
}

static int ftrace_arm(struct spile_site *site)
{
	return slot_arm(slot_of(site));
}

static void ftrace_disarm(struct spile_site *site)
{
	slot_disarm(slot_of(site));
}

const struct planter planter_ftrace = {
	.name = "ftrace",
	.id = SPILE_PLANTER_FTRACE,
	.kinds = SITE_PROBE,
	.probe_flags = KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY,
	.can_plant = ftrace_can_plant,
	.plant = ftrace_plant,
	.unplant = ftrace_unplant,
	.release = ftrace_release,
	.arm = ftrace_arm,
	.disarm = ftrace_disarm,
};
