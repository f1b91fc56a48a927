/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * spile/session.h - the session interface between the core and its reader.
 *
 * A session is a file descriptor: open("/dev/spile") in the kernel home (root only). Closing it,
 * however the process ends, disarms everything that it armed. The order of calls:
 *
 *   open                  a session without a script; the core is pinned
 *   SPILE_IOC_ATTACH      binds a loaded script module to the session, by module name; makes the
 *                         rings; runs the script's init. -ENOENT no such script, -EBUSY attached
 *                         elsewhere, -EINVAL another ABI
 *   mmap                  maps the rings: see struct spile_attach for offset and size
 *   SPILE_IOC_START       runs the begin probes in this task, then arms everything, all or nothing
 *   SPILE_IOC_WAIT        sleeps until there are records, the script called exit(), or a time-out
 *   SPILE_IOC_STOP        disarms, waits for running handlers, runs end (or error) probes
 *   SPILE_IOC_REPORT      copies the accounting: per probe, and of the session
 *   close                 detaches; the script module can then be removed
 *
 * All structures have the same layout for every architecture and no implicit padding.
 */
#ifndef SPILE_SESSION_H
#define SPILE_SESSION_H

#include <stdint.h>

#define SPILE_DEVICE "/dev/spile"
#define SPILE_SESSION_ABI 1

/** SPILE_IOC_ATTACH. */
struct spile_attach {
	char script[64];      /* in: name of the script (spl_script.name) */
	uint32_t abi;         /* in: SPILE_SESSION_ABI */
	uint32_t ring_bytes;  /* in: data bytes of one CPU's ring, 0 = default; out: rounded up */
	uint32_t ncpus;       /* out: rings there are */
	uint32_t nprobes;     /* out */
	uint64_t map_size;    /* out: bytes to mmap at offset 0, read and write */
	uint64_t ring_stride; /* out: ring i starts at i * ring_stride in the mapping */
};

/** SPILE_IOC_START. */
struct spile_start {
	uint32_t failed_probe; /* out: on failure, the probe (its index) that could not be armed */
	int32_t failed_error;  /* out: and its negated errno */
	uint64_t target_pid;   /* in: target() of the script, 0 if none */
};

#define SPILE_STATE_ATTACHED 0
#define SPILE_STATE_RUNNING 1
#define SPILE_STATE_EXITING 2 /* exit() was called or too many errors; the reader should stop */
#define SPILE_STATE_STOPPED 3

/** SPILE_IOC_WAIT. */
struct spile_wait {
	uint32_t timeout_ms; /* in */
	uint32_t state;      /* out: SPILE_STATE_* */
};

/** What the core counted of one probe. */
struct spile_probe_report {
	uint64_t hits;           /* handler entered */
	uint64_t missed_nested;  /* hit while a handler ran on the same CPU, or the engine refused */
	uint64_t missed_instance;/* return probes: no free instance */
	uint64_t skipped_lock;   /* a global's lock could not be had */
	uint64_t skipped_state;  /* session starting or exiting */
	uint64_t errors;         /* handler ended with a script error */
	uint32_t planter;        /* SPILE_PLANTER_* it was armed with; 0 none */
	uint32_t flags;          /* KPROBE_FLAG_* of spile/kprobes.h */
};

#define SPILE_PLANTER_NONE 0
#define SPILE_PLANTER_FTRACE 1
#define SPILE_PLANTER_FTRACE_RETURN 2
#define SPILE_PLANTER_NATIVE 3
#define SPILE_PLANTER_NATIVE_RETURN 4
#define SPILE_PLANTER_TIMER 5
#define SPILE_PLANTER_JUMP 6
#define SPILE_PLANTER_BREAKPOINT 7
#define SPILE_PLANTER_RETURN 8 /* the return address on the stack is replaced */
#define SPILE_PLANTER_CALL_THROUGH 9

/** SPILE_IOC_REPORT. The caller gives room for `nprobes` reports at `probes`. */
struct spile_report {
	uint64_t probes;      /* in: address of struct spile_probe_report[nprobes] */
	uint32_t nprobes;     /* in: room; out: reports written */
	uint32_t state;       /* out */
	uint64_t errors;      /* out: script errors of all probes */
	uint64_t lost;        /* out: records that found the rings full */
	uint64_t skipped;     /* out: hits skipped for any cause */
	uint64_t arm_ns;      /* out: time SPILE_IOC_START took to arm */
};

/* Linux's _IOWR encoding: direction 3, size, type 's', number. */
#define SPILE_IOC(nr, type) (0xc0000000u | ((uint32_t)sizeof(type) << 16) | ('s' << 8) | (nr))
#define SPILE_IOC_ATTACH SPILE_IOC(1, struct spile_attach)
#define SPILE_IOC_START SPILE_IOC(2, struct spile_start)
#define SPILE_IOC_WAIT SPILE_IOC(3, struct spile_wait)
#define SPILE_IOC_STOP SPILE_IOC(4, struct spile_wait)
#define SPILE_IOC_REPORT SPILE_IOC(5, struct spile_report)

#endif
