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

/** The same with every source named, for tests. `head`: the first lines of /proc/kallsyms. */
void described_kallsyms_from(const char *dir, const void *notes, size_t notes_len, const char *head,
			     struct kallsyms **ret);

#endif
