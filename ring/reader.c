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

const void *ring_peek_bytes(struct ring *ring, size_t *ret_len)
{
	uint64_t size = ring->size, head = published(ring), tail = ring->tail, place, rest;

	*ret_len = 0;
	if (tail == head || !is_power_of_two(size) || size < 8 || size > RING_BYTES_MAX)
		return NULL;
	if ((tail & 7) || (head & 7) || head - tail > size) {
		set_tail(ring, head);
		return NULL;
	}
	place = tail & (size - 1);
	rest = size - place;
	*ret_len = head - tail < rest ? head - tail : rest;
	return (const char *)ring_data(ring) + place;
}

void ring_consume_bytes(struct ring *ring, size_t len)
{
	set_tail(ring, ring->tail + len);
}

void ring_give_up(struct ring *ring)
{
	set_tail(ring, published(ring));
}

const struct ring_record *ring_peek(struct ring *ring)
{
	const struct ring_record *record;
	size_t len;

	while ((record = ring_peek_bytes(ring, &len))) {
		size_t size = ring_record_bytes(record, len);

		if (!size) {
			ring_give_up(ring);
			return NULL;
		}
		if (record->kind != RING_PADDING)
			return record;
		ring_consume_bytes(ring, size);
	}
	return NULL;
}

void ring_consume(struct ring *ring, const struct ring_record *record)
{
	ring_consume_bytes(ring, record->size);
}

void ring_wake_request(struct ring *ring)
{
	__atomic_store_n(&ring->wake_mark, 1, __ATOMIC_SEQ_CST);
}
