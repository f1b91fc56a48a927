/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host.h - the host contract: all that freestanding code may ask of its surroundings.
 *
 * engine/, runtime/ring and trace/ call nothing else. engine/host/linux-kernel/ fulfils it in the
 * core, engine/host/linux-user/ in a process and in unit tests. Porting to another host means to
 * write these functions; the context each may be called from is part of the contract.
 *
 *   any   any context, NMI included: no lock, no sleep, no allocation, no fault that is not handled
 *   task  task context, interrupts enabled, may sleep
 */
#ifndef SPILE_ENGINE_HOST_H
#define SPILE_ENGINE_HOST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Error numbers of the API, the same values as Linux's; functions return them negated. */
#ifndef ENOENT
#define EPERM 1
#define ENOENT 2
#define E2BIG 7
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOTTY 25
#define ENOSPC 28
#define ERANGE 34
#define EILSEQ 84
#define EOPNOTSUPP 95
#define ETIMEDOUT 110
#endif

/* --- memory ------------------------------------------------------------------------------------ */

/** Zeroed memory, or NULL. task */
void *host_zalloc(size_t size);
/** Gives memory back; NULL is fine. task */
void host_free(void *p);
/** Zeroed whole pages that a reader may map (kernel home: remap_vmalloc_range). task */
void *host_pages_alloc(size_t size);
void host_pages_free(void *p, size_t size);

/* memcpy and friends; the compiler may call them by itself as well. any */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* --- CPU ----------------------------------------------------------------------------------------- */

/** One more than the largest CPU number. any */
unsigned host_cpu_max(void);
#ifdef __SPILE_KERNEL__
#include "engine/host/linux-kernel/host_inline.h"
#else
/** The number of this CPU; stable only while preemption is off. any */
unsigned host_cpu(void);
/** Disables interrupts here (a process: marks the thread) and returns what to restore. any */
unsigned long host_irq_save(void);
void host_irq_restore(unsigned long flags);
/** Disables preemption; nests. Enabling does a reschedule that has become due meanwhile. any */
void host_preempt_disable(void);
void host_preempt_enable(void);
/** What host_interrupted() has to know later of the context that this is called in. any */
static inline unsigned host_level(void)
{
	return 0;
}
/**
 * Whether the caller runs in an interrupt that came on top of the code on whose stack `frame` is and
 * whose host_level() was `level`. No: that code has called the caller, or took an exception. What
 * cannot be told is no. (A process: always no, a signal's handler is its thread's.) any
 */
bool host_interrupted(const void *frame, unsigned level);
#endif

static inline void host_relax(void)
{
	__builtin_ia32_pause();
}

/* --- time ------------------------------------------------------------------------------------------ */

/** Monotonic time in ns, one clock for all CPUs. any */
uint64_t host_clock_ns(void);
/** Time since 1970 in ns. any */
uint64_t host_wallclock_ns(void);
/** The kernel's tick counter; in a process: clock ticks of 1/HZ s. any */
uint64_t host_jiffies(void);
/** Ticks per second. any */
unsigned host_hz(void);

/* --- the current task ---------------------------------------------------------------------------------- */

uint64_t host_current_task(void); /* any; the address of its task_struct, 0 in a process */
int host_current_tid(void);  /* any */
int host_current_tgid(void); /* any */
int host_current_ppid(void); /* any */
unsigned host_current_uid(void);  /* any; of the initial user namespace */
unsigned host_current_euid(void); /* any */
unsigned host_current_gid(void);  /* any */
unsigned host_current_egid(void); /* any */
/** The command name, at most 15 characters and a NUL. any */
void host_current_comm(char ret[16]);

/* --- guarded memory -------------------------------------------------------------------------------------- */

/** Copies from an address that may be bad: 0 or -EFAULT. any */
int host_read_kernel(void *dst, uint64_t src, size_t len);
/** The same from the current process's address space; pages that are not present fail. any */
int host_read_user(void *dst, uint64_t src, size_t len);
/** Copies at most 8 bytes to an address that may be bad: 0 or -EFAULT; some of it may have been written then. any */
int host_write_kernel(uint64_t dst, const void *src, size_t len);
int host_write_user(uint64_t dst, const void *src, size_t len);
/** This CPU's copy of a per-CPU variable, by the address that the symbol has; in a process that. any,
 *  with preemption disabled */
uint64_t host_per_cpu_address(uint64_t symbol);
/** Copies a string up to and with its NUL: its length with the NUL, or -EFAULT; `size` if cut. any */
long host_read_kernel_string(char *dst, uint64_t src, size_t size);
long host_read_user_string(char *dst, uint64_t src, size_t size);

/* --- waiting for others ---------------------------------------------------------------------------------- */

/** Returns when every handler that was running at the call has left. task */
void host_synchronize(void);

/* --- symbols ------------------------------------------------------------------------------------------------ */

/** "name+0x10" of the code at an address; "" if unknown. task, and any where the host can */
int host_symbol_name(char *dst, size_t size, uint64_t addr);

/* --- log -------------------------------------------------------------------------------------------------------- */

/** A line in the host's log (dmesg, stderr). any but NMI */
void host_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
