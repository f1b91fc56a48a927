// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registration without memory: for each way of planting, the 1st, 2nd, 3rd ... allocation of the engine
 * fails, until a registration has come through without a failure. Each that fails must say -ENOMEM
 * and leave nothing: no probe in the list, no byte of the text changed, no memory taken.
 *
 * The engine knows nothing of it: a kprobe of the kernel's on host_zalloc() returns NULL in its
 * place, and that one and another on host_free() count what is in use. (Memory that the kernel
 * allocates for itself is not ours to refuse.) An allocation that the engine can do without does not
 * fail the registration: then it must work. The digits of the module's name say how many are tried.
 */
#include "engine/arch/x86/regs.h"
#define CHECK_MODULE "nomem"
#include "tests/vm/check.h"
#include "tests/vm/number.h"

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);

int init_module(void);
void cleanup_module(void);

/* --- memory ---------------------------------------------------------------------------------------- */

static int countdown;        /* to the allocation that fails; 0: none does */
static long in_use;          /* allocations of the engine's that are not freed, since init */
static struct task_struct *tester;

static bool fails_now(void)
{
	return kernel_current() == tester && countdown && !--countdown;
}

static int on_alloc(struct kernel_kprobe *kp, struct pt_regs *regs)
{
	if (!fails_now()) {
		__atomic_fetch_add(&in_use, 1, __ATOMIC_RELAXED);
		return 0;
	}
	regs->ax = 0;
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += 8;
	return 1;
}

static int on_free(struct kernel_kprobe *kp, struct pt_regs *regs)
{
	if (regs->di)
		__atomic_fetch_sub(&in_use, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Has the kernel leave the breakpoint a breakpoint: a jump would not let on_alloc() return. */
static void nothing_after(struct kernel_kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static struct kernel_kprobe alloc_probe, free_probe;

static int watch_memory(struct kernel_kprobe *kp, const char *function, kcb_kprobe_pre *pre)
{
	knative(kp, kprobe, addr) = (void *)kfn_kallsyms_lookup_name(function);
	knative(kp, kprobe, pre_handler) = pre;
	knative(kp, kprobe, post_handler) = nothing_after;
	return kfn_register_kprobe(kp);
}

/* What waits until nobody is in it is freed by a thread, in its time. */
static long in_use_at_last(long expected)
{
	int i;

	for (i = 0; i < 500 && in_use != expected; i++)
		kfn_msleep(10);
	return in_use;
}

static long in_use_at_rest(void)
{
	long then;

	do {
		then = in_use;
		kfn_msleep(500);
	} while (in_use != then);
	return then;
}

/* The length of the engine's list; it is no function for modules. */
static size_t list_length(void)
{
	size_t (*list)(char *to, size_t size);

	list = (void *)kfn_kallsyms_lookup_name("spile:engine_list");
	return list ? list(NULL, 0) : 1;
}

/* --- what is probed -------------------------------------------------------------------------------- */

/* No ftrace site, and long enough for a jump. */
long nomem_target(long n);
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl nomem_target\n"
	".type nomem_target, @function\n"
	"nomem_target:\n"
	"	movq %rdi, %rax\n"
	"	addq $1000, %rax\n"
	"	addq $2000, %rax\n"
	"	addq $3000, %rax\n"
	"	jmp __x86_return_thunk\n"
	".size nomem_target, . - nomem_target\n"
	".popsection\n");
#define THIRD 9

static void call_all(void)
{
	nomem_target(1);
	kaddr_gcd(12, 18);
	kaddr_int_pow(2, 3);
}

/* The bytes of all three, which lie apart. */
static unsigned long text_sum(void)
{
	const uint8_t *at[] = { (const uint8_t *)nomem_target, (const uint8_t *)kaddr_gcd,
				(const uint8_t *)kaddr_int_pow };
	unsigned long sum = 0;
	unsigned i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 24; j++)
			sum = sum * 31 + at[i][j];
	return sum;
}

/* The kernel takes a jump of its kprobes out a while after the probe has gone. */
static unsigned long text_sum_at_last(unsigned long expected)
{
	int i;

	for (i = 0; i < 500 && text_sum() != expected; i++)
		kfn_msleep(10);
	return text_sum();
}

static unsigned long ran;

static int on_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	return 0;
}

static void on_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static int on_fault(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ran++;
	return 0;
}

static long on_jprobe(unsigned long a, unsigned long b)
{
	ran++;
	spile_jprobe_return();
	return 0;
}

/* --- ways of registering --------------------------------------------------------------------------- */

static struct kprobe one, two, three, *all[] = { &one, &two, &three };
static struct kretprobe returns[2], *all_returns[] = { &returns[0], &returns[1] };
static struct jprobe jumps[2], *all_jumps[] = { &jumps[0], &jumps[1] };
static int n_all;

static struct kprobe probe_at(void *addr, uint32_t flags)
{
	return (struct kprobe){ .addr = addr, .pre_handler = on_pre, .flags = flags };
}

static int take_probes(void)
{
	return spile_register_kprobes(all, n_all);
}

static void leave_probes(void)
{
	spile_unregister_kprobes(all, n_all);
}

static void entry_alone(void)
{
	one = probe_at(kaddr_gcd, 0);
	n_all = 1;
}

static void entry_with_post(void)
{
	entry_alone();
	one.post_handler = on_post;
}

static void entry_with_fault(void)
{
	entry_alone();
	one.fault_handler = on_fault;
}

static void entries(void)
{
	one = probe_at(kaddr_gcd, 0);
	two = probe_at(kaddr_int_pow, 0);
	three = probe_at(kaddr_gcd, 0);
	n_all = 3;
}

static void native_alone(void)
{
	one = probe_at(nomem_target, 0);
	n_all = 1;
}

static void native_with_fault(void)
{
	native_alone();
	one.fault_handler = on_fault;
}

static void mixed(void)
{
	one = probe_at(kaddr_gcd, 0);
	two = probe_at(nomem_target, 0);
	three = probe_at(nomem_target, KPROBE_FLAG_TEXT);
	three.offset = THIRD;
	n_all = 3;
}

static void text_alone(void)
{
	one = probe_at(nomem_target, KPROBE_FLAG_TEXT);
	n_all = 1;
}

static void texts(void)
{
	one = probe_at(nomem_target, KPROBE_FLAG_TEXT);
	two = probe_at(nomem_target, KPROBE_FLAG_TEXT);
	two.offset = 3;
	three = two;
	three.post_handler = on_post;
	n_all = 3;
}

static int n_returns;

static struct kretprobe return_of(void *addr, uint32_t flags)
{
	return (struct kretprobe){ .kp.addr = addr, .kp.flags = flags, .handler = on_return,
				   .data_size = 16 };
}

static int take_returns(void)
{
	return spile_register_kretprobes(all_returns, n_returns);
}

static void leave_returns(void)
{
	spile_unregister_kretprobes(all_returns, n_returns);
}

static void through_alone(void)
{
	returns[0] = return_of(kaddr_gcd, KPROBE_FLAG_ARGS_IN_REGS);
	n_returns = 1;
}

static void throughs(void)
{
	through_alone();
	returns[1] = return_of(kaddr_int_pow, KPROBE_FLAG_ARGS_IN_REGS);
	n_returns = 2;
}

static void rethooks(void)
{
	returns[0] = return_of(kaddr_gcd, 0);
	returns[1] = return_of(kaddr_int_pow, 0);
	n_returns = 2;
}

static void native_returns(void)
{
	returns[0] = return_of(nomem_target, 0);
	returns[1] = return_of(kaddr_gcd, 0);
	n_returns = 2;
}

static int n_jumps;

static int take_jumps(void)
{
	return spile_register_jprobes(all_jumps, n_jumps);
}

static void leave_jumps(void)
{
	spile_unregister_jprobes(all_jumps, n_jumps);
}

static void jprobes(void)
{
	jumps[0] = (struct jprobe){ .kp.addr = (void *)kaddr_gcd, .entry = (void *)on_jprobe };
	jumps[1] = (struct jprobe){ .kp.addr = (void *)kaddr_int_pow, .entry = (void *)on_jprobe };
	n_jumps = 2;
}

/* Two on one function, one after the other. */
static void probe_and_return(void)
{
	entry_alone();
	through_alone();
}

static int take_probe_and_return(void)
{
	int err = take_returns();

	if (err)
		return err;
	err = take_probes();
	if (err)
		leave_returns();
	return err;
}

static void leave_probe_and_return(void)
{
	leave_probes();
	leave_returns();
}

static void jprobe_and_return(void)
{
	jprobes();
	n_jumps = 1;
	rethooks();
	n_returns = 1;
}

static int take_jprobe_and_return(void)
{
	int err = take_jumps();

	if (err)
		return err;
	err = take_returns();
	if (err)
		leave_jumps();
	return err;
}

static void leave_jprobe_and_return(void)
{
	leave_returns();
	leave_jumps();
}

static const struct way {
	const char *name;
	void (*prepare)(void);
	int (*take)(void);
	void (*leave)(void);
	int hits; /* of handlers, by call_all() */
} ways[] = {
	{ "entry alone", entry_alone, take_probes, leave_probes, 1 },
	{ "entry with post_handler", entry_with_post, take_probes, leave_probes, 1 },
	{ "entry with fault_handler", entry_with_fault, take_probes, leave_probes, 1 },
	{ "batch of entries", entries, take_probes, leave_probes, 3 },
	{ "native", native_alone, take_probes, leave_probes, 1 },
	{ "native with fault_handler", native_with_fault, take_probes, leave_probes, 1 },
	{ "text", text_alone, take_probes, leave_probes, 1 },
	{ "batch of text", texts, take_probes, leave_probes, 3 },
	{ "mixed batch", mixed, take_probes, leave_probes, 3 },
	{ "call-through alone", through_alone, take_returns, leave_returns, 1 },
	{ "batch of call-throughs", throughs, take_returns, leave_returns, 2 },
	{ "batch of rethooks", rethooks, take_returns, leave_returns, 2 },
	{ "native and other return", native_returns, take_returns, leave_returns, 2 },
	{ "batch of jprobes", jprobes, take_jumps, leave_jumps, 2 },
	{ "probe and return", probe_and_return, take_probe_and_return, leave_probe_and_return, 2 },
	{ "jprobe and return", jprobe_and_return, take_jprobe_and_return, leave_jprobe_and_return,
	  2 },
};

/* --- one way with one allocation failing ------------------------------------------------------------ */

static void check_handlers(int expected)
{
	ran = 0;
	call_all();
	CHECK("handlers", ran, expected);
}

static int take_and_leave(const struct way *way)
{
	int err;

	way->prepare();
	err = way->take();
	if (err)
		return err;
	check_handlers(way->hits);
	way->leave();
	return 0;
}

/* The failure, and that it has left nothing. False: it has not come about. */
static bool try_failing(const struct way *way, int failing)
{
	bool failed;
	int err;

	countdown = failing;
	err = take_and_leave(way);
	failed = !countdown;
	countdown = 0;
	if (err)
		CHECK("error", err, failed ? -ENOMEM : 0);
	CHECK("list", list_length(), 0);
	check_handlers(0);
	return failed;
}

/*
 * Memory is compared after a registration that came through, because a call-through's is kept until
 * the next one comes: somebody may be in it.
 */
static void try_all(const struct way *way, int most)
{
	unsigned long text;
	int failing = 0, earlier;
	long memory;
	bool failed;

	check_place = way->name;
	CHECK("error", take_and_leave(way), 0);
	memory = in_use_at_rest();
	text = text_sum();
	do {
		earlier = check_failures;
		failed = try_failing(way, ++failing);
		CHECK("text changed", text_sum_at_last(text) != text, false);
		CHECK("error afterwards", take_and_leave(way), 0);
		CHECK("memory in use", in_use_at_last(memory), memory);
		if (check_failures > earlier)
			kfn_printk(CHECK_LINE "# when allocation %d of %s fails\n", failing, way->name);
	} while (failed && failing < most);
	kfn_printk(CHECK_LINE "# %s: %d allocations\n", way->name, failing - 1);
	CHECK("some allocations", failing > 1 || most == 1, true);
	CHECK("all allocations", failed && most > 1, false);
}

int init_module(void)
{
	unsigned i;

	tester = kernel_current();
	CHECK("watch allocations", watch_memory(&alloc_probe, "spile:host_zalloc", on_alloc), 0);
	CHECK("watch frees", watch_memory(&free_probe, "spile:host_free", on_free), 0);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]) && !check_failures; i++)
		try_all(&ways[i], (int)module_number());
	kfn_unregister_kprobe(&alloc_probe);
	kfn_unregister_kprobe(&free_probe);
	return check_done();
}

void cleanup_module(void)
{
}
