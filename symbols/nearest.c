// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/nearest.h"

#include <string.h>

#define NEAREST_LEN 63

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned nearest_limit(const char *name)
{
	size_t len = strlen(name);

	return len <= 3 ? 1 : len <= 6 ? 2 : 3;
}

unsigned nearest_distance(const char *a, const char *b, unsigned limit)
{
	/* Three rows of the classic table: of two, one, and no characters less of `a`. */
	unsigned char rows[3][NEAREST_LEN + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NEAREST_LEN || lb > NEAREST_LEN || la > lb + limit || lb > la + limit)
		return limit + 1;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned char *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
		unsigned best = row[0] = i;

		for (size_t j = 1; j <= lb; j++) {
			unsigned d =
			    min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    up2[j - 2] + 1u < d)
				d = up2[j - 2] + 1u;
			row[j] = d;
			best = d < best ? d : best;
		}
		if (best > limit)
			return limit + 1;
	}
	return rows[la % 3][lb] <= limit ? rows[la % 3][lb] : limit + 1;
}
