/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * spile/process.h - probes in a process: link with -lspile, include this, and write
 *
 *     static int seen(struct kprobe *p, struct pt_regs *regs) { count++; return 0; }
 *     static struct kprobe kp = { .symbol_name = "libc:getenv", .pre_handler = seen };
 *     ...
 *     int err = register_kprobe(&kp);
 *
 * The functions are those of the kernel's kprobes document, under the documented names; spile/kprobes.h
 * says what they do. What is particular to a process:
 *
 * - symbol_name is a function of any loaded object, the executable first, or "object:function", where
 *   libc, libc.so and libc.so.6 all name .../libc.so.6. Functions of libspile are refused (-EINVAL),
 *   and so are addresses outside the code of loaded files.
 * - struct pt_regs is the kernel's; programs find it in <asm/ptrace.h>. samples/process/probe_self.c
 *   is a whole program.
 * - A handler is called on the thread that hit the probe, at that place. It may call what is safe in a
 *   signal handler. Vector registers are saved for it if it, or what it calls, may use them; a
 *   handler that uses none is cheaper.
 * - A hit inside a handler, on the same thread, is counted in nmissed and not shown.
 * - The library uses SIGTRAP, and SIGSEGV, SIGBUS, SIGFPE, SIGILL to see faults in handlers. The
 *   program's own handlers for them go on working if they are installed by sigaction() or signal().
 *   A thread must not block SIGTRAP (libspile's own sigprocmask() and pthread_sigmask() see to it).
 *   Signal 62 asks a running thread where it is; its handler is installed when probes are planted.
 * - After fork() the child has the same probes. After dlclose() of a library its probes have
 *   KPROBE_FLAG_GONE: unregister them.
 * - In a process with a shadow stack return probes are refused (-EOPNOTSUPP), and so are probes on
 *   calls; there are breakpoints only.
 * - Functions that libc calls with all signals blocked, as at the end of a thread or in a child of
 *   posix_spawn(), must not be hit by a breakpoint then: the kernel ends the process.
 * - spile/watchpoint.h has probes on memory.
 * - Return probes are refused on functions that return twice (setjmp, vfork, getcontext, ...).
 *   longjmp() and exceptions past a watched function are fine: that call is not reported.
 * - A program's signal handler that interrupts a probe's handler must come back to it: the engine
 *   would wait for ever for one that it leaves by siglongjmp().
 * - register and unregister functions must not be called in handlers or signal handlers.
 */
#ifndef SPILE_PROCESS_H
#define SPILE_PROCESS_H

#include "spile/kprobes.h"

#ifdef __cplusplus
extern "C" {
#endif

int register_kprobe(struct kprobe *p);
void unregister_kprobe(struct kprobe *p);
int register_kprobes(struct kprobe **ps, int num);
void unregister_kprobes(struct kprobe **ps, int num);
int register_jprobe(struct jprobe *jp);
void unregister_jprobe(struct jprobe *jp);
int register_jprobes(struct jprobe **jps, int num);
void unregister_jprobes(struct jprobe **jps, int num);
void jprobe_return(void);
int register_kretprobe(struct kretprobe *rp);
void unregister_kretprobe(struct kretprobe *rp);
int register_kretprobes(struct kretprobe **rps, int num);
void unregister_kretprobes(struct kretprobe **rps, int num);
int disable_kprobe(struct kprobe *p);
int enable_kprobe(struct kprobe *p);
int disable_jprobe(struct jprobe *jp);
int enable_jprobe(struct jprobe *jp);
int disable_kretprobe(struct kretprobe *rp);
int enable_kretprobe(struct kretprobe *rp);

/* --- the document's control files, as calls ----------------------------------------------------------- */

/**
 * kprobes/list: a line for each registered probe,
 *
 *     00007f8ea8e4f040  k  getenv+0x0  libc.so.6 [OPTIMIZED][jump]
 *     000055d0c5a0b1c0  r  parse_line+0x0    [DISABLED][return]
 *
 * address, type (k kprobe, j jprobe, r kretprobe), function, object unless it is the program, tags:
 * [GONE] [DISABLED] [OPTIMIZED] and the planter. Writes at most `size` bytes, no NUL; returns the
 * length of the whole, which may be more.
 */
size_t spile_kprobes_list(char *to, size_t size);
/** kprobes/blacklist: "0xSTART-0xEND<tab>NAME" lines, the code that is refused. As the list. */
size_t spile_kprobes_blacklist(char *to, size_t size);
/**
 * kprobes/enabled: 0 disarms all probes, those registered meanwhile too, without a change of their
 * DISABLED flags; when it returns no handler runs. 1 arms those that are not disabled: 0, or the first
 * error; another attempt takes up the rest.
 */
int spile_kprobes_enable(int on);
int spile_kprobes_enabled(void);
/**
 * kprobes-optimization: 0 turns all jumps into breakpoints, and none are made. 1, also if it was 1,
 * looks at all probes anew.
 */
void spile_optimization(int on);
int spile_optimization_enabled(void);

#ifdef __cplusplus
}
#endif

#endif
