// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals, straight from the kernel. Handlers run on the alternate stack if the program has one,
 * with nothing blocked but what was (SA_NODEFER): a breakpoint that is hit in a handler must get
 * through, because a trap that is blocked kills the process.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "engine/host.h"
#include "engine/host/linux-user/signals.h"
#include "engine/host/linux-user/threads.h"

#define FLAG_RESTORER 0x04000000ul /* SA_RESTORER, which libc keeps to itself */
#define MASK_BYTES 8

/* The way back from a handler. Debuggers and unwinders know it by these very bytes. */
__asm__(".text\n"
	".balign 16\n"
	"	nop\n" /* unwinders look one byte before it */
	".globl spile_sigreturn\n"
	".hidden spile_sigreturn\n"
	".type spile_sigreturn, @function\n"
	"spile_sigreturn:\n"
	"	movq $15, %rax\n" /* SYS_rt_sigreturn */
	"	syscall\n"
	".size spile_sigreturn, . - spile_sigreturn\n");
extern void spile_sigreturn(void);

long raw_syscall(long nr, const long args[6])
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static long raw_sigaction(int sig, const struct signal_action *new, struct signal_action *old)
{
	return RAW_SYSCALL(SYS_rt_sigaction, sig, (long)new, (long)old, MASK_BYTES);
}

int signals_install(int sig, signal_handler *handler, struct signal_action *ret)
{
	struct signal_action action = {
		.handler = (void *)handler,
		.flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART | FLAG_RESTORER,
		.restorer = (void *)spile_sigreturn,
	};

	return (int)raw_sigaction(sig, &action, ret);
}

uint64_t signals_restorer(int sig)
{
	struct signal_action action = { .restorer = NULL };
	struct sigaction now, probing = { .sa_handler = SIG_IGN };

	if (sigaction(sig, &probing, &now) || raw_sigaction(sig, NULL, &action) ||
	    sigaction(sig, &now, NULL))
		return 0;
	return (uint64_t)(uintptr_t)action.restorer;
}

uint64_t signals_own_restorer(void)
{
	return (uint64_t)(uintptr_t)spile_sigreturn;
}

/* The default of all signals that are chained is to end the process. */
static void default_action(int sig, const siginfo_t *info)
{
	struct signal_action action = { .handler = NULL };
	long pid = RAW_SYSCALL(SYS_getpid), tid = RAW_SYSCALL(SYS_gettid);

	raw_sigaction(sig, &action, NULL);
	/* What an instruction raises is raised again when the handler has returned. */
	if (sig == SIGTRAP || info->si_code <= 0)
		RAW_SYSCALL(SYS_tgkill, pid, tid, sig);
}

void signals_chain(const struct signal_action *old, int sig, siginfo_t *info, void *context)
{
	uint64_t mask = (old->mask | (old->flags & SA_NODEFER ? 0 : 1ull << (sig - 1))) &
			~(1ull << (SIGTRAP - 1) | 1ull << (THREADS_SIGNAL - 1));

	if (!old->handler) {
		default_action(sig, info);
	} else if (old->handler == (void *)SIG_IGN) {
		if (info->si_code > 0) /* what an instruction raises cannot be ignored */
			default_action(sig, info);
	} else {
		/* Our return restores the mask of before the signal. */
		RAW_SYSCALL(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, MASK_BYTES);
		((signal_handler *)old->handler)(sig, info, context);
	}
}
