// SPDX-License-Identifier: GPL-2.0-only
/* Export tables: the order that kernels rely on, and their form on kernels with one table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/elf_image.h"
#include "symbols/fit_private.h"

static void test_order(void **state)
{
	static const char *const names[] = {
#define EXPORT(name) #name,
#include "kmod/exports.def"
#undef EXPORT
	};

	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
}

static void add(struct elf_image *image, const char *name, size_t len)
{
	size_t i = elf_image_add(image, name, SHT_PROGBITS, SHF_ALLOC, 4);

	while (len--)
		strbuf_addc(&image->sections[i].data, 'x');
}

static void test_merge(void **state)
{
	struct elf_image image;

	elf_image_init(&image);
	add(&image, ".text", 8);
	add(&image, "__ksymtab_gpl", 36);
	add(&image, "__kcrctab_gpl", 12);
	add(&image, ".rela__ksymtab_gpl", 9 * 24);
	fit_exports_merge(&image);
	assert_string_equal(image.sections[1].name, ".text");
	assert_string_equal(image.sections[2].name, "__ksymtab");
	assert_int_equal(image.sections[2].data.len, 36);
	assert_string_equal(image.sections[3].name, "__kflagstab");
	assert_int_equal(image.sections[3].data.len, 3);
	assert_memory_equal(image.sections[3].data.data, "\1\1\1", 3);
	assert_string_equal(image.sections[4].name, ".rela__ksymtab");
	elf_image_deinit(&image);
}

static void test_without_exports(void **state)
{
	struct elf_image image;

	elf_image_init(&image);
	add(&image, ".text", 8);
	fit_exports_merge(&image);
	assert_string_equal(image.sections[1].name, ".text");
	assert_int_equal(image.sections[1].data.len, 8);
	elf_image_deinit(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_without_exports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
