// SPDX-License-Identifier: GPL-2.0-only
/* symbols/fit_rows.c - kernel.def as the fitter's table: everything becomes a string. */
#include <string.h>

#include "symbols/fit_private.h"
#include "symbols/hash.h"

#define MUST true
#define MAY false

#define OPAQUE(name)
#define BLOB(n, m)                                                                                 \
	{ .kind = ROW_BLOB, .must = true, .name = #n, .symbol = "ksize_" #n, .has = #n, .max = m },
#define SIZE(need, n)                                                                              \
	{ .kind = ROW_SIZE, .must = need, .name = #n, .symbol = "ksize_" #n, .has = #n },
#define CALLBACK(n, r, a)                                                                          \
	{ .kind = ROW_CALLBACK, .name = #n, .symbol = "", .has = "", .type = #r, .args = #a },
#define FUNC(need, n, r, a, s)                                                                     \
	{ .kind = ROW_FUNC, .must = need, .name = #n, .symbol = "kfn_" #n, .has = #n,              \
	  .type = #r, .args = #a, .spec = s },
#define DATA(need, n, t, s)                                                                        \
	{ .kind = ROW_DATA, .must = need, .name = #n, .symbol = "kvar_" #n, .has = #n,             \
	  .type = #t, .spec = s },
#define PERCPU(need, n, s)                                                                         \
	{ .kind = ROW_PERCPU, .must = need, .name = #n, .symbol = "kcpu_" #n, .has = #n, .spec = s },
#define FIELD(need, c, n, t, s)                                                                    \
	{ .kind = ROW_FIELD, .must = need, .strct = #c, .name = #n,                                \
	  .symbol = "koff_" #c "_" #n, .has = #c "_" #n, .type = #t, .spec = s },
#define EMBED(need, c, n, t, s)                                                                    \
	{ .kind = ROW_EMBED, .must = need, .strct = #c, .name = #n,                                \
	  .symbol = "koff_" #c "_" #n, .has = #c "_" #n, .type = #t, .spec = s },
#define ENUM(need, n, s)                                                                           \
	{ .kind = ROW_ENUM, .must = need, .name = #n, .symbol = "kenum_" #n, .has = #n, .spec = s },
#define FEATURE(n, s)                                                                              \
	{ .kind = ROW_FEATURE, .name = #n, .symbol = "kfeat_" #n, .has = "", .spec = s },

const struct def_row def_rows[] = {
#include "engine/host/linux-kernel/kernel.def"
};

const size_t def_row_count = sizeof(def_rows) / sizeof(def_rows[0]);

const char *const row_kind_names[] = {
	[ROW_BLOB] = "BLOB",	 [ROW_SIZE] = "SIZE",	[ROW_FUNC] = "FUNC",
	[ROW_DATA] = "DATA",	 [ROW_PERCPU] = "PERCPU", [ROW_FIELD] = "FIELD",
	[ROW_EMBED] = "EMBED",	 [ROW_ENUM] = "ENUM",	[ROW_FEATURE] = "FEATURE",
	[ROW_CALLBACK] = "CALLBACK",
};

static uint64_t hash_text(uint64_t h, const char *s)
{
	size_t len = s ? strlen(s) + 1 : 0; /* NULL and "" differ, and so do "a" "b" and "ab" "" */

	return hash_bytes(h + len, s ? s : "", len);
}

uint64_t def_rows_hash(const struct def_row *rows, size_t count)
{
	uint64_t h = count;

	for (size_t i = 0; i < count; i++) {
		const struct def_row *r = &rows[i];
		uint64_t numbers[3] = { r->kind, r->must, r->max };

		h = hash_bytes(h, numbers, sizeof(numbers));
		h = hash_text(hash_text(h, r->strct), r->name);
		h = hash_text(hash_text(h, r->symbol), r->type);
		h = hash_text(hash_text(h, r->args), r->spec);
	}
	return h;
}

const struct def_row *def_callback_find(const char *name)
{
	for (size_t i = 0; i < def_row_count; i++)
		if (def_rows[i].kind == ROW_CALLBACK && !strcmp(def_rows[i].name, name))
			return &def_rows[i];
	return NULL;
}
