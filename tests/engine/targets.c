// SPDX-License-Identifier: GPL-2.0-only
/* Functions to be probed: never inlined, cloned or analysed by their callers. */
#include "tests/engine/suite.h"

#define TARGET __attribute__((noinline, noclone, noipa, used))

TARGET long target_add(long a, long b)
{
	return a + b;
}

TARGET long target_other(long a, long b)
{
	return a * b;
}

TARGET long target_inner(long a)
{
	return a + 1;
}

TARGET long target_recurse(long n)
{
	long below = n > 1 ? target_recurse(n - 1) : 0;

	__asm__ volatile("" : "+r"(below)); /* no loop instead */
	return below + 1;
}

TARGET long target_many(long a, long b, long c, long d, long e, long f, long g, long h)
{
	return a - b + c - d + e - f + g * 100 + h * 1000;
}

TARGET long target_busy(long n)
{
	long sum = n;

	for (long i = 0; i < n % 7; i++)
		__asm__ volatile("" : "+r"(sum));
	return sum + 3;
}

__asm__(".text\n"
	".balign 16\n"
	".globl target_mov\n"
	".type target_mov, @function\n"
	"target_mov:\n"
	"	.cfi_startproc\n"
	"	mov $7, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size target_mov, . - target_mov\n");

__asm__(".text\n"
	".balign 16\n"
	".globl target_load\n"
	".type target_load, @function\n"
	"target_load:\n"
	"	.cfi_startproc\n"
	"	mov (%rdi), %rax\n"
	"	ret\n"
	"	nop\n"
	"	nop\n"
	"	.cfi_endproc\n"
	".size target_load, . - target_load\n");
