// SPDX-License-Identifier: GPL-2.0-only
/* Tokens: kinds, values, places, junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "script/diag.h"
#include "script/lex.h"

struct lex_test {
	struct arena arena;
	struct lexer lexer;
};

static int setup(void **state)
{
	struct lex_test *t = calloc(1, sizeof(*t));

	arena_init(&t->arena);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct lex_test *t = *state;

	arena_deinit(&t->arena);
	free(t);
	return 0;
}

static void start_bytes(struct lex_test *t, const char *text, size_t len)
{
	lexer_init(&t->lexer, &t->arena, source_create(&t->arena, "test", text, len));
}

static void start(struct lex_test *t, const char *text)
{
	start_bytes(t, text, strlen(text));
}

static struct token *next_kind(struct lex_test *t, enum token_kind kind)
{
	struct token *token = lexer_next(&t->lexer);

	assert_int_equal(token->kind, kind);
	return token;
}

static void assert_number_token(struct lex_test *t, const char *text, int64_t value)
{
	start(t, text);
	assert_true(next_kind(t, TOKEN_NUMBER)->number == value);
	next_kind(t, TOKEN_END);
}

static void test_numbers(void **state)
{
	assert_number_token(*state, "0", 0);
	assert_number_token(*state, "42", 42);
	assert_number_token(*state, "0x2A", 42);
	assert_number_token(*state, "0X2a", 42);
	assert_number_token(*state, "052", 42);
	assert_number_token(*state, "9223372036854775807", INT64_MAX);
	assert_number_token(*state, "9223372036854775808", INT64_MIN);
	assert_number_token(*state, "18446744073709551615", -1);
	assert_number_token(*state, "0xffffffffffffffff", -1);
	assert_number_token(*state, "01777777777777777777777", -1);
}

static void assert_junk_token(struct lex_test *t, const char *text, enum diag_tag tag)
{
	start(t, text);
	assert_int_equal(next_kind(t, TOKEN_JUNK)->problem, tag);
}

static void test_junk(void **state)
{
	assert_junk_token(*state, "18446744073709551616", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "02000000000000000000000", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "08", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "0x", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "0xg", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "1k", DIAG_TAG_BAD_NUMBER);
	assert_junk_token(*state, "\"a", DIAG_TAG_UNTERMINATED_STRING);
	assert_junk_token(*state, "\"a\n\"", DIAG_TAG_UNTERMINATED_STRING);
	assert_junk_token(*state, "\"a\\", DIAG_TAG_UNTERMINATED_STRING);
	assert_junk_token(*state, "\"a\\\"", DIAG_TAG_UNTERMINATED_STRING);
	assert_junk_token(*state, "/* a", DIAG_TAG_UNTERMINATED_COMMENT);
	assert_junk_token(*state, "/*/", DIAG_TAG_UNTERMINATED_COMMENT);
	assert_junk_token(*state, "%{ a %", DIAG_TAG_UNTERMINATED_EMBEDDED);
	assert_junk_token(*state, "@", DIAG_TAG_BAD_CHARACTER);
	assert_junk_token(*state, "\\", DIAG_TAG_BAD_CHARACTER);
	assert_junk_token(*state, "\xc3\xa4", DIAG_TAG_BAD_CHARACTER);
}

static void assert_string_token(struct lex_test *t, const char *text, const char *value, size_t len)
{
	const struct token *token;

	start(t, text);
	token = next_kind(t, TOKEN_STRING);
	assert_int_equal(token->string.len, len);
	assert_memory_equal(token->string.data, value, len + 1);
	next_kind(t, TOKEN_END);
}

static void test_strings(void **state)
{
	assert_string_token(*state, "\"\"", "", 0);
	assert_string_token(*state, "\"a b\"", "a b", 3);
	assert_string_token(*state, "\"\\a\\b\\f\\n\\r\\t\\v\"", "\a\b\f\n\r\t\v", 7);
	assert_string_token(*state, "\"\\\\\\\"\\'\\?\"", "\\\"'?", 4);
	assert_string_token(*state, "\"\\0\\1234\\x41g\\x1bcd\"", "\0S4Ag\x1b" "cd", 8);
	assert_string_token(*state, "\"\\.\\xz\"", ".xz", 3);
	assert_string_token(*state, "\"a\\\nb\"", "ab", 2);
	assert_string_token(*state, "\"# // /* %{ %( \xff\"", "# // /* %{ %( \xff", 15);
}

static void test_words(void **state)
{
	static const char *const words[] = { "foo", "_f1", "$foo", "$$vars", "$x$$", "@count",
					     "$1", "@23", "$#", "@#", "a$b", "$", "$$" };
	struct lex_test *t = *state;

	start(t, "foo _f1 $foo $$vars $x$$ @count $1 @23 $# @# a$b $ $$");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_string_equal(next_kind(t, TOKEN_IDENTIFIER)->text, words[i]);
	next_kind(t, TOKEN_END);
	start(t, "$1.x @2\"s\"");
	assert_string_equal(next_kind(t, TOKEN_IDENTIFIER)->text, "$1");
	next_kind(t, TOKEN_OPERATOR);
	next_kind(t, TOKEN_IDENTIFIER);
	assert_string_equal(next_kind(t, TOKEN_IDENTIFIER)->text, "@2");
	next_kind(t, TOKEN_STRING);
}

static void test_operators_are_longest(void **state)
{
	static const char *const ops[] = { ">>>=", "<<<", ">>>", "<<=", "<<", "=~", "!~", "!",
					   "->", "--", ".=", "%(", "%?", "%:", "%)", "%=", "%" };
	struct lex_test *t = *state;

	start(t, ">>>= <<< >>> <<= << =~ !~ ! -> -- .= %( %? %: %) %= %");
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_string_equal(next_kind(t, TOKEN_OPERATOR)->text, ops[i]);
	start(t, "<<<<");
	assert_string_equal(next_kind(t, TOKEN_OPERATOR)->text, "<<<");
	assert_string_equal(next_kind(t, TOKEN_OPERATOR)->text, "<");
}

static void test_comments_and_places(void **state)
{
	struct lex_test *t = *state;
	const struct token *token;

	start(t, "a # one $1\n\tb // two\r\n/* three\n */ c");
	token = next_kind(t, TOKEN_IDENTIFIER);
	assert_int_equal(token->line, 1);
	assert_int_equal(token->column, 1);
	token = next_kind(t, TOKEN_IDENTIFIER);
	assert_int_equal(token->line, 2);
	assert_int_equal(token->column, 2);
	assert_int_equal(token->offset, 12);
	assert_int_equal(token->len, 1);
	token = next_kind(t, TOKEN_IDENTIFIER);
	assert_int_equal(token->line, 4);
	assert_int_equal(token->column, 5);
	next_kind(t, TOKEN_END);
	next_kind(t, TOKEN_END);
}

static void test_embedded(void **state)
{
	struct lex_test *t = *state;
	const struct token *token;

	start(t, "%{ a \" %( # \n%} b");
	token = next_kind(t, TOKEN_EMBEDDED);
	assert_int_equal(token->string.len, 11);
	assert_memory_equal(token->string.data, " a \" %( # \n", 12);
	assert_int_equal(next_kind(t, TOKEN_IDENTIFIER)->line, 2);
}

static void test_nul_bytes(void **state)
{
	struct lex_test *t = *state;
	const struct token *token;

	start_bytes(t, "a\0\"b\0c\"\\\0", 9);
	next_kind(t, TOKEN_IDENTIFIER);
	assert_int_equal(next_kind(t, TOKEN_JUNK)->problem, DIAG_TAG_BAD_CHARACTER);
	token = next_kind(t, TOKEN_STRING);
	assert_int_equal(token->string.len, 3);
	assert_memory_equal(token->string.data, "b\0c", 4);
	next_kind(t, TOKEN_JUNK);
	next_kind(t, TOKEN_JUNK);
	next_kind(t, TOKEN_END);
	start_bytes(t, "\"\\\0\"", 4);
	assert_int_equal(next_kind(t, TOKEN_STRING)->string.len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_junk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_operators_are_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comments_and_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_embedded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nul_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
