// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes for control.test.sh to look at: three on a function that sync(2) calls, whose handlers write a
 * line to the log, and two inside a function of this module, one of them disabled.
 */
#include "engine/host/linux-kernel/engine_kernel.h"

int init_module(void);
void cleanup_module(void);

/* Nothing that keeps the kernel from optimizing a probe on its second instruction. */
long control_target(long n);
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl control_target\n"
	".type control_target, @function\n"
	"control_target:\n"
	"	movq %rdi, %rax\n"
	"	addq $1000, %rax\n"
	"	addq $2000, %rax\n"
	"	addq $3000, %rax\n"
	"	jmp __x86_return_thunk\n"
	".size control_target, . - control_target\n"
	".popsection\n");
#define SECOND 3
#define FOURTH 15

static int on_pre(struct kprobe *p, struct pt_regs *regs)
{
	kfn_printk(KLOG_INFO "control-test: hit\n");
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	kfn_printk(KLOG_INFO "control-test: hit\n");
	return 0;
}

static void on_jprobe(void)
{
	kfn_printk(KLOG_INFO "control-test: hit\n");
	spile_jprobe_return();
}

static int nothing(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe entry = { .symbol_name = "ksys_sync", .pre_handler = on_pre };
static struct jprobe jump = { .kp.symbol_name = "ksys_sync", .entry = (void *)on_jprobe };
static struct kretprobe ret = { .kp.symbol_name = "ksys_sync", .handler = on_return };
static struct kprobe inside = { .addr = (kprobe_opcode_t *)control_target, .offset = SECOND,
				.pre_handler = nothing };
static struct kprobe off = { .addr = (kprobe_opcode_t *)control_target, .offset = FOURTH,
			     .pre_handler = nothing, .flags = KPROBE_FLAG_DISABLED };
static struct kprobe *probes[] = { &entry, &inside, &off };

int init_module(void)
{
	int err = spile_register_kprobes(probes, 3);

	if (!err)
		err = spile_register_jprobe(&jump);
	if (!err)
		err = spile_register_kretprobe(&ret);
	if (err)
		kfn_printk(KLOG_INFO "control-test: error %d\n", err);
	return err;
}

void cleanup_module(void)
{
	spile_unregister_kretprobe(&ret);
	spile_unregister_jprobe(&jump);
	spile_unregister_kprobes(probes, 3);
}
