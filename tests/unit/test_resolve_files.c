// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pass 2 on the scripts of tests/script/resolve-err/ and warn/, which carry their expectations:
 *
 *	# expect: TAG LINE:COLUMN    the next message; exactly these must come, in this order
 *	# hint: TEXT                 the hint of the last expected message
 *	# no-kernel                  the script is resolved where there is no kernel
 *	# no-trace-sites             the kernel has no list of functions with trace sites
 *	# image: PROGRAM             its image is that of tests/places, with an index of inlined copies
 *
 * The kernel is the one of fixture_kernel.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "fixture_kernel.h"
#include "fixture_places.h"
#include "script/parse.h"
#include "script/resolve.h"
#include "symbols/places_index.h"

static char kernel_dir[] = "/tmp/spile-fixture-XXXXXX";

static struct error *open_fixture(void *context, struct kernel **ret)
{
	struct kernel **kernel = context;
	struct error *error = NULL;

	if (!*kernel)
		error = kernel_open_dir(kernel_dir, kernel);
	*ret = *kernel;
	return error;
}

/* What the script expects, in the form of describe(). */
static char *read_expected(const char *text)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		int len = (int)strcspn(line, "\n");

		if (!strncmp(line, "# expect: ", 10) || !strncmp(line, "# hint: ", 8))
			strbuf_addf(&sb, "%.*s\n", len - 2, line + 2);
		if (!line[len])
			break;
	}
	return strbuf_steal(&sb);
}

static char *describe(const struct diag_list *diags, const char *expected)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *diag = &diags->items[i];
		_cleanup_free_ char *hint = NULL;

		strbuf_addf(&sb, "expect: %s", diag_tag_name(diag->tag));
		if (diag->token)
			strbuf_addf(&sb, " %u:%u", diag->token->line, diag->token->column);
		strbuf_addc(&sb, '\n');
		if (diag->hint && asprintf(&hint, "hint: %s\n", diag->hint) > 0 &&
		    strstr(expected, hint))
			strbuf_adds(&sb, hint);
	}
	return strbuf_steal(&sb);
}

/* Links the program as the kernel's image, and makes its index. */
static void set_image(const char *text)
{
	const char *line = strstr(text, "# image: ");
	char program[64], path[320], image[256], here[200];
	struct debuginfo *info;

	snprintf(image, sizeof(image), "%s/vmlinux", kernel_dir);
	unlink(image);
	if (!line)
		return;
	assert_int_equal(sscanf(line, "# image: %63s", program), 1);
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), "%s/build/places/programs/%s", here, program);
	assert_int_equal(symlink(path, image), 0);
	info = places_open(program);
	assert_no_error(places_index_open(info));
	debuginfo_close(info);
}

static bool check_script(const char *path)
{
	_cleanup_free_ char *text = NULL, *expected = NULL, *got = NULL;
	struct parse_options parse = {.release = "6.0.0-fixture"}, library = parse;
	struct tapset *tapset = tapset_create(NULL);
	struct kernel *kernel = NULL;
	struct resolve_options options = {.kernel = open_fixture, .kernel_context = &kernel};
	struct script script;
	struct diag_list diags;
	struct program program;
	size_t len;
	bool same;

	assert_null(file_read(path, &text, &len));
	script_init(&script);
	diag_list_init(&diags);
	if (strstr(text, "# no-kernel"))
		options.kernel = NULL;
	set_image(text);
	fixture_kernel_trace_sites(kernel_dir, !strstr(text, "# no-trace-sites"));
	if (strstr(text, "# tapset")) {
		tapset_add_folder(tapset, "tests/script/tapset", NULL);
		library.tapset = true;
		library.library = tapset;
		options.library = &library;
	}
	parse.guru = options.guru = strstr(text, "# guru") != NULL;
	script_parse_string(&script, path, text, len, &parse, &diags);
	assert_int_equal(diag_error_count(&diags), 0);
	script_resolve(&script, &options, &diags, &program);
	expected = read_expected(text);
	got = describe(&diags, expected);
	same = !strcmp(expected, got);
	if (!same) {
		fprintf(stderr, "%s: expected\n%sgot\n%s", path, expected, got);
		diag_list_print(&diags, stderr);
	}
	diag_list_deinit(&diags);
	program_deinit(&program);
	script_deinit(&script);
	tapset_destroy(tapset);
	if (kernel)
		kernel_close(kernel);
	return same;
}

static void check_folder(const char *pattern)
{
	size_t failed = 0;
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		failed += !check_script(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(failed, 0);
}

static void test_errors(void **state)
{
	check_folder("tests/script/resolve-err/*.stp");
}

static void test_warnings(void **state)
{
	check_folder("tests/script/warn/*.stp");
}

static int make_kernel(void **state)
{
	if (!mkdtemp(kernel_dir))
		return -1;
	fixture_kernel_make(kernel_dir);
	return places_build(state);
}

static int remove_kernel(void **state)
{
	set_image("");
	fixture_kernel_remove(kernel_dir);
	return places_clean(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, make_kernel, remove_kernel);
}
