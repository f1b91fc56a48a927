// SPDX-License-Identifier: GPL-2.0-only
/** Strings of bounded length, and the bounded lock. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/script.h"

static void test_copy(void **state)
{
	char buf[4];

	assert_ptr_equal(spl_str_copy(buf, sizeof(buf), "ab"), buf);
	assert_string_equal(buf, "ab");
	assert_string_equal(spl_str_copy(buf, sizeof(buf), "abcdef"), "abc");
	assert_string_equal(spl_str_copy(buf, sizeof(buf), buf), "abc");
	assert_string_equal(spl_str_copy(buf, sizeof(buf), buf + 1), "bc");
	assert_string_equal(spl_str_copy(buf, 1, "x"), "");
}

static void test_cat(void **state)
{
	char buf[8] = "ab", other[8];

	assert_string_equal(spl_str_cat(buf, sizeof(buf), buf, "cd"), "abcd");
	assert_string_equal(spl_str_cat(buf, sizeof(buf), "x", buf), "xabcd");
	assert_string_equal(spl_str_cat(buf, sizeof(buf), buf, buf), "xabcdxa");
	assert_string_equal(spl_str_cat(buf, sizeof(buf), buf, "more"), "xabcdxa");
	assert_string_equal(spl_str_cat(other, sizeof(other), "123456789", "x"), "1234567");
	assert_string_equal(spl_str_cat(other, 4, "", "abcdef"), "abc");
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_compare(void **state)
{
	static const char *const words[] = { "", "a", "aa", "ab", "b", "\xff", "a\xff" };
	const int n = sizeof(words) / sizeof(*words);

	for (int i = 0; i < n * n; i++)
		assert_int_equal(sign(spl_str_cmp(words[i / n], words[i % n])),
				 sign(strcmp(words[i / n], words[i % n])));
	assert_int_equal(spl_str_len(""), 0);
	assert_int_equal(spl_str_len("abc"), 3);
}

/* --- locks ----------------------------------------------------------------------------------- */

static void test_lock_gives_up(void **state)
{
	struct spl_lock lock = { 0 };

	assert_true(spl_lock_read(&lock));
	assert_true(spl_lock_read(&lock));
	assert_false(spl_lock_write(&lock));
	spl_unlock_read(&lock);
	assert_false(spl_lock_write(&lock));
	spl_unlock_read(&lock);
	assert_true(spl_lock_write(&lock));
	assert_false(spl_lock_write(&lock));
	assert_false(spl_lock_read(&lock));
	spl_unlock_write(&lock);
	assert_true(spl_lock_read(&lock));
	spl_unlock_read(&lock);
	assert_int_equal(lock.state, 0);
}

#define THREADS 4
#define ROUNDS 20000

static struct spl_lock shared_lock;
static uint64_t shared_a, shared_b, torn;

static void *lock_user(void *arg)
{
	uint64_t *taken = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 4 == 0 && spl_lock_write(&shared_lock)) {
			shared_a++;
			shared_b++;
			(*taken)++;
			spl_unlock_write(&shared_lock);
		} else if (i % 4 && spl_lock_read(&shared_lock)) {
			if (shared_a != shared_b)
				__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
			spl_unlock_read(&shared_lock);
		}
	}
	return NULL;
}

static void test_lock_excludes(void **state)
{
	pthread_t threads[THREADS];
	uint64_t taken[THREADS] = { 0 }, total = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, lock_user, &taken[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		total += taken[i];
	}
	assert_int_equal(torn, 0);
	assert_true(total > 0);
	assert_int_equal(shared_a, total);
	assert_int_equal(shared_b, total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),	      cmocka_unit_test(test_cat),
		cmocka_unit_test(test_compare),	      cmocka_unit_test(test_lock_gives_up),
		cmocka_unit_test(test_lock_excludes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
