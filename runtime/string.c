// SPDX-License-Identifier: GPL-2.0-only
/** runtime/string.c - strings of bounded length. Any context. */
#include "engine/host.h"
#include "runtime/script.h"

spl_s64 spl_str_len(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return p - s;
}

/** The length of s, but at most `max`. */
static spl_size bounded_len(const char *s, spl_size max)
{
	spl_size n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

char *spl_str_copy(char *dst, spl_size size, const char *src)
{
	spl_size len = bounded_len(src, size - 1);

	memmove(dst, src, len);
	dst[len] = '\0';
	return dst;
}

char *spl_str_cat(char *dst, spl_size size, const char *a, const char *b)
{
	spl_size a_len = bounded_len(a, size - 1);
	spl_size b_len = bounded_len(b, size - 1 - a_len);

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
