/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/home.h - where a script runs: the contract between the run loop and a home.
 *
 * Two homes fill it: kernel_session.c (a module, /dev/spile) and process.c (a shared object in this
 * process). The run loop (run.c) knows only this. Order of calls: the home's own open function,
 * then start, wait..., stop, report, close. start and stop run begin and end probes and are called
 * from a helper thread while the main thread keeps reading the rings; nothing else is called in
 * parallel with them. close may be called in any state, once.
 */
#ifndef SPILE_READER_HOME_H
#define SPILE_READER_HOME_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spile/session.h"

struct home;
struct room;
struct script_meta;

struct home_ops {
	/** Runs the begin probes and arms everything, or nothing. target_pid: target(). */
	struct error *(*start)(struct home *home, uint64_t target_pid);
	/** Sleeps until there may be records, the state changed, a signal came, or the time-out.
	 *  *state: SPILE_STATE_*. */
	struct error *(*wait)(struct home *home, unsigned timeout_ms, uint32_t *state);
	/** Disarms, waits for handlers, runs the end (or error) probes. */
	struct error *(*stop)(struct home *home);
	/** Fills `totals` and the array of meta->nprobes reports. */
	struct error *(*report)(struct home *home, struct spile_report *totals,
				struct spile_probe_report *probes);
	/** Lets go of everything and leaves nothing behind; frees the home. */
	struct error *(*close)(struct home *home);
};

/** How long the steps before the first probe took, for -v. ns; 0: not done */
struct home_times {
	uint64_t core;   /* fitting and loading the core */
	uint64_t load;   /* fitting and loading the script, or dlopen */
	uint64_t attach; /* rings, maps */
	uint64_t start;  /* begin probes and arming */
	uint64_t arm;    /* arming alone */
	uint64_t stop;
};

struct home {
	const struct home_ops *ops;
	const struct script_meta *meta; /* formats, probes; owned by the home */
	void *rings;                    /* the i-th ring is at rings + i * ring_stride */
	size_t ring_stride;
	unsigned nrings;
	struct room *room;              /* where handlers wait for the reader; NULL: they never do */
	struct home_times times;
};

/** What a home's open function needs. */
struct home_options {
	const char *object;    /* path of the script's object */
	const char *core;      /* path of the core's object; NULL: found by itself */
	uint32_t ring_bytes;   /* of one CPU; 0: default */
	uint64_t patience_ns;  /* see room.h */
	int keep_core;         /* do not unload a core that this run loaded */
};

/** Opens the script's object as a module of the running kernel. */
struct error *kernel_session_open(const struct home_options *options, struct home **ret);
/** Opens the script's object as a shared object in this process. */
struct error *process_open(const struct home_options *options, struct home **ret);

#endif
