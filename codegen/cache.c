// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "base/cleanup.h"
#include "codegen/compile.h"

/* --- hashes ----------------------------------------------------------------------------------- */

void content_hash_init(struct content_hash *hash)
{
	hash->a = UINT64_C(0xcbf29ce484222325);
	hash->b = UINT64_C(0x9e3779b97f4a7c15);
}

/* One half is FNV-1a; the other multiplies and folds, so that they fail on different inputs. */
void content_hash_add(struct content_hash *hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		hash->a = (hash->a ^ p[i]) * UINT64_C(0x100000001b3);
		hash->b = (hash->b + p[i] + 1) * UINT64_C(0xd6e8feb86659fd93);
		hash->b ^= hash->b >> 32;
	}
}

void content_hash_adds(struct content_hash *hash, const char *s)
{
	content_hash_add(hash, s ? s : "", s ? strlen(s) + 1 : 1);
}

void content_hash_add_file(struct content_hash *hash, const char *path)
{
	struct stat st;
	int64_t facts[4] = {-1};

	if (!stat(path, &st)) {
		facts[0] = st.st_size;
		facts[1] = st.st_mtim.tv_sec;
		facts[2] = st.st_mtim.tv_nsec;
		facts[3] = (int64_t)st.st_ino;
	}
	content_hash_adds(hash, path);
	content_hash_add(hash, facts, sizeof(facts));
}

void content_hash_text(const struct content_hash *hash, char ret[33])
{
	snprintf(ret, 33, "%016" PRIx64 "%016" PRIx64, hash->a, hash->b);
}

/* --- the folder ------------------------------------------------------------------------------- */

static char *scripts_path(void)
{
	const char *cache = getenv("SPILE_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	struct strbuf sb;

	strbuf_init(&sb);
	if (cache && *cache)
		strbuf_adds(&sb, cache);
	else if (xdg && *xdg)
		strbuf_addf(&sb, "%s/spile", xdg);
	else
		strbuf_addf(&sb, "%s/.cache/spile", home && *home ? home : "/root");
	strbuf_adds(&sb, "/scripts");
	return strbuf_steal(&sb);
}

/* What lies there is loaded into the kernel: nobody else may have put it there. */
static struct error *check_owner(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return error_create(errno, "cannot look at the cache folder %s: %s", path,
		                    strerror(errno));
	if (st.st_uid == geteuid() && !(st.st_mode & S_IWOTH))
		return NULL;
	return error_create(EPERM,
	                    "the cache folder %s can be written by others; name one of your own in "
	                    "the environment variable SPILE_CACHE",
	                    path);
}

struct error *cache_scripts_dir(char **ret)
{
	struct error *error;

	*ret = scripts_path();
	error = file_make_dirs(*ret);
	if (!error)
		error = check_owner(*ret);
	if (error) {
		free(*ret);
		*ret = NULL;
	}
	return error;
}

/* --- starts ----------------------------------------------------------------------------------- */

/* NULL when there is no cache to be trusted. */
static char *start_path(const char *key)
{
	_cleanup_free_ char *dir = NULL;
	struct error *error = cache_scripts_dir(&dir);
	struct strbuf sb;

	if (error) {
		error_destroy(error);
		return NULL;
	}

	strbuf_init(&sb);
	strbuf_addf(&sb, "%s/%s.start", dir, key);
	return strbuf_steal(&sb);
}

char *cache_start_find(const char *key)
{
	_cleanup_free_ char *path = start_path(key), *result = NULL;
	size_t len;

	if (path && !access(path, R_OK))
		error_destroy(file_read(path, &result, &len));
	return steal_ptr(result);
}

void cache_start_store(const char *key, const char *result)
{
	_cleanup_free_ char *path = start_path(key);

	if (path)
		error_destroy(file_write_atomic(path, result, strlen(result)));
}

/* --- cleaning --------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
	static const char *const endings[] = {".o", ".so", ".c", ".start", ".index"};
	const char *dot = strchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (!strcmp(dot, endings[i]))
			return true;
	return false;
}

struct error *cache_clean(void)
{
	_cleanup_free_ char *dir = NULL;
	struct error *error = cache_scripts_dir(&dir);
	struct dirent *entry;
	DIR *folder;

	if (error)
		return error;
	folder = opendir(dir);
	if (!folder)
		return error_create(errno, "cannot read %s: %s", dir, strerror(errno));
	while ((entry = readdir(folder)))
		if (is_ours(entry->d_name))
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	return NULL;
}
