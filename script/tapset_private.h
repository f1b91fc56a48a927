/* SPDX-License-Identifier: GPL-2.0-only */
/** script/tapset_private.h - between the index and the look at one file. */
#ifndef SPILE_SCRIPT_TAPSET_PRIVATE_H
#define SPILE_SCRIPT_TAPSET_PRIVATE_H

#include "base/arena.h"
#include "script/tapset.h"

struct tapset_entry {
	enum tapset_kind kind;
	const char *name;
	size_t file;
};

void tapset_add_entry(struct tapset *tapset, enum tapset_kind kind, const char *name, size_t file);
/** Adds an entry for each name that the file defines for others. A file that cannot be read has none. */
void tapset_scan(struct tapset *tapset, const char *path, size_t file);

#endif
