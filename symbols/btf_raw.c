// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/btf_raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes behind a record's header; -1 for a kind that is not known. */
static int64_t extra_size(const struct btf_type *t)
{
	uint32_t n = btf_vlen(t);

	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG: return 0;
	case BTF_KIND_INT: return sizeof(uint32_t);
	case BTF_KIND_ARRAY: return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM: return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64: return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO: return n * sizeof(struct btf_param);
	case BTF_KIND_VAR: return sizeof(struct btf_var);
	case BTF_KIND_DATASEC: return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG: return sizeof(struct btf_decl_tag);
	}
	return -1;
}

static const char *find_records(struct btf_raw *raw)
{
	uint32_t at = 0;

	raw->offsets[0] = 0;
	raw->count = 1;
	while (at < raw->types_size) {
		const struct btf_type *t = (const void *)(raw->types + at);
		uint32_t left = raw->types_size - at;
		int64_t extra;

		if (left < sizeof(*t))
			return "its last type is cut off";
		extra = extra_size(t);
		if (extra < 0)
			return "it has a kind of type that is not known";
		if ((uint64_t)extra > left - sizeof(*t))
			return "a type reaches behind the section's end";
		raw->offsets[raw->count++] = at;
		at += sizeof(*t) + extra;
	}
	return NULL;
}

/* A part of `size` bytes behind the header, of which the whole has `room`. */
static bool is_inside(uint32_t offset, uint32_t size, size_t room)
{
	return offset <= room && size <= room - offset;
}

static const char *find_sections(const void *data, size_t size, struct btf_raw *ret)
{
	const struct btf_header *h = data;
	const uint8_t *body;
	size_t room;

	if (size < sizeof(*h) || h->hdr_len < sizeof(*h) || h->hdr_len > size)
		return "its header is cut off";
	if (h->magic != BTF_MAGIC || h->version != BTF_VERSION || h->flags)
		return "its header is that of another format or byte order";
	body = (const uint8_t *)data + h->hdr_len;
	room = size - h->hdr_len;
	if (!is_inside(h->type_off, h->type_len, room) || !is_inside(h->str_off, h->str_len, room))
		return "a section reaches behind the end";
	if ((h->hdr_len | h->type_off) % 4)
		return "its types are not aligned";
	ret->types = body + h->type_off;
	ret->types_size = h->type_len;
	ret->strings = (const char *)body + h->str_off;
	ret->strings_size = h->str_len;
	if (!ret->strings_size || *ret->strings || ret->strings[ret->strings_size - 1])
		return "its strings do not end";
	return NULL;
}

struct error *btf_raw_init(const void *data, size_t size, struct btf_raw *ret)
{
	const char *damage;

	*ret = (struct btf_raw){.count = 1};
	damage = find_sections(data, size, ret);
	if (!damage) {
		/* Room for as many as there can be; what is not needed is never touched. */
		ret->offsets = malloc((ret->types_size / sizeof(struct btf_type) + 1) *
		                      sizeof(*ret->offsets));
		if (!ret->offsets)
			abort();
		damage = find_records(ret);
	}
	if (!damage)
		return NULL;
	btf_raw_deinit(ret);
	return error_create(EBADMSG, "the BTF (%zu bytes) is damaged or of a newer format: %s", size,
	                    damage);
}

void btf_raw_deinit(struct btf_raw *raw)
{
	free(raw->offsets);
	raw->offsets = NULL;
	raw->count = 1;
}
