/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/hash.h - 64 bits over bytes, to tell builds apart; no defence against an attacker. */
#ifndef SPILE_SYMBOLS_HASH_H
#define SPILE_SYMBOLS_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Goes on from `h` (0 at the start) with `len` bytes, eight at a time. */
static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const char *p = data;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; len; p++, len--)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	return h;
}

#endif
