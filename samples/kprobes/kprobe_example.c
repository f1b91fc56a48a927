// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kprobe on the function that makes new processes: says each time where it was hit.
 *
 *	insmod kprobe_example.ko [symbol=NAME]; ls; dmesg
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/kprobes.h>

static char symbol[KSYM_NAME_LEN] = "kernel_clone";
module_param_string(symbol, symbol, sizeof(symbol), 0444);
MODULE_PARM_DESC(symbol, "function to probe");

/* Before the probed instruction. */
static int handler_pre(struct kprobe *p, struct pt_regs *regs)
{
	pr_info("pre_handler: p->addr = 0x%px, ip = %lx, flags = 0x%lx\n", p->addr, regs->ip,
		regs->flags);
	return 0;
}

/* After it. */
static void handler_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	pr_info("post_handler: p->addr = 0x%px, flags = 0x%lx\n", p->addr, regs->flags);
}

static struct kprobe kp = {
	.symbol_name = symbol,
	.pre_handler = handler_pre,
	.post_handler = handler_post,
};

static int __init kprobe_init(void)
{
	int ret = register_kprobe(&kp);

	if (ret < 0) {
		pr_info("register_kprobe failed, returned %d\n", ret);
		return ret;
	}
	pr_info("Planted kprobe at %px\n", kp.addr);
	return 0;
}

static void __exit kprobe_exit(void)
{
	unregister_kprobe(&kp);
	pr_info("kprobe at %px unregistered\n", kp.addr);
}

module_init(kprobe_init)
module_exit(kprobe_exit)
MODULE_DESCRIPTION("Shows each call of a function");
MODULE_LICENSE("GPL");
