/* SPDX-License-Identifier: GPL-2.0-only */
/** probe/argument.h - what an event reads at its place, as its line has it. */
#ifndef SPILE_PROBE_ARGUMENT_H
#define SPILE_PROBE_ARGUMENT_H

#include "base/strbuf.h"
#include "symbols/places.h"

struct event_place {
	struct debuginfo *info;
	const struct code_function *of; /* whose variables; NULL: of whatever is there */
	uint64_t address;
};

/** Whether it takes debug information: registers, symbols and $retval do not. */
bool event_argument_is_variable(const char *argument);
/** Adds " name=+0(%di):u32" to the line. */
struct error *event_argument_add(const struct event_place *at, const char *argument,
				 struct strbuf *out);

#endif
