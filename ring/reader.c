// SPDX-License-Identifier: GPL-2.0-only
/**
 * ring/reader.c - the reader's side of a ring.
 *
 * What it reads was written by another program, so every length is checked against what was
 * published before it is used. A record that makes no sense means that the place of the next one
 * is unknown as well: everything published so far is skipped.
 */
#include "ring/ring.h"

static uint64_t published(struct ring *ring)
{
	return __atomic_load_n(&ring->head, __ATOMIC_SEQ_CST);
}

static void set_tail(struct ring *ring, uint64_t tail)
{
	__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
}

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/** Whether a record of this kind and size can lie at `pos` with `available` bytes published. */
static bool is_sane(uint16_t kind, uint64_t size, uint64_t available, uint64_t rest)
{
	uint64_t least = kind == RING_PADDING ? 8 : sizeof(struct ring_record);

	return size >= least && !(size & 7) && size <= available && size <= rest;
}

const struct ring_record *ring_peek(struct ring *ring)
{
	uint64_t size = ring->size, head = published(ring), tail = ring->tail;

	if (!is_power_of_two(size) || size < 8 || size > RING_BYTES_MAX)
		return NULL;
	while (tail != head) {
		uint64_t place = tail & (size - 1);
		const struct ring_record *record = (const void *)((char *)ring_data(ring) + place);

		if ((tail & 7) || head - tail > size ||
		    !is_sane(record->kind, record->size, head - tail, size - place)) {
			set_tail(ring, head);
			return NULL;
		}
		if (record->kind != RING_PADDING)
			return record;
		tail += record->size;
		set_tail(ring, tail);
	}
	return NULL;
}

void ring_consume(struct ring *ring, const struct ring_record *record)
{
	set_tail(ring, ring->tail + record->size);
}

void ring_wake_request(struct ring *ring)
{
	__atomic_store_n(&ring->wake_mark, 1, __ATOMIC_SEQ_CST);
}
