// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in the fixture's programs. What is known of the source is asserted; where compilers decide,
 * gdb's breakpoints for the same lines and functions are the measure.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/debuginfo_private.h"
#include "tests/unit/fixture_places.h"

static struct found *query_functions(struct debuginfo *info, const char *text, unsigned kinds)
{
	static struct found found;
	struct place_query q;
	struct error *error;

	found.count = 0;
	assert_no_error(place_query_parse(text, &q));
	error = functions_find(info, &q, kinds, found_function, &found);
	place_query_deinit(&q);
	if (error)
		assert_int_equal(error->err, ENOENT);
	error_destroy(error);
	return &found;
}

static struct found *query_places(struct debuginfo *info, const char *text, bool nearest)
{
	static struct found found;
	struct place_query q;
	struct error *error;

	found.count = 0;
	assert_no_error(place_query_parse(text, &q));
	q.nearest = nearest;
	error = places_find(info, &q, found_place, &found);
	place_query_deinit(&q);
	if (error)
		assert_int_equal(error->err, ENOENT);
	error_destroy(error);
	return &found;
}

/* The line of the source that has the text: the fixture may grow. */
static int line_of(const char *file, const char *text)
{
	char path[128], line[256];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "tests/places/%s", file);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		n++;
		if (strstr(line, text)) {
			fclose(f);
			return n;
		}
	}
	fail_msg("%s has no line with %s", file, text);
	return 0;
}

/* --- queries -------------------------------------------------------------------------------------- */

static void test_query_of_scripts(void **state)
{
	struct place_query q;

	assert_no_error(place_query_parse("tcp_*@net/ipv4/tcp.c:+3", &q));
	assert_string_equal(q.function, "tcp_*");
	assert_string_equal(q.file, "net/ipv4/tcp.c");
	assert_int_equal(q.lines, PLACE_LINES_RELATIVE);
	assert_int_equal(q.first, 3);
	place_query_deinit(&q);
	assert_no_error(place_query_parse("f@x++.c+3-5", &q));
	assert_string_equal(q.file, "x++.c");
	assert_int_equal(q.lines, PLACE_LINES_RELATIVE);
	assert_int_equal(q.first, 3);
	assert_int_equal(q.last, 5);
	place_query_deinit(&q);
	assert_no_error(place_query_parse("*@socket.c:10-20", &q));
	assert_null(q.function);
	assert_int_equal(q.lines, PLACE_LINES_ABSOLUTE);
	assert_int_equal(q.last, 20);
	place_query_deinit(&q);
	assert_no_error(place_query_parse("f@x.c:*", &q));
	assert_int_equal(q.lines, PLACE_LINES_ALL);
	place_query_deinit(&q);
	assert_no_error(place_query_parse("f+0x1c", &q));
	assert_true(q.has_offset);
	assert_int_equal(q.offset, 0x1c);
	place_query_deinit(&q);
	assert_no_error(place_query_parse("0xffffffff81000000", &q));
	assert_true(q.has_address);
	place_query_deinit(&q);
}

static void test_query_of_perf(void **state)
{
	struct place_query q;

	assert_no_error(place_query_parse_perf("schedule:5", &q));
	assert_string_equal(q.function, "schedule");
	assert_int_equal(q.lines, PLACE_LINES_RELATIVE);
	assert_int_equal(q.first, 5);
	place_query_deinit(&q);
	assert_no_error(place_query_parse_perf("kernel/sched/core.c:120+3", &q));
	assert_null(q.function);
	assert_string_equal(q.file, "kernel/sched/core.c");
	assert_int_equal(q.lines, PLACE_LINES_ABSOLUTE);
	assert_int_equal(q.last, 122);
	place_query_deinit(&q);
}

static void test_query_refused(void **state)
{
	static const char *const wrong[] = {"", "f:", "f:x", "f:9-3", "f+", "f+8z", "@x.c:+3", "+8",
	                                    "@", "f@", "f@:3"};
	struct place_query q;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error *error = place_query_parse(wrong[i], &q);

		if (!error)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(error->err, EINVAL);
		error_destroy(error);
	}
	error_destroy(place_query_parse_perf("f%return", &q));
	assert_null(q.function);
}

/* --- functions -------------------------------------------------------------------------------------- */

static void test_duplicate_names(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	struct found *f = query_functions(info, "duplicate", FUNCTIONS_BODIES);
	struct elf_symbol sym;
	struct error *error;

	assert_int_equal(f->count, 2);
	assert_true(strcmp(f->functions[0].file, f->functions[1].file));
	f = query_functions(info, "duplicate@other.c", FUNCTIONS_BODIES);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->functions[0].line, line_of("other.c", "int duplicate(int x)"));
	error = debuginfo_symbol_find(info, "duplicate", &sym);
	assert_int_equal(error->err, ENOTUNIQ);
	error_destroy(error);
	debuginfo_close(info);
}

/* In a large file the units that can have an answer are looked for first, by symbols, names of files
 * and the index: what is found must be what a walk over all of them finds. */
static void check_as_large(const char *program, const char *query, unsigned kinds, bool has_index)
{
	struct debuginfo *small = places_open(program), *large = places_open(program);
	struct found walked = *query_functions(small, query, kinds), *f;
	_cleanup_free_ char *path = places_index_file(large);

	if (!has_index)
		unlink(path);
	large->large_from = 0;
	f = query_functions(large, query, kinds);
	if (f->count != walked.count)
		fail_msg("%s: %s (%u, index %d) has %zu answers, as a large file %zu", program, query,
		         kinds, has_index, walked.count, f->count);
	for (size_t i = 0; i < f->count; i++)
		assert_int_equal(f->functions[i].address, walked.functions[i].address);
	debuginfo_close(small);
	debuginfo_close(large);
}

static void test_large_files_answer_alike(void **state)
{
	static const char *const names[] = {"gcc-O2-5", "gcc-lto-5", "gcc-dwz-5", "gcc-split-4",
	                                    "clang-O2-4"};
	static const char *const queries[] = {
	    "arithmetic", "arithmetic@other.c", "arithmetic@fixture.c", "arithmetic@*", "twice",
	    "twice@fixture.h", "twice@other.c", "clamp", "duplicate", "duplicate@other.c", "*@other.c",
	    "*@fixture.h", "other_*", "nonesuch", "main",
	};

	int before = dup(2), null = open("/dev/null", O_WRONLY);

	dup2(null, 2); /* "indexing ..., once" each time */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < sizeof(queries) / sizeof(queries[0]); j++)
			for (unsigned kinds = 1; kinds < 4; kinds++) {
				check_as_large(names[i], queries[j], kinds, false);
				check_as_large(names[i], queries[j], kinds, true);
			}
	dup2(before, 2);
	close(before);
	close(null);
}

/* Inlined into main, not into other.c, where it has a body. Calls of `duplicate` are no copies. */
static void test_inlined_copies(void **state)
{
	static const char *const names[] = {"gcc-O2-4", "gcc-O2-5", "gcc-split-5", "gcc-dwz-5",
	                                    "clang-O2-4", "clang-O2-5", "clang-split-5"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct debuginfo *info = places_open(names[i]);
		struct found *f = query_functions(info, "twice@fixture.h", FUNCTIONS_INLINES);

		assert_int_equal(f->count, 1);
		assert_string_equal(f->functions[0].container, "main");
		assert_int_equal(f->functions[0].call_line, line_of("fixture.c", "twice(4)"));
		f = query_functions(info, "twice", FUNCTIONS_BODIES);
		assert_int_equal(f->count, 1);
		assert_string_equal(f->functions[0].symbol, "twice");
		f = query_functions(info, "duplicate", FUNCTIONS_INLINES);
		assert_int_equal(f->count, 0);
		f = query_functions(info, "other_indirect", FUNCTIONS_INLINES);
		assert_int_equal(f->count, 0);
		debuginfo_close(info);
	}
}

/* What gcc split off a function and copied back into it is not entered when the function is. */
static void test_rest_is_no_copy(void **state)
{
	struct debuginfo *info = places_open("partly.o");
	struct found *f = query_functions(info, "partly", FUNCTIONS_BODIES), frames = {0};
	struct place_query line = {.lines = PLACE_LINES_ABSOLUTE};

	assert_int_equal(f->count, 1);
	line.first = line.last = line_of("partly.c", "warn(\"a\", 1)");
	assert_no_error(places_find(info, &line, found_place, &frames));
	assert_int_equal(frames.count, 1);
	assert_string_equal(frames.places[0].container, "partly"); /* it is one, to DWARF */
	assert_string_equal(frames.places[0].function, "partly");
	assert_int_equal(query_functions(info, "partly", FUNCTIONS_INLINES)->count, 0);
	debuginfo_close(info);
}

static void test_frames_of_an_inlined_copy(void **state)
{
	struct debuginfo *info = places_open("gcc-O0-5");
	struct found *f = query_functions(info, "clamp", FUNCTIONS_INLINES), frames = {0};
	uint64_t address;

	assert_int_equal(f->count, 3);
	address = f->functions[0].address + f->functions[0].size / 2;
	assert_no_error(place_frames(info, address, found_place, &frames));
	assert_int_equal(frames.count, 3);
	assert_string_equal(frames.places[0].function, "clamp");
	assert_string_equal(frames.places[1].function, "nested");
	assert_int_equal(frames.places[1].line, line_of("fixture.c", "int inner = clamp"));
	assert_string_equal(frames.places[2].function, "main");
	assert_int_equal(frames.places[2].line, line_of("fixture.c", "nested(33)"));
	debuginfo_close(info);
}

static int take_symbol(const struct elf_symbol *symbol, void *arg)
{
	*(struct elf_symbol *)arg = *symbol;
	return 1;
}

/* split() has a cold part, so DW_AT_ranges and no end. */
static void test_function_of_ranges(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	struct found *f = query_functions(info, "split", FUNCTIONS_BODIES);
	struct elf_symbol sym;
	struct place place;

	assert_int_equal(f->count, 1);
	assert_true(!strncmp(f->functions[0].symbol, "split", 5));
	assert_no_error(debuginfo_symbol_find(info, f->functions[0].symbol, &sym));
	assert_int_equal(f->functions[0].address, sym.address);
	assert_int_equal(debuginfo_symbol_match(info, "split*.cold", take_symbol, &sym), 1);
	assert_no_error(place_at(info, sym.address, &place));
	assert_string_equal(place.function, "split");
	assert_string_equal(place.symbol, sym.name);
	debuginfo_close(info);
}

static void test_functions_of_a_file(void **state)
{
	struct debuginfo *info = places_open("clang-O2-5");
	struct found *f = query_functions(info, "*@places/other.c", FUNCTIONS_BODIES);
	size_t own = f->count;

	assert_int_equal(own, 6);
	f = query_functions(info, "*", FUNCTIONS_BODIES);
	assert_true(f->count > own);
	f = query_functions(info, "other_*", FUNCTIONS_BODIES);
	assert_int_equal(f->count, 3);
	debuginfo_close(info);
}

static void check_missing(struct debuginfo *info, const char *function, const char *file,
                          unsigned kinds, const char *message)
{
	struct place_query q = {.function = (char *)function, .file = (char *)file};
	struct error *error = functions_find(info, &q, kinds, found_function, NULL);

	assert_non_null(error);
	assert_int_equal(error->err, ENOENT);
	if (!strstr(error->message, message))
		fail_msg("\"%s\" has no \"%s\"", error->message, message);
	error_destroy(error);
}

static void test_what_is_missing_is_told(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");

	check_missing(info, "other_smu", NULL, FUNCTIONS_BODIES, "did you mean other_sum?");
	check_missing(info, "other_smu", "other.c", FUNCTIONS_BODIES, "did you mean other_sum?");
	check_missing(info, "other_sum", "otter.c", FUNCTIONS_BODIES | FUNCTIONS_INLINES,
	              "has no function other_sum in otter.c: it is in /");
	check_missing(info, "other_sum", NULL, FUNCTIONS_INLINES, "other_sum is not inlined anywhere");
	check_missing(info, NULL, "otter.c", FUNCTIONS_BODIES, "no function of a source file otter.c");
	debuginfo_close(info);
}

static void test_without_dwarf(void **state)
{
	struct debuginfo *info = places_open("stripped");
	struct found *f = query_functions(info, "other_sum", FUNCTIONS_BODIES), places = {0};
	struct place_query q;
	struct error *error;

	assert_int_equal(f->count, 1);
	assert_null(f->functions[0].file);
	f = query_places(info, "other_sum+4", false);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->places[0].offset, 4);
	assert_no_error(place_query_parse("other_sum@other.c:*", &q));
	error = places_find(info, &q, found_place, &places);
	assert_int_equal(error->err, ENODATA);
	assert_non_null(strstr(error->message, "compile with -g"));
	error_destroy(error);
	place_query_deinit(&q);
	debuginfo_close(info);
}

/* The .dwo files were moved away: said, not taken for an empty program. */
static void test_missing_dwo(void **state)
{
	struct debuginfo *info = places_open("moved");
	struct place_query q = {.function = (char *)"other_sum"};
	struct error *error = functions_find(info, &q, FUNCTIONS_BODIES, found_function, NULL);

	assert_non_null(error);
	assert_int_equal(error->err, ENODATA);
	assert_non_null(strstr(error->message, "the .dwo files of 2 units are missing"));
	error_destroy(error);
	debuginfo_close(info);
}

/* --- lines -------------------------------------------------------------------------------------------- */

static void check_line_missing(struct debuginfo *info, const char *text, int nearest)
{
	struct place_query q;
	struct error *error;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "the nearest that has some: %d)", nearest);
	assert_no_error(place_query_parse(text, &q));
	error = places_find(info, &q, found_place, NULL);
	assert_non_null(error);
	if (!strstr(error->message, wanted))
		fail_msg("\"%s\" has no \"%s\"", error->message, wanted);
	error_destroy(error);
	place_query_deinit(&q);
}

static void test_line_forms(void **state)
{
	struct debuginfo *info = places_open("gcc-O0-5");
	int start = line_of("other.c", "int other_sum("), step = line_of("other.c", "int step");
	char text[64];
	struct found *f;
	uint64_t address;

	snprintf(text, sizeof(text), "*@other.c:%d", step);
	f = query_places(info, text, false);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->places[0].function, "other_sum");
	address = f->places[0].address;
	snprintf(text, sizeof(text), "other_sum:+%d", step - start);
	f = query_places(info, text, false);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->places[0].address, address);
	/* the line above it, which has no code: refused, or the nearest that has some */
	snprintf(text, sizeof(text), "other_sum@other.c:%d", step + 1);
	assert_int_equal(query_places(info, text, false)->count, 0);
	check_line_missing(info, text, step + 2);
	f = query_places(info, text, true);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->places[0].line, step + 2);
	snprintf(text, sizeof(text), "other_sum@other.c:%d-%d", start, step);
	f = query_places(info, text, false);
	assert_true(f->count >= 4);
	for (size_t i = 0; i < f->count; i++)
		assert_in_range(f->places[i].line, start, step);
	/* the right line, the wrong function */
	snprintf(text, sizeof(text), "by_value@other.c:%d", step);
	assert_int_equal(query_places(info, text, false)->count, 0);
	debuginfo_close(info);
}

/* Ends of sequences and rows of line 0 are no places. */
static void test_every_place_is_code(void **state)
{
	static const char *const names[] = {"gcc-O2-5", "gcc-lto-5", "clang-O2-4", "clang-lto-5",
	                                    "clang-O0-5"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct debuginfo *info = places_open(names[i]);
		struct found *f = query_places(info, "*@places/*:*", false);
		uint64_t before, after;

		assert_true(f->count > 40);
		for (size_t j = 0; j < f->count; j++) {
			assert_true(f->places[j].line > 0);
			assert_non_null(f->places[j].symbol);
			assert_no_error(places_boundary(info, f->places[j].address, &before,
			                                &after));
		}
		debuginfo_close(info);
	}
}

static struct found *query_line(struct debuginfo *info, int line)
{
	char text[64];

	snprintf(text, sizeof(text), "*@rows.c:%d", line);
	return query_places(info, text, false);
}

/* The row that ends a sequence has the last line and the next function's address; a row that is no
 * statement is amid a line's code; a row of line 0 belongs to no line. */
static void test_rows_that_are_no_places(void **state)
{
	static const char *const names[] = {"rows-4", "rows-5"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct debuginfo *info = places_open(names[i]);
		struct found *f = query_line(info, line_of("rows.c", "the end of first()"));
		unsigned char byte = 0;
		uint64_t next;

		assert_int_equal(f->count, 1);
		assert_string_equal(f->places[0].function, "first");
		assert_int_equal(query_line(info, 101)->count, 0);
		f = query_line(info, 102);
		assert_int_equal(f->count, 1);
		assert_int_equal(debuginfo_read(info, f->places[0].address, &byte, 1), 1);
		assert_int_equal(byte, 0xf3); /* pause */
		f = query_functions(info, "first", FUNCTIONS_BODIES);
		next = f->functions[0].address + f->functions[0].size;
		assert_int_equal(query_functions(info, "second", FUNCTIONS_BODIES)->functions[0].address,
		                 next); /* or the first of these tests is none */
		f = query_places(info, "second@rows.c:*", false);
		assert_true(f->count >= 4);
		for (size_t j = 0; j < f->count; j++)
			assert_true(f->places[j].line > 0);
		debuginfo_close(info);
	}
}

static bool has_address(const struct found *f, uint64_t address)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->places[i].address == address)
			return true;
	return false;
}

/* Of a line that is in several blocks of a function (both ends of a loop) gdb takes each block's
 * lowest address, we the function's. */
static bool is_later_block(struct debuginfo *info, const struct found *f, uint64_t address)
{
	struct place place;

	assert_no_error(place_at(info, address, &place));
	for (size_t i = 0; i < f->count; i++)
		if (f->places[i].address < address &&
		    !strcmp(f->places[i].function, place.function))
			return true;
	return false;
}

/* gdb goes behind the prologue where a line is a function's first. */
static void add_behind_prologues(struct debuginfo *info, struct found *f)
{
	size_t n = f->count;

	for (size_t i = 0; i < n; i++) {
		struct found fn = {0};
		struct place_query q = {.function = (char *)f->places[i].function};

		if (f->places[i].offset || f->places[i].container)
			continue;
		assert_no_error(functions_find(info, &q, FUNCTIONS_BODIES, found_function, &fn));
		for (size_t j = 0; j < fn.count; j++)
			if (fn.functions[j].address == f->places[i].address)
				f->places[f->count++].address =
				    function_after_prologue(info, &fn.functions[j]);
	}
}

static unsigned check_gdb_line(struct debuginfo *info, const char *program, char *line)
{
	char text[128], *word, *save, *file;
	struct found *f;
	unsigned n = 0;
	size_t own;

	strtok_r(line, " \n", &save);
	file = strtok_r(NULL, " \n", &save);
	snprintf(text, sizeof(text), "*@%s:%s", file, strtok_r(NULL, " \n", &save));
	f = query_places(info, text, false);
	own = f->count;
	add_behind_prologues(info, f);
	while ((word = strtok_r(NULL, " \n", &save))) {
		uint64_t address = strtoull(word, NULL, 16);

		if (!has_address(f, address) && !is_later_block(info, f, address))
			fail_msg("%s %s: gdb has %s, we have %zu others", program, text, word, own);
		n++;
	}
	/* gdb also leaves places out (a line's second block in one function); not all. */
	if (n && own > n + 2)
		fail_msg("%s %s: gdb has %u places, we %zu", program, text, n, own);
	return n;
}

static void check_gdb_function(struct debuginfo *info, const char *program, char *line)
{
	char name[64], address[32];
	struct found *f;

	assert_int_equal(sscanf(line, "function %63s %31s", name, address), 2);
	f = query_functions(info, name, FUNCTIONS_BODIES);
	assert_int_equal(f->count, 1);
	if (function_after_prologue(info, &f->functions[0]) != strtoull(address, NULL, 16))
		fail_msg("%s: behind the prologue of %s is %lx, gdb says %s", program, name,
		         (unsigned long)function_after_prologue(info, &f->functions[0]), address);
}

static void check_beside_gdb(const char *program)
{
	struct debuginfo *info = places_open(program);
	char path[128], command[512], line[4096];
	unsigned lines = 0;
	FILE *f;

	snprintf(path, sizeof(path), PLACES_DIR "/lines.%d", (int)getpid());
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 20; i < 165; i++)
		fprintf(f, "line fixture.c %d\n", i);
	for (int i = 5; i < 60; i++)
		fprintf(f, "line other.c %d\n", i);
	fprintf(f, "function split\nfunction shadows\nfunction labels\nfunction other_sum\n"
	           "function by_value\nfunction main\n");
	fclose(f);
	snprintf(command, sizeof(command),
	         "PLACES=%s gdb -nx -batch -x tests/places/lines.py " PLACES_DIR
	         "/programs/%s 2>/dev/null",
	         path, program);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "line ", 5))
			lines += check_gdb_line(info, program, line) > 0;
		else if (!strncmp(line, "function ", 9) && !strstr(program, "O2"))
			check_gdb_function(info, program, line);
	}
	pclose(f);
	unlink(path);
	assert_true(lines > 40);
	debuginfo_close(info);
}

static void test_lines_beside_gdb(void **state)
{
	static const char *const names[] = {"gcc-O0-4", "gcc-O0-5", "gcc-O2-5", "gcc-dwz-5",
	                                    "clang-O0-4", "clang-O0-5", "clang-O2-4",
	                                    "clang-O2-5"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_beside_gdb(names[i]);
}

static void test_lines_with_code(void **state)
{
	struct debuginfo *info = places_open("gcc-O0-5");
	struct place_query q = {.function = (char *)"other_sum"};
	int *lines, start, loop = line_of("other.c", "for (int i"), n;
	const char *path;
	bool found = false;

	assert_no_error(places_lines(info, &q, &lines, &path, &start));
	assert_non_null(strstr(path, "other.c"));
	assert_int_equal(start, line_of("other.c", "int other_sum("));
	for (n = 0; lines[n]; n++) {
		assert_true(!n || lines[n] > lines[n - 1]);
		found |= lines[n] == loop;
	}
	assert_true(found);
	assert_in_range(n, 8, 12);
	free(lines);
	debuginfo_close(info);
}

/* --- instructions ---------------------------------------------------------------------------------------- */

static void test_inside_an_instruction(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	struct elf_symbol sym;
	uint64_t before, after;
	struct error *error;

	assert_no_error(debuginfo_symbol_find(info, "by_value", &sym));
	error = places_boundary(info, sym.address + 1, &before, &after);
	assert_int_equal(error->err, EILSEQ);
	assert_int_equal(before, sym.address);
	assert_true(after > sym.address + 1);
	assert_non_null(strstr(error->message, "by_value+0x1 is inside an instruction"));
	error_destroy(error);
	assert_no_error(places_boundary(info, after, &before, &after));
	debuginfo_close(info);
}

struct calls {
	size_t count;
	struct call_info calls[64];
};

static int found_call(const struct call_info *call, void *arg)
{
	struct calls *c = arg;

	c->calls[c->count++] = *call;
	return c->count == 64;
}

static const struct call_info *call_of(const struct calls *c, const char *target)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->calls[i].target && !strcmp(c->calls[i].target, target))
			return &c->calls[i];
	return NULL;
}

static void test_calls(void **state)
{
	static const char *const names[] = {"gcc-O2-4", "gcc-O2-5", "clang-O2-5", "object.ko",
	                                    "stripped"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct debuginfo *info = places_open(names[i]);
		struct found *f = query_functions(info, "main", FUNCTIONS_BODIES);
		struct calls calls = {0};

		assert_int_equal(f->count, 1);
		assert_no_error(function_calls(info, &f->functions[0], found_call, &calls));
		assert_non_null(call_of(&calls, "other_sum"));
		assert_non_null(call_of(&calls, "other_duplicate"));
		assert_false(call_of(&calls, "other_sum")->is_tail);
		assert_null(call_of(&calls, "twice"));
		f = query_functions(info, "tail", FUNCTIONS_BODIES);
		assert_int_equal(f->count, 1);
		calls.count = 0;
		assert_no_error(function_calls(info, &f->functions[0], found_call, &calls));
		if (!info->relocatable) {
			assert_non_null(call_of(&calls, "other_duplicate"));
			assert_true(call_of(&calls, "other_duplicate")->is_tail);
		}
		debuginfo_close(info);
	}
}

static int count_label(const char *name, const struct place *place, void *arg)
{
	int *seen = arg;

	assert_int_equal(place->line, line_of("fixture.c", !strcmp(name, "again") ? "again:" : "fail:"));
	*seen |= !strcmp(name, "again") ? 1 : !strcmp(name, "fail") ? 2 : 4;
	assert_string_equal(place->function, "labels");
	return 0;
}

static void test_labels(void **state)
{
	struct debuginfo *info = places_open("gcc-O0-5");
	struct found *f = query_functions(info, "labels", FUNCTIONS_BODIES);
	int seen = 0;

	assert_no_error(function_labels(info, &f->functions[0], count_label, &seen));
	assert_int_equal(seen, 3);
	debuginfo_close(info);
}

/* --- unlinked objects, the index ---------------------------------------------------------------------------- */

static void test_relocatable(void **state)
{
	struct debuginfo *info = places_open("object.ko");
	struct found *f = query_functions(info, "other_sum@other.c", FUNCTIONS_BODIES);
	char text[64];

	assert_true(debuginfo_is_relocatable(info));
	assert_int_equal(f->count, 1);
	assert_string_equal(f->functions[0].symbol, "other_sum");
	snprintf(text, sizeof(text), "*@other.c:%d", line_of("other.c", "int squared"));
	f = query_places(info, text, false);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->places[0].symbol, "duplicate");
	debuginfo_close(info);
}

/* What the kernel shows of a loaded module: the note as it is in the file. */
static void keep_note(const char *program, const char *path)
{
	char command[256];

	snprintf(command, sizeof(command),
	         "objcopy -O binary -j .note.gnu.build-id " PLACES_DIR "/programs/%s %s", program, path);
	assert_int_equal(system(command), 0);
}

static void test_loaded_module(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	struct error *error;
	char notes[128];

	snprintf(notes, sizeof(notes), "%s.notes", places_scratch());
	assert_no_error(debuginfo_check_loaded(info, notes)); /* there is none */
	keep_note("gcc-O2-5", notes);
	assert_no_error(debuginfo_check_loaded(info, notes));
	assert_int_equal(truncate(notes, 30), 0);
	assert_no_error(debuginfo_check_loaded(info, notes));
	keep_note("clang-O2-5", notes);
	error = debuginfo_check_loaded(info, notes);
	assert_non_null(error);
	assert_int_equal(error->err, ESTALE);
	assert_non_null(strstr(error->message, debuginfo_build_id(info)));
	error_destroy(error);
	unlink(notes);
	debuginfo_close(info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query_of_scripts),
	    cmocka_unit_test(test_query_of_perf),
	    cmocka_unit_test(test_query_refused),
	    cmocka_unit_test(test_duplicate_names),
	    cmocka_unit_test(test_large_files_answer_alike),
	    cmocka_unit_test(test_inlined_copies),
	    cmocka_unit_test(test_rest_is_no_copy),
	    cmocka_unit_test(test_frames_of_an_inlined_copy),
	    cmocka_unit_test(test_function_of_ranges),
	    cmocka_unit_test(test_functions_of_a_file),
	    cmocka_unit_test(test_what_is_missing_is_told),
	    cmocka_unit_test(test_without_dwarf),
	    cmocka_unit_test(test_missing_dwo),
	    cmocka_unit_test(test_line_forms),
	    cmocka_unit_test(test_every_place_is_code),
	    cmocka_unit_test(test_rows_that_are_no_places),
	    cmocka_unit_test(test_lines_beside_gdb),
	    cmocka_unit_test(test_lines_with_code),
	    cmocka_unit_test(test_inside_an_instruction),
	    cmocka_unit_test(test_calls),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_relocatable),
	    cmocka_unit_test(test_loaded_module),
	};

	return cmocka_run_group_tests(tests, places_build, places_clean);
}
