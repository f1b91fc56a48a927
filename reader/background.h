/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/background.h - -F: the session goes on in the background.
 *
 * A session ends with the process that reads it, so this process cannot leave it behind: it goes
 * on in a child from the very beginning. The parent stays until the script has started, tells the
 * child's number on standard output and ends with status 0; if the child ends before, with its.
 */
#ifndef SPILE_READER_BACKGROUND_H
#define SPILE_READER_BACKGROUND_H

#include "base/error.h"
#include "reader/output.h"

struct background {
	int ready_fd; /* -1: in the foreground */
};

/** Returns in the child. Before there are threads. */
struct error *background_enter(struct background *ret);
/** The script has started: lets the parent go, and messages go where the output goes. */
void background_ready(struct background *background, struct output *out, struct output *err);

#endif
