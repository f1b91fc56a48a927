// SPDX-License-Identifier: GPL-2.0-only
/** Associative arrays, against a model that is a plain list searched from its start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/script.h"

#define STRING 16

static struct spl_ctx ctx;

static struct spl_map *make(const char *types, unsigned entries, int wrap)
{
	struct spl_map_type type = { types, entries, STRING, wrap, 0, NULL };

	ctx.error = NULL;
	return spl_map_create(&type);
}

static void test_shapes(void **state)
{
	static const char *const bad[] = { "", "n", ":n", "n:", "x:n", "n:nn", "nnnnnnnnnn:n", "n:x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(make(bad[i], 4, 0));
	assert_null(make("n:n", 0, 0));
	spl_map_destroy(make("nsnsnsnsn:s", 4, 0));
	spl_map_destroy(NULL);
}

static void test_numbers(void **state)
{
	struct spl_map *map = make("n:n", 2, 0);
	union spl_val k[] = { { .n = 5 }, { .n = -5 }, { .n = 6 } };

	assert_int_equal(spl_map_get_n(map, &k[0]), 0);
	assert_false(spl_map_has(map, &k[0]));
	assert_int_equal(spl_map_add_n(&ctx, map, &k[0], 3), 3);
	assert_int_equal(spl_map_add_n(&ctx, map, &k[0], -1), 2);
	spl_map_set_n(&ctx, map, &k[1], 9);
	assert_null(ctx.error);
	spl_map_set_n(&ctx, map, &k[2], 1);
	assert_string_equal(ctx.error, "Array overflow, check MAXMAPENTRIES");
	assert_int_equal(spl_map_count(map), 2);
	assert_int_equal(spl_map_get_n(map, &k[1]), 9);
	spl_map_delete(map, &k[0]);
	spl_map_delete(map, &k[0]);
	ctx.error = NULL;
	spl_map_set_n(&ctx, map, &k[2], 1);
	assert_null(ctx.error);
	spl_map_clear(map);
	assert_int_equal(spl_map_count(map), 0);
	assert_null(spl_map_first(map));
	assert_false(spl_map_has(map, &k[1]));
	spl_map_destroy(map);
}

/* Keys and values that are too long are cut, and a cut key finds its entry again. */
static void test_strings(void **state)
{
	struct spl_map *map = make("sn:s", 4, 0);
	union spl_val k[] = { { .s = "a key that is far too long" }, { .n = 1 } };
	union spl_val cut[] = { { .s = "a key that is f" }, { .n = 1 } };
	union spl_val shorter[] = { { .s = "a key that is " }, { .n = 1 } };

	assert_string_equal(spl_map_get_s(map, k), "");
	spl_map_set_s(&ctx, map, k, "a value that is far too long");
	assert_string_equal(spl_map_get_s(map, cut), "a value that is");
	assert_string_equal(spl_map_get_s(map, k), "a value that is");
	assert_false(spl_map_has(map, shorter));
	spl_map_set_s(&ctx, map, cut, "v");
	assert_int_equal(spl_map_count(map), 1);
	spl_map_destroy(map);
}

static void expect_order(struct spl_map *map, const char *expected)
{
	char text[256] = "";

	for (struct spl_map_entry *e = spl_map_first(map); e; e = spl_map_next(map, e))
		sprintf(text + strlen(text), "%s%ld ", spl_entry_key_s(map, e, 1),
			spl_entry_value_n(map, e));
	assert_string_equal(text, expected);
}

static void test_order_and_sort(void **state)
{
	static const struct { const char *k; int v; } rows[] = { { "d", 2 }, { "a", 1 }, { "c", 2 },
								 { "b", 3 } };
	struct spl_map *map = make("s:n", 4, 1);
	union spl_val k;

	spl_map_sort(map, 0, 1, -1);
	expect_order(map, "");
	for (int i = 0; i < 4; i++) {
		k.s = rows[i].k;
		spl_map_set_n(&ctx, map, &k, rows[i].v);
	}
	expect_order(map, "d2 a1 c2 b3 ");
	spl_map_sort(map, 0, -1, -1);
	expect_order(map, "b3 d2 c2 a1 ");
	spl_map_sort(map, 0, 1, 2);
	expect_order(map, "a1 d2 c2 b3 ");
	spl_map_sort(map, 1, 1, -1);
	expect_order(map, "a1 b3 c2 d2 ");
	spl_map_sort(map, 1, -1, -1);
	expect_order(map, "d2 c2 b3 a1 ");
	/* Sorting has not changed which is the oldest. */
	k.s = "e";
	spl_map_set_n(&ctx, map, &k, 9);
	expect_order(map, "a1 c2 b3 e9 ");
	spl_map_destroy(map);
}

/* --- random operations against the model ----------------------------------------------------- */

#define ROOM 50

struct row {
	int64_t a;
	char b[STRING];
	int64_t value;
};

struct model {
	struct row rows[ROOM + 1]; /* oldest first */
	int count;
};

static int model_find(struct model *m, const union spl_val *k)
{
	for (int i = 0; i < m->count; i++)
		if (m->rows[i].a == k[0].n && !strcmp(m->rows[i].b, k[1].s))
			return i;
	return -1;
}

static void model_delete(struct model *m, int at)
{
	if (at < 0)
		return;
	memmove(&m->rows[at], &m->rows[at + 1], (m->count - at - 1) * sizeof(m->rows[0]));
	m->count--;
}

/* The row of the keys, new if need be; -1: full. */
static int model_add(struct model *m, const union spl_val *k, int wrap)
{
	int at = model_find(m, k);

	if (at >= 0)
		return at;
	if (m->count == ROOM && !wrap)
		return -1;
	if (m->count == ROOM)
		model_delete(m, 0);
	m->rows[m->count].a = k[0].n;
	strcpy(m->rows[m->count].b, k[1].s);
	m->rows[m->count].value = 0;
	return m->count++;
}

static int by_value_down(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x < y ? -1 : 1; /* equal ones in order of insertion */
}

static void compare(struct spl_map *map, struct model *m, bool sorted)
{
	struct row *order[ROOM];
	struct spl_map_entry *e;
	int i = 0;

	for (int j = 0; j < m->count; j++)
		order[j] = &m->rows[j];
	if (sorted) {
		spl_map_sort(map, 0, -1, -1);
		qsort(order, m->count, sizeof(order[0]), by_value_down);
	}
	assert_int_equal(spl_map_count(map), m->count);
	for (e = spl_map_first(map); e; e = spl_map_next(map, e), i++) {
		assert_in_range(i, 0, m->count - 1);
		assert_int_equal(spl_entry_key_n(map, e, 1), order[i]->a);
		assert_string_equal(spl_entry_key_s(map, e, 2), order[i]->b);
		assert_int_equal(spl_entry_value_n(map, e), order[i]->value);
	}
	assert_int_equal(i, m->count);
}

static void one_operation(struct spl_map *map, struct model *m, int wrap)
{
	char name[STRING];
	union spl_val k[2] = { { .n = rand() % 10 }, { .s = name } };
	int64_t v = rand() % 5;
	int at;

	snprintf(name, sizeof(name), "%.*s%d", rand() % 12, "name-long-enough", rand() % 6);
	ctx.error = NULL;
	switch (rand() % 8) {
	case 0:
		spl_map_delete(map, k);
		model_delete(m, model_find(m, k));
		return;
	case 1:
		at = model_find(m, k);
		assert_int_equal(spl_map_get_n(map, k), at < 0 ? 0 : m->rows[at].value);
		assert_int_equal(spl_map_has(map, k), at >= 0);
		return;
	case 2:
		if (rand() % 100 == 0) {
			spl_map_clear(map);
			m->count = 0;
		}
		return;
	case 3:
		spl_map_set_n(&ctx, map, k, v);
		at = model_add(m, k, wrap);
		if (at >= 0)
			m->rows[at].value = v;
		break;
	default:
		spl_map_add_n(&ctx, map, k, v);
		at = model_add(m, k, wrap);
		if (at >= 0)
			m->rows[at].value += v;
	}
	assert_int_equal(ctx.error != NULL, at < 0);
}

static void delete_oldest(struct spl_map *map, struct model *m)
{
	union spl_val k[2] = { { .n = m->rows[0].a }, { .s = m->rows[0].b } };

	if (m->count) {
		spl_map_delete(map, k);
		model_delete(m, 0);
	}
}

static void run_model(int wrap)
{
	struct spl_map *map = make("ns:n", ROOM, wrap);
	struct model m = { .count = 0 };
	unsigned seed = time(NULL);

	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 60000; i++) {
		one_operation(map, &m, wrap);
		if (i % 100 == 0)
			compare(map, &m, i % 300 == 0);
		if (i % 300 == 0)
			delete_oldest(map, &m); /* the sorted order lasts until the set changes */
	}
	spl_map_destroy(map);
}

static void test_model(void **state)
{
	run_model(0);
}

static void test_model_wrapping(void **state)
{
	run_model(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),	       cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),	       cmocka_unit_test(test_order_and_sort),
		cmocka_unit_test(test_model),	       cmocka_unit_test(test_model_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
