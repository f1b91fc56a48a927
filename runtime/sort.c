// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/sort.c - iterating over a map, in order of insertion or sorted.
 *
 * Sorting is a merge sort of the chain from the bottom up: runs[i] is empty or a sorted run of 2^i
 * entries, as the bits of a counter. No recursion and no memory but 27 words, so it may run in any
 * context; stable, so equal ones stay in the order of insertion. The order of insertion itself is
 * not touched.
 */
#include <stdbool.h>

#include "runtime/internal.h"
#include "runtime/map.h"

#define RUNS 27 /* 2^26 entries at most */

struct order {
	struct spl_map *map;
	const struct map_cell *by; /* a string; NULL: the rank */
	int dir;
};

static bool comes_before(const struct order *o, const struct spl_map_entry *a,
			 const struct spl_map_entry *b)
{
	if (o->by) {
		int cmp = spl_str_cmp(map_string(a, o->by), map_string(b, o->by));

		return o->dir > 0 ? cmp < 0 : cmp > 0;
	}
	return o->dir > 0 ? a->rank < b->rank : a->rank > b->rank;
}

/** Merges two sorted chains; of equal ones, those of `first` come first. */
static uint32_t merge(const struct order *o, uint32_t first, uint32_t second)
{
	uint32_t head = 0, *link = &head;

	while (first && second) {
		struct spl_map_entry *a = map_entry(o->map, first), *b = map_entry(o->map, second);

		if (comes_before(o, b, a)) {
			*link = second;
			link = &b->sorted;
			second = b->sorted;
		} else {
			*link = first;
			link = &a->sorted;
			first = a->sorted;
		}
	}
	*link = first ? first : second;
	return head;
}

/** The number that an entry is sorted by, see spl_map_sort(). */
static int64_t rank_of(struct spl_map *map, struct spl_map_entry *e, int by)
{
	struct spl_samples samples;

	if (by > 0)
		return *map_number(e, &map->keys[by - 1]);
	if (!map->stat)
		return map_value(map, e);
	spl_entry_samples(map, e, &samples);
	return spl_samples_rank(&samples, -1 - by);
}

/** Sets the order up: strings are compared where they lie, numbers are brought into the ranks. */
static struct order order_by(struct spl_map *map, int by, int dir)
{
	struct order o = { .map = map, .by = by > 0 ? &map->keys[by - 1] : &map->value, .dir = dir };

	if (o.by->type == 's')
		return o;
	o.by = NULL;
	for (uint32_t at = map->oldest; at; at = map_entry(map, at)->next)
		map_entry(map, at)->rank = rank_of(map, map_entry(map, at), by);
	return o;
}

/* Putting everything in order serves any limit: a bound selection is cheaper only below about
 * ten entries, and then by less than what the loop's body costs. */
void spl_map_sort(struct spl_map *map, int by, int dir, spl_s64 limit)
{
	struct order o = order_by(map, by, dir);
	uint32_t runs[RUNS] = { 0 }, run, at = map->oldest;

	while (at) {
		struct spl_map_entry *e = map_entry(map, at);
		int i;

		run = at;
		at = e->next;
		e->sorted = 0;
		for (i = 0; runs[i]; i++) {
			run = merge(&o, runs[i], run);
			runs[i] = 0;
		}
		runs[i] = run;
	}
	run = 0;
	for (int i = 0; i < RUNS; i++)
		run = merge(&o, runs[i], run);
	map->sorted = run;
}

struct spl_map_entry *spl_map_first(struct spl_map *map)
{
	uint32_t at = map->sorted ? map->sorted : map->oldest;

	return at ? map_entry(map, at) : 0;
}

struct spl_map_entry *spl_map_next(struct spl_map *map, struct spl_map_entry *e)
{
	uint32_t at = map->sorted ? e->sorted : e->next;

	return at ? map_entry(map, at) : 0;
}

spl_s64 spl_entry_key_n(struct spl_map *map, struct spl_map_entry *e, int key)
{
	return *map_number(e, &map->keys[key - 1]);
}

const char *spl_entry_key_s(struct spl_map *map, struct spl_map_entry *e, int key)
{
	return map_string(e, &map->keys[key - 1]);
}

spl_s64 spl_entry_value_n(struct spl_map *map, struct spl_map_entry *e)
{
	return map_value(map, e);
}

const char *spl_entry_value_s(struct spl_map *map, struct spl_map_entry *e)
{
	return map_string(e, &map->value);
}
