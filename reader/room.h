/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/room.h - where a handler of the process home waits for room in its ring.
 *
 * In a kernel a record that finds its ring full is lost: a handler must not sleep. The handlers of a
 * script that runs in spile-run (begin, end, error, timers) are ordinary threads of this process,
 * so they wait for the reader, as a program that writes into a full pipe does. The wait ends
 *
 *   - when the reader has come far enough: half of the ring is free;
 *   - when the reader gave no sign of life for some time, the patience (--patience). A sign is a look
 *     at the rings, or 64 KB of output that somebody took. Then the record is lost and counted, and so are all that
 *     find the ring full until the next sign: a reader that is stuck (a pipe that nobody reads, a
 *     terminal that is held) costs the script this time once, not its life;
 *   - at once after room_close(), when nobody will read any more.
 *
 * So nothing waits for ever, and nothing is lost while output goes on, however slowly.
 */
#ifndef SPILE_READER_ROOM_H
#define SPILE_READER_ROOM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ring;

struct room {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint32_t waiting;     /* handlers that wait */
	bool closed;
	uint64_t signs;       /* of life, by the reader; room_sign() */
	uint64_t hopeless_at; /* nobody waits again while `signs` is this */
	uint64_t patience_ns;
	int bell_fd;          /* becomes readable when a handler begins to wait */
};

#define ROOM_PATIENCE_NS 10000000000ull /* the default; 0: never wait */

struct error *room_init(struct room *room, uint64_t patience_ns);
/** Nobody waits any more. After an init that failed, too. */
void room_deinit(struct room *room);

/** The handler's side: waits until the ring's reader has come to `target` (ring_wait_target). */
bool room_wait(struct room *room, const struct ring *ring, uint64_t target);

/** The reader's side: something was taken out of the rings, look whether that is enough. */
void room_moved(struct room *room);
/** Stops the bell, before the next look at the rings. */
void room_answer(struct room *room);
/** A sign of life between two of those; any thread. */
static inline void room_sign(struct room *room)
{
	__atomic_fetch_add(&room->signs, 1, __ATOMIC_RELAXED);
}
/** Nobody reads any more: ends all waits, and those to come. */
void room_close(struct room *room);

#endif
