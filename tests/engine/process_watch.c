// SPDX-License-Identifier: GPL-2.0-only
/* Watchpoints in a process. Where the kernel has none for us, the cases are skipped and say so. */
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/arch/x86/regs.h"
#include "spile/watchpoint.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

#define WRITES 1000

volatile uint64_t watched_word[4]; /* found by its name, too */
static volatile uint64_t seen_value, seen_ip, seen_hits;

static void look(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	seen_value = *(volatile uint64_t *)(uintptr_t)wp->bp_addr;
	seen_ip = regs->ip;
	seen_hits++;
}

static void nothing(struct spile_watchpoint *wp, struct pt_regs *regs)
{
}

static struct spile_watchpoint watch_of(volatile void *addr, unsigned len, unsigned type)
{
	return (struct spile_watchpoint){ .bp_addr = (uint64_t)(uintptr_t)addr, .bp_len = len,
					  .bp_type = type, .handler = nothing };
}

static __attribute__((noinline, noclone)) void write_word(uint64_t value)
{
	watched_word[0] = value;
}

static void case_watch_writes(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);
	uint64_t start = (uint64_t)(uintptr_t)write_word;

	wp.handler = look;
	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	write_word(77);
	CHECK_EQ(seen_hits, 1);
	CHECK_EQ(seen_value, 77);
	CHECK_EQ(seen_ip > start && seen_ip < start + 64, true);
	CHECK_EQ(wp.nmissed, 0); /* the handler has only read */
	spile_unregister_watchpoint(&wp);
	write_word(78);
	CHECK_EQ(wp.nhit, 1);
}

static void case_watch_reads(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_READ_WRITE);
	uint64_t sum = 0;

	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	for (int i = 0; i < WRITES; i++)
		sum += watched_word[0];
	write_word(sum);
	watched_word[1] = 1; /* behind it */
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(wp.nhit, WRITES + 1);
	CHECK_EQ(wp.nmissed, 0);
}

static void case_watch_lengths(void)
{
	volatile uint8_t *bytes = (volatile uint8_t *)watched_word;

	for (unsigned len = 1; len <= 8; len *= 2) {
		struct spile_watchpoint wp = watch_of(bytes + 8, len, SPILE_WATCH_WRITE);

		CHECK_EQ(spile_register_watchpoint(&wp), 0);
		for (unsigned i = 0; i < 32; i++)
			bytes[i] = 1;
		spile_unregister_watchpoint(&wp);
		CHECK_EQ(wp.nhit, len);
	}
}

static void writes_again(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	watched_word[0]++;
	watched_word[0]++;
}

static void case_watch_nested(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);

	wp.handler = writes_again;
	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	write_word(0);
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(watched_word[0], 2);
	CHECK_EQ(wp.nhit, 1);
	CHECK_EQ(wp.nmissed, 2);
}

static void case_watch_disable(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);

	CHECK_EQ(spile_disable_watchpoint(&wp), -EINVAL);
	wp.flags = KPROBE_FLAG_DISABLED;
	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	write_word(1);
	CHECK_EQ(spile_enable_watchpoint(&wp), 0);
	CHECK_EQ(spile_enable_watchpoint(&wp), 0);
	write_word(2);
	CHECK_EQ(spile_disable_watchpoint(&wp), 0);
	CHECK_EQ(spile_disable_watchpoint(&wp), 0);
	write_word(3);
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(wp.nhit, 1);
}

static void case_watch_by_name(void)
{
	struct spile_watchpoint wp = { .symbol_name = "watched_word", .bp_len = 8,
				       .bp_type = SPILE_WATCH_WRITE };
	struct spile_watchpoint unknown = { .symbol_name = "no_such_variable", .bp_len = 8,
					    .bp_type = SPILE_WATCH_WRITE };

	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	write_word(1);
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(wp.nhit, 1);
	CHECK_EQ(spile_register_watchpoint(&unknown), -ENOENT);
}

static void refuse(volatile void *addr, unsigned len, unsigned type, int verdict)
{
	struct spile_watchpoint wp = watch_of(addr, len, type);

	CHECK_EQ(spile_register_watchpoint(&wp), verdict);
}

static void case_watch_refusals(void)
{
	volatile char *p = (volatile char *)watched_word;
	struct spile_watchpoint both = watch_of(p, 8, SPILE_WATCH_WRITE);
	struct spile_watchpoint fine = watch_of(p, 8, SPILE_WATCH_WRITE);

	both.symbol_name = "watched_word";
	CHECK_EQ(spile_register_watchpoint(&both), -EINVAL);
	refuse(NULL, 8, SPILE_WATCH_WRITE, -EINVAL);
	refuse(p, 3, SPILE_WATCH_WRITE, -EINVAL);
	refuse(p, 16, SPILE_WATCH_WRITE, -EINVAL);
	refuse(p, 0, SPILE_WATCH_WRITE, -EINVAL);
	refuse(p, 8, 0, -EINVAL);
	refuse(p, 8, 1, -EINVAL);
	refuse(p, 8, 4, -EINVAL);
	refuse(p + 1, 2, SPILE_WATCH_WRITE, -EINVAL);
	refuse(p + 4, 8, SPILE_WATCH_WRITE, -EINVAL);
	CHECK_EQ(spile_register_watchpoint(&fine), 0);
	CHECK_EQ(spile_register_watchpoint(&fine), -EBUSY);
	refuse(p + 4, 4, SPILE_WATCH_READ_WRITE, -EBUSY);
	spile_unregister_watchpoint(&fine);
}

/* Five, for four registers: nothing is left of any. */
static void case_watch_all_or_nothing(void)
{
	static volatile uint64_t words[5];
	struct spile_watchpoint wp[5], *wps[5];

	for (int i = 0; i < 5; i++) {
		wp[i] = watch_of(&words[i], 8, SPILE_WATCH_WRITE);
		wps[i] = &wp[i];
	}
	CHECK_EQ(spile_register_watchpoints(wps, 0), -EINVAL);
	CHECK_EQ(spile_register_watchpoints(wps, 5), -ENOSPC);
	for (int i = 0; i < 5; i++)
		words[i] = 1;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(wp[i].nhit, 0);
	CHECK_EQ(spile_register_watchpoints(wps, 4), 0);
	for (int i = 0; i < 5; i++)
		words[i] = 2;
	spile_unregister_watchpoints(wps, 4);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(wp[i].nhit, i < 4);
}

static volatile int go;

static void *write_much(void *unused)
{
	while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST))
		usleep(100);
	for (int i = 0; i < WRITES; i++)
		write_word((uint64_t)i);
	return NULL;
}

/* Threads that are there before, and threads that come after; all at once. */
static void case_watch_threads(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);
	pthread_t threads[6];

	go = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, write_much, NULL);
	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	for (int i = 3; i < 6; i++)
		pthread_create(&threads[i], NULL, write_much, NULL);
	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(wp.nhit, 6 * WRITES);
	CHECK_EQ(wp.nmissed, 0);
}

static void case_watch_fork(void)
{
	struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);
	int status;
	pid_t pid;

	CHECK_EQ(spile_register_watchpoint(&wp), 0);
	write_word(1);
	pid = fork();
	if (!pid) {
		write_word(2);
		write_word(3);
		spile_unregister_watchpoint(&wp);
		write_word(4);
		_exit((int)wp.nhit);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(WEXITSTATUS(status), 3);
	write_word(5);
	spile_unregister_watchpoint(&wp);
	CHECK_EQ(wp.nhit, 2);
}

static void count_write(void *unused)
{
	write_word(1);
}

static void register_and_unregister(void *unused)
{
	while (stress_goes_on(false)) {
		struct spile_watchpoint wp = watch_of(watched_word, 8, SPILE_WATCH_WRITE);

		CHECK_EQ(spile_register_watchpoint(&wp), 0);
		write_word(2);
		spile_unregister_watchpoint(&wp);
		CHECK_EQ(wp.nhit > 0, true);
		wp.handler = (spile_watch_handler_t)1; /* a call of it now would be the end */
	}
}

static void case_watch_under_load(void)
{
	stress_goes_on(true);
	with_threads(2, count_write, register_and_unregister, NULL);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct process_case cases[] = {
	CASE(watch_writes),
	CASE(watch_reads),
	CASE(watch_lengths),
	CASE(watch_nested),
	CASE(watch_disable),
	CASE(watch_by_name),
	CASE(watch_refusals),
	CASE(watch_all_or_nothing),
	CASE(watch_threads),
	CASE(watch_fork),
	CASE(watch_under_load),
};

static void prepare(void)
{
	seen_hits = 0;
}

/* Asks the kernel itself, not the code under test: for this thread alone, with a signal. */
static bool kernel_watches(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uint64_t)(uintptr_t)&go,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void process_watch_cases(void)
{
	if (kernel_watches())
		run_cases(cases, sizeof(cases) / sizeof(cases[0]), prepare);
	else
		skip_cases(cases, sizeof(cases) / sizeof(cases[0]),
			   "this kernel has no debug registers for us");
}
