/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/symbols.h - the functions that one ELF file names. Task context. */
#ifndef SPILE_HOST_LINUX_USER_SYMBOLS_H
#define SPILE_HOST_LINUX_USER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#define SEGMENTS 8 /* executable segments of an object that are looked at; compilers make one */

struct symbols;
struct function;

struct symbol {
	uint64_t value, size; /* as in the file: without the object's base */
	const char *name;
	bool global, indirect; /* indirect: its code returns the function's address */
};

/** Reads a file's functions; NULL if it has none or cannot be read. */
struct symbols *symbols_open(const char *path);
void symbols_close(struct symbols *symbols);

/** 0; -ENOENT; -EINVAL: several local functions have this name, none is global. */
int symbols_by_name(const struct symbols *symbols, const char *name, const struct symbol **ret);
/** The function with a size that contains a value, or NULL. */
const struct symbol *symbols_by_value(const struct symbols *symbols, uint64_t value);

/**
 * Bounds of the function around addr from the loaded unwind tables (.eh_frame_hdr at `hdr`):
 * fills start, end and exceptions of ret. 0 or -ENOENT, with ret untouched.
 */
int unwind_bounds(uint64_t hdr, uint64_t addr, struct function *ret);

#endif
