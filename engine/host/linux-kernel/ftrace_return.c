// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ftrace return planter: function returns, entered by ftrace, left by the kernel's rethook.
 *
 * The kernel's own kretprobe arms its functions one after the other, some milliseconds each; here
 * all of a batch share one ftrace_ops. The rest is the kernel's: a *rethook* is a pool of nodes for
 * one function. At entry a node is taken, and hooking it swaps the return address on the stack for
 * the kernel's trampoline; when the function returns, the trampoline calls our handler with the
 * node. The kernel's stack walker knows that trampoline, so stack traces stay whole.
 *
 * A node is our memory behind the kernel's head:
 *
 *   | struct rethook_node | struct kretprobe_instance | data_size bytes of the user's |
 *   0                     instance_offset()
 *
 * Ending: after the ops is unregistered nothing takes new nodes; rethook_free() switches the
 * handler off, and the kernel frees the pool when the last function that still has a node on its
 * stack has returned, however long it sleeps. Neither needs us any more.
 *
 * Two shapes of the interface: nodes added by the caller (5.18 to 6.5), or made by rethook_alloc()
 * with a handler that is told the return address as well (6.8 on). What has neither uses
 * native_return.c.
 *
 * Contexts: on_entry() and the handlers any, the rest task context under the engine's lock.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/ftrace_group.h"
#include "engine/host/linux-kernel/planters.h"

#define MAXACTIVE_MIN 10 /* the document's default: the larger of this and twice the CPUs */
#define DATA_MAX 4096    /* what the kernel's own kretprobes allow */

/* site->extra; site->plant is the slot. */
struct ftrace_return {
	struct rethook *hook;
	bool ended;      /* given to the kernel to be freed; a late hit may still look at it */
	uint64_t missed; /* entries that found no node */
};

static inline struct ftrace_return *return_of(const struct spile_site *site)
{
	return site->extra;
}

static inline unsigned long instance_offset(void)
{
	return (ksize(rethook_node) + 7) & ~7ul;
}

static inline struct kretprobe_instance *instance_of(struct rethook_node *node)
{
	return (struct kretprobe_instance *)((char *)node + instance_offset());
}

/* --- hits: any context --------------------------------------------------------------------------- */

static void site_entered(struct spile_site *site, struct pt_regs *regs)
{
	struct ftrace_return *ret = return_of(site);
	struct rethook_node *node = kfn_rethook_try_get(ret->hook);

	if (!node) {
		__atomic_fetch_add(&ret->missed, 1, __ATOMIC_RELAXED);
		return;
	}
	if (engine_return_entry(site, instance_of(node), regs, *(uint64_t *)regs->sp))
		kfn_rethook_recycle(node);
	else
		kfn_rethook_hook(node, regs, true);
}

static void on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs)
{
	struct ftrace_group *group = (struct ftrace_group *)ops;
	unsigned i = ftrace_slot_start(group, ip);
	struct ftrace_slot *slot;
	struct spile_site *site;

	host_preempt_disable();
	while ((slot = ftrace_slot_next(group, ip, &i))) {
		site = ftrace_slot_site(slot);
		if (site && slot->armed && regs)
			site_entered(site, regs);
	}
	host_preempt_enable();
}

static void on_return(struct rethook_node *node, void *data, struct pt_regs *regs)
{
	engine_return_exit(data, instance_of(node), regs);
}

static void on_return_addr(struct rethook_node *node, void *data, unsigned long ret_addr,
			   struct pt_regs *regs)
{
	engine_return_exit(data, instance_of(node), regs);
}

/* --- the pool ---------------------------------------------------------------------------------------- */

/* Adds nodes until there are n. On failure those that are there stay: the pool's end frees them. */
static int hook_fill(struct rethook *hook, size_t size, int n)
{
	struct rethook_node *node;

	while (n-- > 0) {
		node = kfn_kmalloc(size, kgfp_kernel() | kgfp_zero());
		if (!node)
			return -ENOMEM;
		kfn_rethook_add_node(hook, node);
	}
	return 0;
}

static int hook_create(struct spile_site *site, size_t size, int n, struct rethook **ret)
{
	struct rethook *hook;

	if (khas(rethook_alloc_sized)) {
		hook = kfn_rethook_alloc_sized(site, on_return_addr, (int)size, n);
		if ((unsigned long)hook >= -4095ul) /* an error number as a pointer */
			return (int)(long)hook;
	} else {
		hook = kfn_rethook_alloc(site, on_return);
	}
	if (!hook)
		return -ENOMEM;
	if (!khas(rethook_alloc_sized) && hook_fill(hook, size, n)) {
		kfn_rethook_free(hook);
		return -ENOMEM;
	}
	*ret = hook;
	return 0;
}

static int return_create(struct spile_site *site)
{
	struct kretprobe *rp = site_kretprobe(site);
	int cpus = (int)host_cpu_max();
	struct ftrace_return *ret;
	int err;

	if (rp->data_size > DATA_MAX)
		return -E2BIG;
	if (rp->maxactive <= 0)
		rp->maxactive = 2 * cpus > MAXACTIVE_MIN ? 2 * cpus : MAXACTIVE_MIN;
	ret = host_zalloc(sizeof(*ret));
	if (!ret)
		return -ENOMEM;
	err = hook_create(site, instance_offset() + sizeof(struct kretprobe_instance) +
				rp->data_size, rp->maxactive, &ret->hook);
	if (err)
		host_free(ret);
	else
		site->extra = ret;
	return err;
}

/* Frees what no hit can reach any more; the kernel keeps the nodes that are on a stack. */
static void return_destroy(struct spile_site *site)
{
	struct ftrace_return *ret = return_of(site);

	if (!ret)
		return;
	if (!ret->ended)
		kfn_rethook_free(ret->hook);
	host_free(ret);
	site->extra = NULL;
}

/* --- the planter ---------------------------------------------------------------------------------------- */

static int return_can_plant(const struct spile_site *site)
{
	bool hooks = khas(rethook_alloc_sized) || (khas(rethook_alloc) && khas(rethook_add_node));

	if (!hooks || !khas(rethook_hook) || !khas(rethook_try_get) || !khas(rethook_recycle) ||
	    !khas(rethook_free))
		return -EOPNOTSUPP;
	return ftrace_group_can_plant(site);
}

static int return_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site;
	int err = 0;

	for (site = list; site && !err; site = site->batch_next) {
		err = return_create(site);
		if (err)
			*ret_failed = site;
	}
	if (!err)
		err = ftrace_group_plant(list, on_entry);
	if (err)
		for (site = list; site; site = site->batch_next)
			return_destroy(site);
	return err;
}

/* Ends the handlers of functions that have not returned yet, too. */
static void return_unplant(struct spile_site *list)
{
	struct spile_site *site;

	ftrace_group_unplant(list);
	for (site = list; site; site = site->batch_next) {
		kfn_rethook_free(return_of(site)->hook);
		return_of(site)->ended = true;
	}
}

static void return_release(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next)
		return_destroy(site);
	ftrace_group_release(list);
}

static void return_account(const struct spile_site *site, struct site_misses *ret)
{
	ret->nested = 0;
	ret->instance = __atomic_load_n(&return_of(site)->missed, __ATOMIC_RELAXED);
}

const struct planter planter_ftrace_return = {
	.name = "ftrace return",
	.id = SPILE_PLANTER_FTRACE_RETURN,
	.kinds = SITE_RETURN,
	.probe_flags = KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY,
	.can_plant = return_can_plant,
	.plant = return_plant,
	.unplant = return_unplant,
	.release = return_release,
	.arm = ftrace_group_arm,
	.disarm = ftrace_group_disarm,
	.account = return_account,
};
