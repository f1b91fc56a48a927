// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens at a hit. Everything here runs in any context, NMI included.
 *
 * One rule keeps handlers from running inside each other: per CPU, `running` names the site whose
 * handlers run. Interrupts are off from before it is looked at until after it is cleared, so only
 * code that a handler itself calls, an exception or an NMI can arrive here while it is set; such a
 * hit is counted on each of its probes and nothing is run. An NMI between the look and the store is
 * harmless, because it has cleared `running` again before the interrupted code goes on.
 *
 * The list of probes is walked without a lock. A probe is linked with a release store when it is
 * complete, and freed only after host_synchronize(), which waits for all code that runs with
 * interrupts off.
 */
#include "engine/core/run.h"
#include "engine/host.h"

struct engine engine;

/*
 * What runs, for ever, on the place behind the last CPU: in a process, threads beyond
 * host_cpu_max() share it, so their hits are counted as missed.
 */
#define NO_SITE ((const struct spile_site *)&engine)

void engine_cpus_init(void)
{
	engine.cpus[host_cpu_max()].running = NO_SITE;
}

static inline void count_missed(struct kprobe *p)
{
	__atomic_fetch_add(&p->nmissed, 1, __ATOMIC_RELAXED);
}

/* Takes this CPU for the site's handlers. False: a handler is running here already. */
static inline bool enter(const struct spile_site *site, unsigned long *irq, struct engine_cpu **ret)
{
	*irq = host_irq_save();
	*ret = &engine.cpus[host_cpu()];
	if (__atomic_load_n(&(*ret)->running, __ATOMIC_RELAXED)) {
		host_irq_restore(*irq);
		return false;
	}
	__atomic_store_n(&(*ret)->running, site, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void leave(struct engine_cpu *cpu, unsigned long irq)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->running, NULL, __ATOMIC_RELAXED);
	host_irq_restore(irq);
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
	struct engine_cpu *cpu;
	unsigned long irq;
	int diverted;

	if (!enter(site, &irq, &cpu)) {
		count_all_missed(site);
		return 0;
	}
	diverted = site_run(cpu, site, regs);
	host_irq_restore(irq);
	return diverted;
}

/* any */
void engine_hit_post(struct spile_site *site, struct pt_regs *regs, unsigned long flags)
{
	struct engine_cpu *cpu;
	unsigned long irq;
	struct kprobe *p;

	if (!enter(site, &irq, &cpu))
		return; /* the pre_handlers have counted it */
	for (p = list_first(site); p; p = list_next(p))
		if (p->post_handler && probe_enabled(p))
			p->post_handler(p, regs, flags);
	leave(cpu, irq);
}

/* any */
int engine_hit_fault(struct spile_site *site, struct pt_regs *regs, int trapnr)
{
	unsigned long irq = host_irq_save();
	const struct spile_site *in = site;
	struct kprobe *p;
	int done = 0;

	if (!in)
		in = __atomic_load_n(&engine.cpus[host_cpu()].running, __ATOMIC_RELAXED);
	for (p = in && in != NO_SITE ? list_first(in) : NULL; p && !done; p = list_next(p))
		if (p->fault_handler && probe_enabled(p))
			done = p->fault_handler(p, regs, trapnr) != 0;
	host_irq_restore(irq);
	return done;
}

/* any */
int engine_return_entry(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs, uint64_t ret_addr)
{
	struct kprobe *p = list_first(site);
	struct kretprobe *rp;
	struct engine_cpu *cpu;
	unsigned long irq;
	int skip = 0;

	if (!p || !probe_enabled(p))
		return 1;
	rp = to_kretprobe(p);
	if (!enter(site, &irq, &cpu)) {
		count_missed(&rp->kp);
		return 1;
	}
	ri->rp = rp;
	ri->task = engine.home->current_task ? engine.home->current_task() : NULL;
	ri->ret_addr = (kprobe_opcode_t *)(uintptr_t)ret_addr;
	if (rp->entry_handler)
		skip = rp->entry_handler(ri, regs);
	leave(cpu, irq);
	return skip;
}

/* any */
void engine_return_exit(struct spile_site *site, struct kretprobe_instance *ri,
			struct pt_regs *regs)
{
	struct kretprobe *rp = ri->rp;
	struct engine_cpu *cpu;
	unsigned long irq;

	if (!probe_enabled(&rp->kp))
		return;
	if (!enter(site, &irq, &cpu)) {
		count_missed(&rp->kp);
		return;
	}
	count_hit(cpu, &rp->kp);
	if (rp->handler)
		rp->handler(ri, regs);
	leave(cpu, irq);
}
