/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/fit.h - the fitter: completes an object that was compiled for no kernel in particular
 * into a module for one kernel.
 *
 * The object is build/kmod/spile.o (the core) or a script compiled with the core's flags. Its
 * undefined symbols are bound by name:
 *
 *   kfn_ kvar_ kcpu_ koff_ ksize_ kenum_ kfeat_ khas_   rows of engine/host/linux-kernel/kernel.def
 *   kaddr_NAME       address of the kernel function NAME, for probing it; kaddr_NAME__N is the
 *                    N-th (from 1) of several of that name in kallsyms order;
 *                    kaddr_MODULE__in__NAME is the one in a module
 *   kdata_NAME       the same for variables; of a per-CPU one what kallsyms says
 *   spile_*, spl_*   what the loaded core has under that name
 *   memcpy memset memmove memcmp, __x86_return_thunk, __x86_indirect_thunk_*, __fentry__   the
 *                    kernel's own
 *   __this_module    the image's struct module
 *
 * All end as absolute symbols in the image, so an image serves one boot only. Each kernel.def row
 * that the object uses is checked against the kernel's BTF first; one that does not fit makes
 * fit_module() fail with the row's name and the reason, and nothing was loaded.
 */
#ifndef SPILE_SYMBOLS_FIT_H
#define SPILE_SYMBOLS_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "symbols/kernel.h"

/* --- checking the table ---------------------------------------------------------------------- */

enum fit_verdict {
	FIT_OK,          /* as the row's first alternative says */
	FIT_ALTERNATIVE, /* a later alternative was taken */
	FIT_MISSING,     /* a MAY row that this kernel does not have */
	FIT_REFUSED,     /* does not fit; of a MUST row: the core cannot run here */
};

struct fit_row {
	const char *kind;   /* "FUNC", "FIELD", ...: the row's macro in kernel.def */
	const char *name;   /* the core's symbol: "kfn_vmalloc", "koff_task_struct_pid" */
	bool must;
	enum fit_verdict verdict;
	bool unchecked;     /* a function that BTF does not describe: taken by name */
	const char *taken;  /* the kernel's name that was taken, NULL if none */
	int64_t value;      /* address, offset, size or number; meaningful for OK, ALTERNATIVE */
	const char *reason; /* why not, or NULL */
};

struct fit_table;

/** Checks every row. An error here means the kernel could not be read; rows tell the rest. */
struct error *fit_table_check(struct kernel *k, struct fit_table **ret);
void fit_table_destroy(struct fit_table *table);
size_t fit_table_count(const struct fit_table *table);
const struct fit_row *fit_table_row(const struct fit_table *table, size_t i);
/** True when no MUST row is missing or refused: the core can be loaded. */
bool fit_table_fits(const struct fit_table *table);
/** "ok", "alternative", "missing", "refused". */
const char *fit_verdict_name(enum fit_verdict verdict);

/* --- making a module ------------------------------------------------------------------------- */

/**
 * Fits `object` (a relocatable ELF of `len` bytes) to the kernel as module `name`. *image is what
 * init_module() takes; the caller frees it.
 */
struct error *fit_module(struct kernel *k, const void *object, size_t len, const char *name,
			 void **image, size_t *image_len);

#define FIT_VERSION_LEN 16

/**
 * Tells builds of an object apart: 16 hex digits over its bytes and kernel.def. The image says it
 * as its srcversion, which the kernel shows as /sys/module/NAME/srcversion.
 */
void fit_object_version(const void *object, size_t len, char ret[FIT_VERSION_LEN + 1]);

/** True when the image was made of the object with that version. */
bool fit_image_is(const void *image, size_t len, const char *version);
/**
 * Makes an image for one boot into that for another boot of the same kernel, in which the kernel
 * lies `distance` bytes higher.
 */
void fit_image_move(void *image, size_t len, uint64_t distance);

/**
 * Says why no module could be loaded by this process on the running kernel, before anything is
 * tried: not root, no BTF, modules disabled or not supported, lockdown. NULL when nothing speaks
 * against it.
 */
struct error *fit_preflight(void);

#endif
