// SPDX-License-Identifier: GPL-2.0-only
/* Prints two million records in begin and as many in timer hits, 100,000 each, then a last one. */
#include "tests/run/script.h"

enum { IN_BEGIN = 2000000, IN_TIMERS = 2000000, IN_HIT = 100000 };

static const struct spl_format formats[] = { { "%d %s\n", "ns" }, { "end\n", "" } };
static spl_s64 printed;

static void print(struct spl_ctx *c, spl_s64 count)
{
	while (count--) {
		union spl_val args[] = { { .n = printed++ }, { .s = "some string" } };

		spl_print(c, 0, args);
	}
}

static void begin(struct spl_ctx *c)
{
	print(c, IN_BEGIN);
}

static void tick(struct spl_ctx *c)
{
	print(c, IN_HIT);
	if (printed == IN_BEGIN + IN_TIMERS)
		spl_exit(c);
}

static void end(struct spl_ctx *c)
{
	spl_print(c, 1, 0);
}

static const struct spl_probe probes[] = {
	PROBE(0, BEGIN, 0, begin, "begin"),
	PROBE(1, TIMER, 1000000, tick, "timer.ms(1)"),
	PROBE(2, END, 0, end, "end"),
};
SCRIPT(no_init, no_fini);
