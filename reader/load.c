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

struct error *load_core(struct kernel *k, const char *path, bool *loaded)
{
	_cleanup_free_ char *found = NULL;
	struct error *error = NULL;

	if (loaded)
		*loaded = false;
	if (load_is_loaded(LOAD_CORE_NAME))
		return NULL;
	if (!path) {
		error = load_core_path(&found);
		path = found;
	}
	if (!error)
		error = load_object(k, path, LOAD_CORE_NAME);
	if (error && error->err == EEXIST) {
		/* Another run was quicker. */
		error_destroy(error);
		return NULL;
	}
	if (!error && loaded)
		*loaded = true;
	return error;
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

struct error *load_image(struct kernel *k, const void *object, size_t len, const char *name)
{
	_cleanup_free_ void *image = NULL;
	struct error *error;
	size_t image_len;

	error = fit_preflight();
	if (!error)
		error = fit_module(k, object, len, name, &image, &image_len);
	if (error)
		return error;
	if (syscall(SYS_init_module, image, image_len, ""))
		return error_create(errno, "module %s cannot be loaded: %s%s", name,
		                    strerror(errno), init_advice(errno));
	return kernel_learn_module(k, name, image, image_len);
}

struct error *load_object(struct kernel *k, const char *path, const char *name)
{
	_cleanup_free_ char *object = NULL;
	struct error *error;
	size_t len;

	error = file_read(path, &object, &len);
	if (!error)
		error = load_image(k, object, len, name);
	return error;
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
