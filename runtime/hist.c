// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/hist.c - histograms as text; see hist.h. Any context.
 *
 * Rows are drawn from two buckets below the first that is not empty to two above the last. A
 * logarithmic one that begins at 0 or above shows no negative rows; a linear one shows the two outer
 * buckets, `<low` and `>high`, only if something is in them. A row whose neighbours up to `elision`
 * rows away are all empty, as it is, is left out; a ~ stands for each such run. Bars have 50
 * characters; when the largest count has more, each @ stands for a whole number of samples.
 */
#include "runtime/hist.h"

#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/script.h"

#define BAR 50
#define MARGIN 2
#define LABEL_MIN 5 /* "value" */

struct drawing {
	const struct hist *hist;
	uint32_t low, high; /* rows */
	int64_t scale;      /* samples of an @ */
	size_t label_width, count_width;
};

static int64_t record_get(const struct hist *hist, uint32_t i)
{
	int64_t count;

	memcpy(&count, (const char *)hist->source + (size_t)(i - hist->head.first) * 8, 8);
	return count;
}

bool hist_from_record(struct hist *hist, const void *data, size_t size)
{
	struct hist_head *head = &hist->head;

	if (size < sizeof(*head))
		return false;
	memcpy(head, data, sizeof(*head));
	hist->get = record_get;
	hist->source = (const char *)data + sizeof(*head);
	return head->count && head->count <= (size - sizeof(*head)) / 8 &&
	       head->first < head->buckets && head->count <= head->buckets - head->first;
}

/* --- what is drawn --------------------------------------------------------------------------- */

static int64_t count_at(const struct hist *hist, uint32_t i)
{
	const struct hist_head *head = &hist->head;

	return i < head->first || i >= head->first + head->count ? 0 : hist->get(hist, i);
}

static int64_t bucket_value(const struct hist_head *head, uint32_t i)
{
	if (head->kind == SPL_STAT_LOG) {
		if (i == SPL_LOG_ZERO)
			return 0;
		return i > SPL_LOG_ZERO ? (int64_t)(1ull << ((i - SPL_LOG_ZERO - 1) & 63)) :
					  (int64_t)(0 - (1ull << ((SPL_LOG_ZERO - 1 - i) & 63)));
	}
	if (i == 0)
		return head->low;
	if (i == head->buckets - 1)
		i--;
	return (int64_t)((uint64_t)head->low + (uint64_t)(i - 1) * (uint64_t)head->width);
}

/** "<", ">" or "" and the number; how long it is. */
static size_t label(const struct hist_head *head, uint32_t i, char *buf, size_t size)
{
	bool linear = head->kind == SPL_STAT_LINEAR;
	union spl_val value = { .n = bucket_value(head, i) };
	struct format_sink sink;

	format_sink_init(&sink, buf, size);
	if (linear && (i == 0 || i == head->buckets - 1))
		format_puts(&sink, i ? ">" : "<");
	format_render(&sink, "%d", "n", &value);
	format_sink_finish(&sink);
	return sink.len;
}

static size_t label_width(const struct hist_head *head, uint32_t i)
{
	char buf[32];

	return label(head, i, buf, sizeof(buf));
}

static void find_rows(struct drawing *d)
{
	const struct hist_head *head = &d->hist->head;
	bool linear = head->kind == SPL_STAT_LINEAR;

	d->low = head->first;
	d->high = head->first + head->count - 1;
	for (int i = 0; i < MARGIN; i++) {
		if (d->low > 0 && (linear || d->low != SPL_LOG_ZERO))
			d->low--;
		if (d->high < head->buckets - 1)
			d->high++;
	}
	if (linear && d->low == 0 && !count_at(d->hist, 0))
		d->low = 1;
	if (linear && d->high == head->buckets - 1 && !count_at(d->hist, d->high))
		d->high--;
}

static size_t digits(int64_t n)
{
	size_t count = 1;

	for (; n > 9; n /= 10)
		count++;
	return count;
}

static void find_sizes(struct drawing *d)
{
	const struct hist *hist = d->hist;
	int64_t max = 0;

	d->label_width = LABEL_MIN;
	for (uint32_t i = d->low; i <= d->high; i++) {
		size_t width = label_width(&hist->head, i);
		int64_t count = count_at(hist, i);

		max = count > max ? count : max;
		d->label_width = width > d->label_width ? width : d->label_width;
	}
	d->scale = max > BAR ? max / BAR + (max % BAR != 0) : 1;
	d->count_width = digits(max);
}

static bool is_left_out(const struct drawing *d, uint32_t row)
{
	int64_t near = d->hist->head.elision;
	uint32_t from, to;

	if (near < 0)
		return false;
	from = row - d->low > near ? (uint32_t)(row - near) : d->low;
	to = d->high - row > near ? (uint32_t)(row + near) : d->high;
	for (uint32_t i = from; i <= to; i++)
		if (count_at(d->hist, i))
			return false;
	return true;
}

/* --- drawing --------------------------------------------------------------------------------- */

static void repeat(struct format_sink *sink, const char *ch, int64_t count)
{
	for (; count > 0; count--)
		format_write(sink, ch, 1);
}

static void draw_head(struct format_sink *sink, const struct drawing *d)
{
	repeat(sink, " ", (int64_t)d->label_width - LABEL_MIN);
	format_puts(sink, "value |");
	repeat(sink, "-", BAR);
	format_puts(sink, " count\n");
}

static void draw_row(struct format_sink *sink, const struct drawing *d, uint32_t row)
{
	int64_t count = count_at(d->hist, row), bar = count / d->scale;
	union spl_val value = { .n = count };
	char buf[32];
	size_t width = label(&d->hist->head, row, buf, sizeof(buf));

	bar = bar < 0 ? 0 : bar > BAR ? BAR : bar; /* a damaged record can hold any count */
	repeat(sink, " ", (int64_t)(d->label_width - width));
	format_puts(sink, buf);
	format_puts(sink, " |");
	repeat(sink, "@", bar);
	repeat(sink, " ", BAR - bar + 1 + (int64_t)(d->count_width - digits(count)));
	format_render(sink, "%d", "n", &value);
	format_puts(sink, "\n");
}

void hist_render(struct format_sink *sink, const struct hist *hist)
{
	struct drawing d = { .hist = hist };
	bool leaving_out = false;

	find_rows(&d);
	find_sizes(&d);
	draw_head(sink, &d);
	for (uint32_t row = d.low; row <= d.high; row++) {
		if (is_left_out(&d, row)) {
			leaving_out = true;
			continue;
		}
		if (leaving_out) {
			repeat(sink, " ", (int64_t)d.label_width + 1);
			format_puts(sink, "~\n");
		}
		leaving_out = false;
		draw_row(sink, &d, row);
	}
	format_puts(sink, "\n");
}
