/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/files.h - the file of -o, and the ones after it: -S, SIGUSR2 and switch_file().
 *
 * With a limit of size the files are FILE.0, FILE.1, ...; each ends between two records before it
 * would pass the limit (a single record larger than that has a file of its own), and of those the
 * last `keep` stay. Without a limit the first file is FILE, and FILE.1 comes when somebody asks.
 */
#ifndef SPILE_READER_FILES_H
#define SPILE_READER_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reader/output.h"

struct output_files {
	const char *path; /* NULL: standard output, which cannot be switched */
	uint64_t limit;   /* bytes of a file; 0: none */
	unsigned keep;    /* files that stay; 0: all */
	unsigned number;  /* of the file being written */
};

/** Opens the first file. */
struct error *output_files_open(struct output_files *files, int *ret_fd);
/** Goes on in the next file. A file that cannot be opened ends the output (out->err). */
void output_files_switch(struct output_files *files, struct output *out);
/** After a record: `start` is where it begins in the buffer, 0 if part of it has been written. */
void output_files_record_end(struct output_files *files, struct output *out, size_t start);

#endif
