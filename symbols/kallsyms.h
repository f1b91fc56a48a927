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
	uint32_t name;    /* in the table's text; ksym_name() */
	uint32_t module;  /* the same, 0 the kernel proper; equal names have equal offsets */
	uint32_t next;    /* index + 1 of the next with the same hash; chains keep file order */
	char type;
	bool has_ftrace_site; /* set by functions.c */
};

/**
 * It has no pointers inside, so that it can be written to a file and mapped again: reading the text
 * of a kernel takes 20 to 40 ms, mapping what was made of it next to nothing.
 */
struct kallsyms {
	char *text;       /* names, each ended by NUL */
	size_t text_size;
	struct ksym *syms;
	size_t count;
	uint32_t *heads;  /* index + 1 */
	uint32_t mask;
	uint32_t *sorted; /* indexes by address; NULL until kallsyms_sort() */
	bool hidden;      /* all addresses read as 0: no privilege */
	bool has_sites;   /* has_ftrace_site of all is known */
	void *map;        /* what the arrays are part of; NULL: each is malloc'd */
	size_t map_size;
};

/** Where the kernel proper's addresses start; what is below is a number (old per-CPU offsets). */
#define KALLSYMS_KERNEL_HALF 0xffffffff80000000u

/** The address of the global function `name` in a text of kallsyms, without making a table.
 *  False when it is not there, or its address is hidden. */
bool kallsyms_text_find(const char *text, const char *name, uint64_t *ret);

/** Takes over `text` (malloc'd, NUL-terminated), also on failure. `place` is for messages. */
struct error *kallsyms_create(char *text, const char *place, struct kallsyms **ret);
void kallsyms_destroy(struct kallsyms *ks);
/** The first symbol of that name after `prev` (NULL: from the start), or NULL. */
struct ksym *kallsyms_next(const struct kallsyms *ks, const struct ksym *prev, const char *name);
/** Forgets the symbols of modules. */
void kallsyms_drop_modules(struct kallsyms *ks);
/** Makes `sorted`. Idempotent. */
void kallsyms_sort(struct kallsyms *ks);
/** Position in `sorted` of the last symbol at or below `address`; count when there is none. */
size_t kallsyms_position(const struct kallsyms *ks, uint64_t address);

/** The table as a file, sorted: *data is the caller's. `stamp` is what it was made of. */
void kallsyms_to_image(struct kallsyms *ks, uint64_t stamp, void **data, size_t *len);
/**
 * A table from such a file, mapped privately and writable; owns the mapping, also when it returns false
 * because that is no table of this program's. *stamp (may be NULL) gets what was given.
 */
bool kallsyms_from_image(void *map, size_t len, uint64_t *stamp, struct kallsyms **ret);

/** The table that was kept in a kernel's description (kernel_symbols.c); NULL: none that is good. */
struct kallsyms *kallsyms_of_description(const char *dir);

static inline const char *ksym_name(const struct kallsyms *ks, const struct ksym *sym)
{
	return ks->text + sym->name;
}

/** NULL: the kernel proper. */
static inline const char *ksym_module(const struct kallsyms *ks, const struct ksym *sym)
{
	return sym->module ? ks->text + sym->module : NULL;
}

static inline bool ksym_is_text(const struct ksym *sym)
{
	return sym->type == 't' || sym->type == 'T' || sym->type == 'w' || sym->type == 'W';
}

#endif
