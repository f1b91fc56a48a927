/* SPDX-License-Identifier: GPL-2.0-only */
/** script/constants.h - macros of kernel headers whose values are the same everywhere, for @const. */
#ifndef SPILE_SCRIPT_CONSTANTS_H
#define SPILE_SCRIPT_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

bool constant_find(const char *name, int64_t *ret);

#endif
