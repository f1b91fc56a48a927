// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module as one wrote it for a 4.x kernel: jprobes on a function whose arguments have not changed
 * since, and a kprobe with the fault_handler and break_handler of those days.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static int wanted = 12345;
module_param(wanted, int, 0444);
MODULE_PARM_DESC(wanted, "reads of this many bytes are reported");

static ssize_t jvfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	if (count == wanted)
		printk(KERN_INFO "old_jprobe: %s reads %zu bytes of inode %lu at %lld\n",
		       current->comm, count, file_inode(file)->i_ino, pos ? *pos : -1);
	jprobe_return();
	return 0;
}

static struct jprobe read_probe = {
	.entry = JPROBE_ENTRY(jvfs_read),
	.kp = {
		.symbol_name = "vfs_read",
	},
};

static unsigned long pre_hits;

static int handler_pre(struct kprobe *p, struct pt_regs *regs)
{
	if (regs->dx == wanted)
		pre_hits++;
	return 0;
}

static int handler_fault(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	printk(KERN_INFO "old_jprobe: fault %d\n", trapnr);
	return 0;
}

/* Keeps the probe from being optimized. */
static int handler_break(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe kp = {
	.symbol_name = "vfs_read",
};

static int __init old_init(void)
{
	int ret;

	kp.pre_handler = handler_pre;
	kp.fault_handler = handler_fault;
	kp.break_handler = handler_break;
	ret = register_kprobe(&kp);
	if (ret < 0) {
		printk(KERN_INFO "old_jprobe: register_kprobe failed, returned %d\n", ret);
		return ret;
	}
	ret = register_jprobe(&read_probe);
	if (ret < 0) {
		printk(KERN_INFO "old_jprobe: register_jprobe failed, returned %d\n", ret);
		unregister_kprobe(&kp);
		return ret;
	}
	return 0;
}

static void __exit old_exit(void)
{
	unregister_jprobe(&read_probe);
	unregister_kprobe(&kp);
	printk(KERN_INFO "old_jprobe: pre_handler saw %lu, nmissed %lu\n", pre_hits, kp.nmissed);
}

module_init(old_init);
module_exit(old_exit);
MODULE_LICENSE("GPL");
