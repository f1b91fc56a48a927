// SPDX-License-Identifier: GPL-2.0-only
/* global n; probe timer.ms(2) { printf("tick %d\n", ++n); if (n == 5) exit() } */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "tick %d\n", "n" }, { "end after %d\n", "n" } };
static struct spl_lock lock;
static spl_s64 n;

static void tick(struct spl_ctx *c)
{
	union spl_val args[1];

	if (!spl_lock_write(&lock)) {
		spl_skip_lock(c);
		return;
	}
	args[0].n = ++n;
	spl_unlock_write(&lock);
	spl_print(c, 0, args);
	if (args[0].n == 5)
		spl_exit(c);
}

static void end(struct spl_ctx *c)
{
	union spl_val args[] = { { .n = n } };

	spl_print(c, 1, args);
}

static const struct spl_probe probes[] = {
	PROBE(0, TIMER, 2000000, tick, "timer.ms(2)"),
	PROBE(1, END, 0, end, "end"),
};
SCRIPT(no_init, no_fini);
