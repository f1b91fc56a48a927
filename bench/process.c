// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hit costs in a process; bench/engine.sh has the method. Prints lines
 *
 *     CASE THREADS MEDIAN BEST     ps a call above the bare call; of the bare call: ps a call
 *
 * Each handler adds one to a counter of its thread. A window is 4000 calls (100 where a hit enters the
 * kernel); a round's time is the best of its windows, and bare and probed calls take turns by rounds.
 * With two threads both run their windows at once, and the slower one's time counts. Every call must
 * have been counted.
 *
 * usage: process CASE [THREADS [push]]   CASE: jump breakpoint return bare lttng external;
 *                                        push: of the target that begins with a push
 *        process --show NAME             where a target is in the file, for who puts a uprobe there
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spile/process.h"
#ifdef BENCH_LTTNG
#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "bench/process_lttng.h"
#endif

#define ROUNDS 31
/* Of cases that take nanoseconds, and of those that enter the kernel at each hit. */
#define WINDOWS 600
#define CALLS 4000
#define WINDOWS_SLOW 30
#define CALLS_SLOW 100
#define THREADS_MOST 2

/*
 * Two functions with room for a jump. The kernel emulates the first's first instruction under a uprobe,
 * and has to single-step the second's.
 */
uint64_t target_push(uint64_t a);
uint64_t target_step(uint64_t a);
__asm__(".text\n"
	".globl target_push, target_step\n"
	".type target_push, @function\n"
	".type target_step, @function\n"
	".balign 64\n"
	"target_push:\n"
	"	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	leaq 1(%rdi), %rax\n"
	"	popq %rbp\n"
	"	ret\n"
	".size target_push, . - target_push\n"
	".balign 64\n"
	"target_step:\n"
	"	leaq 0x12345(%rdi), %rax\n"
	"	addq %rdi, %rax\n"
	"	ret\n"
	".size target_step, . - target_step\n");

static __thread volatile uint64_t count;

static int on_hit(struct kprobe *p, struct pt_regs *regs)
{
	count++;
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	count++;
	return 0;
}

static struct kprobe kp;
static struct kretprobe rp;
static uint64_t (*called)(uint64_t) = target_step;
static unsigned windows = WINDOWS, calls = CALLS;

#ifdef BENCH_LTTNG
static uint64_t with_tracepoint(uint64_t a)
{
	tracepoint(spile_bench, hit, a);
	return a + 1;
}
#endif

/* --- the probe of a case ---------------------------------------------------------------------------- */

static int nothing(void)
{
	return 0;
}

static int probe_on(void)
{
	kp = (struct kprobe){ .addr = (kprobe_opcode_t *)called, .pre_handler = on_hit };
	return register_kprobe(&kp);
}

static void probe_off(void)
{
	unregister_kprobe(&kp);
}

static int return_on(void)
{
	rp = (struct kretprobe){ .kp.addr = (kprobe_opcode_t *)called, .handler = on_return };
	return register_kretprobe(&rp);
}

static void return_off(void)
{
	unregister_kretprobe(&rp);
}

static void none_off(void)
{
}

static const struct bench_case {
	const char *name;
	int optimized; /* whether the probe has to be; -1: does not matter */
	int (*on)(void);
	void (*off)(void);
} cases[] = {
	{ "jump", 1, probe_on, probe_off },
	{ "breakpoint", 0, probe_on, probe_off },
	{ "return", -1, return_on, return_off },
	{ "bare", -1, nothing, none_off },
	{ "external", -1, nothing, none_off }, /* somebody else has put a probe there */
	{ "lttng", -1, nothing, none_off },
};

/* --- measuring ------------------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t time_window(void)
{
	uint64_t (*volatile call)(uint64_t) = called;
	uint64_t (*f)(uint64_t) = call, start = now_ns();

	for (unsigned i = 0; i < calls; i++)
		f(i);
	return now_ns() - start;
}

struct job {
	pthread_barrier_t *start;
	uint64_t best, counted;
};

static void *run_windows(void *arg)
{
	struct job *job = arg;

	count = 0;
	job->best = UINT64_MAX;
	time_window(); /* what a thread's first hit has to do is not a hit's cost */
	pthread_barrier_wait(job->start);
	for (unsigned i = 0; i < windows; i++) {
		uint64_t took = time_window();

		job->best = took < job->best ? took : job->best;
	}
	job->counted = count;
	return NULL;
}

/* Picoseconds a call, of the slowest thread; *ret_counted: handlers run by all. */
static uint64_t time_round(unsigned threads, uint64_t *ret_counted)
{
	struct job jobs[THREADS_MOST];
	pthread_t ids[THREADS_MOST];
	pthread_barrier_t start;
	uint64_t worst = 0;

	*ret_counted = 0;
	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		jobs[i].start = &start;
		pthread_create(&ids[i], NULL, run_windows, &jobs[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		worst = jobs[i].best > worst ? jobs[i].best : worst;
		*ret_counted += jobs[i].counted;
	}
	pthread_barrier_destroy(&start);
	return worst * 1000 / calls;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench process: %s\n", what);
	exit(1);
}

static uint64_t time_probed(const struct bench_case *c, unsigned threads)
{
	const uint64_t expected = (uint64_t)threads * (windows + 1) * calls;
	uint64_t counted, took;

	if (c->on())
		fail("the probe cannot be planted");
	if (c->optimized >= 0 && !!(kp.flags & KPROBE_FLAG_OPTIMIZED) != c->optimized)
		fail("planted in another way than was meant");
	took = time_round(threads, &counted);
	c->off();
	if (c->on != nothing && counted != expected)
		fail("hits were lost");
	return took;
}

static void run_case(const struct bench_case *c, unsigned threads)
{
	uint64_t costs[ROUNDS], counted, bare_best = UINT64_MAX, took_best = UINT64_MAX;
	bool alone = c->on == nothing; /* there is nothing to be taken away */

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t bare = alone ? 0 : time_round(threads, &counted);
		uint64_t took = time_probed(c, threads);

		costs[i] = took > bare ? took - bare : 0;
		bare_best = bare < bare_best ? bare : bare_best;
		took_best = took < took_best ? took : took_best;
	}
	qsort(costs, ROUNDS, sizeof(costs[0]), compare);
	printf("%s %u %llu %llu\n", c->name, threads, (unsigned long long)costs[ROUNDS / 2],
	       (unsigned long long)(took_best > bare_best ? took_best - bare_best : 0));
}

/* The load address is not in a file's offset: text begins at a page of the same place in both. */
static int show(const char *name)
{
	void *at = dlsym(RTLD_DEFAULT, name);
	Dl_info info;

	if (!at || !dladdr(at, &info))
		return 1;
	printf("%#lx\n", (unsigned long)((char *)at - (char *)info.dli_fbase));
	return 0;
}

int main(int argc, char **argv)
{
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 1;

	if (argc > 2 && !strcmp(argv[1], "--show"))
		return show(argv[2]);
	if (argc > 3 && !strcmp(argv[3], "push"))
		called = target_push;
	if (argc < 2 || threads < 1 || threads > THREADS_MOST)
		fail("usage: process CASE [THREADS [push]]");
#ifdef BENCH_LTTNG
	if (!strcmp(argv[1], "lttng"))
		called = with_tracepoint;
#endif
	spile_optimization(strcmp(argv[1], "breakpoint") != 0);
	if (!strcmp(argv[1], "breakpoint") || !strcmp(argv[1], "external")) {
		windows = WINDOWS_SLOW;
		calls = CALLS_SLOW;
	}
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		run_case(&cases[i], threads);
		return 0;
	}
	fail("no such case");
}
