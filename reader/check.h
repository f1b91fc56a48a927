/* SPDX-License-Identifier: GPL-2.0-only */
/** reader/check.h - `spile-run --check`: what of kernel.def fits a kernel, told row by row. */
#ifndef SPILE_READER_CHECK_H
#define SPILE_READER_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "symbols/fit.h"

/**
 * Checks the kernel described by `kernel_dir` (NULL: the running one, and whether modules could be
 * loaded at all) and writes the rows, as text or as one JSON object, to `out`. *fits tells whether
 * the core could be loaded.
 */
struct error *check_print(const char *kernel_dir, bool json, FILE *out, bool *fits);

#endif
