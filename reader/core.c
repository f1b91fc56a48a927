// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core: where its object is, and its way into the kernel.
 *
 * To fit it takes the kernel's types and symbols, which on an emulated CPU is a second's work. So
 * an image that was fitted before is used where there is one:
 *   1. one that an earlier start of this boot kept (symbols/boot_cache.h): as it is
 *   2. one that lies in the kernel's description as core.ko (load_describe_core()): moved to where
 *      the kernel is in this boot
 * Each says of which object it was made; another one is not used.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "reader/load.h"
#include "symbols/boot_cache.h"
#include "symbols/described.h"
#include "symbols/fit.h"

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

/* --- its image ------------------------------------------------------------------------------- */

#define DESCRIBED_IMAGE "core.ko" /* in a kernel's description */

struct core {
	char *object, *image; /* image: NULL, no fitted one is at hand */
	size_t len, image_len;
	char version[FIT_VERSION_LEN + 1];
	char kept_as[32];
};

static struct error *read_described(const char *dir, struct core *core)
{
	_cleanup_free_ char *path = NULL;
	struct error *error;

	if (asprintf(&path, "%s/" DESCRIBED_IMAGE, dir) < 0)
		abort();
	error = file_read(path, &core->image, &core->image_len);
	if (error || fit_image_is(core->image, core->image_len, core->version))
		return error;
	free(steal_ptr(core->image));
	return NULL;
}

/* The image of the running kernel's description, for this boot. */
static void core_described(const struct kernel *k, struct core *core)
{
	_cleanup_free_ char *dir = described_dir(kernel_release(k));
	uint64_t distance;

	if (!dir || !described_distance(dir, &distance))
		return;
	error_destroy(read_described(dir, core));
	if (core->image)
		fit_image_move(core->image, core->image_len, distance);
}

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

/* An image of this boot or for it that is there already; *kept: of this boot. */
static void core_find(const struct kernel *k, struct core *core, bool *kept)
{
	*kept = boot_cache_read(core->kept_as, &core->image, &core->image_len);
	if (!*kept)
		core_described(k, core);
}

static struct error *core_insert(struct kernel *k, struct core *core, bool kept)
{
	struct error *error = fit_preflight();

	if (!error && !core->image)
		error = core_fit(k, core);
	if (!error)
		error = load_fitted(core->image, core->image_len, LOAD_CORE_NAME);
	if (!error && !kept)
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
	bool kept;

	*loaded = false;
	error = core_read(path, &core);
	if (!error)
		core_find(k, &core, &kept);
	if (!error && !load_is_loaded(LOAD_CORE_NAME)) {
		error = core_insert(k, &core, kept);
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

/* --- ahead of time --------------------------------------------------------------------------- */

static struct error *core_describe(const char *dir, struct core *core)
{
	_cleanup_free_ char *path = NULL;
	struct kernel *k = NULL;
	struct error *error = kernel_open_dir(dir, &k);

	if (!error)
		error = core_fit(k, core);
	if (asprintf(&path, "%s/" DESCRIBED_IMAGE, dir) < 0)
		abort();
	if (!error)
		error = file_write_atomic(path, core->image, core->image_len);
	kernel_close(k);
	return error;
}

struct error *load_describe_core(const char *dir)
{
	struct error *error;
	struct core core;

	error = core_read(NULL, &core);
	if (!error)
		error_destroy(read_described(dir, &core));
	if (!error && !core.image)
		error = core_describe(dir, &core);
	core_deinit(&core);
	return error;
}
