// SPDX-License-Identifier: GPL-2.0-only
/** engine/host/linux-user/task.user.c - time, task, symbols and the log in a process. */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/host.h"

#define NS_PER_S 1000000000ull

/* --- time ------------------------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t host_clock_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t host_wallclock_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/** The tick that user space is told of; the kernel's own may be another. */
unsigned host_hz(void)
{
	return sysconf(_SC_CLK_TCK);
}

uint64_t host_jiffies(void)
{
	return host_clock_ns() / (NS_PER_S / host_hz());
}

/* --- the current task ------------------------------------------------------------------------ */

uint64_t host_current_task(void)
{
	return 0;
}

int host_current_tid(void)
{
	return syscall(SYS_gettid);
}

int host_current_tgid(void)
{
	return getpid();
}

int host_current_ppid(void)
{
	return getppid();
}

unsigned host_current_uid(void)
{
	return getuid();
}

unsigned host_current_euid(void)
{
	return geteuid();
}

unsigned host_current_gid(void)
{
	return getgid();
}

unsigned host_current_egid(void)
{
	return getegid();
}

void host_current_comm(char ret[16])
{
	memset(ret, 0, 16);
	prctl(PR_GET_NAME, ret);
	ret[15] = '\0';
}

/* --- symbols and log ------------------------------------------------------------------------- */

/* " [libc.so.6]"; the program itself has no name. */
static void object_suffix(char *dst, size_t size, const struct link_map *map)
{
	const char *slash = map ? strrchr(map->l_name, '/') : NULL;

	dst[0] = '\0';
	if (map && map->l_name[0])
		snprintf(dst, size, " [%s]", slash ? slash + 1 : map->l_name);
}

/** dladdr() takes the loader's lock: not for signal handlers. */
int host_symbol_name(char *dst, size_t size, uint64_t addr)
{
	struct link_map *map = NULL;
	char suffix[128];
	Dl_info info;

	if (size)
		dst[0] = '\0';
	if (!dladdr1((void *)(uintptr_t)addr, &info, (void **)&map, RTLD_DL_LINKMAP) ||
	    !info.dli_sname)
		return -ENOENT;
	object_suffix(suffix, sizeof(suffix), map);
	snprintf(dst, size, "%s+0x%lx%s", info.dli_sname,
		 (unsigned long)(addr - (uintptr_t)info.dli_saddr), suffix);
	return 0;
}

void host_log(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	len = len < (int)sizeof(line) - 1 ? len : (int)sizeof(line) - 2;
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) < 0)
		return; /* nowhere to tell it */
}
