/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/described.h - the running kernel's symbols from its description; internal. */
#ifndef SPILE_SYMBOLS_DESCRIBED_H
#define SPILE_SYMBOLS_DESCRIBED_H

#include "symbols/kallsyms.h"

/**
 * Makes the table of the kernel proper's symbols of the running kernel, without modules', from a
 * description of the very same build. *ret is NULL when there is none that can be trusted.
 */
void described_kallsyms(const char *release, struct kallsyms **ret);

/** The folder that describes the running kernel, by $SPILE_KERNEL_DIR or in the cache; NULL when
 *  there is none of the very same build. The caller frees it. */
char *described_dir(const char *release);

/** How far the running kernel lies from where that folder's kallsyms has it; false: unknown. */
bool described_distance(const char *dir, uint64_t *ret);

/* The same with every source named, for tests. */

/** True when the folder's ELF image has the build id that stands in `notes`. */
bool described_fits(const char *dir, const void *notes, size_t len);
/** `head`: the first lines of /proc/kallsyms, which tell how far the kernel was moved. */
void described_kallsyms_from(const char *dir, const char *head, struct kallsyms **ret);

#endif
