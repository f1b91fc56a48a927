// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process as a home of the engine: which planters, in which order; which addresses.
 *
 * The lock is taken before fork() and given back on both sides after it, so that the child finds
 * everything in order. The child has the parent's probes, and copies of everything about them.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "engine/arch/x86/decode.h"
#include "engine/core/engine.h"
#include "engine/host.h"
#include "engine/host/linux-user/home.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/planters.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/return.h"
#include "engine/host/linux-user/slot.h"
#include "engine/host/linux-user/text.h"
#include "engine/host/linux-user/threads.h"
#include "engine/host/linux-user/trap.h"
#include "engine/host/linux-user/watch.h"

#define COUNTERS 0x10000 /* probes that count without locked instructions */

static pthread_mutex_t registration = PTHREAD_MUTEX_INITIALIZER;
static int state = 1; /* of process_home_start(): 1 not tried, 0 or -errno */

static void home_lock(void)
{
	pthread_mutex_lock(&registration);
}

static void home_unlock(void)
{
	pthread_mutex_unlock(&registration);
}

/* The handlers that the parent's other threads were in do not run here. */
static void cpus_forked(void)
{
	for (int i = 0; i < HOST_SLOTS; i++)
		if (i != host_my_slot)
			engine.cpus[i].running = NULL;
}

static void child_after_fork(void)
{
	text_init();
	threads_forked();
	cpus_forked();
	returns_forked();
	watches_forked();
	home_unlock();
}

/* The code must be a loaded object's, not ours, and an instruction must start there. */
static int home_check(uint64_t addr)
{
	struct function f;
	int err;

	points_sweep();
	err = objects_function(addr, &f);
	if (err)
		return -EINVAL;
	if (objects_is_own(addr))
		return -EINVAL;
	err = x86_boundary_check(f.start, addr, point_read_original, NULL);
	return err == -EFAULT ? -EINVAL : err;
}

static bool home_is_entry(uint64_t addr)
{
	struct function f;

	return !objects_function(addr, &f) && f.start == addr;
}

/* The code of libspile. */
static void home_blacklist(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg)
{
	home_lock();
	objects_own_text(each, arg);
	home_unlock();
}

static void *home_current_task(void)
{
	return (void *)pthread_self();
}

/* Cheapest first: the policy of the process home. */
static const struct planter *const planters[] = {
	&planter_jump,
	&planter_breakpoint,
	&planter_return,
	NULL,
};

static struct engine_home home = {
	.planters = planters,
	.lock = home_lock,
	.unlock = home_unlock,
	.resolve = objects_resolve,
	.is_entry = home_is_entry,
	.check = home_check,
	.blacklist = home_blacklist,
	.current_task = home_current_task,
	.watch = &process_watch,
};

/* Address space for all, memory for the pages in use. A child of fork has its own. */
static int counters_create(void)
{
	void *p = mmap(NULL, sizeof(uint64_t) * COUNTERS * HOST_SLOTS, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	home.counters = p;
	home.counters_per_cpu = COUNTERS;
	return 0;
}

static int start(void)
{
	int err = text_init();

	host_cpu(); /* what the first call allocates must not be allocated in a hit */
	if (!err)
		err = counters_create();
	if (!err)
		err = engine_init(&home);
	for (int i = 0; !err && i < HOST_SLOTS; i++)
		host_slots[i].cpu = &engine.cpus[i];
	if (!err)
		err = returns_init();
	if (!err)
		pthread_atfork(home_lock, home_unlock, child_after_fork);
	return err;
}

int process_home_start(void)
{
	home_lock();
	if (state == 1)
		state = start();
	home_unlock();
	return state;
}

void process_home_sweep(void)
{
	home_lock();
	points_sweep();
	home_unlock();
}
