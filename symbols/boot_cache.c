// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/boot_cache.c - /run/spile/BOOT-NAME, BOOT being the kernel's boot_id.
 *
 * /run is emptied at boot, but not everywhere (containers), so the name says which boot is meant.
 * A folder or file counts only if it belongs to this user and others have no right to change it:
 * both are looked at through the descriptor that is then used, never by name.
 */
#include "symbols/boot_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"

/* The right type, ours, and none of the rights in `forbidden` given. */
static bool is_ours(int fd, mode_t type, mode_t forbidden)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && (st.st_mode & S_IFMT) == type &&
	       st.st_uid == geteuid() && !(st.st_mode & forbidden);
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || is_ours(fd, S_IFDIR, 077))
		return fd;
	close(fd);
	return -1;
}

static bool file_name(const char *boot, const char *name, char ret[NAME_MAX])
{
	int n = snprintf(ret, NAME_MAX, "%s-%s", boot, name);

	return *boot && n > 0 && n < NAME_MAX && !strchr(ret, '/');
}

/* A descriptor, or -1. */
static int open_file(const char *dir, const char *boot, const char *name)
{
	_cleanup_close_ int at = open_dir(dir);
	char path[NAME_MAX];
	int fd;

	if (at < 0 || !file_name(boot, name, path))
		return -1;
	fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || is_ours(fd, S_IFREG, 022))
		return fd;
	close(fd);
	return -1;
}

bool boot_cache_map_from(const char *dir, const char *boot, const char *name, void **map,
                         size_t *len)
{
	_cleanup_close_ int fd = open_file(dir, boot, name);
	struct error *error;
	bool good;

	if (fd < 0)
		return false;
	error = file_map_fd(fd, name, map, len);
	good = !error;
	error_destroy(error);
	return good;
}

bool boot_cache_read_from(const char *dir, const char *boot, const char *name, char **data,
                          size_t *len)
{
	_cleanup_close_ int fd = open_file(dir, boot, name);
	char chunk[65536];
	struct strbuf sb;
	ssize_t n;

	if (fd < 0)
		return false;
	strbuf_init(&sb);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		strbuf_add(&sb, chunk, n);
	if (n < 0 || !sb.len) {
		strbuf_deinit(&sb);
		return false;
	}
	*len = sb.len;
	*data = strbuf_steal(&sb);
	return true;
}

/* --- writing --------------------------------------------------------------------------------- */

static void remove_other_boots(int at, const char *boot)
{
	int copy = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, boot, strlen(boot)) != 0)
			unlinkat(at, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (copy >= 0)
		close(copy);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

void boot_cache_write_to(const char *dir, const char *boot, const char *name, const void *data,
                         size_t len)
{
	_cleanup_close_ int at = -1, fd = -1;
	char path[NAME_MAX], tmp[NAME_MAX + 32];

	if (!file_name(boot, name, path))
		return;
	mkdir(dir, 0700);
	at = open_dir(dir);
	if (at < 0)
		return;
	remove_other_boots(at, boot);
	snprintf(tmp, sizeof(tmp), "%s.%d", path, (int)getpid());
	unlinkat(at, tmp, 0); /* of a process that was killed and had our number */
	fd = openat(at, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (!write_all(fd, data, len) || renameat(at, tmp, at, path))
		unlinkat(at, tmp, 0);
}

/* --- this boot ------------------------------------------------------------------------------- */

/* "" when the kernel does not tell. The caller frees. */
static char *this_boot(void)
{
	struct error *error;
	char *id = NULL;
	size_t len;

	error = file_read("/proc/sys/kernel/random/boot_id", &id, &len);
	if (error) {
		error_destroy(error);
		return strdup("");
	}
	id[strcspn(id, "\n")] = '\0';
	return id;
}

bool boot_cache_read(const char *name, char **data, size_t *len)
{
	_cleanup_free_ char *boot = this_boot();

	return boot_cache_read_from(BOOT_CACHE_DIR, boot, name, data, len);
}

bool boot_cache_map(const char *name, void **map, size_t *len)
{
	_cleanup_free_ char *boot = this_boot();

	return boot_cache_map_from(BOOT_CACHE_DIR, boot, name, map, len);
}

void boot_cache_write(const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *boot = this_boot();

	boot_cache_write_to(BOOT_CACHE_DIR, boot, name, data, len);
}
