/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/vm/text_target.h - a function with the places of its instructions known, to be probed. */
#ifndef SPILE_TESTS_VM_TEXT_TARGET_H
#define SPILE_TESTS_VM_TEXT_TARGET_H

#include <stdint.h>

uint64_t t_many(uint64_t a, uint64_t b);
extern char *t_places[]; /* by enum place */

enum place {
	T_LEA,
	T_ADD,
	T_RIP,
	T_PUSH,
	T_PUSHF,
	T_POPF,
	T_STORE,
	T_JCC,
	T_CALL,
	T_AFTER,
	T_SHORT,
	T_INSIDE,
	T_TAIL,
	T_RET,
};

/*
 * uint64_t t_many(a, b): 2 * (a + b + 1) + 40 + memory, and the carry of 3 - a is seen through flags
 * that are saved, changed and restored under the probes. t_helper adds 3.
 */
__asm__(".pushsection .data\n"
	".balign 8\n"
	"t_memory: .quad 20\n"
	"t_places:\n"
	"	.quad .Lt_lea\n"
	"	.quad .Lt_add\n"
	"	.quad .Lt_rip\n"
	"	.quad .Lt_push\n"
	"	.quad .Lt_pushf\n"
	"	.quad .Lt_popf\n"
	"	.quad .Lt_store\n"
	"	.quad .Lt_jcc\n"
	"	.quad .Lt_call\n"
	"	.quad .Lt_after\n"
	"	.quad .Lt_short\n"
	"	.quad .Lt_inside\n"
	"	.quad .Lt_tail\n"
	"	.quad .Lt_ret\n"
	".popsection\n"
	".pushsection .text\n"
	".type t_helper, @function\n"
	"t_helper:\n"
	"	addq $3, %rax\n"
	"	jmp __x86_return_thunk\n"
	".size t_helper, . - t_helper\n"
	".globl t_many\n"
	".type t_many, @function\n"
	"t_many:\n"
	"	movq %rdi, %rax\n"
	".Lt_lea:	leaq 1(%rax,%rsi), %rax\n"
	".Lt_add:	addq %rax, %rax\n"
	".Lt_rip:	addq t_memory(%rip), %rax\n"
	".Lt_push: pushq %rbx\n"
	"	cmpq $3, %rdi\n"         /* carry: a < 3 */
	".Lt_pushf: pushfq\n"
	"	xorl %ebx, %ebx\n"       /* no carry any more */
	".Lt_popf: popfq\n"
	".Lt_store: movq %rax, -8(%rsp)\n"
	".Lt_jcc:	jc 1f\n"
	"	addq $7, %rax\n"
	"1:	movl $5, %ebx\n"
	".Lt_call: call t_helper\n"
	".Lt_after: addq %rbx, %rax\n"
	".Lt_short: xchgq %rbx, %rbx\n"
	".Lt_inside: addq $2, %rax\n"
	".Lt_tail: popq %rbx\n"
	"	addq $30, %rax\n"
	"	addq $0, %rax\n"
	".Lt_ret:	jmp __x86_return_thunk\n"
	".size t_many, . - t_many\n"
	".popsection\n");

static inline uint64_t many_result(uint64_t a, uint64_t b)
{
	return 2 * (a + b + 1) + 20 + (a < 3 ? 0 : 7) + 3 + 5 + 2 + 30;
}

#endif
