// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's calls about signals, seen before libc sees them.
 *
 * Two things would break probes. A handler for SIGTRAP or a fault that takes the place of ours: it
 * is put behind ours instead. And a thread that blocks SIGTRAP: the kernel kills the process at
 * its next breakpoint, so that signal, and the one that asks threads where they are, stay
 * unblocked. Programs that talk to the kernel themselves are beyond help.
 *
 * The calls that wait with another mask are seen for the same reason: a handler that ends the
 * waiting runs under that mask.
 *
 * This works where the dynamic linker finds libspile before libc: always when the program is
 * linked with it or it is preloaded, not when it is opened by dlopen().
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "engine/host/linux-user/threads.h"
#include "engine/host/linux-user/trap.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int mask_fn(int how, const sigset_t *set, sigset_t *old);

static int (*libc_sigaction)(int sig, const struct sigaction *new, struct sigaction *old);
static mask_fn *libc_sigprocmask, *libc_pthread_sigmask;

/* Constructors of other libraries may call before ours has run. */
static void find_libc(void)
{
	if (libc_sigaction)
		return;
	libc_sigprocmask = (mask_fn *)dlsym(RTLD_NEXT, "sigprocmask");
	libc_pthread_sigmask = (mask_fn *)dlsym(RTLD_NEXT, "pthread_sigmask");
	libc_sigaction = (int (*)(int, const struct sigaction *, struct sigaction *))dlsym(
		RTLD_NEXT, "sigaction");
}

/* --- actions --------------------------------------------------------------------------------------- */

static void to_kernel(const struct sigaction *action, struct signal_action *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->handler = (void *)action->sa_sigaction;
	ret->flags = (unsigned)action->sa_flags;
	memcpy(&ret->mask, &action->sa_mask, sizeof(ret->mask));
}

static void from_kernel(const struct signal_action *action, struct sigaction *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sa_sigaction = (void (*)(int, siginfo_t *, void *))action->handler;
	ret->sa_flags = (int)action->flags;
	memcpy(&ret->sa_mask, &action->mask, sizeof(action->mask));
}

static void never_blocked(sigset_t *set)
{
	sigdelset(set, SIGTRAP);
	sigdelset(set, THREADS_SIGNAL);
}

EXPORTED int sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
	struct signal_action kernel_new, kernel_old;
	struct sigaction changed;

	find_libc();
	if (new) {
		changed = *new;
		never_blocked(&changed.sa_mask);
		to_kernel(&changed, &kernel_new);
	}
	if (!traps_exchange(sig, new ? &kernel_new : NULL, &kernel_old))
		return libc_sigaction(sig, new ? &changed : NULL, old);
	if (old)
		from_kernel(&kernel_old, old);
	return 0;
}

EXPORTED sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction new = { .sa_flags = SA_RESTART }, old;

	new.sa_handler = handler;
	sigemptyset(&new.sa_mask);
	sigaddset(&new.sa_mask, sig);
	return sigaction(sig, &new, &old) ? SIG_ERR : old.sa_handler;
}

/* --- masks ----------------------------------------------------------------------------------------- */

static int set_mask(mask_fn *fn, int how, const sigset_t *set, sigset_t *old)
{
	sigset_t changed;

	if (!set || how == SIG_UNBLOCK)
		return fn(how, set, old);
	changed = *set;
	never_blocked(&changed);
	return fn(how, &changed, old);
}

EXPORTED int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	find_libc();
	return set_mask(libc_sigprocmask, how, set, old);
}

EXPORTED int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	find_libc();
	return set_mask(libc_pthread_sigmask, how, set, old);
}

/* --- waiting with another mask ---------------------------------------------------------------------- */

/* The mask to wait with, or NULL as it was. */
static const sigset_t *wait_mask(const sigset_t *mask, sigset_t *changed)
{
	if (!mask)
		return NULL;
	*changed = *mask;
	never_blocked(changed);
	return changed;
}

EXPORTED int sigsuspend(const sigset_t *mask)
{
	static int (*next)(const sigset_t *);
	sigset_t changed;

	if (!next)
		next = (int (*)(const sigset_t *))dlsym(RTLD_NEXT, "sigsuspend");
	return next(wait_mask(mask, &changed));
}

EXPORTED int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		   const sigset_t *mask)
{
	static int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	sigset_t changed;

	if (!next)
		next = (int (*)(struct pollfd *, nfds_t, const struct timespec *,
				const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
	return next(fds, n, timeout, wait_mask(mask, &changed));
}

EXPORTED int pselect(int n, fd_set *in, fd_set *out, fd_set *except,
		     const struct timespec *timeout, const sigset_t *mask)
{
	static int (*next)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
			   const sigset_t *);
	sigset_t changed;

	if (!next)
		next = (int (*)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
				const sigset_t *))dlsym(RTLD_NEXT, "pselect");
	return next(n, in, out, except, timeout, wait_mask(mask, &changed));
}

EXPORTED int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout,
			 const sigset_t *mask)
{
	static int (*next)(int, struct epoll_event *, int, int, const sigset_t *);
	sigset_t changed;

	if (!next)
		next = (int (*)(int, struct epoll_event *, int, int, const sigset_t *))dlsym(
			RTLD_NEXT, "epoll_pwait");
	return next(fd, events, n, timeout, wait_mask(mask, &changed));
}
