// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timer probes.
 *
 *   TIMER          a high-resolution timer in its hard variant: hard interrupt, on -rt kernels too
 *   TIMER_JIFFIES  the timer wheel, in softirq, re-armed from its own handler against the time it
 *                  was due, so that it does not drift
 *   TIMER_PROFILE  a pinned high-resolution timer on each CPU, one period a tick
 *
 * Stopping: `stopping` is set first, so that a handler that runs now does not re-arm; then the
 * kernel's cancel waits for it.
 */
#include "engine/host.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "kmod/arm.h"

#define CLOCK_MONOTONIC 1

/* Shorter periods would leave the CPU no time for anything else. */
#define PERIOD_MIN_NS 10000

struct armed_hrtimer {
	struct hrtimer timer; /* first: the kernel's handler gets its address */
	struct armed_timer *owner;
};

struct armed_timer {
	struct timer_list wheel; /* first, for the same reason */
	struct armed *armed;
	unsigned long due;       /* wheel: jiffies */
	bool stopping;
	unsigned nhrtimers;      /* 1, or one for each CPU */
	struct armed_hrtimer hrtimers[];
};

/* --- periods: any context ------------------------------------------------------------------------ */

/* A random number for .randomize: good enough to keep timers from marching in step. */
static uint64_t random_below(uint64_t limit)
{
	uint64_t x = host_clock_ns() * 0x9e3779b97f4a7c15ull;

	return limit ? (x ^ (x >> 29)) % limit : 0;
}

/* The next period in the probe's unit: param, or param +- up to param2. */
static uint64_t next_period(const struct spl_probe *probe, uint64_t min)
{
	uint64_t period = probe->param;

	if (probe->flags & SPL_PROBE_RANDOMIZE) {
		period += random_below(2 * probe->param2 + 1);
		period = period > probe->param2 ? period - probe->param2 : 0;
	}
	return period < min ? min : period;
}

static uint64_t next_period_ns(const struct armed_timer *timer)
{
	if (timer->armed->probe->kind == SPL_PROBE_TIMER_PROFILE)
		return 1000000000u / host_hz();
	return next_period(timer->armed->probe, PERIOD_MIN_NS);
}

/* --- handlers -------------------------------------------------------------------------------------- */

/* Hard or soft interrupt. */
static void timer_run(struct armed_timer *timer)
{
	struct arming *arming = timer->armed->arming;

	if (arming_live(arming))
		spl_probe_run(arming->session, timer->armed->probe, NULL, NULL);
}

/* Hard interrupt. */
static int on_hrtimer(struct hrtimer *hrtimer)
{
	struct armed_timer *timer = ((struct armed_hrtimer *)hrtimer)->owner;

	timer_run(timer);
	if (__atomic_load_n(&timer->stopping, __ATOMIC_ACQUIRE))
		return (int)kenum(hrtimer_norestart);
	kfn_hrtimer_forward(hrtimer, kfn_ktime_get(), (int64_t)next_period_ns(timer));
	return (int)kenum(hrtimer_restart);
}

static void wheel_rearm(struct armed_timer *timer)
{
	unsigned long now = kvar_jiffies;

	timer->due += next_period(timer->armed->probe, 1);
	if ((long)(timer->due - now) <= 0) /* late by more than a period: do not catch up */
		timer->due = now + 1;
	kfn_mod_timer(&timer->wheel, timer->due);
}

/* Softirq. */
static void on_wheel(struct timer_list *wheel)
{
	struct armed_timer *timer = (struct armed_timer *)wheel;

	timer_run(timer);
	if (!__atomic_load_n(&timer->stopping, __ATOMIC_ACQUIRE))
		wheel_rearm(timer);
}

/* --- starting and stopping: task context -------------------------------------------------------------- */

static void hrtimer_prepare(struct armed_timer *timer, unsigned i, long mode)
{
	struct hrtimer *hrtimer = &timer->hrtimers[i].timer;

	timer->hrtimers[i].owner = timer;
	if (khas(hrtimer_setup)) {
		kfn_hrtimer_setup(hrtimer, on_hrtimer, CLOCK_MONOTONIC, (int)mode);
	} else {
		kfn_hrtimer_init(hrtimer, CLOCK_MONOTONIC, (int)mode);
		kfield(hrtimer, hrtimer, function) = on_hrtimer;
	}
}

static void hrtimer_begin(struct armed_timer *timer, unsigned i, long mode)
{
	kfn_hrtimer_start_range_ns(&timer->hrtimers[i].timer, (int64_t)next_period_ns(timer), 0,
				   (int)mode);
}

/* On each CPU, interrupts off. */
static void profile_begin(void *arg)
{
	hrtimer_begin(arg, kernel_cpu(), kenum(hrtimer_mode_rel_pinned));
}

static void profile_start(struct armed_timer *timer)
{
	unsigned long irq;
	unsigned i;

	for (i = 0; i < timer->nhrtimers; i++)
		hrtimer_prepare(timer, i, kenum(hrtimer_mode_rel_pinned));
	host_preempt_disable();
	kfn_smp_call_function(profile_begin, timer, 1);
	irq = host_irq_save();
	profile_begin(timer);
	host_irq_restore(irq);
	host_preempt_enable();
}

static void wheel_start(struct armed_timer *timer)
{
	static char key[64]; /* for kernels that check the order of locks */

	kfn_timer_init(&timer->wheel, on_wheel, 0, "spile", (struct lock_class_key *)key);
	timer->due = kvar_jiffies;
	wheel_rearm(timer);
}

int armed_timer_start(struct armed *armed)
{
	unsigned kind = armed->probe->kind;
	unsigned n = kind == SPL_PROBE_TIMER_PROFILE ? host_cpu_max() : 1;
	struct armed_timer *timer;

	timer = host_zalloc(sizeof(*timer) + n * sizeof(timer->hrtimers[0]));
	if (!timer)
		return -ENOMEM;
	timer->armed = armed;
	timer->nhrtimers = kind == SPL_PROBE_TIMER_JIFFIES ? 0 : n;
	armed->timer = timer;
	armed->counts = (struct engine_counts){ .planter = SPILE_PLANTER_TIMER };
	if (kind == SPL_PROBE_TIMER_PROFILE) {
		profile_start(timer);
	} else if (kind == SPL_PROBE_TIMER) {
		hrtimer_prepare(timer, 0, kenum(hrtimer_mode_rel));
		hrtimer_begin(timer, 0, kenum(hrtimer_mode_rel));
	} else {
		wheel_start(timer);
	}
	return 0;
}

void armed_timer_stop(struct armed *armed)
{
	struct armed_timer *timer = armed->timer;
	unsigned i;

	if (!timer)
		return;
	__atomic_store_n(&timer->stopping, true, __ATOMIC_RELEASE);
	for (i = 0; i < timer->nhrtimers; i++)
		kfn_hrtimer_cancel(&timer->hrtimers[i].timer);
	if (!timer->nhrtimers)
		kfn_timer_delete_sync(&timer->wheel);
	armed->timer = NULL;
	host_free(timer);
}
