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
 * A signal handler may run on a stack of its own. Its frame there tells where the stack of what it
 * has interrupted is, and that is looked at, too.
 *
 * A thread that does not answer in time (it blocks the signal) counts as being in every range: what
 * was to be done is done later or never, never wrongly.
 *
 * A list of threads that is read while some of them end can lack others. What was missed stood
 * behind one that has ended, so a list that is the same when read again is complete; threads that
 * begin later begin elsewhere.
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
#define STACKS 16              /* frames of signal handlers, each with a stack that it interrupted */
#define FRAME_SP 168           /* from a signal frame's start to the interrupted stack pointer */
#define PIECE 8192
#define LIST_TIMES 20  /* how often the list of threads is read until it holds still */
#define PATIENCE_NS 200000000ull /* for a thread that runs to answer */

/* What signal handlers return to: libc's code for it, and ours. */
static uint64_t restorers[2];

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

/* any */
static ssize_t stack_read(uint64_t addr, void *dst, size_t n)
{
	struct iovec local = { dst, n }, remote = { (void *)(uintptr_t)addr, n };

	return RAW_SYSCALL(SYS_process_vm_readv, RAW_SYSCALL(SYS_getpid), (long)&local, 1,
			   (long)&remote, 1, 0);
}

/* What a scan goes by. */
struct scan {
	struct code_range *ranges;
	unsigned n, stacks;
	uint64_t sp[STACKS]; /* where to begin; the first is the thread's own */
};

/*
 * The word at addr is what a signal handler returns to: the frame tells the stack of what was
 * interrupted. False: there is no room to remember it. any
 */
static bool scan_add_interrupted(struct scan *scan, uint64_t addr)
{
	uint64_t sp;

	if (stack_read(addr + FRAME_SP, &sp, sizeof(sp)) != sizeof(sp))
		return true; /* not a frame */
	if (scan->stacks == STACKS)
		return false;
	scan->sp[scan->stacks++] = sp;
	return true;
}

/* Where the stack ends is where reading fails: *ret_end. False: no room. any */
static bool scan_stack(struct scan *scan, uint64_t sp, uint64_t *ret_end)
{
	uint64_t words[PIECE / 8], end = sp + STACK_MOST, low = scan->ranges[0].start;
	uint64_t high = scan->ranges[scan->n - 1].end;
	ssize_t got;

	for (sp &= ~7ull; sp < end; sp += (uint64_t)got) {
		got = stack_read(sp, words, sizeof(words) - sp % PIECE);
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got / 8; i++) {
			if (words[i] >= low && words[i] < high)
				range_mark(scan->ranges, scan->n, words[i]);
			if ((words[i] == restorers[0] || words[i] == restorers[1]) &&
			    !scan_add_interrupted(scan, sp + (uint64_t)i * 8))
				return false;
		}
	}
	*ret_end = sp;
	return true;
}

/* A thread's stack, and those that its signal handlers have interrupted elsewhere. any */
static void stack_scan(struct code_range *ranges, unsigned n, uint64_t sp)
{
	struct scan scan = { ranges, n, 1, { sp } };
	uint64_t ends[STACKS];

	for (unsigned i = 0; i < scan.stacks; i++) {
		unsigned seen = 0;

		while (seen < i && (scan.sp[i] < scan.sp[seen] || scan.sp[i] >= ends[seen]))
			seen++;
		ends[i] = scan.sp[i];
		if (seen < i || scan_stack(&scan, scan.sp[i], &ends[i]))
			continue;
		for (unsigned r = 0; r < n; r++) /* too many to tell */
			__atomic_store_n(&ranges[r].occupied, true, __ATOMIC_RELAXED);
		return;
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

	if (!installed) {
		restorers[0] = signals_restorer(THREADS_SIGNAL);
		restorers[1] = signals_own_restorer();
		installed = !signals_install(THREADS_SIGNAL, answer, NULL);
	}
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

void threads_forked(void)
{
	ask.busy = 0;
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

static bool list_add(struct thread_list *list, int tid)
{
	unsigned room = list->n < list->room ? list->room : 2 * list->room + 64;
	int *tids = room > list->room ? realloc(list->tids, room * sizeof(*tids)) : list->tids;

	if (!tids)
		return false;
	list->tids = tids;
	list->room = room;
	list->tids[list->n++] = tid;
	return true;
}

static bool list_read(struct thread_list *list)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	bool good = dir != NULL;
	int tid;

	list->n = 0;
	while (good && (entry = readdir(dir))) {
		tid = atoi(entry->d_name);
		if (tid > 0)
			good = list_add(list, tid);
	}
	if (dir)
		closedir(dir);
	return good;
}

static bool lists_equal(const struct thread_list *a, const struct thread_list *b)
{
	return a->n == b->n && !memcmp(a->tids, b->tids, a->n * sizeof(*a->tids));
}

bool threads_list(struct thread_list *ret)
{
	struct thread_list again = { NULL, 0, 0 };
	bool good = list_read(ret), same = false;

	for (int i = 0; i < LIST_TIMES && good && !same; i++) {
		struct thread_list older = *ret;

		good = list_read(&again);
		same = good && lists_equal(&older, &again);
		*ret = again;
		again = older;
	}
	free(again.tids);
	return same;
}

typedef bool visit_fn(int tid, unsigned *sent);

/* Calls for every other thread; false: one of them could not be asked. */
static bool for_each_other(visit_fn *visit, unsigned *sent)
{
	struct thread_list list = { NULL, 0, 0 };
	bool good = threads_list(&list);
	int self = host_current_tid();

	for (unsigned i = 0; i < list.n; i++)
		if (list.tids[i] != self)
			good &= visit(list.tids[i], sent);
	free(list.tids);
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
