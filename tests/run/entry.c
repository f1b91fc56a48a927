// SPDX-License-Identifier: GPL-2.0-only
/* A probe on code has no place in this home. */
#include "tests/run/script.h"

static const struct spl_format formats[] = { { "x\n", "" } };

static void entry(struct spl_ctx *c)
{
	spl_print(c, 0, 0);
}

static const struct spl_probe probes[] = {
	PROBE(0, ENTRY, 0, entry, "kernel.function(\"vfs_read\")"),
};
SCRIPT(no_init, no_fini);
