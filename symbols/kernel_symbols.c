// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/kernel_symbols.c - a kernel's symbol table: read, kept for the next start, asked.
 *
 * Reading the text and marking the functions that have ftrace sites takes tens of milliseconds, in an
 * emulated guest ten times that. So the table is kept as a file that is mapped:
 *
 *   a described kernel   DIR/kallsyms.table, good while size and time of the two files that it was
 *                        made of are the same
 *   the running kernel   in the boot cache, since addresses change with each boot. Modules come and go:
 *                        the table is good for all that are loaded as long as /proc/modules has the
 *                        same, and for the kernel proper until the next boot
 *
 * A table that cannot be kept is made anew each time; nothing is said.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/boot_cache.h"
#include "symbols/described.h"
#include "symbols/hash.h"
#include "symbols/kernel_private.h"

#define KEPT_NAME "kallsyms" /* in the boot cache */

/* --- what a table is made of ----------------------------------------------------------------- */

/* Lines "name size users needs state address taint"; users come and go. */
static uint64_t stamp_of_modules(void)
{
	char *text, *save, *line;
	struct error *error;
	uint64_t h = 1;
	size_t len;

	error = file_read("/proc/modules", &text, &len);
	if (error) {
		error_destroy(error);
		return h;
	}
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[64], size[32], state[16], address[32];

		if (sscanf(line, "%63s %31s %*s %*s %15s %31s", name, size, state, address) != 4)
			continue;
		h = hash_bytes(h, name, strlen(name));
		h = hash_bytes(h, size, strlen(size));
		h = hash_bytes(h, state, strlen(state));
		h = hash_bytes(h, address, strlen(address));
	}
	free(text);
	return h;
}

static uint64_t stamp_of_file(uint64_t h, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	if (stat(path, &st))
		return hash_bytes(h, "none", 4);
	h = hash_bytes(h, &st.st_size, sizeof(st.st_size));
	return hash_bytes(h, &st.st_mtim, sizeof(st.st_mtim));
}

static uint64_t stamp_of_description(const char *dir)
{
	return stamp_of_file(stamp_of_file(2, dir, "kallsyms"), dir, "functions");
}

static uint64_t stamp_of(const struct kernel *k)
{
	return k->running ? stamp_of_modules() : stamp_of_description(k->dir);
}

/* --- keeping --------------------------------------------------------------------------------- */

static char *table_path(const char *dir)
{
	char *path;

	if (asprintf(&path, "%s/kallsyms.table", dir) < 0)
		abort();
	return path;
}

struct kallsyms *kallsyms_of_description(const char *dir)
{
	_cleanup_free_ char *path = table_path(dir);
	struct error *error;
	struct kallsyms *ks;
	uint64_t stamp;
	size_t len;
	void *map;

	error = file_map(path, &map, &len);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	if (!kallsyms_from_image(map, len, &stamp, &ks))
		return NULL;
	if (stamp == stamp_of_description(dir))
		return ks;
	kallsyms_destroy(ks);
	return NULL;
}

/* What was kept of the running kernel, and whether it is still good for modules. NULL: nothing. */
static struct kallsyms *kallsyms_of_boot(bool *is_whole)
{
	struct kallsyms *ks;
	uint64_t stamp;
	size_t len;
	void *map;

	if (!boot_cache_map(KEPT_NAME, &map, &len) || !kallsyms_from_image(map, len, &stamp, &ks))
		return NULL;
	*is_whole = stamp == stamp_of_modules();
	return ks;
}

/* One that hides the addresses is not kept: the next reader may have the right to see them. */
static void keep(struct kernel *k)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ void *data = NULL;
	size_t len;

	if (k->kallsyms->hidden)
		return;
	kallsyms_to_image(k->kallsyms, k->kallsyms_stamp, &data, &len);
	if (k->running) {
		boot_cache_write(KEPT_NAME, data, len);
		return;
	}
	path = table_path(k->dir);
	error_destroy(file_write_atomic(path, data, len));
}

/* --- reading --------------------------------------------------------------------------------- */

static struct error *read_text(struct kernel *k)
{
	struct error *error;
	char *text;
	size_t len;

	/* Before the text: what is loaded in between makes the table stale, not wrong. */
	k->kallsyms_stamp = stamp_of(k);
	error = file_read(k->kallsyms_path, &text, &len);
	if (!error)
		error = kallsyms_create(text, k->kallsyms_path, &k->kallsyms);
	if (!error && k->running) /* a described one waits for kernel_keep_sites() */
		keep(k);
	return error;
}

static struct error *read_kallsyms(struct kernel *k)
{
	bool is_whole = true;

	if (!k->kallsyms_path)
		return error_create(ENOENT, "%s has no kallsyms",
		                    k->running ? "the running kernel" : k->dir);
	k->kallsyms = k->running ? kallsyms_of_boot(&is_whole) : kallsyms_of_description(k->dir);
	if (k->kallsyms && is_whole)
		return NULL;
	kallsyms_destroy(k->kallsyms);
	k->kallsyms = NULL;
	return read_text(k);
}

struct error *kernel_kallsyms(struct kernel *k, struct kallsyms **ret)
{
	struct error *error = NULL;

	if (k->without_modules) {
		kallsyms_destroy(k->kallsyms);
		k->kallsyms = NULL;
		k->without_modules = false;
	}
	if (!k->kallsyms)
		error = read_kallsyms(k);
	if (error)
		return error;
	if (k->running && k->kallsyms->hidden)
		return error_create(EPERM,
		                    "/proc/kallsyms hides the addresses: run as root, and with "
		                    "kernel.kptr_restrict below 2");
	*ret = k->kallsyms;
	return NULL;
}

struct error *kernel_kallsyms_partial(struct kernel *k, struct kallsyms **ret)
{
	bool is_whole = false;

	if (k->running && !k->kallsyms) {
		k->kallsyms = kallsyms_of_boot(&is_whole);
		if (!k->kallsyms)
			described_kallsyms(k->release, &k->kallsyms);
		else if (!is_whole)
			kallsyms_drop_modules(k->kallsyms);
		k->without_modules = k->kallsyms && !is_whole;
	}
	if (!k->without_modules)
		return kernel_kallsyms(k, ret);
	*ret = k->kallsyms;
	return NULL;
}

void kernel_keep_sites(struct kernel *k)
{
	k->kallsyms->has_sites = true;
	keep(k);
}

/* --- questions ------------------------------------------------------------------------------- */

static uint64_t symbol_size(const struct kallsyms *ks, size_t position)
{
	const struct ksym *sym = &ks->syms[ks->sorted[position]];

	for (size_t i = position + 1; i < ks->count; i++) {
		const struct ksym *next = &ks->syms[ks->sorted[i]];

		if (next->address > sym->address)
			return next->module == sym->module ? next->address - sym->address : 0;
	}
	return 0;
}

static struct kernel_symbol symbol_of(struct kallsyms *ks, const struct ksym *sym)
{
	struct kernel_symbol symbol = {
	    .name = ksym_name(ks, sym),
	    .module = ksym_module(ks, sym),
	    .address = sym->address,
	    .type = sym->type,
	};
	size_t position;

	kallsyms_sort(ks);
	position = kallsyms_position(ks, sym->address);
	if (position < ks->count)
		symbol.size = symbol_size(ks, position);
	return symbol;
}

struct error *kernel_symbol_each(struct kernel *k, const char *name,
                                 int (*cb)(const struct kernel_symbol *symbol, void *arg),
                                 void *arg)
{
	struct ksym *sym = NULL;
	struct kallsyms *ks;
	struct error *error = kernel_kallsyms(k, &ks);

	if (error)
		return error;
	while ((sym = kallsyms_next(ks, sym, name))) {
		struct kernel_symbol symbol = symbol_of(ks, sym);

		if (cb(&symbol, arg))
			break;
	}
	return NULL;
}

struct error *kernel_symbol_find(struct kernel *k, const char *name, struct kernel_symbol *ret)
{
	unsigned own = 0, others = 0;
	const struct ksym *found = NULL;
	struct ksym *sym = NULL;
	struct kallsyms *ks;
	struct error *error = kernel_kallsyms(k, &ks);

	if (error)
		return error;
	while ((sym = kallsyms_next(ks, sym, name))) {
		/* The kernel proper's own symbol wins over modules'. */
		if (sym->module ? !own && !others : !own)
			found = sym;
		sym->module ? others++ : own++;
	}
	if (!found)
		return error_create(ENOENT, "kernel %s has no symbol %s", k->release, name);
	if (own > 1 || (!own && others > 1))
		return error_create(ENOTUNIQ, "kernel %s has %u symbols called %s", k->release,
		                    own ? own : others, name);
	*ret = symbol_of(ks, found);
	return NULL;
}

struct error *kernel_symbol_at(struct kernel *k, uint64_t address, struct kernel_symbol *ret,
                               uint64_t *offset)
{
	const struct ksym *sym;
	struct kallsyms *ks;
	struct error *error = kernel_kallsyms(k, &ks);
	size_t position;

	if (error)
		return error;
	kallsyms_sort(ks);
	position = kallsyms_position(ks, address);
	if (position == ks->count)
		return error_create(ENOENT, "no symbol at 0x%llx", (unsigned long long)address);
	/* Of several names for one place the first is the plain one. */
	while (position &&
	       ks->syms[ks->sorted[position - 1]].address == ks->syms[ks->sorted[position]].address)
		position--;
	sym = &ks->syms[ks->sorted[position]];
	*ret = symbol_of(ks, sym);
	if (offset)
		*offset = address - sym->address;
	return NULL;
}
