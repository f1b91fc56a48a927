/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * spile/kprobes.h - the probe engine's interface.
 *
 * Names, fields and return codes are those of the kernel's kprobes document; the functions carry
 * the prefix spile_ so that both can be present in one kernel. All register and unregister
 * functions are for task context and may sleep. Handlers run in the context of the probed code, NMI
 * included, with preemption disabled: they must not sleep.
 *
 * A registered probe belongs to the engine until it is unregistered: do not change or free it. When
 * spile_unregister_*() has returned, no handler of the probe runs or will run.
 */
#ifndef SPILE_KPROBES_H
#define SPILE_KPROBES_H

#ifdef __KERNEL__ /* a module made by the kernel's own build: see linux/kprobes.h */
#include <linux/types.h>
#include <asm/kprobes.h>
#else
#include <stddef.h>
#include <stdint.h>

typedef uint8_t kprobe_opcode_t;
#endif

struct pt_regs;
struct task_struct;
struct kprobe;
struct kretprobe;
struct kretprobe_instance;
struct spile_site; /* the engine's record of a probed address */

/** Before the probed instruction. Returns 0, or 1 if it set regs->ip and the instruction must not run. */
typedef int (*kprobe_pre_handler_t)(struct kprobe *p, struct pt_regs *regs);
/** After the probed instruction; flags is 0 on x86. */
typedef void (*kprobe_post_handler_t)(struct kprobe *p, struct pt_regs *regs, unsigned long flags);
/**
 * A fault in a handler of the probe, or in the copy of the probed instruction (then regs->ip is the
 * original's address). Returns 1 if it took care of it: execution goes on at regs->ip, which is again
 * what faulted if it was not changed. 0: as if there were no probe; with an entry in a table of
 * exceptions that is used. Runs in the context of the fault; its own faults are not shown to it. (The
 * kernel home needs ftrace sites in two functions for it, which 5.10 to 7.2 have; it logs when not.)
 */
typedef int (*kprobe_fault_handler_t)(struct kprobe *p, struct pt_regs *regs, int trapnr);
/** Never called. Setting one keeps the probe from being optimized, as a post_handler does. */
typedef int (*kprobe_break_handler_t)(struct kprobe *p, struct pt_regs *regs);
/** At return (or entry) of a probed function. An entry_handler's non-zero skips this instance. */
typedef int (*kretprobe_handler_t)(struct kretprobe_instance *ri, struct pt_regs *regs);

#define KPROBE_FLAG_GONE 1      /* the module or library has gone: unregister it */
#define KPROBE_FLAG_DISABLED 2  /* registered, not armed; may be set before registering */
#define KPROBE_FLAG_OPTIMIZED 4 /* by a jump, not a breakpoint */
#define KPROBE_FLAG_FTRACE 8    /* by an ftrace site */
#define KPROBE_FLAG_ON_FUNC_ENTRY 16
/*
 * Of a kretprobe, may be set before registering: all arguments of the function are in registers (six
 * integers or pointers at most, no variable arguments). Its return may then be seen by calling it
 * from the probe, which is cheaper and misses nothing, instead of by changing its return address.
 */
#define KPROBE_FLAG_ARGS_IN_REGS 32
/*
 * Of a kprobe, may be set before registering: plant it by a jump or breakpoint of our own where that
 * can be done, rather than through the kernel's kprobes; see planters_text in the kernel's home.c.
 * The first probe at an address decides. Without meaning in a process, where this is the rule.
 */
#define KPROBE_FLAG_TEXT 64

struct kprobe {
	/* Set by the user; either addr, or symbol_name with an optional offset. */
	kprobe_opcode_t *addr;
	const char *symbol_name;
	unsigned int offset;
	kprobe_pre_handler_t pre_handler;
	kprobe_post_handler_t post_handler;
	kprobe_fault_handler_t fault_handler;
	kprobe_break_handler_t break_handler;
	uint32_t flags; /* KPROBE_FLAG_* */

	/* Readable any time. */
	unsigned long nmissed; /* hits while another handler ran on the CPU */
	unsigned long nhit;    /* hits whose pre_handler was run. Both up to date after a call for this
				* probe: disable, enable (of an enabled one, too) or unregister */

	/* The engine's. */
	struct spile_site *site;
	struct kprobe *next; /* other probes at the same address */
	uint32_t counter;    /* of hits, where the home has one for each CPU; 0: nhit is it */
};

struct kretprobe_instance {
	struct kretprobe *rp;
	struct task_struct *task; /* who called; of the process home: NULL */
	kprobe_opcode_t *ret_addr;
	struct kretprobe_instance *next; /* the engine's */
	char data[] __attribute__((aligned(8))); /* data_size bytes of the user's own */
};

struct kretprobe {
	struct kprobe kp;                  /* where; its handlers are the engine's */
	kretprobe_handler_t handler;
	kretprobe_handler_t entry_handler; /* or NULL */
	int maxactive;    /* instances at once; <= 0: the documented default */
	int nmissed;      /* entries that found no instance; readable any time (where the kernel's own
			   * kretprobe is underneath: as of the last return) */
	size_t data_size;
	void *pool;       /* the engine's */
};

/** A handler with the probed function's own signature, called at the function's entry. */
struct jprobe {
	struct kprobe kp; /* where; its pre_handler is the engine's */
	void *entry;      /* the handler; it must end with spile_jprobe_return() */
};

/**
 * Plants a probe. 0, or: -EINVAL addr and symbol_name both given or neither, a refused address
 * (blacklisted, our own text); -ENOENT unknown symbol; -EILSEQ not at an instruction's start;
 * -EBUSY already registered; -ENOMEM; -EOPNOTSUPP no planter can do it on this kernel.
 */
int spile_register_kprobe(struct kprobe *p);
void spile_unregister_kprobe(struct kprobe *p);
/** Plants num probes, all or nothing: on failure those planted before are taken back. */
int spile_register_kprobes(struct kprobe **ps, int num);
void spile_unregister_kprobes(struct kprobe **ps, int num);

int spile_register_kretprobe(struct kretprobe *rp);
void spile_unregister_kretprobe(struct kretprobe *rp);
int spile_register_kretprobes(struct kretprobe **rps, int num);
void spile_unregister_kretprobes(struct kretprobe **rps, int num);

/** Stops or resumes a registered probe; -EINVAL if it is not registered, or to resume, GONE. Idempotent. */
int spile_disable_kprobe(struct kprobe *p);
int spile_enable_kprobe(struct kprobe *p);

/** How a registered probe (of a kretprobe: its kp) was planted: a planter's name, else "none". */
const char *spile_kprobe_planter(const struct kprobe *p);

static inline int spile_disable_kretprobe(struct kretprobe *rp)
{
	return spile_disable_kprobe(&rp->kp);
}

static inline int spile_enable_kretprobe(struct kretprobe *rp)
{
	return spile_enable_kprobe(&rp->kp);
}

/**
 * Plants a jprobe. As spile_register_kprobe(), and -EINVAL when the address is not a function's first
 * instruction or there is no entry. The handler is shown the registers and (a copy of) the stack
 * that the function was called with, up to 256 bytes of it. It runs as a pre_handler does; what it
 * does to its arguments is not seen by the function.
 */
int spile_register_jprobe(struct jprobe *jp);
void spile_unregister_jprobe(struct jprobe *jp);
/** Plants num jprobes, all or nothing. */
int spile_register_jprobes(struct jprobe **jps, int num);
void spile_unregister_jprobes(struct jprobe **jps, int num);

static inline int spile_disable_jprobe(struct jprobe *jp)
{
	return spile_disable_kprobe(&jp->kp);
}

static inline int spile_enable_jprobe(struct jprobe *jp)
{
	return spile_enable_kprobe(&jp->kp);
}

/** Ends a jprobe's handler: does not return there. A handler must not return in any other way. */
void spile_jprobe_return(void);

#endif
