/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/ftrace_hit.h - between ftrace_trampoline.S and C. Any context. */
#ifndef SPILE_HOST_LINUX_KERNEL_FTRACE_HIT_H
#define SPILE_HOST_LINUX_KERNEL_FTRACE_HIT_H

/** What ftrace_hit() asks for when a handler has set regs->ip; no size of a frame is so small. */
#define FTRACE_DIVERT 1

/* The kernel's stacks for tasks and interrupts; what call-throughs leave to those that they call. */
#define FTRACE_STACK_BYTES 16384
#define FTRACE_STACK_KEEP 8192

#ifndef __ASSEMBLY__

struct pt_regs;
struct ftrace_through_frame;

/* In assembly; not to be called. */
extern char ftrace_trampoline[], ftrace_through_begin[];

/** ftrace.c: the function whose entry's call is at ip was entered. What to do: see the .S file. */
unsigned long ftrace_hit(struct pt_regs *regs, unsigned long ip);

/* ftrace_through.c: the same for its call-throughs only; their begin; their end. */
unsigned long ftrace_hit_through(struct pt_regs *regs, unsigned long ip);
unsigned ftrace_through_enter(struct ftrace_through_frame *frame, struct pt_regs *regs,
			      unsigned long bytes);
void ftrace_through_exit(struct ftrace_through_frame *frame, struct pt_regs *regs);

#endif
#endif
