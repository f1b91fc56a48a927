/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * ring/local.h - operations that are atomic against interrupts on the same CPU only.
 *
 * One x86 instruction cannot be interrupted half way, so a read-modify-write in one instruction is
 * enough where the only rivals are interrupts (in a process: signal handlers) on the same CPU. It
 * saves the `lock` prefix, 5 ns each. Another CPU may read the word, never write it.
 *
 * ThreadSanitizer does not see into assembly; under it the compiler's atomics are used.
 */
#ifndef SPILE_RING_LOCAL_H
#define SPILE_RING_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t local_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void local_store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/** Keeps the compiler from moving memory accesses across; nothing for the CPU. */
static inline void local_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#ifdef __SANITIZE_THREAD__

static inline void local_add(uint64_t *p, uint64_t n)
{
	__atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline bool local_cmpxchg(uint64_t *p, uint64_t *expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

#else

/** *p += n */
static inline void local_add(uint64_t *p, uint64_t n)
{
	__asm__("addq %1, %0" : "+m"(*p) : "er"(n) : "cc");
}

/** if (*p == *expected) *p = desired, true; else *expected = *p, false */
static inline bool local_cmpxchg(uint64_t *p, uint64_t *expected, uint64_t desired)
{
	bool done;

	__asm__ __volatile__("cmpxchgq %3, %0"
			     : "+m"(*p), "+a"(*expected), "=@ccz"(done)
			     : "r"(desired)
			     : "memory");
	return done;
}

#endif
#endif
