/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * runtime/session.h - one run of one script, in either home.
 *
 * The session joins a script's object (spl_script), a context and a ring for each CPU, and the
 * accounting. It is freestanding: kmod/ embeds it behind /dev/spile, the process runner embeds it
 * in an ordinary program. The owner plants the probes and calls spl_probe_run() when one is hit.
 * The life of a session, all calls in task context and from one thread at a time:
 *
 *   spl_session_init    memory, rings, then the script's init      ATTACHED
 *   spl_session_begin   runs the begin probes                      STARTING, then RUNNING
 *     ... the owner plants the probes, starts the timers ...       RUNNING, EXITING after exit()
 *     ... the owner removes them and waits for running handlers (host_synchronize) ...
 *   spl_session_end     runs the end probes, or the error probes   ENDING, then STOPPED
 *   spl_session_deinit  the script's fini, memory
 *
 * begin may be left out (an attach that was given up): end then only marks the session stopped.
 * The rings must stay until the reader has unmapped them: unmap before deinit.
 *
 * Numbers of CPUs. host_cpu() tells whose context and ring a hit uses. In a process it is the slot
 * of the thread; a thread that found no free slot has a number beyond the session's, and its hits
 * are counted in `missed_cpu`.
 */
#ifndef SPILE_RUNTIME_SESSION_H
#define SPILE_RUNTIME_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/ring.h"
#include "runtime/script.h"

struct spile_probe_report;
struct spile_report;
struct spl_indent;
struct spl_kept;

/** What happened to one probe on one CPU; only that CPU writes. */
struct spl_counts {
	uint64_t hits;
	uint64_t missed_nested;
	uint64_t skipped_lock;
	uint64_t skipped_state;
	uint64_t errors;
};

/** What belongs to one CPU: the context is the first member, so a spl_ctx leads to its CPU. */
struct spl_cpu {
	struct spl_ctx ctx;
	struct ring_writer ring;
	uint32_t busy;      /* a handler of this session runs here */
	bool skip_lock;     /* the running handler gave up on a lock */
	uint64_t hit_ns;    /* of a serial session: time of this hit; 0: not asked for yet */
	char *frames;       /* the frame area, script->frame_size bytes */
	struct spl_counts counts[]; /* by probe index */
};

enum spl_state {
	SPL_ATTACHED,
	SPL_STARTING, /* begin probes run */
	SPL_RUNNING,  /* all probes but begin, end and error run */
	SPL_EXITING,  /* exit() was called, or too many errors: nothing runs */
	SPL_ENDING,   /* end and error probes run */
	SPL_STOPPED,
};

struct spl_session {
	/* set by the owner, any time after init */
	void (*wake)(struct spl_session *session); /* there is something to read, or the state is
						      EXITING; called in any context; may be NULL */
	/* The CPU's ring is full: waits until ring_tail() has come to `target` (true), or gives the
	   record up. Called by a handler, between two attempts; NULL where handlers cannot sleep:
	   in a kernel, and in a process that is being probed. */
	bool (*wait_room)(struct spl_session *session, const struct ring *ring, uint64_t target);
	bool serial;          /* no two handlers of it ever run at the same time: their records can
				 bear the time of the hit, which is cheaper than one each */
	void *owner;          /* for the owner's use in wake and wait_room */
	uint64_t target_pid;  /* target() of the script; 0 none */
	/* how many hits of a SPL_PROBE_KEEP probe went by unseen; any context */
	uint64_t (*missed)(const struct spl_session *session, uint32_t index);

	/* readable by the owner */
	struct spl_script *script;
	uint32_t ncpus;
	void *rings;          /* ring i is at rings + i * ring_stride; map_size bytes to map */
	size_t ring_stride;   /* whole pages */
	size_t map_size;
	uint32_t ring_bytes;  /* data bytes of one ring, rounded up */
	struct spl_kept **kept; /* by probe index; NULL but for SPL_PROBE_KEEP, whose hits the owner
				   notes there */

	/* internal; changed by atomic operations */
	struct spl_cpu **cpus;
	struct spl_indent *indent;
	uint32_t state;       /* enum spl_state */
	bool failed;          /* ended by errors: error probes instead of end probes */
	uint32_t stopping;    /* somebody keeps adders out, see share.c */
	uint64_t errors;      /* script errors */
	uint64_t skipped;     /* hits counted against MAXSKIPPED */
	uint64_t missed_cpu;  /* hits on a CPU that has no context */
};

/**
 * Prepares a session and runs the script's init. `ring_bytes` is the data size of one CPU's ring,
 * 0 for the default. -EINVAL: the script is of another ABI, or has more than 65536 formats;
 * -ENOMEM; or what init returned. After a failure there is nothing to undo.
 */
int spl_session_init(struct spl_session *session, struct spl_script *script, size_t ring_bytes);
/** Runs the script's fini and frees everything. No handler runs and the rings are unmapped. */
void spl_session_deinit(struct spl_session *session);

/** Runs the begin probes, lowest order first, and sets the state to RUNNING, unless a probe called
 * exit() or failed. */
void spl_session_begin(struct spl_session *session);
/** Runs the end probes (after errors: the error probes). All probes have been removed before. */
void spl_session_end(struct spl_session *session);
/** Asks the session to end, as exit() does. any context */
void spl_session_exit(struct spl_session *session);
/** SPILE_STATE_*. any context */
uint32_t spl_session_state(const struct spl_session *session);

/**
 * Runs a probe's handler for a hit. `regs` is NULL for timers; `entry_args` is NULL, or for
 * a return probe that wants them the arguments at the entry. True: the handler was entered.
 * Otherwise the hit was counted: a handler was already running on this CPU, or the session is not
 * in the state for it. Disables interrupts meanwhile. any context
 */
bool spl_probe_run(struct spl_session *session, const struct spl_probe *probe, struct pt_regs *regs,
		   const uint64_t *entry_args);

/** Adds what this session counted of a probe to *ret: hits, missed_nested, skipped_*, errors. */
void spl_session_report_probe(const struct spl_session *session, uint32_t index,
			      struct spile_probe_report *ret);
/** Fills state, errors, lost and skipped of *ret. */
void spl_session_report(const struct spl_session *session, struct spile_report *ret);

#endif
