/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * kmod/arm.h - a script's probes in place: on code through the engine, on time through timers.
 *
 * Each probe of a script that something outside must fire has a `struct armed`, by the probe's
 * index. arm_all() and arm_none() are task context; between them handlers run in any.
 */
#ifndef SPILE_KMOD_ARM_H
#define SPILE_KMOD_ARM_H

#include "engine/core/engine.h"
#include "runtime/session.h"

struct armed_timer;

struct armed {
	union {
		struct kprobe kp;
		struct kretprobe rp;
	} on;
	struct arming *arming;
	const struct spl_probe *probe;
	struct armed_timer *timer;   /* while armed */
	struct engine_counts counts; /* the last known */
};

struct arming {
	struct spl_session *session;
	struct armed *probes;   /* by index */
	struct kprobe **entries; /* those on code, as the engine wants them */
	struct kretprobe **returns;
	unsigned nentries, nreturns;
	bool on_code;           /* the engine has them */
	bool live;              /* all are armed: before that, hits are none of the script's */
};

/** Makes room for all probes of the session's script. 0 or -ENOMEM. */
int arming_init(struct arming *arming, struct spl_session *session);
void arming_deinit(struct arming *arming);

/** Arms everything or nothing; *ret_failed is the index of the probe that could not be armed. */
int arm_all(struct arming *arming, unsigned *ret_failed);
/** Disarms everything; when it returns no handler runs. */
void arm_none(struct arming *arming);
/** Whether hits count; true between arm_all() and arm_none(). any context */
static inline bool arming_live(const struct arming *arming)
{
	return __atomic_load_n(&arming->live, __ATOMIC_RELAXED);
}

/** Grows when a hit of a probe on code went by unseen. From handlers, any context. */
uint64_t arm_unseen(const struct arming *arming, unsigned index);

/** Adds the engine's counts of a probe to a report. */
void arm_report(struct arming *arming, unsigned index, struct spile_probe_report *ret);

/* timer.c: starts the timer of a timer probe; 0 or -errno. */
int armed_timer_start(struct armed *armed);
/** Stops it and waits for its handler; nothing if it was not started. */
void armed_timer_stop(struct armed *armed);

#endif
