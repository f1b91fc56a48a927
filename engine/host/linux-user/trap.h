/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/trap.h - what the program's signals have to do with probes.
 *
 * SIGTRAP is a breakpoint's hit. SIGSEGV, SIGBUS, SIGFPE and SIGILL are looked at because the copy
 * of a probed instruction may raise them, or a handler. What is not ours goes to the handler that
 * the program had installed before, or gets its default. A program that installs a handler of its
 * own later takes ours away, unless it goes through libspile's sigaction() (agent/signals.c); then
 * ours stays in front. Task context.
 */
#ifndef SPILE_HOST_LINUX_USER_TRAP_H
#define SPILE_HOST_LINUX_USER_TRAP_H

#include <stdbool.h>

#include "engine/host/linux-user/signals.h"

/** Takes the signals, at the first call. 0 or -errno. */
int traps_init(void);

/**
 * For a program's sigaction(): whether the signal is one of those in front of which we stay. Then
 * *old gets, and *new sets, if not NULL, what comes behind us.
 */
bool traps_exchange(int sig, const struct signal_action *new, struct signal_action *old);

#endif
