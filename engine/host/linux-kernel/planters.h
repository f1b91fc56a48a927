/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/planters.h - the kernel home's planters; home.c holds their order. */
#ifndef SPILE_HOST_LINUX_KERNEL_PLANTERS_H
#define SPILE_HOST_LINUX_KERNEL_PLANTERS_H

#include "engine/core/planter.h"

extern const struct planter planter_ftrace;        /* ftrace.c */
extern const struct planter planter_ftrace_through; /* ftrace_through.c */
extern const struct planter planter_ftrace_return; /* ftrace_return.c */
extern const struct planter planter_native;        /* native.c */
extern const struct planter planter_native_return; /* native_return.c */
extern const struct planter planter_jump, planter_breakpoint; /* text.c */

#endif
