// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/mem.kernel.c - memcpy and its kin for the core; a process has libc's.
 *
 * The compiler calls them by itself, and handlers run them, so they must be ours: the kernel's own
 * may be probed. Most blocks here are below 64 bytes: words by a loop, long blocks by the string
 * instructions. Any context.
 */
#include "engine/host.h"

#define LONG_BLOCK 256 /* from here on `rep` pays for its start-up */

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* Without this the compiler finds the loops below to be a memcpy, and calls it. */
#define NO_IDIOMS __attribute__((optimize("no-tree-loop-distribute-patterns")))

NO_IDIOMS void *memcpy(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (n >= LONG_BLOCK) {
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
		return dst;
	}
	for (; n >= 8; n -= 8, d += 8, s += 8)
		*(word *)d = *(const word *)s;
	for (; n; n--)
		*d++ = *s++;
	return dst;
}

NO_IDIOMS void *memmove(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst + n;
	const char *s = (const char *)src + n;

	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n); /* forwards is safe: dst is not inside src */
	for (; n >= 8; n -= 8) {
		d -= 8;
		s -= 8;
		*(word *)d = *(const word *)s;
	}
	while (n--)
		*--d = *--s;
	return dst;
}

NO_IDIOMS void *memset(void *dst, int c, size_t n)
{
	uint64_t pattern = 0x0101010101010101ull * (unsigned char)c;
	char *d = dst;

	if (n >= LONG_BLOCK) {
		__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
		return dst;
	}
	for (; n >= 8; n -= 8, d += 8)
		*(word *)d = pattern;
	for (; n; n--)
		*d++ = c;
	return dst;
}

NO_IDIOMS int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
