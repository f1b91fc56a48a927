// SPDX-License-Identifier: GPL-2.0-only
/** runtime/string.c - strings of bounded length. Any context. */
#include <stdint.h>

#include "engine/host.h"
#include "runtime/internal.h"

/** The high bit of the lowest byte that is zero; higher ones may be set as well. */
static inline uint64_t zero_byte(uint64_t word)
{
	return (word - 0x0101010101010101ull) & ~word & 0x8080808080808080ull;
}

/*
 * Reads aligned words: the first and the last reach beyond the string, but never into another page.
 * The bytes before the string are made non-zero.
 */
__attribute__((no_sanitize("address"))) size_t str_bounded(const char *s, size_t max)
{
	const uint64_t *p = (const uint64_t *)((uintptr_t)s & ~(uintptr_t)7);
	uint64_t zero = zero_byte(*p | ((1ull << 8 * ((uintptr_t)s & 7)) - 1));
	size_t len;

	while (!zero) {
		p++;
		if ((size_t)((const char *)p - s) >= max)
			return max;
		zero = zero_byte(*p);
	}
	len = (size_t)((const char *)p - s) + (size_t)__builtin_ctzll(zero) / 8;
	return len < max ? len : max;
}

spl_s64 spl_str_len(const char *s)
{
	return (spl_s64)str_bounded(s, SIZE_MAX);
}

char *spl_str_copy(char *dst, spl_size size, const char *src)
{
	spl_size len = str_bounded(src, size - 1);

	memmove(dst, src, len);
	dst[len] = '\0';
	return dst;
}

char *spl_str_cat(char *dst, spl_size size, const char *a, const char *b)
{
	spl_size a_len = str_bounded(a, size - 1);
	spl_size b_len = str_bounded(b, size - 1 - a_len);

	/* b may be dst as well, so it moves before a overwrites it. */
	memmove(dst + a_len, b, b_len);
	if (a != dst)
		memmove(dst, a, a_len);
	dst[a_len + b_len] = '\0';
	return dst;
}

int spl_str_cmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}
