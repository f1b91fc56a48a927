// SPDX-License-Identifier: GPL-2.0-only
/** runtime/session.c - a session's life and its accounts; see session.h. All in task context. */
#include "runtime/session.h"

#include "engine/host.h"
#include "ring/local.h"
#include "runtime/internal.h"
#include "runtime/kept.h"
#include "spile/session.h"

#define CACHE_LINE 64
#define FORMATS_MAX 65536 /* a record has 16 bits for the number */

/** Memory of one CPU: the structure, the counts, then the frame area on a line of its own. */
static struct spl_cpu *cpu_create(struct spl_session *session, uint32_t number)
{
	const struct spl_script *script = session->script;
	size_t head = sizeof(struct spl_cpu) + script->nprobes * sizeof(struct spl_counts);
	struct spl_cpu *cpu;

	head = (head + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	cpu = host_zalloc(head + script->frame_size);
	if (!cpu)
		return NULL;
	cpu->frames = (char *)cpu + head;
	cpu->ctx.session = session;
	cpu->ctx.cpu = number;
	ring_init(&cpu->ring, (void *)((char *)session->rings + number * session->ring_stride),
		  session->ring_bytes);
	return cpu;
}

static void memory_deinit(struct spl_session *session)
{
	for (uint32_t i = 0; session->cpus && i < session->ncpus; i++)
		host_free(session->cpus[i]);
	host_free(session->cpus);
	host_pages_free(session->rings, session->map_size);
	spl_indent_destroy(session->indent);
	for (uint32_t i = 0; session->kept && i < session->script->nprobes; i++)
		spl_kept_destroy(session->kept[i]);
	host_free(session->kept);
}

static bool kept_init(struct spl_session *session)
{
	const struct spl_script *script = session->script;

	session->kept = host_zalloc((script->nprobes + 1) * sizeof(*session->kept));
	for (uint32_t i = 0; session->kept && i < script->nprobes; i++) {
		if (script->probes[i].kind != SPL_PROBE_KEEP)
			continue;
		session->kept[i] = spl_kept_create();
		if (!session->kept[i])
			return false;
	}
	return session->kept != NULL;
}

static int memory_init(struct spl_session *session)
{
	session->rings = host_pages_alloc(session->map_size);
	session->cpus = host_zalloc(session->ncpus * sizeof(*session->cpus));
	session->indent = spl_indent_create();
	if (!session->rings || !session->cpus || !session->indent || !kept_init(session))
		goto fail;
	for (uint32_t i = 0; i < session->ncpus; i++) {
		session->cpus[i] = cpu_create(session, i);
		if (!session->cpus[i])
			goto fail;
	}
	return 0;
fail:
	memory_deinit(session);
	return -ENOMEM;
}

int spl_session_init(struct spl_session *session, struct spl_script *script, size_t bytes)
{
	int err;

	if (script->abi != SPL_ABI || script->nformats > FORMATS_MAX)
		return -EINVAL;
	*session = (struct spl_session){ .script = script, .ncpus = host_cpu_max() };
	session->ring_stride = ring_bytes(bytes ? bytes : RING_DEFAULT_BYTES);
	session->ring_bytes = session->ring_stride - RING_HEAD_BYTES;
	session->map_size = session->ncpus * session->ring_stride;
	err = memory_init(session);
	if (err)
		return err;
	err = script->init ? script->init(script) : 0;
	if (err)
		memory_deinit(session);
	return err;
}

void spl_session_deinit(struct spl_session *session)
{
	if (session->script->fini)
		session->script->fini(session->script);
	memory_deinit(session);
}

/** Whether probe a comes before b: by order, which is signed, then by place in the script. */
static bool runs_before(const struct spl_probe *a, const struct spl_probe *b)
{
	if (a->param != b->param)
		return (int64_t)a->param < (int64_t)b->param;
	return a->index < b->index;
}

/** The probe of a kind that follows `last` in order (NULL: the first), or NULL. */
static const struct spl_probe *next_in_order(const struct spl_script *script, uint32_t kind,
					     const struct spl_probe *last)
{
	const struct spl_probe *best = NULL;

	for (uint32_t i = 0; i < script->nprobes; i++) {
		const struct spl_probe *p = &script->probes[i];

		if (p->kind == kind && (!last || runs_before(last, p)) &&
		    (!best || runs_before(p, best)))
			best = p;
	}
	return best;
}

void spl_session_begin(struct spl_session *session)
{
	const struct spl_probe *p = NULL;

	if (!spl_state_move(session, SPL_ATTACHED, SPL_STARTING))
		return;
	while ((p = next_in_order(session->script, SPL_PROBE_BEGIN, p)))
		if (spl_state_is(session, SPL_STARTING))
			spl_probe_run(session, p, NULL, NULL);
	spl_state_move(session, SPL_STARTING, SPL_RUNNING);
}

void spl_session_end(struct spl_session *session)
{
	const struct spl_probe *p = NULL;

	if (spl_state_is(session, SPL_ATTACHED) || spl_state_is(session, SPL_STOPPED))
		goto out;
	__atomic_store_n(&session->state, SPL_ENDING, __ATOMIC_RELEASE);
	while ((p = next_in_order(session->script, SPL_PROBE_END, p)))
		if (!__atomic_load_n(&session->failed, __ATOMIC_RELAXED))
			spl_probe_run(session, p, NULL, NULL);
	if (!__atomic_load_n(&session->failed, __ATOMIC_RELAXED))
		goto out;
	while ((p = next_in_order(session->script, SPL_PROBE_ERROR, p)))
		spl_probe_run(session, p, NULL, NULL);
out:
	__atomic_store_n(&session->state, SPL_STOPPED, __ATOMIC_RELEASE);
	spl_session_wake(session);
}

uint32_t spl_session_state(const struct spl_session *session)
{
	switch (__atomic_load_n(&session->state, __ATOMIC_ACQUIRE)) {
	case SPL_ATTACHED:
	case SPL_STARTING:
		return SPILE_STATE_ATTACHED;
	case SPL_RUNNING:
		return SPILE_STATE_RUNNING;
	case SPL_EXITING:
	case SPL_ENDING:
		return SPILE_STATE_EXITING;
	default:
		return SPILE_STATE_STOPPED;
	}
}

void spl_session_report_probe(const struct spl_session *session, uint32_t index,
			      struct spile_probe_report *ret)
{
	for (uint32_t i = 0; i < session->ncpus; i++) {
		const struct spl_counts *c = &session->cpus[i]->counts[index];

		ret->hits += local_load(&c->hits);
		ret->missed_nested += local_load(&c->missed_nested);
		ret->skipped_lock += local_load(&c->skipped_lock);
		ret->skipped_state += local_load(&c->skipped_state);
		ret->errors += local_load(&c->errors);
	}
}

void spl_session_report(const struct spl_session *session, struct spile_report *ret)
{
	ret->state = spl_session_state(session);
	ret->errors = __atomic_load_n(&session->errors, __ATOMIC_RELAXED);
	ret->lost = 0;
	for (uint32_t i = 0; i < session->ncpus; i++)
		ret->lost += local_load(&session->cpus[i]->ring.ring->lost);
	ret->skipped = __atomic_load_n(&session->missed_cpu, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < session->script->nprobes; i++) {
		struct spile_probe_report probe = { 0 };

		spl_session_report_probe(session, i, &probe);
		ret->skipped += probe.missed_nested + probe.skipped_lock + probe.skipped_state;
	}
}
