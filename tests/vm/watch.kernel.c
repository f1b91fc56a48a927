// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchpoints against a real kernel: every access that this module makes to its own variables, on
 * all CPUs, is a hit, and nothing else is. (Two watchpoints on one place are not tried: QEMU's
 * processor reports but one of them, a real one both.) The last one stays until the module goes, on a variable of
 * the kernel's, and tells then what it has seen. Built and judged like engine.kernel.c.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

#include "spile/watchpoint.h"

#define CHECK_MODULE "watch"
#include "tests/vm/check.h"

int init_module(void);
void cleanup_module(void);

#define ROUNDS 500

static volatile uint64_t words[5];
static volatile uint64_t seen_value, seen_ip;

static void look(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	seen_value = *(volatile uint64_t *)wp->bp_addr;
	seen_ip = regs->ip;
}

static void writes_again(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	words[0]++;
	words[0]++;
}

static struct spile_watchpoint watch_of(volatile void *addr, uint32_t len, uint32_t type)
{
	return (struct spile_watchpoint){ .bp_addr = (uint64_t)addr, .bp_len = len, .bp_type = type };
}

__attribute__((noinline)) static void write_word(uint64_t value)
{
	words[0] = value;
}

/* --- one CPU ------------------------------------------------------------------------------------------ */

static void test_one(void)
{
	struct spile_watchpoint wp = watch_of(words, 8, SPILE_WATCH_WRITE);
	struct spile_watchpoint nested = watch_of(words, 8, SPILE_WATCH_WRITE);

	wp.handler = look;
	CHECK("register", spile_register_watchpoint(&wp), 0);
	CHECK("register twice", spile_register_watchpoint(&wp), -EBUSY);
	write_word(77);
	CHECK("value", seen_value, 77);
	CHECK("ip", seen_ip > (uint64_t)write_word && seen_ip < (uint64_t)write_word + 64, 1);
	CHECK("disable", spile_disable_watchpoint(&wp), 0);
	write_word(78);
	CHECK("enable", spile_enable_watchpoint(&wp), 0);
	write_word(79);
	spile_unregister_watchpoint(&wp);
	write_word(80);
	CHECK("hits", wp.nhit, 2);
	CHECK("seen", seen_value, 79);
	CHECK("disable of none", spile_disable_watchpoint(&wp), -EINVAL);

	nested.handler = writes_again;
	CHECK("register nested", spile_register_watchpoint(&nested), 0);
	write_word(0);
	spile_unregister_watchpoint(&nested);
	CHECK("nested hits", nested.nhit, 1);
	CHECK("written in the handler", words[0], 2);
}

static void test_lengths(void)
{
	volatile uint8_t *bytes = (volatile uint8_t *)words;
	uint32_t len, i;

	for (len = 1; len <= 8; len *= 2) {
		struct spile_watchpoint wp = watch_of(bytes + 8, len, SPILE_WATCH_WRITE);

		CHECK("register a length", spile_register_watchpoint(&wp), 0);
		for (i = 0; i < 32; i++)
			bytes[i] = 1;
		spile_unregister_watchpoint(&wp);
		CHECK("bytes", wp.nhit, len);
	}
}

static void refuse(uint64_t addr, uint32_t len, uint32_t type, int verdict)
{
	struct spile_watchpoint wp = { .bp_addr = addr, .bp_len = len, .bp_type = type };

	CHECK("refusal", spile_register_watchpoint(&wp), verdict);
}

static void test_refusals(void)
{
	struct spile_watchpoint wp[5], *wps[5];
	struct spile_watchpoint unknown = { .symbol_name = "no_such_variable", .bp_len = 4,
					    .bp_type = SPILE_WATCH_WRITE };
	uint64_t addr = (uint64_t)words;
	int i;

	refuse(addr, 3, SPILE_WATCH_WRITE, -EINVAL);
	refuse(addr, 8, 1, -EINVAL);
	refuse(addr + 4, 8, SPILE_WATCH_WRITE, -EINVAL);
	refuse(0, 8, SPILE_WATCH_WRITE, -EINVAL);
	refuse(0x400000, 8, SPILE_WATCH_WRITE, -EINVAL); /* a process's */
	CHECK("unknown", spile_register_watchpoint(&unknown), -ENOENT);
	for (i = 0; i < 5; i++) {
		wp[i] = watch_of(&words[i], 8, SPILE_WATCH_WRITE);
		wps[i] = &wp[i];
	}
	CHECK("five", spile_register_watchpoints(wps, 5), -ENOSPC);
	for (i = 0; i < 5; i++)
		words[i] = 1;
	CHECK("four", spile_register_watchpoints(wps, 4), 0);
	for (i = 0; i < 5; i++)
		words[i] = 2;
	spile_unregister_watchpoints(wps, 4);
	for (i = 0; i < 5; i++)
		CHECK("of five", wp[i].nhit, i < 4);
}

/* --- all CPUs ----------------------------------------------------------------------------------------- */

static volatile unsigned long accesses, done;

static void access_much(void *with_reads)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		words[1] = (uint64_t)i;
		if (with_reads)
			(void)words[1];
	}
	__atomic_fetch_add(&accesses, with_reads ? 2 * ROUNDS : ROUNDS, __ATOMIC_RELAXED);
	__atomic_fetch_add(&done, 1, __ATOMIC_RELEASE);
}

/* Here and on the other CPU at the same time. */
static void access_everywhere(void *with_reads)
{
	accesses = done = 0;
	kfn_smp_call_function(access_much, with_reads, 0);
	access_much(with_reads);
	while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < 2)
		host_relax();
}

static void test_everywhere(void)
{
	struct spile_watchpoint writes = watch_of(&words[1], 8, SPILE_WATCH_WRITE);
	struct spile_watchpoint both = watch_of(&words[1], 8, SPILE_WATCH_READ_WRITE);

	CHECK("register writes", spile_register_watchpoint(&writes), 0);
	access_everywhere((void *)1);
	CHECK("two CPUs", accesses, 4 * ROUNDS);
	CHECK("writes seen", writes.nhit, accesses / 2);
	access_everywhere(NULL);
	spile_unregister_watchpoint(&writes);
	access_everywhere(NULL);
	CHECK("writes seen in the end", writes.nhit, 4 * ROUNDS);
	CHECK("register both", spile_register_watchpoint(&both), 0);
	access_everywhere((void *)1);
	spile_unregister_watchpoint(&both);
	CHECK("accesses seen", both.nhit, accesses);
	CHECK("misses", writes.nmissed + both.nmissed, 0);
}

/* --- a variable of the kernel ------------------------------------------------------------------------- */

static struct spile_watchpoint kernels = { .symbol_name = "panic_timeout", .bp_len = 4,
					   .bp_type = SPILE_WATCH_WRITE };

int init_module(void)
{
	int err;

	test_one();
	test_lengths();
	test_refusals();
	test_everywhere();
	CHECK("by name", spile_register_watchpoint(&kernels), 0);
	err = check_done();
	if (err)
		spile_unregister_watchpoint(&kernels);
	return err;
}

void cleanup_module(void)
{
	spile_unregister_watchpoint(&kernels);
	kfn_printk(CHECK_LINE "%lu writes\n", kernels.nhit);
}
