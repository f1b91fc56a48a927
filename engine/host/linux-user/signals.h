/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/signals.h - signal handlers of ours in front of the program's.
 *
 * Signals are handled without libc: its functions may be probed, and what runs before the engine
 * knows that it runs must not be.
 */
#ifndef SPILE_HOST_LINUX_USER_SIGNALS_H
#define SPILE_HOST_LINUX_USER_SIGNALS_H

#include <signal.h>
#include <stdint.h>

typedef void signal_handler(int sig, siginfo_t *info, void *context);

/** As the kernel has it. */
struct signal_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

/** Puts a handler in place; *ret, if not NULL, gets what was there. 0 or -errno. */
int signals_install(int sig, signal_handler *handler, struct signal_action *ret);
/** Where a handler that libc installs for this signal returns to, and where ours do. */
uint64_t signals_restorer(int sig);
uint64_t signals_own_restorer(void);
/** Does what would have been done without us. In a signal handler. */
void signals_chain(const struct signal_action *old, int sig, siginfo_t *info, void *context);

/** A system call that no libc function is involved in; gives -errno, leaves errno alone. */
long raw_syscall(long nr, const long args[6]);
#define RAW_SYSCALL(nr, ...) raw_syscall(nr, (const long[6]){ __VA_ARGS__ })

#endif
