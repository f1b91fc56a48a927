/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/kernel_private.h - struct kernel, for the files behind kernel.h. */
#ifndef SPILE_SYMBOLS_KERNEL_PRIVATE_H
#define SPILE_SYMBOLS_KERNEL_PRIVATE_H

#include "symbols/kallsyms.h"
#include "symbols/kernel.h"

struct address_range {
	uint64_t start, end; /* end is outside */
};

/** A symbol of the loaded core, or (bound) what one that the core was bound to means. */
struct learned {
	char *name;     /* owned */
	uint64_t value;
	bool bound;
};

/** The version marks of the kernel's modules (shipped.c). */
struct shipped {
	char *vermagic;          /* owned; NULL: not read */
	bool has_layout_crc;     /* the kernel checks symbol versions */
	uint64_t layout_crc;     /* of module_layout */
};

struct kernel {
	bool running;
	char *release;
	char *identity;    /* NULL until asked for */
	/* Paths; NULL where this kernel has no such source. */
	char *btf_path, *kallsyms_path, *functions_path, *blacklist_path, *modules_path, *vmlinux_path;
	char *dir;         /* NULL for the running kernel */
	/* Read when first asked for. */
	struct btf_index *btf;
	struct kallsyms *kallsyms;
	uint64_t kallsyms_stamp; /* kernel_symbols.c */
	bool without_modules; /* kallsyms has the kernel proper only */
	struct shipped shipped;
	struct learned *learned;
	size_t learned_count;
	bool functions_read;
	struct address_range *blacklist; /* sorted, disjoint; init text is among them */
	size_t blacklist_count;
};

/** The symbol table, read now if it was not yet. May make an earlier partial table stale. */
struct error *kernel_kallsyms(struct kernel *k, struct kallsyms **ret);
/**
 * The same, but modules may be missing where that is cheaper (described.c): what is not found may
 * be in kernel_kallsyms() yet.
 */
struct error *kernel_kallsyms_partial(struct kernel *k, struct kallsyms **ret);

/** All has_ftrace_site are set: to be known at the next start too. */
void kernel_keep_sites(struct kernel *k);

/** What kernel_learn_module() learned under that name, or NULL. */
const struct learned *kernel_learned(const struct kernel *k, const char *name);
void learned_deinit(struct kernel *k);

#endif
