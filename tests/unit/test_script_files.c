// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scripts of tests/script/, which carry their own expectations:
 *
 *	parse-ok/NAME.stp    parses without a message; printed and parsed again it is the same tree
 *	parse-err/TAG.stp    gives exactly the expected messages
 *
 *	# expect: TAG LINE:COLUMN     the next message
 *	# hint: TEXT                  the hint of the last expected message
 *	# print: TEXT                 a line of the printed form, in this order
 *	# arg: TEXT                   a script argument
 *	# option: guru | tapset | release=R | arch=A | version=V | privilege=P | runtime=R | CONFIG_X=V
 *	# macros: PATH                a library of macros, seen from the script's folder
 *	# parse: PATH                 another file to parse after this one
 *
 * With arguments the program is a driver for tests/check-parse.sh instead:
 *	test_script_files [-m FILE.stpm]... SCRIPT [ARGUMENT]...
 * tells the messages, holds the script to the round trip, and returns 0 only if all is well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <libgen.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "script/parse.h"

enum { DIRECTIVES_MAX = 64 };

struct expectation {
	const char *text;
	const char *hint;
};

struct script_test {
	const char *path;
	struct arena arena;
	struct script script;
	struct diag_list diags;
	struct parse_options options;
	const char *args[DIRECTIVES_MAX];
	const char *configs[DIRECTIVES_MAX];
	size_t config_count;
	struct expectation expected[DIRECTIVES_MAX];
	size_t expected_count;
	const char *printed[DIRECTIVES_MAX];
	size_t printed_count;
	const char *also; /* # parse: */
};

/* --- the round trip -------------------------------------------------------------------------- */

static char *capture(void (*print)(const struct script_file *file, FILE *out),
		     const struct script_file *file)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	print(file, out);
	fclose(out);
	return text;
}

/* True if the printed form parses to the same tree; *ret is the printed form. */
static bool round_trip(struct script *script, const struct script_file *file, char **ret)
{
	struct parse_options options = { .guru = true };
	_cleanup_free_ char *before = capture(script_file_dump, file);
	_cleanup_free_ char *after = NULL;
	struct script_file *again;
	struct diag_list diags;
	bool same;

	*ret = capture(script_file_print, file);
	diag_list_init(&diags);
	again = script_parse_string(script, "<printed>", *ret, strlen(*ret), &options, &diags);
	after = capture(script_file_dump, again);
	same = !diag_error_count(&diags) && !strcmp(before, after);
	diag_list_print(&diags, stderr);
	if (!same)
		fprintf(stderr, "%s: the printed form parses to another tree\n%s",
			file->source->name, *ret);
	diag_list_deinit(&diags);
	return same;
}

/* --- directives ------------------------------------------------------------------------------ */

static const char *config_lookup(void *context, const char *option)
{
	struct script_test *test = context;

	for (size_t i = 0; i < test->config_count; i++) {
		size_t len = strlen(option);

		if (!strncmp(test->configs[i], option, len) && test->configs[i][len] == '=')
			return test->configs[i] + len + 1;
	}
	return NULL;
}

static void read_option(struct script_test *test, const char *text)
{
	const char *value = strchr(text, '=');

	value = value ? value + 1 : "";
	if (!strcmp(text, "guru"))
		test->options.guru = true;
	else if (!strcmp(text, "tapset"))
		test->options.tapset = true;
	else if (!strncmp(text, "release=", 8))
		test->options.release = value;
	else if (!strncmp(text, "arch=", 5))
		test->options.arch = value;
	else if (!strncmp(text, "version=", 8))
		test->options.version = value;
	else if (!strncmp(text, "privilege=", 10))
		test->options.privilege = value;
	else if (!strncmp(text, "runtime=", 8))
		test->options.runtime = value;
	else if (!strncmp(text, "CONFIG_", 7))
		test->configs[test->config_count++] = text;
	else
		fail_msg("%s: unknown option '%s'", test->path, text);
}

static const char *beside(struct script_test *test, const char *name)
{
	char *folder = arena_strdup(&test->arena, test->path);

	return arena_printf(&test->arena, "%s/%s", dirname(folder), name);
}

static void read_directive(struct script_test *test, const char *word, const char *value)
{
	if (!strcmp(word, "expect"))
		test->expected[test->expected_count++].text = value;
	else if (!strcmp(word, "hint"))
		test->expected[test->expected_count - 1].hint = value;
	else if (!strcmp(word, "print"))
		test->printed[test->printed_count++] = value;
	else if (!strcmp(word, "arg"))
		test->args[test->options.argc++] = value;
	else if (!strcmp(word, "option"))
		read_option(test, value);
	else if (!strcmp(word, "macros"))
		script_parse_macros(&test->script, beside(test, value), &test->options,
				    &test->diags);
	else if (!strcmp(word, "parse"))
		test->also = value;
}

static void read_directives(struct script_test *test)
{
	_cleanup_fclose_ FILE *in = fopen(test->path, "r");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	assert_non_null(in);
	while (getline(&line, &room, in) >= 0) {
		char word[32], value[512] = "";

		if (sscanf(line, "# %31[a-z]: %511[^\n]", word, value) == 2)
			read_directive(test, word, arena_strdup(&test->arena, value));
	}
}

static void script_test_init(struct script_test *test, const char *path)
{
	memset(test, 0, sizeof(*test));
	test->path = path;
	arena_init(&test->arena);
	script_init(&test->script);
	diag_list_init(&test->diags);
	test->options.argv = test->args;
	test->options.config_lookup = config_lookup;
	test->options.config_context = test;
}

static void script_test_deinit(struct script_test *test)
{
	diag_list_deinit(&test->diags);
	script_deinit(&test->script);
	arena_deinit(&test->arena);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void check_messages(struct script_test *test)
{
	for (size_t i = 0; i < test->diags.count; i++) {
		const struct diag *diag = &test->diags.items[i];
		const char *place = diag->token ? arena_printf(&test->arena, " %u:%u",
							       diag->token->line,
							       diag->token->column) :
						  "";
		const char *got = arena_printf(&test->arena, "%s%s", diag_tag_name(diag->tag),
					       place);

		if (i >= test->expected_count)
			fail_msg("%s: unexpected %s (%s)", test->path, got, diag->text);
		assert_string_equal(got, test->expected[i].text);
		if (test->expected[i].hint) {
			assert_non_null(diag->hint);
			assert_string_equal(diag->hint, test->expected[i].hint);
		}
	}
	assert_int_equal(test->diags.count, test->expected_count);
}

static void check_printed(struct script_test *test, const char *printed)
{
	for (size_t i = 0; i < test->printed_count; i++) {
		const char *found = strstr(printed, test->printed[i]);

		if (!found)
			fail_msg("%s: not printed (in this order): %s\n%s", test->path,
				 test->printed[i], printed);
		printed = found + strlen(test->printed[i]);
	}
}

static void test_script(void **state)
{
	struct script_test test;
	struct script_file *file;
	_cleanup_free_ char *printed = NULL;
	FILE *null = fopen("/dev/null", "w");

	script_test_init(&test, *state);
	read_directives(&test);
	file = script_parse_file(&test.script, test.path, &test.options, &test.diags);
	assert_non_null(file);
	if (test.also)
		script_parse_file(&test.script, test.also, &test.options, &test.diags);
	check_messages(&test);
	if (!test.expected_count)
		assert_true(round_trip(&test.script, file, &printed));
	if (printed)
		check_printed(&test, printed);
	diag_list_print(&test.diags, null);
	fclose(null);
	script_test_deinit(&test);
}

/* A file named after a tag has to expect it. */
static void test_expects_its_tag(void **state)
{
	struct script_test test;
	char *name = strdup(*state);
	char *tag = basename(name);
	bool found = false;

	*strrchr(tag, '.') = 0;
	script_test_init(&test, *state);
	read_directives(&test);
	for (size_t i = 0; i < test.expected_count; i++)
		found |= !strncmp(test.expected[i].text, tag, strlen(tag));
	if (!found)
		fail_msg("%s does not expect %s", test.path, tag);
	script_test_deinit(&test);
	free(name);
}

/* --- driver ---------------------------------------------------------------------------------- */

static int drive(int argc, char **argv)
{
	struct script_test test;
	struct script_file *file;
	_cleanup_free_ char *printed = NULL;
	int i = 1, status;

	script_test_init(&test, argv[0]);
	test.options.guru = true;
	test.options.release = "6.1.0-28-amd64";
	test.options.arch = "x86_64";
	for (; i + 1 < argc && !strcmp(argv[i], "-m"); i += 2)
		script_parse_macros(&test.script, argv[i + 1], &test.options, &test.diags);
	test.options.argc = argc - i - 1;
	test.options.argv = (const char *const *)argv + i + 1;
	file = script_parse_file(&test.script, argv[i], &test.options, &test.diags);
	diag_list_print(&test.diags, stderr);
	status = diag_error_count(&test.diags) ? 1 : !round_trip(&test.script, file, &printed);
	script_test_deinit(&test);
	return status;
}

static struct CMUnitTest *add_tests(struct CMUnitTest *next, const glob_t *files,
				    CMUnitTestFunction function)
{
	for (size_t i = 0; i < files->gl_pathc; i++)
		*next++ = (struct CMUnitTest){ .name = files->gl_pathv[i],
					       .test_func = function,
					       .initial_state = files->gl_pathv[i] };
	return next;
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests, *next;
	glob_t ok, bad;
	int status;

	if (argc > 1)
		return drive(argc, argv);
	if (glob("tests/script/parse-ok/*.stp", 0, NULL, &ok) ||
	    glob("tests/script/parse-err/*.stp", 0, NULL, &bad)) {
		fprintf(stderr, "no tests/script/parse-*/*.stp: run this from the top folder\n");
		return 1;
	}
	tests = calloc(ok.gl_pathc + 2 * bad.gl_pathc, sizeof(*tests));
	next = add_tests(tests, &ok, test_script);
	next = add_tests(next, &bad, test_script);
	next = add_tests(next, &bad, test_expects_its_tag);
	status = _cmocka_run_group_tests("script files", tests, (size_t)(next - tests), NULL, NULL);
	free(tests);
	globfree(&ok);
	globfree(&bad);
	return status;
}
