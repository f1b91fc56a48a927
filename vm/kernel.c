// SPDX-License-Identifier: GPL-2.0-only
#include "vm/kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "vm/apt.h"
#include "vm/image.h"
#include "vm/spawn.h"

/* The names of -k, and the suite of Debian whose linux-image-amd64 each stands for. */
static const struct kernel_name {
	const char *name, *suite;
} kernel_names[] = {
	{ "6.1", "bookworm" }, /* first: the default */
	{ "5.10", "bullseye" },
	{ "6.12", "trixie" },
	{ "newest", "sid" },
};
#define KERNEL_NAMES (sizeof(kernel_names) / sizeof(kernel_names[0]))

void kernel_progress(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("spile-vm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

__attribute__((format(printf, 1, 2))) static char *format(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

static bool path_exists(const char *dir, const char *name)
{
	_cleanup_free_ char *path = format("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

/* --- the cache --------------------------------------------------------------------------------- */

struct error *kernel_cache_dir(char **ret)
{
	const char *own = getenv("SPILE_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	_cleanup_free_ char *kernels = NULL, *dir = NULL;
	struct error *error;

	if (own && *own == '/')
		dir = strdup(own);
	else if (xdg && *xdg == '/')
		dir = format("%s/spile", xdg);
	else if (home && *home == '/')
		dir = format("%s/.cache/spile", home);
	else
		return error_create(EINVAL, "no place for a cache: set HOME or SPILE_CACHE to an "
					    "absolute path");
	kernels = format("%s/kernels", dir);
	error = file_make_dirs(kernels);
	if (!error)
		*ret = steal_ptr(dir);
	return error;
}

struct error *kernel_lock(const char *cache, const char *name, int *ret)
{
	_cleanup_free_ char *path = format("%s/kernels/lock-%s", cache, name);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_create(errno, "cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		kernel_progress("waiting for another spile-vm that prepares kernel %s", name);
		while (flock(fd, LOCK_EX) < 0) {
			if (errno != EINTR)
				return error_create(errno, "cannot lock %s: %s", path,
						    strerror(errno));
		}
	}
	*ret = fd;
	fd = -1;
	return NULL;
}

/* The folder of a release if it is complete, else NULL. The caller frees. */
static char *cached_release(const char *cache, const char *release)
{
	_cleanup_free_ char *dir = format("%s/kernels/%s", cache, release);

	if (!path_exists(dir, "release"))
		return NULL;
	return steal_ptr(dir);
}

static char *cached_alias(const char *cache, const char *name)
{
	_cleanup_free_ char *path = format("%s/kernels/alias-%s", cache, name), *release = NULL;
	struct error *error;
	size_t len;

	error = file_read(path, &release, &len);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	release[strcspn(release, "\n")] = '\0';
	return *release ? cached_release(cache, release) : NULL;
}

/* --- from packages to a kernel folder ---------------------------------------------------------- */

static struct error *write_file(const char *dir, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *path = format("%s/%s", dir, name);

	return file_write_atomic(path, data, len);
}

static struct error *remove_tree(const char *path)
{
	return spawn_read((const char *[]){ "rm", "-rf", "--", path, NULL }, NULL, NULL);
}

static struct error *unpack_debs(const char *debs, const char *root)
{
	DIR *dir = opendir(debs);
	struct error *error = NULL;
	struct dirent *d;

	while (dir && !error && (d = readdir(dir))) {
		_cleanup_free_ char *deb = format("%s/%s", debs, d->d_name);
		const char *suffix = strrchr(d->d_name, '.');

		if (suffix && !strcmp(suffix, ".deb"))
			error = spawn_read((const char *[]){ "dpkg-deb", "-x", deb, root, NULL },
					   NULL, NULL);
	}
	if (dir)
		closedir(dir);
	return error;
}

/* Debian puts modules under /lib (older) or /usr/lib (newer). */
static char *find_modules(const char *root, const char *release)
{
	char *dir = format("%s/usr/lib/modules/%s", root, release);

	if (access(dir, F_OK) == 0)
		return dir;
	free(dir);
	return format("%s/lib/modules/%s", root, release);
}

/* The bzImage is /boot/vmlinuz-RELEASE or, in the newest packages, beside the modules. */
static char *find_image(const char *root, const char *modules, const char *release)
{
	char *path = format("%s/boot/vmlinuz-%s", root, release);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return format("%s/vmlinuz", modules);
}

/* The configuration: also a file of /boot or beside the modules. Wanted by tests only. */
static struct error *write_config(const char *dir, const char *root, const char *modules,
				  const char *release)
{
	_cleanup_free_ char *boot = format("%s/boot/config-%s", root, release);
	_cleanup_free_ char *beside = format("%s/config", modules), *data = NULL;
	struct error *error;
	size_t len;

	error = file_read(access(boot, F_OK) == 0 ? boot : beside, &data, &len);
	return error ? error : write_file(dir, "config", data, len);
}

static struct error *write_image(const char *dir, const char *image_path)
{
	_cleanup_free_ char *image = NULL, *elf = NULL;
	struct error *error;
	size_t image_len, elf_len, btf_len;
	const void *btf;

	error = file_read(image_path, &image, &image_len);
	if (!error)
		error = image_extract_elf(image, image_len, &elf, &elf_len);
	if (!error)
		error = image_find_section(elf, elf_len, ".BTF", &btf, &btf_len);
	if (!error)
		error = write_file(dir, "btf", btf, btf_len);
	if (!error)
		error = write_file(dir, "vmlinux", elf, elf_len);
	return error;
}

/* modules.dep, for modprobe in the guest, if the host has depmod. */
static void run_depmod(const char *root, const char *release)
{
	error_destroy(spawn_read((const char *[]){ "depmod", "-b", root, release, NULL }, NULL,
				 NULL));
}

/* Makes the kernel folder out of an unpacked package; "release" is written last. */
static struct error *describe(const char *root, const char *release, const char *dir)
{
	_cleanup_free_ char *modules = find_modules(root, release);
	_cleanup_free_ char *image = find_image(root, modules, release);
	_cleanup_free_ char *to = format("%s/modules", dir);
	_cleanup_free_ char *line = format("%s\n", release);
	struct error *error;

	run_depmod(root, release);
	error = write_image(dir, image);
	if (!error)
		error = write_config(dir, root, modules, release);
	if (error)
		return error;
	if (rename(modules, to) < 0)
		return error_create(errno, "cannot rename %s to %s: %s", modules, to,
				    strerror(errno));
	return write_file(dir, "release", line, strlen(line));
}

static struct error *download_all(struct apt *apt, const char *packages, const char *into)
{
	_cleanup_free_ char *copy = strdup(packages);
	struct error *error = NULL;
	char *save;

	for (char *p = strtok_r(copy, "\n", &save); p && !error; p = strtok_r(NULL, "\n", &save)) {
		kernel_progress("downloading package %s", p);
		error = apt_download(apt, p, into);
	}
	return error;
}

/* Fetches into a folder beside the final one, which then appears whole by one rename. */
static struct error *fetch_release(struct apt *apt, const char *packages, const char *release,
				   const char *cache)
{
	_cleanup_free_ char *staging = format("%s/kernels/new-%s", cache, release);
	_cleanup_free_ char *debs = format("%s/debs", staging), *root = format("%s/root", staging);
	_cleanup_free_ char *final = format("%s/kernels/%s", cache, release);
	struct error *error, *ignored;

	error = remove_tree(staging);
	if (!error)
		error = file_make_dirs(debs);
	if (!error)
		error = file_make_dirs(root);
	if (!error)
		error = download_all(apt, packages, debs);
	if (!error) {
		kernel_progress("unpacking kernel %s", release);
		error = unpack_debs(debs, root);
	}
	if (!error)
		error = describe(root, release, staging);
	if (!error)
		error = remove_tree(debs);
	if (!error)
		error = remove_tree(root);
	if (!error && rename(staging, final) < 0)
		error = error_create(errno, "cannot rename %s to %s: %s", staging, final,
				     strerror(errno));
	if (error) {
		ignored = remove_tree(staging);
		error_destroy(ignored);
	}
	return error;
}

/* linux-image-6.1.0-56-amd64 is release 6.1.0-56-amd64. */
static char *release_of(const char *packages)
{
	const char *name = packages + strcspn(packages, "0123456789");

	return strndup(name, strcspn(name, "\n"));
}

static struct error *fetch_suite(const struct kernel_name *known, const char *cache, char **ret_dir)
{
	_cleanup_free_ char *dir = format("%s/apt/%s", cache, known->suite);
	_cleanup_free_ char *packages = NULL, *release = NULL, *alias = NULL, *line = NULL;
	struct error *error;
	struct apt *apt;

	error = apt_create(dir, known->suite, &apt);
	if (error)
		return error;
	kernel_progress("asking Debian's %s for its kernel", known->suite);
	error = apt_update(apt);
	if (!error)
		error = apt_kernel_packages(apt, "linux-image-amd64", &packages);
	if (!error) {
		release = release_of(packages);
		*ret_dir = cached_release(cache, release);
		if (!*ret_dir)
			error = fetch_release(apt, packages, release, cache);
	}
	apt_destroy(apt);
	if (error)
		return error_wrap(error, "cannot get kernel %s", known->name);
	if (!*ret_dir)
		*ret_dir = cached_release(cache, release);
	alias = format("kernels/alias-%s", known->name);
	line = format("%s\n", release);
	return write_file(cache, alias, line, strlen(line));
}

/* --- names ------------------------------------------------------------------------------------- */

static const struct kernel_name *find_name(const char *name)
{
	for (size_t i = 0; i < KERNEL_NAMES; i++) {
		if (!strcmp(kernel_names[i].name, name))
			return &kernel_names[i];
	}
	return NULL;
}

static struct error *unknown_name(const char *cache, const char *name)
{
	_cleanup_free_ char *path = format("%s/kernels", cache), *text = NULL;
	DIR *dir = opendir(path);
	struct dirent *d;
	struct strbuf list;
	struct error *error;

	strbuf_init(&list);
	for (size_t i = 0; i < KERNEL_NAMES; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", kernel_names[i].name);
	while (dir && (d = readdir(dir))) {
		if (isdigit((unsigned char)d->d_name[0]))
			strbuf_addf(&list, ", %s", d->d_name);
	}
	if (dir)
		closedir(dir);
	text = strbuf_steal(&list);
	error = error_create(EINVAL, "no kernel is called \"%s\"; there are %s", name, text);
	return error;
}

struct error *kernel_fetch(const char *name, char **ret_dir)
{
	const struct kernel_name *known = find_name(name ? name : kernel_names[0].name);
	_cleanup_free_ char *cache = NULL;
	_cleanup_close_ int lock = -1;
	struct error *error = kernel_cache_dir(&cache);

	if (error)
		return error;
	if (!known) {
		if (!strchr(name, '/') && isdigit((unsigned char)*name))
			*ret_dir = cached_release(cache, name);
		else
			*ret_dir = NULL;
		return *ret_dir ? NULL : unknown_name(cache, name);
	}
	*ret_dir = cached_alias(cache, known->name);
	if (*ret_dir)
		return NULL;
	error = kernel_lock(cache, known->name, &lock);
	if (error)
		return error;
	*ret_dir = cached_alias(cache, known->name); /* somebody else may have fetched it */
	return *ret_dir ? NULL : fetch_suite(known, cache, ret_dir);
}
