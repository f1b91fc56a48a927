/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/run.h - running a site's handlers, for hit.c and for planters that cannot afford a
 * call on the way to them. Any context.
 */
#ifndef SPILE_ENGINE_CORE_RUN_H
#define SPILE_ENGINE_CORE_RUN_H

#include "engine/core/engine.h"
#include "engine/host.h"
#include "ring/local.h"

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

/** To a counter of a planter's own. Any context; the caller stays on this CPU. */
static inline void counter_add(uint32_t counter, int64_t n)
{
	local_add(&engine.cpus[host_cpu()].counts[counter], (uint64_t)n);
}

/* Counts must be exact: shared by all CPUs, hence atomic, or this CPU's own. */
static inline void count_hit(struct engine_cpu *cpu, struct kprobe *p)
{
	if (p->counter)
		local_add(&cpu->counts[p->counter], 1);
	else
		__atomic_fetch_add(&p->nhit, 1, __ATOMIC_RELAXED);
}

/* Preemption is disabled, and stays so to frame_pop(). */
static inline void frame_push(struct engine_cpu *cpu, const struct spile_site *site,
			      struct engine_frame *frame)
{
	frame->site = site;
	frame->outer = __atomic_load_n(&cpu->running, __ATOMIC_RELAXED);
	frame->jprobe = NULL;
	frame->level = host_level();
	local_barrier();
	__atomic_store_n(&cpu->running, frame, __ATOMIC_RELAXED);
	local_barrier();
}

static inline void frame_pop(struct engine_cpu *cpu, const struct engine_frame *frame)
{
	local_barrier();
	__atomic_store_n(&cpu->running, frame->outer, __ATOMIC_RELAXED);
}

/**
 * Takes this CPU for the site's handlers, and disables preemption until hit_leave(). NULL, and
 * nothing to leave: a handler is running here already, and called what was hit.
 */
static inline struct engine_cpu *hit_enter(const struct spile_site *site, struct engine_frame *frame)
{
	struct engine_cpu *cpu;
	struct engine_frame *outer;

	host_preempt_disable();
	cpu = &engine.cpus[host_cpu()];
	outer = __atomic_load_n(&cpu->running, __ATOMIC_RELAXED);
	if (__builtin_expect(outer && !host_interrupted(outer, outer->level), 0)) {
		host_preempt_enable();
		return NULL;
	}
	frame_push(cpu, site, frame);
	return cpu;
}

static inline void hit_leave(struct engine_cpu *cpu, const struct engine_frame *frame)
{
	frame_pop(cpu, frame);
	host_preempt_enable();
}

/** Runs the pre_handlers until one diverts: 1 then, else 0. */
static inline int site_run(struct engine_cpu *cpu, const struct spile_site *site,
			   struct pt_regs *regs)
{
	struct kprobe *p;

	for (p = list_first(site); p; p = list_next(p)) {
		if (!probe_enabled(p))
			continue;
		count_hit(cpu, p);
		if (p->pre_handler && p->pre_handler(p, regs))
			return 1;
	}
	return 0;
}

static inline void site_run_post(const struct spile_site *site, struct pt_regs *regs,
				 unsigned long flags)
{
	struct kprobe *p;

	for (p = list_first(site); p; p = list_next(p))
		if (p->post_handler && probe_enabled(p))
			p->post_handler(p, regs, flags);
}

#endif
