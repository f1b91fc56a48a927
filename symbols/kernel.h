/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/kernel.h - one kernel and what it says about itself: symbols, functions, types.
 *
 * The kernel is either the running one (/proc/kallsyms, /sys/kernel/btf, tracefs, /lib/modules) or
 * one that is described by a folder, so that a script can be translated for a kernel that is not
 * running. The folder holds: release (uname -r, one line), btf (raw), kallsyms, functions
 * (available_filter_functions), blacklist (kprobes/blacklist), modules/ and vmlinux (ELF). Only
 * `release` and `btf` must be there; a question that needs a missing one says so.
 *
 * Every source is read when first asked for, once. Strings handed out live until kernel_close().
 * Not thread-safe. Addresses of a described kernel are those of one boot without address
 * randomisation: good for order and distance, never for use.
 */
#ifndef SPILE_SYMBOLS_KERNEL_H
#define SPILE_SYMBOLS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "symbols/btf.h"

struct kernel;

struct error *kernel_open_running(struct kernel **ret);
struct error *kernel_open_dir(const char *dir, struct kernel **ret);
/** Opens `dir`, or the running kernel when it is NULL. */
struct error *kernel_open(const char *dir, struct kernel **ret);
void kernel_close(struct kernel *k);

/** uname -r. */
const char *kernel_release(const struct kernel *k);
/** True for the kernel this program runs on. */
bool kernel_is_running(const struct kernel *k);
/** 16 hex digits over release and BTF, for the names of cached things. */
struct error *kernel_identity(struct kernel *k, const char **ret);
/** The folder with the kernel's modules, for reading a shipped .ko. */
const char *kernel_modules_dir(const struct kernel *k);
/** Path of the kernel's ELF image, or NULL when there is none (a running kernel). */
const char *kernel_vmlinux(const struct kernel *k);

/** The types of the kernel proper. Borrowed. */
struct error *kernel_btf(struct kernel *k, struct btf_index **ret);

/* --- kallsyms -------------------------------------------------------------------------------- */

struct kernel_symbol {
	const char *name;
	const char *module; /* NULL: the kernel proper */
	uint64_t address;   /* 0 in a kallsyms that was read without privilege */
	uint64_t size;      /* up to the next symbol of the same module; 0 unknown */
	char type;          /* nm's letter: t T text, d D data, a A absolute (old per-CPU), ... */
};

/** Calls `cb` for every symbol of that name, in kallsyms order; stops when it returns non-zero. */
struct error *kernel_symbol_each(struct kernel *k, const char *name,
				 int (*cb)(const struct kernel_symbol *symbol, void *arg),
				 void *arg);
/** The one symbol of the kernel proper with that name; else the one among the modules. ENOENT, or
 *  ENOTUNIQ when there are several. */
struct error *kernel_symbol_find(struct kernel *k, const char *name, struct kernel_symbol *ret);
/** The symbol that `address` lies in; *offset (may be NULL) is the distance from its start. */
struct error *kernel_symbol_at(struct kernel *k, uint64_t address, struct kernel_symbol *ret,
			       uint64_t *offset);

/**
 * Learns the global symbols of a loaded module from the object that it was made of, or from its
 * image, and /sys/module/NAME/sections; from an image also what it was bound to. Fitting a script
 * then needs neither kallsyms nor BTF for what the core has and uses too.
 */
struct error *kernel_learn_module(struct kernel *k, const char *name, const void *image,
				  size_t len);

/* --- functions that can be probed ------------------------------------------------------------ */

struct kernel_function {
	const char *name;
	const char *module;    /* NULL: the kernel proper */
	uint64_t address;
	bool has_ftrace_site;  /* listed in available_filter_functions */
	bool blacklisted;      /* the kernel refuses probes there */
	bool ambiguous;        /* another function of the same module has the same name */
};

/** BTF knows its arguments (those of the kernel proper only, for now). */
bool kernel_function_has_prototype(struct kernel *k, const struct kernel_function *fn);

/**
 * Calls `cb` for each function whose name matches the shell pattern (* ? [..]), in order of
 * address. `module` NULL means the kernel proper; else a pattern over module names. Names that
 * the compiler made up beside a function (__pfx_x, x.cold) are left out, blacklisted ones not.
 * Stops when cb returns non-zero. A pattern without wildcards costs a hash look-up.
 */
struct error *kernel_function_match(struct kernel *k, const char *module, const char *pattern,
				    int (*cb)(const struct kernel_function *fn, void *arg),
				    void *arg);
/** The same for what the compiler made of one function beside or instead of it: "name.isra.0",
 *  "name.constprop.3", "name.part.1". It goes through all symbols: a millisecond. */
struct error *kernel_function_clones(struct kernel *k, const char *module, const char *name,
				     int (*cb)(const struct kernel_function *fn, void *arg),
				     void *arg);
/** The function name nearest to a mistyped one, or NULL when none is near. Borrowed. */
const char *kernel_function_nearest(struct kernel *k, const char *name);

#endif
