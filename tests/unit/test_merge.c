// SPDX-License-Identifier: GPL-2.0-only
/*
 * The merge against a model. Each record carries the time its writer read the clock (t) and, known
 * to the test only, the time it was published (p). Promised: every record comes out once, those of
 * a ring in their order, and a record that was published before another's clock was read (p < t')
 * comes out before that one. SEED=n repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>

#include <cmocka.h>

#include "reader/merge.h"

enum { RINGS = 5, RING_SIZE = 4096, MAX = 20000 };

struct payload {
	uint32_t ring;
	uint32_t number; /* in its ring */
	uint64_t published;
};

struct bench {
	char *memory;
	size_t stride;
	struct ring_writer writers[RINGS];
	uint32_t written[RINGS];
	uint32_t emitted[RINGS];
	uint64_t newest_t; /* of all that came out */
	unsigned out_of_order; /* younger ones were out already */
	unsigned too_late;     /* and it had been published before they came about */
	unsigned total;
	struct merge merge;
	uint64_t *published[RINGS]; /* p by ring and number, when only known after the commit */
};

static unsigned seed;

static unsigned rnd(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->stride = ring_bytes(RING_SIZE);
	b->memory = aligned_alloc(4096, b->stride * RINGS);
	memset(b->memory, 0, b->stride * RINGS);
	for (int i = 0; i < RINGS; i++) {
		ring_init(&b->writers[i], (struct ring *)(b->memory + (size_t)i * b->stride), RING_SIZE);
		b->published[i] = calloc(MAX, sizeof(uint64_t));
	}
	merge_init(&b->merge, b->memory, b->stride, RINGS);
}

static void bench_deinit(struct bench *b)
{
	merge_deinit(&b->merge);
	for (int i = 0; i < RINGS; i++)
		free(b->published[i]);
	free(b->memory);
}

static bool publish(struct bench *b, unsigned ring, uint64_t t)
{
	struct payload *p = ring_reserve(&b->writers[ring], RING_PRINT, 0, t, sizeof(*p));

	if (!p)
		return false;
	p->ring = ring;
	p->number = b->written[ring]++;
	ring_commit(&b->writers[ring]);
	return true;
}

/* The sink: checks what can be checked at once. */
static void take(void *arg, const struct ring_record *record)
{
	struct bench *b = arg;
	const struct payload *p = (const void *)(record + 1);

	assert_int_equal(record->size, sizeof(*record) + sizeof(*p));
	assert_true(p->ring < RINGS);
	assert_int_equal(p->number, b->emitted[p->ring]);
	b->emitted[p->ring]++;
	/* Something younger is out already: allowed only if this one was not published by then. */
	if (record->time_ns < b->newest_t) {
		uint64_t published =
			__atomic_load_n(&b->published[p->ring][p->number], __ATOMIC_ACQUIRE);

		b->out_of_order++;
		if (published < b->newest_t)
			b->too_late++;
	}
	if (record->time_ns > b->newest_t)
		b->newest_t = record->time_ns;
	b->total++;
}

/* One thread plays all writers: each may hold a clock it has read for a while before publishing. */
static void test_random_model(void **state)
{
	for (int round = 0; round < 20; round++) {
		uint64_t clock = 1, held[RINGS] = { 0 }, now = 0;
		struct bench b;

		bench_init(&b);
		if (round & 1)
			b.merge.batch = 100; /* polls leave something behind */
		for (int step = 0; step < 4000; step++) {
			unsigned r = rnd(RINGS);

			clock++;
			if (rnd(8) == 0) {
				now += rnd(2) ? MERGE_GRACE_NS : 1000;
				merge_poll(&b.merge, now, take, &b);
			} else if (!held[r]) {
				held[r] = clock;
			} else {
				b.published[r][b.written[r]] = clock;
				assert_true(publish(&b, r, held[r]));
				held[r] = 0;
			}
		}
		merge_flush(&b.merge, take, &b);
		assert_int_equal(b.too_late, 0);
		for (int i = 0; i < RINGS; i++)
			assert_int_equal(b.emitted[i], b.written[i]);
		bench_deinit(&b);
	}
}

/* Records published at once, polls anywhere: the stream is sorted without exception. */
static void test_sorted_when_nobody_is_late(void **state)
{
	struct bench b;
	uint64_t now = 0;

	bench_init(&b);
	b.merge.batch = *(size_t *)*state;
	for (uint64_t clock = 1; clock < 5000; clock++) {
		unsigned r = rnd(RINGS);

		b.published[r][b.written[r]] = clock;
		publish(&b, r, clock);
		if (rnd(10) == 0)
			merge_poll(&b.merge, now += MERGE_GRACE_NS, take, &b);
	}
	merge_flush(&b.merge, take, &b);
	assert_int_equal(b.out_of_order, 0);
	assert_int_equal(b.total, 4999);
	bench_deinit(&b);
}

/* Everything comes out after two quiet polls that are a grace period apart, and not before. */
static void test_held_back_and_released(void **state)
{
	struct bench b;

	bench_init(&b);
	publish(&b, 0, 10);
	assert_true(merge_poll(&b.merge, 0, take, &b));
	publish(&b, 1, 9); /* the late one */
	publish(&b, 1, 11);
	assert_true(merge_poll(&b.merge, MERGE_GRACE_NS - 1, take, &b));
	assert_int_equal(b.total, 0);
	b.published[1][0] = b.published[1][1] = UINT64_MAX;
	assert_true(merge_poll(&b.merge, MERGE_GRACE_NS, take, &b));
	assert_int_equal(b.total, 2); /* 9 and 10; 11 is above the bound */
	assert_int_equal(b.out_of_order, 0);
	assert_false(merge_poll(&b.merge, 2 * MERGE_GRACE_NS, take, &b));
	assert_int_equal(b.total, 3);
	bench_deinit(&b);
}

static void test_lost_is_counted(void **state)
{
	unsigned tried = 0, taken = 0;
	struct bench b;

	bench_init(&b);
	for (; tried < 1000; tried++)
		taken += publish(&b, 2, tried + 1);
	assert_in_range(taken, 1, 999);
	assert_int_equal(merge_lost(&b.merge, 2), tried - taken);
	assert_int_equal(merge_lost(&b.merge, 1), 0);
	merge_flush(&b.merge, take, &b);
	assert_int_equal(b.total, taken);
	bench_deinit(&b);
}

/* The queues do not grow without limit when polls come faster than the grace period. */
static void test_crowded_does_not_wait(void **state)
{
	struct bench b;
	uint64_t clock = 1;

	bench_init(&b);
	for (int poll = 0; poll < 20; poll++) {
		while (publish(&b, 0, clock))
			clock++;
		assert_true(merge_poll(&b.merge, 1, take, &b));
		assert_true(b.merge.hurry);
	}
	assert_true(b.total > 0);
	assert_true(b.written[0] - b.emitted[0] <
		    7 * RING_SIZE / (sizeof(struct ring_record) + sizeof(struct payload)));
	bench_deinit(&b);
}

/* A record that makes no sense costs what was published by then, and nothing that comes later. */
static void test_garbage(void **state)
{
	enum { SIZE = sizeof(struct ring_record) + sizeof(struct payload) };
	static const uint32_t sizes[] = { 0, 8, 20, 12, RING_SIZE, UINT32_MAX, 1u << 31 };
	struct bench b;

	bench_init(&b);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ring_record *last;

		b.emitted[0] = b.written[0];
		publish(&b, 0, 1 + i);
		publish(&b, 0, 1 + i);
		last = (void *)((char *)ring_data(b.writers[0].ring) +
				((b.writers[0].reserve - SIZE) & (RING_SIZE - 1)));
		assert_int_equal(last->size, SIZE);
		last->size = sizes[i];
		b.total = 0;
		merge_flush(&b.merge, take, &b);
		assert_int_equal(b.total, 1);
		assert_int_equal(ring_tail(b.writers[0].ring), b.writers[0].reserve);
	}
	bench_deinit(&b);
}

static void test_wake_request(void **state)
{
	struct payload *p;
	struct bench b;

	bench_init(&b);
	assert_false(merge_wake_request(&b.merge));
	p = ring_reserve(&b.writers[3], RING_PRINT, 0, 1, sizeof(*p));
	assert_non_null(p);
	*p = (struct payload){ .ring = 3, .number = b.written[3]++ };
	assert_true(ring_commit(&b.writers[3]));
	assert_true(merge_wake_request(&b.merge));
	merge_flush(&b.merge, take, &b);
	bench_deinit(&b);
}

/* --- real threads ----------------------------------------------------------------------------------- */

struct writer_thread {
	struct bench *b;
	unsigned ring;
	unsigned seed;
	uint64_t *clock; /* ticks at every use, so equal times do not occur */
	pthread_t thread;
};

enum { PER_THREAD = 15000 };

static void *writer_main(void *arg)
{
	struct writer_thread *w = arg;

	for (uint32_t i = 0; i < PER_THREAD;) {
		uint64_t t = __atomic_add_fetch(w->clock, 1, __ATOMIC_SEQ_CST);

		/* Until it is known better: published at the end of time, which promises nothing. */
		__atomic_store_n(&w->b->published[w->ring][i], UINT64_MAX, __ATOMIC_RELEASE);
		for (volatile unsigned spin = (unsigned)rand_r(&w->seed) % 200; spin; spin--)
			;
		if (!publish(w->b, w->ring, t)) {
			sched_yield();
			continue;
		}
		__atomic_store_n(&w->b->published[w->ring][i],
				 __atomic_add_fetch(w->clock, 1, __ATOMIC_SEQ_CST), __ATOMIC_RELEASE);
		i++;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct writer_thread writers[RINGS];
	uint64_t clock = 0, now = 0;
	struct bench b;

	bench_init(&b);
	for (unsigned i = 0; i < RINGS; i++) {
		writers[i] = (struct writer_thread){ .b = &b, .ring = i, .seed = seed + i,
						     .clock = &clock };
		assert_int_equal(pthread_create(&writers[i].thread, NULL, writer_main, &writers[i]),
				 0);
	}
	while (b.total < RINGS * PER_THREAD) {
		merge_poll(&b.merge, now += MERGE_GRACE_NS, take, &b);
		sched_yield();
	}
	for (unsigned i = 0; i < RINGS; i++)
		pthread_join(writers[i].thread, NULL);
	assert_int_equal(b.too_late, 0);
	bench_deinit(&b);
}

/* One writer that wanders from ring to ring, as a task does from CPU to CPU: a total order. */
static void *wanderer_main(void *arg)
{
	struct writer_thread *w = arg;

	for (uint32_t i = 0; i < RINGS * PER_THREAD; i++) {
		unsigned ring = RINGS - 1 - i % RINGS;

		while (!publish(w->b, ring, i + 1))
			sched_yield();
	}
	return NULL;
}

static void test_cause_before_effect(void **state)
{
	struct writer_thread writer = { 0 };
	struct bench b;
	uint64_t now = 0;

	bench_init(&b);
	b.merge.batch = *(size_t *)*state;
	writer.b = &b;
	assert_int_equal(pthread_create(&writer.thread, NULL, wanderer_main, &writer), 0);
	while (b.total < RINGS * PER_THREAD)
		merge_poll(&b.merge, now += MERGE_GRACE_NS, take, &b);
	pthread_join(writer.thread, NULL);
	assert_int_equal(b.out_of_order, 0);
	bench_deinit(&b);
}

static size_t small_batch = 100, large_batch = MERGE_BATCH;

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_model),
		cmocka_unit_test_prestate(test_sorted_when_nobody_is_late, &large_batch),
		cmocka_unit_test_prestate(test_sorted_when_nobody_is_late, &small_batch),
		cmocka_unit_test(test_held_back_and_released),
		cmocka_unit_test(test_lost_is_counted),
		cmocka_unit_test(test_crowded_does_not_wait),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_wake_request),
		cmocka_unit_test(test_threads),
		cmocka_unit_test_prestate(test_cause_before_effect, &large_batch),
		cmocka_unit_test_prestate(test_cause_before_effect, &small_batch),
	};

	seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
	printf("# repeat with SEED=%u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
