// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with debug information for every kernel, in which a thread calls a function that loses its
 * argument: kept.test.sh. What the module says of the argument is the oracle.
 */
#include "engine/host/linux-kernel/kernel.h"

#define TARGET __attribute__((noinline, noclone, noipa, used))

int init_module(void);
void cleanup_module(void);
int kept_deep(int depth, long lost);
void kept_clobber(void);

static volatile long seen[3];
static struct task_struct *thread;

TARGET void kept_clobber(void)
{
	__asm__ volatile("" ::: "rdi", "rsi", "rdx", "rcx", "r8", "r9", "memory");
}

TARGET int kept_deep(int depth, long lost)
{
	int sum = 1;

	seen[depth] = lost;
	kept_clobber();
	if (depth)
		sum += kept_deep(depth - 1, seen[depth] * 3);
	kfn_printk(KLOG_INFO "kept: depth=%d lost=%ld\n", depth, seen[depth]); /* DEEP */
	return sum;
}

static int worker(void *unused)
{
	long n = 1000;

	while (!kfn_kthread_should_stop()) {
		kept_deep(2, n++);
		kfn_msleep(50);
	}
	return 0;
}

int init_module(void)
{
	thread = kfn_kthread_create_on_node(worker, NULL, -1, "kept");
	kfn_wake_up_process(thread);
	return 0;
}

void cleanup_module(void)
{
	kfn_kthread_stop(thread);
}
