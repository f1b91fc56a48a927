// SPDX-License-Identifier: GPL-2.0-only
/* The index of a program's debug information: it answers as a walk over all of it does, and a damaged one
 * does no harm. tests/unit/test_debuginfo.c asks the same of a kernel. */
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/unit/fixture_index.h"

static int count_units(uint64_t unit, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static void check_index(struct debuginfo *info)
{
	struct place_query all = {0}, header = {.file = (char *)"fixture.h"};
	struct place_query twice = {.function = (char *)"twice"};
	struct found indexed = {0}, walked = {0};
	size_t units = 0;

	assert_no_error(places_index_open(info));
	places_index_functions(info->index, &twice, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
	                       found_function, &indexed);
	assert_no_error(functions_find(info, &twice, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
	                               found_function, &walked));
	assert_int_equal(indexed.count, walked.count);
	for (size_t i = 0; i < walked.count; i++) {
		assert_int_equal(indexed.functions[i].address, walked.functions[i].address);
		assert_int_equal(indexed.functions[i].die, walked.functions[i].die);
		assert_string_equal(indexed.functions[i].file, walked.functions[i].file);
	}
	indexed.count = walked.count = 0;
	places_index_functions(info->index, &all, FUNCTIONS_BODIES, found_function, &indexed);
	assert_no_error(functions_find(info, &all, FUNCTIONS_BODIES, found_function, &walked));
	assert_int_equal(indexed.count, walked.count);
	places_index_units(info->index, &header, 0, count_units, &units);
	assert_int_equal(units, 2);
}

static void test_index(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	_cleanup_free_ char *path = places_index_file(info);
	int fd;

	unlink(path);
	check_index(info); /* made */
	debuginfo_close(info);
	info = places_open("gcc-O2-5");
	check_index(info); /* mapped */
	debuginfo_close(info);
	/* damaged: made again */
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0 && ftruncate(fd, 200) == 0);
	close(fd);
	info = places_open("gcc-O2-5");
	check_index(info);
	debuginfo_close(info);
}

struct namesakes {
	unsigned count;
	uint64_t addresses; /* sum */
};

static int add_namesake(const struct elf_symbol *sym, void *arg)
{
	struct namesakes *n = arg;

	n->count++;
	n->addresses += sym->address;
	return 0;
}

/* By a name of the test's own, and by the index's own. */
static bool same_symbols(struct debuginfo *walked, struct debuginfo *indexed, const char *name)
{
	struct namesakes a = {0}, b = {0}, c = {0};
	struct elf_symbol first;

	debuginfo_symbol_match(walked, name, add_namesake, &a);
	debuginfo_symbol_match(indexed, name, add_namesake, &b);
	c = b;
	for (size_t i = 0; i < places_index_symbols(indexed->index); i++) {
		places_index_symbol(indexed->index, i, &first);
		if (strcmp(first.name, name))
			continue;
		c = (struct namesakes){0};
		debuginfo_symbol_match(indexed, first.name, add_namesake, &c);
		break;
	}
	if (a.count == b.count && a.addresses == b.addresses && c.count == a.count &&
	    c.addresses == a.addresses)
		return true;
	print_error("%s: %u symbols, by the index %u and %u\n", name, a.count, b.count, c.count);
	return false;
}

/* "plicate" is the tail of a name that is there, and no name. */
static bool symbols_agree(struct debuginfo *walked, struct debuginfo *indexed)
{
	static const char *const names[] = {"main", "duplicate", "arithmetic", "plicate", "nonesuch", ""};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!same_symbols(walked, indexed, names[i]))
			return false;
	return true;
}

/* All functions, lines and variables of each program that has DWARF: the index says what a walk finds. */
static void test_index_agrees(void **state)
{
	static const char *const programs[] = {
	    "gcc-O0-4",    "gcc-O2-4",    "gcc-lto-4",     "gcc-split-4", "gcc-dwz-4",  "gcc-O2-5",
	    "gcc-lto-5",   "gcc-split-5", "gcc-dwz-5",     "gcc-pie-5",   "clang-O2-4", "clang-O2-5",
	    "clang-lto-5", "clang-O0-5",  "clang-split-5",
	};
	struct place_query all = {0}, lines = {.lines = PLACE_LINES_ALL};
	struct place_query one = {.file = (char *)"fixture.h", .lines = PLACE_LINES_ABSOLUTE};
	struct place_query twice = {.function = (char *)"twice", .lines = PLACE_LINES_ALL};
	struct place_query near = {.file = (char *)"fixture.c", .lines = PLACE_LINES_ABSOLUTE,
	                           .nearest = true};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct debuginfo *walked = places_open(programs[i]), *indexed = places_open(programs[i]);
		struct answer sum = {0};
		bool same;

		walked->walks = true;
		assert_no_error(places_index_open(indexed));
		same = agree(walked, indexed, &all, &sum) && agree(walked, indexed, &lines, &sum) &&
		       agree(walked, indexed, &twice, &sum) && symbols_agree(walked, indexed);
		for (int line = 1; same && line < 60; line++) {
			one.first = one.last = near.first = near.last = line;
			same = agree(walked, indexed, &one, &sum) && agree(walked, indexed, &near, &sum);
		}
		if (!same)
			fail_msg("%s: the index has other answers", programs[i]);
		assert_true(sum.functions > 10 && sum.variables > 20 && sum.lines > 50);
		debuginfo_close(walked);
		debuginfo_close(indexed);
	}
}

/* Flipped bytes in the index of a program: other answers, but answers. */
static void test_index_damaged(void **state)
{
	struct debuginfo *info = places_open("gcc-O2-5");
	struct place_query all = {0}, lines = {.lines = PLACE_LINES_ALL};
	unsigned char *whole;
	uint32_t seed = 4711;
	_cleanup_free_ char *path = places_index_file(info);
	size_t size;

	assert_no_error(places_index_open(info));
	debuginfo_close(info);
	assert_no_error(file_read(path, (char **)&whole, &size));
	for (int round = 0; round < 150; round++) {
		unsigned char *copy = malloc(size);
		struct answer answer;

		memcpy(copy, whole, size);
		for (int k = 0; k < 20; k++) {
			seed = seed * 1664525u + 1013904223u;
			copy[144 + (seed >> 8) % (size - 145)] = seed >> 24; /* behind the header */
		}
		assert_no_error(file_write_atomic(path, copy, size));
		free(copy);
		info = places_open("gcc-O2-5");
		assert_no_error(places_index_open(info));
		ask(info, &all, &answer);
		strbuf_deinit(&answer.text);
		ask(info, &lines, &answer);
		strbuf_deinit(&answer.text);
		debuginfo_close(info);
	}
	free(whole);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_index),
	    cmocka_unit_test(test_index_agrees),
	    cmocka_unit_test(test_index_damaged),
	};

	return cmocka_run_group_tests(tests, places_build, places_clean);
}
