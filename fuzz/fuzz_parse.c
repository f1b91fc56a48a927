// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: pass 1 on any bytes. Beyond not crashing it holds what could be understood to the
 * round trip: its printed form gives the same tree. After an error that is what recovery kept. As
 * the printed form has more brackets, it may be nested too deep where the script was not.
 *
 * The first byte chooses the options, the rest is the script.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *capture(void (*print)(const struct script_file *file, FILE *out),
		     const struct script_file *file, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	print(file, out);
	fclose(out);
	return text;
}

static bool too_deep(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		if (diags->items[i].tag == DIAG_TAG_TOO_DEEP)
			return true;
	return false;
}

static void check_round_trip(struct script *script, const struct script_file *file)
{
	struct parse_options options = { .guru = true };
	struct diag_list diags;
	size_t before_len, after_len, printed_len;
	char *before = capture(script_file_dump, file, &before_len);
	char *printed = capture(script_file_print, file, &printed_len);
	struct script_file *again;
	char *after;

	diag_list_init(&diags);
	again = script_parse_string(script, "<printed>", printed, printed_len, &options, &diags);
	after = capture(script_file_dump, again, &after_len);
	if (!too_deep(&diags) &&
	    (before_len != after_len || memcmp(before, after, before_len))) {
		diag_list_print(&diags, stderr);
		fprintf(stderr, "the printed form gives another tree:\n%s\n", printed);
		abort();
	}
	diag_list_deinit(&diags);
	free(before);
	free(printed);
	free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = { "kernel.function(\"f\")", "5 + \"", "@a(" };
	static FILE *null;
	uint8_t choice = size ? data[0] : 0;
	struct parse_options options = { .guru = choice & 1,
					 .argc = choice & 2 ? 3 : 0,
					 .argv = argv,
					 .release = choice & 4 ? "6.1.0-28-amd64" : NULL,
					 .arch = "x86_64" };
	struct script script;
	struct diag_list diags;
	struct script_file *file;

	if (!null)
		null = fopen("/dev/null", "w");
	script_init(&script);
	diag_list_init(&diags);
	file = script_parse_string(&script, "fuzz", (const char *)data + (size > 0),
				   size - (size > 0), &options, &diags);
	diag_list_print(&diags, null);
	check_round_trip(&script, file);
	diag_list_deinit(&diags);
	script_deinit(&script);
	return 0;
}
