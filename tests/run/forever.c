// SPDX-License-Identifier: GPL-2.0-only
/* Ticks until somebody ends it; says so in the end probe. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "ready\n", "" }, { "tick\n", "" }, { "end\n", "" } };

static void begin(struct spl_ctx *c)
{
	spl_print(c, 0, 0);
}

static void tick(struct spl_ctx *c)
{
	spl_print(c, 1, 0);
}

static void end(struct spl_ctx *c)
{
	spl_print(c, 2, 0);
}

static const struct spl_probe probes[] = {
	PROBE(0, BEGIN, 0, begin, "begin"),
	PROBE(1, TIMER, 1000000, tick, "timer.ms(1)"),
	PROBE(2, END, 0, end, "end"),
};
SCRIPT(no_init, no_fini);
