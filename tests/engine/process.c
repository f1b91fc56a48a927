// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's suite in a process, and what only a process has (process_cases.c).
 *
 * usage: engine-process [-t SECONDS]; the last line is "N passed, N failed"
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spile/process.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

static int passed, failed;
static double stress_seconds = 1;

void verdict(const char *name, bool good)
{
	passed += good;
	failed += !good;
	printf("%s %s\n", good ? "ok  " : "FAIL", name);
	fflush(stdout);
}

void complain(const char *file, int line, const char *what, long long is, long long should)
{
	printf("%s:%d: %s is %lld, not %lld\n", file, line, what, is, should);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool go_on(bool begin)
{
	static double end;

	if (begin)
		end = now() + stress_seconds;
	return now() < end;
}

static struct {
	void (*body)(void *arg);
	void *arg;
	bool stop;
} work;

static void *worker(void *unused)
{
	while (!__atomic_load_n(&work.stop, __ATOMIC_RELAXED))
		work.body(work.arg);
	return NULL;
}

void with_threads(int n, void (*body)(void *arg), void (*meanwhile)(void *arg), void *arg)
{
	pthread_t threads[64];

	work.body = body;
	work.arg = arg;
	work.stop = false;
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	meanwhile(arg);
	__atomic_store_n(&work.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	const struct suite_home home = {
		.verdict = verdict,
		.complain = complain,
		.with_threads = with_threads,
		.go_on = go_on,
		.add_name = "target_add",
		.own_text = (uint64_t)(uintptr_t)library_function(),
	};
	uint64_t before = text_checksum();

	if (argc == 3 && !strcmp(argv[1], "-t"))
		stress_seconds = atof(argv[2]);
	suite_run(&home);
	process_cases();
	spile_optimization(0); /* once more, with breakpoints only */
	suite_run(&home);
	spile_optimization(1);
	verdict("text_as_before", text_checksum() == before);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
