// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registration, in batches.
 *
 * Registering is three steps: each probe is resolved, checked and linked to its site; the sites
 * that are new are planted, one call for each planter, because a planter can do many sites for
 * nearly the price of one; a failure at any point takes everything back in reverse.
 *
 * Unregistering is the mirror: sites that lose their last probe are unplanted, one call for each
 * planter; one wait for running handlers; only then are lists taken apart and memory freed.
 *
 * Everything here is task context and runs under the home's lock.
 */
#include "engine/core/batch.h"
#include "engine/core/engine.h"
#include "engine/core/jprobe.h"
#include "engine/core/site.h"
#include "engine/host.h"

/* What may be set before registering, and is kept. */
#define FLAGS_OF_USER (KPROBE_FLAG_DISABLED | KPROBE_FLAG_ARGS_IN_REGS | KPROBE_FLAG_TEXT)

/* --- register ------------------------------------------------------------------------------------------ */

static int probe_address(const struct kprobe *p, enum site_kind kind, uint64_t *ret)
{
	int err;

	if (!p->addr == !p->symbol_name)
		return -EINVAL;
	if (p->symbol_name) {
		err = engine.home->resolve(p->symbol_name, ret);
		if (err)
			return err;
	} else {
		*ret = (uint64_t)(uintptr_t)p->addr;
	}
	*ret += p->offset;
	if (kind == SITE_PROBE && engine.home->adjust)
		*ret = engine.home->adjust(*ret);
	if (kprobe_is_jprobe(p) && engine.home->is_entry && !engine.home->is_entry(*ret))
		return -EINVAL; /* there are no arguments to show */
	return 0;
}

static int probe_register(struct kprobe *p, enum site_kind kind, struct site_list *created)
{
	struct spile_site *site;
	uint64_t addr;
	int err;

	if (p->addr && table_find_probe(p))
		return -EBUSY;
	err = probe_address(p, kind, &addr);
	if (err)
		return err;
	err = site_get(addr, kind, p->flags, &site);
	if (err)
		return err;
	if (!site->probes)
		list_push(created, site);
	p->addr = (kprobe_opcode_t *)(uintptr_t)addr;
	p->flags &= FLAGS_OF_USER;
	p->nmissed = 0;
	p->nhit = 0;
	count_begin(p);
	err = site_link(site, p);
	if (err) {
		host_synchronize();
		count_end(p);
		if (p->symbol_name)
			p->addr = NULL;
	}
	return err;
}

/* Leaves a probe as it was before registration, so that the caller may try again. */
static void probe_forget(struct kprobe *p, bool forget_address)
{
	count_end(p);
	p->site = NULL;
	p->next = NULL;
	p->flags &= FLAGS_OF_USER;
	if (forget_address)
		p->addr = p->symbol_name ? NULL : p->addr - p->offset;
}

static unsigned index_of(struct kprobe **ps, unsigned num, const struct spile_site *site)
{
	unsigned i;

	for (i = 0; i < num; i++)
		if (site && ps[i]->site == site)
			return i;
	return num;
}

/* From here on the code may go away: engine_gone() will tell. */
static void sites_settle(struct site_list *list)
{
	struct spile_site *site;

	if (!engine.home->settle)
		return;
	for (site = list->first; site; site = site->batch_next) {
		engine.home->settle(site->pin);
		site->pin = NULL;
	}
}

static int batch_register(struct kprobe **ps, unsigned num, enum site_kind kind,
			  unsigned *ret_failed)
{
	struct site_list created = { NULL };
	struct spile_site *culprit = NULL;
	unsigned i, linked;
	int err = 0;

	*ret_failed = num;
	for (linked = 0; linked < num; linked++) {
		err = probe_register(ps[linked], kind, &created);
		if (err) {
			*ret_failed = linked;
			goto undo;
		}
	}
	err = sites_plant(&created, &culprit);
	if (!err) {
		sites_settle(&created);
		return 0;
	}
	*ret_failed = index_of(ps, num, culprit);
undo:
	for (i = linked; i-- > 0;)
		site_unlink(ps[i]->site, ps[i]);
	host_synchronize();
	sites_release(&created);
	sites_destroy(&created);
	for (i = 0; i < linked; i++)
		probe_forget(ps[i], true);
	return err;
}

/* --- unregister -------------------------------------------------------------------------------------------- */

static bool all_leaving(struct spile_site *site, struct kprobe **ps, unsigned num)
{
	const struct kprobe *p;
	unsigned i;

	for (p = site->probes; p; p = p->next) {
		for (i = 0; i < num && ps[i] != p; i++)
			;
		if (i == num)
			return false;
	}
	return true;
}

static void batch_unregister(struct kprobe **ps, unsigned num)
{
	struct site_list leaving = { NULL };
	struct spile_site *site;
	unsigned i;

	for (i = 0; i < num; i++) {
		site = ps[i]->addr ? table_find_probe(ps[i]) : NULL;
		ps[i]->site = site;
		if (!site)
			ps[i]->addr = NULL; /* was not registered: the document's answer */
		if (!site || site->leaving)
			continue;
		site->leaving = site->probes->next ? all_leaving(site, ps, num) : true;
		if (site->leaving) {
			list_push(&leaving, site);
		} else {
			site_account(site);
			site_unlink(site, ps[i]);
		}
	}
	sites_unplant(&leaving);
	host_synchronize();
	for (site = leaving.first; site; site = site->batch_next)
		site_account(site);
	for (i = 0; i < num; i++)
		if (ps[i]->site)
			probe_forget(ps[i], false);
	sites_release(&leaving);
	sites_destroy(&leaving);
}

/* --- code that goes away ---------------------------------------------------------------------------------------- */

static void site_set_gone(struct spile_site *site)
{
	struct kprobe *p;

	site->gone = true;
	for (p = site->probes; p; p = p->next)
		__atomic_fetch_or(&p->flags, KPROBE_FLAG_GONE, __ATOMIC_RELAXED);
}

unsigned engine_gone(uint64_t start, uint64_t end)
{
	struct site_list going = { NULL };
	struct spile_site *site = NULL;
	unsigned n = 0;

	engine.home->lock();
	while ((site = table_next(site))) {
		if (site->addr < start || site->addr >= end || (site->gone && !site->planted))
			continue;
		site_set_gone(site);
		list_push(&going, site);
		n++;
	}
	if (n) {
		sites_unplant(&going);
		host_synchronize();
		for (site = going.first; site; site = site->batch_next)
			site_account(site);
		sites_release(&going);
	}
	engine.home->unlock();
	return n;
}

/* --- the API -------------------------------------------------------------------------------------------------- */

/* The kprobes of a batch of kretprobes as an array; they are embedded, so it has to be made. */
static struct kprobe **kprobes_of(struct kretprobe **rps, unsigned num)
{
	struct kprobe **ps = host_zalloc((num ? num : 1) * sizeof(*ps));
	unsigned i;

	for (i = 0; ps && i < num; i++)
		ps[i] = &rps[i]->kp;
	return ps;
}

int engine_register_kprobes(struct kprobe **ps, unsigned num, unsigned *ret_failed)
{
	int err;

	engine.home->lock();
	err = batch_register(ps, num, SITE_PROBE, ret_failed);
	engine.home->unlock();
	return err;
}

int engine_register_kretprobes(struct kretprobe **rps, unsigned num, unsigned *ret_failed)
{
	struct kprobe **ps = kprobes_of(rps, num);
	unsigned i;
	int err;

	*ret_failed = num;
	if (!ps)
		return -ENOMEM;
	for (i = 0; i < num; i++) {
		rps[i]->kp.pre_handler = NULL;
		rps[i]->kp.post_handler = NULL;
		rps[i]->nmissed = 0;
	}
	engine.home->lock();
	err = batch_register(ps, num, SITE_RETURN, ret_failed);
	engine.home->unlock();
	host_free(ps);
	return err;
}

int spile_register_kprobes(struct kprobe **ps, int num)
{
	unsigned failed;

	return num <= 0 ? -EINVAL : engine_register_kprobes(ps, (unsigned)num, &failed);
}

void spile_unregister_kprobes(struct kprobe **ps, int num)
{
	if (num <= 0)
		return;
	engine.home->lock();
	batch_unregister(ps, (unsigned)num);
	engine.home->unlock();
}

int spile_register_kprobe(struct kprobe *p)
{
	return spile_register_kprobes(&p, 1);
}

void spile_unregister_kprobe(struct kprobe *p)
{
	spile_unregister_kprobes(&p, 1);
}

int spile_register_kretprobes(struct kretprobe **rps, int num)
{
	unsigned failed;

	return num <= 0 ? -EINVAL : engine_register_kretprobes(rps, (unsigned)num, &failed);
}

void spile_unregister_kretprobes(struct kretprobe **rps, int num)
{
	struct kprobe **ps, *one;
	int i;

	if (num <= 0)
		return;
	ps = kprobes_of(rps, (unsigned)num);
	if (ps) {
		spile_unregister_kprobes(ps, num);
		host_free(ps);
		return;
	}
	for (i = 0; i < num; i++) { /* no memory: one by one needs none */
		one = &rps[i]->kp;
		spile_unregister_kprobes(&one, 1);
	}
}

int spile_register_kretprobe(struct kretprobe *rp)
{
	return spile_register_kretprobes(&rp, 1);
}

void spile_unregister_kretprobe(struct kretprobe *rp)
{
	spile_unregister_kprobe(&rp->kp);
}

static int set_enabled(struct kprobe *p, bool on)
{
	struct spile_site *site;
	int err = -EINVAL;

	engine.home->lock();
	site = p->addr ? table_find_probe(p) : NULL;
	if (site) {
		if (site->gone)
			err = on ? -EINVAL : 0;
		else
			err = site_set_enabled(site, p, on);
		site_account(site);
		count_update(p);
	}
	engine.home->unlock();
	return err;
}

int spile_disable_kprobe(struct kprobe *p)
{
	return set_enabled(p, false);
}

int spile_enable_kprobe(struct kprobe *p)
{
	return set_enabled(p, true);
}

const char *spile_kprobe_planter(const struct kprobe *p)
{
	const char *name = "none";
	struct spile_site *site;

	engine.home->lock();
	site = p->addr ? table_find_probe(p) : NULL;
	if (site)
		name = site->planter->name;
	engine.home->unlock();
	return name;
}

/* --- accounting, start and end ----------------------------------------------------------------------------------- */

void engine_probe_counts(struct kprobe *p, struct engine_counts *ret)
{
	struct spile_site *site;

	memset(ret, 0, sizeof(*ret));
	engine.home->lock();
	site = p->addr ? table_find_probe(p) : NULL;
	if (site) {
		site_account(site);
		ret->planter = site->planter->id;
		if (site->kind == SITE_RETURN)
			ret->missed_instance = (uint64_t)site_kretprobe(site)->nmissed;
	}
	count_update(p);
	ret->flags = p->flags;
	ret->hits = p->nhit;
	ret->missed_nested = p->nmissed;
	engine.home->unlock();
}

/* What account() tells may be in nmissed as well: all that matters is that it grows. */
uint64_t engine_probe_unseen(const struct kprobe *p)
{
	const struct spile_site *site = p->site;
	struct site_misses below = { 0 };

	if (site->planter->account && site->plant)
		site->planter->account(site, &below);
	return __atomic_load_n(&p->nmissed, __ATOMIC_RELAXED) + below.nested +
	       __atomic_load_n(&engine.pauses, __ATOMIC_RELAXED);
}

void engine_kretprobe_counts(struct kretprobe *rp, struct engine_counts *ret)
{
	engine_probe_counts(&rp->kp, ret);
	ret->missed_instance = (uint64_t)rp->nmissed;
}

unsigned engine_sites(void)
{
	return table_count();
}

int engine_init(const struct engine_home *home)
{
	engine.home = home;
	engine.cpus = host_zalloc((host_cpu_max() + 1) * sizeof(*engine.cpus));
	if (!engine.cpus)
		return -ENOMEM;
	engine_cpus_init();
	return counts_init();
}

void engine_deinit(void)
{
	struct engine_cpu *cpus = engine.cpus;
	struct spile_site *site;

	while ((site = table_next(NULL))) {
		host_log("probe at %#llx was left behind by its owner",
			 (unsigned long long)site->addr);
		while (table_next(NULL) == site)
			spile_unregister_kprobe(site->probes);
	}
	counts_deinit();
	/* The home may go on to ask about faults until it has ended itself: engine_hit_fault(). */
	__atomic_store_n(&engine.cpus, NULL, __ATOMIC_RELEASE);
	host_synchronize();
	host_free(cpus);
}
