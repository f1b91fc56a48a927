// SPDX-License-Identifier: GPL-2.0-only
/**
 * kernel.def itself: its rows are well formed, and each fits every kernel that spile-vm has
 * described on this machine. No description yet: that part is skipped.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/fit_private.h"

/* Two rows with one symbol would hide each other. */
static void test_symbols_are_unique(void **state)
{
	for (size_t i = 0; i < def_row_count; i++)
		for (size_t j = i + 1; j < def_row_count; j++)
			if (*def_rows[i].symbol && !strcmp(def_rows[i].symbol, def_rows[j].symbol))
				fail_msg("two rows called %s", def_rows[i].symbol);
}

/* khas() is asked by a name without the row's kind. */
static void test_has_names_are_unique(void **state)
{
	for (size_t i = 0; i < def_row_count; i++)
		for (size_t j = i + 1; j < def_row_count; j++)
			if (*def_rows[i].has && !strcmp(def_rows[i].has, def_rows[j].has))
				fail_msg("khas(%s) means %s and %s", def_rows[i].has,
				         def_rows[i].symbol, def_rows[j].symbol);
}

static void test_callback_types_exist(void **state)
{
	for (size_t i = 0; i < def_row_count; i++) {
		const char *texts[] = {def_rows[i].type, def_rows[i].args};

		for (size_t k = 0; k < 2; k++)
			for (const char *p = texts[k]; p && (p = strstr(p, "kcb_")); p++) {
				char name[64];

				assert_int_equal(sscanf(p, "kcb_%63[a-z_0-9]", name), 1);
				if (!def_callback_find(name))
					fail_msg("%s: no row CALLBACK(%s, ...)", def_rows[i].symbol,
					         name);
			}
	}
}

static void check_kernel(const char *dir)
{
	struct fit_table *table;
	struct error *error;
	struct kernel *k;

	assert_null(kernel_open_dir(dir, &k));
	error = fit_table_check(k, &table);
	if (error)
		fail_msg("%s: %s", dir, error->message);
	for (size_t i = 0; i < fit_table_count(table); i++) {
		const struct fit_row *row = fit_table_row(table, i);

		if (row->must && (row->verdict == FIT_MISSING || row->verdict == FIT_REFUSED))
			print_error("%s: %s: %s\n", kernel_release(k), row->name, row->reason);
	}
	assert_true(fit_table_fits(table));
	fit_table_destroy(table);
	kernel_close(k);
}

/* What the image says of versions must be what a module that came with the kernel says. */
static void check_marks(const char *dir)
{
	const struct shipped *module;
	struct shipped image;
	struct error *error;
	struct kernel *k;

	assert_null(kernel_open_dir(dir, &k));
	error = shipped_read(k, &module);
	if (error)
		fail_msg("%s: %s", dir, error->message);
	assert_non_null(kernel_vmlinux(k));
	assert_true(shipped_from_image(kernel_vmlinux(k), kernel_release(k), &image));
	assert_string_equal(image.vermagic, module->vermagic);
	assert_int_equal(image.has_layout_crc, module->has_layout_crc);
	assert_int_equal(image.layout_crc, module->layout_crc);
	shipped_deinit(&image);
	assert_false(shipped_from_image(kernel_vmlinux(k), "9.9", &image));
	kernel_close(k);
}

static void each_described_kernel(void (*check)(const char *dir))
{
	const char *cache = getenv("SPILE_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
	           *home = getenv("HOME");
	char pattern[512];
	glob_t found;

	if (cache && *cache)
		snprintf(pattern, sizeof(pattern), "%s/kernels/*/kallsyms", cache);
	else if (xdg && *xdg)
		snprintf(pattern, sizeof(pattern), "%s/spile/kernels/*/kallsyms", xdg);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/spile/kernels/*/kallsyms",
		         home ? home : "");
	if (glob(pattern, 0, NULL, &found)) {
		print_message("no kernel described under %s\n", pattern);
		skip();
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		*strrchr(found.gl_pathv[i], '/') = '\0';
		check(found.gl_pathv[i]);
	}
	globfree(&found);
}

static void test_described_kernels(void **state)
{
	each_described_kernel(check_kernel);
}

static void test_marks_of_images(void **state)
{
	each_described_kernel(check_marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_symbols_are_unique),
	    cmocka_unit_test(test_has_names_are_unique),
	    cmocka_unit_test(test_callback_types_exist),
	    cmocka_unit_test(test_described_kernels),
	    cmocka_unit_test(test_marks_of_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
