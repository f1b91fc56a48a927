// SPDX-License-Identifier: GPL-2.0-only
/**
 * Counting without a lock: threads add to a shared map, a number and statistics through real probe
 * hits, while another one stops the adding, reads and deletes. Nothing may be lost or counted twice.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/host.h"
#include "runtime/session.h"

enum { ADDERS = 3, HITS = 200000, KEYS = 512 };

static struct spl_session session;
static struct spl_map *numbers, *samples;
static struct spl_tally tally;
static struct spl_stat stat;
static const struct spl_stat_type kept = { .keeps = SPL_STAT_LOG,
					   .width = 1,
					   .size = (4 + SPL_LOG_BUCKETS) * 8 };

/* What the stopper has taken away. */
static int64_t taken_number, taken_tally, taken_samples, taken_sum, taken_bucket;
static unsigned stops;

static __thread uint32_t seed;

static uint32_t next_random(void)
{
	if (!seed)
		seed = (uint32_t)(uintptr_t)&seed | 1;
	return seed = seed * 1664525u + 1013904223u;
}

static void add(struct spl_ctx *c)
{
	union spl_val key = { .n = next_random() >> 16 & (KEYS - 1) };

	if (!spl_share_enter(c)) {
		spl_skip_lock(c);
		return;
	}
	spl_map_tally(c, numbers, &key, 2);
	spl_map_sample(c, samples, &key, 3);
	spl_tally_add(c, &tally, -1);
	spl_stat_add(c, &stat, &kept, 5);
	spl_share_leave(c);
}

static int64_t take(struct spl_ctx *c, const struct spl_samples *s, enum spl_take what)
{
	return spl_samples_take(c, s, what, NULL);
}

/* Reads everything and deletes it. */
static void drain(struct spl_ctx *c)
{
	struct spl_samples s;

	for (struct spl_map_entry *e = spl_map_first(numbers); e; e = spl_map_next(numbers, e))
		taken_number += spl_entry_value_n(numbers, e);
	spl_map_clear(numbers);
	spl_map_sort(samples, -1 - SPL_COUNT, -1, -1);
	for (struct spl_map_entry *e = spl_map_first(samples); e; e = spl_map_next(samples, e)) {
		spl_entry_samples(samples, e, &s);
		taken_samples += take(c, &s, SPL_COUNT);
		assert_int_equal(take(c, &s, SPL_SUM), 3 * take(c, &s, SPL_COUNT));
	}
	/* one by one, so that entries go through the free list */
	for (int64_t i = 0; i < KEYS; i++)
		spl_map_delete(samples, &(union spl_val){ .n = i });
	assert_int_equal(spl_map_count(samples), 0);
	taken_tally += *spl_tally_fold(&tally);
	*spl_tally_fold(&tally) = 0;
	spl_stat_samples(&stat, &kept, &s);
	taken_sum += take(c, &s, SPL_SUM);
	if (take(c, &s, SPL_COUNT))
		taken_bucket += spl_samples_bucket(c, &s, SPL_STAT_LOG, SPL_LOG_ZERO + 3, NULL);
	spl_stat_clear(&stat);
	stops++;
}

static void stop(struct spl_ctx *c)
{
	if (!spl_share_stop(c)) {
		spl_skip_lock(c);
		return;
	}
	drain(c);
	spl_share_resume(c);
}

static const struct spl_probe probes[] = {
	{ .index = 0, .kind = SPL_PROBE_TIMER, .handler = add },
	{ .index = 1, .kind = SPL_PROBE_TIMER, .handler = stop },
};

static struct spl_script script = {
	.abi = SPL_ABI,
	.probes = probes,
	.nprobes = 2,
	.string_size = 128,
	.name = "test",
	.max_action = 100,
	.max_nesting = 3,
	.max_skipped = 1000000,
};

static void *hit_add(void *unused)
{
	(void)unused;
	for (int i = 0; i < HITS; i++)
		spl_probe_run(&session, &probes[0], NULL, NULL);
	return NULL;
}

static void check_totals(int64_t hits)
{
	assert_int_equal(taken_number, 2 * hits);
	assert_int_equal(taken_samples, hits);
	assert_int_equal(taken_tally, -hits);
	assert_int_equal(taken_sum, 5 * hits);
	assert_int_equal(taken_bucket, hits);
}

static void start(unsigned entries)
{
	const struct spl_map_type number_type = { "n:n", KEYS, 128, 0, 1, NULL };
	const struct spl_map_type sample_type = { "n:t", entries, 128, 0, 1, &kept };

	taken_number = taken_tally = taken_samples = taken_sum = taken_bucket = stops = 0;
	numbers = spl_map_create(&number_type);
	samples = spl_map_create(&sample_type);
	assert_non_null(numbers);
	assert_non_null(samples);
	assert_int_equal(spl_tally_init(&tally, 0), 0);
	assert_int_equal(spl_stat_init(&stat, &kept), 0);
	assert_int_equal(spl_session_init(&session, &script, 65536), 0);
	spl_session_begin(&session);
}

static void finish(void)
{
	spl_session_end(&session);
	spl_session_deinit(&session);
	spl_map_destroy(numbers);
	spl_map_destroy(samples);
	spl_tally_deinit(&tally);
	spl_stat_deinit(&stat);
}

static void run_threads(unsigned entries)
{
	pthread_t threads[ADDERS];
	int64_t skipped = 0;

	start(entries);
	for (int i = 0; i < ADDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hit_add, NULL), 0);
	for (int i = 0; i < 300; i++)
		spl_probe_run(&session, &probes[1], NULL, NULL);
	for (int i = 0; i < ADDERS; i++)
		pthread_join(threads[i], NULL);
	spl_probe_run(&session, &probes[1], NULL, NULL);
	assert_true(stops > 0);
	/* a hit that a busy machine made us skip is counted, so it is known */
	for (uint32_t i = 0; i < session.ncpus; i++)
		skipped += (int64_t)session.cpus[i]->counts[0].skipped_lock;
	check_totals((int64_t)ADDERS * HITS - skipped);
	finish();
}

static void test_threads(void **state)
{
	(void)state;
	run_threads(KEYS);
}

/* So large that there is not a table for each CPU: some have one together. */
static void test_large(void **state)
{
	(void)state;
	run_threads(250000);
}

/* A full map: the error, and nothing counted for what has no place. */
static void test_full(void **state)
{
	const struct spl_map_type type = { "n:n", 2, 128, 0, 1, NULL };
	struct spl_map *map = spl_map_create(&type);
	struct spl_ctx ctx = { 0 };

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		spl_map_tally(&ctx, map, &(union spl_val){ .n = i }, 1);
	assert_string_equal(ctx.error, "Array overflow, check MAXMAPENTRIES");
	assert_int_equal(spl_map_count(map), 2);
	spl_map_delete(map, &(union spl_val){ .n = 0 });
	ctx.error = NULL;
	spl_map_tally(&ctx, map, &(union spl_val){ .n = 7 }, 1);
	assert_null(ctx.error);
	assert_int_equal(spl_map_get_n(map, &(union spl_val){ .n = 7 }), 1);
	spl_map_set_n(&ctx, map, &(union spl_val){ .n = 7 }, 40);
	spl_map_tally(&ctx, map, &(union spl_val){ .n = 7 }, 1);
	assert_int_equal(spl_map_add_n(&ctx, map, &(union spl_val){ .n = 7 }, 1), 42);
	spl_map_destroy(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
