/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/run.h - running a site's handlers, for hit.c and for planters that cannot afford a
 * call on the way to them. Any context; the caller has the CPU: preemption off, nothing runs on it.
 */
#ifndef SPILE_ENGINE_CORE_RUN_H
#define SPILE_ENGINE_CORE_RUN_H

#include "engine/core/engine.h"

static inline struct kprobe *list_first(const struct spile_site *site)
{
	return __atomic_load_n(&site->probes, __ATOMIC_ACQUIRE);
}

static inline struct kprobe *list_next(const struct kprobe *p)
{
	return __atomic_load_n(&p->next, __ATOMIC_ACQUIRE);
}

static inline bool probe_enabled(const struct kprobe *p)
{
	return !(__atomic_load_n(&p->flags, __ATOMIC_RELAXED) &
		 (KPROBE_FLAG_DISABLED | KPROBE_FLAG_GONE));
}

/* Counts must be exact: shared by all CPUs, hence atomic, or this CPU's own. */
static inline void count_hit(struct engine_cpu *cpu, struct kprobe *p)
{
	if (p->counter) {
		uint64_t *count = &cpu->counts[p->counter];

		__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&p->nhit, 1, __ATOMIC_RELAXED);
	}
}

/** Runs the pre_handlers until one diverts: 1 then, else 0. */
static inline int site_run(struct engine_cpu *cpu, const struct spile_site *site,
			   struct pt_regs *regs)
{
	struct kprobe *p;
	int diverted = 0;

	__atomic_store_n(&cpu->running, site, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	for (p = list_first(site); p && !diverted; p = list_next(p)) {
		if (!probe_enabled(p))
			continue;
		count_hit(cpu, p);
		if (p->pre_handler)
			diverted = p->pre_handler(p, regs) != 0;
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->running, NULL, __ATOMIC_RELAXED);
	return diverted;
}

#endif
