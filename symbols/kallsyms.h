/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/kallsyms.h - the text of /proc/kallsyms as a table; inner part of symbols/. */
#ifndef SPILE_SYMBOLS_KALLSYMS_H
#define SPILE_SYMBOLS_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ksym {
	uint64_t address;
	const char *name;
	const char *module; /* NULL the kernel proper; equal names are equal pointers */
	uint32_t next;      /* index + 1 of the next with the same hash; chains keep file order */
	char type;
	bool has_ftrace_site; /* set by functions.c */
};

struct kallsyms {
	char *text;       /* names point in here */
	struct ksym *syms;
	size_t count;
	uint32_t *heads;  /* index + 1 */
	uint32_t mask;
	uint32_t *sorted; /* indexes by address; NULL until kallsyms_sort() */
	bool hidden;      /* all addresses read as 0: no privilege */
};

/** Where the kernel proper's addresses start; what is below is a number (old per-CPU offsets). */
#define KALLSYMS_KERNEL_HALF 0xffffffff80000000u

/** The address of the global function `name` in a text of kallsyms, without making a table.
 *  False when it is not there, or its address is hidden. */
bool kallsyms_text_find(const char *text, const char *name, uint64_t *ret);
/** The length of the text's part about the kernel proper; modules' symbols stand behind it. */
size_t kallsyms_text_own(const char *text);

/** Takes over `text` (malloc'd, NUL-terminated), also on failure. `place` is for messages. */
struct error *kallsyms_create(char *text, const char *place, struct kallsyms **ret);
void kallsyms_destroy(struct kallsyms *ks);
/** The first symbol of that name after `prev` (NULL: from the start), or NULL. */
struct ksym *kallsyms_next(const struct kallsyms *ks, const struct ksym *prev, const char *name);
/** Makes `sorted`. Idempotent. */
void kallsyms_sort(struct kallsyms *ks);
/** Position in `sorted` of the last symbol at or below `address`; count when there is none. */
size_t kallsyms_position(const struct kallsyms *ks, uint64_t address);

static inline bool ksym_is_text(const struct ksym *sym)
{
	return sym->type == 't' || sym->type == 'T' || sym->type == 'w' || sym->type == 'W';
}

#endif
