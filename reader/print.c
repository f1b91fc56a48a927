// SPDX-License-Identifier: GPL-2.0-only
#include "reader/print.h"

#include <stdlib.h>
#include <string.h>

#include "reader/shell.h"
#include "runtime/format.h"

static struct format_piece *plan_create(const struct spl_format *format)
{
	size_t count = format_plan(format->text, format->types, NULL, 0);
	struct format_piece *plan = calloc(count, sizeof(*plan));

	if (!plan)
		abort();
	format_plan(format->text, format->types, plan, count);
	return plan;
}

void printer_init(struct printer *printer, const struct script_meta *meta, struct output *out,
		  struct output *err)
{
	*printer = (struct printer){ .meta = meta, .out = out, .err = err };
	printer->plans = calloc(meta->nformats + 1, sizeof(*printer->plans));
	if (!printer->plans)
		abort();
	for (uint32_t i = 0; i < meta->nformats; i++)
		printer->plans[i] = plan_create(&meta->formats[i]);
}

void printer_deinit(struct printer *printer)
{
	for (uint32_t i = 0; i < printer->meta->nformats; i++)
		free(printer->plans[i]);
	free(printer->plans);
	printer->plans = NULL;
}

/* What a script asks of us. */
static void obey(struct printer *p, uint16_t request, const char *text, bool whole)
{
	output_flush(p->out);
	output_flush(p->err);
	if (request == 'S' && !whole) /* it lost its end: not what the script meant */
		p->damaged++;
	else if (request == 'S')
		shell_start(text);
	else if (p->files)
		output_files_switch(p->files, p->out);
}

/* A line for standard error, or a request. The text ends at its NUL, or at the record's end. */
static void print_message(struct printer *p, const struct ring_record *record)
{
	const char *text = (const char *)(record + 1);
	size_t len = strnlen(text, record->size - sizeof(*record));

	if (record->format == 'S' || record->format == 'N') {
		obey(p, record->format, text, len < record->size - sizeof(*record));
		return;
	}
	output_flush(p->out);
	if (record->format == 'W')
		output_adds(p->err, "WARNING: ");
	else if (record->format == 'E')
		output_adds(p->err, "ERROR: ");
	output_add(p->err, text, len);
	output_adds(p->err, "\n");
}

/* The formatter's sink over the output's buffer. */
struct print_sink {
	struct format_sink sink;
	struct output *out;
};

static void sink_flush(struct format_sink *sink)
{
	struct output *out = ((struct print_sink *)sink)->out;

	out->len = sink->len;
	output_flush(out);
	sink->len = 0;
}

static void print_text(struct printer *p, const struct ring_record *record)
{
	struct output *out = p->out;
	struct print_sink ps = { .out = out,
				 .sink = { .buf = out->buf, .len = out->len, .cap = out->cap,
					   .flush = sink_flush } };
	size_t start = out->len;
	uint64_t written = out->written;

	if (!format_render_plan(&ps.sink, p->plans[record->format], record + 1,
				record->size - sizeof(*record)))
		p->damaged++;
	out->len = ps.sink.len;
	if (p->files && p->files->limit)
		output_files_record_end(p->files, out, out->written == written ? start : 0);
}

void printer_record(void *arg, const struct ring_record *record)
{
	struct printer *p = arg;

	if (record->kind == RING_MESSAGE) {
		print_message(p, record);
	} else if (record->kind == RING_PRINT && record->format < p->meta->nformats) {
		if (p->err->len)
			output_flush(p->err);
		print_text(p, record);
	} else {
		p->damaged++;
	}
}
