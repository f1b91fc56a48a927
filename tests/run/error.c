// SPDX-License-Identifier: GPL-2.0-only
/* An error in begin: the error probe runs, the end probe does not, the status is 1. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "before\n", "" }, { "in error\n", "" },
					     { "in end\n", "" } };

static void begin(struct spl_ctx *c)
{
	spl_print(c, 0, 0);
	spl_fail(c, "division by 0", "operator '/' at x.stp:1:20");
}

static void error(struct spl_ctx *c)
{
	spl_print(c, 1, 0);
}

static void end(struct spl_ctx *c)
{
	spl_print(c, 2, 0);
}

static const struct spl_probe probes[] = {
	PROBE(0, BEGIN, 0, begin, "begin"),
	PROBE(1, ERROR, 0, error, "error"),
	PROBE(2, END, 0, end, "end"),
};
SCRIPT(no_init, no_fini);
