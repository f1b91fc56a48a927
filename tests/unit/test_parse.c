// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scripts in tests/script/ cannot say about the parser: hostile input, the shape of messages,
 * recovery, the interface itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "script/parse.h"

struct parse_test {
	struct script script;
	struct diag_list diags;
	struct parse_options options;
	struct strbuf text;
};

static int setup(void **state)
{
	struct parse_test *t = calloc(1, sizeof(*t));

	script_init(&t->script);
	diag_list_init(&t->diags);
	strbuf_init(&t->text);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct parse_test *t = *state;

	strbuf_deinit(&t->text);
	diag_list_deinit(&t->diags);
	script_deinit(&t->script);
	free(t);
	return 0;
}

static struct script_file *parse(struct parse_test *t, const char *text)
{
	return script_parse_string(&t->script, "x.stp", text, strlen(text), &t->options,
				   &t->diags);
}

static struct script_file *parse_built(struct parse_test *t)
{
	return script_parse_string(&t->script, "x.stp", t->text.data, t->text.len, &t->options,
				   &t->diags);
}

static void add_times(struct parse_test *t, const char *text, int times)
{
	while (times--)
		strbuf_adds(&t->text, text);
}

static void assert_messages(struct parse_test *t, const char *wanted)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	diag_list_print(&t->diags, out);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

/* --- hostile input --------------------------------------------------------------------------- */

static void expect_too_deep(struct parse_test *t)
{
	parse_built(t);
	assert_true(t->diags.count > 0);
	assert_int_equal(t->diags.items[0].tag, DIAG_TAG_TOO_DEEP);
}

static void test_deep_parentheses(void **state)
{
	struct parse_test *t = *state;

	strbuf_adds(&t->text, "probe begin { x = ");
	add_times(t, "(", 100000);
	add_times(t, ")", 100000);
	strbuf_adds(&t->text, " }");
	expect_too_deep(t);
}

static void test_deep_prefixes(void **state)
{
	struct parse_test *t = *state;

	strbuf_adds(&t->text, "probe begin { x = ");
	add_times(t, "- ", 100000);
	strbuf_adds(&t->text, "1 }");
	expect_too_deep(t);
}

static void test_deep_blocks(void **state)
{
	struct parse_test *t = *state;

	strbuf_adds(&t->text, "probe begin ");
	add_times(t, "{", 100000);
	expect_too_deep(t);
}

static void test_deep_macro_arguments(void **state)
{
	struct parse_test *t = *state;

	strbuf_adds(&t->text, "@define m(a) %( @a %) probe begin { x = ");
	add_times(t, "@m(", 200);
	strbuf_adds(&t->text, "1");
	add_times(t, ")", 200);
	strbuf_adds(&t->text, " }");
	parse_built(t);
	assert_int_equal(diag_error_count(&t->diags), 0);
}

/* A chain is no nesting for the parser, but a high tree for whoever walks it. */
static void test_long_chains(void **state)
{
	struct parse_test *t = *state;

	strbuf_adds(&t->text, "probe begin { x = 1");
	add_times(t, " + 1", 2000);
	strbuf_adds(&t->text, " }");
	parse_built(t);
	assert_int_equal(diag_error_count(&t->diags), 0);
	t->text.len--;
	strbuf_adds(&t->text, " ");
	add_times(t, " + 1", 100000);
	expect_too_deep(t);
}

static void test_many_errors_end(void **state)
{
	struct parse_test *t = *state;

	add_times(t, "probe begin { x = }\n", 100000);
	parse_built(t);
	assert_true(diag_error_count(&t->diags) >= 100);
	assert_true(diag_error_count(&t->diags) <= 110);
}

static void test_binary_rubbish(void **state)
{
	struct parse_test *t = *state;

	for (int i = 0; i < 4096; i++)
		strbuf_addc(&t->text, (char)(i * 31 + i / 256));
	parse_built(t);
	assert_true(diag_error_count(&t->diags) > 0);
}

static void test_large_file(void **state)
{
	struct parse_test *t = *state;
	struct script_file *file;

	add_times(t, "probe syscall.open { count[execname(), pid()] <<< $mode + 1 }\n", 20000);
	file = parse_built(t);
	assert_int_equal(diag_error_count(&t->diags), 0);
	assert_int_equal(file->items.count, 20000);
}

/* --- messages -------------------------------------------------------------------------------- */

static void test_parse_message(void **state)
{
	parse(*state, "probe begin {\n\tprintln(1, )\n}\n");
	assert_messages(*state, "parse error: expected expression\n"
				"        saw: operator ')' at x.stp:2:13\n"
				"     source: \tprintln(1, )\n"
				"             \t           ^\n");
}

static void test_message_with_second_place(void **state)
{
	parse(*state, "probe begin {\n");
	assert_messages(*state, "parse error: expected '}' before this\n"
				"        saw: end of file at x.stp:2:1\n"
				"     source: \n"
				"             ^\n"
				"       note: the block was opened at x.stp:1:13\n"
				"     source: probe begin {\n"
				"                         ^\n");
}

static void test_message_in_macro(void **state)
{
	parse(*state, "@define bad %( 1 + %)\nprobe begin { x = @bad }");
	assert_messages(*state, "parse error: expected expression\n"
				"        saw: operator '}' at x.stp:2:24\n"
				"     source: probe begin { x = @bad }\n"
				"                                    ^\n");
}

static void test_message_of_macro_body(void **state)
{
	parse(*state, "@define bad %( (1 + ) %)\nprobe begin { x = @bad\ny = @bad }");
	assert_messages(*state, "parse error: expected expression\n"
				"        saw: operator ')' at x.stp:1:21\n"
				"     source: @define bad %( (1 + ) %)\n"
				"                                 ^\n"
				"       note: in the expansion of '@bad' at x.stp:2:19\n");
}

static void test_message_with_hint(void **state)
{
	parse(*state, "probe begin { x = @coutn(y) }");
	assert_messages(*state, "parse error: there is no operator or macro '@coutn'\n"
				"        saw: identifier '@coutn' at x.stp:1:19\n"
				"     source: probe begin { x = @coutn(y) }\n"
				"                               ^\n"
				"       hint: did you mean '@count'?\n");
}

static void test_semantic_message(void **state)
{
	struct parse_test *t = *state;
	struct script_file *file = parse(t, "probe begin { foo() }");

	diag_add(&t->diags, file->items.items[0].probe->tok, NEEDS_GURU);
	t->diags.items[0].pass = DIAG_RESOLVE;
	assert_messages(t, "semantic error: embedded C code needs guru mode (-g): "
			   "identifier 'probe' at x.stp:1:1\n"
			   "        source: probe begin { foo() }\n"
			   "                ^\n");
}

/* The caret stands under the character, not under the byte; control characters do no harm. */
static void test_message_with_strange_bytes(void **state)
{
	parse(*state, "probe begin { \"\xc3\xa4\x1b[1m\" ) }");
	assert_messages(*state, "parse error: expected statement\n"
				"        saw: operator ')' at x.stp:1:24\n"
				"     source: probe begin { \"\xc3\xa4?[1m\" ) }\n"
				"                                   ^\n");
}

static void test_message_of_long_line(void **state)
{
	struct parse_test *t = *state;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	strbuf_adds(&t->text, "probe begin { x = ");
	add_times(t, "1 + ", 2000);
	strbuf_adds(&t->text, " }");
	parse_built(t);
	diag_list_print(&t->diags, out);
	fclose(out);
	assert_int_equal(t->diags.count, 1);
	assert_true(len < 800);
	free(text);
}

/* --- recovery -------------------------------------------------------------------------------- */

static void test_every_broken_statement_is_told(void **state)
{
	struct parse_test *t = *state;
	struct script_file *file = parse(t, "probe begin {\n"
					    "	a = ;\n"
					    "	good()\n"
					    "	if (x y()\n"
					    "	b[1 = 2\n"
					    "	for (i = 0, i < 3; i++) { c() }\n"
					    "	fine()\n"
					    "}\n"
					    "global 5\n"
					    "function f(x y) { return 1 }\n"
					    "probe end { ok() }\n");

	static const uint32_t lines[] = { 2, 4, 6, 9, 10 };
	size_t found = 0;

	for (size_t i = 0; i < t->diags.count; i++)
		for (size_t j = 0; j < 5; j++)
			found += t->diags.items[i].token->line == lines[j];
	assert_int_equal(found, 5);
	assert_true(t->diags.count <= 6);
	assert_int_equal(file->items.count, 2);
}

/* --- the rest -------------------------------------------------------------------------------- */

static void test_nearest(void **state)
{
	static const char *const words[] = { "print", "printf", "println", "execname", "pid" };

	assert_string_equal(diag_nearest("pritn", words, 5), "print");
	assert_string_equal(diag_nearest("prnitf", words, 5), "printf");
	assert_string_equal(diag_nearest("exec_name", words, 5), "execname");
	assert_string_equal(diag_nearest("execnam", words, 5), "execname");
	assert_null(diag_nearest("pid", words, 5));
	assert_null(diag_nearest("gettimeofday", words, 5));
	assert_null(diag_nearest("x", words, 5));
	assert_null(diag_nearest("", words, 5));
	assert_null(diag_nearest("pid", words, 0));
}

static void test_pragmas(void **state)
{
	static const char code[] = " /* pure */ /*  pragma:read:x*/ int a; /* stable, no */ /* pur";
	struct embedded embedded = { .code = code, .len = sizeof(code) - 1 };

	assert_true(embedded_has_pragma(&embedded, "pure"));
	assert_true(embedded_has_pragma(&embedded, "pragma:read:x"));
	assert_false(embedded_has_pragma(&embedded, "stable"));
	assert_false(embedded_has_pragma(&embedded, "pur"));
	assert_false(embedded_has_pragma(&embedded, "guru"));
}

static void test_pasted_argument_has_no_arguments(void **state)
{
	static const char *const argv[] = { "f($1)", "\"open" };
	struct parse_test *t = *state;

	t->options.argc = 2;
	t->options.argv = argv;
	parse(t, "probe begin { x = $1 }");
	assert_int_equal(t->diags.count, 1);
	assert_int_equal(t->diags.items[0].tag, DIAG_TAG_MISSING_ARGUMENT);
	assert_string_equal(t->diags.items[0].token->source->name, "<argument $1>");
	parse(t, "probe begin { x = $2\n }");
	assert_int_equal(t->diags.count, 2);
	assert_int_equal(t->diags.items[1].tag, DIAG_TAG_UNTERMINATED_STRING);
}

static void test_arena_lists(void **state)
{
	struct {
		ARENA_LIST(int);
	} list = { 0 };
	struct arena arena;

	arena_init(&arena);
	for (int i = 0; i < 1000; i++)
		ARENA_APPEND(&arena, &list, i);
	assert_int_equal(list.count, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list.items[i], i);
	memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
	assert_int_equal(list.items[999], 999);
	assert_string_equal(arena_printf(&arena, "%s-%d", "a", 5), "a-5");
	arena_deinit(&arena);
	assert_int_equal(arena.used, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deep_parentheses),
		TEST(test_deep_prefixes),
		TEST(test_deep_blocks),
		TEST(test_deep_macro_arguments),
		TEST(test_long_chains),
		TEST(test_many_errors_end),
		TEST(test_binary_rubbish),
		TEST(test_large_file),
		TEST(test_parse_message),
		TEST(test_message_with_second_place),
		TEST(test_message_in_macro),
		TEST(test_message_of_macro_body),
		TEST(test_message_with_hint),
		TEST(test_semantic_message),
		TEST(test_message_with_strange_bytes),
		TEST(test_message_of_long_line),
		TEST(test_every_broken_statement_is_told),
		TEST(test_nearest),
		TEST(test_pragmas),
		TEST(test_pasted_argument_has_no_arguments),
		TEST(test_arena_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
