// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/lock.c - the bounded reader-writer lock of a global.
 *
 * A holder runs with interrupts off and for a bounded number of statements, so waiting is short. It
 * never waits for its own CPU: a hit on top of a handler is refused before it comes here. So the
 * one thing that keeps a holder from finishing is that its CPU does not run: a virtual one that its
 * host has put aside, a thread of a process that lost its processor. That lasts milliseconds, not
 * rounds, which is why the bound is a time; and when the whole machine was put aside, the time is over
 * and nobody had a chance, which is why it is a number of rounds as well. The bound exists because a
 * mistake in a script's lock order shall cost skipped hits, not the machine. Any context.
 */
#include <stdbool.h>

#include "engine/host.h"
#include "runtime/script.h"

#define PATIENCE_NS (250 * 1000 * 1000ull) /* less than any lock-up detector's, more than a time slice */
#define PATIENCE_ROUNDS 20000
#define ROUND_PAUSES 64 /* between two looks at the clock: about 3 us */

static bool try_read(struct spl_lock *lock)
{
	spl_s32 state = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);

	return state >= 0 &&
	       __atomic_compare_exchange_n(&lock->state, &state, state + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool try_write(struct spl_lock *lock)
{
	spl_s32 state = 0;

	return __atomic_compare_exchange_n(&lock->state, &state, -1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/** Waits one round, or until the lock may be free for this kind of taking. */
static void wait_round(struct spl_lock *lock, bool write)
{
	for (int i = 0; i < ROUND_PAUSES; i++) {
		spl_s32 state = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);

		if (write ? state == 0 : state >= 0)
			return;
		host_relax();
	}
}

/** The slow path of both kinds: rounds of waiting and trying until it succeeds or time is up. */
static int lock_patiently(struct spl_lock *lock, bool write)
{
	uint64_t end = host_clock_ns() + PATIENCE_NS;
	int rounds = 0;

	do {
		wait_round(lock, write);
		if (write ? try_write(lock) : try_read(lock))
			return 1;
	} while (++rounds < PATIENCE_ROUNDS || host_clock_ns() < end);
	return 0;
}

int spl_lock_read(struct spl_lock *lock)
{
	return spl_likely(try_read(lock)) || lock_patiently(lock, false);
}

int spl_lock_write(struct spl_lock *lock)
{
	return spl_likely(try_write(lock)) || lock_patiently(lock, true);
}

void spl_unlock_read(struct spl_lock *lock)
{
	__atomic_fetch_sub(&lock->state, 1, __ATOMIC_RELEASE);
}

void spl_unlock_write(struct spl_lock *lock)
{
	__atomic_store_n(&lock->state, 0, __ATOMIC_RELEASE);
}
