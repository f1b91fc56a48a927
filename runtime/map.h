/* SPDX-License-Identifier: GPL-2.0-only */
/** runtime/map.h - the inside of a map, shared by map.c and sort.c; the essay is in map.c. */
#ifndef SPILE_RUNTIME_MAP_H
#define SPILE_RUNTIME_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/script.h"

#define MAP_ENTRIES_MAX (1u << 26)
#define MAP_STRING_MAX (1u << 20)
#define MAP_CELLS_MAX (256u << 20) /* bytes aside, all CPUs together, but for one copy at least */

/** Where a key or the value lies in an entry. */
struct map_cell {
	uint32_t offset;
	char type; /* 'n' or 's'; of the value also 't', which lies aside */
};

struct spl_map_entry {
	uint32_t hash;
	uint32_t chain;      /* next in the bucket, or next of the free ones */
	uint32_t prev, next; /* in the order of insertion */
	uint32_t sorted;     /* next in the sorted chain */
	uint32_t number;     /* its own: its place in the pool plus one */
	int64_t rank;        /* what it is sorted by, if that is a number; made by the sort */
};

struct spl_map {
	uint32_t bucket_bits;
	uint32_t nkeys;
	uint32_t entry_size;
	uint32_t string_size;
	uint32_t max_entries;
	uint32_t wrap;
	uint32_t count;
	uint32_t used;           /* entries of the pool that were ever taken since the last clear */
	uint32_t free;           /* given back, linked by chain */
	uint32_t oldest, newest; /* ends of the insertion order */
	uint32_t sorted;         /* start of the sorted chain; 0: the set of entries has changed */
	struct spl_lock insert;  /* shared: held while an entry is made */
	uint32_t *buckets;
	char *pool;
	/* What lies aside: for each copy a table of cells, one an entry. */
	const struct spl_stat_type *stat; /* values are statistics */
	bool shared;
	char *cells;          /* NULL: nothing lies aside */
	uint32_t cell_size;
	size_t table_size;    /* bytes from one copy to the next */
	uint32_t copies;      /* if shared one for each CPU, or as many as memory allows; else one */
	char *copy_locks;     /* of copies that CPUs have together, SPL_LINE apart; else NULL */
	uint32_t top;         /* copies that may be in use */
	struct map_cell value;
	struct map_cell keys[SPL_KEYS_MAX];
};

static inline struct spl_map_entry *map_entry(const struct spl_map *map, uint32_t at)
{
	return (struct spl_map_entry *)(map->pool + (spl_size)(at - 1) * map->entry_size);
}

/** What a CPU keeps aside of an entry. */
static inline void *map_cell(const struct spl_map *map, uint32_t cpu, const struct spl_map_entry *e)
{
	return map->cells + cpu * map->table_size + (spl_size)(e->number - 1) * map->cell_size;
}

static inline spl_s64 *map_number(const struct spl_map_entry *e, const struct map_cell *cell)
{
	return (spl_s64 *)((char *)e + cell->offset);
}

static inline char *map_string(const struct spl_map_entry *e, const struct map_cell *cell)
{
	return (char *)e + cell->offset;
}

/** The number that an entry has. What was added to it aside is brought in. */
int64_t map_value(struct spl_map *map, struct spl_map_entry *e);

#endif
