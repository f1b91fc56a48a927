// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits, in any context: of breakpoints, through the kernel's notifier for traps, and of jumps, from
 * the detour.
 *
 * The kernel's own text patching and its kprobes look at a breakpoint before the notifiers do; what
 * comes to us is ours or nobody's. A trap and its handling are two moments: in between, another
 * CPU may have taken the breakpoint away. Then there is no breakpoint in the text any more, and the
 * instruction is run again.
 *
 * Post_handlers come without a second trap: the hit goes on in a copy of the instruction that calls
 * them behind it (text_detour.c). Only where there was no memory for one is it stepped in the slot.
 *
 * Nothing is remembered between a hit's two halves: the address of the second trap tells the slot, and
 * the slot the point. So a task may be preempted in between and go on elsewhere.
 */
#include "engine/core/run.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/fault.h"
#include "engine/host/linux-kernel/text_point.h"

#define NOTIFY_DONE 0      /* include/linux/notifier.h */
#define NOTIFY_STOP 0x8001
#define FIRST 0x7fffffff
#define USER_MODE 3        /* the privilege bits of cs */

static struct notifier_block notifier;
static bool notified;

static struct spile_site *site_of(const struct text_point *point)
{
	return __atomic_load_n(&point->site, __ATOMIC_ACQUIRE);
}

static void run_post(struct text_point *point, struct pt_regs *regs)
{
	struct spile_site *site = site_of(point);

	if (site && site->has_post)
		engine_hit_post(site, regs, 0);
}

/* The pre_handlers have been run: on behind them, with the post_handlers if the instruction is done. */
static inline void go_on(struct text_point *point, struct spile_site *site, struct pt_regs *regs)
{
	bool post = site && site->has_post;
	uint64_t to = __atomic_load_n(&point->via_detour, __ATOMIC_ACQUIRE);

	if (!to)
		to = post ? __atomic_load_n(&point->after_at, __ATOMIC_ACQUIRE) :
			    arch_slot_boosted(&point->slot);
	if (to)
		regs->ip = to;
	else if (arch_slot_go(&point->slot, regs, post, NULL) == X86_SLOT_POST && post)
		site_run_post(site, regs, 0);
}

/*
 * As engine_hit(), but that a trap has its time: nothing is called that need not be. any, interrupts
 * off
 */
static void hit_breakpoint(struct text_point *point, struct pt_regs *regs)
{
	struct spile_site *site = site_of(point);
	struct engine_frame frame;
	struct engine_cpu *cpu = site ? hit_enter(site, &frame) : NULL;

	if (!cpu) {
		if (site)
			engine_hit(site, regs); /* out of a handler: counts what is missed */
		go_on(point, NULL, regs);
		return;
	}
	if (!site_run(cpu, site, regs)) /* else a handler has set regs->ip */
		go_on(point, site, regs);
	hit_leave(cpu, &frame);
}

static bool is_step_end(const struct text_point *point, uint64_t addr)
{
	return point->slot.at && point->slot.can_step && addr == arch_slot_step_end(&point->slot);
}

/* any, interrupts off. True: it was ours. */
static bool breakpoint(struct pt_regs *regs)
{
	uint64_t addr = regs->ip - ARCH_BREAKPOINT_BYTES;
	struct text_point *point = text_point_find(addr);

	if (!point)
		return false;
	if (addr == point->addr) {
		hit_breakpoint(point, regs);
	} else if (is_step_end(point, addr)) {
		arch_slot_stepped(&point->slot, regs);
		run_post(point, regs);
	} else {
		return false;
	}
	return true;
}

/* Kernel text is mapped while it runs. */
static bool is_stale(const struct pt_regs *regs)
{
	return *(const volatile uint8_t *)(regs->ip - ARCH_BREAKPOINT_BYTES) != ARCH_BREAKPOINT;
}

/*
 * Neither a point nor a byte that is not a breakpoint: then it is somebody else's, unless a point
 * has come or gone between the two looks; then again.
 */
static bool take_breakpoint(struct pt_regs *regs)
{
	uint32_t before;

	do {
		before = text_points_generation();
		if (breakpoint(regs))
			return true;
		if (is_stale(regs)) {
			regs->ip -= ARCH_BREAKPOINT_BYTES;
			return true;
		}
	} while (text_points_generation() != before);
	return false;
}

/* any, interrupts off */
static int on_trap(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pt_regs *regs = kfield((struct die_args *)data, die_args, regs);

	if (action != (unsigned long)kenum(die_int3) || regs->cs & USER_MODE)
		return NOTIFY_DONE;
	return take_breakpoint(regs) ? NOTIFY_STOP : NOTIFY_DONE;
}

/* Out of a handler: counts what is missed. any */
static __attribute__((noinline)) void nested_detour_hit(struct text_point *point, struct pt_regs *regs)
{
	struct spile_site *site;

	host_preempt_disable();
	site = site_of(point);
	if (site)
		engine_hit(site, regs);
	host_preempt_enable();
}

/*
 * engine_hit() without a call, and with the site looked up when preemption is disabled: it goes after
 * RCU's waiting, the point later. any
 */
int text_detour_hit(void *point, struct pt_regs *regs)
{
	struct engine_frame frame;
	struct engine_cpu *cpu = hit_enter(NULL, &frame);
	int diverted = 0;

	if (!cpu) {
		nested_detour_hit(point, regs);
		return 0;
	}
	frame.site = site_of(point);
	if (frame.site)
		diverted = site_run(cpu, frame.site, regs);
	hit_leave(cpu, &frame);
	return diverted;
}

/*
 * Behind the copy of an instruction under a breakpoint. Non-zero: a post_handler has set regs->ip. any
 */
int text_after_hit(void *point, struct pt_regs *regs)
{
	const uint64_t next = regs->ip;
	struct engine_frame frame;
	struct engine_cpu *cpu = hit_enter(NULL, &frame);

	if (!cpu)
		return 0; /* the breakpoint has counted it */
	frame.site = site_of(point);
	if (frame.site)
		site_run_post(frame.site, regs, 0);
	hit_leave(cpu, &frame);
	return regs->ip != next;
}

int text_traps_init(void)
{
	int err;

	if (notified)
		return 0;
	err = kernel_home_watch_steps(true);
	if (err)
		return err;
	kfield(&notifier, notifier_block, notifier_call) = on_trap;
	kfield(&notifier, notifier_block, priority) = FIRST;
	err = kfn_register_die_notifier(&notifier);
	notified = !err;
	if (err)
		kernel_home_watch_steps(false);
	return err;
}

void text_traps_deinit(void)
{
	if (!notified)
		return;
	kfn_unregister_die_notifier(&notifier);
	kernel_home_watch_steps(false);
	notified = false;
}
