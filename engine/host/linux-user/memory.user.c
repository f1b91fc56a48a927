// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/memory.user.c - memory, and reads of addresses that may be bad.
 *
 * A process has one address space, so "kernel" memory is the process's own, too. A guarded read is
 * process_vm_readv() of oneself: the kernel checks the address, no signal is raised, and it may be
 * called in a signal handler. It costs a system call, 200 ns.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/host.h"

#define PAGE_BYTES 4096

void *host_zalloc(size_t size)
{
	return calloc(1, size);
}

void host_free(void *p)
{
	free(p);
}

void *host_pages_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void host_pages_free(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

int host_read_user(void *dst, uint64_t src, size_t len)
{
	struct iovec local = { dst, len }, remote = { (void *)(uintptr_t)src, len };

	int saved = errno; /* the probed code's */
	ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	errno = saved;
	return n == (ssize_t)len ? 0 : -EFAULT;
}

int host_read_kernel(void *dst, uint64_t src, size_t len)
{
	return host_read_user(dst, src, len);
}

int host_write_user(uint64_t dst, const void *src, size_t len)
{
	struct iovec local = { (void *)src, len }, remote = { (void *)(uintptr_t)dst, len };
	int saved = errno;
	ssize_t n = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);

	errno = saved;
	return n == (ssize_t)len ? 0 : -EFAULT;
}

int host_write_kernel(uint64_t dst, const void *src, size_t len)
{
	return host_write_user(dst, src, len);
}

uint64_t host_per_cpu_address(uint64_t symbol)
{
	return symbol;
}

/** Reads page by page, so that a string may end just before a bad page. */
long host_read_user_string(char *dst, uint64_t src, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = PAGE_BYTES - (src + done) % PAGE_BYTES;

		n = n < size - done ? n : size - done;
		if (host_read_user(dst + done, src + done, n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if (!dst[done + i])
				return done + i + 1;
		done += n;
	}
	return size;
}

long host_read_kernel_string(char *dst, uint64_t src, size_t size)
{
	return host_read_user_string(dst, src, size);
}
