// SPDX-License-Identifier: GPL-2.0-only
/**
 * Slots: a hit handled as a breakpoint planter does it, with every form that occurs in libc, leaves
 * what the unprobed instruction leaves, with a post_handler and without; addresses in the slot stand
 * for the right ones; the table of what goes which way.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/arch/x86/slot.h"
#include "tests/unit/fixture_x86.h"

#define STATES 3
#define SLOT (FAR_PAGE + 0x440)

struct trial {
	struct x86_insn insn;
	uint8_t bytes[X86_INSN_MAX];
	struct x86_slot slot;
	struct x86_state in, home, hit;
	struct x86_memory_image before, at_home, after;
};

static unsigned ways[3]; /* how many hits each way of x86_slot_next has served */

/* The planter's part: what happens between the breakpoint and the return to the program. */
static void take_hit(struct trial *t, bool post)
{
	struct x86_state state = t->in;
	enum x86_slot_next next = x86_slot_go(&t->slot, &state.regs, post, NULL);

	ways[next]++;
	x86_run(&state, state.regs.ip, &t->hit);
	if (next == X86_SLOT_STEP && t->hit.signal == SIGTRAP &&
	    t->hit.regs.ip == x86_slot_step_end(&t->slot) + 1) {
		x86_slot_stepped(&t->slot, &t->hit.regs);
		t->hit.regs.ip++; /* at home there is a breakpoint behind */
	}
}

static const char *compare(struct trial *t)
{
	uint64_t ip = t->hit.regs.ip, original;
	const char *what = x86_difference(&t->home, &t->hit);

	if (what)
		return what;
	if (ip - SLOT < X86_SLOT_BYTES) {
		if (x86_slot_original_ip(&t->slot, ip, &original))
			return "fault inside the copy";
		ip = original;
	}
	if (t->home.regs.ip != ip)
		return "rip";
	return memcmp(&t->at_home, &t->after, sizeof(t->after)) ? "memory" : NULL;
}

static const char *run_both(struct trial *t, bool post)
{
	image_load(&t->before);
	x86_run(&t->in, FROM, &t->home);
	image_save(&t->at_home);
	/* Emulation with plain access would fault in the test. */
	if (t->home.signal != SIGTRAP && t->slot.emulate)
		return NULL;
	image_load(&t->before);
	take_hit(t, post);
	image_save(&t->after);
	return compare(t);
}

static bool try_form(struct trial *t, const uint8_t *bytes)
{
	const char *what = NULL;
	bool post = false;

	memcpy(t->bytes, bytes, X86_INSN_MAX);
	form_settle(t->bytes, FROM, &t->insn);
	if (t->insn.kind == X86_POPF ||
	    x86_slot_build(&t->insn, t->bytes, FROM, SLOT, X86_PROCESS, writable(SLOT), &t->slot))
		return true;
	memcpy(writable(FROM), t->bytes, t->insn.length);
	for (unsigned i = 0; i < 2 * STATES && !what; i++) {
		post = i & 1;
		state_random(&t->insn, &t->in);
		what = run_both(t, post);
	}
	memset(writable(FROM), 0xcc, X86_INSN_MAX);
	if (!what)
		return true;
	printf("FAIL%s", post ? " with post_handler" : "");
	print_bytes(t->bytes, t->insn.length);
	printf(": %s (signals %d, %d; ip %#lx, %#lx)\n", what, t->home.signal, t->hit.signal,
	       (long)t->home.regs.ip, (long)t->hit.regs.ip);
	return false;
}

static int try_all(const struct form_set *set)
{
	static struct trial trial, *t = &trial;
	int failures = 0;

	image_random(&t->before);
	for (unsigned i = 0; i < set->count && failures < 20; i++)
		failures += !try_form(t, set->bytes[i]);
	return failures + !ways[X86_SLOT_DONE] + !ways[X86_SLOT_POST] + !ways[X86_SLOT_STEP];
}

static void hits_leave_no_trace(void **state)
{
	static struct form_set set;
	int status;
	pid_t child;

	random_start();
	forms_of_libc(&set);
	assert_true(set.count > FORMS_OF_LIBC);
	child = fork();
	if (!child) {
		x86_run_init();
		alarm(1200);
		status = try_all(&set) != 0;
		fflush(stdout);
		_exit(status);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* --- by hand --- */

struct way {
	const char *bytes;
	unsigned n;
	int process, process_post, kernel, kernel_post; /* x86_slot_check() */
	bool process_needs, kernel_needs;                /* x86_slot_is_needed() */
};

static const struct way table[] = {
	{ "\x01\xd8", 2, 0, 0, 0, 0, true, true },
	{ "\x8b\x05\0\0\0\0", 6, 0, 0, 0, 0, true, true },
	{ "\x90", 1, 0, 0, 0, 0, false, true },
	{ "\x48\x8d\x07", 3, 0, 0, 0, 0, false, true },
	{ "\x74\0", 2, 0, 0, 0, 0, false, false },
	{ "\x55", 1, 0, 0, 0, 0, true, true },
	{ "\xe8\0\0\0\0", 5, 0, 0, 0, 0, true, false },
	{ "\xff\xe0", 2, 0, 0, 0, 0, true, false },
	{ "\x65\xff\x10", 3, 0, 0, 0, 0, true, true },
	{ "\x9c", 1, 0, 0, 0, 0, true, false },
	{ "\x9d", 1, 0, 0, 0, 0, true, false },
	{ "\xfa", 1, 0, 0, 0, 0, true, false },
	{ "\xfb", 1, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\xf4", 1, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\x0f\x05", 2, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\xcd\x80", 2, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\x48\xcf", 2, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\xcb", 1, 0, -EOPNOTSUPP, -EINVAL, -EINVAL, true, true },
	{ "\xcc", 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, true, true },
	{ "\x0f\x0b", 2, -EINVAL, -EINVAL, -EINVAL, -EINVAL, true, true },
	{ "\x66\x9c", 2, 0, 0, -EINVAL, -EINVAL, true, true },
	{ "\x66\xe8\0\0\0\0", 6, -EINVAL, -EINVAL, -EINVAL, -EINVAL, true, true },
};

static void which_way(void **state)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct way *way = &table[i];
		struct x86_insn insn;

		assert_int_equal(x86_decode((const uint8_t *)way->bytes, way->n, &insn), way->n);
		assert_int_equal(x86_slot_check(&insn, X86_PROCESS, false), way->process);
		assert_int_equal(x86_slot_check(&insn, X86_PROCESS, true), way->process_post);
		assert_int_equal(x86_slot_check(&insn, X86_KERNEL, false), way->kernel);
		assert_int_equal(x86_slot_check(&insn, X86_KERNEL, true), way->kernel_post);
		assert_int_equal(x86_slot_is_needed(&insn, X86_PROCESS), way->process_needs);
		assert_int_equal(x86_slot_is_needed(&insn, X86_KERNEL), way->kernel_needs);
	}
}

static int build(const char *bytes, unsigned n, uint64_t at, uint8_t *out, struct x86_slot *ret)
{
	struct x86_insn insn;

	x86_decode((const uint8_t *)bytes, n, &insn);
	return x86_slot_build(&insn, (const uint8_t *)bytes, 0x10000, at, X86_PROCESS, out, ret);
}

static void layout(void **state)
{
	uint8_t out[X86_SLOT_BYTES], want[X86_SLOT_BYTES];
	struct x86_slot slot;
	uint64_t ip;

	memset(want, 0xcc, sizeof(want));
	memcpy(want, "\x01\xd8\xe9\xfb\xff\xfe\xff", 7); /* add, jump back to 0x10002 */
	memcpy(want + X86_SLOT_STEP_OFFSET, "\x01\xd8", 2);
	assert_int_equal(build("\x01\xd8", 2, 0x20000, out, &slot), 0);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(x86_slot_step_end(&slot), 0x20032);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20000, &ip), 0);
	assert_int_equal(ip, 0x10000);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20002, &ip), 0);
	assert_int_equal(ip, 0x10002);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20030, &ip), 0);
	assert_int_equal(ip, 0x10000);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20032, &ip), 0);
	assert_int_equal(ip, 0x10002);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20001, &ip), -EBUSY);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20031, &ip), -EBUSY);
	assert_int_equal(x86_slot_original_ip(&slot, 0x1ffff, &ip), -ENOENT);
	assert_int_equal(x86_slot_original_ip(&slot, 0x20040, &ip), -ENOENT);
}

static void without_a_slot(void **state)
{
	struct x86_slot slot;
	struct pt_regs regs = { .ip = 0x10001 };
	uint64_t ip;

	assert_int_equal(build("\x90", 1, 0, NULL, &slot), 0);
	assert_int_equal(x86_slot_go(&slot, &regs, true, NULL), X86_SLOT_POST);
	assert_int_equal(regs.ip, 0x10001);
	assert_int_equal(x86_slot_original_ip(&slot, 0, &ip), -ENOENT);
	assert_int_equal(build("\x01\xd8", 2, 0, NULL, &slot), -EINVAL);
	assert_int_equal(build("\xcc", 1, 0, NULL, &slot), -EINVAL);
}

static int no_memory(void *context, uint64_t address, const void *src, size_t size)
{
	return -EFAULT;
}

/* What cannot be emulated after all runs as a copy, which faults as the original would. */
static void failing_memory(void **state)
{
	const struct x86_memory memory = { .write = no_memory };
	uint8_t out[X86_SLOT_BYTES];
	struct x86_slot slot;
	struct pt_regs regs = { .ip = 7 };

	assert_int_equal(build("\xe8\0\0\0\0", 5, 0x20000, out, &slot), 0);
	assert_int_equal(x86_slot_go(&slot, &regs, true, &memory), X86_SLOT_DONE);
	assert_int_equal(regs.ip, 0x20000);
	assert_int_equal(build("\xe8\0\0\0\0", 5, 0, NULL, &slot), 0);
	regs.ip = 7;
	assert_int_equal(x86_slot_go(&slot, &regs, true, &memory), X86_SLOT_FAULT);
	assert_int_equal(regs.ip, 7);
	/* call *%rsp has no copy */
	assert_int_equal(build("\xff\xd4", 2, 0x20000, out, &slot), 0);
	assert_int_equal(x86_slot_go(&slot, &regs, true, &memory), X86_SLOT_FAULT);
}

static void out_of_reach(void **state)
{
	uint8_t out[X86_SLOT_BYTES];
	struct x86_slot slot;

	assert_int_equal(build("\x01\xd8", 2, 0x90000000, out, &slot), -ERANGE);
	assert_int_equal(build("\xe8\0\0\0\0", 5, 0x90000000, out, &slot), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits_leave_no_trace), cmocka_unit_test(which_way),
		cmocka_unit_test(layout),              cmocka_unit_test(without_a_slot),
		cmocka_unit_test(failing_memory),      cmocka_unit_test(out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
