// SPDX-License-Identifier: GPL-2.0-only
/* tests/places/fixture.c - a program whose variables test_places.c looks at, beside gdb. It takes no
 * input, so each run has the same values. */
#include "fixture.h"

int sink = 3;
__thread int own = 77;
static int duplicate_calls;
static volatile int opaque = 5; /* what a compiler cannot work out */
struct mixed global_mixed = {
	.small = 200, .low = 5, .high = 4660, .signed_bits = -7, .whole = 0x12345678,
	.point = {-3, 9}, .colour = BLUE, .weight = 2.5, .name = "global", .numbers = {1, -2, 3, -4},
};

static __attribute__((noinline)) int duplicate(int x)
{
	static int calls = 40;
	int tripled = x * 3;

	calls += tripled;
	duplicate_calls++;
	sink += calls;
	return tripled;
}

static inline __attribute__((always_inline)) int clamp(int value, int low, int high)
{
	int result = value;

	if (result < low)
		result = low;
	if (result > high)
		result = high;
	sink += result;
	return result;
}

static inline __attribute__((always_inline)) int nested(int value)
{
	int inner = clamp(value, 0, 50);

	sink ^= inner;
	return inner + clamp(value - 20, -5, 5);
}

static __attribute__((noinline)) int shadows(int n)
{
	int value = n + 1;

	if (n > 2) {
		long value = n * 1000L;

		sink += value;
		{
			char value = 'x';

			sink += value;
		}
	}
	sink += value;
	return value;
}

static __attribute__((noinline)) int labels(int n)
{
	int tries = 0;

again:
	tries++;
	sink += tries;
	if (tries < n)
		goto again;
	if (n < 0)
		goto fail;
	return tries;
fail:
	sink = -1;
	return -1;
}

static __attribute__((noinline)) int structures(struct mixed *m, const struct pair *p)
{
	struct mixed local = *m;
	unsigned short mask = local.high & 0xff;

	local.point.x += p->first;
	local.numbers[mask & 3] = p->second;
	sink += local.point.x + local.numbers[2] + mask;
	other_indirect(duplicate, local.numbers[0]);
	return local.point.y + m->colour + own;
}

/* The unlikely branch goes into a part of its own: the function has ranges, not an end. */
static __attribute__((noinline)) int split(int n, int limit)
{
	int left = limit - n;

	if (__builtin_expect(left < 0, 0)) {
		never("too many");
		sink += left;
		never("really");
		return left;
	}
	sink += left;
	return left * 2;
}

static __attribute__((noinline)) long arithmetic(unsigned char u8, signed char s8, unsigned u32,
                                                 int s32, unsigned long long u64)
{
	unsigned sum = u8 + u32;
	long long difference = (long long)s32 - s8;
	unsigned short folded = u64 >> 48;
	int shifted = s32 >> 2;

	sink += sum + folded;
	difference += shifted;
	sink ^= (int)difference;
	return difference + sum;
}

static __attribute__((noinline)) double floating(double a, float b, int n)
{
	double sum = a + b;

	for (int i = 0; i < n; i++)
		sum += i * 0.5;
	sink += (int)sum;
	return sum;
}

static __attribute__((noinline)) int tail(int n)
{
	sink++;
	return other_duplicate(n + 1);
}

int main(void)
{
	struct pair pair = {7, 1234567890123L};
	int total = 0;

	total += twice(4);
	total += duplicate(5);
	total += other_duplicate(6);
	total += nested(33);
	total += clamp(total, opaque, 60);
	total += shadows(opaque);
	total += labels(opaque - 2);
	total += structures(&global_mixed, &pair);
	total += split(opaque - 2, 10);
	total += other_sum(1, 6, total & 7);
	total += by_value(pair, -5, -6, 1);
	total += arithmetic(opaque + 245, -100, 4000000000u, opaque - 77782,
	                    0xfedcba9876543210ull + opaque);
	total += floating(1.25, 2.5f, opaque);
	total += tail(total & 15);
	sink += total;
	return sink == 0;
}
