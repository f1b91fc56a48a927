/* SPDX-License-Identifier: GPL-2.0-only */
/** reader/clock.h - the reader's own monotonic clock; not related to the time of records. */
#ifndef SPILE_READER_CLOCK_H
#define SPILE_READER_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds, never going back. */
static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
