// SPDX-License-Identifier: GPL-2.0-only
/* What only a running kernel tells about itself: one boot per kernel collects it. */
#include "vm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm/kernel.h"

/* Runs in the kernel's folder, in the guest. "blacklist" is named last: it marks completion. */
static const char script[] =
	"set -e\n"
	"cat /proc/kallsyms > kallsyms.new\n"
	"cat /sys/kernel/tracing/available_filter_functions > functions.new\n"
	"cat /sys/kernel/debug/kprobes/blacklist > blacklist.new\n"
	"mv kallsyms.new kallsyms\n"
	"mv functions.new functions\n"
	"mv blacklist.new blacklist\n";

static bool profiled(const char *dir)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/blacklist", dir) < 0)
		abort();
	return access(path, F_OK) == 0;
}

static struct error *profile(const char *release, const char *dir)
{
	struct vm_result result = { 0 };
	struct error *error = vm_run(&(struct vm_options){
		.kernel = release,
		.shares = (const char *[]){ dir, NULL },
		.cwd = dir,
		.nokaslr = true,
		.cold = true,
		.timeout_s = 300,
		.in = -1, .out = STDERR_FILENO, .err = STDERR_FILENO,
		.argv = (char *[]){ "sh", "-c", (char *)script, NULL },
	}, &result);

	if (!error && result.status)
		error = error_create(EIO, "the boot that describes it ended with status %d%s%s",
				     result.status, result.story ? ": " : "",
				     result.story ? result.story : "");
	vm_result_deinit(&result);
	return error ? error_wrap(error, "kernel %s", release) : NULL;
}

static struct error *profile_locked(const char *dir)
{
	const char *release = strrchr(dir, '/') + 1;
	_cleanup_free_ char *cache = NULL;
	_cleanup_close_ int lock = -1;
	struct error *error = kernel_cache_dir(&cache);

	if (!error)
		error = kernel_lock(cache, release, &lock);
	if (error || profiled(dir))
		return error;
	kernel_progress("describing kernel %s by one boot of it", release);
	return profile(release, dir);
}

struct error *vm_kernel_prepare(const char *kernel, char **ret_dir)
{
	_cleanup_free_ char *dir = NULL;
	struct error *error = kernel_fetch(kernel, &dir);

	if (!error && !profiled(dir))
		error = profile_locked(dir);
	if (!error)
		*ret_dir = steal_ptr(dir);
	return error;
}
