// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's suite in a process, and what only a process has (process_cases.c).
 *
 * usage: engine-process [-t SECONDS] [CASE]; the last line is "N passed, N failed, N skipped". With
 * the name of a case that only a process has, nothing else is run.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "spile/process.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

static int passed, failed, skipped;
static double stress_seconds = 1;
static uint64_t text_before;
static const char *only;
static bool good;

/* A case that leaves anything behind in the text has failed. */
static void verdict(const char *name, bool ok)
{
	ok &= text_checksum() == text_before;
	passed += ok;
	failed += !ok;
	printf("%s %s%s\n", ok ? "ok  " : "FAIL", name,
	       text_checksum() == text_before ? "" : " (the text is not as before)");
	fflush(stdout);
}

static void complain(const char *file, int line, const char *what, long long is, long long should)
{
	printf("%s:%d: %s is %lld, not %lld\n", file, line, what, is, should);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void check_equal(const char *file, int line, const char *what, long long is, long long should)
{
	if (is == should)
		return;
	good = false;
	complain(file, line, what, is, should);
}

void run_cases(const struct process_case *cases, unsigned n, void (*prepare)(void))
{
	for (unsigned i = 0; i < n; i++) {
		if (only && strcmp(only, cases[i].name))
			continue;
		good = true;
		prepare();
		cases[i].run();
		verdict(cases[i].name, good);
	}
}

void skip_cases(const struct process_case *cases, unsigned n, const char *why)
{
	for (unsigned i = 0; i < n; i++)
		printf("SKIP %s: %s\n", cases[i].name, why);
	skipped += (int)n;
}

bool stress_goes_on(bool begin)
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

static int default_maxactive(void)
{
	int twice = 2 * (int)sysconf(_SC_NPROCESSORS_CONF);

	return twice > 10 ? twice : 10;
}

/* --- reads that may fail: the program's own handler is the table of exceptions ---------------------- */

long process_load(uint64_t addr);
extern const char process_load_failed[];

__asm__(".text\n"
	".globl process_load\n"
	".type process_load, @function\n"
	"process_load:\n"
	"	mov (%rdi), %rax\n"
	"	mov $0, %eax\n"
	"	ret\n"
	"process_load_failed:\n"
	"	mov $-14, %rax\n"
	"	ret\n"
	".size process_load, . - process_load\n");

static void on_segv(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (gregs[REG_RIP] == (greg_t)process_load)
		gregs[REG_RIP] = (greg_t)process_load_failed;
	else
		signal(SIGSEGV, SIG_DFL); /* and it is raised again */
}

static void run_suite(const struct suite_home *home)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO }, old;

	sigaction(SIGSEGV, &action, &old);
	suite_run(home);
	sigaction(SIGSEGV, &old, NULL);
}

int main(int argc, char **argv)
{
	const struct suite_home home = {
		.verdict = verdict,
		.complain = complain,
		.with_threads = with_threads,
		.go_on = stress_goes_on,
		.add_name = "target_add",
		.own_text = (uint64_t)(uintptr_t)library_function(),
		.maxactive = default_maxactive(),
		.bad = 4096,
		.load = process_load,
		.load_at = (uint64_t)(uintptr_t)process_load,
	};

	if (argc >= 3 && !strcmp(argv[1], "-t"))
		stress_seconds = atof(argv[2]);
	only = argc == 2 ? argv[1] : argc == 4 ? argv[3] : NULL;
	text_before = text_checksum();
	if (!only)
		run_suite(&home);
	process_cases();
	process_thread_cases();
	process_watch_cases();
	process_control_cases();
	spile_optimization(0); /* once more, with breakpoints only */
	if (!only)
		run_suite(&home);
	spile_optimization(1);
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0;
}
