// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults, in handlers and in copies of probed instructions. Which is which:
 *
 *   in a copy      the home tells the site, since it knows its copies
 *   in a handler   the innermost hit of this CPU is that handler's, unless an interrupt on top of it
 *                  has faulted, which is none of its business
 *
 * While a fault_handler runs it counts as a handler of nobody's: hits that it causes are nested, and
 * a fault of its own goes the ordinary way.
 */
#include "engine/core/fault.h"
#include "engine/core/run.h"

static struct spile_site *faulty; /* linked by fault_next; read by faults without a lock */

int faults_begin(struct spile_site *site)
{
	int err = 0;

	if (site->has_fault)
		return 0;
	if (!faulty && engine.home->faults)
		err = engine.home->faults(true);
	if (err)
		return err;
	site->has_fault = true;
	site->fault_next = faulty;
	__atomic_store_n(&faulty, site, __ATOMIC_RELEASE);
	return 0;
}

static void take_out(struct spile_site *site)
{
	struct spile_site **link = &faulty;

	while (*link != site)
		link = &(*link)->fault_next;
	__atomic_store_n(link, site->fault_next, __ATOMIC_RELEASE);
	site->has_fault = false;
}

void faults_end(const struct site_list *list)
{
	struct spile_site *site;
	bool any = false;

	for (site = list->first; site; site = site->batch_next) {
		if (!site->has_fault)
			continue;
		take_out(site);
		any = true;
	}
	if (!any)
		return;
	host_synchronize(); /* who looks for another may be at one of these */
	if (!faulty && engine.home->faults)
		engine.home->faults(false);
}

/* any, with preemption disabled */
struct spile_site *engine_fault_site(uint64_t addr)
{
	struct spile_site *site = __atomic_load_n(&faulty, __ATOMIC_ACQUIRE);

	while (site && (site->addr != addr || site->kind != SITE_PROBE))
		site = __atomic_load_n(&site->fault_next, __ATOMIC_ACQUIRE);
	return site;
}

/* Who runs on this CPU, or NULL. */
static const struct spile_site *site_running(const struct engine_cpu *cpu)
{
	const struct engine_frame *frame = __atomic_load_n(&cpu->running, __ATOMIC_RELAXED);

	return frame && !host_interrupted(frame, frame->level) ? frame->site : NULL;
}

static int ask(const struct spile_site *site, struct pt_regs *regs, int trapnr)
{
	struct kprobe *p;

	for (p = list_first(site); p; p = list_next(p))
		if (p->fault_handler && probe_enabled(p) && p->fault_handler(p, regs, trapnr))
			return 1;
	return 0;
}

/* any */
int engine_hit_fault(const struct spile_site *site, struct pt_regs *regs, int trapnr)
{
	struct engine_frame frame;
	struct engine_cpu *cpu;
	int done = 0;

	host_preempt_disable();
	cpu = __atomic_load_n(&engine.cpus, __ATOMIC_ACQUIRE);
	if (!cpu) { /* after engine_deinit(): nobody is probed any more */
		host_preempt_enable();
		return 0;
	}
	cpu += host_cpu();
	if (!site)
		site = site_running(cpu);
	if (site && host_cpu() < host_cpu_max()) {
		frame_push(cpu, NULL, &frame);
		done = ask(site, regs, trapnr);
		frame_pop(cpu, &frame);
	} else if (site) { /* in the crowd (hit.c), where all hits count as nested anyway */
		done = ask(site, regs, trapnr);
	}
	host_preempt_enable();
	return done;
}
