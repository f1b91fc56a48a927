/* SPDX-License-Identifier: GPL-2.0-only */
/** reader/run.h - one run of a script in whichever home: start, read and print, stop, report. */
#ifndef SPILE_READER_RUN_H
#define SPILE_READER_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "reader/home.h"

enum report_kind { REPORT_NONE, REPORT_TEXT, REPORT_JSON };

struct run_options {
	struct home_options home;
	const char *command;     /* -c; NULL: none */
	pid_t target;            /* -x; 0: none */
	const char *output;      /* -o; NULL: standard output */
	enum report_kind report;
	const char *report_file; /* NULL: standard error */
	uint64_t file_bytes;     /* -S; 0: no limit */
	unsigned files_kept;     /* -S SIZE,N; 0: all */
	bool background;         /* -F */
	bool bears_errors;       /* script errors do not make the status 1 */
	double seconds;          /* -T; 0: no limit */
	bool verbose;            /* -v */
};

/** Runs to the end. *status is the exit status (reader/command.h); an error means 1. */
struct error *run_script(const struct run_options *options, int *status);

#endif
