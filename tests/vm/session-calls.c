// SPDX-License-Identifier: GPL-2.0-only
/*
 * session-calls - the session interface (spile/session.h), call by call, right and wrong.
 *
 * The script is session.kernel.c, loaded as module session_test by the test. Each check prints a
 * line when it fails; the exit status is 1 if any did.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/ring.h"
#include "spile/session.h"

enum { BEGIN, END, ENTRY, RETURN, TIMER, JIFFIES, PROFILE, PROBES };

static int failures;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		errno = 0;                                                                         \
		if (!(condition)) {                                                                \
			failures++;                                                                \
			printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno));        \
		}                                                                                  \
	} while (0)
#define FAILS(call, error) ((call) < 0 && errno == (error))

static int open_session(void)
{
	return open(SPILE_DEVICE, O_RDWR | O_CLOEXEC);
}

static int attach(int fd, const char *name, struct spile_attach *ret)
{
	*ret = (struct spile_attach){ .abi = SPILE_SESSION_ABI, .ring_bytes = 65536 };
	strcpy(ret->script, name);
	return ioctl(fd, SPILE_IOC_ATTACH, ret);
}

static int start(int fd, struct spile_start *ret)
{
	*ret = (struct spile_start){ 0 };
	return ioctl(fd, SPILE_IOC_START, ret);
}

static int wait_for(int fd, unsigned ms, uint32_t *state)
{
	struct spile_wait wait = { .timeout_ms = ms };
	int result = ioctl(fd, SPILE_IOC_WAIT, &wait);

	*state = wait.state;
	return result;
}

static int stop(int fd, uint32_t *state)
{
	struct spile_wait wait = { 0 };
	int result = ioctl(fd, SPILE_IOC_STOP, &wait);

	*state = wait.state;
	return result;
}

static int report(int fd, struct spile_report *totals, struct spile_probe_report *probes)
{
	*totals = (struct spile_report){ .probes = (uint64_t)(uintptr_t)probes, .nprobes = PROBES };
	return ioctl(fd, SPILE_IOC_REPORT, totals);
}

static void call_getpgid(unsigned times)
{
	while (times--)
		syscall(SYS_getpgid, 0);
}

/* Lines of ftrace's list: functions that anybody has armed. */
static int armed_functions(void)
{
	FILE *f = fopen("/sys/kernel/tracing/enabled_functions", "r");
	int c, lines = 0;

	while (f && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f)
		fclose(f);
	return lines;
}

/* Takes what is there out of all rings; returns how many prints it was. */
static unsigned drain(char *rings, const struct spile_attach *a)
{
	unsigned prints = 0;

	for (unsigned cpu = 0; cpu < a->ncpus; cpu++) {
		struct ring *ring = (struct ring *)(rings + cpu * a->ring_stride);
		char *data = ring_data(ring);

		while (ring->tail != __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE)) {
			struct ring_record *r = (void *)(data + ring->tail % ring->size);

			prints += r->kind == RING_PRINT;
			__atomic_store_n(&ring->tail, ring->tail + r->size, __ATOMIC_RELEASE);
		}
	}
	return prints;
}

static void check_unattached(void)
{
	struct spile_attach a = { .abi = SPILE_SESSION_ABI + 1, .script = "session_test" };
	struct spile_probe_report probes[PROBES];
	struct spile_report totals;
	struct spile_start s;
	int fd = open_session();
	uint32_t state;

	CHECK(fd >= 0);
	CHECK(FAILS(ioctl(fd, 12345, NULL), ENOTTY));
	CHECK(FAILS(ioctl(fd, SPILE_IOC_WAIT, NULL), EFAULT));
	CHECK(FAILS(start(fd, &s), EINVAL));
	CHECK(FAILS(wait_for(fd, 0, &state), EINVAL));
	CHECK(FAILS(stop(fd, &state), EINVAL));
	CHECK(FAILS(report(fd, &totals, probes), EINVAL));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(FAILS(ioctl(fd, SPILE_IOC_ATTACH, &a), EINVAL));
	CHECK(FAILS(attach(fd, "no_such_script", &a), ENOENT));
	close(fd);
}

static void check_attached(int fd, struct spile_attach *a)
{
	struct spile_attach again;
	int other = open_session();

	CHECK(attach(fd, "session_test", a) == 0);
	CHECK(a->nprobes == PROBES && a->ncpus >= 1 && a->map_size >= a->ncpus * a->ring_stride);
	CHECK(FAILS(attach(fd, "session_bad", &again), EBUSY));
	CHECK(FAILS(attach(other, "session_test", &again), EBUSY));
	CHECK(FAILS(syscall(SYS_delete_module, "session_test", O_NONBLOCK), EWOULDBLOCK));
	CHECK(FAILS(syscall(SYS_delete_module, "spile", O_NONBLOCK), EWOULDBLOCK));
	CHECK(mmap(NULL, a->map_size + 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	close(other);
}

static void check_counts(int fd, const struct spile_attach *a, char *rings)
{
	struct spile_probe_report probes[PROBES];
	struct spile_report totals;
	uint32_t state;

	CHECK(wait_for(fd, 60000, &state) == 0 && state == SPILE_STATE_RUNNING);
	CHECK(drain(rings, a) == 1); /* begin's */
	call_getpgid(1000);
	CHECK(drain(rings, a) == 1000);
	CHECK(wait_for(fd, 300, &state) == 0 && state == SPILE_STATE_RUNNING);
	CHECK(report(fd, &totals, probes) == 0);
	CHECK(totals.nprobes == PROBES && totals.errors == 0 && totals.lost == 0);
	CHECK(probes[BEGIN].hits == 1 && probes[END].hits == 0);
	CHECK(probes[ENTRY].hits == 1000 && probes[RETURN].hits == 1000);
	CHECK(probes[ENTRY].planter == SPILE_PLANTER_FTRACE);
	CHECK(probes[RETURN].planter == SPILE_PLANTER_FTRACE_RETURN ||
	      probes[RETURN].planter == SPILE_PLANTER_NATIVE_RETURN);
	CHECK(probes[RETURN].missed_instance == 0 && probes[RETURN].missed_nested == 0);
	CHECK(probes[TIMER].hits > 0 && probes[TIMER].planter == SPILE_PLANTER_TIMER);
	CHECK(probes[JIFFIES].hits > 0 && probes[PROFILE].hits > 0);
}

static void on_alarm(int signal)
{
}

static void check_signal(int fd)
{
	struct sigaction action = { .sa_handler = on_alarm };
	uint32_t state;

	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	CHECK(FAILS(wait_for(fd, 60000, &state), EINTR));
}

/* exit() in a handler wakes a reader that waits. */
static void *wait_thread(void *arg)
{
	static uint32_t state;

	wait_for(*(int *)arg, 600000, &state);
	return &state;
}

static void check_exit(int fd)
{
	uint32_t *state;
	pthread_t thread;

	pthread_create(&thread, NULL, wait_thread, &fd);
	usleep(200000);
	syscall(SYS_getpgid, -77);
	pthread_join(thread, (void **)&state);
	/* the return probe's record may have woken it first */
	if (*state == SPILE_STATE_RUNNING)
		CHECK(wait_for(fd, 600000, state) == 0);
	CHECK(*state == SPILE_STATE_EXITING);
}

static void check_run(void)
{
	struct spile_probe_report probes[PROBES];
	struct spile_report totals;
	struct spile_attach a;
	struct spile_start s;
	int fd = open_session();
	uint32_t state;
	char *rings;

	check_attached(fd, &a);
	rings = mmap(NULL, a.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(rings != MAP_FAILED);
	CHECK(start(fd, &s) == 0);
	CHECK(armed_functions() > 0);
	CHECK(FAILS(start(fd, &s), EBUSY));
	check_counts(fd, &a, rings);
	check_signal(fd);
	check_exit(fd);
	drain(rings, &a);
	CHECK(stop(fd, &state) == 0 && state == SPILE_STATE_STOPPED);
	CHECK(drain(rings, &a) == 1); /* end's */
	CHECK(armed_functions() == 0);
	call_getpgid(10);
	CHECK(stop(fd, &state) == 0 && state == SPILE_STATE_STOPPED);
	CHECK(FAILS(start(fd, &s), EBUSY));
	CHECK(report(fd, &totals, probes) == 0 && totals.state == SPILE_STATE_STOPPED);
	CHECK(probes[ENTRY].hits == 1001 && probes[END].hits == 1);
	CHECK(probes[ENTRY].planter == SPILE_PLANTER_FTRACE);
	close(fd); /* the mapping still holds it */
	CHECK(FAILS(syscall(SYS_delete_module, "session_test", O_NONBLOCK), EWOULDBLOCK));
	munmap(rings, a.map_size);
}

static void check_failed_start(void)
{
	struct spile_attach a;
	struct spile_start s;
	int fd = open_session();

	CHECK(attach(fd, "session_bad", &a) == 0);
	CHECK(FAILS(start(fd, &s), EINVAL));
	CHECK(s.failed_probe == PROBES && s.failed_error == -EINVAL);
	CHECK(armed_functions() == 0);
	close(fd);
}

/* Killed in any state: attached, running, and while its probes are being hit. */
static void check_killed(unsigned delay_us)
{
	struct spile_attach a;
	struct spile_start s;
	int fd, status;
	pid_t child = fork();

	if (!child) {
		fd = open_session();
		attach(fd, "session_test", &a);
		mmap(NULL, a.map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		start(fd, &s);
		for (;;)
			call_getpgid(1000);
	}
	usleep(delay_us);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CHECK(armed_functions() == 0);
	fd = open_session();
	CHECK(attach(fd, "session_test", &a) == 0);
	close(fd);
}

static void check_not_root(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (setuid(65534) < 0)
			_exit(1);
		_exit(open_session() < 0 && errno == EACCES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	check_not_root();
	check_unattached();
	check_run();
	check_run(); /* a script can run again */
	check_failed_start();
	for (unsigned delay = 1000; delay < 1000000; delay *= 2)
		check_killed(delay);
	return failures != 0;
}
