/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/engine.h - the engine as its home sees it.
 *
 * A home (the kernel core, a process, a unit test) starts the engine with what the engine has to
 * know about the place it lives in, and from then on uses spile/kprobes.h.
 */
#ifndef SPILE_ENGINE_CORE_ENGINE_H
#define SPILE_ENGINE_CORE_ENGINE_H

#include "engine/core/planter.h"

struct watch_home; /* watch.h */

/** The surroundings. All functions: task context. */
struct engine_home {
	/** Planters, cheapest first; ends with NULL. */
	const struct planter *const *planters;
	/** The same for sites that `wants_text` is true for (a probe asked for it: site->asked). */
	const struct planter *const *planters_text;
	bool (*wants_text)(const struct spile_site *site);
	/** One lock over registration. */
	void (*lock)(void);
	void (*unlock)(void);
	/** Address of "name" or "module:name"; 0 or -ENOENT. */
	int (*resolve)(const char *name, uint64_t *ret);
	/** Where a probe on addr really goes (two names of one place). May be NULL. */
	uint64_t (*adjust)(uint64_t addr);
	/** Whether addr is a function's first instruction. May be NULL: not known, jprobes take any. */
	bool (*is_entry)(uint64_t addr);
	/** Whether handlers may be hung at addr: 0, -EINVAL (not code, blacklisted, our own), -EILSEQ. */
	int (*check)(uint64_t addr);
	/** Keeps the code at addr from going away; *ret is given to unpin. 0 or -errno. May be NULL. */
	int (*pin)(uint64_t addr, void **ret);
	/**
	 * The probes are planted: from here on the code may go away, if the home calls engine_gone()
	 * before it does. unpin then gets NULL. May be NULL: all is kept until unpin.
	 */
	void (*settle)(void *pin);
	void (*unpin)(void *pin);
	/** Shows each range of code that is refused to `each`. May be NULL. */
	void (*blacklist)(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg);
	/**
	 * Counters for hits, so that CPUs do not fight for one: `counters_per_cpu` of them, zero, for
	 * each CPU, those of one CPU in a row. NULL: probes count with atomic instructions.
	 */
	uint64_t *counters;
	unsigned counters_per_cpu;
	/** The current task, for kretprobe_instance.task. Any context. May be NULL. */
	void *(*current_task)(void);
	/**
	 * There are probes with a fault_handler from here on, or none any more: faults are to be shown to
	 * engine_hit_fault(). 0 or -errno. Under the lock. May be NULL: they always are.
	 */
	int (*faults)(bool on);
	/** Debug registers; NULL: there are no watchpoints. */
	const struct watch_home *watch;
};

/** Starts the engine. `home` must stay. 0 or -ENOMEM. */
int engine_init(const struct engine_home *home);
/** Ends it; unregisters what is left, saying so in the log. */
void engine_deinit(void);
/** Probed addresses at the moment (return sites counted each). */
unsigned engine_sites(void);

/**
 * The code in [start, end) is about to go away (a module is being removed, a library closed): its
 * probes become GONE and are taken out of the text, so the text must still be there, or the planter
 * must know better (site->gone is set when its unplant is called). When this returns no handler of
 * them runs or will run. They stay registered, cannot be enabled, and are to be unregistered by
 * their owners; new probes at the same addresses have nothing to do with them. Task context,
 * without the engine's lock. Returns how many sites that were.
 */
unsigned engine_gone(uint64_t start, uint64_t end);

/** What became of a probe's hits; see struct spile_probe_report for the meaning. */
struct engine_counts {
	uint64_t hits;
	uint64_t missed_nested;
	uint64_t missed_instance;
	unsigned planter; /* SPILE_PLANTER_* */
	unsigned flags;   /* KPROBE_FLAG_* */
};

/** Task context, between register and unregister; also brings nmissed of the probe up to date. */
void engine_probe_counts(struct kprobe *p, struct engine_counts *ret);
void engine_kretprobe_counts(struct kretprobe *rp, struct engine_counts *ret);

/**
 * A number that has grown, by whatever, if any hit of a registered probe went by unseen: missed by us
 * or below us, or while probes were switched off. Any context.
 */
uint64_t engine_probe_unseen(const struct kprobe *p);

/**
 * The same registration as spile/kprobes.h with the culprit told: *ret_failed is the index of the
 * probe that could not be planted, or `num` when the failure belongs to none in particular.
 */
int engine_register_kprobes(struct kprobe **ps, unsigned num, unsigned *ret_failed);
int engine_register_kretprobes(struct kretprobe **rps, unsigned num, unsigned *ret_failed);

/* --- inside the engine --------------------------------------------------------------------------- */

/** A hit whose handlers run, on the stack of whom runs them; hit.c has the rules. */
struct engine_frame {
	const struct spile_site *site;
	struct engine_frame *outer; /* what this one came on top of, in an interrupt; or NULL */
	void *jprobe;   /* what jprobe_return() goes back to, NULL: no jprobe's handler runs */
	unsigned level; /* host_level() */
};

/** Of one CPU; on cache lines of its own. */
struct engine_cpu {
	struct engine_frame *running; /* the innermost hit, NULL: none */
	uint64_t *counts;             /* of hits, by kprobe.counter */
	struct engine_frame quick;    /* for a planter that shows a hit only when it is asked for */
	char pad[64 - 6 * sizeof(void *)];
};
_Static_assert(sizeof(struct engine_cpu) == 64, "one cache line");

struct engine {
	const struct engine_home *home;
	struct engine_cpu *cpus;
	bool off;         /* engine_set_enabled(false) */
	bool unoptimized; /* engine_set_optimization(false) */
	uint64_t pauses;  /* how often probes, one or all, were switched on again */
};

extern struct engine engine;

/** hit.c: fills engine.cpus, which has one place more than there are CPUs. */
void engine_cpus_init(void);

/* count.c: hit counters, one for each CPU. Task context, under the engine's lock. */
int counts_init(void);
void counts_deinit(void);
/** Gives a probe a counter if there is one; takes it back, with its sum in p->nhit. */
void count_begin(struct kprobe *p);
void count_end(struct kprobe *p);
/** Brings p->nhit up to date. */
void count_update(struct kprobe *p);
/* One for a planter's own use: cpu->counts[...] of any CPU, sums wrap; 0: there is none. */
uint32_t counter_take(void);
void counter_give(uint32_t counter);
uint64_t counter_sum(uint32_t counter);

/* table.c: sites by address. Readers and writers hold the engine's lock. */
struct spile_site *table_find(uint64_t addr, enum site_kind kind);
/** The site that has this probe on its list, by its address. */
struct spile_site *table_find_probe(const struct kprobe *p);
void table_add(struct spile_site *site);
void table_remove(struct spile_site *site);
/** All sites, one after the other, in no order: NULL gives the first, the last gives NULL. */
struct spile_site *table_next(const struct spile_site *site);
unsigned table_count(void);

/**
 * policy.c: the planter for a site: the first of the home's table for it that knows its kind and can plant it.
 * Else the verdict: the first error that is not -EOPNOTSUPP, or -EOPNOTSUPP. With `after`, the first
 * behind that one.
 */
int policy_choose(const struct engine_home *home, const struct spile_site *site,
		  const struct planter *after, const struct planter **ret);

#endif
