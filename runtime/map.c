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

	for (; *p == 'n' || *p == 's'; p++) {
		if (map->nkeys == SPL_KEYS_MAX)
			return false;
		map->keys[map->nkeys++] = (struct map_cell){ .offset = offset, .type = *p };
		offset += cell_size(*p, type->string_size);
	}
	if (p[0] != ':' || (p[1] != 'n' && p[1] != 's') || p[2])
		return false;
	map->value = (struct map_cell){ .offset = offset, .type = p[1] };
	map->entry_size = offset + cell_size(p[1], type->string_size);
	return map->nkeys > 0;
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
	if (map->buckets && map->pool)
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
	uint32_t len = 0;

	while (len < string_size - 1 && s[len])
		len++;
	return len;
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

static uint64_t hash_string(uint64_t h, const char *s, uint32_t len)
{
	uint64_t word = len;

	for (; len >= 8; len -= 8, s += 8)
		h = mix(h, load_word(s));
	for (; len; len--)
		word = word << 8 | (unsigned char)*s++;
	return mix(h, word);
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
	for (; len >= 8; len -= 8, stored += 8, s += 8)
		if (load_word(stored) != load_word(s))
			return false;
	for (; len; len--)
		if (*stored++ != *s++)
			return false;
	return !*stored;
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
	uint32_t at = *bucket_of(map, l->hash);

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
	*bucket = at;
	order_append(map, e);
	store_keys(map, e, l);
	if (map->value.type == 'n')
		*map_number(e, &map->value) = 0;
	else
		map_string(e, &map->value)[0] = '\0';
	map->count++;
	map->sorted = 0;
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
	e = entry_add(map, &l);
	if (!e)
		spl_fail(c, "Array overflow, check MAXMAPENTRIES", NULL);
	return e;
}

/* --- operations ------------------------------------------------------------------------------ */

spl_s64 spl_map_get_n(struct spl_map *map, const union spl_val *keys)
{
	struct spl_map_entry *e = find_keys(map, keys);

	return e ? *map_number(e, &map->value) : 0;
}

const char *spl_map_get_s(struct spl_map *map, const union spl_val *keys)
{
	struct spl_map_entry *e = find_keys(map, keys);

	return e ? map_string(e, &map->value) : "";
}

void spl_map_set_n(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v)
{
	struct spl_map_entry *e = find_or_add(c, map, keys);

	if (e)
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

	/* Unsigned: the language's numbers wrap around. */
	return e ? (*map_number(e, &map->value) = (uint64_t)*map_number(e, &map->value) + v) : 0;
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
	memset(map->buckets, 0, sizeof(uint32_t) << map->bucket_bits);
	map->count = map->used = map->free = map->oldest = map->newest = map->sorted = 0;
}

spl_s64 spl_map_count(struct spl_map *map)
{
	return map->count;
}
