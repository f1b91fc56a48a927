/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/print.h - records to text.
 *
 * Print records become text by the script's formats, with the formatter that sprintf() uses
 * (runtime/format.h), written in place into the output's buffer. Messages become lines on the
 * second output. The buffer of one output is flushed before the other is written to, so that both
 * are in order when they go to one terminal. Nothing is allocated for a record. Requests of the
 * script, system() and switch_file(), come as messages, too, and take their turn in the order.
 */
#ifndef SPILE_READER_PRINT_H
#define SPILE_READER_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "reader/files.h"
#include "reader/meta.h"
#include "reader/output.h"
#include "ring/ring.h"

struct format_piece;

struct printer {
	const struct script_meta *meta;
	struct output *out;
	struct output *err;
	struct output_files *files; /* behind out; NULL: it is one file */
	struct format_piece **plans; /* by number of the format */
	uint64_t damaged; /* records that made no sense: of no format, or cut short */
};

void printer_init(struct printer *printer, const struct script_meta *meta, struct output *out,
		  struct output *err);
void printer_deinit(struct printer *printer);
/** Prints one record; `arg` is the struct printer (a merge_sink_t). */
void printer_record(void *arg, const struct ring_record *record);

#endif
