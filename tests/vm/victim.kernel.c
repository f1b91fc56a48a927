// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that comes and goes while it is probed (gone.kernel.c): two threads call victim_work() and
 * victim_plain() again and again, with short sleeps that leave the one processor that a guest has to
 * those who plant and load; its init calls victim_init_work(), which is init text.
 */
#include "engine/host/linux-kernel/kernel.h"

#define THREADS 2
#define INIT_TICKS 50 /* for how long init goes on */

#define TARGET __attribute__((noinline, noclone, noipa, used))

int init_module(void);
void cleanup_module(void);
long victim_work(long n);
long victim_plain(long n);
long victim_init_work(long n);

TARGET long victim_work(long n)
{
	return n + 1;
}

TARGET long victim_plain(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n * 2;
}

/*
 * n + 2. Something must follow it: the kernel's optimizer decodes a function to its end, which of the
 * last one is the end of the page, and reads a byte too far there.
 */
__asm__(".pushsection .init.text, \"ax\"\n"
	".globl victim_init_work\n"
	".type victim_init_work, @function\n"
	"victim_init_work:\n"
	"	leaq 2(%rdi), %rax\n"
	"	jmp __x86_return_thunk\n"
	".size victim_init_work, . - victim_init_work\n"
	".globl victim_init_end\n"
	".type victim_init_end, @function\n"
	"victim_init_end:\n"
	"	.skip 64, 0x90\n"
	"	jmp __x86_return_thunk\n"
	".size victim_init_end, . - victim_init_end\n"
	".popsection\n");

static struct task_struct *threads[THREADS];
static unsigned long wrong;

static int worker(void *unused)
{
	long n = 0;

	while (!kfn_kthread_should_stop()) {
		n = (n + 1) & 0xffff;
		if (victim_work(n) != n + 1 || victim_plain(n) != 2 * n)
			wrong++;
		if (!(n % 32))
			kfn_msleep(1);
	}
	return 0;
}

int init_module(void)
{
	int i;

	for (i = 0; i < INIT_TICKS; i++) {
		if (victim_init_work(i) != i + 2)
			wrong++;
		kfn_msleep(1);
	}
	for (i = 0; i < THREADS; i++) {
		threads[i] = kfn_kthread_create_on_node(worker, NULL, -1, "victim/%d", i);
		kfn_wake_up_process(threads[i]);
	}
	return 0;
}

void cleanup_module(void)
{
	int i;

	for (i = 0; i < THREADS; i++)
		kfn_kthread_stop(threads[i]);
	if (wrong)
		kfn_printk(KLOG_INFO "gone-test: FAIL victim had %lu wrong results\n", wrong);
}
