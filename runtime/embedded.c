// SPDX-License-Identifier: GPL-2.0-only
/*
 * What C code inside of scripts calls: printf with C's own variable arguments. Each conversion is
 * handed to format.c with its one argument widened to 64 bits, so %d of an int and %lld come out
 * as C has it. Any context.
 */
#include "runtime/internal.h"

#include <stdarg.h>

#include "engine/host.h"
#include "runtime/format.h"

enum { SPEC_MAX = 32 };

/* One conversion as format.c takes it, and its arguments. */
struct spec {
	char text[SPEC_MAX], types[4];
	union spl_val values[3];
	size_t len, count;
	int longs; /* of its letters: 0 int, 1 and more 64 bits; -1 short, -2 char */
};

static void spec_add(struct spec *spec, char ch)
{
	if (spec->len < SPEC_MAX - 1)
		spec->text[spec->len++] = ch;
}

static void spec_value(struct spec *spec, char type, union spl_val value)
{
	spec->types[spec->count] = type;
	spec->values[spec->count++] = value;
}

static int64_t widened(struct spec *spec, char conversion, va_list *ap)
{
	bool is_signed = conversion == 'd' || conversion == 'i';
	int64_t n;

	if (conversion == 'p' || spec->longs > 0)
		return va_arg(*ap, long);
	n = va_arg(*ap, int);
	if (spec->longs == -1)
		return is_signed ? (int16_t)n : (uint16_t)n;
	if (spec->longs < -1)
		return is_signed ? (int8_t)n : (uint8_t)n;
	return is_signed ? n : (int64_t)(uint32_t)n;
}

/* Reads from the % on; returns the place behind the conversion. */
static const char *spec_read(struct spec *spec, const char *p, va_list *ap)
{
	const char *s;

	*spec = (struct spec){ .len = 0 };
	spec_add(spec, *p++);
	for (; *p; p++) {
		if (*p == 'l' || *p == 'z' || *p == 't' || *p == 'j')
			spec->longs++;
		else if (*p == 'h')
			spec->longs--;
		else if (*p == '*' && spec->count < 2)
			spec_value(spec, 'n', (union spl_val){ .n = va_arg(*ap, int) });
		if (*p == '*' || *p == '.' || *p == '-' || *p == '+' || *p == ' ' || *p == '#' ||
		    (*p >= '0' && *p <= '9'))
			spec_add(spec, *p);
		else if (*p != 'l' && *p != 'z' && *p != 't' && *p != 'j' && *p != 'h')
			break;
	}
	if (!*p)
		return p;
	spec_add(spec, *p);
	if (*p == 's') {
		s = va_arg(*ap, const char *);
		spec_value(spec, 's', (union spl_val){ .s = s ? s : "(null)" });
	} else if (*p != '%') {
		spec_value(spec, 'n', (union spl_val){ .n = widened(spec, *p, ap) });
	}
	return p + 1;
}

static void render(struct format_sink *sink, const char *fmt, va_list *ap)
{
	struct spec spec;

	while (*fmt) {
		const char *from = fmt;

		while (*fmt && *fmt != '%')
			fmt++;
		format_write(sink, from, (size_t)(fmt - from));
		if (!*fmt)
			break;
		fmt = spec_read(&spec, fmt, ap);
		format_render(sink, spec.text, spec.types, spec.values);
	}
}

int spl_c_format(char *dst, spl_size size, const char *fmt, ...)
{
	struct format_sink sink;
	va_list ap;

	if (!size)
		return 0;
	format_sink_init(&sink, dst, size);
	va_start(ap, fmt);
	render(&sink, fmt, &ap);
	va_end(ap);
	return (int)spl_str_len(format_sink_finish(&sink));
}

void spl_c_print(struct spl_ctx *c, spl_u32 format, const char *fmt, ...)
{
	char *text = spl_frame_push(c, SPL_C_PRINT_FRAME);
	struct format_sink sink;
	va_list ap;

	if (!text)
		return;
	format_sink_init(&sink, text, SPL_C_PRINT_FRAME);
	va_start(ap, fmt);
	render(&sink, fmt, &ap);
	va_end(ap);
	format_sink_finish(&sink);
	spl_print(c, format, &(union spl_val){ .s = text });
	spl_frame_pop(c, text);
}

void spl_c_fail(struct spl_ctx *c, const char *place, const char *fmt, ...)
{
	struct format_sink sink;
	va_list ap;

	if (c->error)
		return;
	format_sink_init(&sink, c->error_buf, sizeof(c->error_buf));
	va_start(ap, fmt);
	render(&sink, fmt, &ap);
	va_end(ap);
	format_sink_finish(&sink);
	spl_fail(c, c->error_buf, place);
}
