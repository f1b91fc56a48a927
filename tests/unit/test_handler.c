// SPDX-License-Identifier: GPL-2.0-only
/* Reading handlers: what they need of a hit, and what they change. The handlers are in assembly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/arch/x86/handler.h"
#include "engine/arch/x86/regs.h"

#define HANDLER(name, body)                                                                        \
	extern char h_##name[];                                                                    \
	__asm__(".pushsection .text\n.type h_" #name ", @function\nh_" #name ":\n" body            \
		"\n.size h_" #name ", . - h_" #name "\n.popsection\n");

HANDLER(counts, "endbr64\naddq $1, h_word(%rip)\nxorl %eax, %eax\nret")
HANDLER(loads, "movq 112(%rsi), %rcx\nmovq %rcx, h_word(%rip)\nxorl %eax, %eax\nret")
HANDLER(loads_other, "movq 0(%rsi), %rcx\nxorl %eax, %eax\nret")
HANDLER(writes, "movq $0, 128(%rsi)\nmovl $1, %eax\nret")
HANDLER(passes_on, "movq %rsi, %rdi\nxorl %eax, %eax\nret")
HANDLER(calls, "call h_counts\nret")
HANDLER(calls_user, "call h_writes\nret")
HANDLER(calls_unknown, "call *%rax\nret")
HANDLER(branches, "testl %edi, %edi\njne 1f\nret\n1: movq %r9, 8(%rsi)\nret")
HANDLER(vectors, "pxor %xmm0, %xmm0\nret")
HANDLER(may_jump, "xorl %eax, %eax\n.byte 0x0f, 0x1f, 0x44, 0, 0\nret")
HANDLER(traced, ".byte 0x0f, 0x1f, 0x44, 0, 0\nxorl %eax, %eax\nret")
HANDLER(jumps, "jmp 1f\nmovq %rax, (%rsi)\n1: ret")
HANDLER(thunk, "int3")
HANDLER(to_thunk, "xorl %eax, %eax\njmp h_thunk\nint3")
HANDLER(many, "movl $1, %r8d\nmovzbl (%rdi), %edx\nmull %r9d\nret")
HANDLER(pushes, "pushq %rdi\npopq %rcx\nret")
HANDLER(string, "rep stosq\nret")
HANDLER(warns, "ud2\nmovq %rax, (%rsi)\nret")
__asm__(".pushsection .bss\nh_word: .skip 8\n.popsection\n");

static int read_memory(void *unused, uint64_t addr, uint8_t *dst, size_t n)
{
	memcpy(dst, (const void *)(uintptr_t)addr, n);
	return (int)n;
}

static const uint8_t words[] = { PT_DI, PT_IP };

static struct x86_handler look(const char *handler, bool kernel)
{
	struct x86_handler_reader reader = { .read = read_memory, .words = words,
					     .nwords = sizeof(words), .changes = kernel,
					     .return_thunk = kernel ? (uintptr_t)h_thunk : 0 };

	return x86_handler_read(&reader, (uintptr_t)handler);
}

#define REGS (X86_HANDLER_REGS)
#define WORDS (X86_HANDLER_WORDS)
#define ALL (X86_HANDLER_VECTORS | X86_HANDLER_REGS | X86_HANDLER_WORDS)

static void test_needs(void **state)
{
	static const struct {
		const char *handler;
		unsigned process, kernel;
	} cases[] = {
		{ NULL, 0, 0 },
		{ h_counts, 0, 0 },
		{ h_loads, WORDS, WORDS },
		{ h_loads_other, REGS, REGS },
		{ h_writes, REGS, REGS },
		{ h_passes_on, REGS, REGS },
		{ h_calls, 0, ALL },
		{ h_calls_user, REGS, ALL },
		{ h_calls_unknown, ALL, ALL },
		{ h_branches, REGS, REGS },
		{ h_vectors, ALL, ALL },
		{ h_may_jump, 0, ALL },
		{ h_traced, 0, 0 },
		{ h_jumps, 0, REGS }, /* the jump may be a nop one day */
		{ h_to_thunk, 0, 0 },
		{ h_warns, 0, ALL },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(look(cases[i].handler, false).needs, cases[i].process);
		assert_int_equal(look(cases[i].handler, true).needs, cases[i].kernel);
	}
}

static void test_takes_what(void **state)
{
	assert_false(look(NULL, true).takes_what);
	assert_false(look(h_counts, true).takes_what);
	assert_false(look(h_loads, true).takes_what);
	assert_true(look(h_many, true).takes_what);        /* (%rdi) */
	assert_true(look(h_branches, false).takes_what);   /* %edi */
	assert_true(look(h_passes_on, true).takes_what);   /* writes it: too much, but safe */
	assert_true(look(h_string, true).takes_what);
	assert_true(look(h_pushes, true).takes_what);
	assert_true(look(h_calls, true).takes_what);
}

static void test_clobbers(void **state)
{
	unsigned many = look(h_many, true).clobbers;

	assert_int_equal(look(h_counts, true).clobbers, 1 << 0);
	assert_int_equal(look(h_loads, true).clobbers, 1 << 0 | 1 << 1);
	assert_int_equal(many & (1 << 8 | 1 << 2 | 1 << 0), 1 << 8 | 1 << 2 | 1 << 0);
	assert_int_equal(many & (1 << 11 | 1 << 6), 0);
	assert_int_equal(look(h_string, true).clobbers, X86_CLOBBERS_ALL);
	/* Whoever traces a handler may put anything in its place. */
	assert_int_equal(look(h_traced, true).clobbers, X86_CLOBBERS_ALL);
	assert_int_equal(look(h_traced, false).clobbers, 1 << 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_takes_what),
		cmocka_unit_test(test_clobbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
