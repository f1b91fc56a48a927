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

/* In host.c: where the kernel may be preempted, does what became due meanwhile. */
void host_preempt_now(void);

/* The count is 0 when, in addition, a reschedule is due: that is a bit of it, set when none is. */
static inline void host_preempt_enable(void)
{
	bool due;

	__asm__ volatile("addl $-1, %%gs:kcpu_preempt_count" : "=@ccz"(due) : : "memory");
	if (__builtin_expect(due, 0))
		host_preempt_now();
}

/* Bits of the preemption count; see host_interrupted() in host.c. */
#define HOST_COUNT_IRQ 0x000f0100u /* hard interrupts, a soft interrupt being served */
#define HOST_COUNT_NMI 0x00f00000u

static inline unsigned host_level(void)
{
	unsigned count;

	__asm__ volatile("movl %%gs:kcpu_preempt_count, %0" : "=r"(count));
	return count;
}

bool host_interrupted(const void *frame, unsigned level);

#endif
