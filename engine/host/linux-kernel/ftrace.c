// SPDX-License-Identifier: GPL-2.0-only
/* The ftrace planter: function entries, by an ftrace callback. The work is in ftrace_group.c. */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/ftrace_group.h"
#include "engine/host/linux-kernel/planters.h"

/*
 * Shows the registers as a breakpoint would: ip one behind the probed address, and for
 * post_handlers behind the call's place. A handler that returns 1 has set ip itself. any
 */
static void site_hit(struct spile_site *site, unsigned long ip, struct pt_regs *regs)
{
	unsigned long saved = regs->ip;

	regs->ip = site->addr + ARCH_BREAKPOINT_BYTES;
	if (engine_hit(site, regs))
		return;
	if (site->has_post) {
		regs->ip = ip + ARCH_CALL_BYTES;
		engine_hit_post(site, regs, 0);
	}
	regs->ip = saved;
}

/*
 * any. `regs` is a struct ftrace_regs on newer kernels, which begins with the pt_regs that
 * FTRACE_OPS_FL_SAVE_REGS asks for. One site has this ip: probes on one entry share a site.
 */
static void on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs)
{
	struct ftrace_group *group = (struct ftrace_group *)ops;
	unsigned i = ftrace_slot_start(group, ip);
	struct ftrace_slot *slot;
	struct spile_site *site;

	host_preempt_disable();
	slot = ftrace_slot_next(group, ip, &i);
	site = slot ? ftrace_slot_site(slot) : NULL;
	if (site && regs)
		site_hit(site, ip, regs);
	host_preempt_enable();
}

static int ftrace_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	return ftrace_group_plant(list, on_entry);
}

const struct planter planter_ftrace = {
	.name = "ftrace",
	.id = SPILE_PLANTER_FTRACE,
	.kinds = SITE_PROBE,
	.probe_flags = KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY,
	.can_plant = ftrace_group_can_plant,
	.plant = ftrace_plant,
	.unplant = ftrace_group_unplant,
	.release = ftrace_group_release,
	.arm = ftrace_group_arm,
	.disarm = ftrace_group_disarm,
};
