// SPDX-License-Identifier: GPL-2.0-only
/* tests/places/other.c - the fixture's second unit: duplicates of names in the first. */
#include "fixture.h"

static __attribute__((noinline)) int duplicate(int x)
{
	int squared = x * x;

	sink ^= squared;
	return squared;
}

/* Another function than the first unit's of that name: no symbol here tells of it. */
static inline __attribute__((always_inline)) int arithmetic(int x)
{
	int there = x + 3;

	sink += there;
	return there;
}

int other_duplicate(int x)
{
	return duplicate(x) + 1 + (arithmetic(x) & 1);
}

/* twice() has a body of its own here, since its address is taken, and is not inlined. */
int (*volatile pointer_to_twice)(int) = twice;

__attribute__((noinline)) int other_indirect(int (*function)(int), int x)
{
	int first = function(x), second = pointer_to_twice(first);

	return first + second;
}

__attribute__((noinline)) int other_sum(int a, int b, int c)
{
	int sum = 0;

	for (int i = a; i < b; i++) {
		int step = i * c;

		if (step % 3 == 0)
			sum += step;
		else
			sum -= i;
		sink += sum;
	}
	return sum;
}

__attribute__((noinline)) long by_value(struct pair pair, short narrow, signed char tiny,
                                        _Bool flag)
{
	struct pair copy = {pair.first + narrow, pair.second - tiny};

	if (flag)
		copy.second *= 3;
	sink += copy.first;
	return copy.second + narrow;
}

__attribute__((cold, noinline)) void never(const char *why)
{
	sink = why[0];
}
