// SPDX-License-Identifier: GPL-2.0-only
#include "reader/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reader/signals.h"

enum { WAIT_MS = 1000, TRACKED_MAX = 64 };

/* Those that may still run. When there are more, the others become zombies until we end: each
 * command of its own is rare, and a list without end is worse. */
static pid_t running[TRACKED_MAX];
static size_t nrunning;

static void reap(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < nrunning; i++)
		if (waitpid(running[i], NULL, WNOHANG) == 0)
			running[kept++] = running[i];
	nrunning = kept;
}

void shell_start(const char *command)
{
	pid_t pid;

	reap();
	pid = fork();
	if (pid == 0) {
		signals_restore_in_child();
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		fprintf(stderr, "WARNING: cannot start the command of system(): %s\n",
			strerror(errno));
	else if (nrunning < TRACKED_MAX)
		running[nrunning++] = pid;
}

void shell_wait(void)
{
	reap();
	for (int ms = 0; nrunning && ms < WAIT_MS && !signals_quit(); ms++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		reap();
	}
}
