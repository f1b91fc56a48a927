// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for room in a ring; see room.h.
 *
 * No wake-up is lost: the handler counts itself as waiting, then looks at the ring; the reader moves
 * the ring's tail, then looks whether somebody waits. Both have a full barrier between the two
 * steps, so at least one of them sees the other. The reader's price when nobody waits is that
 * barrier, once for each look at the rings.
 */
#include "reader/room.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "reader/clock.h"
#include "ring/ring.h"

#define NS_PER_S 1000000000u

struct error *room_init(struct room *room, uint64_t patience_ns)
{
	pthread_condattr_t attr;

	*room = (struct room){ .hopeless_at = UINT64_MAX, .patience_ns = patience_ns };
	pthread_mutex_init(&room->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&room->moved, &attr);
	pthread_condattr_destroy(&attr);
	room->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (room->bell_fd < 0)
		return error_create(errno, "cannot make an eventfd: %s", strerror(errno));
	return NULL;
}

void room_deinit(struct room *room)
{
	if (room->bell_fd >= 0)
		close(room->bell_fd);
	pthread_cond_destroy(&room->moved);
	pthread_mutex_destroy(&room->lock);
}

/* --- the handler's side -------------------------------------------------------------------------- */

static bool has_come(const struct ring *ring, uint64_t target)
{
	return (int64_t)(ring_tail(ring) - target) >= 0;
}

static uint64_t room_signs(const struct room *room)
{
	return __atomic_load_n(&room->signs, __ATOMIC_RELAXED);
}

static void sleep_until(struct room *room, uint64_t deadline)
{
	struct timespec when = { .tv_sec = (time_t)(deadline / NS_PER_S),
				 .tv_nsec = (long)(deadline % NS_PER_S) };

	pthread_cond_timedwait(&room->moved, &room->lock, &when);
}

/* With the lock held. The patience begins again with every sign. */
static bool wait_locked(struct room *room, const struct ring *ring, uint64_t target)
{
	uint64_t signs = room_signs(room), deadline = clock_ns() + room->patience_ns;

	while (!has_come(ring, target)) {
		uint64_t now = clock_ns();

		if (room->closed || room->hopeless_at == signs)
			return false;
		if (room_signs(room) != signs) {
			signs = room_signs(room);
			deadline = now + room->patience_ns;
		} else if (now >= deadline) {
			__atomic_store_n(&room->hopeless_at, signs, __ATOMIC_RELAXED);
			return false;
		}
		sleep_until(room, deadline);
	}
	return true;
}

bool room_wait(struct room *room, const struct ring *ring, uint64_t target)
{
	bool come;

	if (!room->patience_ns ||
	    __atomic_load_n(&room->hopeless_at, __ATOMIC_RELAXED) == room_signs(room))
		return false;
	pthread_mutex_lock(&room->lock);
	__atomic_add_fetch(&room->waiting, 1, __ATOMIC_SEQ_CST);
	eventfd_write(room->bell_fd, 1);
	come = wait_locked(room, ring, target);
	__atomic_sub_fetch(&room->waiting, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&room->lock);
	return come;
}

/* --- the reader's side --------------------------------------------------------------------------- */

void room_moved(struct room *room)
{
	room_sign(room);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&room->waiting, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&room->lock);
	pthread_cond_broadcast(&room->moved);
	pthread_mutex_unlock(&room->lock);
}

void room_answer(struct room *room)
{
	eventfd_t rung;

	eventfd_read(room->bell_fd, &rung);
}

void room_close(struct room *room)
{
	pthread_mutex_lock(&room->lock);
	room->closed = true;
	pthread_cond_broadcast(&room->moved);
	pthread_mutex_unlock(&room->lock);
}
