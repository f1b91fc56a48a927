// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: passes 1 to 3 on any bytes, with the small kernel of the unit tests and the library of
 * this tree (run it in the tree's top folder). What resolves without an error must be printed and
 * translated; nothing may crash, whatever was wrong.
 *
 * The first byte chooses the options, the rest is the script.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "codegen/codegen.h"
#include "script/parse.h"
#include "script/tapset.h"
#include "tests/unit/fixture_kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char kernel_dir[] = "/tmp/spile-fuzz-XXXXXX";
static struct kernel *kernel;
static struct tapset *tapset;
static FILE *null;

static void clean_up(void)
{
	fixture_kernel_remove(kernel_dir);
}

static void prepare(void)
{
	if (!mkdtemp(kernel_dir))
		abort();
	atexit(clean_up);
	fixture_kernel_make(kernel_dir);
	null = fopen("/dev/null", "w");
	tapset = tapset_create(NULL);
	tapset_add_folder(tapset, "tests/script/tapset", NULL);
	tapset_add_folder(tapset, "tapset", NULL);
}

static struct error *open_kernel(void *context, struct kernel **ret)
{
	struct error *error = kernel ? NULL : kernel_open_dir(kernel_dir, &kernel);

	*ret = kernel;
	return error;
}

static void translate(const struct program *program, uint8_t choice)
{
	struct codegen_options options = { .kernel_identity = "", .release = "6.0.0-fixture",
					   .timing = choice & 8 };

	codegen_limits_init(&options.limits);
	program_print(program, null);
	free(codegen_program(program, &options));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = size ? data[0] : 0;
	struct parse_options parse = { .guru = choice & 1, .release = "6.0.0-fixture",
				       .arch = "x86_64" };
	struct parse_options library = { .release = "6.0.0-fixture", .arch = "x86_64",
					 .tapset = true };
	struct resolve_options options = { .guru = choice & 1, .unoptimized = choice & 2,
					   .kernel = choice & 4 ? NULL : open_kernel,
					   .timing = choice & 8, .library = &library };
	struct script script;
	struct diag_list diags;
	struct program program;

	if (!null)
		prepare();
	parse.library = library.library = tapset;
	script_init(&script);
	diag_list_init(&diags);
	script_parse_string(&script, "fuzz", (const char *)data + (size > 0), size - (size > 0),
			    &parse, &diags);
	script_resolve(&script, &options, &diags, &program);
	if (!diag_error_count(&diags))
		translate(&program, choice);
	diag_list_print(&diags, null);
	diag_list_deinit(&diags);
	program_deinit(&program);
	script_deinit(&script);
	return 0;
}
