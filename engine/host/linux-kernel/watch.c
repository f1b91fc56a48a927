// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchpoints in the kernel: the kernel's own hardware breakpoints, one event on each CPU, which
 * share the debug registers with perf and debuggers. Only kernel memory: an address of a process
 * would be watched in all processes.
 *
 * The kernel's structure for a request is a part of its interface to programs, so its layout and its
 * numbers are fixed; from BTF comes where the fields are.
 */
#include "engine/host/linux-kernel/engine_kernel.h"

#include "engine/core/watch.h"
#include "engine/host/linux-kernel/watch.h"

#define PERF_TYPE_BREAKPOINT 5
#define PERF_ATTR_PINNED 4   /* in the word of flags, which follows read_format */
#define ERROR_LEAST (-4095l) /* pointers from here on are -errno */

/* Runs in the debug exception, which is like an NMI; the access is done. */
static void on_access(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	struct spile_watchpoint *wp = kfield(event, perf_event, overflow_handler_context);

	host_preempt_disable();
	if (wp)
		engine_watch_hit(wp, regs);
	host_preempt_enable();
}

static void request_fill(struct perf_event_attr *attr, const struct spile_watchpoint *wp)
{
	uint64_t *read_format = &kfield(attr, perf_event_attr, read_format);

	memset(attr, 0, ksize(perf_event_attr));
	kfield(attr, perf_event_attr, type) = PERF_TYPE_BREAKPOINT;
	kfield(attr, perf_event_attr, size) = (uint32_t)ksize(perf_event_attr);
	kfield(attr, perf_event_attr, sample_period) = 1;
	kfield(attr, perf_event_attr, bp_type) = wp->bp_type;
	kfield(attr, perf_event_attr, bp_addr) = wp->bp_addr;
	kfield(attr, perf_event_attr, bp_len) = wp->bp_len;
	read_format[1] = PERF_ATTR_PINNED;
}

static int watch_arm(struct spile_watchpoint *wp)
{
	struct perf_event_attr *attr;
	void *events;

	if (!khas(register_wide_hw_breakpoint))
		return -EOPNOTSUPP;
	if ((int64_t)wp->bp_addr >= 0)
		return -EINVAL;
	attr = host_zalloc(sizeof(*attr));
	if (!attr)
		return -ENOMEM;
	request_fill(attr, wp);
	events = kfn_register_wide_hw_breakpoint(attr, on_access, wp);
	host_free(attr);
	if ((long)events >= ERROR_LEAST && (long)events < 0)
		return (int)(long)events;
	wp->watch = events;
	return 0;
}

static void watch_disarm(struct spile_watchpoint *wp)
{
	kfn_unregister_wide_hw_breakpoint(wp->watch);
}

const struct watch_home kernel_watch = {
	.arm = watch_arm,
	.disarm = watch_disarm,
};
