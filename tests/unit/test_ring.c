// SPDX-License-Identifier: GPL-2.0-only
/**
 * The per-CPU ring: order, nesting, wrapping, losses, waking, garbage in the shared memory, and a
 * storm in which signals nest on a writer while another thread reads.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ring/ring.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STORM_RECORDS 30000
#else
#define STORM_RECORDS 200000
#endif

struct fixture {
	struct ring_writer writer;
	struct ring *ring;
};

static void fixture_init(struct fixture *f, size_t bytes)
{
	f->ring = aligned_alloc(64, ring_bytes(bytes));
	memset(f->ring, 0, ring_bytes(bytes));
	ring_init(&f->writer, f->ring, bytes);
}

static void fixture_deinit(struct fixture *f)
{
	free(f->ring);
}

static bool write_number(struct fixture *f, uint64_t n)
{
	uint64_t *p = ring_reserve(&f->writer, RING_PRINT, 7, n, sizeof(n));

	if (!p)
		return false;
	*p = n;
	ring_commit(&f->writer);
	return true;
}

static void expect_number(struct fixture *f, uint64_t n)
{
	const struct ring_record *r = ring_peek(f->ring);

	assert_non_null(r);
	assert_int_equal(r->kind, RING_PRINT);
	assert_int_equal(r->format, 7);
	assert_int_equal(r->size, sizeof(*r) + 8);
	assert_int_equal(r->time_ns, n);
	assert_int_equal(*(const uint64_t *)(r + 1), n);
	ring_consume(f->ring, r);
}

static void test_sizes(void **state)
{
	assert_int_equal(ring_bytes(0), RING_HEAD_BYTES + 4096);
	assert_int_equal(ring_bytes(4096), RING_HEAD_BYTES + 4096);
	assert_int_equal(ring_bytes(4097), RING_HEAD_BYTES + 8192);
	assert_int_equal(ring_bytes(SIZE_MAX), RING_HEAD_BYTES + (size_t)RING_BYTES_MAX);
}

static void test_order_and_wrap(void **state)
{
	struct fixture f;
	uint64_t in = 0, out = 0;

	fixture_init(&f, 4096);
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 1 + round % 150; i++)
			assert_true(write_number(&f, in++));
		while (out < in)
			expect_number(&f, out++);
		assert_null(ring_peek(f.ring));
	}
	assert_int_equal(f.ring->lost, 0);
	fixture_deinit(&f);
}

static void test_full_drops_the_new(void **state)
{
	struct fixture f;
	uint64_t taken = 0;

	fixture_init(&f, 4096);
	while (write_number(&f, taken))
		taken++;
	assert_int_equal(taken, 4096 / 24);
	assert_false(write_number(&f, 99));
	assert_int_equal(f.ring->lost, 2);
	for (uint64_t i = 0; i < taken; i++)
		expect_number(&f, i);
	assert_null(ring_peek(f.ring));
	assert_true(write_number(&f, 5));
	expect_number(&f, 5);
	fixture_deinit(&f);
}

static void test_too_large_is_lost(void **state)
{
	struct fixture f;

	fixture_init(&f, 4096);
	assert_null(ring_reserve(&f.writer, RING_PRINT, 0, 0, 2049));
	assert_null(ring_reserve(&f.writer, RING_PRINT, 0, 0, SIZE_MAX));
	assert_int_equal(f.ring->lost, 2);
	assert_non_null(ring_reserve(&f.writer, RING_PRINT, 0, 0, 2000));
	ring_commit(&f.writer);
	assert_non_null(ring_peek(f.ring));
	fixture_deinit(&f);
}

/* What a nested writer has finished stays hidden until the outermost one commits. */
static void test_nested(void **state)
{
	struct fixture f;
	uint64_t *outer;

	fixture_init(&f, 4096);
	outer = ring_reserve(&f.writer, RING_PRINT, 7, 1, 8);
	assert_true(write_number(&f, 2));
	assert_null(ring_peek(f.ring));
	*outer = 1;
	ring_commit(&f.writer);
	expect_number(&f, 1);
	expect_number(&f, 2);
	assert_null(ring_peek(f.ring));
	fixture_deinit(&f);
}

/* A reserve that fails inside another's leaves the nesting as it was. */
static void test_nested_failure(void **state)
{
	struct fixture f;

	fixture_init(&f, 4096);
	assert_non_null(ring_reserve(&f.writer, RING_PRINT, 7, 1, 8));
	assert_null(ring_reserve(&f.writer, RING_PRINT, 7, 1, 4000));
	assert_null(ring_peek(f.ring));
	ring_commit(&f.writer);
	assert_non_null(ring_peek(f.ring));
	assert_int_equal(f.writer.nest, 0);
	fixture_deinit(&f);
}

static void test_wake(void **state)
{
	struct fixture f;

	fixture_init(&f, 4096);
	ring_reserve(&f.writer, RING_PRINT, 0, 0, 0);
	assert_false(ring_commit(&f.writer));
	ring_wake_request(f.ring);
	ring_reserve(&f.writer, RING_PRINT, 0, 0, 0);
	ring_reserve(&f.writer, RING_PRINT, 0, 0, 0);
	assert_false(ring_commit(&f.writer)); /* nested: nothing published yet */
	assert_true(ring_commit(&f.writer));
	ring_reserve(&f.writer, RING_PRINT, 0, 0, 0);
	assert_false(ring_commit(&f.writer)); /* asked for once, told once */
	fixture_deinit(&f);
}

/* A nested record can be published by an outer attempt that itself finds no room. */
static void test_wake_when_full(void **state)
{
	struct fixture f;

	fixture_init(&f, 4096);
	while (write_number(&f, 0))
		;
	assert_false(ring_wake_wanted(&f.writer));
	ring_wake_request(f.ring);
	assert_null(ring_reserve(&f.writer, RING_PRINT, 0, 0, 8));
	assert_true(ring_wake_wanted(&f.writer));
	assert_false(ring_wake_wanted(&f.writer));
	fixture_deinit(&f);
}

/* The reader of a ring full of rubbish ends, and touches nothing outside (ASan sees that). */
static void test_reader_of_garbage(void **state)
{
	unsigned seed = time(NULL);
	struct fixture f;

	print_message("seed %u\n", seed);
	srand(seed);
	fixture_init(&f, 4096);
	for (int round = 0; round < 20000; round++) {
		uint32_t *words = (uint32_t *)ring_data(f.ring);

		for (int i = 0; i < 1024; i += 1 + rand() % 64)
			words[i] = rand() % 3 ? (unsigned)rand() % 256 & ~7u : (unsigned)rand();
		f.ring->tail = (rand() % 8192) & (rand() % 8 ? ~7 : ~0);
		f.ring->head = f.ring->tail + rand() % (rand() % 8 ? 4096 : 9000);
		f.ring->size = rand() % 16 ? 4096 : (uint64_t)rand() & 4095;
		for (int n = 0; n < 2000; n++) {
			const struct ring_record *r = ring_peek(f.ring);

			if (!r)
				break;
			assert_in_range(n, 0, 600);
			assert_in_range((uintptr_t)r + r->size, (uintptr_t)words,
					(uintptr_t)words + 4096);
			ring_consume(f.ring, r);
		}
	}
	fixture_deinit(&f);
}

/* Whatever the reader stores in the shared head, the writer stays inside the ring's data. */
static void test_writer_with_hostile_reader(void **state)
{
	struct fixture f;

	fixture_init(&f, 4096);
	srand(1);
	for (int i = 0; i < 100000; i++) {
		size_t payload = rand() % 300;
		char *p;

		f.ring->size = rand();
		f.ring->head = rand();
		f.ring->tail = rand() % 2 ? (uint64_t)rand() : f.writer.reserve - rand() % 5000;
		p = ring_reserve(&f.writer, RING_PRINT, 0, 0, payload);
		if (!p)
			continue;
		assert_in_range((uintptr_t)p, (uintptr_t)ring_data(f.ring),
				(uintptr_t)ring_data(f.ring) + 4096 - payload);
		memset(p, 0xff, payload);
		ring_commit(&f.writer);
	}
	fixture_deinit(&f);
}

/* --- an interruption at every instruction ---------------------------------------------------- */

/*
 * With the trap flag set the CPU raises SIGTRAP after each instruction; in the handler it is off.
 * So the handler can write a nested record after exactly the k-th instruction of an outer write:
 * every k is tried, which is every way in which one interrupt can meet a writer.
 */
static struct fixture *step_fixture;
static volatile int step_count, step_at, step_again;

#define TRAP_FLAG 0x100

static void step_set(void)
{
	__asm__ volatile("pushfq; orl %0, (%%rsp); popfq" : : "i"(TRAP_FLAG) : "cc", "memory");
}

static void step_clear(void)
{
	__asm__ volatile("pushfq; andl %0, (%%rsp); popfq" : : "i"(~TRAP_FLAG) : "cc", "memory");
}

static void step_signal(int sig)
{
	int count = step_count++;

	if (count == step_at || count == step_at + step_again)
		write_number(step_fixture, 1000 + count);
}

/* One stepped write with nested ones after instructions `at` and `at + again`. */
static bool step_once(struct fixture *f, int at, int again)
{
	int nested = 0;
	bool outer = false;

	step_count = 0;
	step_at = at;
	step_again = again;
	step_set();
	write_number(f, 1);
	step_clear();
	for (const struct ring_record *r; (r = ring_peek(f->ring)); ring_consume(f->ring, r)) {
		uint64_t n = *(const uint64_t *)(r + 1);

		assert_int_equal(n, r->time_ns);
		if (n == 1)
			outer = true;
		else
			nested++;
	}
	assert_true(outer);
	assert_int_equal(nested, (at < step_count) + (again && at + again < step_count));
	assert_int_equal(f->writer.nest, 0);
	assert_int_equal(f->ring->head, f->writer.reserve);
	assert_int_equal(f->ring->lost, 0);
	return at < step_count;
}

static void test_interrupted_at_every_instruction(void **state)
{
	struct sigaction sa = { .sa_handler = step_signal }, old;
	struct fixture f;
	int at;

	fixture_init(&f, 4096);
	step_fixture = &f;
	sigaction(SIGTRAP, &sa, &old);
	for (at = 0; step_once(&f, at, 0); at++)
		step_once(&f, at, 1 + at % 31);
	sigaction(SIGTRAP, &old, NULL);
	print_message("%d places\n", at);
	assert_in_range(at, 40, 100000);
	fixture_deinit(&f);
}

/* --- the storm ------------------------------------------------------------------------------- */

#define LEVELS 3 /* the thread, SIGUSR1 on top, SIGUSR2 on top of either */

struct storm {
	struct fixture f;
	uint64_t written[LEVELS], dropped[LEVELS]; /* by the writer thread and its signals */
	uint64_t read[LEVELS], bytes_read;
	bool done;
	bool broken; /* a record was torn or out of order */
	pthread_t writer;
};

static struct storm storm;

static void storm_write(unsigned level)
{
	uint64_t n = storm.written[level];
	size_t len = 16 + (n * 7 + level * 13) % 150;
	char *p = ring_reserve(&storm.f.writer, RING_PRINT, level, n, len);

	if (!p) {
		storm.dropped[level]++;
		return;
	}
	memcpy(p, &n, 8);
	memcpy(p + 8, &len, 8);
	for (size_t i = 16; i < len; i++)
		p[i] = (char)(n + i);
	ring_commit(&storm.f.writer);
	storm.written[level]++;
}

static void storm_signal(int sig)
{
	storm_write(sig == SIGUSR1 ? 1 : 2);
}

static void *storm_writer(void *arg)
{
	for (int i = 0; i < STORM_RECORDS; i++) {
		uint64_t dropped = storm.dropped[0];

		storm_write(0);
		if (storm.dropped[0] != dropped)
			sched_yield();
	}
	__atomic_store_n(&storm.done, true, __ATOMIC_RELEASE);
	/* Signals still in flight find this thread until the storm makers have ended. */
	return NULL;
}

static void *storm_maker(void *arg)
{
	int sig = *(int *)arg;

	while (!__atomic_load_n(&storm.done, __ATOMIC_ACQUIRE)) {
		pthread_kill(storm.writer, sig);
		sched_yield();
	}
	return NULL;
}

static void storm_check(const struct ring_record *r)
{
	const char *p = (const char *)(r + 1);
	uint64_t n, len;

	memcpy(&n, p, 8);
	memcpy(&len, p + 8, 8);
	if (r->kind != RING_PRINT || r->format >= LEVELS || n != storm.read[r->format] ||
	    r->time_ns != n || len > r->size - sizeof(*r)) {
		storm.broken = true;
		return;
	}
	for (size_t i = 16; i < len; i++)
		if (p[i] != (char)(n + i))
			storm.broken = true;
	storm.read[r->format]++;
}

static void *storm_reader(void *arg)
{
	bool last;

	do {
		const struct ring_record *r;

		last = __atomic_load_n(&storm.done, __ATOMIC_ACQUIRE);
		while ((r = ring_peek(storm.f.ring)) && !storm.broken) {
			storm_check(r);
			ring_consume(storm.f.ring, r);
		}
	} while (!last && !storm.broken);
	return NULL;
}

static void test_storm(void **state)
{
	struct sigaction sa = { .sa_handler = storm_signal, .sa_flags = SA_RESTART };
	int sigs[] = { SIGUSR1, SIGUSR2 };
	pthread_t reader, makers[2];
	uint64_t dropped = 0;

	memset(&storm, 0, sizeof(storm));
	fixture_init(&storm.f, 16384);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	pthread_create(&reader, NULL, storm_reader, NULL);
	pthread_create(&storm.writer, NULL, storm_writer, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&makers[i], NULL, storm_maker, &sigs[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(makers[i], NULL);
	pthread_join(storm.writer, NULL);
	pthread_join(reader, NULL);
	storm_reader(NULL); /* what signals wrote after `done` */

	assert_false(storm.broken);
	for (int i = 0; i < LEVELS; i++) {
		print_message("level %d: %lu written, %lu dropped\n", i, storm.written[i],
			      storm.dropped[i]);
		assert_int_equal(storm.read[i], storm.written[i]);
		assert_true(storm.written[i] > 0);
		dropped += storm.dropped[i];
	}
	assert_int_equal(storm.f.ring->lost, dropped);
	assert_int_equal(storm.written[0] + storm.dropped[0], STORM_RECORDS);
	assert_int_equal(storm.f.writer.nest, 0);
	fixture_deinit(&storm.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_order_and_wrap),
		cmocka_unit_test(test_full_drops_the_new),
		cmocka_unit_test(test_too_large_is_lost),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_nested_failure),
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_wake_when_full),
		cmocka_unit_test(test_reader_of_garbage),
		cmocka_unit_test(test_writer_with_hostile_reader),
		cmocka_unit_test(test_interrupted_at_every_instruction),
		cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
