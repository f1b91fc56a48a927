// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites in lists, linked by batch_next, planted and unplanted with one call for each planter. Task
 * context, under the engine's lock.
 */
#include "engine/core/batch.h"
#include "engine/core/fault.h"
#include "engine/core/site.h"
#include "engine/host.h"

/* --- a list of sites, linked by batch_next ------------------------------------------------------- */

void list_push(struct site_list *list, struct spile_site *site)
{
	site->batch_next = list->first;
	list->first = site;
}

/* Moves the sites of one planter from `list` to `ret`. */
static void list_split(struct site_list *list, const struct planter *planter, struct site_list *ret)
{
	struct spile_site **link = &list->first, *site;

	ret->first = NULL;
	while ((site = *link)) {
		if (site->planter != planter) {
			link = &site->batch_next;
			continue;
		}
		*link = site->batch_next;
		list_push(ret, site);
	}
}

void list_append(struct site_list *list, struct site_list *more)
{
	struct spile_site **link = &list->first;

	while (*link)
		link = &(*link)->batch_next;
	*link = more->first;
	more->first = NULL;
}

static void set_planted(struct site_list *list, bool planted)
{
	struct spile_site *site;

	for (site = list->first; site; site = site->batch_next)
		site->planted = planted;
}

/* --- planting and unplanting ----------------------------------------------------------------------- */

/* Moves the sites that are planted from `list` to `ret`. */
static void list_split_planted(struct site_list *list, struct site_list *ret)
{
	struct spile_site **link = &list->first, *site;

	ret->first = NULL;
	while ((site = *link)) {
		if (!site->planted) {
			link = &site->batch_next;
			continue;
		}
		*link = site->batch_next;
		list_push(ret, site);
	}
}

void sites_unplant(struct site_list *list)
{
	struct site_list all, planted, mine;

	list_split_planted(list, &planted);
	all = *list;
	while (planted.first) {
		const struct planter *planter = planted.first->planter;

		list_split(&planted, planter, &mine);
		planter->unplant(mine.first);
		set_planted(&mine, false);
		list_append(&all, &mine);
	}
	*list = all;
}

void sites_release(struct site_list *list)
{
	struct site_list all = { NULL }, mine;
	struct spile_site *site;

	faults_end(list);
	while (list->first) {
		const struct planter *planter = list->first->planter;

		list_split(list, planter, &mine);
		planter->release(mine.first);
		for (site = mine.first; site; site = site->batch_next)
			site->plant = site->extra = NULL;
		list_append(&all, &mine);
	}
	*list = all;
}

void sites_destroy(struct site_list *list)
{
	struct spile_site *site;

	while ((site = list->first)) {
		list->first = site->batch_next;
		site_destroy(site);
	}
}

/* Their planter is full: gives what it has begun back, and chooses another. */
static int move_on(struct site_list *list)
{
	const struct planter *full = list->first->planter;
	struct spile_site *site;
	struct kprobe *p;
	int err = 0;

	host_synchronize();
	full->release(list->first);
	for (site = list->first; site; site = site->batch_next) {
		site->plant = site->extra = NULL;
		if (!err && policy_choose(engine.home, site, full, &site->planter))
			err = -ENOMEM;
		for (p = site->probes; p; p = p->next)
			p->flags |= site->planter->probe_flags;
	}
	return err;
}

int sites_plant(struct site_list *list, struct spile_site **ret_failed)
{
	struct site_list done = { NULL }, mine;
	int err = 0;

	while (list->first && !err) {
		const struct planter *planter = list->first->planter;

		list_split(list, planter, &mine);
		err = planter->plant(mine.first, ret_failed);
		if (err == -ENOSPC) {
			err = move_on(&mine);
			list_append(list, &mine);
			continue;
		}
		if (err) {
			list_append(list, &mine);
			break;
		}
		set_planted(&mine, true);
		list_append(&done, &mine);
	}
	if (err)
		sites_unplant(&done);
	list_append(&done, list);
	*list = done;
	return err;
}
