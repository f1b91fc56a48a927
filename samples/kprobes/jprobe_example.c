// SPDX-License-Identifier: GPL-2.0-only
/*
 * A jprobe on the function that makes new processes: shows its arguments, in C.
 *
 *	insmod jprobe_example.ko [symbol=NAME]; ls; dmesg
 *
 * The kernel dropped jprobes in 4.15; Spile has them on every kernel.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/kprobes.h>
#include <linux/sched/task.h>

static char symbol[KSYM_NAME_LEN] = "kernel_clone";
module_param_string(symbol, symbol, sizeof(symbol), 0444);
MODULE_PARM_DESC(symbol, "function to probe; it must take what kernel_clone() takes");

/* The arguments and return type of kernel_clone(). The low byte of its flags goes by itself there. */
static pid_t j_kernel_clone(struct kernel_clone_args *args)
{
	pr_info("jprobe: clone_flags = 0x%llx, stack_start = 0x%lx stack_size = 0x%lx\n",
		args->flags | (unsigned int)args->exit_signal, args->stack, args->stack_size);

	/* The only way out of a jprobe's handler. */
	jprobe_return();
	return 0;
}

static struct jprobe my_jprobe = {
	.entry = j_kernel_clone,
	.kp.symbol_name = symbol,
};

static int __init jprobe_init(void)
{
	int ret = register_jprobe(&my_jprobe);

	if (ret < 0) {
		pr_info("register_jprobe failed, returned %d\n", ret);
		return ret;
	}
	pr_info("Planted jprobe at %px, handler addr %px\n", my_jprobe.kp.addr, my_jprobe.entry);
	return 0;
}

static void __exit jprobe_exit(void)
{
	unregister_jprobe(&my_jprobe);
	pr_info("jprobe at %px unregistered\n", my_jprobe.kp.addr);
}

module_init(jprobe_init)
module_exit(jprobe_exit)
MODULE_DESCRIPTION("Shows the arguments of kernel_clone()");
MODULE_LICENSE("GPL");
