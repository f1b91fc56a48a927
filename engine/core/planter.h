/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/planter.h - how a probe gets into the text, and what a planter calls when it is hit.
 *
 * A *site* is an address that is probed, with the list of probes there. A *planter* is one way to
 * make a site fire. The engine owns sites and lists; a planter owns what it hangs on site->plant.
 *
 * To add a planter, fill one struct planter in a file of the host's folder and put it into the
 * host's table (struct engine_home), cheapest first:
 *
 *   name, id    what listings and reports show (SPILE_PLANTER_* of spile/session.h)
 *   kinds       which kinds of sites it knows
 *   can_plant   0 when it can do this very site, else a negative errno that tells why not:
 *               -EOPNOTSUPP "not my sort of place", anything else is a verdict on the address.
 *               Changes nothing.
 *   plant       makes the sites of a list ready (linked by batch_next) and arms those that have
 *               enabled != 0. All or nothing; on failure *ret_failed may tell the culprit. Hits may
 *               come in before it returns. -ENOSPC: it has no room for them; the engine tries the
 *               next planter that can.
 *   unplant     disarms the sites of a list. Afterwards no new hit begins; running ones may still
 *               be in a handler. (site->gone: the code goes away, or has gone.) The engine then waits
 *               (host_synchronize), asks account() for the last time, and calls:
 *   release     frees what hangs on site->plant, for each site of a list; NULL was never planted.
 *   arm, disarm one planted site on and off, when the last probe of it is disabled or the first
 *               enabled. disarm does not wait for running hits.
 *   join        a probe is about to be linked to a planted site: its handlers run as soon as this has
 *               returned 0. May be NULL.
 *   update      the site got its first post_handler or fault_handler after it was planted; may be
 *               NULL when that needs no change.
 *   optimize    engine_optimization() (control.h) may have changed: takes the jumps of all its planted
 *               sites, in a list, back or puts them in. (plant, arm, update and relax look at
 *               it by themselves.) May be NULL.
 *   relax       the site has lost its last post_handler and stays planted; may be NULL.
 *   account     the misses that only what is below the planter can know, since planting; may be
 *               NULL. Of a probe site in any context. Of a return site it brings the probe's nmissed
 *               up to date itself. (What a planter sees itself it counts at once:
 *               engine_return_missed().)
 *
 * All of these run in task context under the engine's lock. From a hit, in any context, a planter
 * calls the engine_hit*() and engine_return*() functions below, and nothing else.
 */
#ifndef SPILE_ENGINE_CORE_PLANTER_H
#define SPILE_ENGINE_CORE_PLANTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spile/kprobes.h"

struct planter;

enum site_kind {
	SITE_PROBE = 1,  /* fires when the instruction is reached; any number of probes */
	SITE_RETURN = 2, /* fires when the function that starts there returns; one probe */
};

/** Misses that a planter knows of. */
struct site_misses {
	uint64_t nested; /* hit while another handler ran, seen below the engine */
};

struct spile_site {
	uint64_t addr;
	enum site_kind kind;
	uint32_t asked;        /* KPROBE_FLAG_* that the first probe was registered with */
	struct kprobe *probes; /* read by hits without a lock: published by a release store */
	unsigned wanted;       /* probes here that are not disabled */
	unsigned enabled;      /* the same, but 0 while the engine is switched off */
	bool has_post;         /* some probe has a post_handler, or a break_handler in its place */
	bool has_fault;        /* some probe has a fault_handler, or had one */
	bool planted;          /* between plant and unplant */
	bool leaving;          /* being unregistered */
	bool gone;             /* the code goes away, or has gone: no new probes here */
	uint32_t probe_flags;  /* the planter's: KPROBE_FLAG_* that its probes show at the moment */
	struct site_misses seen; /* what the probes' counters already contain */
	const struct planter *planter;
	void *plant;           /* the planter's */
	void *extra;           /* the planter's, too */
	struct spile_site *fault_next; /* fault.c's */
	void *pin;             /* what keeps the code in place: the home's */
	struct spile_site *hash_next;
	struct spile_site *batch_next; /* links a list for the planter */
};

struct planter {
	const char *name;
	unsigned id;
	unsigned kinds;       /* SITE_* */
	unsigned probe_flags; /* KPROBE_FLAG_* that its probes show */
	int (*can_plant)(const struct spile_site *site);
	int (*plant)(struct spile_site *list, struct spile_site **ret_failed);
	void (*unplant)(struct spile_site *list);
	void (*release)(struct spile_site *list);
	int (*arm)(struct spile_site *site);
	void (*disarm)(struct spile_site *site);
	int (*join)(struct spile_site *site, const struct kprobe *p);
	int (*update)(struct spile_site *site);
	void (*relax)(struct spile_site *site);
	void (*optimize)(struct spile_site *list);
	void (*account)(const struct spile_site *site, struct site_misses *ret);
};

/* --- what a planter calls at a hit: any context ------------------------------------------------- */

/** Runs the pre_handlers. 1: one of them set regs->ip, go there; 0: go on as if unprobed. */
int engine_hit(struct spile_site *site, struct pt_regs *regs);
/**
 * An instruction faulted in a handler that runs on this CPU, or, with `site` given, in the copy of
 * the site's instruction: asks the fault_handlers. 1: one of them took care of it.
 */
int engine_hit_fault(const struct spile_site *site, struct pt_regs *regs, int trapnr);
/**
 * The site with a fault_handler whose instruction is at addr, or NULL: for planters that cannot tell
 * otherwise in whose copy a fault was. Preemption disabled.
 */
struct spile_site *engine_fault_site(uint64_t addr);
/** Runs the post_handlers; call it when site->has_post and engine_hit() gave 0. */
void engine_hit_post(struct spile_site *site, struct pt_regs *regs, unsigned long flags);

/**
 * A return site's function was entered and there is an instance. Fills it and runs the
 * entry_handler. Non-zero: let this call go unwatched.
 */
int engine_return_entry(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs, uint64_t ret_addr);
/** A return site's function was entered and there is no instance: counts it. */
void engine_return_missed(struct spile_site *site);
/** The same call returns. */
void engine_return_exit(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs);

/** How many instances a return probe gets that does not say: the document's default. */
static inline int kretprobe_default_maxactive(unsigned cpus)
{
	return 2 * cpus > 10 ? (int)(2 * cpus) : 10;
}

static inline struct kretprobe *to_kretprobe(struct kprobe *p)
{
	return (struct kretprobe *)((char *)p - offsetof(struct kretprobe, kp));
}

/** The return probe of a planted return site. */
static inline struct kretprobe *site_kretprobe(const struct spile_site *site)
{
	return to_kretprobe(site->probes);
}

#endif
