// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for room in a ring: how a wait ends. Nothing here depends on how long anything takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <pthread.h>

#include <cmocka.h>

#include "reader/room.h"
#include "ring/ring.h"

enum { RING_SIZE = 4096 };
#define LONG_NS 3600000000000ull

struct bench {
	struct ring *ring;
	struct ring_writer writer;
	struct room room;
	pthread_t thread;
	uint64_t target;
	bool come;
};

static void bench_init(struct bench *b, uint64_t patience_ns)
{
	memset(b, 0, sizeof(*b));
	b->ring = aligned_alloc(4096, ring_bytes(RING_SIZE));
	memset(b->ring, 0, ring_bytes(RING_SIZE));
	ring_init(&b->writer, b->ring, RING_SIZE);
	assert_null(room_init(&b->room, patience_ns));
}

static void bench_deinit(struct bench *b)
{
	room_deinit(&b->room);
	free(b->ring);
}

/* Fills the ring and asks how far the reader must come. */
static void fill(struct bench *b, size_t payload)
{
	while (ring_try_reserve(&b->writer, RING_PRINT, 0, 1, payload))
		ring_commit(&b->writer);
	assert_int_equal(b->ring->lost, 0);
	assert_true(ring_wait_target(&b->writer, payload, &b->target));
}

static void *waiter(void *arg)
{
	struct bench *b = arg;

	b->come = room_wait(&b->room, b->ring, b->target);
	return NULL;
}

/* Starts a thread that waits, and returns when it does. */
static void wait_begin(struct bench *b)
{
	struct pollfd bell = { .fd = b->room.bell_fd, .events = POLLIN };

	assert_int_equal(pthread_create(&b->thread, NULL, waiter, b), 0);
	assert_int_equal(poll(&bell, 1, -1), 1);
	room_answer(&b->room);
	assert_int_equal(poll(&bell, 1, 0), 0);
}

static bool wait_end(struct bench *b)
{
	pthread_join(b->thread, NULL);
	return b->come;
}

/* Reads the ring empty, record by record, telling the room at each one. */
static void test_reader_makes_room(void **state)
{
	const struct ring_record *record;
	struct bench b;

	bench_init(&b, LONG_NS);
	fill(&b, 100);
	wait_begin(&b);
	while ((record = ring_peek(b.ring))) {
		ring_consume(b.ring, record);
		room_moved(&b.room);
	}
	assert_true(wait_end(&b));
	assert_non_null(ring_try_reserve(&b.writer, RING_PRINT, 0, 1, 100));
	bench_deinit(&b);
}

/* A reader that does nothing is waited for once; one that comes to life again is waited for again. */
static void test_patience(void **state)
{
	struct bench b;

	bench_init(&b, 1000000);
	fill(&b, 100);
	assert_false(room_wait(&b.room, b.ring, b.target));
	room_answer(&b.room);
	assert_false(room_wait(&b.room, b.ring, b.target));
	assert_int_equal(poll(&(struct pollfd){ .fd = b.room.bell_fd, .events = POLLIN }, 1, 0), 0);
	b.room.patience_ns = LONG_NS;
	room_sign(&b.room);
	wait_begin(&b);
	room_close(&b.room);
	assert_false(wait_end(&b));
	assert_false(room_wait(&b.room, b.ring, b.target));
	bench_deinit(&b);
}

static void test_no_patience(void **state)
{
	struct bench b;

	bench_init(&b, 0);
	fill(&b, 100);
	assert_false(room_wait(&b.room, b.ring, b.target));
	bench_deinit(&b);
}

/* The largest record needs an empty ring, wherever in it the writer stands; a larger one never fits. */
static void test_target_is_enough(void **state)
{
	size_t most = RING_SIZE / 2 - 1;
	unsigned seed = 1;
	struct bench b;
	uint64_t none;

	bench_init(&b, LONG_NS);
	for (int i = 0; i < 10000; i++) {
		size_t payload = (size_t)rand_r(&seed) % (i & 1 ? 50 : most + 1);

		if (!ring_try_reserve(&b.writer, RING_PRINT, 0, 1, payload)) {
			assert_true(ring_wait_target(&b.writer, payload, &b.target));
			while ((int64_t)(ring_tail(b.ring) - b.target) < 0)
				ring_consume(b.ring, ring_peek(b.ring));
			assert_non_null(ring_try_reserve(&b.writer, RING_PRINT, 0, 1, payload));
		}
		ring_commit(&b.writer);
	}
	assert_false(ring_wait_target(&b.writer, most + 1, &none));
	assert_int_equal(b.ring->lost, 0);
	ring_drop(&b.writer);
	assert_int_equal(b.ring->lost, 1);
	bench_deinit(&b);
}

/* A fast writer and a reader that sleeps between looks: everything arrives, nothing hangs. */
static void *fast_writer(void *arg)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < 200000; i++) {
		uint64_t *p, target;

		while (!(p = ring_try_reserve(&b->writer, RING_PRINT, 0, i, 8))) {
			assert_true(ring_wait_target(&b->writer, 8, &target));
			b->come &= room_wait(&b->room, b->ring, target);
		}
		*p = i;
		ring_commit(&b->writer);
	}
	return NULL;
}

static void test_stream(void **state)
{
	const struct ring_record *record;
	uint64_t expected = 0;
	struct bench b;

	bench_init(&b, LONG_NS);
	b.come = true;
	assert_int_equal(pthread_create(&b.thread, NULL, fast_writer, &b), 0);
	while (expected < 200000) {
		struct pollfd bell = { .fd = b.room.bell_fd, .events = POLLIN };

		if (poll(&bell, 1, 1) == 1)
			room_answer(&b.room);
		while ((record = ring_peek(b.ring))) {
			assert_int_equal(*(const uint64_t *)(record + 1), expected);
			expected++;
			ring_consume(b.ring, record);
		}
		room_moved(&b.room);
	}
	assert_true(wait_end(&b));
	bench_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_makes_room),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_no_patience),
		cmocka_unit_test(test_target_is_enough),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
