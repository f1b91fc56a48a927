// SPDX-License-Identifier: GPL-2.0-only
/* An array with a string key, filled in begin, printed in order of value in end. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "%-6s %d\n", "sn" } };
static const struct spl_map_type type = { .types = "s:n", .max_entries = 64, .string_size = 128 };
static struct spl_map *counts;

static void begin(struct spl_ctx *c)
{
	static const char *const words[] = { "apple", "pear", "fig", "pear", "fig", "pear" };

	for (unsigned i = 0; i < COUNT(words); i++) {
		union spl_val key = { .s = words[i] };

		spl_map_add_n(c, counts, &key, 1);
	}
	spl_exit(c);
}

static void end(struct spl_ctx *c)
{
	spl_map_sort(counts, 0, -1, -1);
	for (struct spl_map_entry *e = spl_map_first(counts); e; e = spl_map_next(counts, e)) {
		union spl_val args[] = { { .s = spl_entry_key_s(counts, e, 1) },
					 { .n = spl_entry_value_n(counts, e) } };

		spl_print(c, 0, args);
	}
}

static int init(struct spl_script *script)
{
	counts = spl_map_create(&type);
	return counts ? 0 : -12;
}

static void fini(struct spl_script *script)
{
	spl_map_destroy(counts);
}

static const struct spl_probe probes[] = {
	PROBE(0, BEGIN, 0, begin, "begin"),
	PROBE(1, END, 0, end, "end"),
};
SCRIPT(init, fini);
