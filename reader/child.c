// SPDX-License-Identifier: GPL-2.0-only
#include "reader/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reader/signals.h"

static bool needs_shell(const char *command)
{
	return strpbrk(command, "|&;<>()$`\\\"'*?[]#~=%{}!\n") != NULL;
}

/* Splits at blanks in place; the vector is never freed, its process is about to exec. */
static char **split_words(char *command)
{
	char **argv = calloc(strlen(command) / 2 + 2, sizeof(*argv)), *save;
	int argc = 0;

	if (!argv)
		return NULL;
	for (char *word = strtok_r(command, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save))
		argv[argc++] = word;
	return argv;
}

/* In the child. Runs between fork and exec of a process without threads: libc is usable. */
static _Noreturn void child_main(int go_fd, char *command)
{
	char **argv, go;

	signals_restore_in_child();
	if (read(go_fd, &go, 1) != 1)
		_exit(127); /* the reader has gone */
	if (needs_shell(command)) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	} else {
		argv = split_words(command);
		if (argv && argv[0])
			execvp(argv[0], argv);
	}
	dprintf(STDERR_FILENO, "spile-run: cannot run '%s': %s\n", command, strerror(errno));
	_exit(127);
}

struct error *child_spawn(const char *command, struct child *ret)
{
	int fds[2];
	char *copy;

	if (!command[strspn(command, " \t")])
		return error_create(EINVAL, "the command of -c is empty");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create(errno, "cannot make a pipe: %s", strerror(errno));
	copy = strdup(command);
	ret->pid = copy ? fork() : -1;
	if (ret->pid == 0) {
		close(fds[1]);
		child_main(fds[0], copy);
	}
	free(copy);
	close(fds[0]);
	if (ret->pid < 0) {
		ret->pid = 0;
		close(fds[1]);
		return error_create(errno, "cannot fork for '%s': %s", command, strerror(errno));
	}
	ret->go_fd = fds[1];
	ret->ended = false;
	ret->status = 0;
	return NULL;
}

void child_release(struct child *child)
{
	if (!child->pid || child->go_fd < 0)
		return;
	/* A child that was killed while it waited makes this fail; child_ended() will tell. */
	if (write(child->go_fd, "", 1) < 0)
		errno = 0;
	close(child->go_fd);
	child->go_fd = -1;
}

bool child_ended(struct child *child)
{
	if (child->pid && !child->ended)
		child->ended = waitpid(child->pid, &child->status, WNOHANG) == child->pid;
	return child->ended;
}

void child_stop(struct child *child)
{
	if (!child->pid || child_ended(child))
		return;
	if (child->go_fd >= 0) {
		close(child->go_fd);
		child->go_fd = -1;
	} else {
		kill(child->pid, SIGTERM);
	}
	for (int ms = 0; ms < 1000 && !child_ended(child); ms++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	child->pid = 0; /* its status is our doing, not the command's */
	child->ended = false;
}
