/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/host_inline.h - the part of engine/host.h that every hit calls, inline.
 *
 * Under mitigations a call and its return cost more than what these do. Included by engine/host.h.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_HOST_INLINE_H
#define SPILE_HOST_LINUX_KERNEL_HOST_INLINE_H

/* kernel.h explains the per-CPU symbols; it cannot be included everywhere. */

static inline unsigned host_cpu(void)
{
	uint32_t cpu;

	__asm__ volatile("movl %%gs:kcpu_cpu_number, %0" : "=r"(cpu));
	return cpu;
}

static inline unsigned long host_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=rm"(flags) : : "memory");
	return flags;
}

static inline void host_irq_restore(unsigned long flags)
{
	if (flags & (1ul << 9)) /* the interrupt flag */
		__asm__ volatile("sti" : : : "memory");
}

static inline void host_preempt_disable(void)
{
	__asm__ volatile("addl $1, %%gs:kcpu_preempt_count" : : : "memory", "cc");
}

/* A reschedule that became due meanwhile is left to the next interrupt. */
static inline void host_preempt_enable(void)
{
	__asm__ volatile("addl $-1, %%gs:kcpu_preempt_count" : : : "memory", "cc");
}

#endif
