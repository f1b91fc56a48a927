/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch/x86/code.h - a cursor that machine code is written with.
 *
 * The first thing that goes wrong is kept in `err`, and nothing is written afterwards: a row of
 * calls needs one look at the end. Code is written at `out` and will run at `at`.
 */
#ifndef SPILE_ENGINE_ARCH_X86_CODE_H
#define SPILE_ENGINE_ARCH_X86_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/host.h"

struct x86_code {
	uint8_t *out;
	size_t room, size;
	uint64_t at;
	int err;
};

static inline void code_bytes(struct x86_code *c, const void *bytes, size_t n)
{
	if (!c->err && n > c->room - c->size)
		c->err = -ENOSPC;
	if (c->err)
		return;
	memcpy(c->out + c->size, bytes, n);
	c->size += n;
}

/** CODE(c, 0x48, 0x89, 0xe5) writes these bytes. */
#define CODE(c, ...)                                                                               \
	code_bytes(c, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void code_u32(struct x86_code *c, uint32_t value)
{
	code_bytes(c, &value, sizeof(value));
}

static inline void code_u64(struct x86_code *c, uint64_t value)
{
	code_bytes(c, &value, sizeof(value));
}

/** Where the next byte will run. */
static inline uint64_t code_here(const struct x86_code *c)
{
	return c->at + c->size;
}

/** The last 4 bytes of an instruction that name `target` relative to what follows them. */
static inline void code_rel32(struct x86_code *c, uint64_t target)
{
	int64_t distance = (int64_t)(target - (code_here(c) + 4));

	if (!c->err && distance != (int32_t)distance)
		c->err = -ERANGE;
	code_u32(c, (uint32_t)distance);
}

static inline void code_jump(struct x86_code *c, uint64_t target)
{
	CODE(c, 0xe9);
	code_rel32(c, target);
}

#endif
