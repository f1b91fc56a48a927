/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/story.h - what became of a guest, read from its kernel log and its registers. */
#ifndef SPILE_VM_STORY_H
#define SPILE_VM_STORY_H

#include <stdbool.h>

#include "base/strbuf.h"

/** True if the log has a panic. */
bool story_has_panic(const char *log);

/** Adds "guest panic: REASON", where it was, and the log from the first sign of trouble on. */
void story_add_panic(struct strbuf *out, const char *log);

/** Adds the log, indented, from the first sign of trouble on; its end, if there is no such sign. */
void story_add_trouble(struct strbuf *out, const char *log);

/** Adds the last `lines` lines of the log, indented. */
void story_add_tail(struct strbuf *out, const char *log, int lines);

/**
 * Adds one line per virtual processor from the monitor's answer to "info registers -a": halted, in
 * user space, or the kernel address, as function+offset where `kallsyms` (text of a boot without
 * address randomisation, or NULL) and the offset that the log's panic message tells allow it.
 */
void story_add_places(struct strbuf *out, const char *registers, const char *log,
		      const char *kallsyms);

#endif
