// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host contract in the kernel. See engine/host.h for the context of each function.
 *
 * memcpy, memmove, memset and memcmp are in runtime/mem.kernel.c.
 */
#include "engine/host.h"
#include "engine/host/linux-kernel/kernel.h"

#define PAGE_SIZE 4096ul

/* --- memory ---------------------------------------------------------------------------------- */

void *host_zalloc(size_t size)
{
	void *p;

	if (size <= PAGE_SIZE)
		return kfn_kmalloc(size, kgfp_kernel() | kgfp_zero());
	p = kfn_vmalloc(size);
	if (p)
		memset(p, 0, size);
	return p;
}

void host_free(void *p)
{
	kfn_kvfree(p);
}

void *host_pages_alloc(size_t size)
{
	return kfn_vmalloc_user(size);
}

void host_pages_free(void *p, size_t size)
{
	kfn_vfree(p);
}

/* --- CPU --------------------------------------------------------------------------------------- */

unsigned host_cpu_max(void)
{
	return kvar_nr_cpu_ids;
}

/* Where the kernel's choice of preemption is "not here", the symbol leads to a return. any */
void host_preempt_now(void)
{
	if (khas(preempt_schedule_notrace))
		kfn_preempt_schedule_notrace();
}

#define STACK_BYTES 16384ul /* the largest of the kernel's */

/*
 * Interrupts and NMIs run on stacks of their own, calls and most exceptions on the stack of their
 * cause. So `frame` on another stack than ours tells an interrupt, also while its entry and exit,
 * where the preemption count does not show it. A second interrupt uses the stack of the first, and
 * 5.10 begins and ends interrupts on the task's stack: there the count tells, and where it does not,
 * the hit passes for nested. The breakpoint and debug exceptions count as NMIs, hence "as many NMIs":
 * with more of them on the same stack it is a handler's own exception.
 */
bool host_interrupted(const void *frame, unsigned level)
{
	unsigned now = host_level();

	if ((unsigned long)frame - (unsigned long)__builtin_frame_address(0) >= STACK_BYTES)
		return true;
	return !((now ^ level) & HOST_COUNT_NMI) &&
	       (now & HOST_COUNT_IRQ) > (level & HOST_COUNT_IRQ);
}

/* --- time ---------------------------------------------------------------------------------------- */

uint64_t host_clock_ns(void)
{
	return kfn_ktime_get_mono_fast_ns();
}

uint64_t host_wallclock_ns(void)
{
	return kfn_ktime_get_real_fast_ns();
}

uint64_t host_jiffies(void)
{
	return kvar_jiffies;
}

unsigned host_hz(void)
{
	return (unsigned)kfn_usecs_to_jiffies(1000000);
}

/* --- the current task ------------------------------------------------------------------------------ */

uint64_t host_current_task(void)
{
	return (uintptr_t)kernel_current();
}

int host_current_tid(void)
{
	return kfield(kernel_current(), task_struct, pid);
}

int host_current_tgid(void)
{
	return kfield(kernel_current(), task_struct, tgid);
}

/* The parent may exit meanwhile; interrupts off keep its memory, as an RCU reader does. */
int host_current_ppid(void)
{
	unsigned long irq = host_irq_save();
	struct task_struct *parent = kfield(kernel_current(), task_struct, real_parent);
	int ppid = kfield(parent, task_struct, tgid);

	host_irq_restore(irq);
	return ppid;
}

/* Only the task itself changes its cred, and current is that task. */
static struct cred *current_cred(void)
{
	return kfield(kernel_current(), task_struct, cred);
}

unsigned host_current_uid(void)
{
	return kfield(current_cred(), cred, uid);
}

unsigned host_current_euid(void)
{
	return kfield(current_cred(), cred, euid);
}

unsigned host_current_gid(void)
{
	return kfield(current_cred(), cred, gid);
}

unsigned host_current_egid(void)
{
	return kfield(current_cred(), cred, egid);
}

void host_current_comm(char ret[16])
{
	memcpy(ret, &kfield(kernel_current(), task_struct, comm), 16);
	ret[15] = 0; /* it may be changing right now */
}

/* --- guarded memory ---------------------------------------------------------------------------------- */

int host_read_kernel(void *dst, uint64_t src, size_t len)
{
	return kfn_copy_from_kernel_nofault(dst, (const void *)src, len) ? -EFAULT : 0;
}

/* A kernel thread has no memory of its own, only what the task before it left mapped. */
static bool current_has_memory(void)
{
	return kfield(kernel_current(), task_struct, mm) != NULL;
}

int host_read_user(void *dst, uint64_t src, size_t len)
{
	if (!current_has_memory())
		return -EFAULT;
	return kfn_copy_from_user_nofault(dst, (const void *)src, len) ? -EFAULT : 0;
}

/*
 * Only reading looks whether it is an address of the kernel at all: a write to one of user space is an
 * oops where the processor has SMAP, one to a non-canonical address a warning.
 */
int host_write_kernel(uint64_t dst, const void *src, size_t len)
{
	unsigned char old[8];

	if (len > sizeof(old) || host_read_kernel(old, dst, len))
		return -EFAULT;
	return kfn_copy_to_kernel_nofault((void *)dst, src, len) ? -EFAULT : 0;
}

int host_write_user(uint64_t dst, const void *src, size_t len)
{
	if (!current_has_memory())
		return -EFAULT;
	return kfn_copy_to_user_nofault((void *)dst, src, len) ? -EFAULT : 0;
}

uint64_t host_per_cpu_address(uint64_t symbol)
{
	return symbol + kcpu_read_8(this_cpu_off);
}

/* The kernel's answer: length with NUL, the full size if cut, or negative. */
static long string_result(char *dst, long length)
{
	if (length < 0)
		return -EFAULT;
	if (length == 0) {
		dst[0] = 0;
		return 1;
	}
	return length;
}

long host_read_kernel_string(char *dst, uint64_t src, size_t size)
{
	if (!size)
		return -EFAULT;
	return string_result(dst, kfn_strncpy_from_kernel_nofault(dst, (const void *)src,
								  (long)size));
}

long host_read_user_string(char *dst, uint64_t src, size_t size)
{
	if (!size || !current_has_memory())
		return -EFAULT;
	return string_result(dst, kfn_strncpy_from_user_nofault(dst, (const void *)src,
								(long)size));
}

/* --- waiting for others ---------------------------------------------------------------------------------- */

/*
 * Handlers run with interrupts off, which every flavour of RCU waits for, except where RCU is not
 * watching (idle entry on older kernels): there only a switch of every CPU to another task tells.
 */
void host_synchronize(void)
{
	kfn_synchronize_rcu();
	if (khas(synchronize_rcu_tasks_rude))
		kfn_synchronize_rcu_tasks_rude();
}

/* --- symbols ------------------------------------------------------------------------------------------------ */

#define SYMBOL_MAX 768 /* more than the kernel's KSYM_SYMBOL_LEN */

/* The kernel writes "name+0x10/0x80 [module]"; the size is not wanted. */
int host_symbol_name(char *dst, size_t size, uint64_t addr)
{
	char text[SYMBOL_MAX];
	size_t i, n = 0;
	bool in_size = false;

	if (!size)
		return -EINVAL;
	kfn_sprint_symbol(text, addr);
	if (text[0] == '0' && text[1] == 'x') /* unknown: the bare number */
		text[0] = 0;
	for (i = 0; text[i] && n + 1 < size; i++) {
		if (text[i] == '/')
			in_size = true;
		if (text[i] == ' ')
			in_size = false;
		if (!in_size)
			dst[n++] = text[i];
	}
	dst[n] = 0;
	return 0;
}

/* --- log -------------------------------------------------------------------------------------------------------- */

#define LOG_MAX 256

void host_log(const char *fmt, ...)
{
	char line[LOG_MAX];
	va_list ap;

	va_start(ap, fmt);
	kfn_vscnprintf(line, sizeof(line), fmt, (void *)ap);
	va_end(ap);
	kfn_printk(KLOG_INFO "spile: %s\n", line);
}
