// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to code go through /proc/self/mem, opened for each write: a descriptor kept open would
 * be the parent's memory in a child of fork, and a program that closes all descriptors could get
 * its number for a file of its own.
 *
 * text_sync() is membarrier's "sync core": an interrupt on each CPU that runs a thread of this
 * process, whose return serializes. Where a kernel has no such command, asking every thread for
 * its place (threads.user.c) does the same, because returning from a signal serializes too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/host.h"
#include "engine/host/linux-user/text.h"
#include "engine/host/linux-user/threads.h"

#define WRITE_MAX 16

static bool have_membarrier;

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

int text_init(void)
{
	have_membarrier = !membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	return 0;
}

int text_read(uint64_t addr, void *dst, size_t n)
{
	struct iovec local = { dst, n };
	/* Two pieces: a read that fails in the second page has still read the first. */
	size_t first = 4096 - addr % 4096;
	struct iovec remote[2] = {
		{ (void *)(uintptr_t)addr, n < first ? n : first },
		{ (void *)(uintptr_t)(addr + first), n < first ? 0 : n - first },
	};
	ssize_t got = process_vm_readv(getpid(), &local, 1, remote, n > first ? 2 : 1, 0);

	return got > 0 ? (int)got : -EFAULT;
}

static int write_mem(uint64_t addr, const uint8_t *bytes, size_t n)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -EACCES;
	done = pwrite(fd, bytes, n, (off_t)addr);
	close(fd);
	return done == (ssize_t)n ? 0 : -EACCES;
}

static int holds(uint64_t addr, const uint8_t *bytes, size_t n)
{
	uint8_t now[WRITE_MAX];

	if (text_read(addr, now, n) != (int)n)
		return -EFAULT;
	return memcmp(now, bytes, n) ? -EBUSY : 0;
}

int text_write(uint64_t addr, const uint8_t *old, const uint8_t *new, size_t n)
{
	int err = n > WRITE_MAX ? -EINVAL : holds(addr, old, n);

	if (!err)
		err = write_mem(addr, new, n);
	return err ? err : holds(addr, new, n);
}

int text_fill(uint64_t addr, const uint8_t *bytes, size_t n)
{
	return write_mem(addr, bytes, n);
}

void text_sync(void)
{
	if (!have_membarrier || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE))
		threads_interrupt();
}
