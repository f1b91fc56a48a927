/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/timers.h - the timer probes of a script that runs in this process.
 *
 * One thread runs all of them, each on its own grid of times: a period that went by while the
 * thread could not run is left out, as the kernel's timers do it.
 */
#ifndef SPILE_READER_TIMERS_H
#define SPILE_READER_TIMERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/session.h"

struct timer {
	const struct spl_probe *probe;
	uint64_t period;  /* ns */
	uint64_t grid;    /* clock_ns() of the next expiry, before randomisation */
	uint64_t expires; /* and with it */
};

struct timers {
	struct spl_session *session;
	struct timer *timers;
	size_t count;
	pthread_t thread;
	pthread_mutex_t lock; /* guards stop */
	pthread_cond_t wake;
	bool stop;
	bool running;
	uint64_t random;
};

/** True for the probe kinds that this serves. */
bool timers_serve(const struct spl_probe *probe);
/** Starts the thread, if the session's script has timer probes. */
struct error *timers_start(struct timers *timers, struct spl_session *session);
/** Ends the thread; when it returns no timer's handler runs. Fine if never started. */
void timers_stop(struct timers *timers);

#endif
