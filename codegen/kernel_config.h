/* SPDX-License-Identifier: GPL-2.0-only */
/** codegen/kernel_config.h - the configuration that a kernel was built with, for CONFIG_* conditions. */
#ifndef SPILE_CODEGEN_KERNEL_CONFIG_H
#define SPILE_CODEGEN_KERNEL_CONFIG_H

struct kernel_config;

/** For the kernel of a description folder, or, NULL, the running one. Nothing is read yet. */
struct kernel_config *kernel_config_create(const char *kernel_dir, const char *release);
void kernel_config_destroy(struct kernel_config *config);
/** The file that it is read from, or NULL. */
const char *kernel_config_path(const struct kernel_config *config);
/** The value of an option ("y", "m", "1000", a string with its quotes taken off); NULL when it is
 *  not set, or there is no configuration to be found. `config` is a struct kernel_config. */
const char *kernel_config_lookup(void *config, const char *option);

#endif
