/* SPDX-License-Identifier: GPL-2.0-only */
/** base/file.h - whole files at once, also those of /proc and /sys whose size reads as 0. */
#ifndef SPILE_BASE_FILE_H
#define SPILE_BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/** Reads a file. *data is owned by the caller and NUL-terminated after its *len bytes. */
struct error *file_read(const char *path, char **data, size_t *len);
/** Maps a file, privately and writable. The caller munmap()s it. ENODATA when it is empty. */
struct error *file_map(const char *path, void **map, size_t *len);
/** Maps an open one; the same. `path` is for messages. */
struct error *file_map_fd(int fd, const char *path, void **map, size_t *len);
/** Writes a file whole: to a temporary beside it, then renamed, so that readers see all or none. */
struct error *file_write_atomic(const char *path, const void *data, size_t len);
/** Makes a folder and those above it, like mkdir -p. */
struct error *file_make_dirs(const char *path);

#endif
