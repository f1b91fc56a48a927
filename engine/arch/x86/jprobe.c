// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into a jprobe's handler and out of it.
 *
 * The document lets the trap return into the handler, on the probed function's own stack, and
 * jprobe_return() trap again. Here the handler is entered from within the hit instead, with the
 * probed function's registers and a copy of its arguments on the stack, so that it works in the same
 * way under every planter, also under those that cannot divert a hit, and needs no second trap:
 *
 *      higher addresses
 *      the probed function's frame     <- regs->sp: return address, arguments on the stack
 *      the planter's and the engine's frames
 *      saved: rbp rbx r12 r13 r14 r15  <- *ret_frame
 *      copy of X86_JPROBE_STACK_BYTES  <- the handler's sp: return address, arguments
 *      the handler's frame
 *
 * What the handler does to its registers and to the copy is forgotten, and the probed function
 * goes on with what its caller gave it. The copied return address is the probed function's, as the
 * document has it: a handler can tell its caller, and must not return.
 *
 * The copy begins at the same place within 16 bytes as the original: vector code counts on it.
 *
 * In a process there may be a shadow stack, on which the frames that are dropped have left their
 * return addresses. Its pointer is saved with the registers, and moved back over them. (Where there
 * is none, reading it does nothing: the register keeps its 0.)
 */
#include "engine/arch/x86/jprobe.h"

#include "engine/host.h"

#define PAGE_BYTES 4096u
#define WORDS (X86_JPROBE_STACK_BYTES / 8)

#define STR(x) STR_(x)
#define STR_(x) #x

/* What a compiler would emit for a jump through a pointer and for a return: kernels may have
 * mitigations for both, and the prefix leaves room for them. */
#ifdef __SPILE_KERNEL__
#define JUMP_R11 "cs jmp __x86_indirect_thunk_r11\n"
#define RETURN "jmp __x86_return_thunk\n"
#else
#define JUMP_R11 "notrack jmp *%r11\n"
#define RETURN "ret\n"
#endif

#ifdef __SPILE_KERNEL__
#define SHADOW_SAVE
#define SHADOW_DROP
#else
#define SHADOW_SAVE                                                                                \
	"	xorl %eax, %eax\n"                                                                 \
	"	rdsspq %rax\n"                                                                     \
	"	pushq %rax\n"
#define SHADOW_DROP                                                                                \
	"	popq %rcx\n"                                                                       \
	"	xorl %eax, %eax\n"                                                                 \
	"	rdsspq %rax\n"                                                                     \
	"	subq %rax, %rcx\n" /* 0 also where there is none */                                \
	"	shrq $3, %rcx\n"                                                                   \
	"	movl $1, %eax\n"                                                                   \
	"1:	jrcxz 2f\n"                                                                        \
	"	incsspq %rax\n" /* knows steps of up to 255; frames are few */                     \
	"	decq %rcx\n"                                                                       \
	"	jmp 1b\n"                                                                          \
	"2:\n"
#endif

void x86_jprobe_enter(const void *handler, const struct pt_regs *regs, const uint64_t *stack,
		      void **ret_frame);

/*
 * x86_jprobe_enter(): saves what the caller must find again, copies `stack`, loads the registers
 * and goes. r11 carries the handler's address: it is nobody's at a function's entry.
 *
 * x86_jprobe_return(): back to the saved registers, and to the caller of x86_jprobe_enter().
 */
__asm__(".pushsection .text\n"
	".globl x86_jprobe_enter\n"
	".hidden x86_jprobe_enter\n"
	".type x86_jprobe_enter, @function\n"
	"x86_jprobe_enter:\n"
	"	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	SHADOW_SAVE
	"	movq %rsp, (%rcx)\n"
	"	movq %rdi, %r11\n"
	"	movq %rsi, %r10\n"
	/* sp = ((sp - size - 16) & ~15) + (regs->sp & 15) */
	"	movl " STR(PT_SP) "(%r10), %eax\n"
	"	andl $15, %eax\n"
	"	leaq -" STR(X86_JPROBE_STACK_BYTES) "-16(%rsp), %rdi\n"
	"	andq $-16, %rdi\n"
	"	addq %rax, %rdi\n"
	"	movq %rdi, %rsp\n"
	"	movq %rdx, %rsi\n"
	"	movl $" STR(X86_JPROBE_STACK_BYTES) "/8, %ecx\n"
	"	rep movsq\n"
	"	movq " STR(PT_R15) "(%r10), %r15\n"
	"	movq " STR(PT_R14) "(%r10), %r14\n"
	"	movq " STR(PT_R13) "(%r10), %r13\n"
	"	movq " STR(PT_R12) "(%r10), %r12\n"
	"	movq " STR(PT_BP) "(%r10), %rbp\n"
	"	movq " STR(PT_BX) "(%r10), %rbx\n"
	"	movq " STR(PT_R9) "(%r10), %r9\n"
	"	movq " STR(PT_R8) "(%r10), %r8\n"
	"	movq " STR(PT_AX) "(%r10), %rax\n"
	"	movq " STR(PT_CX) "(%r10), %rcx\n"
	"	movq " STR(PT_DX) "(%r10), %rdx\n"
	"	movq " STR(PT_SI) "(%r10), %rsi\n"
	"	movq " STR(PT_DI) "(%r10), %rdi\n"
	"	movq " STR(PT_R10) "(%r10), %r10\n"
	"	" JUMP_R11
	".size x86_jprobe_enter, . - x86_jprobe_enter\n"

	".globl x86_jprobe_return\n"
	".hidden x86_jprobe_return\n"
	".type x86_jprobe_return, @function\n"
	"x86_jprobe_return:\n"
	"	movq %rdi, %rsp\n"
	SHADOW_DROP
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	" RETURN
	".size x86_jprobe_return, . - x86_jprobe_return\n"
	".popsection\n");

/*
 * The stack at sp, as far as there is one: a function may have been called near its top, and behind
 * that there is a page that must not be touched. The page of sp itself is in use.
 */
static const uint64_t *stack_at(uint64_t sp, uint64_t copy[WORDS])
{
	size_t here = PAGE_BYTES - (sp & (PAGE_BYTES - 1)), rest = X86_JPROBE_STACK_BYTES - here;

	if (here >= X86_JPROBE_STACK_BYTES)
		return (const uint64_t *)(uintptr_t)sp;
	host_read_kernel(copy, sp, here);
	if (host_read_kernel((char *)copy + here, sp + here, rest))
		memset((char *)copy + here, 0, rest);
	return copy;
}

/* any */
void x86_jprobe_call(const void *handler, const struct pt_regs *regs, void **ret_frame)
{
	uint64_t copy[WORDS];

	x86_jprobe_enter(handler, regs, stack_at(regs->sp, copy), ret_frame);
}
