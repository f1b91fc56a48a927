/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/child.h - the command of -c: made before the session starts, let go when it runs.
 *
 * The child exists, and target() has its pid, before the first probe is armed; it waits in front of
 * its execve(), so probes see the command from its first instruction on. If the reader dies before
 * it lets go, the child ends without running anything.
 */
#ifndef SPILE_READER_CHILD_H
#define SPILE_READER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct child {
	pid_t pid;   /* 0: none */
	int go_fd;   /* closing it with a byte written lets the child go; -1 afterwards */
	bool ended;
	int status;  /* wait status once ended */
};

/**
 * Forks the held child. A command of plain words is run directly; one with characters that mean
 * something to a shell is run by `sh -c`.
 */
struct error *child_spawn(const char *command, struct child *ret);
/** Lets it run. */
void child_release(struct child *child);
/** Looks without waiting; true once it has ended. */
bool child_ended(struct child *child);
/** Ends a child that still runs (SIGTERM; one that was never let go just ends), reaps it if it goes
 *  within a second, and forgets it. One that has ended is left alone. */
void child_stop(struct child *child);

#endif
