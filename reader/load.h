/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/load.h - fits objects to the running kernel and loads and unloads them as modules.
 *
 * The fitting itself is symbols/fit.h; here is what goes with it: the system calls and what the
 * kernel's answers mean (load.c), the core's object and images of it (core.c). Everything here needs root.
 */
#ifndef SPILE_READER_LOAD_H
#define SPILE_READER_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "symbols/kernel.h"

/** The core's name as a module. */
#define LOAD_CORE_NAME "spile"

/** True when a module of that name is in the kernel. */
bool load_is_loaded(const char *name);

/** Where the core's object is: $SPILE_CORE, build/kmod/ or lib/spile/ beside the program. The
 *  caller frees *ret. */
struct error *load_core_path(char **ret);

/**
 * Loads the core unless it is there already, and lets `k` learn its symbols. `path` NULL:
 * load_core_path(). *loaded tells whether this call loaded it. ESTALE: a core is loaded that was
 * made of another object.
 */
struct error *load_core(struct kernel *k, const char *path, bool *loaded);

/** Fits an object to the running kernel and loads it as module `name`; EEXIST when one of that
 *  name is loaded. */
struct error *load_image(struct kernel *k, const void *object, size_t len, const char *name);

/** Loads a fitted image. */
struct error *load_fitted(const void *image, size_t len, const char *name);

/**
 * Fits the core for the kernel that a folder describes and puts the image there, unless it is
 * there: load_core() then has less to do on such a kernel. What goes wrong need not be told.
 */
struct error *load_describe_core(const char *dir);

/** Removes a module. EBUSY when it is in use, ENOENT when it is not loaded. */
struct error *load_remove(const char *name);

/* Subcommands of spile-run; argv[0] is the option's own name. They return the exit status. */
int load_command_check(int argc, char **argv);
int load_command_load(int argc, char **argv);
int load_command_unload(int argc, char **argv);
int load_command_fit(int argc, char **argv);

#endif
