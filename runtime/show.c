// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/show.c - whole objects as text: $x$ and $x$$.
 *
 * The translator makes a table out of the object's type, a row for each value in it: the text that
 * comes before, where the value lies, how it is written. Walking that table is all that is done at a
 * hit; it ends early when the text is full. Any context.
 */
#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/internal.h"

struct showing {
	struct format_sink sink;
	enum spl_where where;
	spl_u64 object;
};

static int read_object(enum spl_where where, void *dst, spl_u64 addr, size_t len)
{
	return where == SPL_IN_USER ? host_read_user(dst, addr, len)
				    : host_read_kernel(dst, addr, len);
}

static long read_string(enum spl_where where, char *dst, spl_u64 addr, size_t size)
{
	return where == SPL_IN_USER ? host_read_user_string(dst, addr, size)
				    : host_read_kernel_string(dst, addr, size);
}

/** A value of the object; false when it cannot be read. */
static bool take_value(const struct showing *s, const struct spl_show *row, spl_u64 *ret)
{
	int bits = row->bits ? row->bits : row->width * 8;
	spl_u64 value = 0;

	if (s->where == SPL_IN_WORDS)
		memcpy(&value, (const char *)(uintptr_t)s->object + row->offset, row->width);
	else if (read_object(s->where, &value, s->object + row->offset, row->width))
		return false;
	value >>= row->shift;
	*ret = bits < 64 ? value & ((1ull << bits) - 1) : value;
	return true;
}

static spl_s64 sign_extend(const struct spl_show *row, spl_u64 value)
{
	int unused = 64 - (row->bits ? row->bits : row->width * 8);

	return (spl_s64)(value << unused) >> unused;
}

static void put_number(struct format_sink *sink, const char *text, spl_s64 n)
{
	union spl_val arg = { .n = n };

	format_render(sink, text, "n", &arg);
}

/** What a control character is written as, so that it does not upset the reader's terminal. */
static void put_char(struct format_sink *sink, unsigned char ch)
{
	char text[5] = { '\\', (char)('0' + (ch >> 6)), (char)('0' + (ch >> 3 & 7)),
			 (char)('0' + (ch & 7)), 0 };

	format_puts(sink, "'");
	if (ch == '\'' || ch == '"' || ch == '\\')
		format_puts(sink, "\\");
	if (ch >= ' ' && ch < 0x7f)
		format_write(sink, (const char *)&ch, 1);
	else
		format_puts(sink, text);
	format_puts(sink, "'");
}

static void put_enumerator(struct format_sink *sink, const struct spl_show *row, spl_s64 value)
{
	for (spl_u32 i = 0; i < row->size; i++)
		if (row->names[i].value == value) {
			format_puts(sink, row->names[i].name);
			return;
		}
	put_number(sink, "%i", value);
}

/**
 * Reads a string right to where it goes. What `most` bytes hold need not end in a NUL; the place for
 * one behind them is there, since a sink keeps a byte for its own.
 */
static bool put_string(struct showing *s, spl_u64 addr, size_t most)
{
	struct format_sink *sink = &s->sink;
	size_t room = sink->cap - sink->len;
	enum spl_where where = s->where == SPL_IN_USER ? SPL_IN_USER : SPL_IN_KERNEL;
	char *at = sink->buf + sink->len;
	long len;

	if (room < 3)
		return true;
	if (most > room - 2)
		most = room - 2;
	len = read_string(where, at + 1, addr, most + 1);
	if (len < 0)
		return false;
	at[0] = '"';
	sink->len += (size_t)len;
	format_puts(sink, "\"");
	return true;
}

static bool put_row(struct showing *s, const struct spl_show *row)
{
	struct format_sink *sink = &s->sink;
	spl_u64 value;

	format_puts(sink, row->text);
	if (row->how == SPL_SHOW_TEXT)
		return true;
	if (row->how == SPL_SHOW_CHARS)
		return put_string(s, s->object + row->offset, row->size);
	if (!take_value(s, row, &value))
		return false;
	if (row->how == SPL_SHOW_SIGNED)
		put_number(sink, "%i", sign_extend(row, value));
	else if (row->how == SPL_SHOW_UNSIGNED)
		put_number(sink, "%u", (spl_s64)value);
	else if (row->how == SPL_SHOW_CHAR)
		put_char(sink, (unsigned char)value);
	else if (row->how == SPL_SHOW_POINTER)
		format_pointer(sink, value);
	else if (row->how == SPL_SHOW_ENUM)
		put_enumerator(sink, row, sign_extend(row, value));
	else if (!put_string(s, value, sink->cap))
		format_puts(sink, "\"<unknown>\"");
	return true;
}

char *spl_show(struct spl_ctx *c, char *dst, spl_size size, const struct spl_show *rows,
	       spl_size nrows, enum spl_where where, spl_u64 object)
{
	struct showing s = { .where = where, .object = object };

	format_sink_init(&s.sink, dst, size);
	for (spl_size i = 0; i < nrows && s.sink.len < s.sink.cap; i++)
		if (!put_row(&s, &rows[i])) {
			s.sink.len = 0;
			format_puts(&s.sink, "ERROR");
			break;
		}
	return format_sink_finish(&s.sink);
}
