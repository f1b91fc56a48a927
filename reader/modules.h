/* SPDX-License-Identifier: GPL-2.0-only */
/** reader/modules.h - removing modules: one's own, and those that killed readers left behind. */
#ifndef SPILE_READER_MODULES_H
#define SPILE_READER_MODULES_H

#include "base/error.h"

/**
 * Removes a module, waiting up to `wait_ms` until nobody uses it. EBUSY: still in use. A module that
 * is not there is no error.
 */
struct error *module_remove(const char *name, unsigned wait_ms);
/**
 * Removes the modules called `prefix`* that nobody uses. Returns how many. The caller makes sure
 * that no other reader is between loading its module and attaching to it.
 */
unsigned module_sweep(const char *prefix);

#endif
