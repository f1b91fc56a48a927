// SPDX-License-Identifier: GPL-2.0-only
/** symbols/boot_cache.h: what is written is read, until the boot changes or others could write. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/boot_cache.h"

#define BOOT "0d8e2d34"

static char top[64], dir[80];

static int setup(void **state)
{
	strcpy(top, "/tmp/spile-boot-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/cache", top);
	boot_cache_write_to(dir, BOOT, "a", "text", 4);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/" BOOT "-%s", dir, name);
	return path;
}

/* True when `name` of that boot reads as `text`. */
static bool reads_as(const char *boot, const char *name, const char *text)
{
	char *data;
	size_t len;
	bool same;
	void *map;

	if (!boot_cache_read_from(dir, boot, name, &data, &len)) {
		assert_false(boot_cache_map_from(dir, boot, name, &map, &len));
		return false;
	}
	same = len == strlen(text) && !memcmp(data, text, len + 1);
	free(data);
	assert_true(boot_cache_map_from(dir, boot, name, &map, &len));
	assert_true(!memcmp(map, text, strlen(text)) && len == strlen(text));
	munmap(map, len);
	return same;
}

static void test_written_is_read(void **state)
{
	struct stat st;

	assert_true(reads_as(BOOT, "a", "text"));
	assert_false(reads_as(BOOT, "b", "text"));
	boot_cache_write_to(dir, BOOT, "a", "longer text", 11);
	assert_true(reads_as(BOOT, "a", "longer text"));
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path_of("a"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_another_boot(void **state)
{
	assert_false(reads_as("77777777", "a", "text"));
	assert_false(reads_as("", "a", "text"));
	boot_cache_write_to(dir, "77777777", "b", "new", 3);
	assert_true(reads_as("77777777", "b", "new"));
	assert_int_equal(access(path_of("a"), F_OK), -1); /* no use any more */
}

static void test_names_stay_inside(void **state)
{
	boot_cache_write_to(dir, BOOT, "x/../../out", "text", 4);
	boot_cache_write_to(dir, "..", "/../out", "text", 4);
	snprintf(top + strlen(top), 8, "/out");
	assert_int_equal(access(top, F_OK), -1);
	*strrchr(top, '/') = '\0';
}

static void test_folder_that_others_may_change(void **state)
{
	static const int modes[] = {0770, 0707, 0755, 0701};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		chmod(dir, modes[i]);
		assert_false(reads_as(BOOT, "a", "text"));
		boot_cache_write_to(dir, BOOT, "a", "new", 3);
	}
	chmod(dir, 0700);
	assert_true(reads_as(BOOT, "a", "text"));
}

static void test_file_that_others_may_change(void **state)
{
	chmod(path_of("a"), 0620);
	assert_false(reads_as(BOOT, "a", "text"));
	chmod(path_of("a"), 0602);
	assert_false(reads_as(BOOT, "a", "text"));
	chmod(path_of("a"), 0600);
	assert_true(reads_as(BOOT, "a", "text"));
}

static void test_foreign_owner(void **state)
{
	if (geteuid())
		skip(); /* only root can give files away */
	assert_int_equal(chown(path_of("a"), 65534, 65534), 0);
	assert_false(reads_as(BOOT, "a", "text"));
	assert_int_equal(chown(path_of("a"), 0, 0), 0);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_false(reads_as(BOOT, "a", "text"));
	boot_cache_write_to(dir, BOOT, "b", "text", 4);
	assert_int_equal(access(path_of("b"), F_OK), -1);
}

static void test_links_are_not_followed(void **state)
{
	char real[100];

	snprintf(real, sizeof(real), "%s/real", top);
	assert_int_equal(rename(path_of("a"), real), 0);
	assert_int_equal(symlink(real, path_of("a")), 0);
	assert_false(reads_as(BOOT, "a", "text"));
	assert_int_equal(rename(real, path_of("a")), 0);
	assert_true(reads_as(BOOT, "a", "text"));
	assert_int_equal(rename(dir, real), 0);
	assert_int_equal(symlink(real, dir), 0);
	assert_false(reads_as(BOOT, "a", "text"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_written_is_read),
	    TEST(test_another_boot),
	    TEST(test_names_stay_inside),
	    TEST(test_folder_that_others_may_change),
	    TEST(test_file_that_others_may_change),
	    TEST(test_foreign_owner),
	    TEST(test_links_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
