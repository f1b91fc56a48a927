/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/core/jprobe.h - what the rest of the engine has to know of jprobes. */
#ifndef SPILE_ENGINE_CORE_JPROBE_H
#define SPILE_ENGINE_CORE_JPROBE_H

#include <stdbool.h>

#include "spile/kprobes.h"

/** The pre_handler of every jprobe. */
int jprobe_pre_handler(struct kprobe *p, struct pt_regs *regs);

/** Whether a kprobe is a registered jprobe's. */
static inline bool kprobe_is_jprobe(const struct kprobe *p)
{
	return p->pre_handler == jprobe_pre_handler;
}

#endif
