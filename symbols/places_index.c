// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_index.c - the index is a file of four parts:
 *
 *	header    version, build id, how many of each
 *	names     one per function name, sorted: where its records begin
 *	records   bodies and inlined copies, sorted by name, then address
 *	strings   NUL-terminated
 *
 * Making it: each worker process walks every n-th unit and hands its records and strings back
 * through a memory file; the parent joins, sorts and writes. libdw is not made for threads, and a
 * worker that dies of a damaged file takes nobody with it.
 */
#include "symbols/places_index.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/hash.h"
#include "symbols/places_private.h"

#define VERSION 0x32584449454c5053ull /* "SPLEIDX2" */
#define WORKERS_MAX 8

struct index_header {
	uint64_t version;
	char build_id[64];
	uint64_t names, records, strings; /* counts; strings in bytes */
};

struct index_name {
	uint32_t name, first, count;
};

struct index_record {
	uint64_t address;
	uint32_t size, unit, die;
	uint32_t name, file, container; /* offsets of strings; 0: the empty one, none */
	int32_t line, call_line;
	uint8_t kind, is_external, padding[6];
};

struct places_index {
	struct debuginfo *info;
	void *map;
	size_t size;
	const struct index_header *header;
	const struct index_name *names;
	const struct index_record *records;
	const char *strings;
};

/* --- a set of strings, each kept once --------------------------------------------------------------- */

struct strings {
	struct strbuf text;
	uint32_t *slots; /* offsets; 0 free */
	size_t room, count;
};

static void strings_init(struct strings *s)
{
	*s = (struct strings){.room = 1 << 12};
	strbuf_init(&s->text);
	strbuf_addc(&s->text, '\0');
	s->slots = calloc(s->room, sizeof(*s->slots));
	if (!s->slots)
		abort();
}

static void strings_deinit(struct strings *s)
{
	strbuf_deinit(&s->text);
	free(s->slots);
}

static uint32_t *strings_slot(struct strings *s, const char *text)
{
	size_t i = hash_bytes(0, text, strlen(text)) & (s->room - 1);

	while (s->slots[i] && strcmp(s->text.data + s->slots[i], text))
		i = (i + 1) & (s->room - 1);
	return &s->slots[i];
}

static void strings_grow(struct strings *s)
{
	uint32_t *old = s->slots;
	size_t room = s->room;

	s->room *= 2;
	s->slots = calloc(s->room, sizeof(*s->slots));
	if (!s->slots)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i])
			*strings_slot(s, s->text.data + old[i]) = old[i];
	free(old);
}

static uint32_t strings_add(struct strings *s, const char *text)
{
	uint32_t *slot;

	if (!text || !*text || s->text.len > UINT32_MAX / 2)
		return 0;
	slot = strings_slot(s, text);
	if (*slot)
		return *slot;
	*slot = s->text.len;
	strbuf_add(&s->text, text, strlen(text) + 1);
	if (++s->count * 2 > s->room) {
		uint32_t at = *slot;

		strings_grow(s);
		return at;
	}
	return *slot;
}

/* --- making: the worker -------------------------------------------------------------------------------- */

struct builder {
	struct debuginfo *info;
	struct strings strings;
	struct index_record *records;
	size_t count;
	unsigned worker, workers; /* takes units worker, worker + workers, ... */
	size_t unit;
};

static void builder_add(struct builder *b, struct index_record record)
{
	if (!(b->count & (b->count - 1))) {
		size_t room = b->count ? b->count * 2 : 1024;

		b->records = reallocarray(b->records, room, sizeof(*b->records));
		if (!b->records)
			abort();
	}
	b->records[b->count++] = record;
}

static int build_function(const struct code_function *fn, void *arg)
{
	struct builder *b = arg;

	builder_add(b, (struct index_record){
	                   .address = fn->address,
	                   .size = fn->size > UINT32_MAX ? 0 : fn->size,
	                   .unit = fn->unit,
	                   .die = fn->die,
	                   .name = strings_add(&b->strings, fn->name),
	                   .file = strings_add(&b->strings, fn->file),
	                   .container = strings_add(&b->strings, fn->container),
	                   .line = fn->line,
	                   .call_line = fn->call_line,
	                   .kind = fn->kind,
	                   .is_external = fn->is_external,
	               });
	return 0;
}

static int build_unit(const struct unit *unit, void *arg)
{
	struct builder *b = arg;

	if (b->unit++ % b->workers != b->worker)
		return 0;
	return unit_each_function(b->info, unit, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
	                          build_function, b);
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* In a process of its own: all that it finds goes to `fd`. */
static void work(struct builder *b, int fd)
{
	uint64_t head[2];
	bool fine;

	unit_each(b->info, build_unit, b);
	head[0] = b->count;
	head[1] = b->strings.text.len;
	fine = write_all(fd, head, sizeof(head)) &&
	       write_all(fd, b->records, b->count * sizeof(*b->records)) &&
	       write_all(fd, b->strings.text.data, b->strings.text.len);
	_exit(fine ? 0 : 1);
}

/* --- making: the parent ---------------------------------------------------------------------------------- */

/* Adds what a worker wrote; its strings get new offsets. */
static bool join(struct builder *b, int fd)
{
	struct stat st;
	uint64_t head[2];
	char *map;
	const char *text;
	bool fine;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(head))
		return false;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	memcpy(head, map, sizeof(head));
	text = map + sizeof(head) + head[0] * sizeof(struct index_record);
	fine = text + head[1] == map + st.st_size;
	for (size_t i = 0; fine && i < head[0]; i++) {
		struct index_record record;

		memcpy(&record, map + sizeof(head) + i * sizeof(record), sizeof(record));
		record.name = strings_add(&b->strings, text + record.name);
		record.file = strings_add(&b->strings, text + record.file);
		record.container = strings_add(&b->strings, text + record.container);
		builder_add(b, record);
	}
	munmap(map, st.st_size);
	return fine;
}

static unsigned worker_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : n;
}

static struct error *crashed(const struct debuginfo *info)
{
	return error_create(EINVAL, "%s: reading its debug information failed, it is damaged",
	                    info->dwarf_path);
}

static struct error *run_workers(struct builder *b)
{
	unsigned n = worker_count();
	struct error *error = NULL;
	int fds[WORKERS_MAX];
	pid_t pids[WORKERS_MAX];

	fflush(NULL);
	for (unsigned i = 0; i < n; i++) {
		struct builder part = {.info = b->info, .worker = i, .workers = n};

		fds[i] = memfd_create("places", MFD_CLOEXEC);
		pids[i] = fds[i] < 0 ? -1 : fork();
		if (pids[i] == 0) {
			strings_init(&part.strings);
			work(&part, fds[i]);
		}
	}
	for (unsigned i = 0; i < n; i++) {
		int status = 1;

		if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0 || status || !join(b, fds[i]))
			error = error ? error : crashed(b->info);
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return error;
}

static const char *sort_strings;

static int compare_records(const void *a, const void *b)
{
	const struct index_record *x = a, *y = b;
	int order;

	if (x->name != y->name) {
		order = strcmp(sort_strings + x->name, sort_strings + y->name);
		if (order)
			return order;
	}
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

static struct index_name *make_names(const struct builder *b, size_t *ret)
{
	struct index_name *names = calloc(b->count + 1, sizeof(*names));
	size_t n = 0;

	if (!names)
		abort();
	for (size_t i = 0; i < b->count; i++) {
		if (!i || b->records[i].name != b->records[i - 1].name)
			names[n++] = (struct index_name){b->records[i].name, i, 0};
		names[n - 1].count++;
	}
	*ret = n;
	return names;
}

static struct error *write_index(struct builder *b, const char *path)
{
	struct index_header header = {.version = VERSION, .records = b->count,
	                              .strings = b->strings.text.len};
	_cleanup_free_ struct index_name *names = NULL;
	struct error *error;
	struct strbuf out;

	sort_strings = b->strings.text.data;
	if (b->count)
		qsort(b->records, b->count, sizeof(*b->records), compare_records);
	snprintf(header.build_id, sizeof(header.build_id), "%s", b->info->build_id);
	names = make_names(b, &header.names);
	strbuf_init(&out);
	strbuf_add(&out, &header, sizeof(header));
	strbuf_add(&out, b->records, b->count * sizeof(*b->records));
	strbuf_add(&out, names, header.names * sizeof(*names));
	strbuf_add(&out, b->strings.text.data, b->strings.text.len);
	error = file_write_atomic(path, out.data, out.len);
	strbuf_deinit(&out);
	return error;
}

static struct error *make_index(struct debuginfo *info, const char *path)
{
	struct builder b = {.info = info};
	struct error *error;

	if (debuginfo_is_large(info))
		fprintf(stderr, "indexing %s, once...\n", info->dwarf_path);
	strings_init(&b.strings);
	error = run_workers(&b);
	if (!error)
		error = write_index(&b, path);
	strings_deinit(&b.strings);
	free(b.records);
	return error;
}

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

static bool parts_fit(const struct index_header *h, size_t size)
{
	if (size < sizeof(*h) || h->version != VERSION || h->names > UINT32_MAX ||
	    h->records > UINT32_MAX || h->strings > UINT32_MAX || !h->strings)
		return false;
	return sizeof(*h) + h->records * sizeof(struct index_record) +
	           h->names * sizeof(struct index_name) + h->strings ==
	       size;
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
	index->records = (void *)(map + sizeof(*index->header));
	index->names = (void *)(index->records + index->header->records);
	index->strings = (char *)(index->names + index->header->names);
	info->index = index;
}

bool places_index_is_made(struct debuginfo *info)
{
	_cleanup_free_ char *path = NULL;

	if (!info->index && info->dwarf_path) {
		path = index_path(info);
		map_index(info, path);
	}
	return info->index;
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
	error = make_index(info, path);
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

typedef int record_cb(const struct places_index *index, const struct index_record *r, void *arg);

static int each_of_name(const struct places_index *index, const struct index_name *name,
                        const struct place_query *q, unsigned kinds, record_cb *cb, void *arg)
{
	int result = 0;

	for (uint32_t i = 0; i < name->count && !result; i++) {
		const struct index_record *r = &index->records[name->first + i];
		unsigned kind =
		    r->kind == FUNCTION_BODY ? FUNCTIONS_BODIES : FUNCTIONS_INLINES;
		const char *file = string_at(index, r->file);

		if (kinds & kind && (!q->file || (file && path_matches(file, q->file))))
			result = cb(index, r, arg);
	}
	return result;
}

static int each_record(const struct places_index *index, const struct place_query *q,
                       unsigned kinds, record_cb *cb, void *arg)
{
	bool plain = q->function && !is_pattern(q->function);
	size_t i = plain ? first_name(index, q->function) : 0;
	int result = 0;

	for (; i < index->header->names && !result; i++) {
		const struct index_name *name = &index->names[i];
		const char *text = string_at(index, name->name);

		if (plain && (!text || strcmp(text, q->function)))
			break;
		if (!text || name->first > index->header->records ||
		    name->count > index->header->records - name->first)
			continue;
		if (plain || !q->function || !fnmatch(q->function, text, 0))
			result = each_of_name(index, name, q, kinds, cb, arg);
	}
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
	    .kind = r->kind,
	    .address = r->address,
	    .size = r->size,
	    .line = r->line,
	    .call_line = r->call_line,
	    .is_external = r->is_external,
	    .unit = r->unit,
	    .die = r->die,
	};

	return f->cb(&fn, f->arg);
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
