// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchpoints in a process: perf's hardware breakpoints, which send SIGTRAP at the access itself.
 *
 * An event belongs to a thread, and to those that the thread begins later. So every thread there is
 * gets one; a thread that begins between the list of threads and its creator's event is found when
 * the list is read again, until nothing new is on it. (It may then have two events, if it inherited
 * one in the meantime. They fire together and make one signal.)
 *
 * The signal carries a number: our mark and the watchpoint's own, which no other ever has. A late
 * one finds nothing under it and is dropped.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/core/watch.h"
#include "engine/host.h"
#include "engine/host/linux-user/threads.h"
#include "engine/host/linux-user/trap.h"
#include "engine/host/linux-user/watch.h"

#define CODE_PERF 6              /* TRAP_PERF, which older headers lack */
#define MARK 0x5350494c00000000u /* in the upper half of the number */
#define WATCHES 16               /* more than a processor has registers for */

struct event {
	int tid, fd;
};

/* Signals read id and wp, and id again; the rest is the lock's. */
struct watch {
	uint64_t id; /* 0: free */
	struct spile_watchpoint *wp;
	struct event *events;
	unsigned n, room;
};

static struct watch watches[WATCHES];
static uint32_t last_id;

/* --- one event ------------------------------------------------------------------------------------ */

static int refusal(int error)
{
	switch (error) {
	case ENOSPC:
		return -ENOSPC;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return -ENOMEM;
	default: /* no such events here, or not for us */
		return -EOPNOTSUPP;
	}
}

static int event_open(const struct watch *w, int tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.bp_type = w->wp->bp_type,
		.bp_addr = w->wp->bp_addr,
		.bp_len = w->wp->bp_len,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.inherit = 1,
		.inherit_thread = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
		.sig_data = w->id,
	};

	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* 0, also if the thread has ended; or -errno. */
static int event_add(struct watch *w, int tid)
{
	unsigned room = w->n < w->room ? w->room : 2 * w->room + 16;
	struct event *events = room > w->room ? realloc(w->events, room * sizeof(*events)) : w->events;
	int fd;

	if (!events)
		return -ENOMEM;
	w->events = events;
	w->room = room;
	fd = event_open(w, tid);
	if (fd < 0)
		return errno == ESRCH ? 0 : refusal(errno);
	w->events[w->n++] = (struct event){ tid, fd };
	return 0;
}

static bool has_event(const struct watch *w, int tid)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->events[i].tid == tid)
			return true;
	return false;
}

static void close_events(struct watch *w)
{
	for (unsigned i = 0; i < w->n; i++)
		close(w->events[i].fd);
	w->n = 0;
}

/* Until no thread is new. */
static int open_events(struct watch *w)
{
	unsigned before;
	int err = 0;

	do {
		struct thread_list list = { NULL, 0, 0 };

		before = w->n;
		threads_list(&list); /* incomplete: then something is new, or it is read again */
		for (unsigned i = 0; i < list.n && !err; i++)
			if (!has_event(w, list.tids[i]))
				err = event_add(w, list.tids[i]);
		free(list.tids);
	} while (!err && w->n != before);
	return err;
}

/* --- watchpoints ---------------------------------------------------------------------------------- */

static bool overlaps(const struct spile_watchpoint *a, const struct spile_watchpoint *b)
{
	return a->bp_addr < b->bp_addr + b->bp_len && b->bp_addr < a->bp_addr + a->bp_len;
}

/* Of two events at one access only one signal would come: hence the refusal. */
static int find_place(const struct spile_watchpoint *wp, struct watch **ret)
{
	*ret = NULL;
	for (int i = 0; i < WATCHES; i++) {
		if (!watches[i].id)
			*ret = &watches[i];
		else if (overlaps(watches[i].wp, wp))
			return -EBUSY;
	}
	return *ret ? 0 : -ENOSPC;
}

static void watch_free(struct watch *w)
{
	close_events(w);
	__atomic_store_n(&w->id, 0, __ATOMIC_SEQ_CST);
	free(w->events);
	w->events = NULL;
	w->room = 0;
}

static int watch_arm(struct spile_watchpoint *wp)
{
	struct watch *w;
	int err = (int64_t)wp->bp_addr < 0 ? -EINVAL : traps_init();

	if (!err)
		err = find_place(wp, &w);
	if (err)
		return err;
	__atomic_store_n(&w->wp, wp, __ATOMIC_SEQ_CST);
	__atomic_store_n(&w->id, MARK | ++last_id, __ATOMIC_SEQ_CST);
	wp->watch = w;
	err = open_events(w);
	if (err) {
		watch_free(w);
		host_synchronize(); /* some threads may have been watched already */
	}
	return err;
}

static void watch_disarm(struct spile_watchpoint *wp)
{
	watch_free(wp->watch);
}

static int watch_resolve(const char *name, uint64_t *ret)
{
	*ret = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
	return *ret ? 0 : -ENOENT;
}

const struct watch_home process_watch = {
	.resolve = watch_resolve,
	.arm = watch_arm,
	.disarm = watch_disarm,
};

void watches_forked(void)
{
	for (int i = 0; i < WATCHES; i++) {
		if (!watches[i].id)
			continue;
		close_events(&watches[i]);
		if (event_add(&watches[i], host_current_tid()))
			host_log("%#llx is not watched in the child of a fork",
				 (unsigned long long)watches[i].wp->bp_addr);
	}
}

/* --- hits ------------------------------------------------------------------------------------------- */

/* any, preempt off */
static struct spile_watchpoint *watch_by_id(uint64_t id)
{
	struct spile_watchpoint *wp;

	for (int i = 0; i < WATCHES; i++) {
		if (__atomic_load_n(&watches[i].id, __ATOMIC_SEQ_CST) != id)
			continue;
		wp = __atomic_load_n(&watches[i].wp, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&watches[i].id, __ATOMIC_SEQ_CST) == id)
			return wp;
	}
	return NULL;
}

/* any, preempt off */
bool watch_trap(const siginfo_t *info, struct pt_regs *regs)
{
	uint64_t id = (uint64_t)(uintptr_t)info->si_value.sival_ptr; /* where si_perf_data is */
	struct spile_watchpoint *wp;

	if (info->si_code != CODE_PERF || (id & ~(uint64_t)UINT32_MAX) != MARK)
		return false;
	wp = watch_by_id(id);
	if (wp)
		engine_watch_hit(wp, regs);
	return true;
}
