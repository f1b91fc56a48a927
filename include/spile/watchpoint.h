/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * spile/watchpoint.h - probes that fire when memory is written or read, by the debug registers.
 *
 *     static void changed(struct spile_watchpoint *wp, struct pt_regs *regs) { ... }
 *     static struct spile_watchpoint wp = {
 *             .bp_addr = (uintptr_t)&counter, .bp_len = sizeof(counter),
 *             .bp_type = SPILE_WATCH_WRITE, .handler = changed,
 *     };
 *     int err = spile_register_watchpoint(&wp);
 *
 * Fields and values are those of the kernel's perf_event_attr and hw_breakpoint. The processor has
 * four debug registers, shared with debuggers and perf; each watchpoint that is not disabled takes
 * one on every CPU (in a process: in every thread). It tells of the access when it is done: regs->ip
 * is behind the instruction, and memory has its new value. An instruction with several accesses to
 * the range fires once, a repeated string instruction once for each step that touches it.
 *
 * Handlers run as those of kprobes do, and do not nest. In the kernel that is a context like an NMI's,
 * and the kernel switches the CPU's debug registers off for as long as a handler runs: accesses
 * that the handler makes, or an NMI meanwhile, leave no trace. Memory of processes is not watched
 * there.
 *
 * In a process the handler is called in a signal handler on the thread that made the access, and
 * accesses that it makes are counted in nmissed. What the kernel writes for the process (read(2)
 * into a watched buffer) is not seen. Threads begun later are watched, too, and a child of fork is
 * as its parent. All that a thread does while it blocks SIGTRAP is seen as one access.
 *
 * All functions: task context, may sleep.
 */
#ifndef SPILE_WATCHPOINT_H
#define SPILE_WATCHPOINT_H

#include "spile/kprobes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPILE_WATCH_WRITE 2      /* perf's HW_BREAKPOINT_W */
#define SPILE_WATCH_READ_WRITE 3 /* HW_BREAKPOINT_RW; x86 cannot tell of reads alone */

struct spile_watchpoint;

/** Behind the access; changed registers are taken over. */
typedef void (*spile_watch_handler_t)(struct spile_watchpoint *wp, struct pt_regs *regs);

struct spile_watchpoint {
	/* Set by the user; either bp_addr or symbol_name. */
	uint64_t bp_addr;         /* a multiple of bp_len */
	const char *symbol_name;  /* a variable: kallsyms' name; in a process one of its dynamic symbols */
	uint32_t bp_len;          /* bytes: 1, 2, 4 or 8 */
	uint32_t bp_type;         /* SPILE_WATCH_* */
	spile_watch_handler_t handler; /* or NULL: only nhit counts */
	uint32_t flags;           /* KPROBE_FLAG_DISABLED: registered, not armed */

	/* Readable any time. */
	unsigned long nhit;
	unsigned long nmissed;    /* accesses while another handler ran on the CPU */

	/* The engine's. */
	void *watch;              /* the home's; NULL: not armed */
	struct spile_watchpoint *next;
};

/**
 * Plants a watchpoint. 0, or: -EINVAL address and name both given or neither, an impossible length
 * or type, an address that is not a multiple of the length or that the home does not watch (kernel:
 * a user's); -ENOENT unknown symbol; -ENOSPC all debug registers are in use; -EBUSY already
 * registered, or, in a process, overlapping another one; -EOPNOTSUPP the kernel offers no debug
 * registers, or not to this user; -ENOMEM.
 */
int spile_register_watchpoint(struct spile_watchpoint *wp);
/** When it has returned, the handler does not run and will not. */
void spile_unregister_watchpoint(struct spile_watchpoint *wp);
/** Plants num watchpoints, all or nothing. */
int spile_register_watchpoints(struct spile_watchpoint **wps, int num);
void spile_unregister_watchpoints(struct spile_watchpoint **wps, int num);

/** Gives the debug register back; -EINVAL if it is not registered. Idempotent. */
int spile_disable_watchpoint(struct spile_watchpoint *wp);
/** Takes one again, for which there may be none any more: as registering. Idempotent. */
int spile_enable_watchpoint(struct spile_watchpoint *wp);

#ifdef __cplusplus
}
#endif

#endif
