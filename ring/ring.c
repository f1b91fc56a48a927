// SPDX-License-Identifier: GPL-2.0-only
/**
 * ring/ring.c - the writer's side of a ring.
 *
 * The problem: a handler can be interrupted at any instruction by another one on the same CPU,
 * which writes to the same ring and finishes before the first goes on. Nobody waits for anybody.
 *
 *   reserve       +--------+----------------+
 *   positions     | task   | NMI            |        nest: task 1, NMI 2, after the NMI 1 again
 *                 +--------+----------------+
 *                 ^ head stays here until the task, the outermost writer, commits
 *
 * Reserving moves `reserve` by compare-and-exchange: a writer that was interrupted between reading
 * it and writing it finds another value and starts over. Publishing is left to the outermost
 * writer, since what a nested one wrote lies behind a record that is not finished. The steps of the
 * outermost commit, and the interruption that each is there for:
 *
 *   1 read reserve                 everything below it is finished: nested writers have returned
 *   2 store it to head
 *   3 nest = 0                     a writer that interrupts between 1 and 3 sees nest > 0 and
 *                                  leaves its record to us
 *   4 read reserve again           so look: if it moved, take the nesting again and go to 1. (The
 *                                  one that moved it may have been after 3 and have published by
 *                                  itself; then step 2 stores the same value once more.)
 *
 * `nest` needs no atomic operation: who interrupts leaves it as it was found.
 *
 * Waking. The reader sets wake_mark, looks at head once more and sleeps; the writer stores head,
 * then looks at wake_mark. Each needs its store to be seen before its load, so head is stored by an
 * exchange, which is a full barrier (6 ns). Without it a wake-up is lost once in a long while.
 *
 * Nobody waits here, either. Where a handler may sleep, its caller can wait for the reader between
 * two attempts (ring_try_reserve, ring_wait_target); that is the session's choice, not the ring's.
 */
#include "ring/ring.h"

#include "ring/local.h"

#define PAGE_BYTES 4096

static uint64_t data_size(size_t data_bytes)
{
	uint64_t size = PAGE_BYTES;

	while (size < data_bytes && size < RING_BYTES_MAX)
		size *= 2;
	return size;
}

size_t ring_bytes(size_t data_bytes)
{
	return RING_HEAD_BYTES + data_size(data_bytes);
}

void ring_init(struct ring_writer *writer, struct ring *ring, size_t data_bytes)
{
	uint64_t size = data_size(data_bytes);

	*writer = (struct ring_writer){ .ring = ring, .data = ring_data(ring), .mask = size - 1 };
	ring->size = size;
}

static void nest_enter(struct ring_writer *writer)
{
	__atomic_store_n(&writer->nest, __atomic_load_n(&writer->nest, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
	local_barrier();
}

/** Gives up a reservation that was not made. */
static void nest_leave(struct ring_writer *writer)
{
	local_barrier();
	__atomic_store_n(&writer->nest, __atomic_load_n(&writer->nest, __ATOMIC_RELAXED) - 1,
			 __ATOMIC_RELAXED);
}

/** Whether the ring can be filled up to position `end` without touching what is not consumed. */
static bool has_room(struct ring_writer *writer, uint64_t end)
{
	uint64_t size = writer->mask + 1, tail;

	if (end - local_load(&writer->tail_seen) <= size)
		return true;
	tail = __atomic_load_n(&writer->ring->tail, __ATOMIC_ACQUIRE);
	/* A tail beyond `end` cannot be right: its difference wraps, and is refused as no room. */
	if (end - tail > size)
		return false;
	local_store(&writer->tail_seen, tail);
	return true;
}

/** Bytes from `pos` to the end of the buffer, if a record of `size` bytes does not fit there. */
static uint64_t padding_at(const struct ring_writer *writer, uint64_t pos, uint64_t size)
{
	uint64_t rest = writer->mask + 1 - (pos & writer->mask);

	return rest < size ? rest : 0;
}

static struct ring_record *record_at(struct ring_writer *writer, uint64_t pos)
{
	return (struct ring_record *)(writer->data + (pos & writer->mask));
}

/** Reserves `size` bytes without a wrap; false when there is no room. */
static bool reserve_bytes(struct ring_writer *writer, uint64_t size, struct ring_record **ret)
{
	uint64_t pos = local_load(&writer->reserve), padding;

	do {
		padding = padding_at(writer, pos, size);
		if (!has_room(writer, pos + padding + size))
			return false;
	} while (!local_cmpxchg(&writer->reserve, &pos, pos + padding + size));

	if (padding) {
		struct ring_record *pad = record_at(writer, pos);

		pad->size = padding;
		pad->kind = RING_PADDING;
		pad->format = 0;
	}
	*ret = record_at(writer, pos + padding);
	return true;
}

/** Publishes everything up to the last reservation: the outermost writer's commit. */
static void publish(struct ring_writer *writer)
{
	uint64_t end;

	do {
		__atomic_store_n(&writer->nest, 1, __ATOMIC_RELAXED);
		local_barrier();
		end = local_load(&writer->reserve);
		__atomic_exchange_n(&writer->ring->head, end, __ATOMIC_SEQ_CST);
		local_barrier();
		__atomic_store_n(&writer->nest, 0, __ATOMIC_RELAXED);
		local_barrier();
	} while (local_load(&writer->reserve) != end);
}

bool ring_wake_wanted(struct ring_writer *writer)
{
	uint32_t *mark = &writer->ring->wake_mark;

	if (__builtin_expect(!__atomic_load_n(mark, __ATOMIC_SEQ_CST), 1))
		return false;
	return __atomic_exchange_n(mark, 0, __ATOMIC_RELAXED) != 0;
}

static uint64_t record_size(size_t payload)
{
	return (sizeof(struct ring_record) + (uint64_t)payload + 7) & ~(uint64_t)7;
}

void *ring_try_reserve(struct ring_writer *writer, uint16_t kind, uint16_t format,
		       uint64_t time_ns, size_t payload)
{
	uint64_t size = record_size(payload);
	struct ring_record *record;

	nest_enter(writer);
	if (payload > writer->mask / 2 || !reserve_bytes(writer, size, &record)) {
		/* A writer that interrupted the attempt has left its record to the outermost. */
		if (__atomic_load_n(&writer->nest, __ATOMIC_RELAXED) == 1)
			publish(writer);
		else
			nest_leave(writer);
		return NULL;
	}
	record->size = size;
	record->kind = kind;
	record->format = format;
	record->time_ns = time_ns;
	return record + 1;
}

void ring_drop(struct ring_writer *writer)
{
	local_add(&writer->ring->lost, 1);
}

void *ring_reserve(struct ring_writer *writer, uint16_t kind, uint16_t format, uint64_t time_ns,
		   size_t payload)
{
	void *p = ring_try_reserve(writer, kind, format, time_ns, payload);

	if (!p)
		ring_drop(writer);
	return p;
}

/* A record may need padding of nearly its own size before it. */
bool ring_wait_target(const struct ring_writer *writer, size_t payload, uint64_t *ret)
{
	uint64_t size = writer->mask + 1, room = 2 * record_size(payload);

	if (payload > writer->mask / 2)
		return false;
	if (room < size / 2)
		room = size / 2;
	*ret = local_load(&writer->reserve) + (room < size ? room : size) - size;
	return true;
}

bool ring_commit(struct ring_writer *writer)
{
	if (__atomic_load_n(&writer->nest, __ATOMIC_RELAXED) > 1) {
		nest_leave(writer);
		return false;
	}
	publish(writer);
	return ring_wake_wanted(writer);
}
