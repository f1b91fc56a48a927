/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * ring/ring.h - the per-CPU buffer between handlers and the reader.
 *
 * One ring per CPU, in memory that writer and reader share. Only its own CPU writes to a ring, from
 * any context: a writer can be interrupted by another on the same CPU (task, IRQ, NMI), never
 * overtaken by another CPU. So reserving is one compare-and-exchange on `reserve`, and publishing
 * is done by the outermost writer: it stores `head` when the last nested writer has committed.
 * One reader, in user space, consumes from `tail` to `head`.
 *
 * A ring that is full drops the new record and counts it in `lost` (the default; no record that
 * was taken is ever overwritten). Positions are byte counts that only grow; the place in `data` is
 * the position modulo the size, which is a power of two. A record never wraps: the rest of the
 * buffer is filled with a padding record.
 */
#ifndef SPILE_RING_RING_H
#define SPILE_RING_RING_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/** Head of a record; the payload follows. Records start at multiples of 8. */
struct ring_record {
	uint32_t size;    /* bytes with this head, multiple of 8 */
	uint16_t kind;    /* RING_* */
	uint16_t format;  /* RING_PRINT: number of the format */
	uint64_t time_ns; /* host_clock_ns() at the hit */
};

#define RING_PADDING 0 /* skip it */
#define RING_PRINT 1   /* arguments of a print, see below */
#define RING_MESSAGE 2 /* a line for standard error: format is the level 'W' 'E' 'L'; text, NUL */

/*
 * Payload of RING_PRINT: for each argument of the format in order, a number as 8 bytes; a string as
 * a uint32_t length, then its bytes without NUL, padded to 8 together with the length word.
 */

/** The shared head of one ring, one page; the data follows at offset RING_HEAD_BYTES. */
struct ring {
	/* written by the ring's CPU */
	uint64_t reserve;   /* end of the reserved space */
	uint64_t head;      /* end of the published records */
	uint64_t lost;      /* records that did not fit */
	uint32_t nest;      /* writers between reserve and commit, on this CPU */
	uint32_t wake_mark; /* set by the reader: wake me at the next commit */
	uint64_t size;      /* data bytes, a power of two */
	uint8_t pad0[128 - 40];
	/* written by the reader */
	uint64_t tail;      /* start of what is not consumed yet */
	uint8_t pad1[128 - 8];
};

#define RING_HEAD_BYTES 4096
#define RING_DEFAULT_BYTES (256 * 1024)

/** Bytes of one ring with its head; `data_bytes` is rounded up to a power of two of pages. */
size_t ring_bytes(size_t data_bytes);
/** Prepares zeroed memory of ring_bytes(data_bytes). Not concurrent with anything. */
void ring_init(struct ring *ring, size_t data_bytes);

/**
 * Reserves room for a record with `payload` bytes on this CPU's ring and fills its head. Preemption
 * is off. NULL: no room (counted in lost). Every success must be followed by ring_commit() on the
 * same CPU. any context
 */
void *ring_reserve(struct ring *ring, uint16_t kind, uint16_t format, uint64_t time_ns,
		   size_t payload);
/** Publishes. True when a waiting reader should be woken. any context */
bool ring_commit(struct ring *ring, void *payload);

/* --- the reader's side -------------------------------------------------------------------------- */

/** The oldest published record, or NULL. Does not trust the sizes it reads. */
const struct ring_record *ring_peek(struct ring *ring);
/** Consumes the record that ring_peek() gave. */
void ring_consume(struct ring *ring, const struct ring_record *record);

static inline void *ring_data(struct ring *ring)
{
	return (char *)ring + RING_HEAD_BYTES;
}

#endif
