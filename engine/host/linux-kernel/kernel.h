/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/kernel.h - the kernel as the core sees it: kernel.def as C.
 *
 * No kernel header is included anywhere. Every name below is an undefined symbol of the object
 * that the fitter gives a value at load: functions and variables their address, the rest an
 * absolute number. So:
 *
 *   kfn_vmalloc_user(n)                call a kernel function. Only direct calls: the address may
 *                                      be one that must not be called through a pointer (IBT)
 *   khas(register_kprobe)              a MAY row of this name was found; also khas(task_struct_x)
 *   kvar_jiffies                       a kernel variable
 *   kfield(task, task_struct, pid)     a field, as an lvalue of the row's type
 *   ksize(ftrace_ops)                  the kernel's size of a structure
 *   kenum(hrtimer_restart)             an enumerator's value
 *   kfeat(name)                        a FEATURE row: 0 or 1
 *   kcpu_read_8(current_task)          a per-CPU variable of this CPU, 8 or 4 bytes
 *   kaddr(vfs_read)                    the address of any kernel function, by kallsyms, for
 *                                      probing it; no row needed. The load fails when it is missing
 *
 * ksize(), kenum(), kfeat(), khas() and field offsets are no compile-time constants: no `case`,
 * array bound or static initializer can be made of them. A struct of a BLOB row has room for every
 * known kernel's, so it can be declared, zeroed and filled with kfield(); its sizeof is the room,
 * ksize() the truth.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_H
#define SPILE_HOST_LINUX_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;

/* First pass: the structures, so that prototypes can name them. */
#define OPAQUE(name) struct name;
#define BLOB(name, max)                                                                            \
	struct name {                                                                              \
		char blob[max];                                                                    \
	} __attribute__((aligned(64)));
#define CALLBACK(name, ret, args)
#define SIZE(need, name)
#define FUNC(need, name, ret, args, spec)
#define DATA(need, name, type, spec)
#define PERCPU(need, name, spec)
#define FIELD(need, strct, name, type, spec)
#define EMBED(need, strct, name, type, spec)
#define ENUM(need, name, spec)
#define FEATURE(name, spec)
#include "engine/host/linux-kernel/kernel.def"
#undef OPAQUE
#undef BLOB
#undef CALLBACK
#undef SIZE
#undef FUNC
#undef DATA
#undef PERCPU
#undef FIELD
#undef EMBED
#undef ENUM
#undef FEATURE

/* Second pass: the names. kfieldtype_* carries a field's type to kfield(). */
#define OPAQUE(name)
#define BLOB(name, max) extern char ksize_##name[];
#define CALLBACK(name, ret, args) typedef ret kcb_##name args;
#define SIZE(need, name) extern char ksize_##name[], khas_##name[];
#define FUNC(need, name, ret, args, spec)                                                          \
	extern ret kfn_##name args;                                                                \
	extern char khas_##name[];
#define DATA(need, name, type, spec)                                                               \
	extern type kvar_##name;                                                                   \
	extern char khas_##name[];
#define PERCPU(need, name, spec) extern char kcpu_##name[], khas_##name[];
#define FIELD(need, strct, name, type, spec)                                                       \
	typedef type kfieldtype_##strct##_##name;                                                  \
	extern char koff_##strct##_##name[], khas_##strct##_##name[];
/* Not through FIELD(): an argument that is handed on is expanded, see engine_kernel.h. */
#define EMBED(need, strct, name, type, spec)                                                       \
	typedef type kfieldtype_##strct##_##name;                                                  \
	extern char koff_##strct##_##name[], khas_##strct##_##name[];
#define ENUM(need, name, spec) extern char kenum_##name[], khas_##name[];
#define FEATURE(name, spec) extern char kfeat_##name[];
#include "engine/host/linux-kernel/kernel.def"
#undef OPAQUE
#undef BLOB
#undef CALLBACK
#undef SIZE
#undef FUNC
#undef DATA
#undef PERCPU
#undef FIELD
#undef EMBED
#undef ENUM
#undef FEATURE

#define kfield(p, strct, name)                                                                     \
	(*(kfieldtype_##strct##_##name *)(kfield_base_(strct, p) + (long)koff_##strct##_##name))
/* Refuses a pointer to another structure at compile time. */
#define kfield_base_(strct, p)                                                                     \
	({                                                                                         \
		const struct strct *kfield_p_ = (p);                                               \
		(char *)kfield_p_;                                                                 \
	})
#define ksize(name) ((unsigned long)ksize_##name)
#define kenum(name) ((long)kenum_##name)
#define kfeat(name) ((long)kfeat_##name != 0)
#define khas(name) ((long)khas_##name != 0)

#define kaddr(function)                                                                            \
	({                                                                                         \
		extern char kaddr_##function[];                                                    \
		(unsigned long)kaddr_##function;                                                   \
	})

/* An absolute displacement, never relative to the instruction: before 6.15 the per-CPU area starts
 * at address 0, out of reach of module text. */
#define kcpu_read_8(name)                                                                          \
	({                                                                                         \
		uint64_t kcpu_v_;                                                                  \
		__asm__ volatile("movq %%gs:kcpu_" #name ", %0" : "=r"(kcpu_v_));                  \
		kcpu_v_;                                                                           \
	})
#define kcpu_read_4(name)                                                                          \
	({                                                                                         \
		uint32_t kcpu_v_;                                                                  \
		__asm__ volatile("movl %%gs:kcpu_" #name ", %0" : "=r"(kcpu_v_));                  \
		kcpu_v_;                                                                           \
	})
#define kcpu_add_4(name, n)                                                                        \
	__asm__ volatile("addl %0, %%gs:kcpu_" #name : : "ir"(n) : "memory", "cc")

/** GFP_KERNEL: may sleep. */
static inline unsigned int kgfp_kernel(void)
{
	return 1u << kenum(gfp_io_bit) | 1u << kenum(gfp_fs_bit) |
	       1u << kenum(gfp_direct_reclaim_bit) | 1u << kenum(gfp_kswapd_reclaim_bit);
}

/** What to add to kgfp_kernel() for zeroed memory. */
static inline unsigned int kgfp_zero(void)
{
	return 1u << kenum(gfp_zero_bit);
}

static inline struct task_struct *kernel_current(void)
{
	return (struct task_struct *)kcpu_read_8(current_task);
}

static inline unsigned int kernel_cpu(void)
{
	return kcpu_read_4(cpu_number);
}

/** The fitter puts it into the image of each object. */
extern struct module __this_module;

/* Levels of kfn_printk(): in front of the format. */
#define KLOG_ERR "\0013"
#define KLOG_WARN "\0014"
#define KLOG_INFO "\0016"

#endif
