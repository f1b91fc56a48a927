// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two scripts by hand, for session-calls.c, in one module: "session_test" probes getpgid() at entry
 * and return and has a begin, an end and a timer probe; getpgid(-77) makes it exit. "session_bad"
 * is the same with a last probe that cannot be planted, on the core's own text.
 */
#include "runtime/script.h"

int init_module(void);
void cleanup_module(void);

extern char kaddr___x64_sys_getpgid[];

static const struct spl_format formats[] = {
	{ .text = "begin %d\n", .types = "n" },
	{ .text = "end %d\n", .types = "n" },
	{ .text = "returned %d\n", .types = "n" },
};

static void on_begin(struct spl_ctx *c)
{
	union spl_val v = { .n = 1 };

	spl_print(c, 0, &v);
}

static void on_end(struct spl_ctx *c)
{
	union spl_val v = { .n = 2 };

	spl_print(c, 1, &v);
}

/* The wrapper's argument is the user's registers; their di is the pid. */
static void on_entry(struct spl_ctx *c)
{
	if (spl_load(c, (spl_u64)spl_arg(c, 0) + 112, 4, 1, 0) == -77)
		spl_exit(c);
}

static void on_return(struct spl_ctx *c)
{
	union spl_val v = { .n = spl_retval(c) };

	if (!c->entry_args || !c->entry_args[0])
		spl_fail(c, "no entry arguments", 0);
	spl_print(c, 2, &v);
}

static void on_timer(struct spl_ctx *c)
{
}

#define GOOD_PROBES                                                                                \
	{ .kind = SPL_PROBE_BEGIN, .handler = on_begin, .pp = "begin", .func = "", .index = 0 },   \
	{ .kind = SPL_PROBE_END, .handler = on_end, .pp = "end", .func = "", .index = 1 },         \
	{ .kind = SPL_PROBE_ENTRY, .addr = (spl_u64)kaddr___x64_sys_getpgid, .handler = on_entry,  \
	  .pp = "entry", .func = "getpgid", .index = 2 },                                          \
	{ .kind = SPL_PROBE_RETURN, .addr = (spl_u64)kaddr___x64_sys_getpgid,                      \
	  .entry_args = 6, .handler = on_return, .pp = "return",               \
	  .func = "getpgid", .index = 3 },                                                         \
	{ .kind = SPL_PROBE_TIMER, .param = 50000000, .handler = on_timer, .pp = "timer",          \
	  .func = "", .index = 4 },                                                                \
	{ .kind = SPL_PROBE_TIMER_JIFFIES, .param = 5, .handler = on_timer, .pp = "jiffies",       \
	  .func = "", .index = 5 },                                                                \
	{ .kind = SPL_PROBE_TIMER_PROFILE, .handler = on_timer, .pp = "profile", .func = "",       \
	  .index = 6 }

static const struct spl_probe good_probes[] = { GOOD_PROBES };
static const struct spl_probe bad_probes[] = {
	GOOD_PROBES,
	{ .kind = SPL_PROBE_STATEMENT, .addr = (spl_u64)spl_print, .handler = on_timer,
	  .pp = "own text", .func = "", .index = 7 },
};

#define SCRIPT(script_name, script_probes)                                                         \
	{                                                                                          \
		.abi = SPL_ABI, .nprobes = sizeof(script_probes) / sizeof(script_probes[0]),       \
		.probes = script_probes, .nformats = 3, .string_size = 128, .formats = formats,    \
		.name = script_name, .max_action = 1000, .max_action_interruptible = 1000,                 \
		.max_nesting = 10, .max_errors = 0, .max_skipped = 100, .frame_size = 4096,        \
	}

static struct spl_script good = SCRIPT("session_test", good_probes);
static struct spl_script bad = SCRIPT("session_bad", bad_probes);

int init_module(void)
{
	int err = spile_script_register(&good);

	if (err)
		return err;
	err = spile_script_register(&bad);
	if (err)
		spile_script_unregister(&good);
	return err;
}

void cleanup_module(void)
{
	spile_script_unregister(&good);
	spile_script_unregister(&bad);
}
