// SPDX-License-Identifier: GPL-2.0-only
/* warn() and log() between prints: in order when both outputs are one. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "one\n", "" }, { "two\n", "" } };

static void begin(struct spl_ctx *c)
{
	spl_print(c, 0, 0);
	spl_message(c, 'W', "look out");
	spl_message(c, 'L', "for the record");
	spl_print(c, 1, 0);
	spl_exit(c);
}

static const struct spl_probe probes[] = { PROBE(0, BEGIN, 0, begin, "begin") };
SCRIPT(no_init, no_fini);
