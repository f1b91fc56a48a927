// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process home's runner: a script in an ordinary process, without root and without a kernel
 * module.
 *
 * The script's C, compiled as a shared object, is opened with dlopen(); the spl_* functions that it
 * calls come from this executable, which exports them (reader/reader.mk). begin and end probes run
 * in the thread that starts and stops the session, timers in a thread of their own, and the rings
 * are read by the main thread as those of the kernel are: the same records, the same merge, the
 * same printing. Since handlers are threads that may sleep, a record waits for room (reader/room.h)
 * instead of being lost. Probes on code are the target process's business, not this one's: refused.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/host.h"
#include "reader/clock.h"
#include "reader/home.h"
#include "reader/meta.h"
#include "reader/room.h"
#include "reader/timers.h"
#include "runtime/session.h"

/* The kernel home's rings are memory that is taken, these are pages of which the used ones count;
 * with more room writer and reader wait for each other less often. */
#define PROCESS_RING_BYTES (1024 * 1024)

struct process {
	struct home home;
	void *dl;
	struct spl_script *script;
	struct script_meta *meta;
	struct spl_session session;
	bool has_session;
	struct timers timers;
	struct room room;
	int wake_fd;
};

static struct process *process_of(struct home *home)
{
	return (struct process *)home;
}

/* spl_session.wake; any context, signal handlers included: a write() and nothing else */
static void process_wake(struct spl_session *session)
{
	struct process *p = session->owner;
	uint64_t one = 1;

	if (write(p->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: somebody has been woken already */
}

/* spl_session.wait_room; a thread of ours, which is in a handler */
static bool process_wait_room(struct spl_session *session, const struct ring *ring, uint64_t target)
{
	struct process *p = session->owner;

	return room_wait(&p->room, ring, target);
}

static struct error *check_probes(const struct process *p)
{
	for (uint32_t i = 0; i < p->script->nprobes; i++) {
		const struct spl_probe *probe = &p->script->probes[i];

		if (probe->kind > SPL_PROBE_ERROR && !timers_serve(probe))
			return error_create(EOPNOTSUPP,
					    "%s: a script that runs in a process can have begin, "
					    "end, error and timer probes only; translate it for a "
					    "kernel instead",
					    probe->pp);
	}
	return NULL;
}

static struct error *process_start(struct home *home, uint64_t target_pid)
{
	struct process *p = process_of(home);
	uint64_t start = clock_ns(), armed;
	struct error *error = NULL;

	p->session.target_pid = target_pid;
	spl_session_begin(&p->session);
	armed = clock_ns();
	if (spl_session_state(&p->session) == SPILE_STATE_RUNNING)
		error = timers_start(&p->timers, &p->session);
	home->times.arm = clock_ns() - armed;
	home->times.start = clock_ns() - start;
	return error;
}

static struct error *process_wait(struct home *home, unsigned timeout_ms, uint32_t *state)
{
	struct process *p = process_of(home);
	struct pollfd fd = { .fd = p->wake_fd, .events = POLLIN };
	eventfd_t woken;

	if (poll(&fd, 1, (int)timeout_ms) == 1)
		eventfd_read(p->wake_fd, &woken);
	*state = spl_session_state(&p->session);
	return NULL;
}

static struct error *process_stop(struct home *home)
{
	struct process *p = process_of(home);
	uint64_t start = clock_ns();

	spl_session_exit(&p->session);
	timers_stop(&p->timers);
	host_synchronize();
	spl_session_end(&p->session);
	home->times.stop = clock_ns() - start;
	return NULL;
}

static struct error *process_report(struct home *home, struct spile_report *totals,
				    struct spile_probe_report *probes)
{
	struct process *p = process_of(home);

	memset(totals, 0, sizeof(*totals));
	spl_session_report(&p->session, totals);
	totals->nprobes = p->script->nprobes;
	totals->arm_ns = home->times.arm;
	for (uint32_t i = 0; i < p->script->nprobes; i++) {
		spl_session_report_probe(&p->session, i, &probes[i]);
		if (timers_serve(&p->script->probes[i]))
			probes[i].planter = SPILE_PLANTER_TIMER;
	}
	return NULL;
}

static struct error *process_close(struct home *home)
{
	struct process *p = process_of(home);

	room_close(&p->room);
	timers_stop(&p->timers);
	if (p->has_session)
		spl_session_deinit(&p->session);
	room_deinit(&p->room);
	meta_destroy(p->meta);
	if (p->dl)
		dlclose(p->dl);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	free(p);
	return NULL;
}

static const struct home_ops process_ops = {
	.start = process_start,
	.wait = process_wait,
	.stop = process_stop,
	.report = process_report,
	.close = process_close,
};

/* --- opening ------------------------------------------------------------------------------------- */

static struct error *load_object(struct process *p, const char *object)
{
	_cleanup_free_ char *path = realpath(object, NULL);

	if (!path)
		return error_create(errno, "%s: %s", object, strerror(errno));
	p->dl = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!p->dl)
		return error_create(ENOEXEC, "cannot load the script: %s", dlerror());
	p->script = dlsym(p->dl, "spl_script");
	if (!p->script)
		return error_create(ENOEXEC, "%s: no script in it (no symbol spl_script)", object);
	if (p->script->abi != SPL_ABI)
		return error_create(EINVAL,
				    "%s: made for ABI %" PRIu32 " of the run-time, this is %d; "
				    "translate the script again",
				    object, p->script->abi, SPL_ABI);
	return NULL;
}

static struct error *attach(struct process *p, uint32_t ring_bytes)
{
	int err = spl_session_init(&p->session, p->script, ring_bytes);

	if (err)
		return error_create(-err, "cannot set the script up: %s", strerror(-err));
	p->has_session = true;
	p->session.owner = p;
	p->session.wake = process_wake;
	p->session.wait_room = process_wait_room;
	p->session.serial = true; /* begin, then the timers' one thread, then end */
	p->home.rings = p->session.rings;
	p->home.ring_stride = p->session.ring_stride;
	p->home.nrings = p->session.ncpus;
	return NULL;
}

static struct error *process_init(struct process *p, const struct home_options *options)
{
	uint64_t start = clock_ns(), loaded;
	struct error *error;

	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0)
		return error_create(errno, "cannot make an eventfd: %s", strerror(errno));
	error = load_object(p, options->object);
	if (!error)
		error = check_probes(p);
	if (error)
		return error;
	p->home.meta = p->meta = meta_create_script(p->script);
	loaded = clock_ns();
	error = attach(p, options->ring_bytes ? options->ring_bytes : PROCESS_RING_BYTES);
	p->home.times.load = loaded - start;
	p->home.times.attach = clock_ns() - loaded;
	return error;
}

struct error *process_open(const struct home_options *options, struct home **ret)
{
	struct process *p = calloc(1, sizeof(*p));
	struct error *error;

	if (!p)
		abort();
	p->home.ops = &process_ops;
	p->home.room = &p->room;
	p->wake_fd = -1;
	error = room_init(&p->room, options->patience_ns);
	if (!error)
		error = process_init(p, options);
	if (error) {
		process_close(&p->home);
		return error;
	}
	*ret = &p->home;
	return NULL;
}
