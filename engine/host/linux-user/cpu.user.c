// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/cpu.user.c - what stands for a CPU in a process: the slot of a thread.
 *
 * Per-CPU data is safe in a kernel because interrupts are off. A thread cannot keep others from its
 * CPU, but it can have data of its own: so host_cpu() is the number of a slot that the thread takes
 * at its first call and gives back when it ends. Only one thread at a time has a slot; a signal
 * handler on top of it sees the same number, as an NMI does. Taking and giving back are
 * acquire and release, so the next owner sees what the last one wrote.
 *
 * What a thread does after its libc has let go of its data takes a slot once more, and nobody gives
 * that one back: a slot is also free when the thread that it names is no more.
 *
 * More than HOST_SLOTS threads: those without a slot have a number beyond host_cpu_max(), and try
 * again at each call. The reader of this file's contract, runtime/probe.c, counts their hits.
 *
 * host_synchronize() waits until each thread that was between host_irq_save() and
 * host_irq_restore() has left: both count the thread's depth in its slot, with plain stores. That
 * the store is seen before what the thread does next is the waiter's work (membarrier): hits
 * are many, waits are few. Threads without a slot share one atomic depth.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/host.h"
#include "engine/host/linux-user/signals.h"
#include "engine/host/linux-user/slot.h"

#define NO_SLOT (-1)
#define TRIES 256 /* of a thread that has found none, until owners are asked after again */

struct host_slot host_slots[HOST_SLOTS];
static pthread_key_t slot_key;
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;
__thread int host_my_slot HOST_TLS = NO_SLOT;
__thread struct host_slot *host_my_slot_at HOST_TLS;
/* How deep a thread is that had no slot when it began; `crowd` is the sum of all. */
static __thread uint32_t my_crowd __attribute__((tls_model("initial-exec")));
static uint32_t crowd;
static __thread unsigned my_tries __attribute__((tls_model("initial-exec")));

static void slot_release(void *arg)
{
	host_my_slot = NO_SLOT;
	host_my_slot_at = NULL;
	__atomic_store_n(&((struct host_slot *)arg)->taken, 0, __ATOMIC_RELEASE);
}

/* A child of fork has one thread: the slots of the others are free again. */
static void slots_after_fork(void)
{
	for (int i = 0; i < HOST_SLOTS; i++)
		if (i == host_my_slot)
			host_slots[i].taken = (uint32_t)RAW_SYSCALL(SYS_gettid);
		else
			host_slots[i] = (struct host_slot){ .cpu = host_slots[i].cpu };
	crowd = my_crowd;
}

static void slots_init(void)
{
	pthread_key_create(&slot_key, slot_release);
	pthread_atfork(NULL, NULL, slots_after_fork);
}

/* Whether the owner is gone; a number that is mine already was a dead thread's. any */
static bool owner_is_dead(uint32_t owner, uint32_t tid)
{
	return owner == tid ||
	       RAW_SYSCALL(SYS_tgkill, RAW_SYSCALL(SYS_getpid), (long)owner, 0) == -ESRCH;
}

static bool slot_take(struct host_slot *slot, uint32_t tid, bool from_dead)
{
	uint32_t owner = __atomic_load_n(&slot->taken, __ATOMIC_RELAXED);

	if (owner && !(from_dead && owner_is_dead(owner, tid)))
		return false;
	return __atomic_compare_exchange_n(&slot->taken, &owner, tid, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* Finds a slot for this thread; the lowest, so that few rings are ever touched. any */
static int slot_search(uint32_t tid, bool from_dead)
{
	for (int i = 0; i < HOST_SLOTS; i++) {
		if (!slot_take(&host_slots[i], tid, from_dead))
			continue;
		if (host_my_slot != NO_SLOT) { /* a signal handler was here in the meantime */
			if (host_my_slot != i)
				__atomic_store_n(&host_slots[i].taken, 0, __ATOMIC_RELEASE);
			return host_my_slot;
		}
		host_my_slot = i;
		host_my_slot_at = &host_slots[i];
		pthread_setspecific(slot_key, &host_slots[i]);
		return i;
	}
	return HOST_SLOTS;
}

/* Asking after 64 owners takes a while, so a thread without a slot does not do it at each hit. */
static unsigned slot_find(void)
{
	uint32_t tid = (uint32_t)RAW_SYSCALL(SYS_gettid);
	int found;

	pthread_once(&slot_once, slots_init);
	found = slot_search(tid, false);
	if (found == HOST_SLOTS && my_tries++ % TRIES == 0)
		found = slot_search(tid, true);
	return (unsigned)found;
}

unsigned host_cpu_max(void)
{
	return HOST_SLOTS;
}

unsigned host_cpu(void)
{
	return __builtin_expect(host_my_slot != NO_SLOT, 1) ? (unsigned)host_my_slot : slot_find();
}

void host_preempt_disable(void)
{
	unsigned cpu = host_cpu();

	if (cpu < HOST_SLOTS && !my_crowd) {
		host_slot_enter(&host_slots[cpu]);
	} else {
		my_crowd++;
		__atomic_fetch_add(&crowd, 1, __ATOMIC_SEQ_CST);
	}
}

void host_preempt_enable(void)
{
	if (my_crowd) {
		my_crowd--;
		__atomic_fetch_sub(&crowd, 1, __ATOMIC_RELEASE);
	} else {
		host_slot_leave(&host_slots[host_my_slot]);
	}
}

/* A signal's handler runs on its thread's slot, and shares what is there. */
bool host_interrupted(const void *frame, unsigned level)
{
	return false;
}

unsigned long host_irq_save(void)
{
	host_preempt_disable();
	return 0;
}

void host_irq_restore(unsigned long flags)
{
	host_preempt_enable();
}

static uintptr_t quick_probe(const struct host_slot *slot)
{
	return __atomic_load_n(&slot->quick, __ATOMIC_SEQ_CST) & ~QUICK_SURE;
}

/* The short way has no `left`: another value than at the call, seen once, is the sign. */
static void quick_wait(struct host_slot *slot)
{
	uintptr_t was = quick_probe(slot);
	struct timespec pause = { .tv_nsec = 50000 };

	for (unsigned i = 1; was && quick_probe(slot) == was; i++) {
		host_relax();
		if (!(i % 1000))
			nanosleep(&pause, NULL);
	}
}

/** Waits until the thread of a slot has left what it was in at the call. */
static void slot_wait(struct host_slot *slot)
{
	uint32_t left = __atomic_load_n(&slot->left, __ATOMIC_ACQUIRE);
	struct timespec pause = { .tv_nsec = 50000 };

	while (__atomic_load_n(&slot->depth, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&slot->left, __ATOMIC_ACQUIRE) == left)
		nanosleep(&pause, NULL);
}

/* Every thread that runs has a full barrier here. */
static void barrier_everywhere(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		return;
	/* Not registered yet; or a kernel without it, where the slow command does. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void host_synchronize(void)
{
	struct timespec pause = { .tv_nsec = 50000 };

	barrier_everywhere();
	for (int i = 0; i < HOST_SLOTS; i++) {
		if (i == host_my_slot)
			continue;
		slot_wait(&host_slots[i]);
		quick_wait(&host_slots[i]);
	}
	while (__atomic_load_n(&crowd, __ATOMIC_SEQ_CST) > my_crowd)
		nanosleep(&pause, NULL);
}
