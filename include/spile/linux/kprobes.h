/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * <linux/kprobes.h> for modules that shall run on Spile's engine, unchanged.
 *
 * Put the folder above this one first on the include path of a module's kbuild file,
 *
 *	LINUXINCLUDE := -I/usr/local/include/spile $(LINUXINCLUDE)
 *
 * and build with KBUILD_EXTRA_SYMBOLS naming Spile's Module.symvers. The documented names then mean
 * Spile's probes: register_kprobe() is spile_register_kprobe(), struct kprobe is the one of
 * spile/kprobes.h. jprobes are there on every kernel, also on those that have dropped them.
 *
 * The kernel's own header is read as well, with every name that stands here out of the way, since
 * other headers of the kernel (kgdb.h, asm/traps.h) include it and expect the rest of what it
 * declares. Nothing of it is called.
 */
#ifndef SPILE_LINUX_KPROBES_H
#define SPILE_LINUX_KPROBES_H

/* What the kernel's header includes, before names are moved: these are to mean what they say. */
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <asm/kprobes.h>

#define kprobe linux_kprobe
#define jprobe linux_jprobe
#define kretprobe linux_kretprobe
#define kretprobe_instance linux_kretprobe_instance
#define kprobe_pre_handler_t linux_kprobe_pre_handler_t
#define kprobe_post_handler_t linux_kprobe_post_handler_t
#define kprobe_fault_handler_t linux_kprobe_fault_handler_t
#define kprobe_break_handler_t linux_kprobe_break_handler_t
#define kretprobe_handler_t linux_kretprobe_handler_t
#define kprobe_gone linux_kprobe_gone
#define kprobe_disabled linux_kprobe_disabled
#define kprobe_optimized linux_kprobe_optimized
#define kprobe_ftrace linux_kprobe_ftrace
#define get_kretprobe linux_get_kretprobe
#define get_kretprobe_retaddr linux_get_kretprobe_retaddr
#define register_kprobe linux_register_kprobe
#define register_kprobes linux_register_kprobes
#define register_kretprobe linux_register_kretprobe
#define register_kretprobes linux_register_kretprobes
#define register_jprobe linux_register_jprobe
#define register_jprobes linux_register_jprobes
#define unregister_kprobe linux_unregister_kprobe
#define unregister_kprobes linux_unregister_kprobes
#define unregister_kretprobe linux_unregister_kretprobe
#define unregister_kretprobes linux_unregister_kretprobes
#define unregister_jprobe linux_unregister_jprobe
#define unregister_jprobes linux_unregister_jprobes
#define disable_kprobe linux_disable_kprobe
#define disable_kretprobe linux_disable_kretprobe
#define disable_jprobe linux_disable_jprobe
#define enable_kprobe linux_enable_kprobe
#define enable_kretprobe linux_enable_kretprobe
#define enable_jprobe linux_enable_jprobe
#define jprobe_return linux_jprobe_return

#include_next <linux/kprobes.h>

#undef kprobe
#undef jprobe
#undef kretprobe
#undef kretprobe_instance
#undef kprobe_pre_handler_t
#undef kprobe_post_handler_t
#undef kprobe_fault_handler_t
#undef kprobe_break_handler_t
#undef kretprobe_handler_t
#undef kprobe_gone
#undef kprobe_disabled
#undef kprobe_optimized
#undef kprobe_ftrace
#undef get_kretprobe
#undef get_kretprobe_retaddr
#undef register_kprobe
#undef register_kprobes
#undef register_kretprobe
#undef register_kretprobes
#undef register_jprobe
#undef register_jprobes
#undef unregister_kprobe
#undef unregister_kprobes
#undef unregister_kretprobe
#undef unregister_kretprobes
#undef unregister_jprobe
#undef unregister_jprobes
#undef disable_kprobe
#undef disable_kretprobe
#undef disable_jprobe
#undef enable_kprobe
#undef enable_kretprobe
#undef enable_jprobe
#undef jprobe_return
#undef KPROBE_FLAG_GONE
#undef KPROBE_FLAG_DISABLED
#undef KPROBE_FLAG_OPTIMIZED
#undef KPROBE_FLAG_FTRACE
#undef KPROBE_FLAG_ON_FUNC_ENTRY
#undef JPROBE_ENTRY

#include "../kprobes.h"

static inline int register_kprobe(struct kprobe *p)
{
	return spile_register_kprobe(p);
}

static inline void unregister_kprobe(struct kprobe *p)
{
	spile_unregister_kprobe(p);
}

static inline int register_kprobes(struct kprobe **ps, int num)
{
	return spile_register_kprobes(ps, num);
}

static inline void unregister_kprobes(struct kprobe **ps, int num)
{
	spile_unregister_kprobes(ps, num);
}

static inline int disable_kprobe(struct kprobe *p)
{
	return spile_disable_kprobe(p);
}

static inline int enable_kprobe(struct kprobe *p)
{
	return spile_enable_kprobe(p);
}

static inline bool kprobe_gone(struct kprobe *p)
{
	return p->flags & KPROBE_FLAG_GONE;
}

static inline bool kprobe_disabled(struct kprobe *p)
{
	return p->flags & (KPROBE_FLAG_DISABLED | KPROBE_FLAG_GONE);
}

static inline bool kprobe_optimized(struct kprobe *p)
{
	return p->flags & KPROBE_FLAG_OPTIMIZED;
}

static inline bool kprobe_ftrace(struct kprobe *p)
{
	return p->flags & KPROBE_FLAG_FTRACE;
}

/* --- jprobes: linux/kprobes.h had them until 4.14 -------------------------------------------------- */

#define JPROBE_ENTRY(handler) ((void *)(handler))

static inline int register_jprobe(struct jprobe *jp)
{
	return spile_register_jprobe(jp);
}

static inline void unregister_jprobe(struct jprobe *jp)
{
	spile_unregister_jprobe(jp);
}

static inline int register_jprobes(struct jprobe **jps, int num)
{
	return spile_register_jprobes(jps, num);
}

static inline void unregister_jprobes(struct jprobe **jps, int num)
{
	spile_unregister_jprobes(jps, num);
}

static inline int disable_jprobe(struct jprobe *jp)
{
	return spile_disable_jprobe(jp);
}

static inline int enable_jprobe(struct jprobe *jp)
{
	return spile_enable_jprobe(jp);
}

static inline void jprobe_return(void)
{
	spile_jprobe_return();
}

/* --- return probes ----------------------------------------------------------------------------------- */

static inline int register_kretprobe(struct kretprobe *rp)
{
	return spile_register_kretprobe(rp);
}

static inline void unregister_kretprobe(struct kretprobe *rp)
{
	spile_unregister_kretprobe(rp);
}

static inline int register_kretprobes(struct kretprobe **rps, int num)
{
	return spile_register_kretprobes(rps, num);
}

static inline void unregister_kretprobes(struct kretprobe **rps, int num)
{
	spile_unregister_kretprobes(rps, num);
}

static inline int disable_kretprobe(struct kretprobe *rp)
{
	return spile_disable_kretprobe(rp);
}

static inline int enable_kretprobe(struct kretprobe *rp)
{
	return spile_enable_kretprobe(rp);
}

static inline struct kretprobe *get_kretprobe(struct kretprobe_instance *ri)
{
	return ri->rp;
}

static inline unsigned long get_kretprobe_retaddr(struct kretprobe_instance *ri)
{
	return (unsigned long)ri->ret_addr;
}

#endif
