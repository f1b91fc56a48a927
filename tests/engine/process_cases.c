// SPDX-License-Identifier: GPL-2.0-only
/* What only a process has: libraries, signals, fork, longjmp, coroutines, vector registers. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/arch/x86/regs.h"
#include "spile/process.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

#define TARGET static __attribute__((noinline, noclone, noipa, used))
#define MANY 10000

static volatile int hits, returns;

static int count(struct kprobe *p, struct pt_regs *regs)
{
	hits++;
	return 0;
}

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	returns++;
	return 0;
}

static void post_nothing(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

void *library_function(void)
{
	return dlsym(RTLD_DEFAULT, "register_kprobe");
}

static int never_called(struct kprobe *p, struct pt_regs *regs)
{
	hits += 1000;
	return 0;
}

/* --- the text -------------------------------------------------------------------------------------- */

static uint64_t add_bytes(uint64_t sum, const unsigned char *p, const unsigned char *end)
{
	while (p < end)
		sum = (sum ^ *p++) * 0x100000001b3ull;
	return sum;
}

/* Executable mappings of files; what libspile has mapped for itself has no file. */
uint64_t text_checksum(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long long start, end;
	char line[512], mode[8], path[256];
	uint64_t sum = 0xcbf29ce484222325ull;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %255s", &start, &end, mode, path) == 4 &&
		    mode[2] == 'x' && path[0] == '/')
			sum = add_bytes(sum, (void *)(uintptr_t)start, (void *)(uintptr_t)end);
	if (maps)
		fclose(maps);
	return sum;
}

/* --- libraries ------------------------------------------------------------------------------------- */

static void case_libc(void)
{
	struct kprobe p = { .symbol_name = "libc:getenv", .pre_handler = count };
	struct kretprobe r = { .kp.symbol_name = "getenv", .handler = count_return };
	struct kprobe wrong = { .symbol_name = "libpthread_of_mars:getenv" };

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(register_kretprobe(&r), 0);
	CHECK_EQ(register_kprobe(&wrong), -ENOENT);
	CHECK_EQ(getenv("PATH") != NULL, 1);
	CHECK_EQ(hits, 1);
	CHECK_EQ(returns, 1);
	unregister_kretprobe(&r);
	unregister_kprobe(&p);
}

/* An IFUNC: the name means the function that the loader chose. */
static void case_chosen_function(void)
{
	struct kprobe p = { .symbol_name = "libc:strlen", .pre_handler = count };
	size_t (*volatile call)(const char *) = strlen;

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(call("four"), 4);
	unregister_kprobe(&p);
	CHECK_EQ(hits >= 1, 1);
}

static void case_closed_library(void)
{
	struct kprobe p = { .symbol_name = "plugin:plugin_work", .pre_handler = count };
	struct kretprobe r = { .kp.symbol_name = "plugin_work", .handler = count_return };
	struct kprobe again = { .symbol_name = "plugin:plugin_work", .pre_handler = count };
	struct kprobe other = { .symbol_name = "target_add", .pre_handler = count };
	char path[512];
	int (*work)(int);
	void *library;

	snprintf(path, sizeof(path), "%s/plugin.so", getenv("ENGINE_PLUGIN_DIR"));
	for (int round = 0; round < 3; round++) {
		hits = returns = 0;
		p.addr = r.kp.addr = other.addr = NULL; /* named: unregistering leaves it set */
		library = dlopen(path, RTLD_NOW);
		CHECK_EQ(library != NULL, 1);
		if (!library)
			return;
		work = (int (*)(int))dlsym(library, "plugin_work");
		CHECK_EQ(register_kprobe(&p), 0);
		CHECK_EQ(register_kretprobe(&r), 0);
		CHECK_EQ(work(1), 2);
		CHECK_EQ(hits, 1);
		CHECK_EQ(returns, 1);
		dlclose(library);
		CHECK_EQ(register_kprobe(&other), 0); /* looks */
		CHECK_EQ(p.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
		CHECK_EQ(r.kp.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
		if (round == 1) { /* opened again while the old probes are there */
			library = dlopen(path, RTLD_NOW);
			work = (int (*)(int))dlsym(library, "plugin_work");
			CHECK_EQ(work(1), 2);
			CHECK_EQ(hits, 1);
			CHECK_EQ(enable_kprobe(&p), -EINVAL);
			CHECK_EQ(register_kprobe(&again), 0); /* likely at the same place */
			CHECK_EQ(work(1), 2);
			CHECK_EQ(hits, 2);
			unregister_kprobe(&again);
			again.addr = NULL;
			dlclose(library);
		}
		unregister_kprobe(&other);
		unregister_kprobe(&p);
		unregister_kretprobe(&r);
		CHECK_EQ(p.flags & KPROBE_FLAG_GONE, 0);
	}
}

/* --- jumps ----------------------------------------------------------------------------------------- */

static void case_optimized_flag(void)
{
	struct kprobe p = { .symbol_name = "target_mov", .pre_handler = count };
	struct kprobe post = { .symbol_name = "target_mov", .post_handler = post_nothing };
	struct kprobe next = { .symbol_name = "target_mov", .offset = TARGET_MOV_NEXT };

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	CHECK_EQ(*(uint8_t *)p.addr, 0xe9);
	CHECK_EQ(register_kprobe(&post), 0);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, 0);
	CHECK_EQ(*(uint8_t *)p.addr, 0xcc);
	unregister_kprobe(&post);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	disable_kprobe(&p);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, 0);
	CHECK_EQ(*(uint8_t *)p.addr, 0xb8);
	enable_kprobe(&p);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	spile_optimization(0);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, 0);
	spile_optimization(1);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	post.post_handler = NULL;
	post.break_handler = never_called;
	post.addr = NULL;
	CHECK_EQ(register_kprobe(&post), 0);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, 0);
	unregister_kprobe(&post);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	CHECK_EQ(register_kprobe(&next), 0); /* behind the jump's 5 bytes: not in its way */
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	unregister_kprobe(&next);
	unregister_kprobe(&p);
}

extern long target_short(void); /* push %rbp; mov %rsp, %rbp; mov $9, %eax; pop %rbp; ret */
__asm__(".text\n"
	".balign 16\n"
	".globl target_short\n"
	".type target_short, @function\n"
	"target_short:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	mov $9, %eax\n"
	"	pop %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size target_short, . - target_short\n");

/* A jump lies over three instructions; a probe on the second one drives it away. */
static void case_overlapping(void)
{
	struct kprobe first = { .addr = (void *)target_short, .pre_handler = count };
	struct kprobe second = { .addr = (void *)target_short, .offset = 1, .pre_handler = count };
	struct kprobe third = { .addr = (void *)target_short, .offset = 4, .pre_handler = count };
	struct kprobe inside = { .addr = (void *)target_short, .offset = 2 };

	CHECK_EQ(register_kprobe(&first), 0);
	CHECK_EQ(first.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	CHECK_EQ(register_kprobe(&inside), -EILSEQ); /* seen through the jump */
	CHECK_EQ(register_kprobe(&second), 0);
	CHECK_EQ(first.flags & KPROBE_FLAG_OPTIMIZED, 0);
	CHECK_EQ(target_short(), 9);
	CHECK_EQ(hits, 2);
	CHECK_EQ(register_kprobe(&third), 0);
	CHECK_EQ(second.flags & KPROBE_FLAG_OPTIMIZED, 0);
	CHECK_EQ(target_short(), 9);
	CHECK_EQ(hits, 5);
	unregister_kprobe(&second);
	CHECK_EQ(first.flags & KPROBE_FLAG_OPTIMIZED, 0);
	unregister_kprobe(&third);
	CHECK_EQ(first.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	CHECK_EQ(target_short(), 9);
	CHECK_EQ(hits, 6);
	unregister_kprobe(&first);
}

/* Somebody else's bytes in our place: they stay. */
static void case_foreign_bytes(void)
{
	struct kprobe p = { .symbol_name = "target_mov", .pre_handler = count };
	const uint8_t original[5] = { 0xb8, 7, 0, 0, 0 }, foreign[2] = { 0xeb, 3 };
	uint8_t *text = dlsym(RTLD_DEFAULT, "target_mov");
	int fd = open("/proc/self/mem", O_RDWR);

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(pwrite(fd, foreign, 2, (off_t)(uintptr_t)text), 2);
	printf("(the next line is expected) ");
	fflush(stdout);
	unregister_kprobe(&p);
	CHECK_EQ(memcmp(text, foreign, 2), 0);
	CHECK_EQ(pwrite(fd, original, 5, (off_t)(uintptr_t)text), 5);
	close(fd);
	CHECK_EQ(target_mov(), 7);
	p.addr = NULL;
	CHECK_EQ(register_kprobe(&p), 0);
	target_mov();
	CHECK_EQ(hits, 1);
	unregister_kprobe(&p);
}

TARGET double target_scale(double a, double b)
{
	return a * b;
}

static volatile double scratch = 3;

static int use_vectors(struct kprobe *p, struct pt_regs *regs)
{
	scratch = scratch * 1.5 + (double)hits++;
	return 0;
}

static int use_vectors_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	scratch = scratch * 0.5 + (double)returns++;
	return 0;
}

static void case_vectors_kept(void)
{
	struct kprobe p = { .symbol_name = "target_scale", .pre_handler = use_vectors };
	struct kretprobe r = { .kp.symbol_name = "target_scale", .handler = use_vectors_return };

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	CHECK_EQ(register_kretprobe(&r), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(target_scale(i, 2.5) * 2, i * 5);
	CHECK_EQ(hits, 100);
	CHECK_EQ(returns, 100);
	unregister_kretprobe(&r);
	unregister_kprobe(&p);
}

/* A handler that needs more than the detour was built for joins. */
static void case_vectors_join(void)
{
	struct kprobe first = { .symbol_name = "target_scale", .pre_handler = count };
	struct kprobe second = { .symbol_name = "target_scale", .pre_handler = use_vectors };

	CHECK_EQ(register_kprobe(&first), 0);
	CHECK_EQ(target_scale(2, 2.5) * 2, 10);
	CHECK_EQ(register_kprobe(&second), 0);
	CHECK_EQ(second.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(target_scale(i, 2.5) * 2, i * 5);
	CHECK_EQ(hits, 201);
	unregister_kprobe(&first);
	CHECK_EQ(target_scale(2, 2.5) * 2, 10);
	unregister_kprobe(&second);
}

/* --- ways out of a function ------------------------------------------------------------------------ */

static jmp_buf back;

TARGET long target_leave(long n)
{
	if (n)
		longjmp(back, (int)n);
	return 5;
}

/* At another depth of the stack each time, so that no call finds the place of the one before. */
TARGET long target_nest(long n)
{
	volatile char *deep = __builtin_alloca((size_t)(n % 10) * 64 + 16);

	deep[0] = 1;
	return target_leave(n) + deep[0];
}

static void case_longjmp(void)
{
	struct kretprobe a = { .kp.symbol_name = "target_leave", .handler = count_return,
			       .maxactive = 2 };
	struct kretprobe b = { .kp.symbol_name = "target_nest", .handler = count_return,
			       .maxactive = 2 };
	volatile int jumps = 0;

	CHECK_EQ(register_kretprobe(&a), 0);
	CHECK_EQ(register_kretprobe(&b), 0);
	for (volatile int i = 1; i <= 100; i++) {
		if (setjmp(back))
			jumps++;
		else
			target_nest(i);
	}
	CHECK_EQ(jumps, 100);
	CHECK_EQ(returns, 0);
	CHECK_EQ(target_nest(0), 6);
	CHECK_EQ(returns, 2);
	unregister_kretprobe(&a);
	unregister_kretprobe(&b);
	CHECK_EQ(a.nmissed, 0);
	CHECK_EQ(b.nmissed, 0);
}

static ucontext_t main_context, coroutine;

TARGET long target_switch(long n)
{
	if (n == 1)
		swapcontext(&coroutine, &main_context);
	return n;
}

static void coroutine_main(void)
{
	if (target_switch(1) == 1)
		target_switch(2);
}

/* A call that is left by switching stacks is still watched when it is come back to. */
static void case_coroutine(void)
{
	struct kretprobe r = { .kp.symbol_name = "target_switch", .handler = count_return,
			       .maxactive = 3 };
	char *stack = malloc(65536);

	CHECK_EQ(register_kretprobe(&r), 0);
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = 65536;
	coroutine.uc_link = &main_context;
	makecontext(&coroutine, coroutine_main, 0);
	swapcontext(&main_context, &coroutine);
	for (int i = 0; i < 10; i++)
		target_switch(3);
	CHECK_EQ(returns, 10);
	swapcontext(&main_context, &coroutine);
	CHECK_EQ(returns, 12);
	unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 0);
	free(stack);
}

TARGET void target_exit(void)
{
	pthread_exit(NULL);
}

static void *exiting_thread(void *unused)
{
	target_exit();
	return NULL;
}

static void case_thread_exit(void)
{
	struct kretprobe r = { .kp.symbol_name = "target_exit", .handler = count_return,
			       .maxactive = 1 };
	pthread_t thread;

	CHECK_EQ(register_kretprobe(&r), 0);
	for (int i = 0; i < 20; i++) {
		pthread_create(&thread, NULL, exiting_thread, NULL);
		pthread_join(thread, NULL);
	}
	unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 0);
	CHECK_EQ(returns, 0);
}

static void case_twice_returning(void)
{
	struct kretprobe r = { .kp.symbol_name = "libc:_setjmp", .handler = count_return };

	CHECK_EQ(register_kretprobe(&r), -EINVAL);
}

TARGET long target_wait(volatile int *go)
{
	__atomic_store_n(&go[1], 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&go[0], __ATOMIC_SEQ_CST))
		usleep(100);
	return 77;
}

static void *waiting_thread(void *go)
{
	return (void *)target_wait(go);
}

/* The probe goes while a call that it watches has not returned. */
static void case_unregister_while_inside(void)
{
	struct kretprobe *r = calloc(1, sizeof(*r));
	volatile int go[2] = { 0, 0 };
	pthread_t thread;
	void *result;

	r->kp.symbol_name = "target_wait";
	r->handler = count_return;
	CHECK_EQ(register_kretprobe(r), 0);
	pthread_create(&thread, NULL, waiting_thread, (void *)go);
	while (!__atomic_load_n(&go[1], __ATOMIC_SEQ_CST))
		usleep(100);
	unregister_kretprobe(r);
	memset(r, 0xee, sizeof(*r));
	free(r);
	go[0] = 1;
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 77);
	CHECK_EQ(returns, 0);
}

/* --- fork and signals ------------------------------------------------------------------------------ */

static int in_child(void)
{
	struct kprobe p = { .symbol_name = "target_other", .pre_handler = count };
	int before = hits;

	target_add(1, 1);
	if (hits != before + 1 || returns != before + 1)
		return 1;
	if (register_kprobe(&p))
		return 2;
	target_other(1, 1);
	unregister_kprobe(&p);
	return hits == before + 2 ? 0 : 3;
}

static void case_fork(void)
{
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count };
	struct kretprobe r = { .kp.symbol_name = "target_add", .handler = count_return };
	int status;
	pid_t pid;

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(register_kretprobe(&r), 0);
	target_add(1, 1);
	pid = fork();
	if (!pid)
		_exit(in_child());
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	target_add(1, 1);
	CHECK_EQ(hits, 2);
	CHECK_EQ(returns, 2);
	unregister_kretprobe(&r);
	unregister_kprobe(&p);
}

static volatile int alarms;

static void on_alarm(int sig)
{
	alarms++;
	target_add(1, 2);
}

/* Signals arrive anywhere: in handlers, slots, detours; and hit probes themselves. */
static void case_signals(void)
{
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count };
	struct kprobe post = { .symbol_name = "target_mov", .pre_handler = count,
			       .post_handler = post_nothing };
	struct kretprobe r = { .kp.symbol_name = "target_add", .handler = count_return };
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	long wrong = 0, calls = 0;

	signal(SIGALRM, on_alarm);
	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(register_kprobe(&post), 0);
	CHECK_EQ(register_kretprobe(&r), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	while (alarms < 500 && calls < 20000000) {
		wrong += target_add(calls, 1) != calls + 1;
		if (!(calls++ % 64))
			wrong += target_mov() != 7;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	unregister_kretprobe(&r);
	unregister_kprobe(&post);
	unregister_kprobe(&p);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(p.nhit + p.nmissed, calls + alarms);
	CHECK_EQ(r.kp.nhit + r.kp.nmissed + (unsigned)r.nmissed, calls + alarms);
}

static sigjmp_buf fault_back;
static volatile uint64_t fault_ip;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	fault_ip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(fault_back, 1);
}

/* The probed instruction itself faults: the program's handler is told the original place. */
static void case_fault_told_program(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO }, old;
	struct kprobe p = { .symbol_name = "target_load", .pre_handler = count };

	sigaction(SIGSEGV, &action, &old);
	CHECK_EQ(register_kprobe(&p), 0);
	for (volatile int jump = 0; jump < 2; jump++) {
		spile_optimization(jump);
		if (!sigsetjmp(fault_back, 1))
			target_load(NULL);
		CHECK_EQ(fault_ip, (uintptr_t)target_load);
	}
	CHECK_EQ(hits, 2);
	unregister_kprobe(&p);
	sigaction(SIGSEGV, &old, NULL);
}

static volatile int traps;

/* Its own signal is blocked in a handler, but then the breakpoint would kill the process. */
static void on_trap(int sig)
{
	traps++;
	target_add(1, 1);
}

/* The program's own breakpoints, with a handler that it installs while ours is there. */
static void case_foreign_trap(void)
{
	struct sigaction action = { .sa_handler = on_trap }, old, now;
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count,
			    .post_handler = post_nothing };

	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(sigaction(SIGTRAP, &action, &old), 0);
	__asm__ volatile("int3");
	raise(SIGTRAP);
	CHECK_EQ(traps, 2);
	CHECK_EQ(hits, 2);
	CHECK_EQ(target_add(1, 1), 2);
	CHECK_EQ(hits, 3);
	CHECK_EQ(sigaction(SIGTRAP, NULL, &now), 0);
	CHECK_EQ(now.sa_handler == on_trap, 1);
	sigaction(SIGTRAP, &old, NULL);
	unregister_kprobe(&p);
}

/* A program that blocks all signals would be killed by the next breakpoint. */
static void case_blocked_trap(void)
{
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count,
			    .post_handler = post_nothing };
	sigset_t all, old;

	CHECK_EQ(register_kprobe(&p), 0);
	sigfillset(&all);
	CHECK_EQ(pthread_sigmask(SIG_SETMASK, &all, &old), 0);
	target_add(1, 1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &all, &old), 0);
	target_add(1, 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(hits, 2);
	unregister_kprobe(&p);
}

/* A handler that ends a wait runs under the mask of the wait. */
static void case_blocked_while_waiting(void)
{
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count,
			    .post_handler = post_nothing };
	struct itimerval soon = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct epoll_event event;
	int epoll = epoll_create1(0);
	sigset_t all_others;

	sigfillset(&all_others);
	sigdelset(&all_others, SIGALRM);
	signal(SIGALRM, on_alarm);
	CHECK_EQ(register_kprobe(&p), 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK_EQ(sigsuspend(&all_others), -1);
	CHECK_EQ(ppoll(NULL, 0, NULL, &all_others), -1);
	CHECK_EQ(pselect(0, NULL, NULL, NULL, NULL, &all_others), -1);
	CHECK_EQ(epoll_pwait(epoll, &event, 1, -1, &all_others), -1);
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK_EQ(hits >= 4, 1);
	unregister_kprobe(&p);
	signal(SIGALRM, SIG_DFL);
	close(epoll);
}

/* --- many ------------------------------------------------------------------------------------------ */

/* 10,000 functions of 16 bytes, with bounds in the unwind tables: mov $n, %eax; ret */
extern uint8_t many_functions[];
__asm__(".text\n"
	".balign 16\n"
	"many_functions:\n"
	".set n, 0\n"
	".rept 10000\n"
	".cfi_startproc\n"
	"mov $n, %eax\n"
	"ret\n"
	".fill 10, 1, 0x90\n"
	".cfi_endproc\n"
	".set n, n + 1\n"
	".endr\n");

static int many_wrong(void)
{
	int wrong = 0;

	for (int i = 0; i < MANY; i++)
		wrong += ((int (*)(void))(uintptr_t)(many_functions + 16 * i))() != i;
	return wrong;
}

static void case_ten_thousand(void)
{
	struct kprobe *p = calloc(MANY, sizeof(*p));
	struct kprobe **ps = calloc(MANY, sizeof(*ps));
	int bad = 0;

	for (int i = 0; i < MANY; i++) {
		p[i].addr = many_functions + 16 * i;
		p[i].pre_handler = count;
		ps[i] = &p[i];
	}
	CHECK_EQ(register_kprobes(ps, MANY), 0);
	CHECK_EQ(many_wrong(), 0);
	CHECK_EQ(hits, MANY);
	unregister_kprobes(ps, MANY);
	CHECK_EQ(many_wrong(), 0);
	CHECK_EQ(hits, MANY);
	for (int i = 0; i < MANY; i += 5)
		bad += register_kprobe(&p[i]) != 0;
	CHECK_EQ(many_wrong(), 0);
	for (int i = 0; i < MANY; i += 5)
		unregister_kprobe(&p[i]);
	CHECK_EQ(bad, 0);
	CHECK_EQ(hits, MANY + MANY / 5);
	CHECK_EQ(many_wrong(), 0);
	free(p);
	free(ps);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct process_case cases[] = {
	CASE(libc),
	CASE(chosen_function),
	CASE(closed_library),
	CASE(optimized_flag),
	CASE(overlapping),
	CASE(foreign_bytes),
	CASE(vectors_kept),
	CASE(vectors_join),
	CASE(longjmp),
	CASE(coroutine),
	CASE(thread_exit),
	CASE(twice_returning),
	CASE(unregister_while_inside),
	CASE(fork),
	CASE(signals),
	CASE(fault_told_program),
	CASE(foreign_trap),
	CASE(blocked_trap),
	CASE(blocked_while_waiting),
	CASE(ten_thousand),
};

static void prepare(void)
{
	hits = returns = 0;
}

void process_cases(void)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]), prepare);
}
