// SPDX-License-Identifier: GPL-2.0-only
/**
 * Emulated instructions against the processor: each form runs natively up to the breakpoint that it
 * arrives at, and is emulated from the same registers and memory. Everything must be equal, faults
 * included. What a process cannot run natively (interrupts, segments) is checked by hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/arch/x86/emulate.h"
#include "tests/unit/fixture_x86.h"

#define STATES 60

struct trial {
	struct x86_insn insn;
	uint8_t bytes[X86_INSN_MAX];
	struct x86_state in, native;
	struct pt_regs regs;
	int err;
	struct x86_memory_image before, by_processor, by_hand;
};

/* --- memory as the arena has it --- */

static bool in_range(uint64_t address, size_t size, uint64_t start, uint64_t bytes)
{
	return address >= start && address - start <= bytes - size;
}

static int arena_read(void *context, uint64_t address, void *dst, size_t size)
{
	if (!in_range(address, size, DATA_PAGE, DATA_BYTES) &&
	    !in_range(address, size, STACK_PAGE, STACK_BYTES) &&
	    !in_range(address, size, LAND_PAGE, LAND_BYTES))
		return -EFAULT;
	memcpy(dst, (void *)address, size);
	return 0;
}

static int arena_write(void *context, uint64_t address, const void *src, size_t size)
{
	if (!in_range(address, size, DATA_PAGE, DATA_BYTES) &&
	    !in_range(address, size, STACK_PAGE, STACK_BYTES))
		return -EFAULT;
	memcpy((void *)address, src, size);
	return 0;
}

static const struct x86_memory arena = { .read = arena_read, .write = arena_write };

/* --- the processor as oracle --- */

static bool is_canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

/* The instruction itself faulted: then emulation failed and changed nothing, or it went to an
 * address that no jump can go to, which the processor checks first and the return from a trap then.
 */
static const char *compare_fault(const struct trial *t)
{
	if (!t->err)
		return is_canonical(t->regs.ip) ? "done in spite of a fault" : NULL;
	if (t->err != -EFAULT)
		return "error";
	return memcmp(&t->regs, &t->in.regs, sizeof(t->regs)) ? "registers after a fault" : NULL;
}

static const char *compare(const struct trial *t)
{
	struct x86_state by_hand = t->native;
	uint64_t ip = t->native.regs.ip;

	if (t->native.signal != SIGTRAP && ip == FROM)
		return compare_fault(t);
	if (t->err)
		return "refused";
	if (t->regs.ip != ip - (t->native.signal == SIGTRAP))
		return "rip";
	by_hand.regs = t->regs;
	if (x86_difference(&t->native, &by_hand))
		return x86_difference(&t->native, &by_hand);
	return memcmp(&t->by_processor, &t->by_hand, sizeof(t->by_hand)) ? "memory" : NULL;
}

static const char *run_both(struct trial *t)
{
	image_load(&t->before);
	x86_run(&t->in, FROM, &t->native);
	image_save(&t->by_processor);
	image_load(&t->before);
	t->regs = t->in.regs;
	t->err = x86_emulate(&t->insn, FROM, &t->regs, &arena);
	image_save(&t->by_hand);
	return compare(t);
}

static void prepare(struct trial *t)
{
	uint64_t flags = 0x202 | (random_next() & STATUS_FLAGS);

	state_random(&t->insn, &t->in);
	if (t->insn.kind == X86_LOOP && random_next() & 1)
		t->in.regs.cx = random_below(3);
	if (t->insn.kind != X86_POPF && !random_below(20))
		t->in.regs.sp = random_next() & 1 ? random_value() : STACK_PAGE + 4;
	if (t->insn.kind == X86_POPF) /* only what a process may change */
		memcpy(t->before.stack + (t->in.regs.sp - STACK_PAGE), &flags, sizeof(flags));
}

static unsigned kinds_run[256];

static bool try_form(struct trial *t, const uint8_t *bytes)
{
	const char *what = NULL;

	memcpy(t->bytes, bytes, X86_INSN_MAX);
	form_settle(t->bytes, FROM, &t->insn);
	if (!x86_can_emulate(&t->insn, X86_KERNEL) || t->insn.kind == X86_CLI)
		return true;
	image_random(&t->before);
	memcpy(writable(FROM), t->bytes, t->insn.length);
	for (unsigned i = 0; i < STATES && !what; i++) {
		prepare(t);
		what = run_both(t);
		kinds_run[t->insn.kind] += t->native.signal == SIGTRAP;
	}
	memset(writable(FROM), 0xcc, X86_INSN_MAX);
	if (!what)
		return true;
	printf("FAIL");
	print_bytes(t->bytes, t->insn.length);
	printf(": %s (native signal %d at %#lx; emulated %d, ip %#lx)\n", what, t->native.signal,
	       (long)t->native.regs.ip, t->err, (long)t->regs.ip);
	return false;
}

/* Every condition, loops by rcx and ecx, the odd ones of push and pop, lea's three widths. */
static void forms_by_hand(struct form_set *set)
{
	static const uint8_t text[] = {
		0xeb, 0x00, 0xe9, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3, 0x90, 0x0f, 0x1f, 0x44, 0, 0,
		0xf3, 0x0f, 0x1e, 0xfa, 0xe0, 0x00, 0xe1, 0x00, 0xe2, 0x00, 0xe3, 0x00, 0x67, 0xe0, 0x00, 0x67, 0xe1, 0x00,
		0x67, 0xe2, 0x00, 0x67, 0xe3, 0x00, 0x54, 0x5c, 0x41, 0x54, 0x41, 0x5c, 0x6a, 0x80,
		0x68, 0, 0, 0, 0x80, 0x9c, 0x9d, 0xc2, 0x00, 0x80, 0xf3, 0xc3, 0xff, 0xd4, 0xff, 0xe4,
		0xff, 0x54, 0x24, 0xf8, 0xff, 0x64, 0x24, 0x08, 0x41, 0xff, 0xd4, 0x67, 0xff, 0xd0,
		0x66, 0x8d, 0x04, 0x88, 0x8d, 0x04, 0x88, 0x48, 0x8d, 0x04, 0x88, 0x67, 0x48, 0x8d,
		0x44, 0x88, 0xff, 0x67, 0x8d, 0x04, 0x25, 0xff, 0xff, 0xff, 0xff, 0x4c, 0x8d, 0x3d, 0,
		0, 0, 0, 0x48, 0x8d, 0x04, 0x24, 0xc8, 0x10, 0x00, 0x00,
	};
	uint8_t jcc[6] = { 0x0f };

	forms_collect(set, text, sizeof(text));
	for (unsigned cc = 0; cc < 16; cc++) {
		jcc[1] = 0x80 | cc;
		forms_collect(set, jcc, 6);
		jcc[1] = 0x70 | cc;
		forms_collect(set, jcc + 1, 2);
	}
}

static int try_all(const struct form_set *set)
{
	static const uint8_t kinds[] = { X86_JMP,  X86_JCC,   X86_LOOP, X86_CALL, X86_JMP_INDIRECT,
					 X86_RET,  X86_PUSH,  X86_POP,  X86_LEA,  X86_CALL_INDIRECT,
					 X86_NOP,  X86_ENDBR, X86_PUSHF, X86_POPF };
	static struct trial trial, *t = &trial;
	int failures = 0;

	for (unsigned i = 0; i < set->count && failures < 20; i++)
		failures += !try_form(t, set->bytes[i]);
	for (unsigned i = 0; i < sizeof(kinds); i++)
		if (!kinds_run[kinds[i]])
			printf("FAIL nothing of kind %d was run\n", kinds[i]), failures++;
	return failures;
}

static void as_the_processor_does(void **state)
{
	static struct form_set set;
	int status;
	pid_t child;

	random_start();
	forms_by_hand(&set);
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

static struct x86_insn decoded(const char *bytes, unsigned n)
{
	struct x86_insn insn;

	assert_int_equal(x86_decode((const uint8_t *)bytes, n, &insn), n);
	return insn;
}
#define DECODED(bytes) decoded(bytes, sizeof(bytes) - 1)

/* Interrupts and the other flags that only the kernel can change; RF is gone after any popf. */
static void flags_in_the_kernel(void **state)
{
	uint64_t stack[2] = { 0x3f7fd5, 0x202 };
	struct x86_insn popf = DECODED("\x9d"), pushf = DECODED("\x9c"), cli = DECODED("\xfa");
	struct pt_regs regs = { .flags = 0x10002, .sp = (uint64_t)stack };

	assert_int_equal(x86_emulate(&popf, 0x1000, &regs, NULL), 0);
	assert_int_equal(regs.flags, 0x247fd7); /* neither RF, VM, VIF nor VIP from the stack */
	assert_int_equal(regs.sp, (uint64_t)(stack + 1));
	assert_int_equal(regs.ip, 0x1001);
	assert_int_equal(x86_emulate(&cli, 0x1000, &regs, NULL), 0);
	assert_int_equal(regs.flags, 0x247dd7);
	regs.flags |= 0x30000;
	assert_int_equal(x86_emulate(&pushf, 0x1000, &regs, NULL), 0);
	assert_int_equal(stack[0], 0x247dd7);
	assert_int_equal(regs.flags, 0x277dd7);
}

static void which_home(void **state)
{
	static const char *const flags[] = { "\x9c", "\x9d", "\xfa" };
	struct x86_insn insn;

	for (unsigned i = 0; i < 3; i++) {
		insn = decoded(flags[i], 1);
		assert_true(x86_can_emulate(&insn, X86_KERNEL));
		assert_false(x86_can_emulate(&insn, X86_PROCESS));
	}
	insn = DECODED("\xfb"); /* sti: the next instruction would lose its shadow */
	assert_false(x86_can_emulate(&insn, X86_KERNEL));
}

static void unknown_instructions(void **state)
{
	static const struct {
		const char *bytes;
		unsigned n;
	} unknown[] = {
		{ "\x01\xd8", 2 },         /* add */
		{ "\x66\x50", 2 },         /* push %ax */
		{ "\xff\x30", 2 },         /* push (%rax) */
		{ "\x8f\x00", 2 },         /* pop (%rax) */
		{ "\x0f\xa0", 2 },         /* push %fs */
		{ "\x66\x9c", 2 },         /* pushfw */
		{ "\x66\xe9\0\0\0\0", 6 }, /* read differently by Intel and AMD */
		{ "\xcc", 1 },
		{ "\xcb", 1 },             /* lret */
	};
	struct pt_regs regs = { .ip = 7 }, before = regs;

	for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct x86_insn insn = decoded(unknown[i].bytes, unknown[i].n);

		assert_false(x86_can_emulate(&insn, X86_KERNEL));
		assert_int_equal(x86_emulate(&insn, 0, &regs, NULL), -EOPNOTSUPP);
		assert_memory_equal(&regs, &before, sizeof(regs));
	}
}

static uint64_t table_base(void *context, enum x86_prefix segment)
{
	return segment == X86_PREFIX_GS ? (uint64_t)context : 0;
}

static void operand_in_a_segment(void **state)
{
	uint64_t table[4] = { 0, 0, 0x1234, 0 };
	struct x86_memory memory = { .segment_base = table_base, .context = table };
	struct x86_insn insn = DECODED("\x65\xff\x60\x08"); /* jmp *%gs:8(%rax) */
	struct pt_regs regs = { .ax = 8 };

	assert_int_equal(x86_emulate(&insn, 0, &regs, NULL), -EOPNOTSUPP);
	assert_int_equal(x86_emulate(&insn, 0, &regs, &memory), 0);
	assert_int_equal(regs.ip, 0x1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_processor_does), cmocka_unit_test(flags_in_the_kernel),
		cmocka_unit_test(which_home),            cmocka_unit_test(unknown_instructions),
		cmocka_unit_test(operand_in_a_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
