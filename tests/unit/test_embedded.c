// SPDX-License-Identifier: GPL-2.0-only
/** printf for C code in scripts, against libc's. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/script.h"

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[80], libc[80];                                                           \
		int len = spl_c_format(ours, sizeof(ours), __VA_ARGS__);                           \
                                                                                                   \
		snprintf(libc, sizeof(libc), __VA_ARGS__);                                         \
		assert_string_equal(ours, libc);                                                   \
		assert_int_equal(len, strlen(libc));                                               \
	} while (0)

static void test_integers(void **state)
{
	const int ints[] = { 0, 1, -1, 255, -32769, INT_MAX, INT_MIN };
	const long longs[] = { 0, -1, 1L << 40, LONG_MAX, LONG_MIN };

	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		SAME("%d|%i|%u|%x|%X|%o", ints[i], ints[i], (unsigned)ints[i], (unsigned)ints[i],
		     (unsigned)ints[i], (unsigned)ints[i]);
		SAME("%5d|%-7d|%07d|%+d|% d|%#x", ints[i], ints[i], ints[i], ints[i], ints[i],
		     (unsigned)ints[i]);
		SAME("%hd|%hu|%hhd|%hhu", (short)ints[i], (unsigned short)ints[i],
		     (signed char)ints[i], (unsigned char)ints[i]);
	}
	for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
		SAME("%ld|%lld|%lu|%llx|%zu|%zd", longs[i], (long long)longs[i],
		     (unsigned long)longs[i], (unsigned long long)longs[i], (size_t)longs[i],
		     (ssize_t)longs[i]);
		SAME("%25ld|%-25ld|%025ld", longs[i], longs[i], longs[i]);
	}
}

static void test_others(void **state)
{
	SAME("plain");
	SAME("%s|%10s|%-10s|%.2s|%10.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%c|%%|%3c", 'a', 'b', 'c');
	SAME("%*d|%-*d|%.*s", 6, 42, 6, 42, 2, "xyz");
	SAME("%d %s %ld %c %llx", 1, "two", 3L, '4', 5ULL);
}

static void test_cut(void **state)
{
	const char *volatile nothing = NULL;
	char buf[6] = "xxxxx";

	assert_int_equal(spl_c_format(buf, sizeof(buf), "%s", "abcdefgh"), 5);
	assert_string_equal(buf, "abcde");
	assert_int_equal(spl_c_format(buf, 0, "%s", "z"), 0);
	assert_string_equal(buf, "abcde");
	assert_int_equal(spl_c_format(buf, sizeof(buf), "%s", nothing), 5);
	assert_string_equal(buf, "(null");
}

static void test_fail(void **state)
{
	struct spl_ctx c = { .error = NULL };

	spl_c_fail(&c, "here", "bad %d: %s", -3, "why");
	assert_string_equal(c.error, "bad -3: why");
	assert_string_equal(c.error_place, "here");
	spl_c_fail(&c, "there", "second");
	assert_string_equal(c.error, "bad -3: why");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
