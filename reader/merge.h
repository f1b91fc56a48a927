/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/merge.h - the records of all rings as one stream in order of time.
 *
 * merge_collect() and merge_emit() are called again and again by one thread; the first takes what is
 * published out of the rings, the second hands the part that is certainly complete to the sink, in
 * order, and holds the rest back for a later call. The essay in merge.c says what "certainly complete" means.
 */
#ifndef SPILE_READER_MERGE_H
#define SPILE_READER_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/ring.h"

/** Takes one record; it lies in memory of the merge and is valid during the call. */
typedef void (*merge_sink_t)(void *arg, const struct ring_record *record);

struct merge_queue;

struct merge {
	struct merge_queue *queues; /* one a ring */
	unsigned *heap;             /* numbers of queues, the oldest front record first */
	unsigned nqueues;
	unsigned nheap;
	bool hurry;        /* a ring was a quarter full at the last poll, or not emptied: do not sleep
			      before the next */
	bool has_bound;
	size_t batch;      /* bytes that a poll takes out of a ring at most */
	uint64_t cut;      /* the last poll left records newer than this in a ring; else UINT64_MAX */
	uint64_t newest;   /* time of the newest record seen so far */
	uint64_t bound;    /* records up to this time are complete at the next poll */
	uint64_t bound_at; /* the reader's clock when the bound was taken, ns */
};

/** What a poll takes out of a ring at most: little enough to stay in the processor's caches. */
#define MERGE_BATCH (512 * 1024)

/** How long a bound ages before it is used, unless memory gets tight. ns */
#define MERGE_GRACE_NS 500000

/** Reads `nrings` rings, the i-th at map + i * stride. */
void merge_init(struct merge *m, void *map, size_t stride, unsigned nrings);
void merge_deinit(struct merge *m);
/** The first half of a poll: empties the rings, so that writers have room. */
void merge_collect(struct merge *m);
/**
 * The second half: emits what is complete. `now_ns` is any clock of the reader that does not go
 * back. True while records are held back: poll again soon, even if nothing new comes.
 */
bool merge_emit(struct merge *m, uint64_t now_ns, merge_sink_t sink, void *arg);
/** Both halves. */
bool merge_poll(struct merge *m, uint64_t now_ns, merge_sink_t sink, void *arg);
/** Empties the rings and emits everything: when no writer can be active any more. */
void merge_flush(struct merge *m, merge_sink_t sink, void *arg);
/** Asks all writers for a wake-up, before a wait; true: there is something to read already. */
bool merge_wake_request(struct merge *m);
/** Records that ring `i` dropped because it was full. */
uint64_t merge_lost(const struct merge *m, unsigned i);

#endif
