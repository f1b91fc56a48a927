/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/debuginfo.h - one ELF file (kernel, module, program, library) and its debug information.
 *
 * The file's symbols always answer. Its DWARF is looked for in the file itself, then by build id and
 * debug link below /usr/lib/debug, beside the file, and in Spile's cache (CACHE/debuginfo); dwz's
 * shared file and the .dwo files of split DWARF are followed. libdw and libdwfl do the reading.
 * Nothing is read before it is asked for, and questions that need no DWARF work without.
 *
 * Addresses are the file's own, as nm prints them: link-time addresses, for a position-independent
 * program the offset from where it is loaded. For a relocatable file (a module's .ko) they are
 * made up, sections laid out one behind the other: then only symbol + offset leaves this process.
 *
 * Questions about places in the code are in places.h. Strings live until debuginfo_close(). Not
 * thread-safe.
 */
#ifndef SPILE_SYMBOLS_DEBUGINFO_H
#define SPILE_SYMBOLS_DEBUGINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "symbols/kernel.h"

struct debuginfo;

/** Opens an ELF file. `dirs` is where separate debug files are looked for, colon-separated, or NULL
 *  for the usual places. A file without DWARF opens; one that is no ELF file for x86-64 does not. */
struct error *debuginfo_open(const char *path, const char *dirs, struct debuginfo **ret);
/**
 * Opens what there is for a kernel: its vmlinux with debug information by build id or release
 * (`vmlinux` not NULL names it), else its image in the description folder with the symbols of
 * kallsyms. `module` not NULL opens that module's file (by its name, '-' and '_' alike, or a path).
 * A vmlinux whose build id is another kernel's is refused, and for the running kernel a module's file
 * that is another build than what is loaded (ESTALE). `k` must outlive *ret.
 */
struct error *debuginfo_open_kernel(struct kernel *k, const char *module, const char *vmlinux,
				    struct debuginfo **ret);
void debuginfo_close(struct debuginfo *info);

/** The file as it was named. */
const char *debuginfo_path(const struct debuginfo *info);
/** The file that DWARF is read from, or NULL when there is none. */
const char *debuginfo_dwarf_path(struct debuginfo *info);
/** NULL when there is DWARF; else ENODATA, with the remedy. */
struct error *debuginfo_check_dwarf(struct debuginfo *info);
/** In hex digits, "" when there is none. */
const char *debuginfo_build_id(struct debuginfo *info);
/** That of a kernel: the running one tells, of another its image is asked. "" when neither does. The
 *  caller frees it. */
char *debuginfo_kernel_build_id(struct kernel *k);
/** True for a module's .ko and other unlinked objects: addresses are made up. */
bool debuginfo_is_relocatable(struct debuginfo *info);

/** Where user space keeps it: "CACHE/NAME", CACHE being $SPILE_CACHE, $XDG_CACHE_HOME/spile or
 *  ~/.cache/spile. The caller frees it. */
char *debuginfo_cache_path(const char *name);

/** The file's own BTF: a kernel's, or a module's on top of it. ENOENT for what has none. Borrowed. */
struct error *debuginfo_btf(struct debuginfo *info, struct btf_index **ret);

/* --- symbols --------------------------------------------------------------------------------- */

struct elf_symbol {
	const char *name;
	uint64_t address;
	uint64_t size;    /* as recorded, else up to the next symbol */
	bool is_function; /* else data */
	bool is_global;
};

/** The functions and data whose name matches the shell pattern, by address (a plain name's in the
 *  file's order); stops when cb returns non-zero, which is returned. */
int debuginfo_symbol_match(struct debuginfo *info, const char *pattern,
			   int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg);
/** The one symbol of that name: ENOENT, or ENOTUNIQ when several places have it. */
struct error *debuginfo_symbol_find(struct debuginfo *info, const char *name,
				    struct elf_symbol *ret);
/** The symbol that `address` lies in (within its size), or NULL. Of several at one address a
 *  global one. */
const struct elf_symbol *debuginfo_symbol_at(struct debuginfo *info, uint64_t address);

/** Copies up to `size` bytes of the file's code or data at `address`; returns how many, 0 when
 *  nothing of the file is there (or it is not in the file: .bss). */
size_t debuginfo_read(struct debuginfo *info, uint64_t address, void *dst, size_t size);

/** The offset in the file of what will be loaded at `address`: what uprobes are named by. */
bool debuginfo_file_offset(struct debuginfo *info, uint64_t address, uint64_t *ret);
/** The bytes of a section as they are in the file, or NULL. *address is where it is loaded. */
const void *debuginfo_section(struct debuginfo *info, const char *name, size_t *size,
			      uint64_t *address);

#endif
