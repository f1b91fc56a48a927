// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merging the rings.
 *
 * The problem. Each CPU publishes its records in its own ring, in order. The user wants one stream
 * in order of time. When ring A shows a record of time 10 and ring B is empty, may the 10 be
 * printed? B's CPU may have read its clock at 9 and not have published yet.
 *
 * The rule. A poll first copies everything that is published into a queue for each ring, which also
 * gives the rings their room back. The newest time among all that was seen becomes the *bound*. It
 * is the *next* poll, having copied again, that emits the records up to this bound, merged by time.
 *
 *      poll 1   A: 10 12      B: -        bound 12, nothing emitted
 *      poll 2   A: 15         B: 9 13     emitted: 9 10 12; bound 15
 *      poll 3   A: -          B: -        emitted: 13 15
 *
 * Why two polls. Suppose that record b depends on record a: a was published, then something
 * happened that led to b (the same task moved to another CPU; a lock was handed over). The poll
 * that sees b may have visited a's ring just before a came in. But a was published before b, so
 * the next poll sees a for certain, before b is emitted. Cause comes before effect, always, however
 * long a writer is delayed.
 *
 * What is left is records that have nothing to do with each other: a writer that read its clock at
 * 9 and was held up before publishing (its virtual CPU lost the real one) while others went on. So
 * a bound is used only when it is MERGE_GRACE_NS old; handlers run with interrupts disabled and
 * take microseconds. A writer that is held up for longer comes out late: never lost, and never
 * before its cause. Waiting for such a writer without limit would let one stuck CPU stop all
 * output, so the merge does not.
 *
 * Under load the queues must not grow without limit: when one holds more than MERGE_CROWDED times
 * its ring, the bound is used without ageing. The two-poll rule still stands.
 *
 * A poll takes a limited part out of each ring, so that what it copies is still in the caches when it
 * is emitted a poll later. If it leaves records in a ring, it has not visited what is newer than the
 * last one that it took there, so it emits up to that one only; the bound stands for the next poll.
 *
 * Inside one ring the order of publishing is kept as it is. An NMI that interrupts a writer between
 * clock and reservation comes first in the ring with a later time; both are emitted at the time of
 * the first.
 */
#include "reader/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MERGE_CROWDED = 4 };

/* Records of one ring, copied, oldest at `start`. */
struct merge_queue {
	struct ring *ring;
	size_t ring_size; /* data bytes; a copy, as the ring is shared memory */
	char *data;
	size_t start;
	size_t end;
	size_t cap;
	uint64_t last; /* time of the last record that was copied by this poll, 0: none was */
};

static void *must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void merge_init(struct merge *m, void *map, size_t stride, unsigned nrings)
{
	memset(m, 0, sizeof(*m));
	m->batch = MERGE_BATCH;
	m->nqueues = nrings;
	m->queues = must(calloc(nrings + 1, sizeof(*m->queues)));
	m->heap = must(calloc(nrings + 1, sizeof(*m->heap)));
	for (unsigned i = 0; i < nrings; i++) {
		m->queues[i].ring = (struct ring *)((char *)map + i * stride);
		m->queues[i].ring_size = m->queues[i].ring->size;
	}
}

void merge_deinit(struct merge *m)
{
	for (unsigned i = 0; i < m->nqueues; i++)
		free(m->queues[i].data);
	free(m->queues);
	free(m->heap);
	memset(m, 0, sizeof(*m));
}

uint64_t merge_lost(const struct merge *m, unsigned i)
{
	return __atomic_load_n(&m->queues[i].ring->lost, __ATOMIC_RELAXED);
}

bool merge_wake_request(struct merge *m)
{
	bool readable = false;

	for (unsigned i = 0; i < m->nqueues; i++)
		ring_wake_request(m->queues[i].ring);
	for (unsigned i = 0; i < m->nqueues && !readable; i++)
		readable = ring_peek(m->queues[i].ring) != NULL;
	return readable;
}

/* --- queues ---------------------------------------------------------------------------------- */

static const struct ring_record *queue_front(const struct merge_queue *q)
{
	return (const struct ring_record *)(q->data + q->start);
}

static bool queue_empty(const struct merge_queue *q)
{
	return q->start == q->end;
}

/* Room for `size` bytes at the end: what was emitted is overwritten before the queue grows. */
static void queue_make_room(struct merge_queue *q, size_t size)
{
	if (q->cap - q->end >= size)
		return;
	if (q->start) {
		memmove(q->data, q->data + q->start, q->end - q->start);
		q->end -= q->start;
		q->start = 0;
	}
	if (q->cap - q->end < size) {
		q->cap = 2 * q->cap + size + 4096;
		q->data = must(realloc(q->data, q->cap));
	}
}

/*
 * The end of the whole records at the end of the queue, which is `len` bytes long there. `published`
 * bytes are in the ring, more than were copied: a record may be cut. *ret_taken: bytes of the ring
 * that are done with; padding is taken, but not kept. False: a record makes no sense.
 */
static bool queue_walk(struct merge *m, struct merge_queue *q, size_t len, size_t published,
		       size_t *ret_taken)
{
	const char *from = q->data + q->end;
	size_t at = 0;

	while (at < len) {
		const struct ring_record *record = (const void *)(from + at);
		size_t size = ring_record_bytes(record, published - at);

		if (!size || size > len - at || record->kind == RING_PADDING) {
			q->end += at;
			*ret_taken = at + (size && record->kind == RING_PADDING ? size : 0);
			return size != 0;
		}
		q->last = record->time_ns;
		m->newest = q->last > m->newest ? q->last : m->newest;
		at += size;
	}
	q->end += at;
	*ret_taken = at;
	return true;
}

/* Copies what lies in one piece in the ring, whole records only, about `most` bytes; returns how many
 * bytes of the ring that were, 0: there are no more. */
static size_t queue_take(struct merge *m, struct merge_queue *q, size_t most)
{
	size_t published, taken = 0;
	const void *from = ring_peek_bytes(q->ring, &published);
	size_t len = published < most ? published : most & ~(size_t)7, first;

	if (!from)
		return 0;
	first = ring_record_bytes(from, published);
	len = first > len ? first : len; /* one at least */
	queue_make_room(q, len);
	memcpy(q->data + q->end, from, len);
	if (queue_walk(m, q, len, published, &taken))
		ring_consume_bytes(q->ring, taken);
	else
		ring_give_up(q->ring);
	return taken;
}

/* Copies what is published, at most a batch or a ring full: a fast writer must not keep us here. */
static void queue_collect(struct merge *m, struct merge_queue *q)
{
	size_t most = m->batch < q->ring_size ? m->batch : q->ring_size, copied = 0, taken;
	bool left = false;

	if (queue_empty(q))
		q->start = q->end = 0;
	q->last = 0;
	while (copied < most && (taken = queue_take(m, q, most - copied)))
		copied += taken;
	if (copied)
		left = ring_peek(q->ring) != NULL;
	if (left && q->last < m->cut)
		m->cut = q->last;
	m->hurry |= left || copied > q->ring_size / 4;
}

/* --- the heap of queues, by the time of their front record -------------------------------------- */

static bool heap_before(const struct merge *m, unsigned a, unsigned b)
{
	uint64_t ta = queue_front(&m->queues[m->heap[a]])->time_ns;
	uint64_t tb = queue_front(&m->queues[m->heap[b]])->time_ns;

	return ta != tb ? ta < tb : m->heap[a] < m->heap[b];
}

static void heap_sift_down(struct merge *m, unsigned i)
{
	for (;;) {
		unsigned child = 2 * i + 1, queue = m->heap[i];

		if (child >= m->nheap)
			return;
		if (child + 1 < m->nheap && heap_before(m, child + 1, child))
			child++;
		if (!heap_before(m, child, i))
			return;
		m->heap[i] = m->heap[child];
		m->heap[child] = queue;
		i = child;
	}
}

static void heap_build(struct merge *m)
{
	m->nheap = 0;
	for (unsigned i = 0; i < m->nqueues; i++)
		if (!queue_empty(&m->queues[i]))
			m->heap[m->nheap++] = i;
	for (unsigned i = m->nheap / 2; i-- > 0;)
		heap_sift_down(m, i);
}

/* The time up to which the top queue can be emitted without a look at the heap. */
static uint64_t heap_runner_up(const struct merge *m)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 1; i < m->nheap && i <= 2; i++) {
		uint64_t t = queue_front(&m->queues[m->heap[i]])->time_ns;

		best = t < best ? t : best;
	}
	return best;
}

/* Emits from one queue while its records are older than `before` and not newer than the bound. */
static void queue_emit_run(struct merge_queue *q, uint64_t before, uint64_t bound,
			   merge_sink_t sink, void *arg)
{
	do {
		const struct ring_record *record = queue_front(q);

		sink(arg, record);
		q->start += record->size;
	} while (!queue_empty(q) && queue_front(q)->time_ns < before &&
		 queue_front(q)->time_ns <= bound);
}

static void emit_up_to(struct merge *m, uint64_t bound, merge_sink_t sink, void *arg)
{
	heap_build(m);
	while (m->nheap) {
		struct merge_queue *q = &m->queues[m->heap[0]];

		if (queue_front(q)->time_ns > bound)
			return;
		queue_emit_run(q, heap_runner_up(m), bound, sink, arg);
		if (queue_empty(q))
			m->heap[0] = m->heap[--m->nheap];
		heap_sift_down(m, 0);
	}
}

/* --- polls --------------------------------------------------------------------------------------- */

void merge_collect(struct merge *m)
{
	m->hurry = false;
	m->cut = UINT64_MAX;
	for (unsigned i = 0; i < m->nqueues; i++)
		queue_collect(m, &m->queues[i]);
}

static bool merge_holds(const struct merge *m)
{
	for (unsigned i = 0; i < m->nqueues; i++)
		if (!queue_empty(&m->queues[i]))
			return true;
	return false;
}

static bool merge_crowded(const struct merge *m)
{
	for (unsigned i = 0; i < m->nqueues; i++)
		if (m->queues[i].end - m->queues[i].start > MERGE_CROWDED * m->queues[i].ring_size)
			return true;
	return false;
}

bool merge_emit(struct merge *m, uint64_t now_ns, merge_sink_t sink, void *arg)
{
	if (m->has_bound && (now_ns - m->bound_at >= MERGE_GRACE_NS || merge_crowded(m))) {
		emit_up_to(m, m->bound < m->cut ? m->bound : m->cut, sink, arg);
		m->has_bound = m->bound > m->cut;
	}
	if (!merge_holds(m))
		return m->cut != UINT64_MAX;
	if (!m->has_bound) {
		m->has_bound = true;
		m->bound = m->newest;
		m->bound_at = now_ns;
	}
	return true;
}

bool merge_poll(struct merge *m, uint64_t now_ns, merge_sink_t sink, void *arg)
{
	merge_collect(m);
	return merge_emit(m, now_ns, sink, arg);
}

void merge_flush(struct merge *m, merge_sink_t sink, void *arg)
{
	do {
		merge_collect(m);
		emit_up_to(m, m->cut, sink, arg);
	} while (m->cut != UINT64_MAX);
	m->has_bound = false;
}
