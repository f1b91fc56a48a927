// SPDX-License-Identifier: GPL-2.0-only
/*
 * A site's life: made when its first probe arrives, its list of probes, gone with the last one.
 * Task context, under the engine's lock.
 */
#include "engine/core/site.h"
#include "engine/core/fault.h"
#include "engine/host.h"

/* Makes a site that is not planted yet. */
static int site_create(uint64_t addr, enum site_kind kind, uint32_t flags,
		       struct spile_site **ret)
{
	const struct engine_home *home = engine.home;
	struct spile_site *site = host_zalloc(sizeof(*site));
	int err;

	if (!site)
		return -ENOMEM;
	site->addr = addr;
	site->kind = kind;
	site->asked = flags; /* other probes come and go, the planter stays */
	err = home->check(addr);
	if (err)
		goto free_site;
	err = policy_choose(home, site, NULL, &site->planter);
	if (err)
		goto free_site;
	if (home->pin) {
		err = home->pin(addr, &site->pin);
		if (err)
			goto free_site;
	}
	table_add(site);
	*ret = site;
	return 0;

free_site:
	host_free(site);
	return err;
}

void site_destroy(struct spile_site *site)
{
	table_remove(site);
	if (engine.home->pin)
		engine.home->unpin(site->pin);
	host_free(site);
}

int site_get(uint64_t addr, enum site_kind kind, uint32_t flags, struct spile_site **ret)
{
	struct spile_site *site = NULL;

	if (kind == SITE_PROBE) /* return sites have one probe each */
		site = table_find(addr, kind);
	if (!site)
		return site_create(addr, kind, flags, ret);
	*ret = site;
	return 0;
}

/* Follows a change of site->enabled or site->has_post on a planted site. */
static int site_follow(struct spile_site *site, bool was_enabled, bool had_post)
{
	const struct planter *planter = site->planter;
	int err = 0;

	if (!site->planted)
		return 0;
	if (site->has_post && !had_post && planter->update)
		err = planter->update(site);
	if (!err && site->enabled && !was_enabled)
		err = planter->arm(site);
	if (!site->enabled && was_enabled)
		planter->disarm(site);
	if (!site->has_post && had_post && planter->relax)
		planter->relax(site);
	return err;
}

/* A break_handler is never called, but says that the probe is to stay what it is: no jump. */
static bool probe_has_post(const struct kprobe *p)
{
	return p->post_handler || p->break_handler;
}

/* One probe more or less, or none: but another state of the engine's switch. */
static void site_want(struct spile_site *site, int change)
{
	site->wanted += (unsigned)change;
	site->enabled = engine.off ? 0 : site->wanted;
}

/* What has to be there before the probe is. */
static int link_begin(struct spile_site *site, struct kprobe *p)
{
	bool had_fault = site->has_fault;
	int err = 0;

	if (p->fault_handler)
		err = faults_begin(site);
	if (!err && site->planted && site->has_fault && !had_fault && site->planter->update)
		err = site->planter->update(site);
	if (!err && site->planted && site->planter->join)
		err = site->planter->join(site, p);
	return err;
}

int site_link(struct spile_site *site, struct kprobe *p)
{
	bool was_enabled = site->enabled != 0, had_post = site->has_post;
	struct kprobe **link = &site->probes;
	int err;

	err = link_begin(site, p);
	if (err)
		return err;
	while (*link)
		link = &(*link)->next;
	p->next = NULL;
	p->site = site;
	p->flags |= site->planter->probe_flags | site->probe_flags;
	__atomic_store_n(link, p, __ATOMIC_RELEASE);
	site->has_post |= probe_has_post(p);
	site_want(site, !(p->flags & KPROBE_FLAG_DISABLED));
	err = site_follow(site, was_enabled, had_post);
	if (err)
		site_unlink(site, p);
	return err;
}

/* p->next stays as it is: a hit that is at p still finds its way on. */
void site_unlink(struct spile_site *site, struct kprobe *p)
{
	bool was_enabled = site->enabled != 0, had_post = site->has_post;
	struct kprobe **link = &site->probes, *left;

	while (*link != p)
		link = &(*link)->next;
	__atomic_store_n(link, p->next, __ATOMIC_RELEASE);
	site_want(site, -!(p->flags & KPROBE_FLAG_DISABLED));
	site->has_post = false;
	for (left = site->probes; left; left = left->next)
		site->has_post |= probe_has_post(left);
	site_follow(site, was_enabled, had_post);
}

int site_switch(struct spile_site *site)
{
	bool was_enabled = site->enabled != 0;
	int err;

	site_want(site, 0);
	err = site_follow(site, was_enabled, site->has_post);
	if (err)
		site->enabled = 0;
	return err;
}

int site_set_enabled(struct spile_site *site, struct kprobe *p, bool on)
{
	bool was_enabled = site->enabled != 0, was_on = !(p->flags & KPROBE_FLAG_DISABLED);
	int err;

	if (was_on == on)
		return 0;
	if (!on) {
		site_want(site, -1);
		__atomic_fetch_or(&p->flags, KPROBE_FLAG_DISABLED, __ATOMIC_RELAXED);
		return site_follow(site, was_enabled, site->has_post);
	}
	__atomic_fetch_add(&engine.pauses, 1, __ATOMIC_RELAXED);
	site_want(site, 1);
	__atomic_fetch_and(&p->flags, ~(uint32_t)KPROBE_FLAG_DISABLED, __ATOMIC_RELAXED);
	err = site_follow(site, was_enabled, site->has_post);
	if (err) {
		site_want(site, -1);
		__atomic_fetch_or(&p->flags, KPROBE_FLAG_DISABLED, __ATOMIC_RELAXED);
	}
	return err;
}

void site_account(struct spile_site *site)
{
	struct site_misses now = { 0 };
	struct kprobe *p;

	if (!site->planter->account || !site->plant)
		return;
	site->planter->account(site, &now);
	for (p = site->probes; p; p = p->next)
		__atomic_fetch_add(&p->nmissed, now.nested - site->seen.nested, __ATOMIC_RELAXED);
	site->seen = now;
}
