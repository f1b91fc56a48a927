// SPDX-License-Identifier: GPL-2.0-only
/* The helpers that are compiled into every script (codegen/support.h), with the run-time's strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "runtime/script.h"

#include "codegen/support.h"

/* What spl_quote() makes of a string in a room of `size` bytes; nothing behind it may change. */
static void check_quote(const char *text, size_t size, const char *wanted)
{
	struct spl_ctx c = {0};
	char room[64];

	assert_true(size < sizeof(room));
	memset(room, 'Z', sizeof(room));
	spl_str_copy(room, size, text);
	spl_quote(&c, room, size, 0);
	assert_string_equal(room, wanted);
	assert_true(strlen(room) < size);
	for (size_t i = size; i < sizeof(room); i++)
		assert_int_equal(room[i], 'Z');
}

static void test_quote(void **state)
{
	check_quote("", 20, "\"\"");
	check_quote("abc", 20, "\"abc\"");
	check_quote("a\"b\\c\n\t", 20, "\"a\\\"b\\\\c\\n\\t\"");
	check_quote("\001\377", 20, "\"\\001\\377\"");
	check_quote("abcdefghijklmnopqrs", 20, "\"abcdefghijklmn\"...");
	check_quote("abcdefghijklmn", 20, "\"abcdefghijklmn\"");
	check_quote("\001\001\001\001", 20, "\"\\001\\001\\001\"...");
}

static void test_quote_fault(void **state)
{
	struct spl_ctx c = {.error = "bad address", .error_place = "here"};
	char room[20] = "";

	spl_quote(&c, room, sizeof(room), 0x12ab);
	assert_string_equal(room, "0x12ab");
	assert_null(c.error);
	c.error = "bad address";
	spl_quote(&c, room, sizeof(room), -1);
	assert_string_equal(room, "0xffffffffffffffff");
	c.error = "bad address";
	spl_or(&c, room, sizeof(room), "other");
	assert_string_equal(room, "other");
	assert_null(c.error);
}

static void test_division(void **state)
{
	struct spl_ctx c = {0};

	assert_int_equal(spl_div(&c, INT64_MIN, -1, "p"), INT64_MIN);
	assert_int_equal(spl_mod(&c, INT64_MIN, -1, "p"), 0);
	assert_null(c.error);
	assert_int_equal(spl_mod(&c, 5, 0, "place"), 0);
	assert_string_equal(c.error, "division by 0");
	assert_string_equal(c.error_place, "place");
}

static void test_strings(void **state)
{
	char room[8];

	assert_string_equal(spl_substr(room, sizeof(room), "hello", 3, 9), "lo");
	assert_string_equal(spl_substr(room, sizeof(room), "hello", 5, 1), "");
	assert_string_equal(spl_substr(room, sizeof(room), "hello", -1, 2), "");
	assert_string_equal(spl_substr(room, sizeof(room), "longer than room", 0, 99), "longer ");
	assert_int_equal(spl_isinstr("", ""), 1);
	assert_int_equal(spl_isinstr("aab", "ab"), 1);
	assert_int_equal(spl_strtol("  -0x10", 16), -16);
	assert_int_equal(spl_strtol("0x", 0), 0);
	assert_int_equal(spl_strtol("12z", 10), 12);
	assert_int_equal(spl_stringat("ab", 2), 0);
	assert_int_equal(spl_stringat("\377", 0), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quote),
	    cmocka_unit_test(test_quote_fault),
	    cmocka_unit_test(test_division),
	    cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
