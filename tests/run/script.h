/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a hand-written script: what the translator would put around the handlers. */
#include "runtime/script.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define PROBE(n, k, p, h, point) { .kind = SPL_PROBE_##k, .param = (p), .handler = (h), .pp = (point), .func = "", .index = (n), .source = (n) }

#define SCRIPT(init_fn, fini_fn)                                                                    \
	struct spl_script spl_script = {                                                           \
		.abi = SPL_ABI, .nprobes = COUNT(probes), .probes = probes,                        \
		.nformats = COUNT(formats), .string_size = 128, .formats = formats,                \
		.name = "spile_test", .max_action = 1000, .max_action_interruptible = 10000,               \
		.max_nesting = 10, .max_errors = 0, .max_skipped = 100, .frame_size = 4096,        \
		.init = (init_fn), .fini = (fini_fn),                                              \
	}

static inline int no_init(struct spl_script *script)
{
	return 0;
}

static inline void no_fini(struct spl_script *script)
{
}
