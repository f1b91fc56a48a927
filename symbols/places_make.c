// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_make.c - makes an index (places_index_format.h) by walking all units once.
 *
 * Each worker process walks every n-th unit: its functions and inlined copies, and its lines, each of
 * which belongs to the innermost copy around it. It hands its records, rows and strings back through a
 * memory file; the parent joins, sorts and writes. libdw is not made for threads, and a worker that
 * dies of a damaged file takes nobody with it.
 */
#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/places_index_format.h"
#include "symbols/string_set.h"

#define WORKERS_MAX 8

/* Makes room for one more; `count` elements are there. Rooms are powers of two. */
#define GROW(array, count)                                                                         \
	do {                                                                                       \
		if ((count) >= 16 ? !((count) & ((count)-1)) : !(count)) {                         \
			(array) = reallocarray((array), (count) ? (count)*2 : 16, sizeof(*(array))); \
			if (!(array))                                                              \
				abort();                                                           \
		}                                                                                  \
	} while (0)

/* A row with its file and its whole address. */
struct made_row {
	uint64_t address;
	uint32_t file, line, copy;
};

/* A stretch of code that a function or a copy has. */
struct stretch {
	uint64_t start, end;
	uint32_t record;
	unsigned depth;
};

struct builder {
	struct debuginfo *info;
	struct string_set strings;
	struct index_record *records;
	size_t count;
	struct made_row *rows;
	size_t row_count;
	unsigned worker, workers; /* takes units worker, worker + workers, ... */
	size_t unit;
	struct stretch *stretches; /* of the unit that is walked */
	size_t stretch_count;
	const char *last_file; /* names come in runs */
	uint32_t last_file_at;
};

/* --- the worker: functions and copies --------------------------------------------------------------- */

static void add_record(struct builder *b, struct index_record record)
{
	GROW(b->records, b->count);
	b->records[b->count++] = record;
}

static void add_stretches(struct builder *b, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		if (start >= end)
			continue;
		GROW(b->stretches, b->stretch_count);
		b->stretches[b->stretch_count++] =
		    (struct stretch){start, end, b->count - 1, depth};
	}
}

static int build_function(const struct code_function *fn, Dwarf_Die *die, unsigned depth, void *arg)
{
	struct builder *b = arg;

	add_record(b, (struct index_record){
	                  .address = fn->address,
	                  .size = fn->size > UINT32_MAX ? 0 : fn->size,
	                  .unit = fn->unit,
	                  .die = fn->die,
	                  .body = fn->body,
	                  .name = string_set_add(&b->strings, fn->name),
	                  .file = string_set_add(&b->strings, fn->file),
	                  .container = string_set_add(&b->strings, fn->container),
	                  .line = fn->line,
	                  .call_line = fn->call_line,
	                  .kind = fn->kind,
	                  .is_external = fn->is_external,
	                  .is_rest = fn->is_rest,
	              });
	add_stretches(b, die, depth);
	return 0;
}

/* --- the worker: lines --------------------------------------------------------------------------------- */

static uint32_t file_of(struct builder *b, Dwarf_Line *row)
{
	const char *file = dwarf_linesrc(row, NULL, NULL);

	if (file != b->last_file) {
		b->last_file = file;
		b->last_file_at = string_set_add(&b->strings, file);
	}
	return b->last_file_at;
}

static void note_entries(struct builder *b, Dwarf_Die *unit, size_t first)
{
	for (size_t i = first; i < b->count; i++) {
		struct index_record *record = &b->records[i];
		Dwarf_Line *row = dwarf_getsrc_die(unit, record->address);

		if (!row)
			continue;
		record->place_file = file_of(b, row);
		dwarf_lineno(row, &record->place_line);
	}
}

static int compare_stretches(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

/* The stretches around an address that only grows from question to question. */
struct sweep {
	const struct stretch *next, *end;
	const struct stretch **around;
	size_t count;
};

/* The deepest one; of equals the first in the tree, as descending from the top would find it. */
static const struct stretch *sweep_to(struct sweep *s, uint64_t address)
{
	const struct stretch *best = NULL;
	size_t kept = 0;

	for (; s->next < s->end && s->next->start <= address; s->next++) {
		GROW(s->around, s->count);
		s->around[s->count++] = s->next;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct stretch *at = s->around[i];

		if (at->end <= address)
			continue;
		s->around[kept++] = at;
		if (!best || at->depth > best->depth ||
		    (at->depth == best->depth && at->record < best->record))
			best = at;
	}
	s->count = kept;
	return best;
}

static void add_row(struct builder *b, Dwarf_Line *row, struct sweep *s)
{
	bool end = true, statement = false;
	const struct stretch *in;
	Dwarf_Addr address;
	uint32_t file;
	int line = 0;

	if (dwarf_lineaddr(row, &address))
		return;
	in = sweep_to(s, address);
	dwarf_lineendsequence(row, &end);
	dwarf_linebeginstatement(row, &statement);
	if (!in || end || !statement || dwarf_lineno(row, &line) || line <= 0)
		return;
	file = file_of(b, row);
	if (!file)
		return;
	GROW(b->rows, b->row_count);
	b->rows[b->row_count++] = (struct made_row){address, file, line, in->record};
}

static int compare_rows(const void *a, const void *b)
{
	const struct made_row *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->copy != y->copy)
		return x->copy < y->copy ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Keeps the lowest address of each line in each copy. */
static void thin_rows(struct builder *b, size_t first)
{
	size_t kept = first;

	if (b->row_count > first)
		qsort(b->rows + first, b->row_count - first, sizeof(*b->rows), compare_rows);
	for (size_t i = first; i < b->row_count; i++) {
		const struct made_row *row = &b->rows[i], *last = &b->rows[kept - (kept > first)];

		if (kept == first || row->file != last->file || row->line != last->line ||
		    row->copy != last->copy)
			b->rows[kept++] = *row;
	}
	b->row_count = kept;
}

static void build_lines(struct builder *b, const struct unit *unit, size_t first_record)
{
	struct sweep s = {.next = b->stretches, .end = b->stretches + b->stretch_count};
	Dwarf_Die die = unit->skeleton;
	size_t first = b->row_count, n;
	Dwarf_Lines *lines;

	b->last_file = NULL;
	b->last_file_at = 0;
	if (dwarf_getsrclines(&die, &lines, &n))
		return;
	note_entries(b, &die, first_record);
	if (b->stretch_count)
		qsort(b->stretches, b->stretch_count, sizeof(*b->stretches), compare_stretches);
	for (size_t i = 0; i < n; i++)
		add_row(b, dwarf_onesrcline(lines, i), &s);
	free(s.around);
	thin_rows(b, first);
}

static int build_unit(const struct unit *unit, void *arg)
{
	struct builder *b = arg;
	size_t first = b->count;

	if (b->unit++ % b->workers != b->worker)
		return 0;
	b->stretch_count = 0;
	unit_walk_functions(b->info, unit, FUNCTIONS_BODIES | FUNCTIONS_INLINES, build_function, b);
	build_lines(b, unit, first);
	return 0;
}

/* --- the worker: handing over ---------------------------------------------------------------------------- */

/* What stands first in a worker's memory file; records, rows and strings follow. */
struct handed {
	uint64_t records, rows, strings;
};

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
	struct handed head;
	bool fine;

	unit_each(b->info, build_unit, b);
	head = (struct handed){b->count, b->row_count, b->strings.text.len};
	fine = write_all(fd, &head, sizeof(head)) &&
	       write_all(fd, b->records, b->count * sizeof(*b->records)) &&
	       write_all(fd, b->rows, b->row_count * sizeof(*b->rows)) &&
	       write_all(fd, b->strings.text.data, b->strings.text.len);
	_exit(fine ? 0 : 1);
}

/* --- the parent: joining ------------------------------------------------------------------------------------ */

static void join_records(struct builder *b, const struct index_record *from, size_t n,
                         const char *text)
{
	for (size_t i = 0; i < n; i++) {
		struct index_record record = from[i];

		record.name = string_set_add(&b->strings, text + record.name);
		record.file = string_set_add(&b->strings, text + record.file);
		record.container = string_set_add(&b->strings, text + record.container);
		record.place_file = string_set_add(&b->strings, text + record.place_file);
		add_record(b, record);
	}
}

/* Rows of one file stand together, within a unit. */
static void join_rows(struct builder *b, const struct made_row *from, size_t n, uint32_t first_record,
                      const char *text)
{
	uint32_t last = 0, last_at = 0;

	b->rows = reallocarray(b->rows, b->row_count + n + 1, sizeof(*b->rows));
	if (!b->rows)
		abort();
	for (size_t i = 0; i < n; i++) {
		struct made_row row = from[i];

		if (row.file != last) {
			last = row.file;
			last_at = string_set_add(&b->strings, text + row.file);
		}
		row.file = last_at;
		row.copy += first_record;
		b->rows[b->row_count++] = row;
	}
}

/* Adds what a worker wrote; its strings and records get new numbers. */
static bool join(struct builder *b, int fd)
{
	const struct index_record *records;
	const struct made_row *rows;
	uint32_t first = b->count;
	struct handed head;
	struct stat st;
	bool fine;
	char *map;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(head))
		return false;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	memcpy(&head, map, sizeof(head));
	records = (const void *)(map + sizeof(head));
	rows = (const void *)(records + head.records);
	fine = (const char *)(rows + head.rows) + head.strings == map + st.st_size;
	if (fine) {
		join_records(b, records, head.records, (const char *)(rows + head.rows));
		join_rows(b, rows, head.rows, first, (const char *)(rows + head.rows));
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
			string_set_init(&part.strings);
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

/* --- the parent: what it makes of them ----------------------------------------------------------------------- */

struct parts {
	struct index_header header;
	struct index_record *records;
	struct index_symbol *symbols;
	struct index_frame *frames;
	struct index_name *names;
	struct index_unit *units;
	struct index_file *files;
	struct index_row *rows;
};

static const struct builder *sorted; /* qsort() passes no argument */

static int compare_records(const void *a, const void *b)
{
	const struct index_record *x = &sorted->records[*(const uint32_t *)a];
	const struct index_record *y = &sorted->records[*(const uint32_t *)b];
	int order;

	if (x->name != y->name) {
		order = strcmp(sorted->strings.text.data + x->name,
		               sorted->strings.text.data + y->name);
		if (order)
			return order;
	}
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

/* Whether a string is the name of a function's symbol; by its offset. */
static bool *function_names(const struct builder *b, const struct parts *p)
{
	bool *is_name = calloc(b->strings.text.len, sizeof(*is_name));

	if (!is_name)
		abort();
	for (size_t i = 0; i < p->header.symbols; i++)
		if (p->symbols[i].is_function)
			is_name[p->symbols[i].name] = true;
	return is_name;
}

/* The code of a weak function that another has replaced may still be there, but no symbol tells of it and
 * nothing runs it: the name is the other's. */
static bool is_lost(const struct builder *b, const struct index_record *record, const bool *is_name)
{
	return is_name[record->kind == FUNCTION_BODY ? record->name : record->container] &&
	       !debuginfo_symbol_at(b->info, record->address);
}

#define LOST UINT32_MAX

static void drop_lost_rows(struct builder *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->row_count; i++)
		if (b->rows[i].copy != LOST)
			b->rows[kept++] = b->rows[i];
	b->row_count = kept;
}

/* Puts the records in order; rows follow them to their new numbers. */
static void sort_records(struct builder *b, struct parts *p)
{
	bool *is_name = function_names(b, p);
	size_t n = 0;
	uint32_t *order = calloc(b->count + 1, sizeof(*order));
	uint32_t *new_of = calloc(b->count + 1, sizeof(*new_of));

	p->records = calloc(b->count + 1, sizeof(*p->records));
	if (!order || !new_of || !p->records)
		abort();
	for (size_t i = 0; i < b->count; i++) {
		new_of[i] = LOST;
		if (!is_lost(b, &b->records[i], is_name))
			order[n++] = i;
	}
	sorted = b;
	qsort(order, n, sizeof(*order), compare_records);
	for (size_t i = 0; i < n; i++) {
		p->records[i] = b->records[order[i]];
		new_of[order[i]] = i;
	}
	for (size_t i = 0; i < b->row_count; i++)
		b->rows[i].copy = new_of[b->rows[i].copy];
	drop_lost_rows(b);
	free(order);
	free(new_of);
	free(is_name);
	p->header.records = n;
}

static void make_names(struct parts *p)
{
	size_t n = 0;

	p->names = calloc(p->header.records + 1, sizeof(*p->names));
	if (!p->names)
		abort();
	for (size_t i = 0; i < p->header.records; i++) {
		if (!i || p->records[i].name != p->records[i - 1].name)
			p->names[n++] = (struct index_name){p->records[i].name, i, 0};
		p->names[n - 1].count++;
	}
	p->header.names = n;
}

static void make_symbols(struct builder *b, struct parts *p)
{
	const struct elf_symbol *all = symbols_sorted(b->info, &p->header.symbols);

	p->symbols = calloc(p->header.symbols + 1, sizeof(*p->symbols));
	if (!p->symbols)
		abort();
	for (size_t i = 0; i < p->header.symbols; i++)
		p->symbols[i] = (struct index_symbol){
		    .address = all[i].address,
		    .size = all[i].size > UINT32_MAX ? UINT32_MAX : all[i].size,
		    .name = string_set_add(&b->strings, all[i].name),
		    .is_function = all[i].is_function,
		    .is_global = all[i].is_global,
		};
}

static int compare_lines(const void *a, const void *b)
{
	const struct index_row *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->copy < y->copy ? -1 : x->copy > y->copy;
}

/* The lowest address; false when not all rows can be told from there. */
static bool find_base(const struct builder *b, uint64_t *ret)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < b->row_count; i++) {
		low = b->rows[i].address < low ? b->rows[i].address : low;
		high = b->rows[i].address > high ? b->rows[i].address : high;
	}
	*ret = b->row_count ? low : 0;
	return !b->row_count || (high - low <= UINT32_MAX && b->row_count <= UINT32_MAX);
}

/* Which number each file gets, by the offset of its name, and how many rows it has. */
static void make_files(struct builder *b, struct parts *p, uint32_t *number_of)
{
	size_t n = 0, first = 0;

	for (size_t i = 0; i < b->row_count; i++) {
		uint32_t *number = &number_of[b->rows[i].file];

		if (!*number) {
			GROW(p->files, n);
			p->files[n] = (struct index_file){.name = b->rows[i].file};
			*number = ++n;
		}
		p->files[*number - 1].count++;
	}
	for (size_t i = 0; i < n; i++) {
		p->files[i].first = first;
		first += p->files[i].count;
		p->files[i].count = 0;
	}
	p->header.files = n;
}

static void make_rows(struct builder *b, struct parts *p)
{
	uint32_t *number_of = calloc(b->strings.text.len, sizeof(*number_of));

	p->header.has_rows = find_base(b, &p->header.base);
	if (!p->header.has_rows)
		b->row_count = 0;
	p->rows = calloc(b->row_count + 1, sizeof(*p->rows));
	if (!number_of || !p->rows)
		abort();
	make_files(b, p, number_of);
	for (size_t i = 0; i < b->row_count; i++) {
		const struct made_row *row = &b->rows[i];
		struct index_file *file = &p->files[number_of[row->file] - 1];

		p->rows[file->first + file->count++] = (struct index_row){
		    row->line, row->copy, row->address - p->header.base};
	}
	for (size_t i = 0; i < p->header.files; i++)
		qsort(p->rows + p->files[i].first, p->files[i].count, sizeof(*p->rows),
		      compare_lines);
	p->header.rows = b->row_count;
	free(number_of);
}

static void make_units(struct builder *b, struct parts *p)
{
	struct unit_header header = {.next = 0};
	size_t n = 0;

	while (unit_next_header(b->info, &header)) {
		if (header.die > UINT32_MAX)
			break;
		GROW(p->units, n);
		p->units[n++] = (struct index_unit){header.die, header.offset, header.is_alone};
	}
	p->header.units = n;
}

static int compare_frames(const void *a, const void *b)
{
	const struct index_frame *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool is_plain(const Elf_Data *data, const struct frame_entry *fde)
{
	struct frame_entry cie;

	return !fde->is_cie && fde->length && fde->length <= UINT32_MAX && fde->at <= UINT32_MAX &&
	       frame_entry_read(data, fde->cie, &cie) && cie.is_cie && cie.is_plain;
}

static void make_frames(struct builder *b, struct parts *p)
{
	const Elf_Data *data = elf_section_data(dwarf_getelf(b->info->dwarf), ".debug_frame");
	struct frame_entry entry = {.at = 0};
	size_t n = 0;

	for (; data && frame_entry_read(data, entry.at, &entry); entry.at += entry.size) {
		if (!is_plain(data, &entry))
			continue;
		GROW(p->frames, n);
		p->frames[n++] = (struct index_frame){entry.start, entry.length, entry.at};
	}
	if (n)
		qsort(p->frames, n, sizeof(*p->frames), compare_frames);
	p->header.frames = n;
}

static char *append(char *at, const void *data, size_t len)
{
	return len ? (char *)memcpy(at, data, len) + len : at;
}

static struct error *write_parts(const struct builder *b, const struct parts *p, const char *path)
{
	const struct index_header *h = &p->header;
	size_t size = places_index_size(h);
	struct error *error;
	char *out = malloc(size), *at = out;

	if (!out)
		abort();
	at = append(at, h, sizeof(*h));
	at = append(at, p->records, h->records * sizeof(*p->records));
	at = append(at, p->symbols, h->symbols * sizeof(*p->symbols));
	at = append(at, p->frames, h->frames * sizeof(*p->frames));
	at = append(at, p->names, h->names * sizeof(*p->names));
	at = append(at, p->units, h->units * sizeof(*p->units));
	at = append(at, p->files, h->files * sizeof(*p->files));
	at = append(at, p->rows, h->rows * sizeof(*p->rows));
	append(at, b->strings.text.data, h->strings);
	error = file_write_atomic(path, out, size);
	free(out);
	return error;
}

static struct error *write_index(struct builder *b, const char *path)
{
	struct parts p = {.header.version = PLACES_INDEX_VERSION};
	struct error *error;

	snprintf(p.header.build_id, sizeof(p.header.build_id), "%s", b->info->build_id);
	make_symbols(b, &p);
	sort_records(b, &p);
	make_names(&p);
	make_units(b, &p);
	make_frames(b, &p);
	make_rows(b, &p);
	p.header.strings = b->strings.text.len;
	error = write_parts(b, &p, path);
	free(p.records);
	free(p.symbols);
	free(p.frames);
	free(p.names);
	free(p.units);
	free(p.files);
	free(p.rows);
	return error;
}

struct error *places_index_make(struct debuginfo *info, const char *path)
{
	struct builder b = {.info = info};
	struct error *error;

	if (debuginfo_is_large(info))
		fprintf(stderr, "indexing %s, once...\n", info->dwarf_path);
	string_set_init(&b.strings);
	error = run_workers(&b);
	if (!error)
		error = write_index(&b, path);
	string_set_deinit(&b.strings);
	free(b.records);
	free(b.rows);
	return error;
}
