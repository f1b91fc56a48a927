/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/home.h - what the kernel home offers to the core's packaging (kmod/).
 */
#ifndef SPILE_HOST_LINUX_KERNEL_HOME_H
#define SPILE_HOST_LINUX_KERNEL_HOME_H

#include <stdbool.h>

struct module;
struct mutex;
struct engine_home;

/** Prepares the home; what engine_init() needs. Task context. */
const struct engine_home *kernel_home_init(void);
/** The engine's lock. Task context. */
void kernel_home_lock(void);
void kernel_home_unlock(void);
/** After engine_deinit(): waits until the kernel has put its own text back. Task context. */
void kernel_home_deinit(void);

/** Set by kmod/: tells script modules, whose text is refused like our own. Task context. */
extern bool (*kernel_home_is_script)(const struct module *module);

/** Makes a struct mutex usable, whatever this kernel calls that. Task context. */
void kernel_mutex_init(struct mutex *mutex);

#endif
