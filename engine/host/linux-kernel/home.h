/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/home.h - what the kernel home offers to the core's packaging (kmod/).
 */
#ifndef SPILE_HOST_LINUX_KERNEL_HOME_H
#define SPILE_HOST_LINUX_KERNEL_HOME_H

#include <stdbool.h>
#include <stdint.h>

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

/**
 * module_gone.c: from here on, engine_gone() is called for modules that go; 0 or -errno. Between
 * engine_init() and engine_deinit(). Task context.
 */
int kernel_home_watch(void);
void kernel_home_unwatch(void);

/** blacklist.c: for engine_home.blacklist. Task context. */
void kernel_home_blacklist(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg);

/** Where a module's text lies (module_gone.c); data that shares the place does not matter. */
enum kernel_text { KERNEL_TEXT_CORE, KERNEL_TEXT_INIT };
bool kernel_module_text(struct module *module, enum kernel_text which, uint64_t *ret_start,
			uint64_t *ret_end);

/** debugfs.c: the control files, under debugfs `spile/`; nothing where there is no debugfs. */
void control_files_init(void);
void control_files_deinit(void);

/**
 * Whether probes that are registered from now on are planted as if all had KPROBE_FLAG_TEXT: for tests,
 * and where the kernel's kprobes are not to be used. Task context.
 */
void kernel_home_set_text(bool on);
bool kernel_home_text(void);

/** Set by kmod/: tells script modules, whose text is refused like our own. Task context. */
extern bool (*kernel_home_is_script)(const struct module *module);

/** Makes a struct mutex usable, whatever this kernel calls that. Task context. */
void kernel_mutex_init(struct mutex *mutex);

#endif
