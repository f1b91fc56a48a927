// SPDX-License-Identifier: GPL-2.0-only
/* symbols/kernel.c - where a kernel's facts are read from. Its symbols: kernel_symbols.c. */
#include "symbols/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
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
	struct error *error;

	if (!k->btf) {
		if (!k->btf_path)
			return no_btf(k);
		error = btf_index_create_file(k->btf_path, &k->btf);
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
	size_t len;
	uint64_t h;

	if (!k->identity) {
		error = kernel_btf(k, &idx);
		if (error)
			return error;
		raw = btf_index_bytes(idx, &len);
		h = hash_bytes(0, k->release, strlen(k->release));
		h = hash_bytes(h, raw, raw ? len : 0);
		if (asprintf(&k->identity, "%016llx", (unsigned long long)h) < 0)
			abort();
	}
	*ret = k->identity;
	return NULL;
}
