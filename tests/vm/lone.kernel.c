// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes that are alone at their function, for which code is made (ftrace_code.c), and hits in
 * interrupts during handlers.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

#define CHECK_MODULE "lone"
#include "tests/vm/check.h"

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);

int init_module(void);
void cleanup_module(void);

static unsigned long hits_of(struct kprobe *p)
{
	spile_enable_kprobe(p);
	return p->nhit;
}

/* --- entries -------------------------------------------------------------------------------------- */

static volatile unsigned long ran, seen_di, seen_si, seen_ip, seen_top;

static int counts(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	return 0;
}

/* Words that are cheap to have, and registers that the function needs again. */
static int loads(struct kprobe *p, struct pt_regs *regs)
{
	seen_di = regs->di;
	seen_si = regs->si;
	seen_ip = regs->ip;
	seen_top = *(unsigned long *)regs->sp;
	ran++;
	return 0;
}

static void counts_after(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	ran++;
}

/* Whether the arguments arrive: 11, 13 and so on have gcd 1 with 7. */
static int call_gcd(int n)
{
	int wrong = 0;

	for (; n; n--)
		wrong += kaddr_gcd(7 * n, 49 * n) != 7u * n;
	return wrong;
}

static void check_entry(void)
{
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = counts };
	struct kprobe none = { .symbol_name = "gcd" };

	ran = 0;
	CHECK("entry: registered", spile_register_kprobe(&p), 0);
	CHECK("entry: results", call_gcd(1000), 0);
	CHECK("entry: ran", ran, 1000);
	CHECK("entry: counted", hits_of(&p), 1000);
	CHECK("entry: disabled", spile_disable_kprobe(&p), 0);
	call_gcd(10);
	CHECK("entry: not when disabled", ran, 1000);
	CHECK("entry: enabled", spile_enable_kprobe(&p), 0);
	call_gcd(10);
	CHECK("entry: again", ran, 1010);
	spile_unregister_kprobe(&p);
	call_gcd(10);
	CHECK("entry: gone", ran, 1010);
	CHECK("entry: without handler", spile_register_kprobe(&none), 0);
	CHECK("entry: without handler, results", call_gcd(10), 0);
	CHECK("entry: without handler, counted", hits_of(&none), 10);
	spile_unregister_kprobe(&none);
}

static void check_words(void)
{
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = loads };
	unsigned long here;

	CHECK("words: registered", spile_register_kprobe(&p), 0);
	CHECK("words: result", kaddr_gcd(12, 18), 6);
	__asm__("leaq 0(%%rip), %0" : "=r"(here));
	CHECK("words: di", seen_di, 12);
	CHECK("words: si", seen_si, 18);
	CHECK("words: ip", seen_ip, (unsigned long)p.addr + 1);
	CHECK("words: sp leads here", here - seen_top < 200, 1);
	spile_unregister_kprobe(&p);
}

/* The code is there, but the case it was made for is not. */
static void check_company(void)
{
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = counts }, q = p, r = p;

	r.post_handler = counts_after;
	ran = 0;
	CHECK("company: registered", spile_register_kprobe(&p), 0);
	CHECK("company: second", spile_register_kprobe(&q), 0);
	CHECK("company: results", call_gcd(10), 0);
	CHECK("company: both", ran, 20);
	spile_unregister_kprobe(&p);
	CHECK("company: results with one", call_gcd(10), 0);
	CHECK("company: one", ran, 30);
	CHECK("company: post", spile_register_kprobe(&r), 0);
	call_gcd(10);
	CHECK("company: three", ran, 60);
	spile_unregister_kprobe(&q);
	spile_unregister_kprobe(&r);
	call_gcd(10);
	CHECK("company: none", ran, 60);
}

/* --- returns -------------------------------------------------------------------------------------------- */

static volatile unsigned long returned, value, parent;

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	value = regs->ax;
	parent = (unsigned long)ri->ret_addr;
	returned++;
	return 0;
}

static int changes_value(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs->ax = 77 + (regs->bx & 0);
	ri->data[0] = 1;
	return 0;
}

#define RETURN_PROBE(symbol, on)                                                                   \
	{                                                                                          \
		.kp.symbol_name = symbol, .kp.flags = KPROBE_FLAG_ARGS_IN_REGS, .handler = on      \
	}

static void check_return(void)
{
	struct kretprobe rp = RETURN_PROBE("gcd", on_return), changing = RETURN_PROBE("gcd", changes_value);
	struct kprobe entry = { .symbol_name = "gcd", .pre_handler = counts };
	unsigned long here;

	returned = ran = 0;
	CHECK("return: registered", spile_register_kretprobe(&rp), 0);
	CHECK("return: results", call_gcd(1000), 0);
	CHECK("return: returned", returned, 1000);
	CHECK("return: counted", hits_of(&rp.kp), 1000);
	CHECK("return: result", kaddr_gcd(12, 18), 6);
	__asm__("leaq 0(%%rip), %0" : "=r"(here));
	CHECK("return: value", value, 6);
	CHECK("return: to here", here - parent < 200, 1);
	CHECK("return: company", spile_register_kprobe(&entry), 0);
	CHECK("return: results in company", call_gcd(10), 0);
	CHECK("return: and the entry", ran, 10);
	CHECK("return: returned in company", returned, 1011);
	spile_unregister_kretprobe(&rp);
	CHECK("return: results of the entry", call_gcd(10), 0);
	CHECK("return: gone", returned, 1011);
	CHECK("return: entry left", ran, 20);
	spile_unregister_kprobe(&entry);
	changing.data_size = 8;
	CHECK("return: changing", spile_register_kretprobe(&changing), 0);
	CHECK("return: changed", kaddr_gcd(12, 18), 77);
	spile_disable_kretprobe(&changing);
	CHECK("return: disabled", kaddr_gcd(12, 18), 6);
	spile_unregister_kretprobe(&changing);
	CHECK("return: missed none", rp.nmissed + changing.nmissed, 0);
}

/* --- calls that outlive their probe ------------------------------------------------------------------------ */

#define SLEEPERS 10
#define SLEEP_MS 4000 /* longer than unregistering takes on any machine, or nothing is tested */

static int sleeper(void *arg)
{
	kfn_msleep(SLEEP_MS);
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
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

static void check_sleepers(void)
{
	struct kretprobe rp = RETURN_PROBE("msleep", on_return), later = RETURN_PROBE("gcd", on_return);
	struct task_struct *tasks[SLEEPERS];
	unsigned long seen;
	int awake = 0, i;

	returned = 0;
	CHECK("sleepers: registered", spile_register_kretprobe(&rp), 0);
	for (i = 0; i < SLEEPERS; i++) {
		tasks[i] = kfn_kthread_create_on_node(sleeper, &awake, -1, "sleeper");
		kfn_wake_up_process(tasks[i]);
	}
	pass_ms(200);
	spile_unregister_kretprobe(&rp);
	seen = returned;
	for (i = 0; i < 1000 && __atomic_load_n(&awake, __ATOMIC_RELAXED) < SLEEPERS; i++)
		pass_ms(10);
	CHECK("sleepers: all came back", awake, SLEEPERS);
	for (i = 0; i < SLEEPERS; i++)
		kfn_kthread_stop(tasks[i]);
	CHECK("sleepers: unseen", returned, seen);
	kfn_printk(CHECK_LINE "| %lu of %d calls returned before\n", seen, SLEEPERS);
	CHECK("sleepers: code is freed", spile_register_kretprobe(&later), 0);
	spile_unregister_kretprobe(&later);
}

/* --- interrupts ------------------------------------------------------------------------------------------------ */

#define WAIT_NS 500000000ull

static struct hrtimer hard_timer;
static struct timer_list soft_timer;
static volatile bool armed, soft_done;

/* Hard interrupt. */
static int in_interrupt(struct hrtimer *timer)
{
	kaddr_gcd(3, 4);
	return (int)kenum(hrtimer_norestart);
}

/* Stays in the handler until the interrupt has been. */
static int waits(struct kprobe *p, struct pt_regs *regs)
{
	uint64_t end = kfn_ktime_get_mono_fast_ns() + WAIT_NS;

	kaddr_gcd(1, 2); /* the handler's own: nested */
	armed = true;
	kfn_hrtimer_start_range_ns(&hard_timer, 1000000, 0, (int)kenum(hrtimer_mode_rel_pinned));
	while (!ran && kfn_ktime_get_mono_fast_ns() < end)
		host_relax();
	return 0;
}

/* Soft interrupt: on many kernels its stack is the hard interrupt's, too. */
static void in_softirq(struct timer_list *timer)
{
	kaddr_int_pow(3, 1);
	soft_done = true;
}

static void check_interrupt(const char *where, struct kprobe *outer, struct kprobe *inner)
{
	CHECK("interrupt: its hit ran", ran, 1);
	CHECK("interrupt: counted", hits_of(inner), 1);
	CHECK("interrupt: what the handler called is nested", inner->nmissed, 1);
	CHECK("interrupt: outer", hits_of(outer), 1);
	kfn_printk(CHECK_LINE "| that was %s\n", where);
}

static void check_interrupts(void)
{
	struct kprobe outer = { .symbol_name = "int_pow", .pre_handler = waits }, outer2 = outer;
	struct kprobe inner = { .symbol_name = "gcd", .pre_handler = counts }, inner2 = inner;
	static char key[64];
	int i;

	if (khas(hrtimer_setup)) {
		kfn_hrtimer_setup(&hard_timer, in_interrupt, 1, (int)kenum(hrtimer_mode_rel_pinned));
	} else {
		kfn_hrtimer_init(&hard_timer, 1, (int)kenum(hrtimer_mode_rel_pinned));
		kfield(&hard_timer, hrtimer, function) = in_interrupt;
	}
	ran = 0;
	CHECK("interrupt: registered", spile_register_kprobe(&outer) ?: spile_register_kprobe(&inner), 0);
	kaddr_int_pow(3, 1);
	check_interrupt("over a task", &outer, &inner);
	spile_unregister_kprobe(&outer);
	spile_unregister_kprobe(&inner);

	ran = 0;
	CHECK("interrupt: again", spile_register_kprobe(&outer2) ?: spile_register_kprobe(&inner2), 0);
	kfn_timer_init(&soft_timer, in_softirq, 0, "lone", (struct lock_class_key *)key);
	kfn_mod_timer(&soft_timer, kvar_jiffies + 2);
	for (i = 0; i < 200 && !soft_done; i++)
		kfn_msleep(5);
	check_interrupt("over a soft interrupt", &outer2, &inner2);
	kfn_timer_delete_sync(&soft_timer);
	kfn_hrtimer_cancel(&hard_timer);
	spile_unregister_kprobe(&outer2);
	spile_unregister_kprobe(&inner2);
}

int init_module(void)
{
	check_entry();
	check_words();
	check_company();
	check_return();
	check_sleepers();
	check_interrupts();
	return check_done();
}

void cleanup_module(void)
{
}
