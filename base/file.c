// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

struct error *file_read(const char *path, char **data, size_t *len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct strbuf sb;
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return error_create(errno, "cannot open %s: %s", path, strerror(errno));
	strbuf_init(&sb);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		strbuf_add(&sb, chunk, n);
	if (n < 0) {
		int err = errno;

		strbuf_deinit(&sb);
		return error_create(err, "cannot read %s: %s", path, strerror(err));
	}
	*len = sb.len;
	*data = strbuf_steal(&sb);
	return NULL;
}

struct error *file_map_fd(int fd, const char *path, void **map, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_create(errno, "cannot read %s: %s", path, strerror(errno));
	if (!st.st_size)
		return error_create(ENODATA, "%s is empty", path);
	*len = st.st_size;
	*map = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (*map == MAP_FAILED)
		return error_create(errno, "cannot map %s: %s", path, strerror(errno));
	return NULL;
}

struct error *file_map(const char *path, void **map, size_t *len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_create(errno, "cannot open %s: %s", path, strerror(errno));
	return file_map_fd(fd, path, map, len);
}

static struct error *write_all(int fd, const char *path, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_create(errno, "cannot write %s: %s", path, strerror(errno));
		data += n;
		len -= n;
	}
	return NULL;
}

struct error *file_write_atomic(const char *path, const void *data, size_t len)
{
	_cleanup_free_ char *tmp = NULL;
	_cleanup_close_ int fd = -1;
	struct error *error;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		abort();
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return error_create(errno, "cannot create %s: %s", tmp, strerror(errno));
	fchmod(fd, 0644);
	error = write_all(fd, tmp, data, len);
	if (!error && rename(tmp, path) < 0)
		error = error_create(errno, "cannot rename %s to %s: %s", tmp, path,
				     strerror(errno));
	if (error)
		unlink(tmp);
	return error;
}

struct error *file_make_dirs(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		abort();
	for (char *p = copy + 1; ; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return error_create(errno, "cannot make the folder %s: %s", copy,
					    strerror(errno));
		if (c == '\0')
			return NULL;
		*p = c;
	}
}
