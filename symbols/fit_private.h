/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/fit_private.h - shared by the fitter's files. The story is told in fit.h. */
#ifndef SPILE_SYMBOLS_FIT_PRIVATE_H
#define SPILE_SYMBOLS_FIT_PRIVATE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/fit.h"
#include "symbols/kallsyms.h"
#include "symbols/kernel_private.h"

/* --- fit_rows.c: kernel.def as a table ------------------------------------------------------- */

enum row_kind { ROW_BLOB, ROW_SIZE, ROW_FUNC, ROW_DATA, ROW_PERCPU, ROW_FIELD, ROW_EMBED, ROW_ENUM,
		ROW_FEATURE, ROW_CALLBACK };

/** A row as written; the meaning of each part is told at the top of kernel.def. */
struct def_row {
	enum row_kind kind;
	bool must;
	const char *strct;  /* FIELD, EMBED */
	const char *name;
	const char *symbol; /* of the core's object: prefix and name, "koff_task_struct_pid" */
	const char *has;    /* "task_struct_pid": what khas_ is asked with */
	const char *type;   /* FIELD: its type; FUNC, CALLBACK: the return type */
	const char *args;   /* FUNC, CALLBACK: "(int a, ...)" */
	unsigned max;       /* BLOB */
	const char *spec;
};

extern const struct def_row def_rows[];
extern const size_t def_row_count;
extern const char *const row_kind_names[];

/** Tells tables apart: what an object is bound to depends on it as well. */
uint64_t def_rows_hash(const struct def_row *rows, size_t count);
/** The arguments and return type of a CALLBACK row, or NULL. */
const struct def_row *def_callback_find(const char *name);

/* --- fit_type.c: C types of rows against BTF ------------------------------------------------- */

/** True when the C type (a row's string, perhaps with a parameter's name) fits the BTF type. */
bool fit_type_matches(const struct btf_index *idx, const char *ctype, int type);
/** True when return type and arguments all fit. */
bool fit_prototype_matches(const struct btf_index *idx, const char *ret_type, const char *args,
			   const struct btf_prototype *proto);

/* --- fit_table.c: rows against a kernel ------------------------------------------------------ */

struct fitter {
	const struct def_row *defs; /* kernel.def's, or a test's own */
	size_t count;
	struct kernel *k;
	struct btf_index *btf; /* NULL: not needed yet */
	struct kallsyms *ks;   /* NULL: described without kallsyms, functions are checked by BTF */
	bool symbols_read;     /* ks is what it will be */
	struct fit_row *rows;  /* beside defs[] */
	char **texts;          /* what rows[].taken and .reason own: two a row */
	bool *evaluated;
};

void fitter_init(struct kernel *k, const struct def_row *defs, size_t count, struct fitter *ret);
void fitter_deinit(struct fitter *f);
/** Reads the kernel's symbols, if it was not done yet. */
struct error *fitter_symbols(struct fitter *f);
/** Reads of the kernel what the verdict of row i takes: types, symbols. */
struct error *fitter_prepare(struct fitter *f, size_t i);
/** The verdict of row i, found out now if it was not yet; after fitter_prepare(). */
const struct fit_row *fitter_row(struct fitter *f, size_t i);

/* --- fit_bind.c: undefined symbols of an object ---------------------------------------------- */

struct binding {
	uint64_t value;
	bool number; /* no place in reach of the module: must not be used relative to the code */
};

/** Finds the value of an undefined symbol; the error tells what is wrong with the kernel. */
struct error *fit_bind(struct fitter *f, const char *symbol, struct binding *ret);

/* --- fit_exports.c: tables of exported functions ---------------------------------------------- */

struct elf_image;

/** Puts an image's export tables into the form that the fitter's kernel reads. */
struct error *fit_exports(struct fitter *f, struct elf_image *image);
/** From two tables and checksums to one table and flags. */
void fit_exports_merge(struct elf_image *image);

/* --- shipped.c: what a module that came with the kernel says --------------------------------- */

/** The kernel's version marks, read now if they were not yet. Borrowed. */
struct error *shipped_read(struct kernel *k, const struct shipped **ret);
/** Takes them from a module's ELF file; ret->vermagic stays NULL when it has none. */
void shipped_learn(Elf *elf, struct shipped *ret);
void shipped_deinit(struct shipped *shipped);
/** The marks as the kernel's ELF image has them (image_marks.c); false when it does not. */
bool shipped_from_image(const char *path, const char *release, struct shipped *ret);

#endif
