// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text that changes while threads are in it, and threads that come, go, fork or stop at bad places.
 *
 * Where a thread has to stand at a certain place, it is brought there by what it executes: a load
 * from a bad address, whose signal handler waits, or a string instruction that takes long.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/arch/x86/regs.h"
#include "spile/process.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

static volatile long hits;

static int count(struct kprobe *p, struct pt_regs *regs)
{
	__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
	return 0;
}

static void post_nothing(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static void wait_for(volatile int *what)
{
	while (!__atomic_load_n(what, __ATOMIC_SEQ_CST))
		usleep(100);
}

static void tell(volatile int *what)
{
	__atomic_store_n(what, 1, __ATOMIC_SEQ_CST);
}

static bool is_optimized(const struct kprobe *p)
{
	return p->flags & KPROBE_FLAG_OPTIMIZED;
}

/* --- inside the bytes of a jump ------------------------------------------------------------------ */

extern long target_inside(const long *p); /* the load is inside the jump's bytes: *p + 1 */
__asm__(".text\n"
	".balign 16\n"
	".globl target_inside\n"
	".type target_inside, @function\n"
	"target_inside:\n"
	"	.cfi_startproc\n"
	"	nop\n"
	"	mov (%rdi), %rax\n"
	"	inc %rax\n"
	"	ret\n"
	"	nop\n"
	"	nop\n"
	"	.cfi_endproc\n"
	".size target_inside, . - target_inside\n");

static volatile int stands, may_leave;
static const long one = 1;

static void on_usr1(int sig)
{
	tell(&stands);
	wait_for(&may_leave);
}

/* Keeps the thread at the load until it may go on, then gives it a good address. */
static void on_segv(int sig, siginfo_t *info, void *context)
{
	raise(SIGUSR1);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RDI] = (greg_t)(uintptr_t)&one;
}

static void *call_inside(void *signal_stack)
{
	stack_t stack = { .ss_sp = signal_stack, .ss_size = 65536 };

	if (signal_stack)
		sigaltstack(&stack, NULL);
	return (void *)target_inside(NULL);
}

static void stand_inside(void *signal_stack)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	struct sigaction usr1 = { .sa_handler = on_usr1, .sa_flags = SA_ONSTACK };
	struct kprobe p = { .addr = (void *)target_inside, .pre_handler = count };
	struct sigaction old, old_usr1;
	pthread_t thread;
	void *result;

	sigaction(SIGSEGV, &action, &old);
	sigaction(SIGUSR1, &usr1, &old_usr1);
	pthread_create(&thread, NULL, call_inside, signal_stack);
	wait_for(&stands);
	CHECK_EQ(register_kprobe(&p), 0);
	CHECK_EQ(is_optimized(&p), false);
	CHECK_EQ(target_inside(&one), 2);
	tell(&may_leave);
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 2);
	CHECK_EQ(hits, 1);
	spile_optimization(1); /* looks again */
	CHECK_EQ(is_optimized(&p), true);
	unregister_kprobe(&p);
	sigaction(SIGSEGV, &old, NULL);
	sigaction(SIGUSR1, &old_usr1, NULL);
}

static void case_stands_inside(void)
{
	stand_inside(NULL);
}

/* The place is on the thread's own stack; its stack pointer is on another one, of a second signal. */
static void case_stands_inside_on_signal_stack(void)
{
	void *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	stand_inside(stack);
	munmap(stack, 65536);
}

/* nop; rep lodsb; nop...: for as long as the instruction takes, its copy is in use */
extern long target_long(const char *from, long n);
__asm__(".text\n"
	".balign 16\n"
	".globl target_long\n"
	".type target_long, @function\n"
	"target_long:\n"
	"	.cfi_startproc\n"
	"	xchg %rdi, %rsi\n"
	"	mov %rdi, %rcx\n"
	"	xor %eax, %eax\n"
	".globl target_long_middle\n"
	"target_long_middle:\n"
	"	nop\n"
	"	rep lodsb\n"
	"	nop\n"
	"	nop\n"
	"	nop\n"
	"	movl $0, (%rdx)\n"
	"	mov $5, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size target_long, . - target_long\n");
extern char target_long_middle[];

#define LONG_BYTES 300000000l

static volatile int in_copy;

static int tell_copy(struct kprobe *p, struct pt_regs *regs)
{
	tell(&in_copy);
	return 0;
}

static void *call_long(void *zeros)
{
	long (*call)(const char *, long, volatile int *) = (void *)target_long;

	return (void *)call(zeros, LONG_BYTES, &in_copy);
}

/*
 * A thread is in the copy of an instruction whose probe goes away. It will come back behind the
 * instruction, where another probe's jump must not be yet.
 */
static void case_stands_in_removed_copy(void)
{
	struct kprobe inner = { .addr = (void *)target_long_middle, .offset = 1,
				.pre_handler = tell_copy };
	struct kprobe outer = { .addr = (void *)target_long_middle, .pre_handler = count };
	void *zeros = mmap(NULL, LONG_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	pthread_t thread;
	void *result;

	in_copy = 0;
	spile_optimization(0);
	CHECK_EQ(register_kprobe(&inner), 0);
	pthread_create(&thread, NULL, call_long, zeros);
	wait_for(&in_copy);
	unregister_kprobe(&inner);
	spile_optimization(1);
	CHECK_EQ(register_kprobe(&outer), 0);
	if (__atomic_load_n(&in_copy, __ATOMIC_SEQ_CST)) /* else it was too quick */
		CHECK_EQ(is_optimized(&outer), false);
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 5);
	spile_optimization(1);
	CHECK_EQ(is_optimized(&outer), true);
	unregister_kprobe(&outer);
	munmap(zeros, LONG_BYTES);
}

/* --- neighbours that come and go ------------------------------------------------------------------- */

extern long target_bytes(void); /* five instructions of one byte; 0 */
__asm__(".text\n"
	".balign 16\n"
	".globl target_bytes\n"
	".type target_bytes, @function\n"
	"target_bytes:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	pop %rbx\n"
	"	nop\n"
	"	cld\n"
	"	nop\n"
	"	xor %eax, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size target_bytes, . - target_bytes\n");

static long wrong;

static void call_bytes(void *unused)
{
	if (target_bytes())
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void breakpoint_then_jump(void *unused)
{
	unsigned offset = 0;

	while (stress_goes_on(false)) {
		struct kprobe inner = { .addr = (void *)target_bytes, .pre_handler = count };
		struct kprobe outer = { .addr = (void *)target_bytes, .pre_handler = count };

		inner.offset = 1 + offset++ % 4;
		if (offset & 4)
			inner.post_handler = post_nothing;
		CHECK_EQ(register_kprobe(&inner), 0);
		if (offset & 8) {
			CHECK_EQ(register_kprobe(&outer), 0);
			unregister_kprobe(&inner);
		} else {
			unregister_kprobe(&inner);
			CHECK_EQ(register_kprobe(&outer), 0);
		}
		unregister_kprobe(&outer);
	}
}

static void case_neighbours_under_load(void)
{
	stress_goes_on(true);
	with_threads(4, call_bytes, breakpoint_then_jump, NULL);
	CHECK_EQ(wrong, 0);
}

static volatile int tid;

static void *call_bytes_once(void *unused)
{
	__atomic_store_n(&tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	wait_for(&may_leave);
	return (void *)target_bytes();
}

/* Stops the thread when its trap is about to be delivered, and lets it go when told. */
static void hold_at_trap(int tracee, int to_parent, int from_parent)
{
	char byte = 'x';
	int status;

	alarm(20);
	if (ptrace(PTRACE_SEIZE, tracee, 0, 0) || write(to_parent, &byte, 1) != 1)
		_exit(1);
	if (waitpid(tracee, &status, __WALL) != tracee || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP)
		_exit(2);
	if (write(to_parent, &byte, 1) != 1 || read(from_parent, &byte, 1) != 1)
		_exit(3);
	_exit(ptrace(PTRACE_DETACH, tracee, 0, SIGTRAP) ? 4 : 0);
}

/*
 * A trap is late: its probe is gone when the signal arrives, and where it was, another probe's jump
 * would like to be. The thread stands behind the jump's last byte, and will go back by one.
 */
static void case_late_trap(void)
{
	struct kprobe inner = { .addr = (void *)target_bytes, .offset = 4, .pre_handler = count };
	struct kprobe outer = { .addr = (void *)target_bytes, .pre_handler = count };
	int up[2], down[2], status;
	pthread_t thread;
	void *result;
	char byte;
	pid_t pid;

	tid = 0;
	CHECK_EQ(pipe(up) | pipe(down), 0);
	CHECK_EQ(register_kprobe(&inner), 0);
	pthread_create(&thread, NULL, call_bytes_once, NULL);
	wait_for(&tid);
	pid = fork();
	if (!pid)
		hold_at_trap(tid, up[1], down[0]);
	close(up[1]);
	if (read(up[0], &byte, 1) == 1) {
		tell(&may_leave);
		CHECK_EQ(read(up[0], &byte, 1), 1);
		unregister_kprobe(&inner);
		CHECK_EQ(register_kprobe(&outer), 0);
		CHECK_EQ(is_optimized(&outer), false);
		CHECK_EQ(write(down[1], "x", 1), 1);
		pthread_join(thread, &result);
		CHECK_EQ((long)result, 0);
		spile_optimization(1);
		CHECK_EQ(is_optimized(&outer), true);
		unregister_kprobe(&outer);
	} else { /* nobody may trace here */
		printf("late_trap: not tried, ptrace is forbidden\n");
		tell(&may_leave);
		pthread_join(thread, NULL);
		unregister_kprobe(&inner);
	}
	waitpid(pid, &status, 0);
	close(up[0]);
	close(down[0]);
	close(down[1]);
}

/* --- threads that come and go ---------------------------------------------------------------------- */

static void *short_life(void *unused)
{
	for (long i = 0; i < 20; i++)
		if (target_busy(i) != i + 3)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	free(malloc(100));
	return NULL;
}

static void live_shortly(void *unused)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, short_life, NULL))
		pthread_join(thread, NULL);
}

static void jump_and_breakpoint(void *unused)
{
	while (stress_goes_on(false)) {
		struct kprobe p = { .addr = (void *)target_busy, .pre_handler = count };
		struct kprobe post = { .addr = (void *)target_busy, .post_handler = post_nothing };

		CHECK_EQ(register_kprobe(&p), 0);
		CHECK_EQ(register_kprobe(&post), 0);
		unregister_kprobe(&post);
		unregister_kprobe(&p);
	}
}

static void case_threads_come_and_go(void)
{
	stress_goes_on(true);
	with_threads(3, live_shortly, jump_and_breakpoint, NULL);
	CHECK_EQ(wrong, 0);
}

/* What a thread hits when its own data is gone already must not cost a thread's place for ever. */
static void case_hits_at_the_end_of_threads(void)
{
	struct kprobe at_end = { .symbol_name = "libc:free", .pre_handler = count };
	struct kprobe p = { .symbol_name = "target_busy", .pre_handler = count };
	pthread_t thread;

	CHECK_EQ(register_kprobe(&at_end), 0);
	CHECK_EQ(register_kprobe(&p), 0);
	for (int i = 0; i < 200; i++)
		if (!pthread_create(&thread, NULL, short_life, NULL))
			pthread_join(thread, NULL);
	unregister_kprobe(&p);
	unregister_kprobe(&at_end);
	CHECK_EQ(p.nhit, 200 * 20);
	CHECK_EQ(p.nmissed, 0);
}

/* --- fork beside threads --------------------------------------------------------------------------- */

static int stay(struct kprobe *p, struct pt_regs *regs)
{
	tell(&stands);
	wait_for(&may_leave);
	return 0;
}

static void *call_add(void *unused)
{
	return (void *)target_add(1, 1);
}

static void *call_other(void *unused)
{
	return (void *)target_other(1, 1);
}

/* Threads of the child get the places of the parent's, which are in a handler for ever there. */
static int hits_in_child(struct kprobe *p)
{
	struct kprobe more = { .symbol_name = "target_mov", .pre_handler = count };
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, call_other, NULL);
		pthread_join(thread, NULL);
	}
	if (hits != 3)
		return 1;
	unregister_kprobe(p);
	if (register_kprobe(&more))
		return 2;
	target_mov();
	return hits == 4 ? 0 : 3;
}

static void case_fork_beside_handlers(void)
{
	struct kprobe held = { .symbol_name = "target_add", .pre_handler = stay };
	struct kprobe p = { .symbol_name = "target_other", .pre_handler = count };
	pthread_t thread;
	int status;
	pid_t pid;

	CHECK_EQ(register_kprobe(&held), 0);
	CHECK_EQ(register_kprobe(&p), 0);
	pthread_create(&thread, NULL, call_add, NULL);
	wait_for(&stands);
	pid = fork();
	if (!pid) {
		alarm(20);
		_exit(hits_in_child(&p));
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	tell(&may_leave);
	pthread_join(thread, NULL);
	unregister_kprobe(&held);
	unregister_kprobe(&p);
	CHECK_EQ(hits, 0);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct process_case cases[] = {
	CASE(stands_inside),
	CASE(stands_inside_on_signal_stack),
	CASE(stands_in_removed_copy),
	CASE(neighbours_under_load),
	CASE(late_trap),
	CASE(threads_come_and_go),
	CASE(hits_at_the_end_of_threads),
	CASE(fork_beside_handlers),
};

static void prepare(void)
{
	hits = wrong = 0;
	stands = may_leave = 0;
}

void process_thread_cases(void)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]), prepare);
}
