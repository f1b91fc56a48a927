/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/regs.h - the saved registers of a hit on x86-64.
 *
 * The layout is the kernel's `struct pt_regs`, which is an interface: debuggers, BPF and ptrace
 * read it by these offsets. Two sets of names for the same words, because both are in use: the
 * kernel's own (ax, ip) and ptrace's (rax, rip). A trampoline that saves fewer registers fills what
 * a handler may read (see the planter) and leaves the others undefined.
 *
 * After an interrupt or a breakpoint `sp` is the value before the trap. In assembly include this
 * file with __ASSEMBLY__ defined: it gives the PT_* offsets only.
 */
#ifndef SPILE_ENGINE_ARCH_X86_REGS_H
#define SPILE_ENGINE_ARCH_X86_REGS_H

/* Byte offsets, for assembly and for spl_reg(). */
#define PT_R15 0
#define PT_R14 8
#define PT_R13 16
#define PT_R12 24
#define PT_BP 32
#define PT_BX 40
#define PT_R11 48
#define PT_R10 56
#define PT_R9 64
#define PT_R8 72
#define PT_AX 80
#define PT_CX 88
#define PT_DX 96
#define PT_SI 104
#define PT_DI 112
#define PT_ORIG_AX 120
#define PT_IP 128
#define PT_CS 136
#define PT_FLAGS 144
#define PT_SP 152
#define PT_SS 160
#define PT_SIZE 168

#define ARCH_BREAKPOINT_BYTES 1 /* a hit shows ip behind the breakpoint, as the API documents */
#define ARCH_CALL_BYTES 5       /* what the compiler leaves room for at a function's entry */

#ifndef __ASSEMBLY__

#include <stddef.h>
#include <stdint.h>

/* One word with the kernel's name and ptrace's name. */
#define PT_WORD(kernel_name, ptrace_name)                                                          \
	union {                                                                                    \
		uint64_t kernel_name;                                                         \
		uint64_t ptrace_name;                                                         \
	}

struct pt_regs {
	uint64_t r15, r14, r13, r12;
	PT_WORD(bp, rbp);
	PT_WORD(bx, rbx);
	uint64_t r11, r10, r9, r8;
	PT_WORD(ax, rax);
	PT_WORD(cx, rcx);
	PT_WORD(dx, rdx);
	PT_WORD(si, rsi);
	PT_WORD(di, rdi);
	PT_WORD(orig_ax, orig_rax); /* system call number, error code, or -1 */
	PT_WORD(ip, rip);
	uint64_t cs;
	PT_WORD(flags, eflags);
	PT_WORD(sp, rsp);
	uint64_t ss;
};

_Static_assert(offsetof(struct pt_regs, ax) == PT_AX, "pt_regs layout");
_Static_assert(offsetof(struct pt_regs, ip) == PT_IP, "pt_regs layout");
_Static_assert(offsetof(struct pt_regs, sp) == PT_SP, "pt_regs layout");
_Static_assert(sizeof(struct pt_regs) == PT_SIZE, "pt_regs layout");

/** How many integer arguments the psABI passes in registers. */
#define REGS_ARGS 6

/** The n-th (0 to 5) integer argument at a function's entry. */
static inline uint64_t regs_arg(const struct pt_regs *regs, int n)
{
	static const uint8_t offsets[REGS_ARGS] = { PT_DI, PT_SI, PT_DX, PT_CX, PT_R8, PT_R9 };

	return *(const uint64_t *)((const char *)regs + offsets[n]);
}

/** Where the n-th (6 and up) argument lies at a function's entry, above the return address. */
static inline uint64_t regs_arg_address(const struct pt_regs *regs, int n)
{
	return regs->sp + 8 + 8 * (uint64_t)(n - REGS_ARGS);
}

#endif /* __ASSEMBLY__ */
#endif
