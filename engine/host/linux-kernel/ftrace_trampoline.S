/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probed function calls at its entry, instead of ftrace's own trampoline.
 *
 * A struct ftrace_ops may bring a trampoline of its own. While it is the only one that wants a
 * function, ftrace writes `call ftrace_trampoline` into that function; when a second user arrives,
 * it calls its own trampoline, which calls everybody's callback (ours is in ftrace.c).
 *
 * The stack below a hit, and, while a call-through runs the body, below that:
 *
 *	    parent             return address of the probed function's call  <- pt_regs.sp
 *	    body               behind the call at the function's entry
 *	    caller's rbp       <- rbp
 *	    struct pt_regs     <- rbp - PT_SIZE
 *	    struct ftrace_through_frame                                      <- rsp in the body
 *
 * `body`, the saved rbp and this code being a module's without unwind tables are what the kernel's
 * unwinder needs: it goes by rbp here and by its own tables again in the function.
 *
 * In C:
 *
 *	unsigned long todo = ftrace_hit(regs, ip);
 *
 *	if (todo == 0)              back to the body
 *	if (todo == FTRACE_DIVERT)  a handler has set regs->ip: there, with all registers from regs
 *	else                        a call-through with a frame of that many bytes:
 *		if (!ftrace_through_enter(frame, regs, todo)) back to the body
 *		rax, rdx = body(...);
 *		ftrace_through_exit(frame, regs);
 *		return to parent
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/ftrace_hit.h"

#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define REG(name) PT_##name - PT_SIZE(%rbp)

.macro SAVE_REGS
	pushq %rbp
	movq %rsp, %rbp
	leaq -PT_SIZE(%rsp), %rsp /* keeps the flags */
	movq %r15, REG(R15)
	movq %r14, REG(R14)
	movq %r13, REG(R13)
	movq %r12, REG(R12)
	movq %rbx, REG(BX)
	movq %r11, REG(R11)
	movq %r10, REG(R10)
	movq %r9, REG(R9)
	movq %r8, REG(R8)
	movq %rax, REG(AX)
	movq %rcx, REG(CX)
	movq %rdx, REG(DX)
	movq %rsi, REG(SI)
	movq %rdi, REG(DI)
	movq $-1, REG(ORIG_AX)
	movq $KERNEL_CS, REG(CS)
	movq $KERNEL_SS, REG(SS)
	pushfq
	popq REG(FLAGS)
	movq (%rbp), %rax
	movq %rax, REG(BP)
	leaq 16(%rbp), %rax
	movq %rax, REG(SP)
	movq 8(%rbp), %rsi
	movq %rsi, REG(IP)
	movq %rsp, %rdi
	subq $ARCH_CALL_BYTES, %rsi
.endm

/* What a function's caller expects it to find, or may itself expect to be kept. */
.macro RESTORE_ARGS
	movq REG(R10), %r10
	movq REG(R9), %r9
	movq REG(R8), %r8
	movq REG(AX), %rax
	movq REG(CX), %rcx
	movq REG(DX), %rdx
	movq REG(SI), %rsi
	movq REG(DI), %rdi
.endm

.macro RETURN
	jmp __x86_return_thunk
	int3
.endm

	.text
	.globl ftrace_trampoline
	.type ftrace_trampoline, @function
ftrace_trampoline:
	SAVE_REGS
	call ftrace_hit
	testq %rax, %rax
	jnz 1f
back:
	RESTORE_ARGS
	leave
	RETURN
1:	cmpq $FTRACE_DIVERT, %rax
	jne through
divert:	movq REG(IP), %rax
	movq %rax, 8(%rbp)
	movq REG(BP), %rax
	movq %rax, (%rbp)
	movq REG(R15), %r15
	movq REG(R14), %r14
	movq REG(R13), %r13
	movq REG(R12), %r12
	movq REG(R11), %r11
	movq REG(BX), %rbx
	jmp back
	.size ftrace_trampoline, . - ftrace_trampoline

/*
 * For the code that is made for single probes, whose frame is the same down to pt_regs
 * (ftrace_code.c). Preemption is still disabled.
 */
	.globl ftrace_code_divert
	.type ftrace_code_divert, @function
ftrace_code_divert:
	addl $-1, %gs:kcpu_preempt_count
	jnz divert
	call host_preempt_now
	jmp divert
	.size ftrace_code_divert, . - ftrace_code_divert

/* A reschedule is due: between any two instructions, so everything is kept. */
	.globl ftrace_code_resched
	.type ftrace_code_resched, @function
ftrace_code_resched:
	pushq %rbp
	movq %rsp, %rbp
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	call host_preempt_now
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	leave
	.globl ftrace_code_return_insn
ftrace_code_return_insn:
	RETURN
	.size ftrace_code_resched, . - ftrace_code_resched

/*
 * The body is called by a push and a return, since where indirect calls are sealed the place behind
 * a function's entry may not be called through a register.
 */
	.type through, @function
through:
	subq %rax, %rsp
	movq %rsp, %rdi
	leaq -PT_SIZE(%rbp), %rsi
	movq %rax, %rdx
	call ftrace_through_enter
	testl %eax, %eax
	jz back
	RESTORE_ARGS
	call 1f
	movq %rax, REG(AX)
	movq %rdx, REG(DX)
	movq %rsp, %rdi
	leaq -PT_SIZE(%rbp), %rsi
	call ftrace_through_exit
	movq REG(AX), %rax
	movq REG(DX), %rdx
	leave
	addq $8, %rsp
	RETURN
1:	pushq 8(%rbp)
	RETURN
	.size through, . - through

/*
 * A call-through that begins in ftrace's callback: there regs->ip was set to this place and r10,
 * which is nobody's at a function's entry, to the body. (5.10 does not restore r11.)
 */
	.globl ftrace_through_begin
	.type ftrace_through_begin, @function
ftrace_through_begin:
	endbr64
	pushq %r10
	SAVE_REGS
	call ftrace_hit_through
	testq %rax, %rax
	jz back
	jmp through
	.size ftrace_through_begin, . - ftrace_through_begin

/* In place of a function that was to look after a fault (fault.c): "it is fixed". */
	.globl fault_is_fixed
	.type fault_is_fixed, @function
fault_is_fixed:
	endbr64
	movl $1, %eax
	RETURN
	.size fault_is_fixed, . - fault_is_fixed

	.section .note.GNU-stack,"",@progbits
