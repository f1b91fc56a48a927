/* SPDX-License-Identifier: GPL-2.0-only */
/** runtime/hist.h - histograms as text, for handlers and for the reader. */
#ifndef SPILE_RUNTIME_HIST_H
#define SPILE_RUNTIME_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct format_sink;

/** The argument of type 'h' in a record begins with this; the counts of the buckets follow. */
struct hist_head {
	uint32_t kind;    /* SPL_STAT_LOG or _LINEAR */
	int32_t elision;  /* empty rows that stay beside others; negative: all */
	uint32_t buckets; /* of the histogram */
	uint32_t first;   /* the first bucket that is not empty */
	uint32_t count;   /* buckets from it to the last that is not empty */
	uint32_t pad;
	int64_t low, width; /* LINEAR */
};

struct hist {
	struct hist_head head;
	/** The count of bucket number i, for first <= i < first + count. */
	int64_t (*get)(const struct hist *hist, uint32_t i);
	const void *source;
};

/** Fills get and source for a record's argument of `size` bytes; false if it is none. */
bool hist_from_record(struct hist *hist, const void *data, size_t size);
/**
 * Draws it: a head line, a row for each bucket, a blank line.
 *
 *	value |-------------------------------------------------- count
 *	    0 |@@@@@                                               5
 *	    1 |                                                    0
 *	      ~
 */
void hist_render(struct format_sink *sink, const struct hist *hist);

#endif
