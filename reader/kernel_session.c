// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel home's reader: a script as a module of the running kernel.
 *
 * Steps of opening, each undone by closing:
 *   1. open /dev/spile; if it is not there, fit and load the core, then open it; if it is, make
 *      sure that it belongs to the core at hand
 *   2. take the device's file lock: only one reader at a time is between step 3 and 5
 *   3. remove idle spile_* modules: their readers were killed before they could do it
 *   4. fit and load the script's module
 *   5. ATTACH pins the script's module; give the lock back
 *   6. map the rings
 *
 * Step 2 closes the race with another reader's sweep: a module that was loaded and not yet
 * attached to looks idle. A reader that dies lets go of the lock, being a file lock.
 *
 * Closing the descriptor disarms everything, however it comes about. Then the script's module is
 * removed, and the core if this run loaded it and nobody else uses it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "reader/clock.h"
#include "reader/home.h"
#include "reader/load.h"
#include "reader/meta.h"
#include "reader/modules.h"
#include "spile/session.h"
#include "symbols/kernel.h"

#define SCRIPT_PREFIX "spile_"

enum { UNLOAD_WAIT_MS = 2000 };

struct kernel_session {
	struct home home;
	struct script_meta *meta;
	struct kernel *kernel; /* while opening */
	int fd;
	size_t map_size;
	bool loaded_core;
	bool loaded_script;
	bool keep_core;
};

static struct kernel_session *session_of(struct home *home)
{
	return (struct kernel_session *)home;
}

/* --- the session's calls --------------------------------------------------------------------------- */

/* What the engine means by an errno, where the usual words are about something else. */
static const char *refusal_text(int err)
{
	switch (err) {
	case EILSEQ:
		return "no instruction begins there";
	case EINVAL:
		return "the kernel allows no probe there";
	default:
		return strerror(err);
	}
}

static struct error *start_error(const struct kernel_session *s, const struct spile_start *start,
				 int err)
{
	if (start->failed_error && start->failed_probe < s->meta->nprobes)
		return error_create(-start->failed_error, "cannot arm %s: %s; nothing was armed",
				    s->meta->probes[start->failed_probe].point,
				    refusal_text(abs(start->failed_error)));
	return error_create(err, "cannot start the script: %s", strerror(err));
}

static struct error *session_start(struct home *home, uint64_t target_pid)
{
	struct kernel_session *s = session_of(home);
	struct spile_start start = { .target_pid = target_pid };
	uint64_t began = clock_ns();

	if (ioctl(s->fd, SPILE_IOC_START, &start) < 0)
		return start_error(s, &start, errno);
	home->times.start = clock_ns() - began;
	return NULL;
}

static struct error *session_wait(struct home *home, unsigned timeout_ms, uint32_t *state)
{
	struct spile_wait wait = { .timeout_ms = timeout_ms };

	if (ioctl(session_of(home)->fd, SPILE_IOC_WAIT, &wait) == 0) {
		*state = wait.state;
		return NULL;
	}
	*state = SPILE_STATE_RUNNING;
	if (errno == EINTR || errno == ETIMEDOUT)
		return NULL;
	return error_create(errno, "cannot wait for records: %s", strerror(errno));
}

static struct error *session_stop(struct home *home)
{
	struct spile_wait wait = { 0 };
	uint64_t began = clock_ns();

	if (ioctl(session_of(home)->fd, SPILE_IOC_STOP, &wait) < 0)
		return error_create(errno, "cannot stop the script: %s", strerror(errno));
	home->times.stop = clock_ns() - began;
	return NULL;
}

static struct error *session_report(struct home *home, struct spile_report *totals,
				    struct spile_probe_report *probes)
{
	struct kernel_session *s = session_of(home);

	*totals = (struct spile_report){ .probes = (uint64_t)(uintptr_t)probes,
					 .nprobes = s->meta->nprobes };
	if (ioctl(s->fd, SPILE_IOC_REPORT, totals) < 0)
		return error_create(errno, "cannot read the accounting: %s", strerror(errno));
	home->times.arm = totals->arm_ns;
	return NULL;
}

static struct error *session_close(struct home *home)
{
	struct kernel_session *s = session_of(home);
	struct error *error = NULL;

	if (home->rings)
		munmap(home->rings, s->map_size);
	if (s->fd >= 0)
		close(s->fd);
	if (s->loaded_script)
		error = module_remove(s->meta->name, UNLOAD_WAIT_MS);
	/* A core that another reader uses by now stays: that one did not load it, so it remains. */
	if (s->loaded_core && !s->keep_core)
		error_destroy(module_remove(LOAD_CORE_NAME, 0));
	meta_destroy(s->meta);
	free(s);
	return error;
}

static const struct home_ops session_ops = {
	.start = session_start,
	.wait = session_wait,
	.stop = session_stop,
	.report = session_report,
	.close = session_close,
};

/* --- loading --------------------------------------------------------------------------------------- */

static struct error *load_core_module(struct kernel_session *s, const struct home_options *options)
{
	uint64_t began = clock_ns();
	struct error *error = load_core(s->kernel, options->core, &s->loaded_core);

	s->home.times.core = clock_ns() - began;
	return error;
}

/* Opened first, a core that is there stays while it is compared with the one at hand. */
static struct error *open_core(struct kernel_session *s, const struct home_options *options)
{
	struct error *error;

	s->fd = open(SPILE_DEVICE, O_RDWR | O_CLOEXEC);
	if (s->fd >= 0 || errno == ENOENT || errno == ENXIO || errno == ENODEV) {
		error = load_core_module(s, options);
		if (error)
			return error;
		if (s->fd < 0)
			s->fd = open(SPILE_DEVICE, O_RDWR | O_CLOEXEC);
		if (s->fd >= 0)
			return NULL;
	}
	if (errno == EACCES || errno == EPERM)
		return error_create(errno, SPILE_DEVICE ": only root may probe the kernel");
	return error_create(errno, SPILE_DEVICE ": %s%s", strerror(errno),
			    errno == ENOENT ? "; is devtmpfs mounted on /dev?" : "");
}

static struct error *load_script(struct kernel_session *s, const void *object, size_t len)
{
	uint64_t began = clock_ns();
	const char *name = s->meta->name;
	struct error *error = load_image(s->kernel, object, len, name);

	/* A script that was given a name of its own (-m) is not swept; if idle, it makes room. */
	if (error && error->err == EEXIST) {
		struct error *busy = module_remove(name, 0);

		if (busy) {
			error_destroy(busy);
			return error_wrap(error, "the script runs already");
		}
		error_destroy(error);
		error = load_image(s->kernel, object, len, name);
	}
	s->loaded_script = !error;
	s->home.times.load = clock_ns() - began;
	return error;
}

/* --- attaching --------------------------------------------------------------------------------------- */

static struct error *map_rings(struct kernel_session *s, const struct spile_attach *attach)
{
	void *map = mmap(NULL, attach->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

	if (map == MAP_FAILED)
		return error_create(errno, "cannot map the rings: %s", strerror(errno));
	s->home.rings = map;
	s->map_size = attach->map_size;
	s->home.ring_stride = attach->ring_stride;
	s->home.nrings = attach->ncpus;
	return NULL;
}

static struct error *attach(struct kernel_session *s, uint32_t ring_bytes)
{
	struct spile_attach attach = { .abi = SPILE_SESSION_ABI, .ring_bytes = ring_bytes };
	size_t len = strlen(s->meta->name);

	if (len >= sizeof(attach.script))
		return error_create(EINVAL, "the script's name is too long: %s", s->meta->name);
	memcpy(attach.script, s->meta->name, len);
	if (ioctl(s->fd, SPILE_IOC_ATTACH, &attach) < 0)
		return error_create(errno, "cannot attach to script %s: %s", s->meta->name,
				    errno == EINVAL ? "the loaded core is of another version; "
						      "remove it (rmmod spile) and try again" :
						      strerror(errno));
	if (attach.nprobes != s->meta->nprobes)
		return error_create(EINVAL, "script %s has %u probes, its object says %u",
				    s->meta->name, attach.nprobes, s->meta->nprobes);
	return map_rings(s, &attach);
}

static struct error *load_and_attach(struct kernel_session *s, const void *object, size_t len,
				     uint32_t ring_bytes)
{
	struct error *error;
	uint64_t began;

	while (flock(s->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_create(errno, SPILE_DEVICE ": %s", strerror(errno));
	module_sweep(SCRIPT_PREFIX);
	error = load_script(s, object, len);
	began = clock_ns();
	if (!error)
		error = attach(s, ring_bytes);
	s->home.times.attach = clock_ns() - began;
	flock(s->fd, LOCK_UN);
	return error;
}

static struct error *check_kernel(struct kernel *k, const struct script_meta *meta)
{
	const char *identity;
	struct error *error;

	if (!*meta->kernel)
		return NULL;
	error = kernel_identity(k, &identity);
	if (!error && strcmp(identity, meta->kernel) != 0)
		error = error_create(EINVAL,
				     "script %s was translated for kernel %s, this is %s; translate "
				     "it again", meta->name, meta->release, kernel_release(k));
	return error;
}

static struct error *session_init(struct kernel_session *s, const struct home_options *options)
{
	_cleanup_free_ char *object = NULL;
	struct error *error;
	size_t len;

	error = file_read(options->object, &object, &len);
	if (!error)
		error = meta_create_elf(object, len, &s->meta);
	if (error)
		return error_wrap(error, "%s", options->object);
	s->home.meta = s->meta;
	if (s->meta->abi != SPL_ABI)
		return error_create(EINVAL,
				    "%s: made for ABI %u of the run-time, this is %d; translate the "
				    "script again",
				    options->object, s->meta->abi, SPL_ABI);
	error = kernel_open_running(&s->kernel);
	if (!error)
		error = check_kernel(s->kernel, s->meta);
	if (!error)
		error = open_core(s, options);
	if (!error)
		error = load_and_attach(s, object, len, options->ring_bytes);
	kernel_close(s->kernel);
	s->kernel = NULL;
	return error;
}

struct error *kernel_session_open(const struct home_options *options, struct home **ret)
{
	struct kernel_session *s = calloc(1, sizeof(*s));
	struct error *error;

	if (!s)
		abort();
	s->home.ops = &session_ops;
	s->fd = -1;
	s->keep_core = options->keep_core;
	error = session_init(s, options);
	if (error) {
		error_destroy(session_close(&s->home));
		return error;
	}
	*ret = &s->home;
	return NULL;
}
