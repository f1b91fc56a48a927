// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of function entries; see ftrace_group.h. Task context under the engine's lock.
 *
 * The trap to know: an ops with an empty filter hooks *every* function of the kernel. So a filter
 * is set, and the result checked, before the ops is registered, and the last ip never leaves the
 * filter of a registered ops: the ops is unregistered instead.
 */
#include "engine/host/linux-kernel/ftrace_group.h"

static inline struct ftrace_slot *slot_of(const struct spile_site *site)
{
	return site->plant;
}

/* --- groups ------------------------------------------------------------------------------------- */

static struct ftrace_group *group_create(unsigned sites, kcb_ftrace *callback)
{
	unsigned slots = 2;
	struct ftrace_group *group;

	while (slots < 2 * sites)
		slots *= 2;
	group = host_zalloc(sizeof(*group) + slots * sizeof(group->slots[0]));
	if (!group)
		return NULL;
	group->mask = slots - 1;
	kfield(&group->ops, ftrace_ops, func) = callback;
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
	unsigned i = ftrace_slot_start(group, ip);

	while (group->slots[i].ip)
		i = (i + 1) & group->mask;
	group->slots[i] = (struct ftrace_slot){ .ip = ip, .site = site, .group = group };
	site->plant = &group->slots[i];
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

/* --- filters --------------------------------------------------------------------------------------- */

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

/* Whether an armed slot keeps this ip in the filter. */
static bool ip_in_filter(struct ftrace_group *group, unsigned long ip)
{
	unsigned i = ftrace_slot_start(group, ip);
	struct ftrace_slot *slot;

	while ((slot = ftrace_slot_next(group, ip, &i)))
		if (slot->armed)
			return true;
	return false;
}

/* Arms the enabled sites of a new group in one go. */
static int group_arm(struct ftrace_group *group)
{
	unsigned long *ips = host_zalloc((group->users + 1) * sizeof(*ips));
	unsigned i, n = 0;
	int err = 0;

	if (!ips)
		return -ENOMEM;
	for (i = 0; i <= group->mask; i++) {
		struct ftrace_slot *slot = &group->slots[i];

		if (!slot->site || !slot->site->enabled)
			continue;
		if (!ip_in_filter(group, slot->ip))
			ips[n++] = slot->ip;
		slot->armed = true;
		group->armed++;
	}
	if (n)
		err = filter_add_all(group, ips, n);
	if (!err && n)
		err = group_register(group);
	host_free(ips);
	return err;
}

static int slot_arm(struct ftrace_slot *slot)
{
	struct ftrace_group *group = slot->group;
	int err = 0;

	if (slot->armed)
		return 0;
	/* an unregistered ops may still have the ips of earlier times in its filter: reset */
	if (!ip_in_filter(group, slot->ip))
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
	slot->armed = false;
	group->armed--;
	if (!ip_in_filter(group, slot->ip))
		kfn_ftrace_set_filter_ip(&group->ops, slot->ip, 1, 0);
}

/* --- the contract ------------------------------------------------------------------------------------ */

int ftrace_group_can_plant(const struct spile_site *site)
{
	unsigned long ip = kfn_ftrace_location(site->addr);

	if (!ip)
		return -EOPNOTSUPP;
	return ip < site->addr ? -EILSEQ : 0; /* inside of the call's place */
}

int ftrace_group_plant(struct spile_site *list, kcb_ftrace *callback)
{
	struct ftrace_group *group;
	struct spile_site *site;
	unsigned n = 0;
	int err;

	for (site = list; site; site = site->batch_next)
		n++;
	group = group_create(n, callback);
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
void ftrace_group_unplant(struct spile_site *list)
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

void ftrace_group_release(struct spile_site *list)
{
	for (; list; list = list->batch_next) {
		struct ftrace_slot *slot = slot_of(list);

		if (slot && !--slot->group->users)
			group_destroy(slot->group);
	}
}

int ftrace_group_arm(struct spile_site *site)
{
	return slot_arm(slot_of(site));
}

void ftrace_group_disarm(struct spile_site *site)
{
	slot_disarm(slot_of(site));
}
