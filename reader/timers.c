// SPDX-License-Identifier: GPL-2.0-only
#include "reader/timers.h"

#include <stdlib.h>
#include <string.h>

#include "engine/host.h"
#include "reader/clock.h"
#include "reader/signals.h"

#define NS_PER_S 1000000000u

bool timers_serve(const struct spl_probe *probe)
{
	return probe->kind == SPL_PROBE_TIMER || probe->kind == SPL_PROBE_TIMER_JIFFIES ||
	       probe->kind == SPL_PROBE_TIMER_PROFILE;
}

/* ns of a count in the probe's unit */
static uint64_t to_ns(const struct spl_probe *probe, uint64_t count)
{
	return probe->kind == SPL_PROBE_TIMER ? count : count * (NS_PER_S / host_hz());
}

/* xorshift: spread is all that is asked of it */
static uint64_t next_random(struct timers *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

/* Moves a timer to its next time after `now`. */
static void timer_forward(struct timers *t, struct timer *timer, uint64_t now)
{
	uint64_t width;

	timer->grid += timer->period;
	if (timer->grid <= now)
		timer->grid += (now - timer->grid) / timer->period * timer->period + timer->period;
	timer->expires = timer->grid;
	if (!(timer->probe->flags & SPL_PROBE_RANDOMIZE))
		return;
	width = to_ns(timer->probe, timer->probe->param2);
	if (width > timer->period)
		width = timer->period;
	if (width)
		timer->expires += next_random(t) % (2 * width) - width;
}

static void timers_collect(struct timers *t)
{
	const struct spl_script *script = t->session->script;
	uint64_t now = clock_ns();

	t->random = now | 1;
	for (uint32_t i = 0; i < script->nprobes; i++) {
		const struct spl_probe *probe = &script->probes[i];
		struct timer *timer = &t->timers[t->count];

		if (!timers_serve(probe))
			continue;
		timer->probe = probe;
		timer->period = to_ns(probe, probe->kind == SPL_PROBE_TIMER_PROFILE ? 1 :
									     probe->param);
		if (!timer->period)
			timer->period = 1;
		timer->grid = now;
		timer_forward(t, timer, now);
		t->count++;
	}
}

static struct timer *timers_earliest(struct timers *t)
{
	struct timer *best = &t->timers[0];

	for (size_t i = 1; i < t->count; i++)
		if (t->timers[i].expires < best->expires)
			best = &t->timers[i];
	return best;
}

/* Sleeps until a time or until stop; true to go on. */
static bool timers_sleep(struct timers *t, uint64_t until)
{
	struct timespec when = { .tv_sec = (time_t)(until / NS_PER_S),
				 .tv_nsec = (long)(until % NS_PER_S) };
	bool go_on;

	pthread_mutex_lock(&t->lock);
	while (!t->stop && clock_ns() < until)
		pthread_cond_timedwait(&t->wake, &t->lock, &when);
	go_on = !t->stop;
	pthread_mutex_unlock(&t->lock);
	return go_on;
}

static void *timers_thread(void *arg)
{
	struct timers *t = arg;

	signals_block_in_thread();
	for (;;) {
		struct timer *timer = timers_earliest(t);

		if (!timers_sleep(t, timer->expires))
			return NULL;
		spl_probe_run(t->session, timer->probe, NULL, NULL);
		timer_forward(t, timer, clock_ns());
	}
}

static void timers_init(struct timers *t, struct spl_session *session)
{
	pthread_condattr_t attr;

	memset(t, 0, sizeof(*t));
	t->session = session;
	t->timers = calloc(session->script->nprobes + 1, sizeof(*t->timers));
	if (!t->timers)
		abort();
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&t->lock, NULL);
}

static void timers_deinit(struct timers *t)
{
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->timers);
	memset(t, 0, sizeof(*t));
}

struct error *timers_start(struct timers *t, struct spl_session *session)
{
	int err;

	timers_init(t, session);
	timers_collect(t);
	if (!t->count) {
		timers_deinit(t);
		return NULL;
	}
	err = pthread_create(&t->thread, NULL, timers_thread, t);
	if (err) {
		timers_deinit(t);
		return error_create(err, "cannot make the timer thread: %s", strerror(err));
	}
	t->running = true;
	return NULL;
}

void timers_stop(struct timers *t)
{
	if (!t->running)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	timers_deinit(t);
}
