// SPDX-License-Identifier: GPL-2.0-only
/* Prints more in one timer hit than a small ring holds: what is lost is counted. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "%d\n", "n" } };

static void tick(struct spl_ctx *c)
{
	for (spl_s64 i = 0; i < 100000; i++) {
		union spl_val args[] = { { .n = i } };

		spl_print(c, 0, args);
	}
	spl_exit(c);
}

static const struct spl_probe probes[] = { PROBE(0, TIMER, 1000000, tick, "timer.ms(1)") };
SCRIPT(no_init, no_fini);
