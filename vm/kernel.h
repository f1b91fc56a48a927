/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * vm/kernel.h - the cache of kernels. Private to vm/; vm/vm.h has what other folders use.
 *
 *	CACHE/kernels/RELEASE/    one kernel; complete once the file "release" is in it
 *	CACHE/kernels/alias-NAME  the release that a name such as "6.1" or "newest" stood for when fetched
 *	CACHE/kernels/lock-NAME   held (flock) by whoever fetches or profiles NAME
 *	CACHE/apt/SUITE/          private apt folder
 */
#ifndef SPILE_VM_KERNEL_H
#define SPILE_VM_KERNEL_H

#include "base/error.h"

/** Spile's cache folder: $SPILE_CACHE, else $XDG_CACHE_HOME/spile, else ~/.cache/spile. */
struct error *kernel_cache_dir(char **ret);

/**
 * Gives the folder of a kernel, fetching it if it isn't there: `name` is a name as of vm/vm.h. The
 * folder then has all but what a boot of the kernel tells (kallsyms, functions, blacklist).
 */
struct error *kernel_fetch(const char *name, char **ret_dir);

/** Takes the lock of a kernel folder; *ret is a descriptor whose closing releases it. */
struct error *kernel_lock(const char *cache, const char *name, int *ret);

/** One line on stderr about a step that takes a while. */
void kernel_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
