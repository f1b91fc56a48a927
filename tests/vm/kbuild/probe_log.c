// SPDX-License-Identifier: GPL-2.0-only
/*
 * One source for both engines: written for the kernel's own <linux/kprobes.h>, it probes functions
 * of the kernel and of its own, calls them, and logs everything that its handlers see and what the
 * API returned. same-log.test.sh compares the logs. Addresses of this module are told relative to its
 * functions, since it is loaded twice.
 */
#include <linux/gcd.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/lcm.h>
#include <linux/module.h>

#define LOG(fmt, ...) pr_info("same-log: " fmt "\n", ##__VA_ARGS__)

/* --- what is probed ------------------------------------------------------------------------------- */

/* unsigned long plain(a, b) { return a + b + 1; }, with every place known */
unsigned long plain(unsigned long a, unsigned long b);
extern char plain_mid[], plain_end[];
asm(".pushsection .text\n"
    ".globl plain\n"
    ".type plain, @function\n"
    "plain:\n"
    "	movq %rdi, %rax\n"
    "	addq %rsi, %rax\n"
    "plain_mid:\n"
    "	leaq 1(%rax), %rax\n"
    "plain_end:\n"
    "	jmp __x86_return_thunk\n"
    ".size plain, . - plain\n"
    ".popsection\n");

static noinline unsigned long deep(unsigned long n)
{
	unsigned long below = n ? deep(n - 1) : 0;

	barrier_data(&below);
	return below + 1;
}

static void workload(void)
{
	unsigned long i;

	for (i = 1; i <= 4; i++) {
		LOG("gcd = %lu", gcd(6 * i, 4 * i));
		LOG("lcm = %lu", lcm(2 * i, 3));
		LOG("plain = %lu", plain(i, 10 * i));
		LOG("deep = %lu", deep(i));
	}
}

/* --- handlers --------------------------------------------------------------------------------------- */

static void log_regs(const char *what, struct kprobe *p, struct pt_regs *regs)
{
	/* No probed place has pushed anything: sp points to the return address. */
	LOG("%s: ip = addr + %ld, ax = %lx, di = %lx, si = %lx, flags = %lx, called by %ps", what,
	    (long)(regs->ip - (unsigned long)p->addr), regs->ax, regs->di, regs->si, regs->flags,
	    *(void **)regs->sp);
}

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	LOG("pre at %s+%u", p->symbol_name ?: "plain", p->offset);
	/* ax at a function's entry is anybody's */
	if (p->symbol_name)
		regs->ax = 0;
	log_regs("  pre", p, regs);
	return 0;
}

static void post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	LOG("post at %s+%u, flags = %lu", p->symbol_name ?: "plain", p->offset, flags);
	log_regs("  post", p, regs);
}

static int pre_silent(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static int pre_nesting(struct kprobe *p, struct pt_regs *regs)
{
	LOG("nested gcd = %lu", gcd(35, 21));
	return 0;
}

static int pre_divert(struct kprobe *p, struct pt_regs *regs)
{
	regs->ip = (unsigned long)plain_end;
	return 1;
}

static void post_empty(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

struct carried {
	unsigned long argument;
};

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct carried *carried = (struct carried *)ri->data;

	carried->argument = regs->di;
	LOG("entry of %s: di = %lx", get_kretprobe(ri)->kp.symbol_name ?: "deep", regs->di);
	return regs->di % 2; /* odd ones are not followed */
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	LOG("return of %s: %lu, entered with %lx, to %ps",
	    get_kretprobe(ri)->kp.symbol_name ?: "deep", regs_return_value(regs),
	    ((struct carried *)ri->data)->argument, (void *)get_kretprobe_retaddr(ri));
	return 0;
}

/* --- scenes --------------------------------------------------------------------------------------------- */

static void scene_kprobes(void)
{
	struct kprobe a = { .symbol_name = "gcd", .pre_handler = pre };
	struct kprobe b = { .symbol_name = "lcm", .pre_handler = pre, .post_handler = post };
	struct kprobe c = { .addr = (kprobe_opcode_t *)plain_mid, .pre_handler = pre };
	struct kprobe d = { .addr = (kprobe_opcode_t *)plain_mid, .post_handler = post };
	struct kprobe *all[] = { &a, &b, &c, &d };

	LOG("scene kprobes: %d", register_kprobes(all, 4));
	LOG("a is at %ps, %s", a.addr, kprobe_disabled(&a) ? "disabled" : "enabled");
	workload();
	LOG("disable: %d", disable_kprobe(&a));
	workload();
	LOG("enable: %d", enable_kprobe(&a));
	unregister_kprobe(&c);
	workload();
	unregister_kprobe(&a);
	unregister_kprobe(&b);
	unregister_kprobe(&d);
	workload();
}

static void scene_born_disabled(void)
{
	struct kprobe a = { .symbol_name = "gcd", .pre_handler = pre,
			    .flags = KPROBE_FLAG_DISABLED };

	LOG("scene born disabled: %d", register_kprobe(&a));
	workload();
	LOG("enable: %d", enable_kprobe(&a));
	workload();
	unregister_kprobe(&a);
}

static void scene_nested(void)
{
	struct kprobe outer = { .symbol_name = "lcm", .pre_handler = pre_nesting };
	struct kprobe inner = { .symbol_name = "gcd", .pre_handler = pre_silent };

	LOG("scene nested: %d", register_kprobe(&outer));
	LOG("inner: %d", register_kprobe(&inner));
	workload();
	LOG("inner missed %lu, outer missed %lu", inner.nmissed, outer.nmissed);
	unregister_kprobe(&outer);
	unregister_kprobe(&inner);
}

static void scene_divert(void)
{
	struct kprobe a = { .addr = (kprobe_opcode_t *)plain_mid, .pre_handler = pre_divert,
			    .post_handler = post_empty };

	LOG("scene divert: %d", register_kprobe(&a));
	workload();
	unregister_kprobe(&a);
}

static void scene_returns(void)
{
	struct kretprobe a = { .kp.symbol_name = "gcd", .entry_handler = on_entry,
			       .handler = on_return, .data_size = sizeof(struct carried) };
	struct kretprobe b = { .kp.addr = (kprobe_opcode_t *)deep, .handler = on_return,
			       .entry_handler = on_entry, .data_size = sizeof(struct carried),
			       .maxactive = 2 };
	struct kretprobe *both[] = { &a, &b };

	LOG("scene returns: %d", register_kretprobes(both, 2));
	LOG("maxactive: %d, %d", a.maxactive, b.maxactive);
	workload();
	LOG("disable: %d", disable_kretprobe(&a));
	workload();
	LOG("enable: %d", enable_kretprobe(&a));
	workload();
	unregister_kretprobes(both, 2);
	LOG("missed: %d, %d", a.nmissed, b.nmissed);
	workload();
}

static void scene_refusals(void)
{
	struct kprobe both = { .symbol_name = "gcd", .addr = (kprobe_opcode_t *)plain };
	struct kprobe neither = { .pre_handler = pre };
	struct kprobe unknown = { .symbol_name = "no_such_function_anywhere" };
	struct kprobe forbidden = { .symbol_name = "do_int3" };
	struct kprobe inside = { .addr = (kprobe_opcode_t *)plain_mid + 1 };
	struct kprobe in_site = { .symbol_name = "gcd", .offset = 2 };
	struct kprobe good = { .symbol_name = "gcd", .pre_handler = pre };
	struct kprobe *batch[] = { &good, &unknown };

	LOG("both: %d", register_kprobe(&both));
	LOG("neither: %d", register_kprobe(&neither));
	LOG("unknown: %d", register_kprobe(&unknown));
	LOG("forbidden: %d", register_kprobe(&forbidden));
	LOG("inside: %d", register_kprobe(&inside));
	LOG("in an ftrace site: %d", register_kprobe(&in_site));
	LOG("empty batch: %d", register_kprobes(batch, 0));
	LOG("bad batch: %d", register_kprobes(batch, 2));
	workload();
}

static int __init probe_log_init(void)
{
	scene_kprobes();
	scene_born_disabled();
	scene_nested();
	scene_divert();
	scene_returns();
	scene_refusals();
	LOG("end");
	return 0;
}

static void __exit probe_log_exit(void)
{
}

module_init(probe_log_init)
module_exit(probe_log_exit)
MODULE_DESCRIPTION("Logs what handlers see");
MODULE_LICENSE("GPL");
