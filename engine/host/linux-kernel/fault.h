/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/fault.h - showing faults to the engine; task context. */
#ifndef SPILE_HOST_LINUX_KERNEL_FAULT_H
#define SPILE_HOST_LINUX_KERNEL_FAULT_H

#include <stdbool.h>

/** engine_home.faults. */
int kernel_home_faults(bool on);
/** After the last probe. */
void kernel_home_faults_deinit(void);

#endif
