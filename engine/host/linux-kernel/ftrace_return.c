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
 * Contexts: ftrace_return_entered() and the handlers any, the rest task context under the engine's lock.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/ftrace_point.h"
#include "engine/host/linux-kernel/ftrace_return.h"
#include "engine/host/linux-kernel/planters.h"

#define DATA_MAX 4096 /* what the kernel's own kretprobes allow */

/* site->extra. */
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

void ftrace_return_entered(struct spile_site *site, struct ftrace_return *ret, struct pt_regs *regs)
{
	struct rethook_node *node = ret->hook ? kfn_rethook_try_get(ret->hook) : NULL;

	if (!node) {
		engine_return_missed(site);
		return;
	}
	if (engine_return_entry(site, instance_of(node), regs, *(uint64_t *)regs->sp))
		kfn_rethook_recycle(node);
	else
		kfn_rethook_hook(node, regs, true);
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

int ftrace_return_init(struct ftrace_return *ret, struct spile_site *site)
{
	struct kretprobe *rp = site_kretprobe(site);

	if (rp->data_size > DATA_MAX)
		return -E2BIG;
	if (rp->maxactive <= 0)
		rp->maxactive = kretprobe_default_maxactive(host_cpu_max());
	if (!ftrace_return_available())
		return 0;
	return hook_create(site, instance_offset() + sizeof(struct kretprobe_instance) +
				 rp->data_size, rp->maxactive, &ret->hook);
}

void ftrace_return_end(struct ftrace_return *ret)
{
	if (ret->hook && !ret->ended)
		kfn_rethook_free(ret->hook);
	ret->ended = true;
}

void ftrace_return_deinit(struct ftrace_return *ret)
{
	ftrace_return_end(ret);
	ret->hook = NULL;
}

bool ftrace_return_available(void)
{
	bool hooks = khas(rethook_alloc_sized) || (khas(rethook_alloc) && khas(rethook_add_node));

	return hooks && khas(rethook_hook) && khas(rethook_try_get) && khas(rethook_recycle) &&
	       khas(rethook_free);
}

/* --- the planter ---------------------------------------------------------------------------------------- */

static int return_can_plant(const struct spile_site *site)
{
	return ftrace_return_available() ? ftrace_points_can_plant(site) : -EOPNOTSUPP;
}

static int return_create(struct spile_site *site)
{
	struct ftrace_return *ret = host_zalloc(sizeof(*ret));
	int err;

	if (!ret)
		return -ENOMEM;
	err = ftrace_return_init(ret, site);
	if (err)
		host_free(ret);
	else
		site->extra = ret;
	return err;
}

/* On failure the engine releases what is there. */
static int return_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site;
	int err;

	for (site = list; site; site = site->batch_next) {
		err = return_create(site);
		if (err) {
			*ret_failed = site;
			return err;
		}
	}
	return ftrace_points_plant(list, FTRACE_RETURN, NULL);
}

/* Ends the handlers of functions that have not returned yet, too. */
static void return_unplant(struct spile_site *list)
{
	ftrace_points_unplant(list);
	for (; list; list = list->batch_next)
		ftrace_return_end(return_of(list));
}

static void return_release(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next) {
		if (!site->extra)
			continue;
		ftrace_return_deinit(return_of(site));
		host_free(site->extra);
		site->extra = NULL;
	}
	ftrace_points_release(list);
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
	.arm = ftrace_points_arm,
	.disarm = ftrace_points_disarm,
};
