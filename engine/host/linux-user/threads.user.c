// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/threads.user.c - where the other threads are.
 *
 * Code may be overwritten, or memory for code reused, only when no thread can go on in it. A thread
 * that sleeps in the kernel is looked at from outside: /proc/self/task/TID/syscall tells its pc and
 * stack pointer, and its stack can be read. The answer counts only if the thread has not run
 * meanwhile, which its count of context switches tells; so programs that wait are not disturbed,
 * and no system call of theirs returns EINTR because of us. A thread that runs is sent a signal, and
 * looks at itself.
 *
 * A thread that does not answer in time (it blocks the signal) counts as being in every range: what
 * was to be done is done later or never, never wrongly.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/host.h"
#include "engine/host/linux-user/signals.h"
#include "engine/host/linux-user/threads.h"

#define STACK_MOST (8u << 20) /* bytes of a stack that are looked at */
#define PIECE 8192
#define PATIENCE_NS 200000000ull /* for a thread that runs to answer */

/* What is asked, one question at a time (the home's lock); `question` makes late answers void. */
static struct {
	struct code_range *ranges;
	unsigned n;
	uint32_t question, answers, busy;
} ask;

/* --- a stack ----------------------------------------------------------------------------------- */

/* any */
static void range_mark(struct code_range *ranges, unsigned n, uint64_t word)
{
	unsigned lo = 0;

	while (n) { /* the first range that does not end before it */
		unsigned half = n / 2;

		if (ranges[lo + half].end <= word) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
			if (ranges[lo + half].start <= word) {
				__atomic_store_n(&ranges[lo + half].occupied, true, __ATOMIC_RELAXED);
				return;
			}
		}
	}
}

/* Reads by system call: where a stack ends is where reading fails. any */
static void stack_scan(struct code_range *ranges, unsigned n, uint64_t sp)
{
	uint64_t words[PIECE / 8], end = sp + STACK_MOST, low = ranges[0].start;
	uint64_t high = ranges[n - 1].end;
	ssize_t got;

	for (sp &= ~7ull; sp < end; sp += (uint64_t)got) {
		struct iovec local = { words, sizeof(words) - sp % PIECE };
		struct iovec remote = { (void *)(uintptr_t)sp, local.iov_len };

		got = RAW_SYSCALL(SYS_process_vm_readv, RAW_SYSCALL(SYS_getpid), (long)&local, 1,
				  (long)&remote, 1, 0);
		if (got <= 0)
			return;
		for (ssize_t i = 0; i < got / 8; i++)
			if (words[i] >= low && words[i] < high)
				range_mark(ranges, n, words[i]);
	}
}

/* --- a thread that sleeps ---------------------------------------------------------------------- */

static bool read_file(int tid, const char *name, char *dst, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, dst, size - 1);
		close(fd);
	}
	dst[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* How often the thread has been put on a CPU; schedstat's third number. */
static bool count_of_runs(int tid, unsigned long long *ret)
{
	char text[128];

	return read_file(tid, "schedstat", text, sizeof(text)) &&
	       sscanf(text, "%*u %*u %llu", ret) == 1;
}

/* "number args... sp pc" of a thread that sleeps, "running", or "-1 sp pc" of one that is stopped. */
static bool place_of(int tid, uint64_t *ret_sp, uint64_t *ret_pc)
{
	char text[256], *pc, *sp;

	if (!read_file(tid, "syscall", text, sizeof(text)) || text[0] == 'r')
		return false;
	pc = strrchr(text, ' ');
	if (!pc)
		return false;
	*pc++ = '\0';
	sp = strrchr(text, ' ');
	if (!sp)
		return false;
	*ret_sp = strtoull(sp, NULL, 16);
	*ret_pc = strtoull(pc, NULL, 16);
	return *ret_sp != 0;
}

/* False: it runs, or has run while we looked. Marks made in vain do no harm. */
static bool look_from_outside(int tid)
{
	unsigned long long before, after;
	uint64_t sp, pc, sp2, pc2;

	if (!count_of_runs(tid, &before) || !place_of(tid, &sp, &pc))
		return false;
	range_mark(ask.ranges, ask.n, pc);
	stack_scan(ask.ranges, ask.n, sp);
	return place_of(tid, &sp2, &pc2) && count_of_runs(tid, &after) && before == after &&
	       sp == sp2 && pc == pc2;
}

/* --- a thread that runs ------------------------------------------------------------------------ */

/* Runs in the thread that is asked; in any context of it. */
static void answer(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uint32_t question = (uint32_t)(uintptr_t)info->si_value.sival_ptr;
	uint32_t none = 0;

	if (info->si_code != SI_QUEUE)
		return;
	/* `busy` keeps the asker from going away while its ranges are in use here. */
	__atomic_fetch_add(&ask.busy, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ask.question, __ATOMIC_SEQ_CST) == question) {
		if (ask.n) {
			range_mark(ask.ranges, ask.n, uc->uc_mcontext.gregs[REG_RIP]);
			stack_scan(ask.ranges, ask.n, uc->uc_mcontext.gregs[REG_RSP]);
		}
		none = 1;
	}
	__atomic_fetch_add(&ask.answers, none, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&ask.busy, 1, __ATOMIC_SEQ_CST);
}

static void question_begin(struct code_range *ranges, unsigned n)
{
	static bool installed;

	if (!installed)
		installed = !signals_install(THREADS_SIGNAL, answer, NULL);
	ask.ranges = ranges;
	ask.n = n;
	ask.answers = 0;
	__atomic_fetch_add(&ask.question, 1, __ATOMIC_SEQ_CST);
}

static void question_end(void)
{
	__atomic_fetch_add(&ask.question, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ask.busy, __ATOMIC_SEQ_CST))
		host_relax();
}

static bool send_question(int tid)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = THREADS_SIGNAL;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_value.sival_ptr = (void *)(uintptr_t)ask.question;
	return !syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, THREADS_SIGNAL, &info);
}

/* True: `sent` threads have answered. */
static bool wait_answers(unsigned sent)
{
	uint64_t end = host_clock_ns() + PATIENCE_NS;
	struct timespec pause = { .tv_nsec = 20000 };

	while (__atomic_load_n(&ask.answers, __ATOMIC_SEQ_CST) < sent) {
		if (host_clock_ns() > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* --- all threads ------------------------------------------------------------------------------- */

typedef bool visit_fn(int tid, unsigned *sent);

/* Calls for every other thread; false: one of them could not be asked. */
static bool for_each_other(visit_fn *visit, unsigned *sent)
{
	DIR *dir = opendir("/proc/self/task");
	int self = host_current_tid();
	struct dirent *entry;
	bool good = dir != NULL;

	while (dir && (entry = readdir(dir))) {
		int tid = atoi(entry->d_name);

		if (tid > 0 && tid != self)
			good &= visit(tid, sent);
	}
	if (dir)
		closedir(dir);
	return good;
}

static bool visit_look(int tid, unsigned *sent)
{
	if (look_from_outside(tid))
		return true;
	if (send_question(tid)) {
		++*sent;
		return true;
	}
	return errno == ESRCH; /* has ended */
}

static bool visit_interrupt(int tid, unsigned *sent)
{
	if (send_question(tid))
		++*sent;
	return true;
}

static bool visit_count(int tid, unsigned *sent)
{
	++*sent;
	return true;
}

bool threads_alone(void)
{
	unsigned others = 0;

	return for_each_other(visit_count, &others) && !others;
}

void threads_look(struct code_range *ranges, unsigned n)
{
	unsigned sent = 0;
	bool good;

	for (unsigned i = 0; i < n; i++)
		ranges[i].occupied = false;
	if (!n)
		return;
	question_begin(ranges, n);
	good = for_each_other(visit_look, &sent);
	good &= wait_answers(sent);
	question_end();
	for (unsigned i = 0; !good && i < n; i++)
		ranges[i].occupied = true;
}

void threads_interrupt(void)
{
	unsigned sent = 0;

	question_begin(NULL, 0);
	for_each_other(visit_interrupt, &sent);
	wait_answers(sent);
	question_end();
}
