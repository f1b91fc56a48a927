// SPDX-License-Identifier: GPL-2.0-only
/* symbols/kernel.c - where a kernel's facts are read from. Questions about functions: functions.c.
 */
#include "symbols/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/boot_cache.h"
#include "symbols/described.h"
#include "symbols/hash.h"
#include "symbols/kernel_private.h"

static char *path_join(const char *dir, const char *name)
{
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_addf(&sb, "%s/%s", dir, name);
	return strbuf_steal(&sb);
}

/* The path, or NULL when nothing is there. */
static char *path_if_exists(const char *dir, const char *name)
{
	char *path = path_join(dir, name);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static struct kernel *kernel_create(void)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	return k;
}

struct error *kernel_open_running(struct kernel **ret)
{
	struct kernel *k = kernel_create();
	struct utsname names;

	uname(&names);
	k->running = true;
	k->release = strdup(names.release);
	k->btf_path = path_if_exists("/sys/kernel/btf", "vmlinux");
	k->kallsyms_path = path_if_exists("/proc", "kallsyms");
	k->functions_path = path_if_exists("/sys/kernel/tracing", "available_filter_functions");
	if (!k->functions_path)
		k->functions_path =
		    path_if_exists("/sys/kernel/debug/tracing", "available_filter_functions");
	k->blacklist_path = path_if_exists("/sys/kernel/debug/kprobes", "blacklist");
	k->modules_path = path_join("/lib/modules", k->release);
	*ret = k;
	return NULL;
}

struct error *kernel_open_dir(const char *dir, struct kernel **ret)
{
	_cleanup_free_ char *release_path = path_join(dir, "release");
	struct kernel *k;
	struct error *error;
	char *release;
	size_t len;

	error = file_read(release_path, &release, &len);
	if (error)
		return error_wrap(error, "%s is no kernel description (spile-vm makes them)", dir);
	release[strcspn(release, "\n")] = '\0';
	k = kernel_create();
	k->release = release;
	k->dir = strdup(dir);
	k->btf_path = path_if_exists(dir, "btf");
	k->kallsyms_path = path_if_exists(dir, "kallsyms");
	k->functions_path = path_if_exists(dir, "functions");
	k->blacklist_path = path_if_exists(dir, "blacklist");
	k->vmlinux_path = path_if_exists(dir, "vmlinux");
	k->modules_path = path_join(dir, "modules");
	*ret = k;
	return NULL;
}

struct error *kernel_open(const char *dir, struct kernel **ret)
{
	return dir ? kernel_open_dir(dir, ret) : kernel_open_running(ret);
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	btf_index_destroy(k->btf);
	kallsyms_destroy(k->kallsyms);
	learned_deinit(k);
	free(k->blacklist);
	free(k->release);
	free(k->identity);
	free(k->btf_path);
	free(k->kallsyms_path);
	free(k->functions_path);
	free(k->blacklist_path);
	free(k->modules_path);
	free(k->vmlinux_path);
	free(k->dir);
	free(k);
}

const char *kernel_release(const struct kernel *k)
{
	return k->release;
}

bool kernel_is_running(const struct kernel *k)
{
	return k->running;
}

const char *kernel_modules_dir(const struct kernel *k)
{
	return k->modules_path;
}

const char *kernel_vmlinux(const struct kernel *k)
{
	return k->vmlinux_path;
}

/* --- types ----------------------------------------------------------------------------------- */

static struct error *no_btf(const struct kernel *k)
{
	if (!k->running)
		return error_create(ENOENT, "%s has no file btf (the kernel's raw BTF)", k->dir);
	return error_create(
	    ENOENT,
	    "the running kernel %s has no /sys/kernel/btf/vmlinux: it was built without "
	    "CONFIG_DEBUG_INFO_BTF; use a distribution kernel, or `spile --vm`",
	    k->release);
}

struct error *kernel_btf(struct kernel *k, struct btf_index **ret)
{
	_cleanup_free_ char *data = NULL;
	struct error *error;
	size_t len;

	if (!k->btf) {
		if (!k->btf_path)
			return no_btf(k);
		error = file_read(k->btf_path, &data, &len);
		if (!error)
			error = btf_index_create_raw(data, len, &k->btf);
		if (error)
			return error_wrap(error, "%s", k->btf_path);
	}
	*ret = k->btf;
	return NULL;
}

struct error *kernel_identity(struct kernel *k, const char **ret)
{
	struct btf_index *idx;
	struct error *error;
	const void *raw;
	uint32_t len;
	uint64_t h;

	if (!k->identity) {
		error = kernel_btf(k, &idx);
		if (error)
			return error;
		raw = btf__raw_data(btf_index_btf(idx), &len);
		h = hash_bytes(0, k->release, strlen(k->release));
		h = hash_bytes(h, raw, raw ? len : 0);
		if (asprintf(&k->identity, "%016llx", (unsigned long long)h) < 0)
			abort();
	}
	*ret = k->identity;
	return NULL;
}

/* --- symbols --------------------------------------------------------------------------------- */

#define KEPT_SYMBOLS "kallsyms" /* in the boot cache: the kernel proper's part */

/* Keeps the text for the other starts of this boot, unless it hides the addresses. */
static void keep_symbols(const char *text)
{
	uint64_t stext;

	if (kallsyms_text_find(text, "_stext", &stext))
		boot_cache_write(KEPT_SYMBOLS, text, kallsyms_text_own(text));
}

static void read_kept_symbols(struct kernel *k)
{
	char *text;
	size_t len;

	if (boot_cache_read(KEPT_SYMBOLS, &text, &len))
		error_destroy(kallsyms_create(text, "kept symbols", &k->kallsyms));
}

static struct error *read_kallsyms(struct kernel *k)
{
	struct error *error;
	char *text;
	size_t len;

	if (!k->kallsyms_path)
		return error_create(ENOENT, "%s has no kallsyms",
		                    k->running ? "the running kernel" : k->dir);
	error = file_read(k->kallsyms_path, &text, &len);
	if (error)
		return error;
	if (k->running)
		keep_symbols(text);
	return kallsyms_create(text, k->kallsyms_path, &k->kallsyms);
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
	if (k->running && !k->kallsyms) {
		read_kept_symbols(k);
		if (!k->kallsyms)
			described_kallsyms(k->release, &k->kallsyms);
		k->without_modules = k->kallsyms;
	}
	if (!k->without_modules)
		return kernel_kallsyms(k, ret);
	*ret = k->kallsyms;
	return NULL;
}

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
	    .name = sym->name,
	    .module = sym->module,
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
