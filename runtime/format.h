/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * runtime/format.h - printf of the script language, for handlers and for the reader.
 *
 * sprintf() formats at the hit, printf() is recorded raw and formatted by the reader: both must
 * give the same text, so there is one formatter, freestanding and without allocation. Numbers have
 * 64 bits; what a conversion does is told in docs of the language:
 *
 *   %d %i      signed            %u %o %x %X   unsigned       %c   one byte
 *   %p         0x and 16 digits  %s            string         %%   a percent sign
 *   %b         the number's bytes as they lie in memory; the width is how many, 1 2 4 8 (8)
 *   %m %M      a string's bytes, raw or as hex digits; the precision is how many. In the language
 *              it is memory at an address: the argument is of type 'm', its bytes were read at the hit
 *   %H         a histogram (runtime/hist.h); in records only, its type is 'h'
 *
 * with C's flags (- + space 0 #), width and precision, either of them `*`; h, l, L, z and q are
 * read and ignored. An unknown conversion is copied as it stands. A wrong type of argument or a
 * missing one never fails: the value is printed by the type that it has, or as 0 or "".
 */
#ifndef SPILE_RUNTIME_FORMAT_H
#define SPILE_RUNTIME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union spl_val;

/** Where text goes. Embedded in the user's own struct when `flush` needs more than the buffer. */
struct format_sink {
	char *buf;
	size_t len, cap; /* bytes used; bytes of room, without the NUL that finish adds */
	/** Empties a full buffer (sets len = 0). NULL: what does not fit is cut. */
	void (*flush)(struct format_sink *sink);
};

/** A sink of a buffer of `size` bytes with the NUL, without flush. */
void format_sink_init(struct format_sink *sink, char *buf, size_t size);
/** Adds the NUL (it always has room) and returns the buffer. */
char *format_sink_finish(struct format_sink *sink);

void format_write(struct format_sink *sink, const char *s, size_t len);
void format_puts(struct format_sink *sink, const char *s);
/** "0x" and 16 digits, as %p. */
void format_pointer(struct format_sink *sink, uint64_t addr);

/** Formats arguments as a handler has them. `types`: one letter each, 'n', 's' or 'm'. */
void format_render(struct format_sink *sink, const char *text, const char *types,
		   const union spl_val *args);
/** A literal text and the conversion that follows it. */
struct format_piece {
	const char *text;
	uint32_t len;
	char letter; /* 'd' of a number, 's' of a string, without more; '%' any other; 0 none: the end */
	const char *types; /* from its first argument on */
};

/**
 * Cuts a format's text into pieces, of which the last has letter 0: a plan. Returns how many there
 * are; `max` of them at most are written. They refer to `text` and `types`.
 */
size_t format_plan(const char *text, const char *types, struct format_piece *ret, size_t max);
/**
 * Formats the payload of a RING_PRINT record (ring/ring.h). The payload is not trusted: false when
 * it is too short for its types; what is missing reads as 0 or "".
 */
bool format_render_plan(struct format_sink *sink, const struct format_piece *plan,
			const void *payload, size_t size);

#endif
