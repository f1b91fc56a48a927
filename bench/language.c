// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits the first timer probe of a translated script from several threads, as fast as they can, and
 * tells what one hit took. The script is an object of the process home; everything that a hit goes
 * through is the real thing: contexts, locks, budgets, rings.
 *
 * usage: language OBJECT THREADS HITS PER_HIT
 *
 * PER_HIT is how many operations a hit does. Prints "NS_PER_OPERATION LOST": the threads' processor
 * time, divided by the operations of all, which on a busy machine says more than the time of day and
 * includes all waiting for each other; and the records that were lost.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/host.h"
#include "runtime/session.h"
#include "spile/session.h"

static struct spl_session session;
static const struct spl_probe *probe;
static long hits;
static pthread_barrier_t start_line;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Returns the ns that its hits took. */
static void *hit(void *unused)
{
	uint64_t start;

	(void)unused;
	spl_probe_run(&session, probe, NULL, NULL); /* memory is there afterwards */
	pthread_barrier_wait(&start_line);
	start = now_ns();
	for (long i = 0; i < hits; i++)
		spl_probe_run(&session, probe, NULL, NULL);
	return (void *)(uintptr_t)(now_ns() - start);
}

static const struct spl_probe *find_timer(const struct spl_script *script)
{
	for (uint32_t i = 0; i < script->nprobes; i++)
		if (script->probes[i].kind == SPL_PROBE_TIMER)
			return &script->probes[i];
	fputs("language: no timer probe in the script\n", stderr);
	exit(1);
}

static double run_threads(unsigned count)
{
	pthread_t *threads = calloc(count, sizeof(*threads));
	double sum = 0;

	pthread_barrier_init(&start_line, NULL, count);
	for (unsigned i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, hit, NULL);
	for (unsigned i = 0; i < count; i++) {
		void *ns;

		pthread_join(threads[i], &ns);
		sum += (double)(uintptr_t)ns;
	}
	free(threads);
	return sum / count;
}

int main(int argc, char **argv)
{
	struct spile_report report = { 0 };
	struct spl_script *script;
	void *object;
	double ns;

	if (argc != 5)
		return 2;
	object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	script = object ? dlsym(object, "spl_script") : NULL;
	if (!script) {
		fprintf(stderr, "language: %s\n", dlerror());
		return 1;
	}
	hits = atol(argv[3]);
	if (spl_session_init(&session, script, 0))
		return 1;
	spl_session_begin(&session);
	probe = find_timer(script);
	ns = run_threads((unsigned)atoi(argv[2]));
	spl_session_end(&session);
	spl_session_report(&session, &report);
	printf("%.2f %llu\n", ns / ((double)hits * atof(argv[4])), (unsigned long long)report.lost);
	if (report.errors || report.skipped) {
		fprintf(stderr, "language: %llu errors, %llu hits skipped\n",
			(unsigned long long)report.errors, (unsigned long long)report.skipped);
		return 1;
	}
	spl_session_deinit(&session);
	return 0;
}
