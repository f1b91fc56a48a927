/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/report.h - what a session did and what it lost: the last lines on standard error.
 *
 * Nothing is lost silently: records that found a ring full, hits that were missed or skipped and
 * their causes are named at the end of every run that had any, and make the exit status say so.
 */
#ifndef SPILE_READER_REPORT_H
#define SPILE_READER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "reader/home.h"
#include "reader/meta.h"

struct report {
	struct spile_report totals;
	struct spile_probe_report *probes; /* meta->nprobes of them */
	uint64_t *lost;                    /* of each ring */
	unsigned nrings;
};

/** Asks the home, after stop. The caller gives it back with report_deinit(). */
struct error *report_init(struct report *report, struct home *home);
void report_deinit(struct report *report);

/** Records dropped by all rings. */
uint64_t report_lost(const struct report *report);
/** Hits whose handler did not run although the script was running, all causes. */
uint64_t report_skipped(const struct report *report, const struct script_meta *meta);

/** The warnings that every run ends with when there is something to say; else adds nothing. */
void report_warnings(const struct report *report, const struct script_meta *meta,
		     struct strbuf *out);
/** A table of all probes. */
void report_text(const struct report *report, const struct script_meta *meta, struct strbuf *out);
/** One JSON object with everything. */
void report_json(const struct report *report, const struct home *home, int exit_status,
		 struct strbuf *out);

#endif
