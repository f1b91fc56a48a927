// SPDX-License-Identifier: GPL-2.0-only
/* symbols/fit_preflight.c - what keeps modules out of the running kernel, said before trying. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/fit.h"

#define INSTEAD "; run the script in a guest instead: spile --vm"

/* A file's content up to its first newline; NULL when it cannot be read. The caller frees it. */
static char *first_line(const char *path)
{
	struct error *error;
	char *data;
	size_t len;

	error = file_read(path, &data, &len);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	data[strcspn(data, "\n")] = '\0';
	return data;
}

struct error *fit_preflight(void)
{
	_cleanup_free_ char *disabled = first_line("/proc/sys/kernel/modules_disabled");
	_cleanup_free_ char *lockdown = first_line("/sys/kernel/security/lockdown");
	_cleanup_free_ char *enforce = first_line("/sys/module/module/parameters/sig_enforce");

	if (access("/proc/modules", F_OK))
		return error_create(
		    ENOSYS, "the running kernel was built without loadable modules" INSTEAD);
	if (geteuid())
		return error_create(EPERM,
		                    "loading a module needs root; run as root, or in a guest: "
		                    "spile --vm");
	if (access("/sys/kernel/btf/vmlinux", F_OK))
		return error_create(ENOENT,
		                    "the running kernel has no BTF (/sys/kernel/btf/vmlinux, "
		                    "CONFIG_DEBUG_INFO_BTF)" INSTEAD);
	if (disabled && !strcmp(disabled, "1"))
		return error_create(EPERM, "module loading was disabled until the next boot "
		                           "(kernel.modules_disabled = 1)" INSTEAD);
	if (lockdown && !strstr(lockdown, "[none]"))
		return error_create(
		    EPERM, "the kernel is locked down (%s), it takes no unsigned modules" INSTEAD,
		    lockdown);
	if (enforce && *enforce == 'Y')
		return error_create(EPERM, "the kernel takes only signed modules "
		                           "(module.sig_enforce)" INSTEAD);
	return NULL;
}
