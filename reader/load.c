// SPDX-License-Identifier: GPL-2.0-only
#include "reader/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/boot_cache.h"
#include "symbols/fit.h"

bool load_is_loaded(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return access(path, F_OK) == 0;
}

/* --- the core's object ----------------------------------------------------------------------- */

struct error *load_core_path(char **ret)
{
	/* From build/bin/ and from PREFIX/bin/. */
	static const char *const places[] = {"../kmod/spile.o", "../lib/spile/spile.o"};
	const char *given = getenv("SPILE_CORE");
	char program[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	if (given && *given) {
		*ret = strdup(given);
		return NULL;
	}
	program[n > 0 ? n : 0] = '\0';
	slash = strrchr(program, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", program, places[i]);
		if (access(path, R_OK) == 0) {
			*ret = strdup(path);
			return NULL;
		}
	}
	return error_create(ENOENT,
	                    "the core's object spile.o is neither at %s%s nor at %s%s: build it "
	                    "(make) or set SPILE_CORE",
	                    program, places[0], program, places[1]);
}

/* --- into the kernel and out ----------------------------------------------------------------- */

static const char *init_advice(int err)
{
	switch (err) {
	case EPERM:
		return " (not root, module loading disabled, or the kernel is locked down)";
	case ENOEXEC:
		return " (the kernel refused the image; dmesg tells why)";
	case EKEYREJECTED:
	case ENOKEY:
		return " (the kernel takes only signed modules)";
	case EEXIST:
		return " (a module of that name is loaded)";
	default:
		return " (see dmesg)";
	}
}

static struct error *insert(const void *image, size_t len, const char *name)
{
	if (syscall(SYS_init_module, image, len, ""))
		return error_create(errno, "module %s cannot be loaded: %s%s", name,
		                    strerror(errno), init_advice(errno));
	return NULL;
}

struct error *load_image(struct kernel *k, const void *object, size_t len, const char *name)
{
	_cleanup_free_ void *image = NULL;
	struct error *error;
	size_t image_len;

	error = fit_preflight();
	if (!error)
		error = fit_module(k, object, len, name, &image, &image_len);
	return error ? error : insert(image, image_len, name);
}

struct error *load_remove(const char *name)
{
	if (!syscall(SYS_delete_module, name, O_NONBLOCK))
		return NULL;
	switch (errno) {
	case ENOENT:
		return error_create(ENOENT, "module %s is not loaded", name);
	case EWOULDBLOCK:
	case EBUSY:
		return error_create(
		    EBUSY, "module %s is in use: a session or another module holds it", name);
	default:
		return error_create(errno, "module %s cannot be removed: %s", name,
		                    strerror(errno));
	}
}

/* --- the core -------------------------------------------------------------------------------- */

/* The core's object; its version; its image for this boot, if it is kept (symbols/boot_cache.h). */
struct core {
	char *object, *image;
	size_t len, image_len;
	char version[FIT_VERSION_LEN + 1];
	char kept_as[32];
};

static struct error *core_read(const char *path, struct core *ret)
{
	_cleanup_free_ char *found = NULL;
	struct error *error = path ? NULL : load_core_path(&found);

	*ret = (struct core){0};
	if (!error)
		error = file_read(path ? path : found, &ret->object, &ret->len);
	if (error)
		return error;
	fit_object_version(ret->object, ret->len, ret->version);
	snprintf(ret->kept_as, sizeof(ret->kept_as), "core-%s", ret->version);
	boot_cache_read(ret->kept_as, &ret->image, &ret->image_len);
	return NULL;
}

static void core_deinit(struct core *core)
{
	free(core->object);
	free(core->image);
}

static struct error *core_fit(struct kernel *k, struct core *core)
{
	void *image;
	struct error *error =
	    fit_module(k, core->object, core->len, LOAD_CORE_NAME, &image, &core->image_len);

	if (!error)
		core->image = image;
	return error;
}

/* Loads the kept image, or else a new one, which is then kept. */
static struct error *core_insert(struct kernel *k, struct core *core)
{
	struct error *error = fit_preflight();

	if (error)
		return error;
	if (core->image)
		return insert(core->image, core->image_len, LOAD_CORE_NAME);
	error = core_fit(k, core);
	if (!error)
		error = insert(core->image, core->image_len, LOAD_CORE_NAME);
	if (!error)
		boot_cache_write(core->kept_as, core->image, core->image_len);
	return error;
}

/* Makes sure that the loaded core is the one at hand. */
static struct error *core_compare(const struct core *core)
{
	_cleanup_free_ char *version = NULL;
	struct error *error;
	size_t len;

	error = file_read("/sys/module/" LOAD_CORE_NAME "/srcversion", &version, &len);
	if (!error && len == FIT_VERSION_LEN + 1 &&
	    !strncmp(version, core->version, FIT_VERSION_LEN))
		return NULL;
	error_destroy(error);
	return error_create(ESTALE,
	                    "another build of the core is loaded than the one at hand (%s): end the "
	                    "scripts that run, then remove it: spile-run --unload",
	                    core->version);
}

struct error *load_core(struct kernel *k, const char *path, bool *loaded)
{
	struct error *error;
	struct core core;

	*loaded = false;
	error = core_read(path, &core);
	if (!error && !load_is_loaded(LOAD_CORE_NAME)) {
		error = core_insert(k, &core);
		*loaded = !error;
		if (error && error->err == EEXIST) {
			/* Another run was quicker. */
			error_destroy(error);
			error = NULL;
		}
	}
	if (!error && !*loaded)
		error = core_compare(&core);
	if (!error && core.image)
		error = kernel_learn_module(k, LOAD_CORE_NAME, core.image, core.image_len);
	else if (!error)
		error = kernel_learn_module(k, LOAD_CORE_NAME, core.object, core.len);
	core_deinit(&core);
	return error;
}
