// SPDX-License-Identifier: GPL-2.0-only
#include "reader/print.h"

#include <string.h>

void printer_init(struct printer *printer, const struct script_meta *meta, struct output *out,
		  struct output *err)
{
	*printer = (struct printer){ .meta = meta, .out = out, .err = err };
}

void printer_deinit(struct printer *printer)
{
}

/* A line for standard error. The text ends at its NUL, or at the record's end. */
static void print_message(struct printer *p, const struct ring_record *record)
{
	const char *text = (const char *)(record + 1);

	output_flush(p->out);
	if (record->format == 'W')
		output_adds(p->err, "WARNING: ");
	else if (record->format == 'E')
		output_adds(p->err, "ERROR: ");
	output_add(p->err, text, strnlen(text, record->size - sizeof(*record)));
	output_adds(p->err, "\n");
}

void printer_record(void *arg, const struct ring_record *record)
{
	struct printer *p = arg;

	if (record->kind == RING_MESSAGE)
		print_message(p, record);
}
