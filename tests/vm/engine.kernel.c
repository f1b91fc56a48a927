// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine against a real kernel, from inside: a module whose init registers probes, calls the
 * probed functions itself, and compares what was counted with what it did. It is compiled with the
 * core's flags and fitted like a script.
 *
 * Entry probes are put on library functions of the kernel that hardly anybody calls; everything
 * else on functions of this module, of which every call is known.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

#define CHECK_MODULE "engine"
#include "tests/vm/check.h"

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);

int init_module(void);
void cleanup_module(void);

/* --- what is probed ----------------------------------------------------------------------------- */

/*
 * uint64_t target_add(a, b) { return a + b + 1; }, with the places known:
 * target_add_mid is an instruction of four bytes, target_add_end the last one.
 */
uint64_t target_add(uint64_t a, uint64_t b);
extern char target_add_mid[], target_add_end[];
__asm__(".pushsection .text\n"
	".globl target_add\n"
	".type target_add, @function\n"
	"target_add:\n"
	"	movq %rdi, %rax\n"
	"	addq %rsi, %rax\n"
	"target_add_mid:\n"
	"	leaq 1(%rax), %rax\n"
	"target_add_end:\n"
	"	jmp __x86_return_thunk\n"
	".size target_add, . - target_add\n"
	".popsection\n");

uint64_t target_depth(unsigned n);

__attribute__((noinline)) uint64_t target_depth(unsigned n)
{
	uint64_t below = n ? target_depth(n - 1) : 0;

	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

__attribute__((noinline)) static void target_sleep(unsigned ms)
{
	kfn_msleep(ms);
}

/* --- handlers -------------------------------------------------------------------------------------- */

static volatile unsigned long ran, ran_post, seen_ip, seen_arg;

static int count_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	seen_ip = regs->ip;
	seen_arg = regs->di;
	return 0;
}

static void count_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	ran_post++;
	seen_ip = regs->ip;
}

static int nesting_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	kaddr_gcd(6, 4);
	return 0;
}

static int divert_pre(struct kprobe *p, struct pt_regs *regs)
{
	regs->ip = (uint64_t)target_add_end;
	return 1;
}

static void no_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static void call_gcd(unsigned times)
{
	while (times--)
		kaddr_gcd(12, 18);
}

/* --- checks ------------------------------------------------------------------------------------------ */

static int register_symbol(const char *name)
{
	struct kprobe p = { .symbol_name = name, .pre_handler = count_pre };
	int err = spile_register_kprobe(&p);

	if (!err)
		spile_unregister_kprobe(&p);
	return err;
}

static int register_addr(const void *addr)
{
	struct kprobe p = { .addr = (kprobe_opcode_t *)addr, .pre_handler = count_pre };
	int err = spile_register_kprobe(&p);

	if (!err)
		spile_unregister_kprobe(&p);
	return err;
}

static void check_refusals(void)
{
	static const char text_in_data[] = "not code";
	struct kprobe both = { .symbol_name = "gcd", .addr = (kprobe_opcode_t *)target_add };

	CHECK("both addr and symbol", spile_register_kprobe(&both), -EINVAL);
	CHECK("unknown symbol", register_symbol("no_such_function_anywhere"), -ENOENT);
	CHECK("blacklisted", register_symbol("do_int3"), -EINVAL);
	CHECK("own text", register_addr((void *)spile_register_kprobe), -EINVAL);
	CHECK("not code", register_addr(text_in_data), -EINVAL);
	CHECK("inside an instruction", register_addr(target_add_mid + 1), -EILSEQ);
}

/* Of an enabled probe: enabling it once more brings nhit up to date. */
static unsigned long hits_of(struct kprobe *p)
{
	spile_enable_kprobe(p);
	return p->nhit;
}

static void check_entry(void)
{
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = count_pre };
	unsigned long irq;

	ran = 0;
	CHECK("entry registered", spile_register_kprobe(&p), 0);
	CHECK("entry by ftrace", p.flags & KPROBE_FLAG_FTRACE, KPROBE_FLAG_FTRACE);
	call_gcd(1000);
	__asm__ volatile("pushfq; popq %0" : "=r"(irq));
	CHECK("entry counted", hits_of(&p), 1000);
	CHECK("entry handler ran", ran, 1000);
	CHECK("entry shows ip", seen_ip, (unsigned long)p.addr + 1);
	CHECK("entry shows arguments", seen_arg, 12);
	CHECK("interrupts are on again", irq & 512, 512);
	CHECK("registered twice", spile_register_kprobe(&p), -EBUSY);
	spile_unregister_kprobe(&p);
	call_gcd(10);
	CHECK("nothing after unregister", ran, 1000);
}

static void check_enable(void)
{
	struct kprobe a = { .symbol_name = "gcd", .pre_handler = count_pre,
			    .flags = KPROBE_FLAG_DISABLED };
	struct kprobe b = { .symbol_name = "gcd", .pre_handler = count_pre };

	ran = 0;
	CHECK("registered disabled", spile_register_kprobe(&a), 0);
	call_gcd(5);
	CHECK("disabled does not run", ran, 0);
	CHECK("second probe at the place", spile_register_kprobe(&b), 0);
	call_gcd(5);
	CHECK("only the enabled one runs", ran, 5);
	CHECK("enabled", spile_enable_kprobe(&a), 0);
	call_gcd(5);
	CHECK("both run", ran, 15);
	CHECK("disabled again", spile_disable_kprobe(&a), 0);
	CHECK("disabled both", spile_disable_kprobe(&b), 0);
	call_gcd(5);
	CHECK("none runs", ran, 15);
	CHECK("enabled again", spile_enable_kprobe(&b), 0);
	call_gcd(5);
	CHECK("counts of the first", a.nhit, 5);
	CHECK("counts of the second", hits_of(&b), 15);
	spile_unregister_kprobe(&a);
	call_gcd(5);
	CHECK("the other stays", hits_of(&b), 20);
	spile_unregister_kprobe(&b);
}

static void check_batch(void)
{
	static struct kprobe probes[10];
	struct kprobe *ps[10];
	int i;

	for (i = 0; i < 10; i++) {
		probes[i] = (struct kprobe){ .symbol_name = "gcd", .pre_handler = count_pre };
		ps[i] = &probes[i];
	}
	probes[3].symbol_name = "lcm";
	probes[4] = (struct kprobe){ .addr = (kprobe_opcode_t *)target_add_mid,
				     .pre_handler = count_pre };
	probes[9].symbol_name = "no_such_function_anywhere";
	ran = 0;
	CHECK("bad batch refused", spile_register_kprobes(ps, 10), -ENOENT);
	call_gcd(3);
	target_add(1, 2);
	CHECK("nothing left of it", ran, 0);
	probes[9].addr = (kprobe_opcode_t *)target_add_mid + 1;
	probes[9].symbol_name = NULL;
	CHECK("batch refused by a planter", spile_register_kprobes(ps, 10), -EILSEQ);
	target_add(1, 2);
	CHECK("nothing left of that", ran, 0);
	CHECK("good batch", spile_register_kprobes(ps, 9), 0);
	call_gcd(1);
	target_add(1, 2);
	CHECK("all ran", ran, 8);
	spile_unregister_kprobes(ps, 9);
	call_gcd(1);
	CHECK("all gone", ran, 8);
}

static void check_inside(void)
{
	struct kprobe p = { .addr = (kprobe_opcode_t *)target_add_mid, .pre_handler = count_pre };
	struct kprobe q = { .addr = (kprobe_opcode_t *)target_add_mid, .pre_handler = divert_pre,
			    .post_handler = no_post };
	int i;

	ran = 0;
	CHECK("inside registered", spile_register_kprobe(&p), 0);
	for (i = 0; i < 100; i++)
		CHECK("result", target_add(2, 3), 6);
	CHECK("inside counted", hits_of(&p), 100);
	CHECK("inside shows arguments", seen_arg, 2);
	CHECK("post_handler arrives", spile_register_kprobe(&q), 0);
	CHECK("diverted", target_add(2, 3), 5);
	spile_unregister_kprobe(&q);
	q.pre_handler = NULL;
	q.post_handler = count_post;
	ran_post = 0;
	CHECK("post_handler alone", spile_register_kprobe(&q), 0);
	CHECK("undiverted", target_add(2, 3), 6);
	CHECK("post_handler ran", ran_post, 1);
	CHECK("post_handler sees the next instruction", seen_ip, target_add_end);
	spile_unregister_kprobe(&p);
	spile_unregister_kprobe(&q);
	CHECK("inside gone", target_add(2, 3), 6);
	CHECK("inside counted to the end", p.nhit, 102);
}

static void check_nested(void)
{
	struct kprobe outer = { .symbol_name = "int_pow", .pre_handler = nesting_pre };
	struct kprobe inner = { .symbol_name = "gcd", .pre_handler = count_pre };
	int i;

	CHECK("outer registered", spile_register_kprobe(&outer), 0);
	CHECK("inner registered", spile_register_kprobe(&inner), 0);
	ran = 0;
	for (i = 0; i < 10; i++)
		kaddr_int_pow(3, 3);
	CHECK("nested not run", ran, 10);
	CHECK("nested counted", inner.nmissed, 10);
	kaddr_gcd(3, 4);
	CHECK("not nested run", hits_of(&inner), 1);
	spile_unregister_kprobe(&outer);
	spile_unregister_kprobe(&inner);
}

static void check_entry_post(void)
{
	struct kprobe p = { .symbol_name = "gcd", .post_handler = count_post };

	ran_post = 0;
	CHECK("entry with post_handler", spile_register_kprobe(&p), 0);
	call_gcd(4);
	CHECK("entry's post_handler ran", ran_post, 4);
	CHECK("behind the place", seen_ip, (unsigned long)p.addr + ARCH_CALL_BYTES);
	spile_unregister_kprobe(&p);
}

/* --- return probes --------------------------------------------------------------------------------------- */

static volatile unsigned long returned, entered, returned_value, carried;
static volatile int skip_next;

struct carried_data {
	uint64_t first_argument;
};

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct carried_data *data = (struct carried_data *)ri->data;

	entered++;
	data->first_argument = regs->di;
	return skip_next;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct carried_data *data = (struct carried_data *)ri->data;

	returned++;
	returned_value = regs->ax;
	carried = data->first_argument;
	return 0;
}

static void check_return(void)
{
	struct kretprobe rp = { .kp.symbol_name = "gcd", .handler = on_return,
				.entry_handler = on_entry,
				.data_size = sizeof(struct carried_data) };

	entered = returned = 0;
	CHECK("return registered", spile_register_kretprobe(&rp), 0);
	CHECK("default maxactive", rp.maxactive > 0, 1);
	call_gcd(1000);
	CHECK("entry_handler ran", entered, 1000);
	CHECK("return handler ran", returned, 1000);
	CHECK("return counted", hits_of(&rp.kp), 1000);
	CHECK("returned value", returned_value, 6);
	CHECK("data carried", carried, 12);
	skip_next = 1;
	call_gcd(10);
	skip_next = 0;
	CHECK("skipped instances", returned, 1000);
	CHECK("return disabled", spile_disable_kretprobe(&rp), 0);
	call_gcd(10);
	CHECK("disabled return does not run", returned, 1000);
	CHECK("return enabled", spile_enable_kretprobe(&rp), 0);
	call_gcd(10);
	CHECK("enabled return runs", returned, 1010);
	spile_unregister_kretprobe(&rp);
	call_gcd(10);
	CHECK("return gone", returned, 1010);
	CHECK("return missed none", rp.nmissed, 0);
}

static void check_return_missed(void)
{
	struct kretprobe rp = { .kp.addr = (kprobe_opcode_t *)target_depth, .handler = on_return,
				.maxactive = 1 };

	returned = 0;
	CHECK("one instance registered", spile_register_kretprobe(&rp), 0);
	CHECK("recursion undisturbed", target_depth(4), 5);
	CHECK("one instance ran", returned, 1);
	CHECK("and its value", returned_value, 5);
	spile_unregister_kretprobe(&rp);
	CHECK("four missed", rp.nmissed, 4);
}

/* Without msleep(), which may be probed. */
static void pass_ms(unsigned ms)
{
	uint64_t end = kfn_ktime_get_mono_fast_ns() + ms * 1000000ull;

	while (kfn_ktime_get_mono_fast_ns() < end)
		kfn_schedule_timeout(1);
}

/* A sleeper in another task holds the one instance while we call the function, and when the probe goes. */
static bool asleep; /* or about to be */

static int sleeper(void *arg)
{
	__atomic_store_n(&asleep, true, __ATOMIC_RELEASE);
	target_sleep(2000);
	while (!kfn_kthread_should_stop())
		kfn_schedule_timeout(1); /* lets others run */
	return 0;
}

static void check_return_asleep(struct kretprobe rp)
{
	struct task_struct *task = kfn_kthread_create_on_node(sleeper, NULL, -1, "sleeper");

	asleep = false;
	rp.handler = on_return;
	rp.maxactive = 1;
	returned = 0;
	CHECK("sleeper registered", spile_register_kretprobe(&rp), 0);
	kfn_wake_up_process(task);
	while (!__atomic_load_n(&asleep, __ATOMIC_ACQUIRE))
		kfn_schedule_timeout(1);
	pass_ms(100);
	target_sleep(20); /* misses */
	CHECK("sleeper has the instance", returned, 0);
	spile_unregister_kretprobe(&rp);
	CHECK("sleeper made us miss", rp.nmissed, 1);
	kfn_kthread_stop(task);
	CHECK("its return is not seen any more", returned, 0);
}

int init_module(void)
{
	check_refusals();
	check_entry();
	check_enable();
	check_batch();
	check_inside();
	check_nested();
	check_entry_post();
	check_return();
	check_return_missed();
	check_return_asleep((struct kretprobe){ .kp.addr = (kprobe_opcode_t *)target_sleep });
	check_return_asleep((struct kretprobe){ .kp.symbol_name = "msleep" });
	return check_done();
}

void cleanup_module(void)
{
}
