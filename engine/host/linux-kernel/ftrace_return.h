/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/ftrace_return.h - a site's pool of rethook nodes, and call-throughs.
 *
 * The pool is what the rethook planter works with (ftrace_return.c) and what the call-through
 * planter falls back on (ftrace_through.c).
 */
#ifndef SPILE_HOST_LINUX_KERNEL_FTRACE_RETURN_H
#define SPILE_HOST_LINUX_KERNEL_FTRACE_RETURN_H

#include <stdbool.h>
#include <stdint.h>

struct ftrace_point;
struct pt_regs;
struct rethook;
struct spile_site;

struct ftrace_return {
	struct rethook *hook; /* NULL: this kernel has none */
	bool ended;      /* given to the kernel to be freed; a late hit may still look at it */
};

/** Whether this kernel has rethooks that we can use. */
bool ftrace_return_available(void);
/** The pool for a return site, by its probe's maxactive, which gets its default here. Task context. */
int ftrace_return_init(struct ftrace_return *ret, struct spile_site *site);
/** No handlers any more, nor nodes for new calls. Task context. */
void ftrace_return_end(struct ftrace_return *ret);
/** Frees what no hit can reach; the kernel keeps the nodes that are on a stack. Task context. */
void ftrace_return_deinit(struct ftrace_return *ret);
/** The site's function was entered: takes a node, or counts a miss. any */
void ftrace_return_entered(struct spile_site *site, struct ftrace_return *ret, struct pt_regs *regs);

/**
 * ftrace_through.c, any: how many bytes of stack the point's call-throughs want now; 0: none. What
 * cannot be done as a call-through is done in another way, or counted as missed.
 */
unsigned long ftrace_through_wanted(struct ftrace_point *point, struct pt_regs *regs);
/** The same in ftrace's callback. True: regs->ip has changed. */
bool ftrace_through_callback(struct ftrace_point *point, struct pt_regs *regs);
/** After engine_deinit(), when all groups have gone. */
void ftrace_through_deinit(void);

#endif
