// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens at a hit. Everything here runs in any context, NMI included, with preemption disabled.
 *
 * One rule keeps handlers from running inside each other: a hit is *nested*, and then counted on
 * each of its probes and not run, when a handler that runs on this CPU caused it, by a call or by an
 * exception. A hit in an interrupt that happens to arrive during a handler is none of the handler's:
 * it is run, on top of it. So:
 *
 *   engine_cpu.running -> frame of the interrupt's hit -> frame of the interrupted hit -> NULL
 *
 * A hit whose CPU has no frame may run, which is nearly always so. If there is one, the host tells
 * by it whether an interrupt lies between (host_interrupted()). Frames are on the stack; who
 * interrupts leaves `running` as it was found, so an interrupt between the look at it and the store
 * does no harm.
 *
 * Interrupts stay enabled: switching them is dear, and a handler has no right to count on it
 * (spile/kprobes.h: preemption is disabled, no more). What has data that an interrupt must not find
 * half changed, or takes locks that an interrupt may take as well, has to disable them by itself;
 * scripts' handlers do (runtime/probe.c). What a hit itself has for each CPU is a counter, which is
 * added to by one instruction, and this list.
 *
 * The list of probes is walked without a lock. A probe is linked with a release store when it is
 * complete, and freed only after host_synchronize(), which waits for all code that runs with
 * preemption disabled.
 */
#include "engine/core/run.h"

struct engine engine;

/*
 * What runs, for ever, on the place behind the last CPU: in a process, threads beyond
 * host_cpu_max() share it, so their hits are counted as missed.
 */
static struct engine_frame crowd;

void engine_cpus_init(void)
{
	engine.cpus[host_cpu_max()].running = &crowd;
}

static inline void count_missed(struct kprobe *p)
{
	__atomic_fetch_add(&p->nmissed, 1, __ATOMIC_RELAXED);
}

static void count_all_missed(const struct spile_site *site)
{
	struct kprobe *p;

	for (p = list_first(site); p; p = list_next(p))
		if (probe_enabled(p))
			count_missed(p);
}

/* any */
int engine_hit(struct spile_site *site, struct pt_regs *regs)
{
	struct engine_frame frame;
	struct engine_cpu *cpu = hit_enter(site, &frame);
	int diverted;

	if (!cpu) {
		count_all_missed(site);
		return 0;
	}
	diverted = site_run(cpu, site, regs);
	hit_leave(cpu, &frame);
	return diverted;
}

/* any */
void engine_hit_post(struct spile_site *site, struct pt_regs *regs, unsigned long flags)
{
	struct engine_frame frame;
	struct engine_cpu *cpu = hit_enter(site, &frame);

	if (!cpu)
		return; /* the pre_handlers have counted it */
	site_run_post(site, regs, flags);
	hit_leave(cpu, &frame);
}

/* any */
int engine_return_entry(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs, uint64_t ret_addr)
{
	struct kprobe *p = list_first(site);
	struct engine_frame frame;
	struct engine_cpu *cpu;
	struct kretprobe *rp;
	int skip = 0;

	if (!p || !probe_enabled(p))
		return 1;
	rp = to_kretprobe(p);
	cpu = hit_enter(site, &frame);
	if (!cpu) {
		count_missed(&rp->kp);
		return 1;
	}
	ri->rp = rp;
	ri->task = engine.home->current_task ? engine.home->current_task() : NULL;
	ri->ret_addr = (kprobe_opcode_t *)(uintptr_t)ret_addr;
	if (rp->entry_handler)
		skip = rp->entry_handler(ri, regs);
	hit_leave(cpu, &frame);
	return skip;
}

/* any */
void engine_return_missed(struct spile_site *site)
{
	struct kprobe *p = list_first(site);

	if (p && probe_enabled(p))
		__atomic_fetch_add(&to_kretprobe(p)->nmissed, 1, __ATOMIC_RELAXED);
}

/* any */
void engine_return_exit(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs)
{
	struct kretprobe *rp = ri->rp;
	struct engine_frame frame;
	struct engine_cpu *cpu;

	if (!probe_enabled(&rp->kp))
		return;
	cpu = hit_enter(site, &frame);
	if (!cpu) {
		count_missed(&rp->kp);
		return;
	}
	count_hit(cpu, &rp->kp);
	if (rp->handler)
		rp->handler(ri, regs);
	hit_leave(cpu, &frame);
}
