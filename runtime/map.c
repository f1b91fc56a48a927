// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/map.c - associative arrays in fixed memory.
 *
 * Everything is allocated when the map is made: a table of chain heads and a pool of entries. An
 * entry is a head and then its keys and its value at offsets that the map's type fixes; strings lie
 * in place, each with the full string size. Entries are named by their number in the pool plus one,
 * so that 0, also in zeroed memory, is none.
 *
 *   buckets   [ 3 | 0 | 1 | ... ]    a power of two, at least as many as entries
 *   pool      | head keys value | head keys value | ...   the first `used` have been in use
 *   order     oldest -> ... -> newest, doubly linked: iteration, and what wrapping throws out
 *   sorted    a second, single chain, valid from a sort to the next change of the set of entries
 *
 * The hash multiplies and takes the upper bits, so there is no division. Nothing here locks: the
 * handler holds the array's lock. Any context but for create and destroy.
 *
 * Shared maps are added to without a lock (share.c): many CPUs at once find entries, make new ones
 * and add. Each adds to a cell of its own, in a table aside that belongs to its CPU, so nobody waits
 * and no line of memory is passed around. Entries are made one at a time under `insert`; one is
 * complete before the store that puts it into its bucket, so finding needs no lock. All other
 * operations happen while adding is stopped. They bring the cells of an entry into its value (of
 * numbers), or read them together (statistics). Cells of unused entries are zero. Statistics lie
 * aside in all maps; when the map is not shared, in one table. Where tables for all CPUs would take
 * too much memory, several CPUs have one together, and a lock for it.
 */
#include <stdbool.h>

#include "engine/host.h"
#include "runtime/internal.h"
#include "runtime/map.h"

#define GOLDEN 0x9e3779b97f4a7c15ull

/* --- shape ----------------------------------------------------------------------------------- */

/** Bytes that one key or value of a type takes. */
static uint32_t cell_size(char type, uint32_t string_size)
{
	return type == 's' ? (string_size + 7) & ~7u : 8;
}

/** Reads "ns:n" into the map; false if it is no such thing. */
static bool parse_type(struct spl_map *map, const struct spl_map_type *type)
{
	const char *p = type->types;
	uint32_t offset = sizeof(struct spl_map_entry);

	for (; *p == 'n' || *p == 's'; p++) { /* the keys */
		if (map->nkeys == SPL_KEYS_MAX)
			return false;
		map->keys[map->nkeys++] = (struct map_cell){ .offset = offset, .type = *p };
		offset += cell_size(*p, type->string_size);
	}
	if (p[0] != ':' || (p[1] != 'n' && p[1] != 's' && p[1] != 't') || p[2])
		return false;
	map->value = (struct map_cell){ .offset = offset, .type = p[1] };
	map->entry_size = offset + (p[1] == 't' ? 0 : cell_size(p[1], type->string_size));
	return map->nkeys > 0 && (p[1] == 't') == (type->stat != NULL);
}

/** Makes room for what lies aside; false if there is none. */
static bool create_cells(struct spl_map *map, const struct spl_map_type *type)
{
	map->stat = type->stat;
	map->shared = type->shared;
	map->copies = map->shared ? host_cpu_max() : 1;
	map->top = map->shared ? 0 : 1;
	map->cell_size = map->stat ? map->stat->size : sizeof(int64_t);
	if (!map->stat && !map->shared)
		return true;
	map->table_size = ((size_t)map->cell_size * map->max_entries + SPL_LINE - 1) &
			  ~(size_t)(SPL_LINE - 1);
	if (map->copies > 1 && map->copies > MAP_CELLS_MAX / map->table_size) {
		map->copies = map->table_size < MAP_CELLS_MAX ? MAP_CELLS_MAX / map->table_size : 1;
		map->copy_locks = host_zalloc((size_t)map->copies * SPL_LINE);
		if (!map->copy_locks)
			return false;
	}
	map->cells = host_zalloc(map->copies * map->table_size);
	return map->cells != NULL;
}

static uint32_t bits_for(uint32_t entries)
{
	uint32_t bits = 4;

	while (bits < 31 && (1u << bits) < entries)
		bits++;
	return bits;
}

struct spl_map *spl_map_create(const struct spl_map_type *type)
{
	struct spl_map *map = host_zalloc(sizeof(*map));
	uint64_t pool_size;

	if (!map)
		return NULL;
	map->max_entries = type->max_entries;
	map->string_size = type->string_size;
	map->wrap = type->wrap;
	if (!type->max_entries || type->max_entries > MAP_ENTRIES_MAX || !type->string_size ||
	    type->string_size > MAP_STRING_MAX || !parse_type(map, type))
		goto fail;
	map->bucket_bits = bits_for(type->max_entries);
	pool_size = (uint64_t)map->entry_size * type->max_entries;
	map->buckets = host_zalloc(sizeof(uint32_t) << map->bucket_bits);
	map->pool = host_zalloc(pool_size);
	if (map->buckets && map->pool && create_cells(map, type))
		return map;
fail:
	spl_map_destroy(map);
	return NULL;
}

void spl_map_destroy(struct spl_map *map)
{
	if (!map)
		return;
	host_free(map->buckets);
	host_free(map->pool);
	host_free(map->cells);
	host_free(map->copy_locks);
	host_free(map);
}

/* --- keys ------------------------------------------------------------------------------------ */

/** The keys of one operation: hashed once, their strings measured once. */
struct lookup {
	const union spl_val *keys;
	uint32_t hash;
	uint32_t len[SPL_KEYS_MAX]; /* of string keys, cut to what can be stored */
};

static uint32_t cut_length(const char *s, uint32_t string_size)
{
	return (uint32_t)str_bounded(s, string_size - 1);
}

/** Mixes a word into a hash so that the upper bits depend on all of it. */
static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * GOLDEN;
	return h ^ (h >> 32);
}

static inline uint64_t load_word(const char *s)
{
	uint64_t word;

	__builtin_memcpy(&word, s, sizeof(word));
	return word;
}

/** All of 0 to 7 bytes in one word: two overlapping loads instead of a loop. */
static inline uint64_t load_short(const char *s, uint32_t len)
{
	uint32_t first, last;

	if (len >= 4) {
		__builtin_memcpy(&first, s, 4);
		__builtin_memcpy(&last, s + len - 4, 4);
		return first | (uint64_t)last << 32;
	}
	if (!len)
		return 0;
	return (unsigned char)s[0] | (uint64_t)(unsigned char)s[len / 2] << 8 |
	       (uint64_t)(unsigned char)s[len - 1] << 16;
}

static uint64_t hash_string(uint64_t h, const char *s, uint32_t len)
{
	h ^= len;
	if (len < 8)
		return mix(h, load_short(s, len));
	for (; len > 8; len -= 8, s += 8)
		h = mix(h, load_word(s));
	return mix(h, load_word(s - 8 + len)); /* the last 8, some of them once more */
}

static void lookup_init(struct lookup *l, const struct spl_map *map, const union spl_val *keys)
{
	uint64_t h = 0;

	l->keys = keys;
	for (uint32_t i = 0; i < map->nkeys; i++) {
		if (map->keys[i].type == 'n') {
			h = mix(h, keys[i].n);
		} else {
			l->len[i] = cut_length(keys[i].s, map->string_size);
			h = hash_string(h, keys[i].s, l->len[i]);
		}
	}
	l->hash = (h * GOLDEN) >> 32;
}

/** Whether the stored string equals the first len bytes of s. */
static bool same_string(const char *stored, const char *s, uint32_t len)
{
	if (stored[len])
		return false;
	if (len < 8)
		return load_short(stored, len) == load_short(s, len);
	for (; len > 8; len -= 8, stored += 8, s += 8)
		if (load_word(stored) != load_word(s))
			return false;
	return load_word(stored - 8 + len) == load_word(s - 8 + len);
}

static bool same_keys(const struct spl_map *map, const struct spl_map_entry *e,
		      const struct lookup *l)
{
	for (uint32_t i = 0; i < map->nkeys; i++) {
		const struct map_cell *cell = &map->keys[i];

		if (cell->type == 'n' ? *map_number(e, cell) != l->keys[i].n :
					!same_string(map_string(e, cell), l->keys[i].s, l->len[i]))
			return false;
	}
	return true;
}

static void store_keys(const struct spl_map *map, struct spl_map_entry *e, const struct lookup *l)
{
	for (uint32_t i = 0; i < map->nkeys; i++) {
		const struct map_cell *cell = &map->keys[i];

		if (cell->type == 'n') {
			*map_number(e, cell) = l->keys[i].n;
		} else {
			memcpy(map_string(e, cell), l->keys[i].s, l->len[i]);
			map_string(e, cell)[l->len[i]] = '\0';
		}
	}
}

/* --- entries --------------------------------------------------------------------------------- */

static uint32_t *bucket_of(struct spl_map *map, uint32_t hash)
{
	return &map->buckets[hash >> (32 - map->bucket_bits)];
}

static struct spl_map_entry *find(struct spl_map *map, const struct lookup *l)
{
	uint32_t at = __atomic_load_n(bucket_of(map, l->hash), __ATOMIC_ACQUIRE);

	while (at) {
		struct spl_map_entry *e = map_entry(map, at);

		if (e->hash == l->hash && same_keys(map, e, l))
			return e;
		at = e->chain;
	}
	return NULL;
}

static void order_append(struct spl_map *map, struct spl_map_entry *e)
{
	e->prev = map->newest;
	e->next = 0;
	if (map->newest)
		map_entry(map, map->newest)->next = e->number;
	else
		map->oldest = e->number;
	map->newest = e->number;
}

static void order_remove(struct spl_map *map, struct spl_map_entry *e)
{
	if (e->prev)
		map_entry(map, e->prev)->next = e->next;
	else
		map->oldest = e->next;
	if (e->next)
		map_entry(map, e->next)->prev = e->prev;
	else
		map->newest = e->prev;
}

static void entry_remove(struct spl_map *map, struct spl_map_entry *e)
{
	uint32_t *link = bucket_of(map, e->hash);

	while (*link != e->number)
		link = &map_entry(map, *link)->chain;
	*link = e->chain;
	order_remove(map, e);
	e->chain = map->free;
	map->free = e->number;
	map->count--;
	map->sorted = 0;
	for (uint32_t i = 0; map->cells && i < map->top; i++)
		memset(map_cell(map, i, e), 0, map->cell_size);
}

/** The number of an unused entry; 0 when the map is full. */
static uint32_t entry_take(struct spl_map *map)
{
	uint32_t at = map->free;

	if (!at && map->used < map->max_entries)
		return ++map->used;
	if (!at && map->wrap) {
		entry_remove(map, map_entry(map, map->oldest));
		at = map->free;
	}
	if (at)
		map->free = map_entry(map, at)->chain;
	return at;
}

static struct spl_map_entry *entry_add(struct spl_map *map, const struct lookup *l)
{
	uint32_t at = entry_take(map), *bucket = bucket_of(map, l->hash);
	struct spl_map_entry *e;

	if (!at)
		return NULL;
	e = map_entry(map, at);
	e->number = at;
	e->hash = l->hash;
	e->chain = *bucket;
	order_append(map, e);
	store_keys(map, e, l);
	if (map->value.type == 'n')
		*map_number(e, &map->value) = 0;
	else if (map->value.type == 's')
		map_string(e, &map->value)[0] = '\0';
	map->count++;
	map->sorted = 0;
	/* from here on other CPUs can find it */
	__atomic_store_n(bucket, at, __ATOMIC_RELEASE);
	return e;
}

/** Makes an entry of a shared map, unless somebody else just has. NULL: full, or the hit is skipped. */
static struct spl_map_entry *entry_add_shared(struct spl_ctx *c, struct spl_map *map,
					      const struct lookup *l)
{
	struct spl_map_entry *e;

	if (!spl_lock_write(&map->insert)) {
		spl_skip_lock(c);
		return NULL;
	}
	e = find(map, l);
	if (!e)
		e = entry_add(map, l);
	if (!e)
		spl_fail(c, "Array overflow, check MAXMAPENTRIES", NULL);
	spl_unlock_write(&map->insert);
	return e;
}

static struct spl_map_entry *find_keys(struct spl_map *map, const union spl_val *keys)
{
	struct lookup l;

	lookup_init(&l, map, keys);
	return find(map, &l);
}

/** The entry of the keys, made if it is missing; NULL and an error when there is no room. */
static struct spl_map_entry *find_or_add(struct spl_ctx *c, struct spl_map *map,
					 const union spl_val *keys)
{
	struct spl_map_entry *e;
	struct lookup l;

	lookup_init(&l, map, keys);
	e = find(map, &l);
	if (spl_likely(e))
		return e;
	if (map->shared)
		return entry_add_shared(c, map, &l);
	e = entry_add(map, &l);
	if (!e)
		spl_fail(c, "Array overflow, check MAXMAPENTRIES", NULL);
	return e;
}

int64_t map_value(struct spl_map *map, struct spl_map_entry *e)
{
	int64_t *value = (int64_t *)map_number(e, &map->value);

	for (uint32_t i = 0; map->shared && i < map->top; i++) {
		int64_t *cell = map_cell(map, i, e);

		/* Unsigned: the language's numbers wrap around. */
		*value = (uint64_t)*value + (uint64_t)*cell;
		*cell = 0;
	}
	return *value;
}

static struct spl_lock *copy_lock(const struct spl_map *map, uint32_t copy)
{
	return (struct spl_lock *)(map->copy_locks + (size_t)copy * SPL_LINE);
}

/** The cell that this CPU adds to, until leave_cell(); NULL: the hit is skipped. */
static void *enter_cell(struct spl_ctx *c, struct spl_map *map, const struct spl_map_entry *e)
{
	uint32_t copy = map->shared ? c->cpu : 0;

	if (spl_unlikely(map->copy_locks != NULL)) {
		copy %= map->copies;
		if (!spl_lock_write(copy_lock(map, copy))) {
			spl_skip_lock(c);
			return NULL;
		}
	}
	if (spl_unlikely(copy >= map->top))
		spl_top_raise(&map->top, copy);
	return map_cell(map, copy, e);
}

static void leave_cell(struct spl_ctx *c, struct spl_map *map)
{
	if (spl_unlikely(map->copy_locks != NULL))
		spl_unlock_write(copy_lock(map, c->cpu % map->copies));
}

/* --- operations ------------------------------------------------------------------------------ */

spl_s64 spl_map_get_n(struct spl_map *map, const union spl_val *keys)
{
	struct spl_map_entry *e = find_keys(map, keys);

	return e ? map_value(map, e) : 0;
}

const char *spl_map_get_s(struct spl_map *map, const union spl_val *keys)
{
	struct spl_map_entry *e = find_keys(map, keys);

	return e ? map_string(e, &map->value) : "";
}

void spl_map_set_n(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);

	if (!e)
		return;
	if (map->shared)
		map_value(map, e); /* what was added so far counts no more */
	*map_number(e, &map->value) = v;
}

void spl_map_set_s(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, const char *v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);

	if (e)
		spl_str_copy(map_string(e, &map->value), map->string_size, v);
}

spl_s64 spl_map_add_n(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);

	if (!e)
		return 0;
	if (map->shared)
		map_value(map, e);
	return *map_number(e, &map->value) = (uint64_t)*map_number(e, &map->value) + (uint64_t)v;
}

void spl_map_tally(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);
	int64_t *cell;

	cell = spl_likely(e) ? enter_cell(c, map, e) : NULL;
	if (spl_unlikely(!cell))
		return;
	*cell = (uint64_t)*cell + (uint64_t)v;
	leave_cell(c, map);
}

void spl_map_sample(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);

	struct spl_cell *cell = spl_likely(e) ? enter_cell(c, map, e) : NULL;

	if (spl_unlikely(!cell))
		return;
	spl_cell_add(map->stat, cell, v);
	leave_cell(c, map);
}

void spl_entry_samples(struct spl_map *map, struct spl_map_entry *e, struct spl_samples *ret)
{
	*ret = (struct spl_samples){ .type = map->stat, .stride = map->table_size };
	if (!e)
		return;
	ret->cells = map_cell(map, 0, e);
	ret->ncells = map->top;
}

void spl_map_samples(struct spl_map *map, const union spl_val *keys, struct spl_samples *ret)
{
	spl_entry_samples(map, find_keys(map, keys), ret);
}

int spl_map_has(struct spl_map *map, const union spl_val *keys)
{
	return find_keys(map, keys) != NULL;
}

void spl_map_delete(struct spl_map *map, const union spl_val *keys)
{
	struct spl_map_entry *e = find_keys(map, keys);

	if (e)
		entry_remove(map, e);
}

void spl_map_clear(struct spl_map *map)
{
	for (uint32_t i = 0; map->cells && i < map->top; i++)
		memset(map->cells + i * map->table_size, 0, (size_t)map->used * map->cell_size);
	memset(map->buckets, 0, sizeof(uint32_t) << map->bucket_bits);
	map->count = map->used = map->free = map->oldest = map->newest = map->sorted = 0;
}

spl_s64 spl_map_count(struct spl_map *map)
{
	return map->count;
}

/* --- slices ---------------------------------------------------------------------------------- */

static bool in_slice(const struct spl_map *map, const struct spl_map_entry *e,
		     const union spl_val *keys, uint32_t any)
{
	for (uint32_t i = 0; i < map->nkeys; i++) {
		const struct map_cell *cell = &map->keys[i];

		if (any & 1u << i)
			continue;
		if (cell->type == 'n' ? *map_number(e, cell) != keys[i].n :
					!same_string(map_string(e, cell), keys[i].s,
						     cut_length(keys[i].s, map->string_size)))
			return false;
	}
	return true;
}

int spl_map_has_slice(struct spl_map *map, const union spl_val *keys, spl_u32 any)
{
	for (uint32_t at = map->oldest; at; at = map_entry(map, at)->next)
		if (in_slice(map, map_entry(map, at), keys, any))
			return 1;
	return 0;
}

void spl_map_delete_slice(struct spl_map *map, const union spl_val *keys, spl_u32 any)
{
	uint32_t at = map->oldest;

	while (at) {
		struct spl_map_entry *e = map_entry(map, at);

		at = e->next;
		if (in_slice(map, e, keys, any))
			entry_remove(map, e);
	}
}
