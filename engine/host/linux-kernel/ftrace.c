// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ftrace planter: function entries; and what happens at a hit of any of the three planters that
 * begin at a function's entry. Where they are is ftrace_point.c.
 *
 * A hit comes in by one of two ways, never by both:
 *
 *   ftrace_hit()       from ftrace_trampoline.S, called by the function itself: nearly always
 *   ftrace_callback()  from ftrace's own trampoline, when others want the same function, too
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/ftrace_hit.h"
#include "engine/host/linux-kernel/ftrace_point.h"
#include "engine/host/linux-kernel/ftrace_return.h"
#include "engine/host/linux-kernel/planters.h"

/*
 * Shows the registers as a breakpoint would: ip one behind the probed address, and for
 * post_handlers behind the call's place. True: a handler has set ip. any
 */
static inline bool entry_hit(struct spile_site *site, struct pt_regs *regs)
{
	unsigned long saved = regs->ip;

	regs->ip = site->addr + ARCH_BREAKPOINT_BYTES;
	if (engine_hit(site, regs))
		return true;
	regs->ip = saved;
	if (site->has_post)
		engine_hit_post(site, regs, 0);
	return false;
}

/* regs->ip is behind the call. True: a handler has set it, and nothing else is to happen. any */
static inline bool point_hit(struct ftrace_point *point, struct pt_regs *regs)
{
	struct ftrace_plant *plant = ftrace_plant_first(point, FTRACE_ENTRY);

	if (plant && entry_hit(plant->site, regs))
		return true;
	for (plant = ftrace_plant_first(point, FTRACE_RETURN); plant;
	     plant = ftrace_plant_next(plant))
		ftrace_return_entered(plant->site, plant->site->extra, regs);
	return false;
}

/* any */
unsigned long ftrace_hit(struct pt_regs *regs, unsigned long ip)
{
	struct ftrace_point *point;
	unsigned long todo = 0;

	host_preempt_disable();
	point = ftrace_point_find(ip);
	if (point)
		todo = point_hit(point, regs) ? FTRACE_DIVERT : ftrace_through_wanted(point, regs);
	host_preempt_enable();
	return todo;
}

/*
 * any. `regs` is a struct ftrace_regs on newer kernels, which begins with the pt_regs that
 * FTRACE_OPS_FL_SAVE_REGS asks for.
 */
void ftrace_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs)
{
	struct ftrace_point *point;

	host_preempt_disable();
	point = ftrace_point_find(ip);
	if (point && regs && !point_hit(point, regs))
		ftrace_through_callback(point, regs);
	host_preempt_enable();
}

static struct ftrace_code *entry_code(struct spile_site *site)
{
	return site->probes->next || site->has_post ? NULL : ftrace_code_make_entry(site);
}

static int ftrace_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	return ftrace_points_plant(list, FTRACE_ENTRY, entry_code);
}

/* Another probe, or the same with a post_handler. */
static int ftrace_join(struct spile_site *site, const struct kprobe *p)
{
	ftrace_point_complicate(site);
	return 0;
}

const struct planter planter_ftrace = {
	.name = "ftrace",
	.id = SPILE_PLANTER_FTRACE,
	.kinds = SITE_PROBE,
	.probe_flags = KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY,
	.can_plant = ftrace_points_can_plant,
	.plant = ftrace_plant,
	.unplant = ftrace_points_unplant,
	.release = ftrace_points_release,
	.arm = ftrace_points_arm,
	.disarm = ftrace_points_disarm,
	.join = ftrace_join,
};
