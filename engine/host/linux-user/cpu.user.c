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
 * More than HOST_SLOTS threads: those without a slot have a number beyond host_cpu_max(), and try
 * again at each call. The reader of this file's contract, runtime/probe.c, counts their hits.
 *
 * host_synchronize() waits until each thread that was between host_irq_save() and
 * host_irq_restore() has left: both count the thread's depth in its slot.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "engine/host.h"
#include "engine/host/linux-user/slot.h"

#define NO_SLOT (-1)

struct slot {
	uint32_t taken;
	uint32_t depth;   /* of host_irq_save and host_preempt_disable; written by the owner */
	uint32_t left;    /* how often depth has become 0 */
} __attribute__((aligned(64)));

static struct slot slots[HOST_SLOTS];
static pthread_key_t slot_key;
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;
/* In a library that is loaded late, too, reading it must not allocate: a handler may do it. */
static __thread int my_slot __attribute__((tls_model("initial-exec"))) = NO_SLOT;

static void slot_release(void *arg)
{
	my_slot = NO_SLOT;
	__atomic_store_n(&((struct slot *)arg)->taken, 0, __ATOMIC_RELEASE);
}

/* A child of fork has one thread: the slots of the others are free again. */
static void slots_after_fork(void)
{
	for (int i = 0; i < HOST_SLOTS; i++)
		if (i != my_slot)
			slots[i] = (struct slot){ 0 };
}

static void slots_init(void)
{
	pthread_key_create(&slot_key, slot_release);
	pthread_atfork(NULL, NULL, slots_after_fork);
}

static bool slot_take(struct slot *slot)
{
	uint32_t expected = 0;

	return !__atomic_load_n(&slot->taken, __ATOMIC_RELAXED) &&
	       __atomic_compare_exchange_n(&slot->taken, &expected, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/** Finds a slot for this thread; the lowest, so that few rings are ever touched. */
static unsigned slot_find(void)
{
	pthread_once(&slot_once, slots_init);
	for (int i = 0; i < HOST_SLOTS; i++) {
		if (!slot_take(&slots[i]))
			continue;
		if (my_slot != NO_SLOT) { /* a signal handler was here in the meantime */
			__atomic_store_n(&slots[i].taken, 0, __ATOMIC_RELEASE);
			return my_slot;
		}
		my_slot = i;
		pthread_setspecific(slot_key, &slots[i]);
		return i;
	}
	return HOST_SLOTS;
}

unsigned host_cpu_max(void)
{
	return HOST_SLOTS;
}

unsigned host_cpu(void)
{
	return __builtin_expect(my_slot != NO_SLOT, 1) ? (unsigned)my_slot : slot_find();
}

void host_preempt_disable(void)
{
	unsigned cpu = host_cpu();

	if (cpu < HOST_SLOTS)
		__atomic_store_n(&slots[cpu].depth, slots[cpu].depth + 1, __ATOMIC_SEQ_CST);
}

void host_preempt_enable(void)
{
	unsigned cpu = my_slot;

	if (cpu >= HOST_SLOTS || !slots[cpu].depth)
		return; /* had no slot when it disabled */
	__atomic_store_n(&slots[cpu].depth, slots[cpu].depth - 1, __ATOMIC_RELEASE);
	if (!slots[cpu].depth)
		__atomic_store_n(&slots[cpu].left, slots[cpu].left + 1, __ATOMIC_RELEASE);
}

unsigned long host_irq_save(void)
{
	host_preempt_disable();
	return my_slot != NO_SLOT;
}

void host_irq_restore(unsigned long flags)
{
	/* A thread that got its slot between save and restore has not been counted. */
	if (flags)
		host_preempt_enable();
}

/** Waits until the thread of a slot has left what it was in at the call. */
static void slot_wait(struct slot *slot)
{
	uint32_t left = __atomic_load_n(&slot->left, __ATOMIC_ACQUIRE);
	struct timespec pause = { .tv_nsec = 50000 };

	while (__atomic_load_n(&slot->depth, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&slot->left, __ATOMIC_ACQUIRE) == left)
		nanosleep(&pause, NULL);
}

void host_synchronize(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (int i = 0; i < HOST_SLOTS; i++)
		if (i != my_slot)
			slot_wait(&slots[i]);
}
