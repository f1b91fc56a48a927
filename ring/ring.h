/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * ring/ring.h - the per-CPU buffer between handlers and the reader.
 *
 * One ring per CPU. Only its own CPU writes to it, from any context: a writer can be interrupted
 * by another on the same CPU (task, IRQ, NMI), never overtaken by another CPU. In a process the
 * "CPU" is the slot of a thread (host_cpu()), and what interrupts is a signal. One reader, usually
 * in user space, consumes from `tail` to `head`.
 *
 * A ring that is full drops the new record and counts it in `lost`; no record that was taken is
 * ever overwritten. Positions are byte counts that only grow; the place in the data is the
 * position modulo the size, which is a power of two. A record never wraps: the rest of the buffer
 * is filled with a padding record.
 *
 * Two parts: `struct ring` is the memory that writer and reader share, `struct ring_writer` is the
 * writer's own. The reader maps the shared part writable (it stores `tail`), so the writer trusts
 * nothing in it: size, reserve and nesting are its own, and a wrong tail costs records only.
 */
#ifndef SPILE_RING_RING_H
#define SPILE_RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Head of a record; the payload follows. Records start at multiples of 8. */
struct ring_record {
	uint32_t size;    /* bytes with this head, multiple of 8 */
	uint16_t kind;    /* RING_* */
	uint16_t format;  /* RING_PRINT: number of the format */
	uint64_t time_ns; /* host_clock_ns() at the hit */
};

#define RING_PADDING 0 /* skip it; the only kind that may be shorter than its head: 8 bytes */
#define RING_PRINT 1   /* arguments of a print, see below */
#define RING_MESSAGE 2 /* a line for standard error: format is the level 'W' 'E' 'L'; the text
			  with its NUL, without a newline and without "WARNING: " or "ERROR: ". Or a
			  request: 'S' run the text as a command, 'N' go on in the next file */

/*
 * Payload of RING_PRINT: for each argument of the format in order, a number as 8 bytes; a string as
 * a uint32_t length, then its bytes without NUL, padded to 8 together with the length word; a
 * histogram the same, its bytes as in runtime/hist.h. The padding's bytes are undefined. runtime/format.h makes text of it.
 */

/** Bytes of a string in a payload: length word, bytes, padding. */
static inline size_t ring_string_room(uint32_t len)
{
	return (sizeof(len) + (size_t)len + 7) & ~(size_t)7;
}

/** The shared head of one ring, in one page; the data follows at offset RING_HEAD_BYTES. */
struct ring {
	/* written by the ring's CPU, read by the reader */
	uint64_t head;      /* end of the published records */
	uint64_t lost;      /* records that did not fit */
	uint64_t size;      /* data bytes, a power of two */
	uint8_t pad0[128 - 24];
	/* written by the reader */
	uint64_t tail;      /* start of what is not consumed yet */
	uint32_t wake_mark; /* wake me at the next commit; the writer clears it */
	uint8_t pad1[128 - 12];
};

/** The writer's part: private to the CPU that owns the ring. */
struct ring_writer {
	struct ring *ring;
	char *data;
	uint64_t mask;      /* data bytes - 1 */
	uint64_t reserve;   /* end of the reserved space */
	uint64_t tail_seen; /* a tail of the past: at least this far the reader has come */
	uint32_t nest;      /* writers between reserve and commit, on this CPU */
};

#define RING_HEAD_BYTES 4096
#define RING_DEFAULT_BYTES (256 * 1024)
#define RING_BYTES_MAX (1024 * 1024 * 1024)

/** Bytes of one ring's shared memory; `data_bytes` is rounded up to a power of two of pages, and
 * down to RING_BYTES_MAX. */
size_t ring_bytes(size_t data_bytes);
/** Prepares a writer and its zeroed memory of ring_bytes(data_bytes). Not concurrent. */
void ring_init(struct ring_writer *writer, struct ring *ring, size_t data_bytes);

/**
 * Reserves room for a record with `payload` bytes on this CPU's ring and fills its head. The caller
 * stays on the CPU until it commits. NULL: no room (counted in lost), or more than half of the
 * ring. Every success must be followed by ring_commit(). any context
 */
void *ring_reserve(struct ring_writer *writer, uint16_t kind, uint16_t format, uint64_t time_ns,
		   size_t payload);
/** The same, but no room is not counted: the caller tries again, or calls ring_drop(). any context */
void *ring_try_reserve(struct ring_writer *writer, uint16_t kind, uint16_t format,
		       uint64_t time_ns, size_t payload);
/** Counts a record as lost. any context */
void ring_drop(struct ring_writer *writer);
/**
 * How far the reader must come until a record of `payload` bytes has room for certain and half of
 * the ring is free, so that one wait serves many records. To be compared with ring_tail(). False:
 * it will never have room. any context
 */
bool ring_wait_target(const struct ring_writer *writer, size_t payload, uint64_t *ret);
/** Publishes. True when a waiting reader should be woken. any context */
bool ring_commit(struct ring_writer *writer);
/**
 * Whether a reader waits; takes its request. To be asked when ring_reserve() found no room: the
 * records that fill the ring may have been published by that very call. any context
 */
bool ring_wake_wanted(struct ring_writer *writer);

/* --- the reader's side ----------------------------------------------------------------------- */

/**
 * The oldest published record, or NULL. Sizes are checked before they are used; after garbage
 * everything that was published is given up. The payload has size - sizeof(struct ring_record)
 * bytes.
 */
const struct ring_record *ring_peek(struct ring *ring);
/** Consumes the record that ring_peek() gave; it must not be touched any more. */
void ring_consume(struct ring *ring, const struct ring_record *record);
/**
 * Many at once: the published bytes that lie in one piece from the oldest record on; *ret_len 0: there
 * are none. Copy them, then walk over the copy with ring_record_bytes(): what is in shared memory may
 * change between a check and its use.
 */
const void *ring_peek_bytes(struct ring *ring, size_t *ret_len);
/** Bytes of the record at the start of `available` ones, its head included; 0: it makes no sense. */
static inline size_t ring_record_bytes(const void *at, size_t available)
{
	const struct ring_record *record = (const struct ring_record *)at;
	uint32_t size = record->size;
	size_t least = record->kind == RING_PADDING ? 8 : sizeof(*record);

	return size >= least && !(size & 7) && size <= available ? size : 0;
}
/** Consumes `len` bytes, which are whole records. */
void ring_consume_bytes(struct ring *ring, size_t len);
/** Gives up everything that is published: after a record that makes no sense. */
void ring_give_up(struct ring *ring);
/**
 * Asks for a wake-up at the next commit. Peek once more after it and before sleeping: a record
 * published before the call wakes nobody.
 */
void ring_wake_request(struct ring *ring);

/** How far the reader has come. any context, either side */
static inline uint64_t ring_tail(const struct ring *ring)
{
	return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

static inline void *ring_data(struct ring *ring)
{
	return (char *)ring + RING_HEAD_BYTES;
}

#endif
