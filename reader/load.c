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
#include "symbols/fit.h"

bool load_is_loaded(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return access(path, F_OK) == 0;
}

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

struct error *load_fitted(const void *image, size_t len, const char *name)
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
	return error ? error : load_fitted(image, image_len, name);
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
