// SPDX-License-Identifier: GPL-2.0-only
#include "vm/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define STDERR_KEPT 600 /* bytes of stderr that an error message carries at most */

__attribute__((noreturn)) static void spawn_child(const char *const argv[], const char *cwd,
						  int out, int err)
{
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	setenv("LC_ALL", "C", 1);
	if (cwd && chdir(cwd) < 0) {
		dprintf(2, "cannot enter %s: %s", cwd, strerror(errno));
		_exit(126);
	}
	execvp(argv[0], (char *const *)argv);
	dprintf(2, "%s", strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reads both pipes until both are at their end. */
static void spawn_collect(int fds[2], struct strbuf bufs[2])
{
	struct pollfd p[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };
	char chunk[16384];

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (!p[i].revents)
				continue;
			n = read(p[i].fd, chunk, sizeof(chunk));
			if (n > 0)
				strbuf_add(&bufs[i], chunk, n);
			else if (n == 0 || errno != EINTR)
				p[i].fd = -1;
		}
	}
}

static struct error *spawn_error(const char *name, int status, const struct strbuf *err)
{
	const char *said = err->data ? err->data : "";
	size_t len = err->len;

	while (len && said[len - 1] == '\n')
		len--;
	if (len > STDERR_KEPT) {
		said += len - STDERR_KEPT;
		len = STDERR_KEPT;
	}
	if (WIFEXITED(status))
		return error_create(WEXITSTATUS(status) == 127 ? ENOENT : EIO,
				    "%s ended with status %d: %.*s", name, WEXITSTATUS(status),
				    (int)len, said);
	return error_create(EIO, "%s was ended by signal %d", name, WTERMSIG(status));
}

struct error *spawn_read(const char *const argv[], const char *cwd, char **ret)
{
	struct error *error = NULL;
	struct strbuf bufs[2];
	int out[2], err[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return error_create(errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return error_create(errno, "cannot make a pipe: %s", strerror(errno));
	}
	pid = fork();
	if (pid == 0)
		spawn_child(argv, cwd, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	strbuf_init(&bufs[0]);
	strbuf_init(&bufs[1]);
	spawn_collect((int[2]){ out[0], err[0] }, bufs);
	close(out[0]);
	close(err[0]);
	if (pid < 0)
		error = error_create(EAGAIN, "cannot fork for %s", argv[0]);
	else if (waitpid(pid, &status, 0) < 0 || status)
		error = spawn_error(argv[0], status, &bufs[1]);
	if (!error && ret)
		*ret = strbuf_steal(&bufs[0]);
	strbuf_deinit(&bufs[0]);
	strbuf_deinit(&bufs[1]);
	return error;
}
