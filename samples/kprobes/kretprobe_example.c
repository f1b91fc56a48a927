// SPDX-License-Identifier: GPL-2.0-only
/*
 * A return probe: what a function returned, and how long it took.
 *
 *	insmod kretprobe_example.ko [symbol=NAME]; ls; dmesg
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>

static char symbol[KSYM_NAME_LEN] = "kernel_clone";
module_param_string(symbol, symbol, sizeof(symbol), 0444);
MODULE_PARM_DESC(symbol, "function to probe");

/* Each call has its own. */
struct call {
	ktime_t entered;
};

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call *call = (struct call *)ri->data;

	if (!current->mm)
		return 1; /* a kernel thread: not interested in this call */
	call->entered = ktime_get();
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call *call = (struct call *)ri->data;
	s64 took = ktime_to_ns(ktime_sub(ktime_get(), call->entered));

	pr_info("%s returned %ld and took %lld ns to execute\n", symbol,
		(long)regs_return_value(regs), took);
	return 0;
}

static struct kretprobe my_kretprobe = {
	.kp.symbol_name = symbol,
	.handler = on_return,
	.entry_handler = on_entry,
	.data_size = sizeof(struct call),
	.maxactive = 20,
};

static int __init kretprobe_init(void)
{
	int ret = register_kretprobe(&my_kretprobe);

	if (ret < 0) {
		pr_info("register_kretprobe failed, returned %d\n", ret);
		return ret;
	}
	pr_info("Planted return probe at %s: %px\n", symbol, my_kretprobe.kp.addr);
	return 0;
}

static void __exit kretprobe_exit(void)
{
	unregister_kretprobe(&my_kretprobe);
	pr_info("kretprobe at %px unregistered\n", my_kretprobe.kp.addr);
	pr_info("Missed probing %d instances of %s\n", my_kretprobe.nmissed, symbol);
}

module_init(kretprobe_init)
module_exit(kretprobe_exit)
MODULE_DESCRIPTION("Shows what a function returns and how long it takes");
MODULE_LICENSE("GPL");
