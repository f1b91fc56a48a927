// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hit counters for each CPU. A counter that all CPUs share costs every hit a locked instruction, and
 * two CPUs at once a fight for its cache line, which is more than the rest of a jump probe's hit.
 * A CPU adds to its own counters with one instruction, so whoever interrupts it and counts too takes
 * nothing away.
 *
 * Counter 0 is nobody's. Free ones are on a stack, so that few pages are in use.
 */
#include "engine/core/engine.h"
#include "engine/host.h"

static uint32_t *free_counters;
static unsigned free_count;

int counts_init(void)
{
	const struct engine_home *home = engine.home;
	unsigned i;

	free_count = 0;
	if (!home->counters)
		return 0;
	free_counters = host_zalloc(home->counters_per_cpu * sizeof(*free_counters));
	if (!free_counters)
		return -ENOMEM;
	for (i = home->counters_per_cpu - 1; i > 0; i--)
		free_counters[free_count++] = i;
	for (i = 0; i < host_cpu_max(); i++)
		engine.cpus[i].counts = home->counters + (size_t)i * home->counters_per_cpu;
	return 0;
}

void counts_deinit(void)
{
	host_free(free_counters);
	free_counters = NULL;
	free_count = 0;
}

uint32_t counter_take(void)
{
	return free_count ? free_counters[--free_count] : 0;
}

void counter_give(uint32_t counter)
{
	unsigned i;

	if (!counter)
		return;
	for (i = 0; i < host_cpu_max(); i++)
		if (engine.cpus[i].counts[counter]) /* leave untouched pages alone */
			engine.cpus[i].counts[counter] = 0;
	free_counters[free_count++] = counter;
}

uint64_t counter_sum(uint32_t counter)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < host_cpu_max(); i++)
		sum += __atomic_load_n(&engine.cpus[i].counts[counter], __ATOMIC_RELAXED);
	return sum;
}

void count_begin(struct kprobe *p)
{
	p->counter = counter_take();
}

void count_update(struct kprobe *p)
{
	if (p->counter)
		p->nhit = counter_sum(p->counter);
}

/* After host_synchronize(): nobody adds any more. */
void count_end(struct kprobe *p)
{
	count_update(p);
	counter_give(p->counter);
	p->counter = 0;
}
