// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points, plants and groups; see ftrace_point.h. Task context under the engine's lock.
 *
 * The trap to know: an ops with an empty filter hooks *every* function of the kernel. So a filter
 * is set, and the result checked, before the ops is registered, and the last ip never leaves the
 * filter of a registered ops: the ops is unregistered instead.
 *
 * Since the ops is not in the kernel's own memory, ftrace returns from unregistering it only when no
 * task is in the trampoline any more, preempted ones included. So the core's text may go when all
 * groups have gone.
 */
#include "engine/host/linux-kernel/ftrace_point.h"
#include "engine/host/linux-kernel/ftrace_hit.h"

struct ftrace_group {
	struct ftrace_ops ops;
	struct ftrace_code *code; /* for its one point, or NULL */
	unsigned points;  /* that came with it and are not freed yet */
	unsigned armed;   /* points in the filter, when registered */
	unsigned leaving; /* of those, the ones that the unplant under way takes out */
	bool registered;
	bool stuck;       /* could not be unregistered: must never be freed */
};

struct ftrace_point *ftrace_buckets[1u << FTRACE_BUCKET_BITS];

static inline struct ftrace_plant *plant_of(const struct spile_site *site)
{
	return site->plant;
}

/* --- groups ------------------------------------------------------------------------------------- */

static struct ftrace_group *group_create(void)
{
	struct ftrace_group *group = host_zalloc(sizeof(*group));

	if (!group)
		return NULL;
	kfield(&group->ops, ftrace_ops, func) = ftrace_callback;
	kfield(&group->ops, ftrace_ops, trampoline) = (unsigned long)ftrace_trampoline;
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
	ftrace_code_put(group->code);
	host_free(group);
}

static int group_register(struct ftrace_group *group)
{
	int err = kfn_register_ftrace_function(&group->ops);

	group->registered = !err;
	return err;
}

static void group_unregister(struct ftrace_group *group)
{
	int err = kfn_unregister_ftrace_function(&group->ops);

	if (err) { /* ftrace has shut itself down after a bug of its own: leave it alone */
		host_log("ftrace does not let go of its probes (error %d); their memory is kept",
			 err);
		group->stuck = true;
		kfn_try_module_get(&__this_module); /* and so is our text */
	}
	group->registered = false;
}

/* Puts n ips into the filter or takes them out; with `reset` nothing else stays in it. */
static int group_filter(struct ftrace_group *group, unsigned long *ips, unsigned n, bool remove,
			bool reset)
{
	unsigned i;
	int err = 0;

	if (khas(ftrace_set_filter_ips))
		return kfn_ftrace_set_filter_ips(&group->ops, ips, n, remove, reset);
	for (i = 0; i < n && !err; i++)
		err = kfn_ftrace_set_filter_ip(&group->ops, ips[i], remove, reset && !i);
	return err;
}

/* --- points and plants ------------------------------------------------------------------------------ */

static struct ftrace_point *point_create(unsigned long ip, struct ftrace_group *group)
{
	struct ftrace_point **bucket = &ftrace_buckets[ftrace_bucket(ip)];
	struct ftrace_point *point = host_zalloc(sizeof(*point));

	if (!point)
		return NULL;
	point->ip = ip;
	point->group = group;
	group->points++;
	point->next = *bucket;
	__atomic_store_n(bucket, point, __ATOMIC_RELEASE);
	return point;
}

static void point_unlink(struct ftrace_point *point)
{
	struct ftrace_point **link = &ftrace_buckets[ftrace_bucket(point->ip)];

	while (*link != point)
		link = &(*link)->next;
	__atomic_store_n(link, point->next, __ATOMIC_RELEASE);
}

static void point_destroy(struct ftrace_point *point)
{
	if (!--point->group->points)
		group_destroy(point->group);
	host_free(point);
}

static void plant_link(struct ftrace_plant *plant, struct ftrace_point *point)
{
	struct ftrace_plant **link = &point->plants[plant->role];

	while (*link)
		link = &(*link)->next;
	plant->point = point;
	plant->linked = true;
	if (point->users++)
		ftrace_point_complicate(plant->site);
	__atomic_store_n(link, plant, __ATOMIC_RELEASE);
}

static void plant_unlink(struct ftrace_plant *plant)
{
	struct ftrace_point *point = plant->point;
	struct ftrace_plant **link = &point->plants[plant->role];

	if (!plant->linked)
		return;
	while (*link != plant)
		link = &(*link)->next;
	__atomic_store_n(link, plant->next, __ATOMIC_RELEASE);
	plant->linked = false;
	if (--point->users)
		return;
	point_unlink(point);
	plant->last = true;
}

/* Makes a site's plant and, if it is the first at its place, the point, in a group of the batch. */
static int plant_create(struct spile_site *site, enum ftrace_role role, struct ftrace_group **group)
{
	unsigned long ip = kfn_ftrace_location(site->addr);
	struct ftrace_point *point = ftrace_point_find(ip);
	struct ftrace_plant *plant = host_zalloc(sizeof(*plant));

	if (!plant)
		return -ENOMEM;
	if (!point && !*group)
		*group = group_create();
	if (!point && *group)
		point = point_create(ip, *group);
	if (!point) {
		host_free(plant);
		return -ENOMEM;
	}
	plant->site = site;
	plant->role = role;
	site->plant = plant;
	plant_link(plant, point);
	return 0;
}

void ftrace_point_complicate(const struct spile_site *site)
{
	struct ftrace_code *code = plant_of(site)->point->group->code;

	if (code)
		__atomic_store_n(&code->slow, 1, __ATOMIC_RELEASE);
}

/* Of a new group with this site alone. */
static void group_use_code(struct ftrace_group *group, struct ftrace_code *code)
{
	group->code = code;
	if (code)
		kfield(&group->ops, ftrace_ops, trampoline) = code->at;
}

/* --- arming ----------------------------------------------------------------------------------------- */

/* One point alone into its group's filter. */
static int point_arm(struct ftrace_point *point)
{
	struct ftrace_group *group = point->group;
	int err;

	/* an unregistered ops may still have the ips of earlier times in its filter: reset */
	err = group_filter(group, &point->ip, 1, false, !group->registered);
	if (!err && !group->registered)
		err = group_register(group);
	if (err)
		return err;
	point->filtered = true;
	group->armed++;
	return 0;
}

static int plant_arm(struct ftrace_plant *plant)
{
	struct ftrace_point *point = plant->point;
	int err = 0;

	if (plant->armed)
		return 0;
	if (!point->filtered)
		err = point_arm(point);
	if (err)
		return err;
	plant->armed = true;
	point->armed++;
	return 0;
}

/* The enabled sites of a new group in one go. Those at points of other groups have been armed. */
static int group_arm(struct ftrace_group *group, struct spile_site *list, unsigned n)
{
	unsigned long *ips = host_zalloc(n * sizeof(*ips));
	struct spile_site *site;
	unsigned used = 0;
	int err;

	if (!ips)
		return -ENOMEM;
	for (site = list; site; site = site->batch_next) {
		struct ftrace_plant *plant = plant_of(site);

		if (!site->enabled || plant->point->group != group)
			continue;
		if (!plant->point->armed++)
			ips[used++] = plant->point->ip;
		plant->armed = true;
	}
	err = used ? group_filter(group, ips, used, false, true) : 0;
	if (!err && used)
		err = group_register(group);
	host_free(ips);
	if (err || !used)
		return err;
	group->armed = used;
	for (site = list; site; site = site->batch_next)
		if (plant_of(site)->point->group == group)
			plant_of(site)->point->filtered = plant_of(site)->point->armed != 0;
	return 0;
}

/* Arms those of a list that are at points of other groups than the list's own. */
static int others_arm(struct spile_site *list, const struct ftrace_group *own)
{
	int err = 0;

	for (; list && !err; list = list->batch_next)
		if (list->enabled && plant_of(list)->point->group != own)
			err = plant_arm(plant_of(list));
	return err;
}

/* --- disarming ---------------------------------------------------------------------------------------- */

/* The site wants no more hits; the point may still, for others. */
static void plant_disarm(struct ftrace_plant *plant)
{
	struct ftrace_point *point = plant->point;

	if (!plant->armed)
		return;
	plant->armed = false;
	if (--point->armed || !point->filtered)
		return;
	point->leaving = true;
	point->group->leaving++;
}

/* Takes all leaving points of a group out; if ftrace cannot, their hits find nothing to do. */
static void group_disarm(struct ftrace_group *group, struct spile_site *list)
{
	bool whole = group->leaving == group->armed;
	unsigned long *ips = whole ? NULL : host_zalloc(group->leaving * sizeof(*ips));
	unsigned n = 0;

	if (whole)
		group_unregister(group);
	for (; list; list = list->batch_next) {
		struct ftrace_point *point = list->plant ? plant_of(list)->point : NULL;

		if (!point || !point->leaving || point->group != group)
			continue;
		point->leaving = false;
		point->filtered = false;
		if (ips)
			ips[n++] = point->ip;
		else if (!whole) /* no memory: one by one needs none */
			group_filter(group, &point->ip, 1, true, false);
	}
	if (ips)
		group_filter(group, ips, n, true, false);
	host_free(ips);
	group->armed -= group->leaving;
	group->leaving = 0;
}

/* --- the contract ------------------------------------------------------------------------------------ */

int ftrace_points_can_plant(const struct spile_site *site)
{
	unsigned long ip = kfn_ftrace_location(site->addr);

	if (!ip)
		return -EOPNOTSUPP;
	return ip < site->addr ? -EILSEQ : 0; /* inside of the call's place */
}

int ftrace_points_plant(struct spile_site *list, enum ftrace_role role, ftrace_code_maker *make)
{
	struct ftrace_group *group = NULL;
	struct spile_site *site;
	unsigned n = 0;
	int err = 0;

	for (site = list; site && !err; site = site->batch_next, n++)
		err = plant_create(site, role, &group);
	if (!err && group && n == 1 && make)
		group_use_code(group, make(list));
	if (!err)
		err = others_arm(list, group);
	if (!err && group)
		err = group_arm(group, list, n);
	if (!err)
		return 0;
	ftrace_points_unplant(list);
	if (group && !group->points)
		group_destroy(group);
	return err;
}

void ftrace_points_unplant(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next) {
		if (!site->plant)
			continue;
		ftrace_point_complicate(site);
		plant_disarm(plant_of(site));
	}
	for (site = list; site; site = site->batch_next)
		if (site->plant && plant_of(site)->point->leaving)
			group_disarm(plant_of(site)->point->group, list);
	for (site = list; site; site = site->batch_next)
		if (site->plant)
			plant_unlink(plant_of(site));
}

void ftrace_points_release(struct spile_site *list)
{
	for (; list; list = list->batch_next) {
		struct ftrace_plant *plant = plant_of(list);

		if (plant && plant->last)
			point_destroy(plant->point);
		host_free(plant);
		list->plant = NULL;
	}
}

int ftrace_points_arm(struct spile_site *site)
{
	return plant_arm(plant_of(site));
}

void ftrace_points_disarm(struct spile_site *site)
{
	struct spile_site *rest = site->batch_next;

	site->batch_next = NULL; /* a list of one */
	plant_disarm(plant_of(site));
	if (plant_of(site)->point->leaving)
		group_disarm(plant_of(site)->point->group, site);
	site->batch_next = rest;
}
