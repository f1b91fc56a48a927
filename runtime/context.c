// SPDX-License-Identifier: GPL-2.0-only
/** runtime/context.c - the language's functions about the current task and time. Any context. */
#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/internal.h"

spl_s64 spl_fn_pid(struct spl_ctx *c)
{
	return host_current_tgid();
}

spl_s64 spl_fn_current(struct spl_ctx *c)
{
	return (spl_s64)host_current_task();
}

spl_s64 spl_fn_tid(struct spl_ctx *c)
{
	return host_current_tid();
}

spl_s64 spl_fn_ppid(struct spl_ctx *c)
{
	return host_current_ppid();
}

spl_s64 spl_fn_uid(struct spl_ctx *c)
{
	return host_current_uid();
}

spl_s64 spl_fn_euid(struct spl_ctx *c)
{
	return host_current_euid();
}

spl_s64 spl_fn_gid(struct spl_ctx *c)
{
	return host_current_gid();
}

spl_s64 spl_fn_egid(struct spl_ctx *c)
{
	return host_current_egid();
}

spl_s64 spl_fn_cpu(struct spl_ctx *c)
{
	return c->cpu;
}

spl_s64 spl_fn_target(struct spl_ctx *c)
{
	return c->session->target_pid;
}

spl_s64 spl_fn_gettimeofday_ns(struct spl_ctx *c)
{
	return host_wallclock_ns();
}

spl_s64 spl_fn_get_cycles(struct spl_ctx *c)
{
	return __builtin_ia32_rdtsc();
}

spl_s64 spl_fn_jiffies(struct spl_ctx *c)
{
	return host_jiffies();
}

spl_s64 spl_fn_hz(struct spl_ctx *c)
{
	return host_hz();
}

spl_s64 spl_fn_clock_ns(struct spl_ctx *c)
{
	return host_clock_ns();
}

char *spl_fn_execname(struct spl_ctx *c, char *dst, spl_size size)
{
	char comm[16];

	host_current_comm(comm);
	return spl_str_copy(dst, size, comm);
}

char *spl_fn_symdata(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr)
{
	struct format_sink sink;

	dst[0] = '\0';
	host_symbol_name(dst, size, addr);
	if (dst[0])
		return dst;
	format_sink_init(&sink, dst, size);
	format_render(&sink, "%#x", "n", &(union spl_val){ .n = (spl_s64)addr });
	return format_sink_finish(&sink);
}

char *spl_fn_symname(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr)
{
	dst[0] = '\0';
	host_symbol_name(dst, size, addr);
	for (char *p = dst; *p; p++)
		if (*p == '+')
			*p = '\0';
	return dst;
}
