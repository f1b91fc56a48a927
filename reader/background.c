// SPDX-License-Identifier: GPL-2.0-only
#include "reader/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent: waits for a byte, or for the end. A signal that ends us goes to the child by itself,
 * as it belongs to the terminal's group until it is ready. */
static _Noreturn void parent_main(pid_t child, int fd)
{
	int status;
	ssize_t n;
	char byte;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		printf("%d\n", (int)child);
		exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

struct error *background_enter(struct background *ret)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create(errno, "cannot make a pipe: %s", strerror(errno));
	child = fork();
	if (child < 0)
		return error_create(errno, "cannot fork: %s", strerror(errno));
	if (child > 0) {
		close(fds[1]);
		parent_main(child, fds[0]);
	}
	close(fds[0]);
	ret->ready_fd = fds[1];
	return NULL;
}

void background_ready(struct background *background, struct output *out, struct output *err)
{
	int null;

	if (background->ready_fd < 0)
		return;
	output_flush(out);
	output_flush(err);
	err->fd = out->fd; /* the same even after a switch of files */
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	dup2(out->fd, STDERR_FILENO);
	if (write(background->ready_fd, "", 1) < 0)
		errno = 0; /* the parent was killed; the session goes on */
	close(background->ready_fd);
	background->ready_fd = -1;
}
