// SPDX-License-Identifier: GPL-2.0-only
/*
 * jprobes against a real kernel, and the core's exports as the kernel's module loader finds them.
 * Built and judged like engine.kernel.c. `gcd` has an ftrace site; the functions here have none, so
 * probes on them are the native planter's.
 */
#include "engine/host/linux-kernel/engine_kernel.h"

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern void *kaddr___symbol_get(const char *name);
extern void kaddr___symbol_put(const char *name);

#define CHECK_MODULE "jprobe"
#include "tests/vm/check.h"

int init_module(void);
void cleanup_module(void);

/* --- what is probed ------------------------------------------------------------------------------- */

uint64_t target_ten(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
		    uint64_t g, uint64_t h, uint64_t i, uint64_t j);

__attribute__((noinline)) uint64_t target_ten(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
					      uint64_t e, uint64_t f, uint64_t g, uint64_t h,
					      uint64_t i, uint64_t j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

#define TEN_EXPECTED (1 + 4 + 9 + 16 + 25 + 36 + 49 + 64 + 81 + 100)

static void *call_site; /* before call_ten()'s call */

__attribute__((noinline)) static uint64_t call_ten(void)
{
	call_site = (void *)call_ten;
	return target_ten(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) + 0;
}

/* --- handlers ----------------------------------------------------------------------------------------- */

static volatile unsigned long ran, wrong;
static unsigned long interrupts;
static void *caller;

/* Overwrites its arguments, in registers and on the stack: the function must not see it. */
static uint64_t j_ten(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
		      uint64_t g, uint64_t h, uint64_t i, uint64_t j)
{
	volatile uint64_t *args[] = { &a, &b, &c, &d, &e, &f, &g, &h, &i, &j };
	unsigned long n;

	caller = __builtin_return_address(0);
	__asm__ volatile("pushfq; popq %0" : "=r"(interrupts));
	for (n = 0; n < 10; n++) {
		wrong += *args[n] != n + 1;
		*args[n] = 0xdead;
	}
	ran++;
	spile_jprobe_return();
	return 0;
}

static unsigned long seen_a, seen_b;

static unsigned long j_gcd(unsigned long a, unsigned long b)
{
	seen_a = a;
	seen_b = b;
	ran++;
	spile_jprobe_return();
	return 99;
}

static unsigned long j_gcd_nesting(unsigned long a, unsigned long b)
{
	ran++;
	call_ten();
	kaddr_gcd(a, b);
	spile_jprobe_return();
	return 99;
}

/* --- checks ------------------------------------------------------------------------------------------- */

static void check_entry(void)
{
	struct jprobe jp = { .kp.symbol_name = "gcd", .entry = j_gcd };
	unsigned long irq, n;

	ran = 0;
	CHECK("registered", spile_register_jprobe(&jp), 0);
	CHECK("by ftrace", jp.kp.flags & KPROBE_FLAG_FTRACE, KPROBE_FLAG_FTRACE);
	for (n = 0; n < 1000; n++)
		CHECK("value", kaddr_gcd(12, 18 + 12 * n), 6);
	__asm__ volatile("pushfq; popq %0" : "=r"(irq));
	CHECK("interrupts are on again", irq & 512, 512);
	CHECK("ran", ran, 1000);
	CHECK("counted, up to date", spile_enable_jprobe(&jp), 0);
	CHECK("counted", jp.kp.nhit, 1000);
	CHECK("first argument", seen_a, 12);
	CHECK("second argument", seen_b, 18 + 12 * 999);
	CHECK("disabled", spile_disable_jprobe(&jp), 0);
	kaddr_gcd(12, 18);
	CHECK("disabled does not run", ran, 1000);
	CHECK("enabled", spile_enable_jprobe(&jp), 0);
	kaddr_gcd(12, 18);
	CHECK("enabled runs", ran, 1001);
	spile_unregister_jprobe(&jp);
	kaddr_gcd(12, 18);
	CHECK("gone", ran, 1001);
}

static void check_stack_arguments(void)
{
	struct jprobe jp = { .kp.addr = (kprobe_opcode_t *)target_ten, .entry = j_ten };
	unsigned long n;

	ran = wrong = 0;
	CHECK("ten registered", spile_register_jprobe(&jp), 0);
	for (n = 0; n < 100; n++)
		CHECK("ten's value", call_ten(), TEN_EXPECTED);
	CHECK("ten ran", ran, 100);
	CHECK("ten's arguments wrong", wrong, 0);
	CHECK("handler runs with interrupts off", interrupts & 512, 0);
	CHECK("handler's caller", (char *)caller > (char *)call_site &&
					  (char *)caller < (char *)call_site + 300, 1);
	spile_unregister_jprobe(&jp);
	CHECK("ten's value after", call_ten(), TEN_EXPECTED);
}

static void check_nested(void)
{
	struct jprobe outer = { .kp.symbol_name = "gcd", .entry = j_gcd_nesting };
	struct jprobe inner = { .kp.addr = (kprobe_opcode_t *)target_ten, .entry = j_ten };
	unsigned long n;

	ran = 0;
	CHECK("outer registered", spile_register_jprobe(&outer), 0);
	CHECK("inner registered", spile_register_jprobe(&inner), 0);
	for (n = 0; n < 10; n++)
		CHECK("outer's value", kaddr_gcd(12, 18), 6);
	spile_unregister_jprobe(&inner);
	spile_unregister_jprobe(&outer);
	CHECK("only outer ran", ran, 10);
	CHECK("inner missed", inner.kp.nmissed, 10);
	CHECK("itself missed", outer.kp.nmissed, 10);
}

static unsigned long ran_pre, ran_return;

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	ran_pre++;
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ran_return++;
	return 0;
}

static void check_company(void)
{
	struct jprobe a = { .kp.symbol_name = "gcd", .entry = j_gcd };
	struct jprobe b = { .kp.addr = (kprobe_opcode_t *)target_ten, .entry = j_ten };
	struct jprobe bad = { .kp.symbol_name = "gcd", .kp.offset = 3, .entry = j_gcd };
	struct kprobe p = { .symbol_name = "gcd", .pre_handler = pre };
	struct kretprobe rp = { .kp.symbol_name = "gcd", .handler = on_return };
	struct kprobe inside = { .symbol_name = "gcd", .offset = 3, .pre_handler = pre };
	struct jprobe *all[] = { &a, &b, &bad };

	ran = 0;
	CHECK("not at an entry", spile_register_jprobe(&bad), -EINVAL);
	CHECK("inside of an ftrace site", spile_register_kprobe(&inside), -EILSEQ);
	CHECK("bad batch", spile_register_jprobes(all, 3), -EINVAL);
	kaddr_gcd(12, 18);
	CHECK("nothing left of it", ran, 0);
	bad = (struct jprobe){ .kp.symbol_name = "no_such_function_anywhere", .entry = j_gcd };
	CHECK("unknown symbol", spile_register_jprobe(&bad), -ENOENT);
	CHECK("batch", spile_register_jprobes(all, 2), 0);
	CHECK("kprobe beside it", spile_register_kprobe(&p), 0);
	CHECK("kretprobe beside it", spile_register_kretprobe(&rp), 0);
	CHECK("value in company", kaddr_gcd(12, 18), 6);
	call_ten();
	CHECK("both ran", ran, 2);
	CHECK("kprobe ran", ran_pre, 1);
	CHECK("kretprobe ran", ran_return, 1);
	spile_unregister_kretprobe(&rp);
	spile_unregister_jprobes(all, 2);
	kaddr_gcd(12, 18);
	call_ten();
	CHECK("both gone", ran, 2);
	CHECK("kprobe stayed", ran_pre, 2);
	spile_unregister_kprobe(&p);
}

/* The kernel searches its tables of exported symbols, as it does for a module that imports one. */
static void check_exports(void)
{
#define EXPORT(name)                                                                               \
	do {                                                                                       \
		extern char name##_[] __asm__(#name);                                              \
		CHECK("exported " #name, kaddr___symbol_get(#name), name##_);                      \
		kaddr___symbol_put(#name);                                                         \
	} while (0);
#include "kmod/exports.def"
#undef EXPORT
}

int init_module(void)
{
	check_entry();
	check_stack_arguments();
	check_nested();
	check_company();
	check_exports();
	return check_done();
}

void cleanup_module(void)
{
}
