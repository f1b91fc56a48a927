// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/probe.c - running a probe's handler, and what becomes of its errors.
 *
 * The steps of a hit, all with interrupts off: find this CPU's context; refuse if a handler already
 * runs on it (we are on top of it: an NMI, or a fault that a handler took); refuse if the session
 * is not in the state for this kind of probe; set the context up; call the handler; count and
 * report how it ended. A refused hit changes nothing but a counter.
 */
#include "engine/host.h"
#include "ring/local.h"
#include "runtime/format.h"
#include "runtime/internal.h"
#include "spile/session.h"

/** The state in which probes of a kind run. */
static enum spl_state state_for(uint32_t kind)
{
	switch (kind) {
	case SPL_PROBE_BEGIN:
		return SPL_STARTING;
	case SPL_PROBE_END:
	case SPL_PROBE_ERROR:
		return SPL_ENDING;
	default:
		return SPL_RUNNING;
	}
}

void spl_session_exit(struct spl_session *session)
{
	if (spl_state_move(session, SPL_RUNNING, SPL_EXITING) ||
	    spl_state_move(session, SPL_STARTING, SPL_EXITING))
		spl_session_wake(session);
}

void spl_exit(struct spl_ctx *c)
{
	spl_session_exit(c->session);
}

/** Ends the session because of errors: error probes will run instead of end probes. */
static void session_fail(struct spl_session *session)
{
	__atomic_store_n(&session->failed, true, __ATOMIC_RELAXED);
	spl_session_exit(session);
}

/** Counts a skipped hit against MAXSKIPPED. */
static void count_skipped(struct spl_session *session, struct spl_cpu *cpu)
{
	static const char text[] = "Skipped too many probes, check MAXSKIPPED";
	uint64_t skipped = __atomic_add_fetch(&session->skipped, 1, __ATOMIC_RELAXED);

	if (session->script->bears_errors || skipped != (uint64_t)session->script->max_skipped + 1)
		return;
	spl_cpu_message(session, cpu, 'E', text, sizeof(text) - 1);
	session_fail(session);
}

void spl_skip_lock(struct spl_ctx *c)
{
	spl_ctx_cpu(c)->skip_lock = true;
}

void spl_fail_address(struct spl_ctx *c, const char *sentence, uint64_t addr, const char *place)
{
	struct format_sink sink;

	if (c->error)
		return;
	format_sink_init(&sink, c->error_buf, sizeof(c->error_buf));
	format_puts(&sink, sentence);
	format_puts(&sink, " at ");
	format_pointer(&sink, addr);
	spl_fail(c, format_sink_finish(&sink), place);
}

/** Sends "SENTENCE near PLACE" to the reader. */
static void send_error(struct spl_session *session, struct spl_cpu *cpu)
{
	struct spl_ctx *c = &cpu->ctx;
	const char *place = c->error_place;
	size_t len = spl_str_len(c->error), place_len = place ? spl_str_len(place) : 0;
	size_t total = len + (place ? 6 + place_len : 0);
	char *p = spl_cpu_reserve(session, cpu, RING_MESSAGE, 'E', total + 1);

	if (p) {
		memcpy(p, c->error, len);
		if (place) {
			memcpy(p + len, " near ", 6);
			memcpy(p + len + 6, place, place_len);
		}
		p[total] = '\0';
		spl_cpu_commit(session, cpu);
	}
}

/** Tells the reader of an error and counts it against MAXERRORS. */
static void report_error(struct spl_session *session, struct spl_cpu *cpu)
{
	uint64_t errors = __atomic_add_fetch(&session->errors, 1, __ATOMIC_RELAXED);

	if (session->script->bears_errors)
		return;
	send_error(session, cpu);
	if (errors > (uint64_t)session->script->max_errors)
		session_fail(session);
}

static void context_init(struct spl_session *session, struct spl_cpu *cpu,
			 const struct spl_probe *probe, struct pt_regs *regs,
			 const uint64_t *entry_args)
{
	const struct spl_script *script = session->script;
	struct spl_ctx *c = &cpu->ctx;
	bool task = probe->kind <= SPL_PROBE_ERROR;

	c->probe = probe;
	c->regs = regs;
	c->entry_args = (const spl_u64 *)entry_args;
	c->error = NULL;
	c->error_place = NULL;
	c->aborted = 0;
	c->actions = task ? script->max_action_interruptible : script->max_action;
	c->nesting = script->max_nesting;
	c->frame_top = cpu->frames;
	c->frame_end = cpu->frames + script->frame_size;
	cpu->skip_lock = false;
}

/** Calls the handler; `busy` is set, so nothing else of this session runs on this CPU. */
static void run_handler(struct spl_session *session, struct spl_cpu *cpu,
			const struct spl_probe *probe, struct pt_regs *regs,
			const uint64_t *entry_args)
{
	struct spl_counts *counts = &cpu->counts[probe->index];

	context_init(session, cpu, probe, regs, entry_args);
	local_add(&counts->hits, 1);
	probe->handler(&cpu->ctx);
	if (spl_unlikely(cpu->skip_lock)) {
		local_add(&counts->skipped_lock, 1);
		count_skipped(session, cpu);
	}
	if (SPL_FAILED(&cpu->ctx) && !cpu->ctx.aborted) {
		local_add(&counts->errors, 1);
		report_error(session, cpu);
	}
	cpu->hit_ns = 0;
}

/** One hit on this CPU, with interrupts off. */
static bool run_here(struct spl_session *session, struct spl_cpu *cpu,
		     const struct spl_probe *probe, struct pt_regs *regs,
		     const uint64_t *entry_args)
{
	struct spl_counts *counts = &cpu->counts[probe->index];

	if (spl_unlikely(__atomic_load_n(&cpu->busy, __ATOMIC_RELAXED))) {
		local_add(&counts->missed_nested, 1);
		count_skipped(session, cpu);
		return false;
	}
	/* Who interrupts here finds and leaves the context unused: no atomic exchange is needed. */
	__atomic_store_n(&cpu->busy, 1, __ATOMIC_RELAXED);
	local_barrier();
	if (spl_likely(spl_state_is(session, state_for(probe->kind)))) {
		run_handler(session, cpu, probe, regs, entry_args);
		local_barrier();
		__atomic_store_n(&cpu->busy, 0, __ATOMIC_RELAXED);
		return true;
	}
	local_add(&counts->skipped_state, 1);
	__atomic_store_n(&cpu->busy, 0, __ATOMIC_RELAXED);
	return false;
}

bool spl_probe_run(struct spl_session *session, const struct spl_probe *probe, struct pt_regs *regs,
		   const uint64_t *entry_args)
{
	unsigned long flags = host_irq_save();
	unsigned number = host_cpu();
	bool ran = false;

	if (spl_likely(number < session->ncpus))
		ran = run_here(session, session->cpus[number], probe, regs, entry_args);
	else
		__atomic_add_fetch(&session->missed_cpu, 1, __ATOMIC_RELAXED);
	host_irq_restore(flags);
	return ran;
}
