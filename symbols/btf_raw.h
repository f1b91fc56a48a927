/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * symbols/btf_raw.h - a kernel's BTF where it lies, mapped: records by id, strings by offset.
 *
 * libbpf copies what it opens (4 MB for a kernel, which costs more than most questions do), so it is
 * asked only for what must be a `struct btf`. Here one walk over the records notes where each begins.
 * That walk checks that all of them lie inside the section; what they refer to is not checked.
 */
#ifndef SPILE_SYMBOLS_BTF_RAW_H
#define SPILE_SYMBOLS_BTF_RAW_H

#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>

#include "base/error.h"

struct btf_raw {
	const uint8_t *types;
	const char *strings;
	uint32_t types_size, strings_size;
	uint32_t count;    /* ids are below; 0 is void */
	uint32_t *offsets; /* in `types`, by id */
};

/** Reads the bytes, which stay the caller's and must outlive *ret. EBADMSG: damaged, or of a newer
 *  format. */
struct error *btf_raw_init(const void *data, size_t size, struct btf_raw *ret);
void btf_raw_deinit(struct btf_raw *raw);

/** NULL for an id that is not there, and for void. */
static inline const struct btf_type *btf_raw_type(const struct btf_raw *raw, uint32_t id)
{
	return id && id < raw->count ? (const struct btf_type *)(raw->types + raw->offsets[id])
	                             : NULL;
}

/** "" for an offset that is not there. */
static inline const char *btf_raw_string(const struct btf_raw *raw, uint32_t offset)
{
	return offset < raw->strings_size ? raw->strings + offset : "";
}

#endif
