/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/tapset.h - the library of scripts: which file defines a name.
 *
 * A tapset is a list of folders with .stp files (functions, globals, probe aliases) and .stpm files
 * (macros). No file is parsed before a script uses a name out of it; the name is looked up in an
 * index, which is made by a quick look at all files once and kept in the cache. A script that
 * uses nothing of the library does not even read the index.
 *
 *	tapset = tapset_create(cache_folder);
 *	tapset_add_folder(tapset, "/usr/local/share/spile/tapset", "6.1.0-28-amd64");
 *	for (at = 0; (path = tapset_find(tapset, TAPSET_FUNCTION, "strpos", &at));)
 *		... a file that defines it; those of earlier folders come first
 *
 * Of a folder the files are taken that lie in it, in linux/, x86_64/ and in folders named after the
 * kernel's release (6.1.0-28-amd64, 6.1.0, 6.1), the most special first.
 */
#ifndef SPILE_SCRIPT_TAPSET_H
#define SPILE_SCRIPT_TAPSET_H

#include <stdbool.h>
#include <stddef.h>

struct tapset;

enum tapset_kind {
	TAPSET_FUNCTION = 'f',
	TAPSET_GLOBAL = 'g',
	TAPSET_ALIAS = 'a', /* names with dots: "vfs.read" */
	TAPSET_MACRO = 'm', /* without the @ */
};

/** `cache` is the folder for indexes, or NULL: none is kept. */
struct tapset *tapset_create(const char *cache);
void tapset_destroy(struct tapset *tapset);
/** Adds a folder behind those that were added; one that does not exist is an empty one. */
void tapset_add_folder(struct tapset *tapset, const char *path, const char *release);

/** All files, in order of precedence. Costs listing the folders, once. */
size_t tapset_file_count(struct tapset *tapset);
const char *tapset_file(struct tapset *tapset, size_t i);

/** The next file that defines a name, from *at on (begin with 0); NULL after the last. */
const char *tapset_find(struct tapset *tapset, enum tapset_kind kind, const char *name, size_t *at);
/** All names of a kind, by number, sorted; NULL after the last. Names may come several times. */
const char *tapset_name(struct tapset *tapset, enum tapset_kind kind, size_t i);

#endif
