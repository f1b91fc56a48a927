/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * tests/engine/suite.h - what the probe engine must do, in whatever home it lives.
 *
 * suite.c and targets.c are freestanding: a process runs them (process.c), and so can a kernel
 * module. A home fills a struct suite_home and calls suite_run(). Everything is done through
 * spile/kprobes.h.
 */
#ifndef SPILE_TESTS_ENGINE_SUITE_H
#define SPILE_TESTS_ENGINE_SUITE_H

#include <stdbool.h>
#include <stdint.h>

struct suite_home {
	/** A case has ended. */
	void (*verdict)(const char *name, bool good);
	/** An expectation was not met. */
	void (*complain)(const char *file, int line, const char *what, long long is, long long should);
	/** Calls body(arg) on n threads, over and over, while `meanwhile(arg)` runs on this one. */
	void (*with_threads)(int n, void (*body)(void *arg), void (*meanwhile)(void *arg), void *arg);
	/** For how long a stress case goes on: true until the time is over. */
	bool (*go_on)(bool begin);
	/** The name that resolves to target_add(). */
	const char *add_name;
	/** An address in the engine's own code. */
	uint64_t own_text;
	/** What a kretprobe's maxactive becomes when it was not set. */
	int maxactive;
	/** An address that nothing is mapped at. */
	uint64_t bad;
	/**
	 * Reads 8 bytes at addr by the instruction at load_at: 0, or -EFAULT, since there is an entry for
	 * that instruction in a table of exceptions.
	 */
	long (*load)(uint64_t addr);
	uint64_t load_at;
	/** KPROBE_FLAG_* that a plain kprobe on the entry of target_add() shows. */
	uint32_t entry_flags;
};

/** Runs all cases; how many failed. */
int suite_run(const struct suite_home *home);

/* --- what is probed: targets.c --- */

long target_add(long a, long b);
long target_other(long a, long b);    /* a * b */
long target_inner(long a);            /* a + 1 */
long target_recurse(long n);          /* n levels deep; n */
long target_many(long a, long b, long c, long d, long e, long f, long g, long h); /* a - ... + h */
long target_busy(long n);             /* called by many threads */
long target_mov(void);                /* 7, by two instructions; the first has 5 bytes */
#define TARGET_MOV_NEXT 5             /* offset of the second */
long target_load(const long *p);      /* *p, by its first instruction */
#define TARGET_LOAD_NEXT 3            /* offset of the second */

#endif
