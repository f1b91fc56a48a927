/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/ftrace_code.h - a trampoline made for one probe.
 *
 * The shared trampoline has to find out what a hit means: which point, which probes, what they want.
 * A probe that is alone at its function, and alone in its ftrace group, gets code in which all that
 * is written out. It knows one case only; for every other it goes on into the shared trampoline as
 * if it had never been there. ftrace_code.c has the code.
 *
 * Task context under the engine's lock, except what is marked.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_FTRACE_CODE_H
#define SPILE_HOST_LINUX_KERNEL_FTRACE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/arch/x86/handler.h"

struct kretprobe_instance;
struct pt_regs;
struct spile_site;
struct through;

struct ftrace_code {
	uint64_t at;
	uint32_t bytes;
	uint64_t slow; /* 1: its case is no longer the case; read at each hit */
	unsigned refs; /* of the group, and of a return's frames; who makes it has one */
};

/** For a site with one probe, which has no post_handler. NULL: none could be made. */
struct ftrace_code *ftrace_code_make_entry(const struct spile_site *site);

/** For a return site whose probe has no entry_handler. */
struct ftrace_code_return {
	const struct spile_site *site;
	struct through *through;                  /* for ftrace_through_code_exit() */
	struct spile_site *const *through_site;   /* NULL in it: the site has been unplanted */
	uint32_t frames; /* counter (engine/core/engine.h) of calls that have not returned */
};
struct ftrace_code *ftrace_code_make_return(const struct ftrace_code_return *plan);

/** When the last goes, nobody may be in it any more. NULL is fine. */
void ftrace_code_put(struct ftrace_code *code);

/** What a handler needs of a hit, beside the argument registers, ip and sp. 0: none. */
struct x86_handler kernel_handler_read(uint64_t handler);

/** ftrace_through.c: the end of a call that is not the quick case. any, with preemption disabled */
void ftrace_through_code_exit(struct through *through, struct kretprobe_instance *ri,
			      struct pt_regs *regs);

#endif
