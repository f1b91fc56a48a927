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

#ifndef __ASSEMBLY__

#include <stddef.h>

/* One word with the kernel's name and ptrace's name. */
#define PT_WORD(kernel_name, ptrace_name)                                                          \
	union {                                                                                    \
		unsigned long kernel_name;                                                         \
		unsigned long ptrace_name;                                                         \
	}

/* A program that includes libc's <sys/ptrace.h> gets a type of the same name and layout there. */
#ifndef _SYS_PTRACE_H
struct pt_regs {
	unsigned long r15, r14, r13, r12;
	PT_WORD(bp, rbp);
	PT_WORD(bx, rbx);
	unsigned long r11, r10, r9, r8;
	PT_WORD(ax, rax);
	PT_WORD(cx, rcx);
	PT_WORD(dx, rdx);
	PT_WORD(si, rsi);
	PT_WORD(di, rdi);
	PT_WORD(orig_ax, orig_rax); /* system call number, error code, or -1 */
	PT_WORD(ip, rip);
	unsigned long cs;
	PT_WORD(flags, eflags);
	PT_WORD(sp, rsp);
	unsigned long ss;
};

_Static_assert(offsetof(struct pt_regs, ax) == PT_AX, "pt_regs layout");
_Static_assert(offsetof(struct pt_regs, ip) == PT_IP, "pt_regs layout");
_Static_assert(offsetof(struct pt_regs, sp) == PT_SP, "pt_regs layout");
_Static_assert(sizeof(struct pt_regs) == PT_SIZE, "pt_regs layout");
#endif

#endif /* __ASSEMBLY__ */
#endif
