/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/boot_cache.h - small files that hold true until the next boot; inner part of symbols/ and
 * of the loader.
 *
 * They are what was found out about the running kernel with some effort: its symbols, the fitted
 * core. Since modules are made of them, they are trusted only if nobody but this user (root, as a
 * rule) could have written them. Without the right to write there, or on any other trouble, there
 * is no cache, and nothing is said: everything in it can be found out again.
 */
#ifndef SPILE_SYMBOLS_BOOT_CACHE_H
#define SPILE_SYMBOLS_BOOT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/** The folder; it is made (0700) when first written to. */
#define BOOT_CACHE_DIR "/run/spile"

/** Reads what was written as `name` since the machine booted. *data is the caller's, and
 *  NUL-terminated. */
bool boot_cache_read(const char *name, char **data, size_t *len);
/** The same as a private, writable mapping that the caller munmap()s. */
bool boot_cache_map(const char *name, void **map, size_t *len);
/** Writes it, atomically. Files of earlier boots are removed. */
void boot_cache_write(const char *name, const void *data, size_t len);

/** The same with folder and boot named, for tests. */
bool boot_cache_read_from(const char *dir, const char *boot, const char *name, char **data,
			  size_t *len);
bool boot_cache_map_from(const char *dir, const char *boot, const char *name, void **map,
			 size_t *len);
void boot_cache_write_to(const char *dir, const char *boot, const char *name, const void *data,
			 size_t len);

#endif
