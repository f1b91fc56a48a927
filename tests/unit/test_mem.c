// SPDX-License-Identifier: GPL-2.0-only
/** The core's own memcpy and kin, under other names, against libc's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void *(*const libc_memmove)(void *, const void *, size_t) = memmove;
static void *(*const libc_memset)(void *, int, size_t) = memset;
static int (*const libc_memcmp)(const void *, const void *, size_t) = memcmp;

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#define memcpy core_memcpy
#define memmove core_memmove
#define memset core_memset
#define memcmp core_memcmp
#include "runtime/mem.kernel.c"

#define SIZE 1200

static unsigned char ours[SIZE], libcs[SIZE];

static void fill(void)
{
	for (int i = 0; i < SIZE; i++)
		ours[i] = libcs[i] = rand() % 4;
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_random(void **state)
{
	unsigned seed = time(NULL);

	print_message("seed %u\n", seed);
	srand(seed);
	fill();
	for (int round = 0; round < 50000; round++) {
		size_t n = rand() % 8 ? rand() % 40 : rand() % 600;
		size_t to = rand() % (SIZE - n), from = rand() % (SIZE - n);

		if (rand() % 2) /* near each other, so that they overlap */
			from = to + n + 16 < SIZE ? to + rand() % 16 : to - to % 16;
		if (rand() % 4 == 0) {
			assert_ptr_equal(core_memset(ours + to, round, n), ours + to);
			libc_memset(libcs + to, round, n);
		} else if (to + n <= from || from + n <= to) {
			assert_ptr_equal(core_memcpy(ours + to, ours + from, n), ours + to);
			libc_memmove(libcs + to, libcs + from, n);
		} else {
			assert_ptr_equal(core_memmove(ours + to, ours + from, n), ours + to);
			libc_memmove(libcs + to, libcs + from, n);
		}
		assert_int_equal(libc_memcmp(ours, libcs, SIZE), 0);
		assert_int_equal(sign(core_memcmp(ours + to, ours + from, n)),
		                 sign(libc_memcmp(ours + to, ours + from, n)));
		if (round % 50 == 0)
			fill();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
