// SPDX-License-Identifier: GPL-2.0-only
/* probe begin { println("hello world"); exit() } probe end { printf("bye %d %s\n", -7, "x") } */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "hello world\n", "" }, { "bye %d %s\n", "ns" } };

static void begin(struct spl_ctx *c)
{
	spl_print(c, 0, 0);
	spl_exit(c);
}

static void end(struct spl_ctx *c)
{
	union spl_val args[] = { { .n = -7 }, { .s = "x" } };

	spl_print(c, 1, args);
}

static const struct spl_probe probes[] = {
	PROBE(0, BEGIN, 0, begin, "begin"),
	PROBE(1, END, 0, end, "end"),
};
SCRIPT(no_init, no_fini);
