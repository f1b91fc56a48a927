// SPDX-License-Identifier: GPL-2.0-only
/**
 * A session in a process: states, order of begin and end probes, counting, errors and budgets, what
 * the reader gets, hits from several threads and hits on top of a handler.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/unit/fixture_runner.h"

/* --- the life of a session ------------------------------------------------------------------- */

static void on_a(struct spl_ctx *c) { note("a"); }
static void on_b(struct spl_ctx *c) { note("b"); }
static void on_c(struct spl_ctx *c) { note("c"); }
static void on_exit_call(struct spl_ctx *c) { note("x"); spl_exit(c); }
static void on_fail(struct spl_ctx *c)
{
	note("f");
	spl_fail(c, "division by 0", "operator '/' at t.stp:1:2");
}

static void test_order(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, BEGIN, .handler = on_b),
		PROBE(1, END, .handler = on_b, .param = 5),
		PROBE(2, BEGIN, .handler = on_c),
		PROBE(3, BEGIN, .handler = on_a, .param = -1),
		PROBE(4, END, .handler = on_a),
		PROBE(5, ERROR, .handler = on_c),
		PROBE(6, TIMER, .handler = on_c),
	};

	start(probes, 7);
	assert_int_equal(spl_session_state(&session), SPILE_STATE_ATTACHED);
	assert_false(spl_probe_run(&session, &probes[6], NULL, NULL));
	spl_session_begin(&session);
	assert_string_equal(trace, "abc");
	assert_int_equal(spl_session_state(&session), SPILE_STATE_RUNNING);
	assert_true(spl_probe_run(&session, &probes[6], NULL, NULL));
	spl_session_end(&session);
	assert_string_equal(trace, "abccab");
	assert_int_equal(spl_session_state(&session), SPILE_STATE_STOPPED);
	assert_false(spl_probe_run(&session, &probes[6], NULL, NULL));
	assert_int_equal(report(6).hits, 1);
	assert_int_equal(report(6).skipped_state, 2);
	spl_session_deinit(&session);
}

static void test_exit(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, BEGIN, .handler = on_exit_call),
		PROBE(1, BEGIN, .handler = on_a, .param = 1),
		PROBE(2, TIMER, .handler = on_a),
		PROBE(3, END, .handler = on_b),
		PROBE(4, ERROR, .handler = on_c),
	};

	start(probes, 5);
	spl_session_begin(&session);
	assert_int_equal(spl_session_state(&session), SPILE_STATE_EXITING);
	assert_int_equal(wakes, 1);
	assert_false(spl_probe_run(&session, &probes[2], NULL, NULL));
	spl_session_end(&session);
	assert_string_equal(trace, "xb");
	spl_session_deinit(&session);
}

static void test_error_ends_the_session(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, TIMER, .handler = on_fail),
		PROBE(1, END, .handler = on_b),
		PROBE(2, ERROR, .handler = on_c),
	};
	struct spile_report totals = { 0 };

	start(probes, 3);
	spl_session_begin(&session);
	assert_true(spl_probe_run(&session, &probes[0], NULL, NULL));
	assert_int_equal(spl_session_state(&session), SPILE_STATE_EXITING);
	assert_string_equal(read_text(), "Edivision by 0 near operator '/' at t.stp:1:2");
	spl_session_end(&session);
	assert_string_equal(trace, "fc");
	assert_int_equal(report(0).errors, 1);
	spl_session_report(&session, &totals);
	assert_int_equal(totals.errors, 1);
	assert_int_equal(totals.lost, 0);
	assert_int_equal(totals.state, SPILE_STATE_STOPPED);
	spl_session_deinit(&session);
}

static void test_max_errors(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, TIMER, .handler = on_fail) };

	script.max_errors = 2;
	start(probes, 1);
	spl_session_begin(&session);
	for (int i = 0; i < 2; i++)
		assert_true(spl_probe_run(&session, &probes[0], NULL, NULL));
	assert_int_equal(spl_session_state(&session), SPILE_STATE_RUNNING);
	spl_probe_run(&session, &probes[0], NULL, NULL);
	assert_int_equal(spl_session_state(&session), SPILE_STATE_EXITING);
	assert_string_equal(trace, "fff");
	script.max_errors = 0;
	spl_session_deinit(&session);
}

static int failing_init(struct spl_script *s) { return -ENOMEM; }

static void test_init_failures(void **state)
{
	script.abi = SPL_ABI + 1;
	assert_int_equal(spl_session_init(&session, &script, 0), -EINVAL);
	script.abi = SPL_ABI;
	script.init = failing_init;
	assert_int_equal(spl_session_init(&session, &script, 0), -ENOMEM);
	script.init = NULL;
}

/* --- budgets --------------------------------------------------------------------------------- */

static void on_loop(struct spl_ctx *c)
{
	while (spl_actions(c, 1))
		if (strlen(trace) < 200)
			note(".");
}

static void on_recurse(struct spl_ctx *c)
{
	void *frame;

	/* As generated code enters a function: 100 of 256 bytes each. */
	note("r");
	frame = spl_frame_push(c, 100);
	if (!frame)
		return;
	on_recurse(c);
	spl_frame_pop(c, frame);
}

static void test_budgets(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, TIMER, .handler = on_loop),
		PROBE(1, TIMER, .handler = on_recurse),
	};

	script.max_errors = 10;
	start(probes, 2);
	spl_session_begin(&session);
	spl_probe_run(&session, &probes[0], NULL, NULL);
	assert_int_equal(strlen(trace), 100);
	assert_string_equal(read_text(), "EMAXACTION exceeded");
	for (int i = 0; i < 2; i++) {
		trace[0] = '\0';
		spl_probe_run(&session, &probes[1], NULL, NULL);
		assert_string_equal(trace, "rrr");
		assert_string_equal(read_text(), "EMAXNESTING exceeded");
	}
	script.max_errors = 0;
	spl_session_deinit(&session);
}

/* --- nesting and skipping -------------------------------------------------------------------- */

static struct spl_probe nested_probe = PROBE(1, TIMER, .handler = on_a);

static void on_nest(struct spl_ctx *c)
{
	note("(");
	assert_false(spl_probe_run(c->session, &nested_probe, NULL, NULL));
	note(")");
}

static void on_skip(struct spl_ctx *c) { spl_skip_lock(c); }

static void test_nested_and_skipped(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, TIMER, .handler = on_nest),
		nested_probe,
		PROBE(2, TIMER, .handler = on_skip),
	};
	struct spile_report totals = { 0 };

	start(probes, 3);
	spl_session_begin(&session);
	spl_probe_run(&session, &probes[0], NULL, NULL);
	assert_string_equal(trace, "()");
	assert_int_equal(report(1).missed_nested, 1);
	assert_int_equal(report(1).hits, 0);
	for (int i = 0; i < 4; i++)
		spl_probe_run(&session, &probes[2], NULL, NULL);
	assert_int_equal(report(2).skipped_lock, 4);
	assert_int_equal(spl_session_state(&session), SPILE_STATE_RUNNING);
	spl_probe_run(&session, &probes[2], NULL, NULL); /* the sixth: MAXSKIPPED is 5 */
	assert_int_equal(spl_session_state(&session), SPILE_STATE_EXITING);
	assert_string_equal(read_text(), "ESkipped too many probes, check MAXSKIPPED");
	assert_string_equal(read_text(), "");
	spl_session_report(&session, &totals);
	assert_int_equal(totals.skipped, 6);
	spl_session_deinit(&session);
}

/* --- printing -------------------------------------------------------------------------------- */

static void on_print(struct spl_ctx *c)
{
	union spl_val v[] = { { .n = -7 }, { .s = "twelve chars" } };
	char text[8];

	spl_print(c, 0, v);
	spl_print(c, 1, NULL);
	spl_message(c, 'W', "beware");
	assert_string_equal(spl_sprint(c, text, sizeof(text), 0, v), "n=-7 s=");
}

static void test_print(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, BEGIN, .handler = on_print) };

	start(probes, 1);
	ring_wake_request(ring_of(host_cpu()));
	spl_session_begin(&session);
	assert_int_equal(wakes, 1);
	assert_string_equal(read_text(), "n=-7 s=twelve chars\n");
	assert_string_equal(read_text(), "plain\n");
	assert_string_equal(read_text(), "Wbeware");
	assert_string_equal(read_text(), "");
	spl_session_deinit(&session);
}

/* The times of this thread's records; how many there were. */
static unsigned read_times(uint64_t *ret, unsigned max)
{
	struct ring *ring = ring_of(host_cpu());
	const struct ring_record *r;
	unsigned n = 0;

	for (; n < max && (r = ring_peek(ring)); ring_consume(ring, r))
		ret[n++] = r->time_ns;
	return n;
}

static void print_and_wait(struct spl_ctx *c)
{
	uint64_t now;

	spl_print(c, 1, NULL);
	now = host_clock_ns();
	while (host_clock_ns() == now)
		;
	spl_print(c, 1, NULL);
}

/* Each record has its own time; where hits come one after the other it is the hit's. */
static void test_times(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, TIMER, .handler = print_and_wait) };
	uint64_t times[5];

	for (int serial = 0; serial < 2; serial++) {
		start(probes, 1);
		session.serial = serial;
		spl_session_begin(&session);
		for (int i = 0; i < 2; i++) {
			uint64_t before = host_clock_ns();

			assert_true(spl_probe_run(&session, &probes[0], NULL, NULL));
			assert_int_equal(read_times(times, 5), 2);
			assert_in_range(times[0], before, host_clock_ns());
			assert_true(serial ? times[0] == times[1] : times[0] < times[1]);
		}
		spl_session_deinit(&session);
	}
}

/* A hook that makes room `rooms` times by reading everything. */
static unsigned rooms, waits;
static uint64_t waited_got;

static bool make_room(struct spl_session *s, const struct ring *ring, uint64_t target)
{
	waits++;
	if (waits > rooms)
		return false;
	while ((int64_t)(ring_tail(ring) - target) < 0) {
		assert_true(*read_text());
		waited_got++;
	}
	return true;
}

static void on_flood(struct spl_ctx *c)
{
	for (int i = 0; i < 10000; i++)
		spl_print(c, 1, NULL);
}

static void test_losses_are_counted(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, BEGIN, .handler = on_flood) };
	struct spile_report totals = { 0 };
	uint64_t got = 0;

	start(probes, 1);
	spl_session_begin(&session);
	while (*read_text())
		got++;
	spl_session_report(&session, &totals);
	assert_int_equal(got, 65536 / 16);
	assert_int_equal(totals.lost, 10000 - got);
	spl_session_deinit(&session);
}

/* Where the owner can wait, a full ring asks it, and what it does not wait for is lost. */
static void test_waits_for_room(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, BEGIN, .handler = on_flood) };

	for (rooms = 0; rooms < 4; rooms++) {
		struct spile_report totals = { 0 };

		start(probes, 1);
		session.wait_room = make_room;
		waits = waited_got = 0;
		spl_session_begin(&session);
		while (*read_text())
			waited_got++;
		spl_session_report(&session, &totals);
		assert_int_equal(waited_got + totals.lost, 10000);
		/* 4096 records fill the ring, each wait gives back half of it */
		assert_int_equal(totals.lost, rooms < 3 ? 10000 - 4096 - rooms * 2048 : 0);
		assert_int_equal(waits, rooms < 3 ? rooms + totals.lost : 3);
		spl_session_deinit(&session);
	}
}

/* --- context functions ----------------------------------------------------------------------- */

static char indents[6][64];

static void on_indent(struct spl_ctx *c)
{
	static const int deltas[] = { 1, 1, -1, -1, -1, 1 };

	for (int i = 0; i < 6; i++)
		spl_fn_thread_indent(c, indents[i], sizeof(indents[i]), deltas[i]);
}

static void test_thread_indent(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, BEGIN, .handler = on_indent) };
	static const int spaces[] = { 0, 1, 1, 0, 0, 0 };
	char tail[64];

	start(probes, 1);
	spl_session_begin(&session);
	for (int i = 0; i < 6; i++) {
		sprintf(tail, " test_runner(%d):%*s", (int)getpid(), spaces[i], "");
		memcpy(tail + 1, "test_runner", 11);
		assert_string_equal(strchr(indents[i] + 5, indents[i][5]) + 1, tail);
	}
	assert_int_equal(strncmp(indents[0], "     0 ", 7), 0);
	assert_int_equal(strncmp(indents[5], "     0 ", 7), 0);
	spl_session_deinit(&session);
}

static void on_context(struct spl_ctx *c)
{
	char name[32];

	assert_int_equal(spl_fn_pid(c), getpid());
	assert_int_equal(spl_fn_ppid(c), getppid());
	assert_int_equal(spl_fn_euid(c), geteuid());
	assert_int_equal(spl_fn_gid(c), getgid());
	assert_int_equal(spl_fn_target(c), 4711);
	assert_in_range(spl_fn_gettimeofday_ns(c), 1500000000ull * 1000000000, INT64_MAX);
	assert_true(spl_fn_get_cycles(c) != spl_fn_get_cycles(c));
	assert_string_equal(spl_fn_symname(c, name, sizeof(name), 1), "");
	note("!");
}

static void test_context_functions(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, BEGIN, .handler = on_context) };

	start(probes, 1);
	session.target_pid = 4711;
	spl_session_begin(&session);
	assert_string_equal(trace, "!");
	spl_session_deinit(&session);
}

/* --- many threads, with signals on top ------------------------------------------------------- */

#define THREADS 6
#define HITS 5000

static int64_t handled[64 + 1]; /* by slot: no lock is needed, which is the point */
static uint64_t raised; /* signals on top of a handler */
static const struct spl_probe *storm_probes;

static void on_storm(struct spl_ctx *c)
{
	union spl_val v[] = { { .n = handled[c->cpu]++ }, { .s = "storm" } };

	if (c->probe->index == 0 && v[0].n % 8 == 0) {
		__atomic_add_fetch(&raised, 1, __ATOMIC_RELAXED);
		raise(SIGUSR1);
	}
	spl_print(c, 0, v);
}

static void on_signal(int sig)
{
	spl_probe_run(&session, &storm_probes[1], NULL, NULL);
}

static void *storm_thread(void *arg)
{
	for (int i = 0; i < HITS; i++) {
		spl_probe_run(&session, &storm_probes[0], NULL, NULL);
		if (i % 16 == 0)
			pthread_kill(pthread_self(), SIGUSR1);
	}
	return NULL;
}

static void *kill_thread(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
		usleep(10);
	}
	return NULL;
}

static void test_storm(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, TIMER, .handler = on_storm),
					    PROBE(1, TIMER, .handler = on_storm) };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t threads[THREADS], killer;
	struct spile_report totals = { 0 };
	uint64_t sum = 0, records = 0;

	script.max_skipped = 1000000;
	start(probes, 2);
	storm_probes = probes;
	memset(handled, 0, sizeof(handled));
	sigaction(SIGUSR1, &sa, NULL);
	spl_session_begin(&session);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, storm_thread, NULL);
	pthread_create(&killer, NULL, kill_thread, &(pthread_t){ pthread_self() });
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(killer, NULL);
	host_synchronize();
	spl_session_end(&session);

	for (unsigned i = 0; i < session.ncpus; i++) {
		const struct ring_record *r;

		sum += handled[i];
		for (; (r = ring_peek(ring_of(i))); ring_consume(ring_of(i), r))
			records++;
	}
	spl_session_report(&session, &totals);
	assert_int_equal(sum, report(0).hits + report(1).hits);
	assert_int_equal(report(0).hits, THREADS * HITS);
	assert_in_range(report(1).missed_nested, raised, UINT64_MAX);
	assert_in_range(raised, THREADS, UINT64_MAX);
	assert_int_equal(records + totals.lost, sum);
	print_message("%lu handled, %lu nested, %lu lost\n", sum, report(1).missed_nested,
		      totals.lost);
	script.max_skipped = 5;
	spl_session_deinit(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_error_ends_the_session),
		cmocka_unit_test(test_max_errors),
		cmocka_unit_test(test_init_failures),
		cmocka_unit_test(test_budgets),
		cmocka_unit_test(test_nested_and_skipped),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_losses_are_counted),
		cmocka_unit_test(test_waits_for_room),
		cmocka_unit_test(test_thread_indent),
		cmocka_unit_test(test_context_functions),
		cmocka_unit_test(test_storm),
	};

	prctl(PR_SET_NAME, "test_runner");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
