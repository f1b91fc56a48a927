/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/spawn.h - run a program and get its output, for apt, dpkg-deb and depmod. */
#ifndef SPILE_VM_SPAWN_H
#define SPILE_VM_SPAWN_H

#include "base/error.h"

/**
 * Runs argv[0] (from PATH) in folder `cwd` (NULL: here) and waits. Its stdout becomes *ret, for the
 * caller to free, or is dropped if ret is NULL. If it does not end with status 0, the error has the
 * last lines that it wrote to stderr; errno ENOENT if there is no such program.
 */
struct error *spawn_read(const char *const argv[], const char *cwd, char **ret);

#endif
