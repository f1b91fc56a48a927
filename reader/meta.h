/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/meta.h - what the reader knows about a script: its name, print formats and probe points.
 *
 * Read from the section `.spile.meta` of the script's object (layout: codegen/README.md), or taken
 * from its `struct spl_script` when the object is loaded in this process.
 */
#ifndef SPILE_READER_META_H
#define SPILE_READER_META_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "runtime/script.h"

struct meta_probe {
	const char *point;  /* full probe point: "kernel.function(\"vfs_read\").return" */
	const char *source; /* "FILE:LINE:COLUMN" of the probe statement; "" unknown */
	const char *symbol; /* function that it is planted in; "" none */
};

struct script_meta {
	struct arena arena; /* holds everything below */
	const char *name;   /* spl_script.name, also the module's */
	const char *kernel; /* identity of the kernel it was translated for; "" any */
	const char *release; /* and its uname -r; "" any */
	uint32_t abi;       /* SPL_ABI */
	struct spl_format *formats;
	uint32_t nformats;
	struct meta_probe *probes;
	uint32_t nprobes;
};

/** Reads the section out of an ELF object's bytes. Anything malformed gives an error. */
struct error *meta_create_elf(const void *object, size_t len, struct script_meta **ret);
/** Parses the section's bytes alone. */
struct error *meta_create(const void *section, size_t len, struct script_meta **ret);
/** Copies what a loaded script says about itself. */
struct script_meta *meta_create_script(const struct spl_script *script);
void meta_destroy(struct script_meta *meta);

#endif
