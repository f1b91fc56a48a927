// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session of the kernel home: joins a script module, the run-time's session and the arming of its
 * probes behind one file descriptor. See session.h.
 *
 * The life of the parts: session_create() -> attach (script held, spl_session_init) -> start (begin
 * probes, arm_all) -> stop (arm_none, end probes) -> session_destroy() from the file's release,
 * which undoes whatever stage was reached. A mapping holds the file, so at release nobody looks at
 * the rings any more.
 *
 * Locks: `lock` is over attach, start, stop and report. It is never held while user memory is
 * accessed. wait and mmap do without it: they look at `attached`, which is published last and never
 * goes back.
 *
 * Waking: a handler in any context, NMI included, calls session_wake(), which may only queue an
 * irq_work; that wakes the readers.
 */
#include "kmod/session.h"

#include "engine/host.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"
#include "kmod/arm.h"
#include "kmod/script.h"
#include "ring/ring.h"

#define EINTR 4
#define TASK_INTERRUPTIBLE 1
#define TASK_NORMAL 3

struct session {
	struct irq_work wake_work; /* first: its handler gets its address */
	struct wait_queue_head readers;
	struct mutex lock;
	struct spl_script *script;
	struct spl_session spl;
	struct arming arming;
	uint64_t arm_ns;
	bool attached; /* script, spl and arming are there */
};

/* --- waking the reader ------------------------------------------------------------------------- */

/* Interrupt. */
static void wake_readers(struct irq_work *work)
{
	struct session *session = (struct session *)work;

	kfn_wake_up(&session->readers, TASK_NORMAL, 0, NULL);
}

/* any */
static void session_wake(struct spl_session *spl)
{
	struct session *session = spl->owner;

	kfn_irq_work_queue(&session->wake_work);
}

/* any */
static uint64_t session_missed(const struct spl_session *spl, uint32_t index)
{
	const struct session *session = spl->owner;

	return arm_unseen(&session->arming, index);
}

static bool is_attached(const struct session *session)
{
	return __atomic_load_n(&session->attached, __ATOMIC_ACQUIRE);
}

/* --- creating and attaching ---------------------------------------------------------------------- */

int session_create(struct session **ret)
{
	static char key[64]; /* for kernels that check the order of locks */
	struct session *session = host_zalloc(sizeof(*session));

	if (!session)
		return -ENOMEM;
	kernel_mutex_init(&session->lock);
	kfn_init_waitqueue_head(&session->readers, "spile", (struct lock_class_key *)key);
	kfield(&session->wake_work, irq_work, func) = wake_readers;
	*ret = session;
	return 0;
}

/* Binds the script and makes everything that a run needs. Under the lock. */
static int attach_script(struct session *session, const char *name, size_t ring_bytes)
{
	int err;

	if (session->attached)
		return -EBUSY;
	err = script_attach(name, &session->script);
	if (err)
		return err;
	err = spl_session_init(&session->spl, session->script, ring_bytes);
	if (err)
		goto detach;
	session->spl.owner = session;
	session->spl.wake = session_wake;
	session->spl.missed = session_missed;
	err = arming_init(&session->arming, &session->spl);
	if (err)
		goto deinit;
	__atomic_store_n(&session->attached, true, __ATOMIC_RELEASE);
	return 0;

deinit:
	spl_session_deinit(&session->spl);
detach:
	script_detach(session->script);
	return err;
}

int session_attach(struct session *session, struct spile_attach *attach)
{
	int err;

	if (attach->abi != SPILE_SESSION_ABI)
		return -EINVAL;
	attach->script[sizeof(attach->script) - 1] = 0;
	kfn_mutex_lock(&session->lock);
	err = attach_script(session, attach->script, attach->ring_bytes);
	kfn_mutex_unlock(&session->lock);
	if (err)
		return err;
	attach->ring_bytes = session->spl.ring_bytes;
	attach->ncpus = session->spl.ncpus;
	attach->nprobes = session->script->nprobes;
	attach->map_size = session->spl.map_size;
	attach->ring_stride = session->spl.ring_stride;
	return 0;
}

void session_destroy(struct session *session)
{
	if (is_attached(session)) {
		arm_none(&session->arming);
		arming_deinit(&session->arming);
		spl_session_deinit(&session->spl);
		script_detach(session->script);
	}
	kfn_irq_work_sync(&session->wake_work);
	host_free(session);
}

/* --- start and stop ---------------------------------------------------------------------------------- */

static uint32_t state_of(const struct session *session)
{
	return spl_session_state(&session->spl);
}

/* After the begin probes: arms, unless one of them said exit(). Under the lock. */
static int arm_session(struct session *session, struct spile_start *start)
{
	uint64_t began = host_clock_ns();
	unsigned failed;
	int err;

	if (state_of(session) != SPILE_STATE_RUNNING)
		return 0;
	err = arm_all(&session->arming, &failed);
	session->arm_ns = host_clock_ns() - began;
	if (!err)
		return 0;
	start->failed_probe = failed;
	start->failed_error = err;
	spl_session_exit(&session->spl);
	return err;
}

int session_start(struct session *session, struct spile_start *start)
{
	int err;

	if (!is_attached(session))
		return -EINVAL;
	start->failed_probe = 0;
	start->failed_error = 0;
	kfn_mutex_lock(&session->lock);
	if (state_of(session) == SPILE_STATE_ATTACHED) {
		session->spl.target_pid = start->target_pid;
		spl_session_begin(&session->spl);
		err = arm_session(session, start);
	} else {
		err = -EBUSY;
	}
	kfn_mutex_unlock(&session->lock);
	return err;
}

int session_stop(struct session *session, struct spile_wait *wait)
{
	if (!is_attached(session))
		return -EINVAL;
	kfn_mutex_lock(&session->lock);
	spl_session_exit(&session->spl);
	arm_none(&session->arming);
	if (state_of(session) != SPILE_STATE_STOPPED)
		spl_session_end(&session->spl);
	kfn_mutex_unlock(&session->lock);
	wait->state = state_of(session);
	return 0;
}

/* --- waiting --------------------------------------------------------------------------------------------- */

static struct ring *ring_of(const struct session *session, unsigned cpu)
{
	return (struct ring *)((char *)session->spl.rings + cpu * session->spl.ring_stride);
}

/* Asks for a wake-up at the next record of any CPU; true when there is one already. */
static bool has_records(struct session *session)
{
	bool found = false;
	unsigned i;

	for (i = 0; i < session->spl.ncpus; i++) {
		struct ring *ring = ring_of(session, i);

		ring_wake_request(ring);
		found |= __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) !=
			 __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
	}
	return found;
}

static bool should_return(struct session *session)
{
	uint32_t state = state_of(session);

	return has_records(session) || state == SPILE_STATE_EXITING ||
	       state == SPILE_STATE_STOPPED;
}

/* Sleeps until there is something to do, a signal, or the time-out: 0 or -EINTR. */
static int sleep_until(struct session *session, long jiffies)
{
	struct wait_queue_entry entry;
	int err = 0;

	kfn_init_wait_entry(&entry, 0);
	for (;;) {
		if (kfn_prepare_to_wait_event(&session->readers, &entry, TASK_INTERRUPTIBLE))
			err = -EINTR;
		if (should_return(session)) {
			err = 0;
			break;
		}
		if (err || jiffies <= 0)
			break;
		jiffies = kfn_schedule_timeout(jiffies);
	}
	kfn_finish_wait(&session->readers, &entry);
	return err;
}

#define WAIT_MS_MAX (60 * 60 * 1000)

int session_wait(struct session *session, struct spile_wait *wait)
{
	uint64_t ms = wait->timeout_ms < WAIT_MS_MAX ? wait->timeout_ms : WAIT_MS_MAX;
	int err;

	if (!is_attached(session))
		return -EINVAL;
	err = sleep_until(session, (long)((ms * host_hz() + 999) / 1000));
	wait->state = state_of(session);
	return err;
}

/* --- accounting --------------------------------------------------------------------------------------------- */

/* One probe's report to the reader's array. Takes the lock for the look, not for the copy. */
static int report_probe(struct session *session, uint64_t to, unsigned i)
{
	struct spile_probe_report probe = { 0 };
	unsigned long left;

	kfn_mutex_lock(&session->lock);
	spl_session_report_probe(&session->spl, i, &probe);
	arm_report(&session->arming, i, &probe);
	kfn_mutex_unlock(&session->lock);
	left = kfn_copy_to_user((void *)(to + i * sizeof(probe)), &probe, sizeof(probe));
	return left ? -EFAULT : 0;
}

int session_report(struct session *session, struct spile_report *report)
{
	unsigned i, n;
	int err = 0;

	if (!is_attached(session))
		return -EINVAL;
	n = session->script->nprobes < report->nprobes ? session->script->nprobes
						       : report->nprobes;
	for (i = 0; i < n && !err; i++)
		err = report_probe(session, report->probes, i);
	report->nprobes = n;
	report->arm_ns = session->arm_ns;
	spl_session_report(&session->spl, report);
	return err;
}

/* --- the rings --------------------------------------------------------------------------------------------------- */

/* The memory's own size is checked by the kernel's function. */
int session_mmap(struct session *session, struct vm_area_struct *vma)
{
	if (!is_attached(session) || kfield(vma, vm_area_struct, vm_pgoff))
		return -EINVAL;
	return kfn_remap_vmalloc_range(vma, session->spl.rings, 0);
}
