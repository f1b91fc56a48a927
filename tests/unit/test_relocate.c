// SPDX-License-Identifier: GPL-2.0-only
/**
 * Relocated instructions do what the originals do: both run on the real processor from the same
 * random registers and memory, and everything that they leave behind is compared. Instructions: one
 * of each form that occurs in libc and in the kernels that the cache describes. By hand: ranges,
 * room, what is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/arch/x86/relocate.h"
#include "engine/arch/x86/slot.h"
#include "tests/unit/fixture_x86.h"

/* Random register states per form: many for those of libc, fewer for the kernels' ten times more. */
#define STATES 6
#define STATES_KERNEL 2

/* Where a copy's `ip` would be in the original; ~0 in the middle of a copy. */
static uint64_t original_ip(uint64_t ip, uint64_t to, unsigned copied, const struct x86_insn *insn)
{
	if (ip == to)
		return FROM;
	if (ip - to >= copied && ip - to <= copied + 1u) /* +1: past the breakpoint */
		return FROM + insn->length + (ip - to - copied);
	return ip - to < copied ? ~0ull : ip;
}

struct trial {
	struct x86_insn insn;
	uint8_t bytes[X86_INSN_MAX];
	struct x86_state in, home, away;
	struct x86_memory_image before, at_home, elsewhere;
	int copied;
};

/* A copied call to a bad pointer faults one instruction later, with the return address pushed. */
static bool is_known_difference(const struct trial *t)
{
	return t->insn.kind == X86_CALL_INDIRECT && t->home.signal != SIGTRAP &&
	       t->home.regs.ip == FROM && t->away.signal == t->home.signal &&
	       t->away.regs.sp == t->home.regs.sp - 8 && t->away.fault == t->home.fault;
}

static const char *run_both(struct trial *t, uint64_t to)
{
	const char *what;

	image_load(&t->before);
	x86_run(&t->in, FROM, &t->home);
	image_save(&t->at_home);
	image_load(&t->before);
	x86_run(&t->in, to, &t->away);
	image_save(&t->elsewhere);
	if (is_known_difference(t))
		return NULL;
	what = x86_difference(&t->home, &t->away);
	if (what)
		return what;
	if (t->home.regs.ip != original_ip(t->away.regs.ip, to, t->copied, &t->insn))
		return "rip";
	return memcmp(&t->at_home, &t->elsewhere, sizeof(t->at_home)) ? "memory" : NULL;
}

/* popf may set no flag that the test itself would stumble over. */
static void tame_stack(struct trial *t)
{
	uint64_t flags = 0x202 | (random_next() & STATUS_FLAGS);

	if (t->insn.kind == X86_POPF)
		memcpy(t->before.stack + (t->in.regs.sp - STACK_PAGE), &flags, sizeof(flags));
}

static int try_form(struct trial *t, const uint8_t *bytes, unsigned states)
{
	uint64_t to = FAR_PAGE + 0x400 + random_below(64);
	unsigned i;

	memcpy(t->bytes, bytes, X86_INSN_MAX);
	if (t->insn.kind == X86_POPF) /* tame_stack() was at work */
		image_random(&t->before);
	form_settle(t->bytes, FROM, &t->insn);
	t->copied = x86_relocate(&t->insn, t->bytes, FROM, to, writable(to), X86_RELOCATED_MAX);
	if (t->copied < 0)
		return 0;
	memcpy(writable(FROM), t->bytes, t->insn.length);
	for (i = 0; i < states; i++) {
		const char *what;

		state_random(&t->insn, &t->in);
		tame_stack(t);
		what = run_both(t, to);
		if (!what)
			continue;
		printf("FAIL");
		print_bytes(t->bytes, t->insn.length);
		printf(" as");
		print_bytes(writable(to), t->copied);
		printf(": %s (signals %d, %d; ip %#lx, %#lx)\n", what, t->home.signal,
		       t->away.signal, (long)t->home.regs.ip, (long)t->away.regs.ip);
		break;
	}
	memset(writable(FROM), 0xcc, X86_INSN_MAX);
	memset(writable(to), 0xcc, X86_RELOCATED_MAX);
	return i < states;
}

static unsigned kinds_run[256];

static int try_all(const struct form_set *set, unsigned thorough)
{
	static struct trial trial, *t = &trial;
	int failures = 0, clean = 0;

	image_random(&t->before);
	for (unsigned i = 0; i < set->count && failures < 20; i++) {
		failures += try_form(t, set->bytes[i], i < thorough ? STATES : STATES_KERNEL);
		kinds_run[t->insn.kind] += t->copied > 0;
		clean += t->home.signal == SIGTRAP;
	}
	printf("# %u forms, %d of them ran without a fault the last time\n", set->count, clean);
	/* An oracle that mostly compares faults with faults would show nothing. */
	return failures + (clean < (int)set->count / 2);
}

/* Branches that compilers do not make. */
static void forms_by_hand(struct form_set *set)
{
	static const uint8_t text[] = {
		0xeb, 0x00, 0xe9, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x74, 0x00, 0x0f, 0x84, 0, 0, 0, 0,
		0xe0, 0x00, 0xe1, 0x00, 0xe2, 0x00, 0xe3, 0x00, 0x67, 0xe2, 0x00, 0x67, 0xe3, 0x00,
		0x3e, 0x74, 0x00, 0x2e, 0x75, 0x00, 0xf2, 0xe8, 0, 0, 0, 0, 0x48, 0xe8, 0, 0, 0, 0,
		0xf2, 0xff, 0xd0, 0x41, 0xff, 0xd3, 0xff, 0x15, 0, 0, 0, 0, 0xff, 0x14, 0xc8,
		0x3e, 0xff, 0xe0, 0xff, 0x25, 0, 0, 0, 0, 0xff, 0xe4, 0x41, 0xff, 0x64, 0x24, 0x08,
		0xc2, 0x10, 0x00, 0x9c, 0x9d, 0xfa, 0xfb, 0xf4, 0xf3, 0xa4, 0xf3, 0xaa, 0xf2, 0xae,
	};

	forms_collect(set, text, sizeof(text));
}

/* In a child: an instruction that takes the process with it fails one test only. */
static void same_behaviour_at_a_distance(void **state)
{
	static struct form_set set;
	unsigned thorough;
	int status;
	pid_t child;

	random_start();
	forms_by_hand(&set);
	forms_of_libc(&set);
	thorough = set.count;
	forms_of_kernels(&set);
	assert_true(thorough > FORMS_OF_LIBC);
	child = fork();
	if (!child) {
		x86_run_init();
		alarm(1200);
		status = try_all(&set, thorough) != 0;
		for (int k = X86_JMP; k <= X86_CALL; k++)
			if (!kinds_run[k])
				printf("FAIL no branch of kind %d was run\n", k), status = 1;
		fflush(stdout);
		_exit(status);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* --- by hand --- */

static int relocate(const char *bytes, unsigned n, uint64_t from, uint64_t to, uint8_t *out,
		    size_t room)
{
	struct x86_insn insn;

	assert_int_equal(x86_decode((const uint8_t *)bytes, n, &insn), n);
	return x86_relocate(&insn, (const uint8_t *)bytes, from, to, out, room);
}
#define RELOCATE(bytes, from, to, out) \
	relocate(bytes, sizeof(bytes) - 1, from, to, out, X86_RELOCATED_MAX)

static void too_far(void **state)
{
	uint8_t out[X86_RELOCATED_MAX];

	/* the operand, 16 bytes behind the instruction, must be within 2 GB of the copy */
	assert_int_equal(RELOCATE("\x8b\x05\x10\0\0\0", 0x10000, 0x8000000f, out), 6);
	assert_int_equal(RELOCATE("\x8b\x05\x10\0\0\0", 0x10000, 0x80010011, out), -ERANGE);
	assert_int_equal(RELOCATE("\xe9\0\0\0\0", 0x10000, 0x90000000, out), -ERANGE);
	assert_int_equal(RELOCATE("\x74\x10", 0x10000, 0x90000000, out), -ERANGE);
	assert_int_equal(RELOCATE("\xe8\0\0\0\0", 0x10000, 0x90000000, out), -ERANGE);
	assert_int_equal(RELOCATE("\xe2\0", 0x10000, 0x90000000, out), -ERANGE);
	assert_int_equal(RELOCATE("\x90", 0x10000, 0x90000000, out), 1);
	assert_int_equal(x86_jump_encode(0, 0x7fffffff + 5ull, out), 0);
	assert_int_equal(x86_jump_encode(0, 0x80000000 + 5ull, out), -ERANGE);
}

static void displacement_extremes(void **state)
{
	uint8_t out[X86_RELOCATED_MAX];
	int32_t disp;

	assert_int_equal(RELOCATE("\x8b\x05\xff\xff\xff\x7f", 0x10000, 0x10001, out), 6);
	memcpy(&disp, out + 2, 4);
	assert_int_equal(disp, 0x7ffffffe);
	assert_int_equal(RELOCATE("\x8b\x05\xff\xff\xff\x7f", 0x10000, 0xffff, out), -ERANGE);
	/* an immediate behind the displacement stays where it is */
	assert_int_equal(RELOCATE("\xc6\x05\0\0\0\0\x5a", 0x10000, 0x10001, out), 7);
	assert_memory_equal(out, "\xc6\x05\xff\xff\xff\xff\x5a", 7);
}

/* Kernel addresses and low ones need one push, others a push and a move. */
static void call_expansion(void **state)
{
	uint8_t out[X86_RELOCATED_MAX];

	assert_int_equal(RELOCATE("\xe8\0\0\0\0", 0xffffffff81000000, 0xffffffffc0000000, out), 10);
	assert_memory_equal(out, "\x68\x05\x00\x00\x81\xe9", 6);
	assert_int_equal(RELOCATE("\xe8\0\0\0\0", 0x7fffffff1000, 0x7ffff0001000, out), 18);
	assert_memory_equal(out, "\x68\x05\x10\xff\xff\xc7\x44\x24\x04\xff\x7f\x00\x00\xe9", 14);
}

static void no_room(void **state)
{
	static const struct {
		const char *bytes;
		unsigned n;
	} cases[] = {
		{ "\x90", 1 },
		{ "\x8b\x05\0\0\0\0", 6 },
		{ "\xeb\0", 2 },
		{ "\x74\0", 2 },
		{ "\xe2\0", 2 },
		{ "\xe8\0\0\0\0", 5 },
		{ "\xff\xd0", 2 },
	};
	uint8_t out[X86_RELOCATED_MAX + 1];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int need = relocate(cases[i].bytes, cases[i].n, 1ull << 40, (1ull << 40) + 4096, out,
				    X86_RELOCATED_MAX);

		assert_true(need > 0 && need <= X86_RELOCATED_MAX);
		for (int room = 0; room < need; room++) {
			memset(out, 0x5a, sizeof(out));
			assert_int_equal(relocate(cases[i].bytes, cases[i].n, 1ull << 40,
						  (1ull << 40) + 4096, out, room), -ENOSPC);
			assert_int_equal(out[room], 0x5a);
		}
	}
}

static void refused(void **state)
{
	uint8_t out[X86_RELOCATED_MAX];

	assert_int_equal(RELOCATE("\xcc", 0, 64, out), -EOPNOTSUPP);
	assert_int_equal(RELOCATE("\x0f\x0b", 0, 64, out), -EOPNOTSUPP);
	assert_int_equal(RELOCATE("\xff\xd4", 0, 64, out), -EOPNOTSUPP);         /* call *%rsp */
	assert_int_equal(RELOCATE("\xff\x54\x24\x08", 0, 64, out), -EOPNOTSUPP); /* 8(%rsp) */
	assert_int_equal(RELOCATE("\x41\xff\xd4", 0, 64, out), 8);                /* call *%r12 */
	assert_int_equal(RELOCATE("\x66\xe8\0\0\0\0", 0, 64, out), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_behaviour_at_a_distance),
		cmocka_unit_test(too_far),
		cmocka_unit_test(displacement_extremes),
		cmocka_unit_test(call_expansion),
		cmocka_unit_test(no_room),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
