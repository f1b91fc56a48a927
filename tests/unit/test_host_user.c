// SPDX-License-Identifier: GPL-2.0-only
/** The host contract in a process: slots of threads, waiting for handlers, guarded reads. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/host.h"
#include "engine/host/linux-user/slot.h"

#define CROWD (HOST_SLOTS + 10)

static pthread_barrier_t barrier;
static unsigned crowd_cpu[CROWD];

static void *crowd_thread(void *arg)
{
	unsigned *cpu = arg;

	*cpu = host_cpu();
	pthread_barrier_wait(&barrier); /* until all have asked */
	assert_true(*cpu >= HOST_SLOTS || host_cpu() == *cpu);
	return NULL;
}

/* No two threads at once have the same slot; who gets none is told so. */
static void test_slots_of_a_crowd(void **state)
{
	pthread_t threads[CROWD];
	bool used[HOST_SLOTS] = { false };
	unsigned without = 0;

	used[host_cpu()] = true;
	pthread_barrier_init(&barrier, NULL, CROWD);
	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, crowd_thread, &crowd_cpu[i]);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CROWD; i++) {
		if (crowd_cpu[i] >= HOST_SLOTS) {
			without++;
			continue;
		}
		assert_false(used[crowd_cpu[i]]);
		used[crowd_cpu[i]] = true;
	}
	assert_int_equal(without, CROWD + 1 - HOST_SLOTS);
	pthread_barrier_destroy(&barrier);
}

static void *ask_cpu(void *arg)
{
	*(unsigned *)arg = host_cpu();
	return NULL;
}

static void test_slots_are_given_back(void **state)
{
	for (int i = 0; i < 3 * HOST_SLOTS; i++) {
		unsigned cpu = ~0u;
		pthread_t thread;

		pthread_create(&thread, NULL, ask_cpu, &cpu);
		pthread_join(thread, NULL);
		assert_in_range(cpu, 0, HOST_SLOTS - 1);
		assert_int_not_equal(cpu, host_cpu());
	}
}

/* --- host_synchronize ------------------------------------------------------------------------ */

static int inside, go, left;

static void *handler_thread(void *arg)
{
	unsigned long flags = host_irq_save(), nested = host_irq_save();

	__atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		host_relax();
	host_irq_restore(nested); /* still inside */
	usleep(20000);
	__atomic_store_n(&left, 1, __ATOMIC_RELEASE);
	host_irq_restore(flags);
	return NULL;
}

static void test_synchronize_waits(void **state)
{
	pthread_t thread;

	pthread_create(&thread, NULL, handler_thread, NULL);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		host_relax();
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	host_synchronize();
	assert_int_equal(__atomic_load_n(&left, __ATOMIC_ACQUIRE), 1);
	pthread_join(thread, NULL);
	host_synchronize();
}

/* --- the rest -------------------------------------------------------------------------------- */

static void test_guarded_reads(void **state)
{
	uint64_t value = 42, copy = 0;

	errno = 7777;
	assert_int_equal(host_read_kernel(&copy, (uintptr_t)&value, 8), 0);
	assert_int_equal(copy, 42);
	assert_int_equal(host_read_kernel(&copy, 0, 8), -EFAULT);
	assert_int_equal(host_read_user(&copy, 0xffffffff81000000, 8), -EFAULT);
	assert_int_equal(host_read_user(&copy, 0x8000000000000000, 8), -EFAULT);
	assert_int_equal(errno, 7777);
}

static void test_facts(void **state)
{
	uint64_t before = host_clock_ns();
	char comm[16], name[64];

	assert_int_equal(host_current_tgid(), getpid());
	assert_int_equal(host_current_tid(), syscall(SYS_gettid));
	assert_int_equal(host_hz(), sysconf(_SC_CLK_TCK));
	assert_true(host_clock_ns() >= before);
	pthread_setname_np(pthread_self(), "a name");
	host_current_comm(comm);
	assert_string_equal(comm, "a name");
	assert_int_equal(host_symbol_name(name, sizeof(name), (uintptr_t)getpid + 1), 0);
	assert_non_null(strstr(name, "getpid+0x1"));
	assert_int_equal(host_symbol_name(name, sizeof(name), 1), -ENOENT);
	assert_string_equal(name, "");
}

/* A child has the forking thread only: the others' slots are free in it. */
static void test_fork(void **state)
{
	unsigned cpu = host_cpu();
	pid_t child = fork();
	int status;

	if (!child)
		_exit(host_cpu() == cpu && host_current_tgid() == getpid() ? 33 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_of_a_crowd),
		cmocka_unit_test(test_slots_are_given_back),
		cmocka_unit_test(test_synchronize_waits),
		cmocka_unit_test(test_guarded_reads),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
