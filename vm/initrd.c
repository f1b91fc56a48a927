// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initramfs holds four things: /init (vm/guest/init.c, which the build links into this file),
 * /dev/console, /modules/NAME.ko uncompressed, and /modules/order, the names in loading order.
 *
 * The packages come without modules.dep, which depmod makes when a package is installed. It isn't
 * needed: a module names what it depends on in its own .modinfo section ("depends=a,b"), and
 * loading a module after its dependencies is a depth-first walk.
 */
#include "vm/initrd.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/cpio.h"
#include "vm/decompress.h"
#include "vm/image.h"

/* vm/vm.mk builds the program before this file. */
__asm__(".section .rodata\n"
	".balign 8\n"
	"guest_init_start: .incbin \"" GUEST_INIT "\"\n"
	"guest_init_end:\n"
	".previous\n");
extern const char guest_init_start[], guest_init_end[];

static const char *const wanted[] = {
	"virtio_pci", "virtio_console", "9pnet_virtio", "9p",
};

#define MODULES_MAX 64

/* The walk's state. nftw() has no argument to carry one, hence the thread-local pointer. */
struct closure {
	struct cpio *cpio;
	struct strbuf order;
	char *done[MODULES_MAX]; /* names, owned */
	int done_count;
};

/* --- finding a module's file ------------------------------------------------------------------- */

static __thread struct {
	const char *name;
	char *path; /* owned */
} search;

/* In file names "-" and "_" are the same; the suffix may be .ko, .ko.xz, .ko.zst, .ko.gz. */
static bool is_module_file(const char *base, const char *name)
{
	for (; *name; base++, name++) {
		char c = *base == '-' ? '_' : *base;

		if (c != (*name == '-' ? '_' : *name))
			return false;
	}
	return !strncmp(base, ".ko", 3) && (base[3] == '\0' || base[3] == '.');
}

static int search_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	if (kind != FTW_F || !is_module_file(path + ftw->base, search.name))
		return 0;
	search.path = strdup(path);
	return 1;
}

/* Returns the path, for the caller to free, or NULL. */
static char *module_find(const char *modules, const char *name)
{
	search.name = name;
	search.path = NULL;
	nftw(modules, search_entry, 16, FTW_PHYS);
	return search.path;
}

/* --- dependencies ------------------------------------------------------------------------------ */

/* Copies the value of "depends=" out of a module, "" if it has none. */
static struct error *module_depends(const char *data, size_t len, char **ret)
{
	const char *info, *end;
	struct error *error;
	const void *section;
	size_t size;

	error = image_find_section(data, len, ".modinfo", &section, &size);
	if (error)
		return error;
	info = section;
	end = info + size;
	for (; info < end; info += strnlen(info, end - info) + 1) {
		if (end - info < 8 || memcmp(info, "depends=", 8))
			continue;
		*ret = strndup(info + 8, end - info - 8);
		return NULL;
	}
	*ret = strdup("");
	return NULL;
}

static bool closure_has(const struct closure *closure, const char *name)
{
	for (int i = 0; i < closure->done_count; i++) {
		if (!strcmp(closure->done[i], name))
			return true;
	}
	return false;
}

static struct error *closure_add(struct closure *closure, const char *modules, const char *name);

static struct error *closure_add_file(struct closure *closure, const char *modules,
				      const char *name, const char *path)
{
	_cleanup_free_ char *packed = NULL, *data = NULL, *depends = NULL, *inside = NULL;
	size_t packed_len, len;
	struct error *error;
	char *save;

	error = file_read(path, &packed, &packed_len);
	if (!error)
		error = decompress(packed, packed_len, &data, &len);
	if (!error)
		error = module_depends(data, len, &depends);
	if (error)
		return error_wrap(error, "module %s", path);
	for (char *d = strtok_r(depends, ",", &save); d; d = strtok_r(NULL, ",", &save)) {
		error = closure_add(closure, modules, d);
		if (error)
			return error;
	}
	if (asprintf(&inside, "modules/%s.ko", name) < 0)
		abort();
	cpio_add_file(closure->cpio, inside, 0644, data, len);
	strbuf_addf(&closure->order, "%s.ko\n", name);
	return NULL;
}

static struct error *closure_add(struct closure *closure, const char *modules, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (closure_has(closure, name))
		return NULL;
	if (closure->done_count == MODULES_MAX)
		return error_create(E2BIG, "more than %d modules in the initramfs", MODULES_MAX);
	closure->done[closure->done_count++] = strdup(name);
	path = module_find(modules, name);
	if (!path)
		return NULL;
	return closure_add_file(closure, modules, name, path);
}

static void closure_deinit(struct closure *closure)
{
	for (int i = 0; i < closure->done_count; i++)
		free(closure->done[i]);
	strbuf_deinit(&closure->order);
}

static struct error *add_modules(struct cpio *cpio, const char *modules)
{
	struct closure closure = { .cpio = cpio };
	struct error *error = NULL;

	strbuf_init(&closure.order);
	for (size_t i = 0; !error && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		error = closure_add(&closure, modules, wanted[i]);
	strbuf_adds(&closure.order, "");
	cpio_add_file(cpio, "modules/order", 0644, closure.order.data, closure.order.len);
	closure_deinit(&closure);
	return error;
}

/* --- the archive ------------------------------------------------------------------------------- */

static struct error *initrd_write(const char *dir, const char *path)
{
	_cleanup_free_ char *modules = NULL;
	struct error *error;
	struct cpio cpio;

	if (asprintf(&modules, "%s/modules", dir) < 0)
		abort();
	cpio_init(&cpio);
	cpio_add_dir(&cpio, "dev", 0755);
	cpio_add_char(&cpio, "dev/console", 0600, 5, 1);
	cpio_add_file(&cpio, "init", 0755, guest_init_start, guest_init_end - guest_init_start);
	cpio_add_dir(&cpio, "modules", 0755);
	error = add_modules(&cpio, modules);
	cpio_finish(&cpio);
	if (!error)
		error = file_write_atomic(path, cpio.out.data, cpio.out.len);
	cpio_deinit(&cpio);
	return error;
}

/* FNV-1a over the init program and the wanted names: changes when either does. */
static uint64_t initrd_key(void)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (const char *p = guest_init_start; p < guest_init_end; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		for (const char *p = wanted[i]; *p; p++)
			hash = (hash ^ (uint8_t)*p) * 0x100000001b3;
	}
	return hash;
}

struct error *initrd_prepare(const char *dir, char **ret)
{
	_cleanup_free_ char *path = NULL;
	struct error *error;

	if (asprintf(&path, "%s/initrd-%016lx.cpio", dir, initrd_key()) < 0)
		abort();
	if (access(path, R_OK) < 0) {
		error = initrd_write(dir, path);
		if (error)
			return error;
	}
	*ret = steal_ptr(path);
	return NULL;
}
