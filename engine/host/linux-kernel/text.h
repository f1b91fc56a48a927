/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/text.h - what the home has to know of the text planters. Task context. */
#ifndef SPILE_HOST_LINUX_KERNEL_TEXT_H
#define SPILE_HOST_LINUX_KERNEL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/** Whether a text planter has a point in the function that addr is in. Under the engine's lock. */
bool text_is_in_function(uint64_t addr);
/** After the last probe: gives everything back, when nobody can be in it. */
void text_deinit(void);

#endif
