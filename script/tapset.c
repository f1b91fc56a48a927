// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index is a text: a line for each name, sorted, in the form
 *
 *	KIND NAME \t NUMBER OF FILE
 *
 * kept in the cache as HASH.index, where the hash covers path, size, time and inode of all files:
 * a change of any file leads to another name. Making it is the lexer's run over each file, with an
 * eye on the words at the outermost level only (tapset_scan.c).
 */
#include "script/tapset.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "script/tapset_private.h"

struct tapset {
	struct arena arena;
	const char *cache;
	struct {
		ARENA_LIST(const char *);
	} folders, files;
	bool listed, indexed;
	struct {
		ARENA_LIST(struct tapset_entry);
	} entries;
};

struct tapset *tapset_create(const char *cache)
{
	struct tapset *tapset = calloc(1, sizeof(*tapset));

	if (!tapset)
		abort();
	arena_init(&tapset->arena);
	tapset->cache = cache ? arena_strdup(&tapset->arena, cache) : NULL;
	return tapset;
}

void tapset_destroy(struct tapset *tapset)
{
	if (!tapset)
		return;
	arena_deinit(&tapset->arena);
	free(tapset);
}

/* --- files ------------------------------------------------------------------------------------ */

static void add_place(struct tapset *tapset, const char *path, const char *below)
{
	const char *place = arena_printf(&tapset->arena, "%s/%s", path, below);

	ARENA_APPEND(&tapset->arena, &tapset->folders, place);
}

/* The release, then without what follows its '-', then without its last number. */
void tapset_add_folder(struct tapset *tapset, const char *path, const char *release)
{
	char *version = arena_strdup(&tapset->arena, release ? release : "");
	char *cut;

	while (*version) {
		add_place(tapset, path, arena_printf(&tapset->arena, "%s/x86_64", version));
		add_place(tapset, path, version);
		cut = strchr(version, '-') ? strchr(version, '-') : strrchr(version, '.');
		version = arena_strndup(&tapset->arena, version,
		                        cut ? (size_t)(cut - version) : 0);
	}
	add_place(tapset, path, "linux/x86_64");
	add_place(tapset, path, "linux");
	add_place(tapset, path, "x86_64");
	ARENA_APPEND(&tapset->arena, &tapset->folders, arena_strdup(&tapset->arena, path));
}

static bool is_tapset_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && name[0] != '.' && (!strcmp(dot, ".stp") || !strcmp(dot, ".stpm"));
}

static int is_wanted(const struct dirent *entry)
{
	return is_tapset_file(entry->d_name);
}

static void list_folder(struct tapset *tapset, const char *folder)
{
	struct dirent **found;
	int count = scandir(folder, &found, is_wanted, alphasort);

	for (int i = 0; i < count; i++) {
		ARENA_APPEND(&tapset->arena, &tapset->files,
		             arena_printf(&tapset->arena, "%s/%s", folder, found[i]->d_name));
		free(found[i]);
	}
	if (count >= 0)
		free(found);
}

static void list_files(struct tapset *tapset)
{
	for (size_t i = 0; i < tapset->folders.count && !tapset->listed; i++)
		list_folder(tapset, tapset->folders.items[i]);
	tapset->listed = true;
}

size_t tapset_file_count(struct tapset *tapset)
{
	list_files(tapset);
	return tapset->files.count;
}

const char *tapset_file(struct tapset *tapset, size_t i)
{
	return i < tapset_file_count(tapset) ? tapset->files.items[i] : NULL;
}

/* --- the index -------------------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
	const struct tapset_entry *x = a, *y = b;
	int order = x->kind - y->kind;

	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : (x->file > y->file) - (x->file < y->file);
}

void tapset_add_entry(struct tapset *tapset, enum tapset_kind kind, const char *name, size_t file)
{
	struct tapset_entry entry = {kind, arena_strdup(&tapset->arena, name), file};

	ARENA_APPEND(&tapset->arena, &tapset->entries, entry);
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

/* NULL without a cache. */
static char *index_path(struct tapset *tapset)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char *path;

	if (!tapset->cache)
		return NULL;
	for (size_t i = 0; i < tapset->files.count; i++) {
		struct stat st = {0};
		int64_t facts[4];

		stat(tapset->files.items[i], &st);
		facts[0] = st.st_size;
		facts[1] = st.st_mtim.tv_sec;
		facts[2] = st.st_mtim.tv_nsec;
		facts[3] = (int64_t)st.st_ino;
		hash = hash_bytes(hash, tapset->files.items[i],
		                  strlen(tapset->files.items[i]) + 1);
		hash = hash_bytes(hash, facts, sizeof(facts));
	}
	if (asprintf(&path, "%s/%016" PRIx64 ".index", tapset->cache, hash) < 0)
		abort();
	return path;
}

/* False when there is none, or it is damaged. */
static bool read_index(struct tapset *tapset, const char *path)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	size_t len;

	struct error *error = file_read(path, &text, &len);

	error_destroy(error);
	if (error)
		return false;
	for (rest = text; (line = strsep(&rest, "\n")) && *line;) {
		char *tab = strchr(line, '\t');

		if (!tab || strtoul(tab + 1, NULL, 10) >= tapset->files.count)
			return false;
		*tab = 0;
		tapset_add_entry(tapset, (enum tapset_kind)line[0], line + 1,
		                 strtoul(tab + 1, NULL, 10));
	}
	return true;
}

static void write_index(struct tapset *tapset, const char *path)
{
	struct strbuf text;

	strbuf_init(&text);
	for (size_t i = 0; i < tapset->entries.count; i++) {
		const struct tapset_entry *entry = &tapset->entries.items[i];

		strbuf_addf(&text, "%c%s\t%zu\n", entry->kind, entry->name, entry->file);
	}
	error_destroy(file_write_atomic(path, text.data ? text.data : "", text.len));
	strbuf_deinit(&text);
}

static void make_index(struct tapset *tapset)
{
	for (size_t i = 0; i < tapset->files.count; i++)
		tapset_scan(tapset, tapset->files.items[i], i);
	if (tapset->entries.count)
		qsort(tapset->entries.items, tapset->entries.count,
		      sizeof(*tapset->entries.items), compare_entries);
}

static void need_index(struct tapset *tapset)
{
	_cleanup_free_ char *path = NULL;

	if (tapset->indexed)
		return;
	tapset->indexed = true;
	list_files(tapset);
	path = index_path(tapset);
	if (path && read_index(tapset, path))
		return;
	tapset->entries.count = 0;
	make_index(tapset);
	if (path)
		write_index(tapset, path);
}

/* --- look-up ---------------------------------------------------------------------------------- */

/* The number of the first entry that is not before the key. */
static size_t lower_bound(struct tapset *tapset, const struct tapset_entry *key)
{
	size_t low = 0, high = tapset->entries.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_entries(&tapset->entries.items[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *tapset_find(struct tapset *tapset, enum tapset_kind kind, const char *name, size_t *at)
{
	struct tapset_entry key = {kind, name, *at};
	size_t i;

	need_index(tapset);
	i = lower_bound(tapset, &key);
	if (i == tapset->entries.count || tapset->entries.items[i].kind != kind ||
	    strcmp(tapset->entries.items[i].name, name))
		return NULL;
	*at = tapset->entries.items[i].file + 1;
	return tapset->files.items[tapset->entries.items[i].file];
}

const char *tapset_name(struct tapset *tapset, enum tapset_kind kind, size_t i)
{
	struct tapset_entry key = {kind, "", 0};

	need_index(tapset);
	i += lower_bound(tapset, &key);
	if (i >= tapset->entries.count || tapset->entries.items[i].kind != kind)
		return NULL;
	return tapset->entries.items[i].name;
}
