// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_index.c - opens an index and asks it. Its file (places_index_format.h) may be damaged: all
 * parts are checked to lie inside when it is mapped, and each number in them where it is used.
 */
#include "symbols/places_index.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/hash.h"
#include "symbols/places_index_format.h"

struct places_index {
	struct debuginfo *info;
	void *map;
	size_t size;
	const struct index_header *header;
	const struct index_record *records;
	const struct index_symbol *symbols;
	const struct index_frame *frames;
	const struct index_name *names;
	const struct index_unit *units;
	const struct index_file *files;
	const struct index_row *rows;
	const char *strings;
};

/* --- opening ------------------------------------------------------------------------------------------------ */

/* Without a build id its path, size and time stand for a file. */
static char *index_path(struct debuginfo *info)
{
	_cleanup_free_ char *dir = debuginfo_cache_path("places");
	struct strbuf sb;
	struct stat st;

	error_destroy(file_make_dirs(dir));
	strbuf_init(&sb);
	if (!*info->build_id && stat(info->dwarf_path, &st) == 0) {
		uint64_t h = hash_bytes(0, info->dwarf_path, strlen(info->dwarf_path));

		h = hash_bytes(h, &st.st_size, sizeof(st.st_size));
		h = hash_bytes(h, &st.st_mtim, sizeof(st.st_mtim));
		strbuf_addf(&sb, "%s/file-%016llx", dir, (unsigned long long)h);
	} else {
		strbuf_addf(&sb, "%s/%s", dir, info->build_id);
	}
	return strbuf_steal(&sb);
}

size_t places_index_size(const struct index_header *h)
{
	return sizeof(*h) + h->records * sizeof(struct index_record) +
	       h->symbols * sizeof(struct index_symbol) +
	       h->frames * sizeof(struct index_frame) + h->names * sizeof(struct index_name) +
	       h->units * sizeof(struct index_unit) + h->files * sizeof(struct index_file) +
	       h->rows * sizeof(struct index_row) + h->strings;
}

static bool parts_fit(const struct index_header *h, size_t size)
{
	return size >= sizeof(*h) && h->version == PLACES_INDEX_VERSION && h->records <= UINT32_MAX &&
	       h->symbols <= UINT32_MAX && h->frames <= UINT32_MAX && h->names <= UINT32_MAX && h->units <= UINT32_MAX &&
	       h->files <= UINT32_MAX && h->rows <= UINT32_MAX && h->strings <= UINT32_MAX &&
	       h->strings && places_index_size(h) == size;
}

static void find_parts(struct places_index *index)
{
	const struct index_header *h = index->header;

	index->records = (const void *)(h + 1);
	index->symbols = (const void *)(index->records + h->records);
	index->frames = (const void *)(index->symbols + h->symbols);
	index->names = (const void *)(index->frames + h->frames);
	index->units = (const void *)(index->names + h->names);
	index->files = (const void *)(index->units + h->units);
	index->rows = (const void *)(index->files + h->files);
	index->strings = (const char *)(index->rows + h->rows);
}

static void map_index(struct debuginfo *info, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct places_index *index;
	struct stat st;
	char *map;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return;
	index = calloc(1, sizeof(*index));
	if (!index)
		abort();
	*index = (struct places_index){.info = info, .map = map, .size = st.st_size,
	                               .header = (void *)map};
	if (!parts_fit(index->header, st.st_size) || map[st.st_size - 1] ||
	    strncmp(index->header->build_id, info->build_id, sizeof(index->header->build_id) - 1)) {
		places_index_close(index);
		return;
	}
	find_parts(index);
	info->index = index;
}

bool places_index_is_made(struct debuginfo *info)
{
	_cleanup_free_ char *path = NULL;

	if (!info->index && !info->walks && !info->index_tried && info->dwarf_path) {
		info->index_tried = true;
		path = index_path(info);
		map_index(info, path);
	}
	return info->index && !info->walks;
}

bool places_index_answers(struct debuginfo *info)
{
	return (info->index || debuginfo_is_large(info)) && places_index_is_made(info);
}

static int count_function(const struct code_function *fn, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

size_t places_index_count_inlined(const char *build_id, const char *function)
{
	struct debuginfo named = {.build_id = (char *)build_id};
	struct place_query q = {.function = (char *)function};
	_cleanup_free_ char *path = NULL;
	size_t count = 0;

	if (!*build_id)
		return 0;
	path = index_path(&named);
	map_index(&named, path);
	if (named.index)
		places_index_functions(named.index, &q, FUNCTIONS_INLINES, count_function, &count);
	places_index_close(named.index);
	return count;
}

struct error *places_index_open(struct debuginfo *info)
{
	_cleanup_free_ char *path = NULL;
	struct error *error;

	if (info->index)
		return NULL;
	error = debuginfo_check_dwarf(info);
	if (error)
		return error;
	path = index_path(info);
	map_index(info, path);
	if (info->index)
		return NULL;
	error = places_index_make(info, path);
	if (error)
		return error;
	map_index(info, path);
	return info->index ? NULL : error_create(EIO, "cannot map the index %s", path);
}

void places_index_close(struct places_index *index)
{
	if (!index)
		return;
	munmap(index->map, index->size);
	free(index);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

static const char *string_at(const struct places_index *index, uint32_t at)
{
	return at && at < index->header->strings ? index->strings + at : NULL;
}

static size_t first_name(const struct places_index *index, const char *name)
{
	size_t low = 0, high = index->header->names;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const char *at = string_at(index, index->names[mid].name);

		if (strcmp(at ? at : "", name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_its_records(const struct places_index *index, const struct index_name *name)
{
	return name->first <= index->header->records &&
	       name->count <= index->header->records - name->first;
}

typedef int record_cb(const struct places_index *index, const struct index_record *r, void *arg);

/* Which files the query means: half a million records are of some thousand files, each compared once. */
struct file_filter {
	const char *wanted; /* NULL: any */
	uint8_t *verdicts;  /* by the offset of the file's name: 0 not known yet, else VERDICT_* */
};

enum { VERDICT_NO = 1, VERDICT_YES };

static bool is_wanted_file(const struct places_index *index, struct file_filter *f, uint32_t name)
{
	const char *file = string_at(index, name);

	if (!f->wanted || !file)
		return !f->wanted;
	if (!f->verdicts[name])
		f->verdicts[name] = path_matches(file, f->wanted) ? VERDICT_YES : VERDICT_NO;
	return f->verdicts[name] == VERDICT_YES;
}

static int each_of_name(const struct places_index *index, const struct index_name *name,
                        struct file_filter *files, unsigned kinds, record_cb *cb, void *arg)
{
	int result = 0;

	for (uint32_t i = 0; i < name->count && !result; i++) {
		const struct index_record *r = &index->records[name->first + i];
		unsigned kind =
		    r->kind == FUNCTION_BODY ? FUNCTIONS_BODIES : FUNCTIONS_INLINES;

		if (kinds & kind && !r->is_rest && is_wanted_file(index, files, r->file))
			result = cb(index, r, arg);
	}
	return result;
}

static int each_record(const struct places_index *index, const struct place_query *q,
                       unsigned kinds, record_cb *cb, void *arg)
{
	struct file_filter files = {q->file, q->file ? calloc(index->header->strings, 1) : NULL};
	bool plain = q->function && !is_pattern(q->function);
	size_t i = plain ? first_name(index, q->function) : 0;
	int result = 0;

	if (q->file && !files.verdicts)
		abort();
	for (; i < index->header->names && !result; i++) {
		const struct index_name *name = &index->names[i];
		const char *text = string_at(index, name->name);

		if (plain && (!text || strcmp(text, q->function)))
			break;
		if (!text || !has_its_records(index, name))
			continue;
		if (plain || !q->function || !fnmatch(q->function, text, 0))
			result = each_of_name(index, name, &files, kinds, cb, arg);
	}
	free(files.verdicts);
	return result;
}

struct functions {
	int (*cb)(const struct code_function *fn, void *arg);
	void *arg;
};

static int give_function(const struct places_index *index, const struct index_record *r, void *arg)
{
	struct functions *f = arg;
	struct code_function fn = {
	    .name = string_at(index, r->name),
	    .file = string_at(index, r->file),
	    .container = string_at(index, r->container),
	    .kind = r->kind == FUNCTION_BODY ? FUNCTION_BODY : FUNCTION_INLINE,
	    .address = r->address,
	    .size = r->size,
	    .line = r->line,
	    .call_line = r->call_line,
	    .is_external = r->is_external,
	    .unit = r->unit,
	    .die = r->die,
	    .body = r->body,
	    .place_file = string_at(index, r->place_file),
	    .place_line = r->place_line,
	};

	return fn.name ? f->cb(&fn, f->arg) : 0;
}

int places_index_functions(const struct places_index *index, const struct place_query *q,
                           unsigned kinds, int (*cb)(const struct code_function *fn, void *arg),
                           void *arg)
{
	struct functions f = {.cb = cb, .arg = arg};

	return each_record(index, q, kinds, give_function, &f);
}

struct units {
	uint32_t *seen; /* sorted by insertion; a query names few */
	size_t count;
};

static int note_unit(const struct places_index *index, const struct index_record *r, void *arg)
{
	struct units *u = arg;

	/* Records of one name come by address, so those of a unit stand together. */
	if (u->count && u->seen[u->count - 1] == r->unit)
		return 0;
	if (!(u->count & (u->count - 1))) {
		u->seen = reallocarray(u->seen, u->count ? u->count * 2 : 16, sizeof(*u->seen));
		if (!u->seen)
			abort();
	}
	u->seen[u->count++] = r->unit;
	return 0;
}

static int compare_units(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int places_index_units(const struct places_index *index, const struct place_query *q,
                       unsigned kinds, int (*cb)(uint64_t unit, void *arg), void *arg)
{
	struct units u = {.count = 0};
	int result = 0;

	if (!q->function)
		kinds = FUNCTIONS_BODIES | FUNCTIONS_INLINES;
	each_record(index, q, kinds, note_unit, &u);
	if (u.count)
		qsort(u.seen, u.count, sizeof(*u.seen), compare_units);
	for (size_t i = 0; i < u.count && !result; i++)
		if (!i || u.seen[i] != u.seen[i - 1])
			result = cb(u.seen[i], arg);
	free(u.seen);
	return result;
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

bool places_index_has_lines(const struct places_index *index)
{
	return index->header->has_rows;
}

/* The first row of a file that is of `line` or a later one. */
static const struct index_row *first_row(const struct places_index *index,
                                         const struct index_file *file, int64_t line)
{
	const struct index_row *low = index->rows + file->first, *high = low + file->count;

	while (low < high) {
		const struct index_row *mid = low + (high - low) / 2;

		if (mid->line < line)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The records of a plain name stand together, so that a row's copy is compared as a number. */
struct copies {
	uint32_t first, count;
};

static struct copies copies_of(const struct places_index *index, const char *function)
{
	struct copies all = {0, index->header->records}, none = {0, 0};
	const struct index_name *name;
	const char *text;
	size_t i;

	if (!function || is_pattern(function))
		return all;
	i = first_name(index, function);
	if (i == index->header->names)
		return none;
	name = &index->names[i];
	text = string_at(index, name->name);
	if (!text || strcmp(text, function) || !has_its_records(index, name))
		return none;
	return (struct copies){name->first, name->count};
}

static int take_row(const struct places_index *index, const struct index_file *file,
                    const struct index_row *row, const struct index_question *q,
                    int (*cb)(const struct index_line *line, void *arg), void *arg)
{
	const struct index_record *copy = &index->records[row->copy];
	struct place_query names = {.function = (char *)q->function};
	struct index_line line = {
	    .file = string_at(index, file->name),
	    .line = row->line,
	    .address = index->header->base + row->address,
	    .function = string_at(index, copy->name),
	    .container = string_at(index, copy->container),
	};

	return query_takes(&names, line.function, NULL) ? cb(&line, arg) : 0;
}

/* All lines of a function are searched for in all files: millions of rows, so the loop is tight. */
static int rows_of_file(const struct places_index *index, const struct index_file *file,
                        const struct index_question *q, struct copies copies,
                        int (*cb)(const struct index_line *line, void *arg), void *arg)
{
	const struct index_row *row = first_row(index, file, q->first);
	const struct index_row *end = first_row(index, file, (int64_t)q->last + 1);
	int result = 0;

	for (; row < end && !result; row++)
		if (row->copy - copies.first < copies.count)
			result = take_row(index, file, row, q, cb, arg);
	return result;
}

int places_index_lines(const struct places_index *index, const struct index_question *q,
                       int (*cb)(const struct index_line *line, void *arg), void *arg)
{
	struct copies copies = copies_of(index, q->function);
	int result = 0;

	for (uint32_t i = 0; i < index->header->files && !result && copies.count; i++) {
		const struct index_file *file = &index->files[i];
		const char *name = string_at(index, file->name);

		if (!name || file->first > index->header->rows ||
		    file->count > index->header->rows - file->first)
			continue;
		if (!q->file || path_matches(name, q->file))
			result = rows_of_file(index, file, q, copies, cb, arg);
	}
	return result;
}

/* --- symbols, units, frames ------------------------------------------------------------------------------------------ */

size_t places_index_symbols(const struct places_index *index)
{
	return index->header->symbols;
}

void places_index_symbol(const struct places_index *index, size_t i, struct elf_symbol *ret)
{
	const struct index_symbol *sym = &index->symbols[i];
	const char *name = string_at(index, sym->name);

	*ret = (struct elf_symbol){
	    .name = name ? name : "",
	    .address = sym->address,
	    .size = sym->size,
	    .is_function = sym->is_function,
	    .is_global = sym->is_global,
	};
}

/* The offset of a string that lies in the index itself; 0: it is somebody else's. */
static uint32_t own_string(const struct places_index *index, const char *text)
{
	uintptr_t offset = (uintptr_t)text - (uintptr_t)index->strings;

	return offset && offset < index->header->strings && !text[-1] ? (uint32_t)offset : 0;
}

/* Each string is there once, so comparing numbers will do as soon as the name's is known. */
int places_index_symbol_each(const struct places_index *index, const char *name,
                             int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	uint32_t own = own_string(index, name);
	int result = 0;

	for (size_t i = 0; i < index->header->symbols && !result; i++) {
		struct elf_symbol sym;

		if (own && index->symbols[i].name != own)
			continue;
		places_index_symbol(index, i, &sym);
		if (strcmp(sym.name, name))
			continue;
		own = index->symbols[i].name;
		result = cb(&sym, arg);
	}
	return result;
}

uint64_t places_index_symbol_address(const struct places_index *index, size_t i)
{
	return index->symbols[i].address;
}

bool places_index_unit(const struct places_index *index, uint64_t unit, uint64_t *ret_header)
{
	size_t low = 0, high = index->header->units;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (index->units[mid].die < unit)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == index->header->units || index->units[low].die != unit)
		return false;
	*ret_header = index->units[low].header;
	return index->units[low].is_alone;
}

bool places_index_frame(const struct places_index *index, uint64_t address, uint32_t *ret)
{
	size_t low = 0, high = index->header->frames;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (index->frames[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address - index->frames[low - 1].start >= index->frames[low - 1].length)
		return false;
	*ret = index->frames[low - 1].entry;
	return true;
}
