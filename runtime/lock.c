// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/lock.c - the bounded reader-writer lock of a global.
 *
 * A holder runs with interrupts off and for a bounded number of statements, so waiting is short.
 * It is bounded all the same: in a process a holder can lose its CPU, and a mistake in a script's
 * lock order shall cost skipped hits, not the machine. Any context.
 */
#include <stdbool.h>

#include "engine/host.h"
#include "runtime/script.h"

#define MAXTRYLOCK 1000 /* rounds, stap's default */
#define ROUND_PAUSES 64 /* a round: about 3 us */

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

int spl_lock_read(struct spl_lock *lock)
{
	for (int round = 0; round < MAXTRYLOCK; round++) {
		if (spl_likely(try_read(lock)))
			return 1;
		wait_round(lock, false);
	}
	return 0;
}

int spl_lock_write(struct spl_lock *lock)
{
	for (int round = 0; round < MAXTRYLOCK; round++) {
		if (spl_likely(try_write(lock)))
			return 1;
		wait_round(lock, true);
	}
	return 0;
}

void spl_unlock_read(struct spl_lock *lock)
{
	__atomic_fetch_sub(&lock->state, 1, __ATOMIC_RELEASE);
}

void spl_unlock_write(struct spl_lock *lock)
{
	__atomic_store_n(&lock->state, 0, __ATOMIC_RELEASE);
}
