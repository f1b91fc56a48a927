/* SPDX-License-Identifier: GPL-2.0-only */
/** A print record's payload to text, as the reader does it. After cmocka.h. */
#ifndef SPILE_TESTS_FIXTURE_RENDER_H
#define SPILE_TESTS_FIXTURE_RENDER_H

#include "runtime/format.h"

static bool render_payload(struct format_sink *sink, const char *text, const char *types,
			   const void *payload, size_t size)
{
	struct format_piece plan[32];

	assert_in_range(format_plan(text, types, plan, 32), 1, 32);
	return format_render_plan(sink, plan, payload, size);
}

#endif
