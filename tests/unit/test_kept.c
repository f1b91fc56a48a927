// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments that are kept from a function's entry on (runtime/kept.h). Oracle: each call knows its own. A call
 * is here a number where its return address would lie; its arguments are made of that and a serial number.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/arch/x86/regs.h"
#include "runtime/kept.h"

static struct spl_kept *kept;

static int setup(void **state)
{
	kept = spl_kept_create();
	return !kept;
}

static int teardown(void **state)
{
	spl_kept_destroy(kept);
	return 0;
}

static uint64_t argument(uint64_t at, uint64_t serial, int n)
{
	return at * 31 + serial * 8 + (uint64_t)n;
}

static void enter(uint64_t at, uint64_t serial, uint64_t missed)
{
	struct pt_regs regs = { .sp = at };

	regs.di = argument(at, serial, 0);
	regs.si = argument(at, serial, 1);
	regs.dx = argument(at, serial, 2);
	regs.cx = argument(at, serial, 3);
	regs.r8 = argument(at, serial, 4);
	regs.r9 = argument(at, serial, 5);
	spl_kept_note(kept, &regs, missed);
}

/* 1: its own arguments are known, 0: nothing is, -1: something else is taken for them. */
static int knows(uint64_t at, uint64_t serial, uint64_t missed)
{
	int known = 0;
	uint64_t value;

	for (int n = 0; n < 6; n++) {
		if (!spl_kept_find(kept, at + 8, missed, n, &value))
			continue;
		if (value != argument(at, serial, n))
			return -1;
		known++;
	}
	return known == 6;
}

static void test_calls(void **state)
{
	enter(0x7f00, 1, 0);
	enter(0x7e80, 2, 0); /* the function has called itself */
	enter(0x6f00, 3, 0); /* another task */
	assert_int_equal(knows(0x7f00, 1, 0), 1);
	assert_int_equal(knows(0x7e80, 2, 0), 1);
	assert_int_equal(knows(0x6f00, 3, 0), 1);
	assert_int_equal(knows(0x7e88, 2, 0), 0);
	assert_int_equal(knows(0, 0, 0), 0);
	enter(0x7e80, 4, 0); /* returned, and called again from the same place */
	assert_int_equal(knows(0x7e80, 4, 0), 1);
	assert_int_equal(knows(0x7e80, 2, 0), -1);
	assert_int_equal(knows(0x7f00, 1, 0), 1);
}

/* A call whose entry was missed finds the one that was there before it: not to be taken for its own. */
static void test_missed(void **state)
{
	enter(0x7f00, 1, 0);
	enter(0x6f00, 2, 0);
	assert_int_equal(knows(0x7f00, 1, 1), 0);
	assert_int_equal(knows(0x6f00, 2, 1), 0);
	enter(0x7f00, 3, 1);
	assert_int_equal(knows(0x7f00, 3, 1), 1);
	assert_int_equal(knows(0x7f00, 3, 2), 0);
}

static void test_more_than_there_is_room_for(void **state)
{
	enum { CALLS = 20 * SPL_KEPT_CALLS };
	unsigned known = 0;

	for (uint64_t i = 1; i <= CALLS; i++) {
		enter(i * 16, i, 0);
		assert_int_equal(knows(i * 16, i, 0), 1);
	}
	for (uint64_t i = 1; i <= CALLS; i++) {
		int is_known = knows(i * 16, i, 0);

		assert_true(is_known >= 0);
		known += (unsigned)is_known;
	}
	assert_in_range(known, SPL_KEPT_CALLS / 2, SPL_KEPT_CALLS);
}

/* --- threads, and signals in the place of interrupts ---------------------------------------------- */

enum { THREADS = 3, ROUNDS = 300000, DEPTH = 700 };

static unsigned long wrong, unknown, interrupts;
static __thread uint64_t base;

static void check(uint64_t at, uint64_t serial)
{
	int is_known = knows(at, serial, 0);

	if (is_known < 0)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	else if (!is_known)
		__atomic_fetch_add(&unknown, 1, __ATOMIC_RELAXED);
}

/* Comes in the middle of anything, on a stack place of its own. */
static void interrupt(int number)
{
	static __thread uint64_t serial;
	uint64_t at = base + 0x100000 + ++serial % DEPTH * 16;

	enter(at, serial, 0);
	check(at, serial);
	__atomic_fetch_add(&interrupts, 1, __ATOMIC_RELAXED);
}

static void *call_all_the_time(void *arg)
{
	base = (uint64_t)(uintptr_t)arg << 32;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t at = base + i * 7 % DEPTH * 16;

		enter(at, i, 0);
		check(at, i);
	}
	return NULL;
}

static void test_at_once(void **state)
{
	struct sigaction action = { .sa_handler = interrupt };
	pthread_t threads[THREADS];
	bool running = true;

	sigaction(SIGUSR1, &action, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_all_the_time, (void *)(i + 1)),
				 0);
	for (unsigned n = 0; running; n++) {
		running = !pthread_kill(threads[n % THREADS], SIGUSR1) && n < 20000;
		if (n % 16 == 0)
			sched_yield();
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	print_message("%lu unknown of %d, %lu interrupts\n", unknown, THREADS * ROUNDS, interrupts);
	assert_int_equal(wrong, 0);
	assert_true(interrupts > 0);
	assert_true(unknown < THREADS * ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_than_there_is_room_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
