// SPDX-License-Identifier: GPL-2.0-only
/*
 * worker - a busy process that knows how often it called the kernel.
 *
 * `worker SECONDS NAME` renames itself to NAME, then reads, writes and opens until the time is up,
 * counting, and takes its old name back before it prints "read N write N openat N". What a script
 * counts for execname() == NAME must be these numbers exactly: they come from this program's own
 * loop, not from any tracer.
 *
 * Linked statically, so that nothing else runs under that name; raw system calls, so that libc adds
 * none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct counts {
	unsigned long read, write, openat;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void work_once(int pipe_fd[2], struct counts *counts)
{
	char buf[64] = { 0 };
	long fd;

	syscall(SYS_write, pipe_fd[1], buf, sizeof(buf));
	counts->write++;
	syscall(SYS_read, pipe_fd[0], buf, sizeof(buf));
	counts->read++;
	fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/stat", O_RDONLY);
	counts->openat++;
	syscall(SYS_read, fd, buf, sizeof(buf));
	counts->read++;
	syscall(SYS_close, fd);
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };
	int pipe_fd[2];
	double end;

	if (argc != 3 || pipe(pipe_fd) < 0) {
		fprintf(stderr, "usage: worker SECONDS NAME\n");
		return 2;
	}
	end = now() + atof(argv[1]);
	prctl(PR_SET_NAME, argv[2]);
	do
		work_once(pipe_fd, &counts);
	while (now() < end);
	prctl(PR_SET_NAME, "worker");
	printf("read %lu write %lu openat %lu\n", counts.read, counts.write, counts.openat);
	return 0;
}
