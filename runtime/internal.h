/* SPDX-License-Identifier: GPL-2.0-only */
/** runtime/internal.h - what the run-time's own files share. Any context, unless said. */
#ifndef SPILE_RUNTIME_INTERNAL_H
#define SPILE_RUNTIME_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/session.h"

/* --- session state --------------------------------------------------------------------------- */

static inline bool spl_state_is(const struct spl_session *session, enum spl_state state)
{
	return __atomic_load_n(&session->state, __ATOMIC_ACQUIRE) == (uint32_t)state;
}

/** Goes from one state to another; false if the state was another one. */
static inline bool spl_state_move(struct spl_session *session, enum spl_state from,
				  enum spl_state to)
{
	uint32_t expected = from;

	return __atomic_compare_exchange_n(&session->state, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static inline void spl_session_wake(struct spl_session *session)
{
	if (session->wake)
		session->wake(session);
}

/** The CPU that a context belongs to: the context is its first member. */
static inline struct spl_cpu *spl_ctx_cpu(struct spl_ctx *c)
{
	return (struct spl_cpu *)c;
}

/** Sends a line to the reader; the session's CPU may be in the middle of a handler. */
void spl_cpu_message(struct spl_session *session, struct spl_cpu *cpu, char level, const char *text,
		     size_t len);
/** Commits the record being written and wakes the reader if it waits. */
void spl_cpu_commit(struct spl_session *session, struct spl_cpu *cpu);
/** Reserves a record; NULL when it is lost. */
void *spl_cpu_reserve(struct spl_session *session, struct spl_cpu *cpu, uint16_t kind,
		      uint16_t format, size_t payload);

/* --- strings --------------------------------------------------------------------------------- */

/** Copies up to 15 bytes without a call: by two loads that may overlap. */
static inline void str_copy_short(char *dst, const char *s, size_t len)
{
	if (len >= 8) {
		uint64_t first, last;

		__builtin_memcpy(&first, s, 8);
		__builtin_memcpy(&last, s + len - 8, 8);
		__builtin_memcpy(dst, &first, 8);
		__builtin_memcpy(dst + len - 8, &last, 8);
	} else if (len >= 4) {
		uint32_t first, last;

		__builtin_memcpy(&first, s, 4);
		__builtin_memcpy(&last, s + len - 4, 4);
		__builtin_memcpy(dst, &first, 4);
		__builtin_memcpy(dst + len - 4, &last, 4);
	} else if (len) {
		char first = s[0], middle = s[len / 2], last = s[len - 1];

		dst[0] = first;
		dst[len / 2] = middle;
		dst[len - 1] = last;
	}
}

/** The length of s, but at most `max`. */
size_t str_bounded(const char *s, size_t max);

/* --- errors ---------------------------------------------------------------------------------- */

/** Raises an error whose sentence ends in an address: "kernel read fault at 0x...". */
void spl_fail_address(struct spl_ctx *c, const char *sentence, uint64_t addr, const char *place);

/* --- statistics ------------------------------------------------------------------------------ */

/** What entries are sorted by: a value, 0 of no samples. */
int64_t spl_samples_rank(const struct spl_samples *samples, enum spl_take take);
uint32_t spl_samples_buckets(const struct spl_samples *samples, uint32_t histogram);
int64_t spl_samples_bucket_sum(const struct spl_samples *samples, uint32_t histogram, uint32_t n);

/* --- thread_indent --------------------------------------------------------------------------- */

/** The table of thread_indent(); task context. */
struct spl_indent *spl_indent_create(void);
void spl_indent_destroy(struct spl_indent *indent);

#endif
