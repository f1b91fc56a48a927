/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/unit/fixture_runner.h - a session in this process, with probes written by hand. */
#ifndef SPILE_TESTS_FIXTURE_RUNNER_H
#define SPILE_TESTS_FIXTURE_RUNNER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/session.h"
#include "spile/session.h"
#include "tests/unit/fixture_render.h"

static struct spl_session session;
static char trace[512]; /* what handlers did, in order */

static inline void note(const char *what)
{
	strcat(trace, what);
}

#define PROBE(number, what, ...)                                                                   \
	{                                                                                          \
		.index = number, .kind = SPL_PROBE_##what, __VA_ARGS__                              \
	}

static const struct spl_format formats[] = {
	{ "n=%d s=%s\n", "ns" },
	{ "plain\n", "" },
};

static struct spl_script script = {
	.abi = SPL_ABI,
	.formats = formats,
	.nformats = 2,
	.string_size = 128,
	.name = "test",
	.max_action = 100,
	.max_action_interruptible = 1000,
	.max_nesting = 3,
	.max_errors = 0,
	.max_skipped = 5,
	.frame_size = 256,
};

static int wakes;

static inline void count_wake(struct spl_session *s)
{
	__atomic_add_fetch(&wakes, 1, __ATOMIC_RELAXED);
}

static inline void start(const struct spl_probe *probes, unsigned n)
{
	script.probes = probes;
	script.nprobes = n;
	trace[0] = '\0';
	wakes = 0;
	assert_int_equal(spl_session_init(&session, &script, 65536), 0);
	session.wake = count_wake;
}

static inline struct ring *ring_of(unsigned cpu)
{
	return (struct ring *)((char *)session.rings + cpu * session.ring_stride);
}

/* The text of the oldest record of this thread's ring: 'E' etc. and the message, or the print. */
static inline const char *read_text(void)
{
	static char text[512];
	struct ring *ring = ring_of(host_cpu());
	const struct ring_record *r = ring_peek(ring);
	struct format_sink sink;

	format_sink_init(&sink, text, sizeof(text));
	if (r && r->kind == RING_MESSAGE) {
		format_write(&sink, (const char *)&r->format, 1);
		format_puts(&sink, (const char *)(r + 1));
	} else if (r) {
		const struct spl_format *f = &formats[r->format];

		assert_true(render_payload(&sink, f->text, f->types, r + 1,
					   r->size - sizeof(*r)));
	}
	if (r)
		ring_consume(ring, r);
	return format_sink_finish(&sink);
}

static inline struct spile_probe_report report(unsigned index)
{
	struct spile_probe_report ret = { 0 };

	spl_session_report_probe(&session, index, &ret);
	return ret;
}

#endif
