// SPDX-License-Identifier: GPL-2.0-only
/* probe/context.c - opens what a request is about, and reads in a process that may die. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "probe/probe.h"

/* "6.1.0-56-amd64" is a folder of the cache; a path is itself. */
static struct error *open_kernel(const char *release, struct kernel **ret)
{
	_cleanup_free_ char *kernels = NULL;
	struct error *error;
	struct strbuf dir;

	if (!release || strchr(release, '/'))
		return kernel_open(release, ret);
	kernels = debuginfo_cache_path("kernels");
	strbuf_init(&dir);
	strbuf_addf(&dir, "%s/%s", kernels, release);
	error = kernel_open_dir(dir.data, ret);
	strbuf_deinit(&dir);
	return error ? error_wrap(error, "kernel %s is not described here (`spile-vm -k NAME "
	                                 "--fetch-only` does it)",
	                          release)
	             : NULL;
}

struct error *probe_context_init(const struct probe_request *request, struct probe_context *ret)
{
	*ret = (struct probe_context){.request = *request};
	return request->program ? NULL : open_kernel(request->release, &ret->kernel);
}

void probe_context_deinit(struct probe_context *ctx)
{
	debuginfo_close(ctx->info);
	kernel_close(ctx->kernel);
}

struct error *probe_info(struct probe_context *ctx, struct debuginfo **ret)
{
	struct error *error = NULL;

	if (!ctx->info)
		error = ctx->kernel
		            ? debuginfo_open_kernel(ctx->kernel, ctx->request.module,
		                                    ctx->request.vmlinux, &ctx->info)
		            : debuginfo_open(ctx->request.program, NULL, &ctx->info);
	*ret = ctx->info;
	return error;
}

/* --- the child ----------------------------------------------------------------------------------- */

#define MEMORY_MAX (8ull << 30) /* of address space; a kernel's DWARF takes about 1 GB */

/* In the child: tells the parent errno and message through the pipe. */
static void report(int fd, struct error *error)
{
	ssize_t n = write(fd, &error->err, sizeof(error->err));

	if (n > 0)
		n = write(fd, error->message, strlen(error->message));
	(void)n;
}

static struct error *received(int fd)
{
	char message[4096];
	ssize_t n;
	int err;

	if (read(fd, &err, sizeof(err)) != sizeof(err))
		return NULL;
	n = read(fd, message, sizeof(message) - 1);
	message[n > 0 ? n : 0] = '\0';
	return error_create(err, "%s", message);
}

static struct error *outcome(int fd, int status, const char *about)
{
	struct error *error = received(fd);

	if (error || !WIFSIGNALED(status))
		return error;
	if (WTERMSIG(status) != SIGPIPE)
		return error_create(EINVAL,
		                    "reading %s ended with %s: its ELF or DWARF is damaged, or "
		                    "libdw cannot take it",
		                    about, strsignal(WTERMSIG(status)));
	return NULL; /* `| head` has seen enough */
}

struct error *probe_guard(struct error *(*command)(struct probe_context *ctx, const char *what),
                          struct probe_context *ctx, const char *what)
{
	const char *about = ctx->request.program ? ctx->request.program : "the kernel's files";
	struct rlimit limit = {MEMORY_MAX, MEMORY_MAX};
	struct error *error;
	int fds[2], status = 0;
	pid_t pid;

	fflush(NULL);
	if (pipe(fds))
		return error_create(errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
#ifndef __SANITIZE_ADDRESS__
		setrlimit(RLIMIT_AS, &limit);
#endif
		(void)limit;
		error = command(ctx, what);
		fflush(NULL);
		if (error)
			report(fds[1], error);
		_exit(error ? 1 : 0);
	}
	close(fds[1]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		error = error_create(errno, "cannot start a process: %s", strerror(errno));
	else
		error = outcome(fds[0], status, about);
	close(fds[0]);
	return error;
}
