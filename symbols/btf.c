// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/btf.c - questions to BTF: bytes of a kernel (btf_raw.h), or what libbpf holds.
 *
 * The first names are looked for in all types (about 140,000, half a millisecond). When more
 * are asked, they are hashed (4 ms): heads[hash] and next[type] form chains of type ids, in rising
 * order. Enumerators have their own chains, made when first asked for.
 *
 * It is checked that records stay inside the section, but not that they make sense: ids may point
 * nowhere and chains may be circles. So every walk here is bounded (BTF_DEPTH, BTF_BUDGET) and
 * every id is looked up through type_by_id(), which answers `void` for a bad one.
 */
#include "symbols/btf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/btf_raw.h"
#include "symbols/nearest.h"

#define BTF_DEPTH 32      /* typedefs and qualifiers in a row, nested anonymous members */
#define BTF_BUDGET 100000 /* members looked at for one question */
#define BTF_SCANS 8       /* walks over all types, after which hashing pays */

struct enumerator {
	uint32_t name_off;
	uint32_t next; /* index + 1 of the next in the chain; 0 ends it */
	int64_t value;
};

struct btf_index {
	struct btf *btf; /* of raw bytes: NULL until somebody needs it */
	struct btf_raw raw; /* without bytes: types are libbpf's */
	void *bytes;
	size_t size;
	bool is_mapped;  /* bytes, rather than allocated */
	uint32_t count;  /* type ids are below */
	unsigned scans;
	uint32_t mask;   /* hash table size - 1 */
	uint32_t *heads; /* first type id of a chain, 0 none; NULL: not hashed yet */
	uint32_t *next;  /* by type id */
	struct enumerator *enumerators;
	uint32_t *enumerator_heads; /* index + 1 */
};

static const struct btf_type void_type;

static uint32_t hash_string(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h ^ h >> 15;
}

const struct btf_type *btf_index_type(const struct btf_index *idx, uint32_t id)
{
	if (!id)
		return &void_type;
	return idx->bytes ? btf_raw_type(&idx->raw, id) : btf__type_by_id(idx->btf, id);
}

static const struct btf_type *type_by_id(const struct btf_index *idx, int id)
{
	const struct btf_type *t = id > 0 ? btf_index_type(idx, id) : NULL;

	return t ? t : &void_type;
}

const char *btf_index_name(const struct btf_index *idx, uint32_t name_off)
{
	const char *name;

	if (idx->bytes)
		return btf_raw_string(&idx->raw, name_off);
	name = btf__name_by_offset(idx->btf, name_off);
	return name ? name : "";
}

static const char *type_name(const struct btf_index *idx, int id)
{
	return btf_index_name(idx, type_by_id(idx, id)->name_off);
}

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

const struct btf *btf_index_btf(const struct btf_index *idx)
{
	struct btf_index *own = (struct btf_index *)idx; /* a cache: not visible outside */

	if (!idx->btf) {
		libbpf_set_print(print_nothing); /* the caller's error says it */
		own->btf = btf__new(idx->bytes, idx->size);
	}
	return idx->btf;
}

const void *btf_index_bytes(const struct btf_index *idx, size_t *ret_size)
{
	uint32_t size = 0;
	const void *bytes = idx->bytes ? idx->bytes : btf__raw_data(idx->btf, &size);

	*ret_size = idx->bytes ? idx->size : bytes ? size : 0;
	return bytes;
}

/* --- building -------------------------------------------------------------------------------- */

static void set_count(struct btf_index *idx, uint32_t count)
{
	uint32_t size = 1024;

	while (size < count)
		size *= 2;
	idx->count = count;
	idx->mask = size - 1;
}

struct error *btf_index_create(struct btf *btf, struct btf_index **ret)
{
	struct btf_index *idx = calloc(1, sizeof(*idx));

	if (!idx)
		abort();
	idx->btf = btf;
	set_count(idx, btf__type_cnt(btf));
	*ret = idx;
	return NULL;
}

/* Owns the bytes from now on, also when it fails. */
static struct error *create_over(void *bytes, size_t size, bool is_mapped, struct btf_index **ret)
{
	struct btf_index *idx = calloc(1, sizeof(*idx));
	struct error *error;

	if (!idx)
		abort();
	*idx = (struct btf_index){.bytes = bytes, .size = size, .is_mapped = is_mapped};
	error = size > UINT32_MAX ? error_create(EFBIG, "BTF of %zu bytes is too large", size)
	                          : btf_raw_init(bytes, size, &idx->raw);
	set_count(idx, idx->raw.count);
	if (error)
		btf_index_destroy(idx);
	else
		*ret = idx;
	return error;
}

struct error *btf_index_create_raw(const void *data, size_t len, struct btf_index **ret)
{
	void *copy = malloc(len + 1); /* never NULL for no bytes */

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	return create_over(copy, len, false, ret);
}

/* Older kernels' sysfs cannot be mapped. */
struct error *btf_index_create_file(const char *path, struct btf_index **ret)
{
	struct error *error;
	size_t len;
	char *data;
	void *map;

	error = file_map(path, &map, &len);
	if (!error)
		return create_over(map, len, true, ret);
	error_destroy(error);
	error = file_read(path, &data, &len);
	return error ? error : create_over(data, len, false, ret);
}

void btf_index_destroy(struct btf_index *idx)
{
	if (!idx)
		return;
	btf__free(idx->btf);
	btf_raw_deinit(&idx->raw);
	if (idx->is_mapped)
		munmap(idx->bytes, idx->size);
	else
		free(idx->bytes);
	free(idx->heads);
	free(idx->next);
	free(idx->enumerators);
	free(idx->enumerator_heads);
	free(idx);
}

/* --- looking up names ------------------------------------------------------------------------ */

static void hash_names(struct btf_index *idx)
{
	idx->heads = calloc(idx->mask + 1, sizeof(*idx->heads));
	idx->next = calloc(idx->count, sizeof(*idx->next));
	if (!idx->heads || !idx->next)
		abort();
	/* From the last id to the first, so that chains rise. */
	for (uint32_t id = idx->count - 1; id > 0; id--) {
		const char *name = type_name(idx, id);
		uint32_t *head;

		if (!*name)
			continue;
		head = &idx->heads[hash_string(name) & idx->mask];
		idx->next[id] = *head;
		*head = id;
	}
}

static bool is_named(const struct btf_index *idx, uint32_t id, const char *name, uint32_t kinds)
{
	const struct btf_type *t = type_by_id(idx, id);

	return kinds >> btf_kind(t) & 1 && !strcmp(btf_index_name(idx, t->name_off), name);
}

static uint32_t scan_after(const struct btf_index *idx, uint32_t after, const char *name,
                           uint32_t kinds)
{
	for (uint32_t id = after + 1; id < idx->count; id++)
		if (is_named(idx, id, name, kinds))
			return id;
	return 0;
}

/* The first type above the id `after` that has this name and one of the kinds; 0 none. `after` is 0,
 * or an answer for the same name. */
static uint32_t named_after(const struct btf_index *idx, uint32_t after, const char *name,
                            uint32_t kinds)
{
	struct btf_index *own = (struct btf_index *)idx; /* a cache: not visible outside */
	uint32_t id;

	if (!idx->heads && own->scans++ < BTF_SCANS)
		return scan_after(idx, after, name, kinds);
	if (!idx->heads)
		hash_names(own);
	id = after ? idx->next[after] : idx->heads[hash_string(name) & idx->mask];
	while (id && !is_named(idx, id, name, kinds))
		id = idx->next[id];
	return id;
}

static uint32_t first_named(const struct btf_index *idx, const char *name, uint32_t kinds)
{
	return *name ? named_after(idx, 0, name, kinds) : 0;
}

#define KIND(k) (1u << BTF_KIND_##k)
#define KINDS_COMPOSITE (KIND(STRUCT) | KIND(UNION))

static struct error *find_unique(const struct btf_index *idx, const char *name, uint32_t kinds,
                                 const char *what, int *ret)
{
	uint32_t first = first_named(idx, name, kinds);

	if (!first)
		return error_create(ENOENT, "BTF has no %s %s", what, name);
	if (named_after(idx, first, name, kinds))
		return error_create(ENOTUNIQ, "BTF has several different %ss called %s", what,
		                    name);
	*ret = first;
	return NULL;
}

int btf_index_strip(const struct btf_index *idx, int type)
{
	for (int depth = 0; depth < BTF_DEPTH; depth++) {
		const struct btf_type *t = type_by_id(idx, type);

		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return t == &void_type ? 0 : type;
		type = t->type;
	}
	return 0;
}

/* Of anything but an array. */
static int64_t plain_size(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return 8;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size;
	default:
		return -1;
	}
}

int64_t btf_index_size(const struct btf_index *idx, int type)
{
	int64_t elements = 1, size;

	for (int depth = 0; depth < BTF_DEPTH; depth++) {
		const struct btf_type *t = type_by_id(idx, type = btf_index_strip(idx, type));

		if (!btf_is_array(t)) {
			size = plain_size(t);
			return size < 0 || __builtin_mul_overflow(size, elements, &size) ? -1 : size;
		}
		if (__builtin_mul_overflow(elements, (int64_t)btf_array(t)->nelems, &elements))
			return -1;
		type = btf_array(t)->type;
	}
	return -1;
}

struct error *btf_index_find_struct(const struct btf_index *idx, const char *name, int *ret)
{
	uint32_t alias = first_named(idx, name, KIND(TYPEDEF));

	/* A typedef counts when no structure has the name itself. */
	if (alias && !first_named(idx, name, KINDS_COMPOSITE)) {
		*ret = btf_index_strip(idx, alias);
		if (btf_is_composite(type_by_id(idx, *ret)))
			return NULL;
	}
	return find_unique(idx, name, KINDS_COMPOSITE, "structure", ret);
}

int btf_index_find_variable(const struct btf_index *idx, const char *name)
{
	return first_named(idx, name, KIND(VAR));
}

int btf_index_find_section(const struct btf_index *idx, const char *name)
{
	return first_named(idx, name, KIND(DATASEC));
}

struct error *btf_index_find_type(const struct btf_index *idx, const char *name, int *ret)
{
	static const struct {
		const char *word;
		uint32_t kinds;
	} tags[] = {
	    {"struct ", KIND(STRUCT)},
	    {"union ", KIND(UNION)},
	    {"enum ", KIND(ENUM) | KIND(ENUM64)},
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (!strncmp(name, tags[i].word, strlen(tags[i].word)))
			return find_unique(idx, name + strlen(tags[i].word), tags[i].kinds, "type",
			                   ret);
	return find_unique(idx, name, KIND(TYPEDEF) | KIND(INT) | KIND(FLOAT), "type", ret);
}

/* --- functions ------------------------------------------------------------------------------- */

struct error *btf_index_prototype(const struct btf_index *idx, int type, struct btf_prototype *ret)
{
	const struct btf_type *t;
	unsigned n;

	type = btf_index_strip(idx, type);
	if (btf_is_ptr(type_by_id(idx, type)))
		type = btf_index_strip(idx, type_by_id(idx, type)->type);
	t = type_by_id(idx, type);
	if (!btf_is_func_proto(t))
		return error_create(EINVAL, "BTF type %d is no function", type);
	n = btf_vlen(t);
	*ret = (struct btf_prototype){.type = type, .return_type = t->type, .args = btf_params(t)};
	ret->variadic = n && !ret->args[n - 1].type && !ret->args[n - 1].name_off;
	ret->argc = n - ret->variadic;
	return NULL;
}

/* The prototype's id when all functions of that name agree on it; 0 none, -1 several. */
static int function_type(const struct btf_index *idx, const char *name)
{
	uint32_t id = first_named(idx, name, KIND(FUNC));
	int type = id ? type_by_id(idx, id)->type : 0;

	while (id && (id = named_after(idx, id, name, KIND(FUNC))))
		if ((int)type_by_id(idx, id)->type != type)
			return -1;
	return type;
}

bool btf_index_has_function(const struct btf_index *idx, const char *name)
{
	return function_type(idx, name) > 0;
}

struct error *btf_index_find_function(const struct btf_index *idx, const char *name,
                                      struct btf_prototype *ret)
{
	int type = function_type(idx, name);

	if (!type)
		return error_create(ENOENT, "BTF has no function %s", name);
	if (type < 0)
		return error_create(
		    ENOTUNIQ, "BTF has several functions called %s with different arguments", name);
	return btf_index_prototype(idx, type, ret);
}

/* --- enumerators ----------------------------------------------------------------------------- */

static uint32_t enumerator_count(const struct btf_index *idx)
{
	uint32_t n = 0;

	for (uint32_t id = 1; id < idx->count; id++) {
		const struct btf_type *t = type_by_id(idx, id);

		if (btf_is_any_enum(t))
			n += btf_vlen(t);
	}
	return n;
}

static struct enumerator enumerator_at(const struct btf_type *t, unsigned i)
{
	if (btf_is_enum64(t)) {
		const struct btf_enum64 *e = &btf_enum64(t)[i];

		return (struct enumerator){.name_off = e->name_off,
		                           .value = (int64_t)btf_enum64_value(e)};
	}
	return (struct enumerator){.name_off = btf_enum(t)[i].name_off,
	                           .value = btf_kflag(t) ? (int64_t)btf_enum(t)[i].val
	                                                 : (int64_t)(uint32_t)btf_enum(t)[i].val};
}

static void enumerators_build(struct btf_index *idx)
{
	uint32_t n = 0;

	idx->enumerators = calloc(enumerator_count(idx) + 1, sizeof(*idx->enumerators));
	idx->enumerator_heads = calloc(idx->mask + 1, sizeof(*idx->enumerator_heads));
	if (!idx->enumerators || !idx->enumerator_heads)
		abort();
	for (uint32_t id = 1; id < idx->count; id++) {
		const struct btf_type *t = type_by_id(idx, id);

		for (unsigned i = 0; btf_is_any_enum(t) && i < btf_vlen(t); i++) {
			struct enumerator *e = &idx->enumerators[n++];
			uint32_t *head;

			*e = enumerator_at(t, i);
			head =
			    &idx->enumerator_heads[hash_string(btf_index_name(idx, e->name_off)) &
			                           idx->mask];
			e->next = *head;
			*head = n;
		}
	}
}

struct error *btf_index_find_enumerator(const struct btf_index *idx, const char *name, int64_t *ret)
{
	const struct enumerator *found = NULL;

	if (!idx->enumerators)
		enumerators_build((struct btf_index *)idx); /* a cache: not visible outside */
	for (uint32_t i = idx->enumerator_heads[hash_string(name) & idx->mask]; i;
	     i = idx->enumerators[i - 1].next) {
		const struct enumerator *e = &idx->enumerators[i - 1];

		if (strcmp(btf_index_name(idx, e->name_off), name))
			continue;
		if (found && found->value != e->value)
			return error_create(ENOTUNIQ,
			                    "BTF has several values for the enumerator %s", name);
		found = e;
	}
	if (!found)
		return error_create(ENOENT, "BTF has no enumerator %s", name);
	*ret = found->value;
	return NULL;
}

/* --- fields ---------------------------------------------------------------------------------- */

struct field_walk {
	const struct btf_index *idx;
	int (*cb)(const struct btf_field *field, void *arg);
	void *arg;
	int budget;
};

static int walk_fields(struct field_walk *w, int type, uint32_t base_bits, int depth)
{
	const struct btf_type *t = type_by_id(w->idx, btf_index_strip(w->idx, type));
	int rc = 0;

	if (!btf_is_composite(t) || depth > BTF_DEPTH)
		return 0;
	for (unsigned i = 0; i < btf_vlen(t) && !rc; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		uint32_t bits = base_bits + btf_member_bit_offset(t, i);
		struct btf_field field = {
		    .name = btf_index_name(w->idx, m->name_off),
		    .type = m->type,
		    .offset = bits / 8,
		    .bit_offset = bits,
		    .bit_size = btf_member_bitfield_size(t, i),
		};

		if (w->budget-- <= 0)
			return 0;
		rc = *field.name ? w->cb(&field, w->arg) : walk_fields(w, m->type, bits, depth + 1);
	}
	return rc;
}

int btf_index_each_field(const struct btf_index *idx, int type,
                         int (*cb)(const struct btf_field *field, void *arg), void *arg)
{
	struct field_walk w = {.idx = idx, .cb = cb, .arg = arg, .budget = BTF_BUDGET};

	return walk_fields(&w, type, 0, 0);
}

struct field_query {
	const char *name;
	size_t len;
	struct btf_field *ret;
	/* for the nearest name */
	const char *nearest;
	unsigned distance;
};

static int match_field(const struct btf_field *field, void *arg)
{
	struct field_query *q = arg;

	if (strncmp(field->name, q->name, q->len) || field->name[q->len])
		return 0;
	*q->ret = *field;
	return 1;
}

static struct error *field_missing(const struct btf_index *idx, int type, const char *path,
                                   size_t len)
{
	_cleanup_free_ char *in = btf_index_type_string(idx, type);
	_cleanup_free_ char *name = strndup(path, len);
	const char *near = btf_index_nearest_field(idx, type, name);

	if (!btf_is_composite(type_by_id(idx, btf_index_strip(idx, type))))
		return error_create(ENOENT, "%s is no structure, it has no field %s", in, name);
	if (near)
		return error_create(ENOENT, "%s has no field %s (nearest: %s)", in, name, near);
	return error_create(ENOENT, "%s has no field %s", in, name);
}

struct error *btf_index_find_field(const struct btf_index *idx, int type, const char *path,
                                   struct btf_field *ret)
{
	uint32_t base_bits = 0;

	for (;;) {
		size_t len = strcspn(path, ".");
		struct field_query q = {.name = path, .len = len, .ret = ret};

		if (!btf_index_each_field(idx, type, match_field, &q))
			return field_missing(idx, type, path, len);
		ret->bit_offset += base_bits;
		ret->offset = ret->bit_offset / 8;
		if (!path[len])
			return NULL;
		base_bits = ret->bit_offset;
		type = ret->type;
		path += len + 1;
	}
}

static int near_field(const struct btf_field *field, void *arg)
{
	struct field_query *q = arg;
	unsigned d = nearest_distance(q->name, field->name, q->distance - 1);

	if (d < q->distance) {
		q->distance = d;
		q->nearest = field->name;
	}
	return q->distance <= 1;
}

const char *btf_index_nearest_field(const struct btf_index *idx, int type, const char *name)
{
	struct field_query q = {.name = name, .distance = nearest_limit(name) + 1};

	btf_index_each_field(idx, type, near_field, &q);
	return q.nearest;
}
