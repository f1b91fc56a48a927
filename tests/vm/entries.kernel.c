// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes at function entries, from inside: the trampoline's registers, diverting, sharing a function
 * with others who use ftrace, call-through returns.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

#define CHECK_MODULE "entries"
#include "tests/vm/check.h"

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern unsigned long kaddr_lcm(unsigned long a, unsigned long b);
extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);
extern unsigned int kaddr_stack_trace_save(unsigned long *store, unsigned int size, unsigned int skip);

int init_module(void);
void cleanup_module(void);

/* --- registers ------------------------------------------------------------------------------------ */

/* Calls gcd(12, 18) with a known value in every register; returns how many were not kept. */
unsigned long call_with_all(void);
extern char call_with_all_back[];
__asm__(".pushsection .text\n"
	".globl call_with_all\n"
	".type call_with_all, @function\n"
	"call_with_all:\n"
	"	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	pushq %rbp\n"
	"	movl $12, %edi\n"
	"	movl $18, %esi\n"
	"	movl $103, %edx\n"
	"	movl $104, %ecx\n"
	"	movl $105, %r8d\n"
	"	movl $106, %r9d\n"
	"	movl $107, %eax\n"
	"	movl $108, %ebx\n"
	"	movl $109, %ebp\n"
	"	movl $110, %r10d\n"
	"	movl $111, %r11d\n"
	"	movl $112, %r12d\n"
	"	movl $113, %r13d\n"
	"	movl $114, %r14d\n"
	"	movl $115, %r15d\n"
	"	stc\n"
	"	call kaddr_gcd\n"
	"call_with_all_back:\n"
	"	subq $6, %rax\n" /* the result of gcd: 0 is left */
	"	subq $108, %rbx\n"
	"	orq %rbx, %rax\n"
	"	subq $109, %rbp\n"
	"	orq %rbp, %rax\n"
	"	subq $112, %r12\n"
	"	orq %r12, %rax\n"
	"	subq $113, %r13\n"
	"	orq %r13, %rax\n"
	"	subq $114, %r14\n"
	"	orq %r14, %rax\n"
	"	subq $115, %r15\n"
	"	orq %r15, %rax\n"
	"	popq %rbp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	jmp __x86_return_thunk\n"
	".size call_with_all, . - call_with_all\n"
	".popsection\n");

static struct pt_regs seen;
static volatile unsigned long ran, caller;

static int keep_regs(struct kprobe *p, struct pt_regs *regs)
{
	seen = *regs;
	caller = *(unsigned long *)regs->sp;
	ran++;
	return 0;
}

static void check_regs(void)
{
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = keep_regs };

	CHECK("registers: registered", spile_register_kprobe(&p), 0);
	CHECK("registers kept", call_with_all(), 0);
	CHECK("di", seen.di, 12);
	CHECK("si", seen.si, 18);
	CHECK("dx", seen.dx, 103);
	CHECK("cx", seen.cx, 104);
	CHECK("r8", seen.r8, 105);
	CHECK("r9", seen.r9, 106);
	CHECK("ax", seen.ax, 107);
	CHECK("bx", seen.bx, 108);
	CHECK("bp", seen.bp, 109);
	CHECK("r10", seen.r10, 110);
	CHECK("r11", seen.r11, 111);
	CHECK("r12", seen.r12, 112);
	CHECK("r13", seen.r13, 113);
	CHECK("r14", seen.r14, 114);
	CHECK("r15", seen.r15, 115);
	CHECK("ip", seen.ip, (unsigned long)p.addr + 1);
	CHECK("flags", seen.flags & 0x201, 0x201); /* carry and interrupts */
	CHECK("cs", seen.cs, 0x10);
	CHECK("sp leads to the caller", caller, call_with_all_back);
	spile_unregister_kprobe(&p);
}

/* --- changing what happens --------------------------------------------------------------------------- */

static unsigned long instead(unsigned long a, unsigned long b)
{
	return a * 1000 + b;
}

static int change_argument(struct kprobe *p, struct pt_regs *regs)
{
	regs->di = 36;
	return 0;
}

static int divert(struct kprobe *p, struct pt_regs *regs)
{
	regs->ip = (unsigned long)instead;
	regs->si = 7;
	return 1;
}

static void check_divert(void)
{
	struct kprobe a = { .symbol_name = "gcd", .pre_handler = change_argument };
	struct kprobe b = { .symbol_name = "gcd", .pre_handler = divert };

	CHECK("changing: registered", spile_register_kprobe(&a), 0);
	CHECK("argument changed", kaddr_gcd(12, 24), 12);
	CHECK("argument changed again", kaddr_gcd(1, 36), 36);
	CHECK("diverting: registered", spile_register_kprobe(&b), 0);
	CHECK("diverted", kaddr_gcd(12, 24), 36007);
	spile_unregister_kprobe(&b);
	CHECK("no longer diverted", kaddr_gcd(1, 36), 36);
	spile_unregister_kprobe(&a);
	CHECK("no longer changed", kaddr_gcd(1, 36), 1);
}

/* --- returns ------------------------------------------------------------------------------------------- */

static volatile unsigned long entered, returned, value, carried, parent;

struct own_data {
	unsigned long argument;
};

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	((struct own_data *)ri->data)->argument = regs->di;
	parent = (unsigned long)ri->ret_addr;
	entered++;
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	value = regs->ax;
	carried = ((struct own_data *)ri->data)->argument;
	returned++;
	return 0;
}

#define RETURN_PROBE(symbol)                                                                       \
	{                                                                                          \
		.kp.symbol_name = symbol, .kp.flags = KPROBE_FLAG_ARGS_IN_REGS,                    \
		.handler = on_return, .entry_handler = on_entry, .maxactive = 1,                   \
		.data_size = sizeof(struct own_data)                                               \
	}

static bool is_through(struct kretprobe *rp)
{
	return !memcmp(spile_kprobe_planter(&rp->kp), "call-through", 13);
}

static void check_through(void)
{
	struct kretprobe rp = RETURN_PROBE("gcd"), other = RETURN_PROBE("gcd");
	struct kprobe entry = { .symbol_name = "gcd", .pre_handler = keep_regs };
	int i;

	entered = returned = ran = 0;
	CHECK("through: registered", spile_register_kretprobe(&rp), 0);
	CHECK("through: planter", is_through(&rp), true);
	for (i = 0; i < 100; i++)
		kaddr_gcd(12, 18);
	CHECK("through: entered", entered, 100);
	CHECK("through: returned", returned, 100);
	CHECK("through: value", value, 6);
	CHECK("through: data", carried, 12);
	CHECK("through: registers kept", call_with_all(), 0);
	CHECK("through: return address", parent, call_with_all_back);
	CHECK("through: second one", spile_register_kretprobe(&other), 0);
	CHECK("through: entry as well", spile_register_kprobe(&entry), 0);
	CHECK("through: registers kept by all", call_with_all(), 0);
	CHECK("through: both", returned, 103);
	CHECK("through: and the entry", ran, 1);
	spile_unregister_kretprobe(&rp);
	kaddr_gcd(12, 18);
	CHECK("through: one is left", returned, 104);
	CHECK("through: entry is left", ran, 2);
	spile_disable_kretprobe(&other);
	kaddr_gcd(12, 18);
	CHECK("through: disabled", returned, 104);
	spile_enable_kretprobe(&other);
	kaddr_gcd(12, 18);
	CHECK("through: enabled", returned, 105);
	spile_unregister_kretprobe(&other);
	spile_unregister_kprobe(&entry);
	kaddr_gcd(12, 18);
	CHECK("through: gone", returned, 105);
	CHECK("through: missed none", rp.nmissed + other.nmissed, 0);
}

static void check_not_through(void)
{
	struct kretprobe plain = RETURN_PROBE("gcd"), dies = RETURN_PROBE("do_exit");

	plain.kp.flags = 0;
	CHECK("plain: registered", spile_register_kretprobe(&plain), 0);
	CHECK("plain: not through", is_through(&plain), false);
	spile_unregister_kretprobe(&plain);
	CHECK("no return: registered", spile_register_kretprobe(&dies), 0);
	CHECK("no return: not through", is_through(&dies), false);
	spile_unregister_kretprobe(&dies);
}

/* --- many at once, asleep -------------------------------------------------------------------------------- */

#define SLEEPERS 20

static int sleeper(void *arg)
{
	kfn_msleep(*(unsigned *)arg);
	while (!kfn_kthread_should_stop())
		kfn_schedule_timeout(1);
	return 0;
}

/* Without msleep(), which is probed. */
static void pass_ms(unsigned ms)
{
	uint64_t end = kfn_ktime_get_mono_fast_ns() + ms * 1000000ull;

	while (kfn_ktime_get_mono_fast_ns() < end)
		kfn_schedule_timeout(1);
}

/* All sleep when the probe goes, if it is to go early. They all fit: there is no pool to run dry. */
static void run_sleepers(struct kretprobe *rp, unsigned ms, bool early)
{
	struct task_struct *tasks[SLEEPERS];
	int i;

	for (i = 0; i < SLEEPERS; i++) {
		tasks[i] = kfn_kthread_create_on_node(sleeper, &ms, -1, "sleeper");
		kfn_wake_up_process(tasks[i]);
	}
	while (entered < SLEEPERS)
		kfn_schedule_timeout(1);
	if (early)
		spile_unregister_kretprobe(rp);
	for (i = 0; i < SLEEPERS; i++)
		kfn_kthread_stop(tasks[i]);
	pass_ms(20);
}

static void check_sleepers(void)
{
	struct kretprobe rp = RETURN_PROBE("msleep");
	unsigned long others;

	entered = returned = 0;
	CHECK("sleepers: registered", spile_register_kretprobe(&rp), 0);
	run_sleepers(&rp, 1500, false);
	others = entered - SLEEPERS; /* of the kernel's own */
	CHECK("sleepers: all seen", returned >= SLEEPERS && returned + others >= entered, 1);
	CHECK("sleepers: none missed", rp.nmissed, 0);
	entered = returned = 0;
	run_sleepers(&rp, 1500, true);
	CHECK("sleepers: not after unregister", returned < SLEEPERS, 1);
}

/* --- stack traces ----------------------------------------------------------------------------------------- */

#define TRACE_MAX 32

static unsigned long trace[TRACE_MAX];
static unsigned ntrace;

static int keep_trace(struct kprobe *p, struct pt_regs *regs)
{
	ntrace = kaddr_stack_trace_save(trace, TRACE_MAX, 0);
	return 0;
}

__attribute__((noinline)) static unsigned long call_lcm(void)
{
	unsigned long result = kaddr_lcm(12, 18);

	__asm__ volatile("" : "+r"(result));
	return result;
}

/* The index of the first entry from `from` on that lies in a function of at most 200 bytes. */
static unsigned trace_find(const void *function, unsigned from)
{
	unsigned i;

	for (i = from; i < ntrace; i++)
		if (trace[i] - (unsigned long)function < 200)
			return i;
	return TRACE_MAX;
}

static void show_trace(void)
{
	unsigned i;

	for (i = 0; i < ntrace; i++)
		kfn_printk(CHECK_LINE "| %pS\n", (void *)trace[i]);
}

static void check_trace(void)
{
	struct kretprobe lcm = RETURN_PROBE("lcm");
	struct kprobe gcd = { .symbol_name = "gcd", .pre_handler = keep_trace };
	unsigned in_gcd, in_lcm, in_caller;

	CHECK("trace: lcm registered", spile_register_kretprobe(&lcm), 0);
	CHECK("trace: lcm through", is_through(&lcm), true);
	CHECK("trace: gcd registered", spile_register_kprobe(&gcd), 0);
	CHECK("trace: result", call_lcm(), 36);
	in_gcd = trace_find((void *)kaddr_gcd, 0);
	in_lcm = trace_find((void *)kaddr_lcm, in_gcd);
	in_caller = trace_find((void *)call_lcm, in_lcm);
	CHECK("trace: gcd", in_gcd < TRACE_MAX, 1);
	CHECK("trace: called by lcm", in_lcm < TRACE_MAX, 1);
	CHECK("trace: called by us", in_caller < TRACE_MAX, 1);
	CHECK("trace: goes on", in_caller + 3 < ntrace, 1);
	if (in_caller + 3 >= ntrace)
		show_trace();
	spile_unregister_kprobe(&gcd);
	spile_unregister_kretprobe(&lcm);
}

/* --- other users of ftrace ---------------------------------------------------------------------------------- */

static struct ftrace_ops other_ops;
static volatile unsigned long other_ran;

static void other_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, void *regs)
{
	other_ran++;
}

static void other_init(void)
{
	kfield(&other_ops, ftrace_ops, func) = other_callback;
	kfield(&other_ops, ftrace_ops, flags) = (unsigned long)kenum(ftrace_fl_recursion_safe);
	CHECK("other: filter", kfn_ftrace_set_filter_ip(&other_ops,
							kfn_ftrace_location((unsigned long)kaddr_gcd), 0, 1), 0);
}

/* Probes of all three planters at a function that another ops comes to and leaves. */
static void check_other(void)
{
	struct kretprobe through = RETURN_PROBE("gcd"), plain = RETURN_PROBE("gcd");
	struct kprobe entry = { .symbol_name = "gcd", .pre_handler = keep_regs };
	struct kprobe diverting = { .symbol_name = "gcd", .pre_handler = divert };

	other_init();
	ran = returned = other_ran = 0;
	plain.kp.flags = 0;
	plain.maxactive = 5;
	spile_register_kprobe(&entry);
	spile_register_kretprobe(&through);
	spile_register_kretprobe(&plain);
	CHECK("other: registers kept before", call_with_all(), 0);
	CHECK("other: registered", kfn_register_ftrace_function(&other_ops), 0);
	CHECK("other: registers kept", call_with_all(), 0);
	CHECK("other: registers seen", seen.r12, 112);
	CHECK("other: ran", other_ran, 1);
	CHECK("other: entry ran", ran, 2);
	CHECK("other: both returns ran", returned, 4);
	spile_register_kprobe(&diverting);
	CHECK("other: diverted", kaddr_gcd(5, 6), 5007);
	spile_unregister_kprobe(&diverting);
	ran = returned = 0; /* whether the diverted call is one of gcd is the planter's to say */
	CHECK("other: unregistered", kfn_unregister_ftrace_function(&other_ops), 0);
	CHECK("other: registers kept after", call_with_all(), 0);
	CHECK("other: entry ran again", ran, 1);
	CHECK("other: returns ran again", returned, 2);
	spile_unregister_kprobe(&entry);
	spile_unregister_kretprobe(&through);
	spile_unregister_kretprobe(&plain);
	CHECK("other: all gone", call_with_all(), 0);
	CHECK("other: ran no more", ran + returned, 3);
	CHECK("other: missed none", through.nmissed + plain.nmissed, 0);
}

int init_module(void)
{
	check_regs();
	check_divert();
	check_through();
	check_not_through();
	check_sleepers();
	check_trace();
	check_other();
	return check_done();
}

void cleanup_module(void)
{
}
