// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults, for fault_handlers. The kernel tells nobody of a fault of its own before it is an oops. But
 * all ways there lead through two functions, and both have an ftrace site on 5.10 to 7.2:
 *
 *   fixup_exception()    every trap of kernel code: is there an entry for it in a table of exceptions?
 *   page_fault_oops()    page faults that have none; among them those that do not even ask, since no
 *                        entry could help: addresses of user memory, touched without leave. (5.10 has
 *                        no such function, and asks always.)
 *
 * So while there is a fault_handler an ftrace_ops of ours is on them. A fault that a fault_handler has
 * taken care of ends there: the function is not run, its caller is told that the fault is fixed, and
 * execution goes on at regs->ip. Any other fault goes its way as if nobody had looked.
 *
 * Where regs->ip points into a copy of a probed instruction, it is set to the original first, which
 * is what handlers, tables and oopses are to see. The kernel's kprobes do that for theirs, but only
 * in page faults; for other traps we have them do it.
 *
 * A page fault is shown once: in the first function if the table has an entry, else in the second.
 *
 * Limits. When somebody else traces one of the two, ftrace calls both of us through a list that lets
 * nobody in who is in it already: then a fault in a handler that was called by the same list, since
 * its function is traced by others as well, is not seen. A stack that overflows has no fault but a
 * double one.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/fault.h"
#include "engine/host/linux-kernel/text_point.h"

#define TRAP_PAGE_FAULT 14
#define USER_MODE 3 /* the privilege bits of cs */

/* kprobe_status, include/linux/kprobes.h */
#define STATUS_STEPPED 2
#define STATUS_NESTED 4
#define STATUS_DONE 8

static struct ftrace_ops ops;
static unsigned long sites[2]; /* of the two functions; 0: there is none */

/* In place of either function: "it is fixed". The return is what the kernel made of ours. */
extern char fault_is_fixed[];

/* --- faults: any context, preemption disabled ----------------------------------------------------- */

static inline struct kernel_kprobe *current_kprobe(void)
{
	struct kernel_kprobe *kp;

	__asm__ volatile("movq %%gs:kcpu_current_kprobe, %0" : "=r"(kp));
	return kp;
}

/*
 * When the copy of an instruction faults the kernel forgets which kprobe it was of, but not that one is
 * being stepped. The next breakpoint on this CPU that is no kprobe's, which is to say ours, would
 * then be taken for the end of the step of kprobe NULL. Preemption disabled.
 */
static void forget_step(void)
{
	unsigned long status;

	if (!khas(current_kprobe) || !khas(kprobe_ctlblk) || !khas(kprobe_ctlblk_kprobe_status))
		return;
	__asm__ volatile("movq %%gs:kcpu_kprobe_ctlblk(%1), %0"
			 : "=r"(status)
			 : "r"((long)koff_kprobe_ctlblk_kprobe_status));
	if (current_kprobe() || !(status & (STATUS_STEPPED | STATUS_NESTED)))
		return;
	__asm__ volatile("movq %0, %%gs:kcpu_kprobe_ctlblk(%1)"
			 :
			 : "r"((long)STATUS_DONE), "r"((long)koff_kprobe_ctlblk_kprobe_status)
			 : "memory");
}

static void forget_step_here(void *unused)
{
	forget_step();
}

/* In the copy that the kernel has made for one of its kprobes: has it go back to the original. */
static void leave_kernels_copy(struct pt_regs *regs, int trapnr)
{
	const struct kernel_kprobe *kp;

	if (trapnr == TRAP_PAGE_FAULT || !khas(current_kprobe) || !khas(kprobe_insn) ||
	    !khas(kprobe_fault_handler))
		return;
	kp = current_kprobe();
	if (kp && (unsigned long)knative(kp, kprobe, insn) == regs->ip)
		kfn_kprobe_fault_handler(regs, trapnr);
}

static void leave_our_copy(const struct text_point *point, struct pt_regs *regs)
{
	uint64_t ip;

	if (!point || point->addr == regs->ip)
		return;
	if (!arch_slot_original_ip(&point->slot, regs->ip, &ip) ||
	    (point->after_at && !arch_detour_original_ip(&point->after, regs->ip, &ip)) ||
	    (point->detour_at && !arch_detour_original_ip(&point->detour, regs->ip, &ip)))
		regs->ip = ip;
}

/* A fault_handler goes on behind the instruction: there a jump may stand, and the copies beside it. */
static void stay_in_copies(const struct text_point *point, struct pt_regs *regs)
{
	uint64_t ip;

	if (point && point->detour_at && !arch_detour_copy_ip(&point->detour, regs->ip, &ip))
		regs->ip = ip;
}

/* Whether page_fault_oops() comes next, and shows it. */
static bool comes_again(const struct pt_regs *regs, int trapnr)
{
	return trapnr == TRAP_PAGE_FAULT && sites[1] && !kfn_search_exception_tables(regs->ip);
}

static bool is_handled(unsigned long site, struct pt_regs *regs, int trapnr)
{
	const struct text_point *point;

	if (regs->cs & USER_MODE)
		return false;
	leave_kernels_copy(regs, trapnr);
	forget_step();
	point = text_point_find(regs->ip);
	leave_our_copy(point, regs);
	if (site == sites[0] && comes_again(regs, trapnr))
		return false;
	if (!engine_hit_fault(engine_fault_site(regs->ip), regs, trapnr))
		return false;
	stay_in_copies(point, regs);
	return true;
}

/* fixup_exception(regs, trapnr, ...), page_fault_oops(regs, ...) */
static void on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *unused, void *entry)
{
	struct pt_regs *call = entry, *regs;
	int trapnr;

	if (!call)
		return;
	regs = (struct pt_regs *)call->di;
	trapnr = ip == sites[0] ? (int)call->si : TRAP_PAGE_FAULT;
	host_preempt_disable();
	if (is_handled(ip, regs, trapnr))
		call->ip = (unsigned long)fault_is_fixed;
	host_preempt_enable();
}

/* --- on and off: task context, under the engine's lock ---------------------------------------------- */

static void find_sites(void)
{
	if (khas(fixup_exception))
		sites[0] = kfn_ftrace_location((unsigned long)kfn_fixup_exception);
	if (khas(page_fault_oops) && khas(search_exception_tables))
		sites[1] = kfn_ftrace_location((unsigned long)kfn_page_fault_oops);
}

static int switch_on(void)
{
	int err;

	kfield(&ops, ftrace_ops, func) = on_entry;
	kfield(&ops, ftrace_ops, flags) = (unsigned long)(kenum(ftrace_fl_save_regs) |
							  kenum(ftrace_fl_recursion_safe) |
							  kenum(ftrace_fl_permanent));
	err = kfn_ftrace_set_filter_ip(&ops, sites[0], 0, 1);
	if (!err && sites[1])
		err = kfn_ftrace_set_filter_ip(&ops, sites[1], 0, 0);
	return err ? err : kfn_register_ftrace_function(&ops);
}

static void switch_off(void)
{
	int err = kfn_unregister_ftrace_function(&ops);

	if (!err)
		return;
	host_log("ftrace does not let go of faults (error %d); the core stays", err);
	kfn_try_module_get(&__this_module);
}

static int set_hook(bool on)
{
	if (on)
		find_sites();
	if (!sites[0]) {
		if (on)
			host_log("this kernel cannot show faults: fault_handlers are not called");
		return 0;
	}
	if (on)
		return switch_on();
	switch_off();
	return 0;
}

static int users; /* of the hook */

/* On for the first, off after the last. */
static int use_hook(bool on)
{
	int err = 0;

	if (users == !on)
		err = set_hook(on);
	if (!err)
		users += on ? 1 : -1;
	return err;
}

int kernel_home_faults(bool on)
{
	return use_hook(on);
}

int kernel_home_watch_steps(bool on)
{
	int err = use_hook(on);

	if (err || !on)
		return err;
	host_preempt_disable();
	forget_step();
	kfn_smp_call_function(forget_step_here, NULL, 1);
	host_preempt_enable();
	return 0;
}

void kernel_home_faults_deinit(void)
{
	if (khas(ftrace_free_filter))
		kfn_ftrace_free_filter(&ops);
}
