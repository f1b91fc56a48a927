/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/fault.h - showing faults to the engine; task context. */
#ifndef SPILE_HOST_LINUX_KERNEL_FAULT_H
#define SPILE_HOST_LINUX_KERNEL_FAULT_H

#include <stdbool.h>

/** engine_home.faults. */
int kernel_home_faults(bool on);
/**
 * From on to off, faults in stepped kprobes leave nothing behind that the kernel would stumble over
 * at a breakpoint that is not its own. 0 or -errno. As above.
 */
int kernel_home_watch_steps(bool on);
/** After the last probe. */
void kernel_home_faults_deinit(void);

#endif
