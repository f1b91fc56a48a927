// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/format.c - printf of the script language; see format.h. Any context.
 *
 * A conversion is parsed into a `struct spec`, its arguments are fetched one by one from either
 * source, and one function for each group of conversions writes it. Digits are made in a buffer
 * on the stack, padding is written without one, so no width can overflow anything.
 *
 * Most of what is printed is %d and %s without anything else. These go their own way: a scan cuts the
 * text into pieces, a literal and the conversion after it, which a reader keeps (a plan), so that a
 * record costs no look at the text.
 */
#include "runtime/format.h"

#include "engine/host.h"
#include "runtime/hist.h"
#include "runtime/internal.h"

#define FLAG_LEFT 1
#define FLAG_PLUS 2
#define FLAG_SPACE 4
#define FLAG_ZERO 8
#define FLAG_ALT 16

#define DIGITS_MAX 24          /* 64 bits in octal are 22 digits */
#define WIDTH_MAX (1 << 20)    /* a wild `*` shall not print for ever */

/** One conversion: %[flags][width][.precision]letter. */
struct spec {
	unsigned flags;
	int64_t width;
	int64_t precision; /* -1: none was given */
	char letter;
};

/** One argument, whichever source it came from. */
struct argument {
	bool is_string;
	int64_t n;
	const char *s;
	size_t len; /* of s */
};

/** Where the arguments come from: an array of values, or a record's payload if that is NULL. */
struct source {
	const char *types;
	const union spl_val *values;
	const char *at, *end;
	bool truncated;
};

/* --- sink ------------------------------------------------------------------------------------ */

void format_sink_init(struct format_sink *sink, char *buf, size_t size)
{
	*sink = (struct format_sink){ .buf = buf, .cap = size - 1 };
}

char *format_sink_finish(struct format_sink *sink)
{
	sink->buf[sink->len] = '\0';
	return sink->buf;
}

/** Room for at least one byte; false when the text is to be cut. */
static bool has_room(struct format_sink *sink)
{
	if (sink->len == sink->cap && sink->flush)
		sink->flush(sink);
	return sink->len < sink->cap;
}

static __attribute__((noinline)) void write_long(struct format_sink *sink, const char *s, size_t len)
{
	while (len && has_room(sink)) {
		size_t n = sink->cap - sink->len;

		n = n < len ? n : len;
		memcpy(sink->buf + sink->len, s, n);
		sink->len += n;
		s += n;
		len -= n;
	}
}

static inline void write_bytes(struct format_sink *sink, const char *s, size_t len)
{
	if (spl_likely(len < 16 && len <= sink->cap - sink->len)) {
		str_copy_short(sink->buf + sink->len, s, len);
		sink->len += len;
	} else {
		write_long(sink, s, len);
	}
}

void format_write(struct format_sink *sink, const char *s, size_t len)
{
	write_bytes(sink, s, len);
}

static void put_repeated(struct format_sink *sink, char ch, int64_t count)
{
	for (; count > 0 && has_room(sink); count--)
		sink->buf[sink->len++] = ch;
}

void format_puts(struct format_sink *sink, const char *s)
{
	format_write(sink, s, spl_str_len(s));
}

/* --- arguments ------------------------------------------------------------------------------- */

static struct argument from_values(struct source *src, char type)
{
	struct argument arg = { .is_string = type != 'n', .s = "" };
	uint32_t len;

	if (type == 's') {
		arg.s = src->values->s;
		arg.len = spl_str_len(arg.s);
	} else if (type == 'm') {
		memcpy(&len, src->values->s, sizeof(len));
		arg.s = src->values->s + sizeof(len);
		arg.len = len;
	} else {
		arg.n = src->values->n;
	}
	src->values++;
	return arg;
}

static inline bool payload_take(struct source *src, size_t size, const char **ret)
{
	if ((size_t)(src->end - src->at) < size) {
		src->truncated = true;
		src->at = src->end;
		return false;
	}
	*ret = src->at;
	src->at += size;
	return true;
}

static inline struct argument from_payload(struct source *src, char type)
{
	struct argument arg = { .is_string = type != 'n', .s = "" };
	const char *p;
	uint32_t len;

	if (!arg.is_string) {
		if (payload_take(src, 8, &p))
			memcpy(&arg.n, p, 8);
		return arg;
	}
	if ((size_t)(src->end - src->at) < sizeof(len)) {
		src->truncated = true;
		return arg;
	}
	memcpy(&len, src->at, sizeof(len));
	if (payload_take(src, ring_string_room(len), &p)) {
		arg.s = p + sizeof(len);
		arg.len = len;
	}
	return arg;
}

/** The next argument; 0 when there is none left. */
static inline struct argument next_argument(struct source *src)
{
	char type = *src->types;

	if (!type)
		return (struct argument){ .s = "" };
	src->types++;
	return src->values ? from_values(src, type) : from_payload(src, type);
}

/* --- conversions ----------------------------------------------------------------------------- */

/** The same for base 10, two digits a division. */
static inline char *decimals_of(char *end, uint64_t n)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";

	while (n >= 100) {
		end -= 2;
		__builtin_memcpy(end, pairs + 2 * (n % 100), 2);
		n /= 100;
	}
	if (n >= 10) {
		end -= 2;
		__builtin_memcpy(end, pairs + 2 * n, 2);
	} else if (n) {
		*--end = (char)('0' + n);
	}
	return end;
}

/** Writes digits of n so that they end at `end`, none for 0; returns where they start. */
static char *digits_of(char *end, uint64_t n, unsigned base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	if (base == 10) {
		end = decimals_of(end, n);
	} else {
		unsigned shift = base == 16 ? 4 : 3;

		for (; n; n >>= shift)
			*--end = alphabet[n & (base - 1)];
	}
	return end;
}

/** Prefix and digits with padding: spaces, prefix, zeros, digits, spaces. */
static void put_number(struct format_sink *sink, const struct spec *spec, const char *prefix,
		       const char *digits, int64_t len)
{
	int64_t prefix_len = spl_str_len(prefix);
	int64_t zeros = spec->precision > len ? spec->precision - len : 0;
	int64_t rest = spec->width - prefix_len - zeros - len;

	if (rest > 0 && (spec->flags & FLAG_ZERO) && spec->precision < 0 &&
	    !(spec->flags & FLAG_LEFT)) {
		zeros += rest;
		rest = 0;
	}
	if (!(spec->flags & FLAG_LEFT))
		put_repeated(sink, ' ', rest);
	format_write(sink, prefix, prefix_len);
	put_repeated(sink, '0', zeros);
	format_write(sink, digits, len);
	if (spec->flags & FLAG_LEFT)
		put_repeated(sink, ' ', rest);
}

static void put_signed(struct format_sink *sink, const struct spec *spec, int64_t n)
{
	char buf[DIGITS_MAX], *end = buf + sizeof(buf);
	char *p = digits_of(end, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, false);
	const char *prefix = "";

	if (p == end && spec->precision != 0)
		*--p = '0';
	if (n < 0)
		prefix = "-";
	else if (spec->flags & FLAG_PLUS)
		prefix = "+";
	else if (spec->flags & FLAG_SPACE)
		prefix = " ";
	put_number(sink, spec, prefix, p, end - p);
}

static void put_unsigned(struct format_sink *sink, const struct spec *spec, uint64_t n)
{
	unsigned base = spec->letter == 'u' ? 10 : spec->letter == 'o' ? 8 : 16;
	char buf[DIGITS_MAX], *end = buf + sizeof(buf);
	char *p = digits_of(end, n, base, spec->letter == 'X');
	const char *prefix = "";

	if (p == end && spec->precision != 0)
		*--p = '0';
	if (spec->flags & FLAG_ALT) {
		if (base == 16 && n)
			prefix = spec->letter == 'X' ? "0X" : "0x";
		else if (base == 8 && (p == end || *p != '0') && spec->precision <= end - p)
			*--p = '0';
	}
	put_number(sink, spec, prefix, p, end - p);
}

static void put_pointer(struct format_sink *sink, struct spec spec, uint64_t n)
{
	char buf[DIGITS_MAX], *end = buf + sizeof(buf), *p = digits_of(end, n, 16, false);

	if (spec.precision < 0 && !spec.width)
		spec.precision = 16;
	if (p == end)
		*--p = '0';
	put_number(sink, &spec, "0x", p, end - p);
}

void format_pointer(struct format_sink *sink, uint64_t addr)
{
	put_pointer(sink, (struct spec){ .precision = -1, .letter = 'p' }, addr);
}

/** Bytes with padding to the width; strings are padded with spaces only. */
static void put_padded(struct format_sink *sink, const struct spec *spec, const char *s,
		       int64_t len)
{
	if (!(spec->flags & FLAG_LEFT))
		put_repeated(sink, ' ', spec->width - len);
	format_write(sink, s, len);
	if (spec->flags & FLAG_LEFT)
		put_repeated(sink, ' ', spec->width - len);
}

static void put_string(struct format_sink *sink, const struct spec *spec,
		       const struct argument *arg)
{
	int64_t len = arg->len;

	if (spec->precision >= 0 && spec->precision < len)
		len = spec->precision;
	put_padded(sink, spec, arg->s, len);
}

static void put_hex_bytes(struct format_sink *sink, const struct spec *spec,
			  const struct argument *arg)
{
	int64_t len = arg->len;

	if (spec->precision >= 0 && spec->precision < len)
		len = spec->precision;
	put_repeated(sink, ' ', spec->flags & FLAG_LEFT ? 0 : spec->width - 2 * len);
	for (int64_t i = 0; i < len; i++) {
		format_write(sink, &"0123456789abcdef"[(arg->s[i] >> 4) & 15], 1);
		format_write(sink, &"0123456789abcdef"[arg->s[i] & 15], 1);
	}
	put_repeated(sink, ' ', spec->flags & FLAG_LEFT ? spec->width - 2 * len : 0);
}

/** %c; %#c writes what cannot be printed as C does: \\t and its kin, else three octal digits. */
static void put_character(struct format_sink *sink, const struct spec *spec, unsigned char ch)
{
	const char escaped[] = {'\\', (char)('0' + (ch >> 6)), (char)('0' + (ch >> 3 & 7)),
				(char)('0' + (ch & 7))};

	if (!(spec->flags & FLAG_ALT) || (ch >= ' ' && ch <= '~'))
		put_padded(sink, spec, (const char *)&ch, 1);
	else if (ch >= '\a' && ch <= '\r')
		put_padded(sink, spec, (const char[]){'\\', "abtnvfr"[ch - '\a']}, 2);
	else
		put_padded(sink, spec, escaped, sizeof(escaped));
}

/** %b: little-endian bytes, as memory has them. */
static void put_binary(struct format_sink *sink, const struct spec *spec, int64_t n)
{
	size_t len = spec->width == 1 || spec->width == 2 || spec->width == 4 ? spec->width : 8;

	format_write(sink, (const char *)&n, len);
}

/** %H: a histogram out of a record; nothing if it is damaged. */
static void put_histogram(struct format_sink *sink, const struct argument *arg)
{
	struct hist hist;

	if (hist_from_record(&hist, arg->s, arg->len))
		hist_render(sink, &hist);
}

static void put_argument(struct format_sink *sink, const struct spec *spec, struct argument arg)
{
	if (arg.is_string) {
		if (spec->letter == 'H')
			put_histogram(sink, &arg);
		else if (spec->letter == 'M')
			put_hex_bytes(sink, spec, &arg);
		else
			put_string(sink, spec, &arg);
		return;
	}
	switch (spec->letter) {
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		put_unsigned(sink, spec, arg.n);
		break;
	case 'p':
		put_pointer(sink, *spec, arg.n);
		break;
	case 'c':
		put_character(sink, spec, (unsigned char)arg.n);
		break;
	case 'b':
		put_binary(sink, spec, arg.n);
		break;
	default:
		put_signed(sink, spec, arg.n);
	}
}

/* --- the format's text ----------------------------------------------------------------------- */

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		switch (*p) {
		case '-':
			spec->flags |= FLAG_LEFT;
			break;
		case '+':
			spec->flags |= FLAG_PLUS;
			break;
		case ' ':
			spec->flags |= FLAG_SPACE;
			break;
		case '0':
			spec->flags |= FLAG_ZERO;
			break;
		case '#':
			spec->flags |= FLAG_ALT;
			break;
		default:
			return p;
		}
	}
}

/** Digits, or `*` for an argument. */
static const char *parse_count(const char *p, struct source *src, int64_t *ret)
{
	*ret = 0;
	if (*p == '*') {
		*ret = next_argument(src).n;
		return p + 1;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (*ret < WIDTH_MAX)
			*ret = *ret * 10 + (*p - '0');
	return p;
}

/** Parses what follows a '%'; returns the place behind the letter. */
static const char *parse_spec(const char *p, struct source *src, struct spec *spec)
{
	*spec = (struct spec){ .precision = -1 };
	p = parse_flags(p, spec);
	p = parse_count(p, src, &spec->width);
	if (spec->width < 0) {
		spec->flags |= FLAG_LEFT;
		spec->width = spec->width < -WIDTH_MAX ? WIDTH_MAX : -spec->width;
	}
	if (*p == '.')
		p = parse_count(p + 1, src, &spec->precision);
	while (*p == 'h' || *p == 'l' || *p == 'L' || *p == 'z' || *p == 'q')
		p++;
	spec->width = spec->width > WIDTH_MAX ? WIDTH_MAX : spec->width;
	spec->precision = spec->precision > WIDTH_MAX ? WIDTH_MAX : spec->precision;
	spec->precision = spec->precision < 0 ? -1 : spec->precision;
	spec->letter = *p;
	return *p ? p + 1 : p;
}

static bool is_conversion(char letter)
{
	switch (letter) {
	case 'd':
	case 'i':
	case 'u':
	case 'o':
	case 'x':
	case 'X':
	case 'c':
	case 's':
	case 'p':
	case 'b':
	case 'm':
	case 'M':
	case 'H':
		return true;
	default:
		return false;
	}
}

/** Digits of n > 0 in base 10: by the width in bits (1233 / 4096 is log10 of 2), then by comparison. */
static inline unsigned decimals_count(uint64_t n)
{
	static const uint64_t powers[] = {
		0, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
		10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
		1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
		10000000000000000000u };
	unsigned bits = 64 - (unsigned)__builtin_clzll(n), about = bits * 1233 >> 12;

	return about + (n >= powers[about]);
}

/** Writes n in base 10, at most DIGITS_MAX bytes; returns the end. */
static inline char *decimal_to(char *p, int64_t n)
{
	uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;

	if (spl_unlikely(!n)) {
		*p = '0';
		return p + 1;
	}
	*p = '-';
	p += (n < 0) + decimals_count(size);
	decimals_of(p, size);
	return p;
}

/** %d without anything else. */
static inline void put_decimal(struct format_sink *sink, int64_t n)
{
	char *p = sink->buf + sink->len;

	if (spl_likely(sink->cap - sink->len >= DIGITS_MAX))
		sink->len += (size_t)(decimal_to(p, n) - p);
	else
		put_signed(sink, &(struct spec){ .precision = -1 }, n);
}

/** Any conversion, `percent` is its '%'; returns what follows it. */
static const char *put_conversion(struct format_sink *sink, const char *percent, struct source *src)
{
	struct spec spec;
	const char *end = parse_spec(percent + 1, src, &spec);

	if (spec.letter == '%')
		format_write(sink, "%", 1);
	else if (is_conversion(spec.letter))
		put_argument(sink, &spec, next_argument(src));
	else
		format_write(sink, percent, end - percent);
	return end;
}

/** The literal text up to the next conversion, and whether that is a %d or %s without anything else.
 * Returns what follows the literal. */
static inline const char *scan(const char *text, struct format_piece *ret)
{
	const char *percent = text;

	while (*percent && *percent != '%')
		percent++;
	*ret = (struct format_piece){ .text = text, .len = (uint32_t)(percent - text) };
	if (*percent)
		ret->letter = percent[1] == 'd' || percent[1] == 's' ? percent[1] : '%';
	return percent;
}

/** A plain conversion of an argument that it was made for; false: nothing was taken. */
static inline bool put_plain(struct format_sink *sink, char letter, struct source *src)
{
	struct argument arg;

	if (letter == 'd' && *src->types == 'n') {
		put_decimal(sink, next_argument(src).n);
		return true;
	}
	if (letter != 's' || !*src->types || *src->types == 'n')
		return false;
	arg = next_argument(src);
	write_bytes(sink, arg.s, arg.len);
	return true;
}

static void render(struct format_sink *sink, const char *text, struct source *src)
{
	struct format_piece piece;

	for (;;) {
		text = scan(text, &piece);
		write_bytes(sink, piece.text, piece.len);
		if (!piece.letter)
			return;
		if (put_plain(sink, piece.letter, src))
			text += 2;
		else
			text = put_conversion(sink, text, src);
	}
}

void format_render(struct format_sink *sink, const char *text, const char *types,
		   const union spl_val *args)
{
	struct source src = { .types = types, .values = args };

	render(sink, text, &src);
}

/* --- plans ----------------------------------------------------------------------------------- */

/* Moves on over a conversion and the arguments that it takes; returns whether it is a plain one of an
 * argument that it was made for. */
static bool plan_conversion(const char **text, char letter, struct source *src)
{
	const char *types = src->types;
	struct spec spec;

	*text = parse_spec(*text + 1, src, &spec);
	if (is_conversion(spec.letter))
		next_argument(src);
	return letter == 'd' ? *types == 'n' : letter == 's' && *types && *types != 'n';
}

size_t format_plan(const char *text, const char *types, struct format_piece *ret, size_t max)
{
	struct source src = { .types = types };
	struct format_piece piece;
	size_t count = 0;

	do {
		text = scan(text, &piece);
		piece.types = src.types;
		if (piece.letter && !plan_conversion(&text, piece.letter, &src))
			piece.letter = '%';
		if (count < max)
			ret[count] = piece;
		count++;
	} while (piece.letter);
	return count;
}

/** A piece in every case: there may be little room, and the conversion may be any. */
static __attribute__((noinline)) struct source put_piece(struct format_sink *sink,
							 const struct format_piece *piece,
							 struct source src)
{
	src.types = piece->types;
	format_write(sink, piece->text, piece->len);
	if (piece->letter)
		put_conversion(sink, piece->text + piece->len, &src);
	return src;
}

#define SHORT 16 /* str_copy_short() is for less */

/** The next string of a record, when it is short and all there; NULL otherwise, and nothing is taken. */
static inline const char *take_short(struct source *src, uint32_t *ret_len)
{
	size_t left = (size_t)(src->end - src->at);
	const char *s = src->at + sizeof(*ret_len);

	if (left < sizeof(*ret_len))
		return NULL;
	memcpy(ret_len, src->at, sizeof(*ret_len));
	if (*ret_len >= SHORT || left < ring_string_room(*ret_len))
		return NULL;
	src->at += ring_string_room(*ret_len);
	return s;
}

/** What most pieces are, with room for it: written at p; returns its end, NULL if it is none such. */
static inline char *put_quickly(char *p, size_t room, const struct format_piece *piece,
				struct source *src)
{
	const char *s;
	uint32_t len;
	int64_t n;

	if (piece->len >= SHORT || room < SHORT + DIGITS_MAX)
		return NULL;
	if (piece->len == 1)
		*p = *piece->text;
	else
		str_copy_short(p, piece->text, piece->len);
	p += piece->len;
	switch (piece->letter) {
	case '\0':
		return p;
	case 'd':
		if (src->end - src->at < 8)
			return NULL;
		memcpy(&n, src->at, 8);
		src->at += 8;
		return decimal_to(p, n);
	case 's':
		s = take_short(src, &len);
		if (!s)
			return NULL;
		str_copy_short(p, s, len);
		return p + len;
	default:
		return NULL;
	}
}

bool format_render_plan(struct format_sink *sink, const struct format_piece *plan,
			const void *payload, size_t size)
{
	struct source src = { .at = payload, .end = (const char *)payload + size };
	char *p = sink->buf + sink->len;

	for (;; plan++) {
		size_t room = sink->cap - (size_t)(p - sink->buf);
		char *end = put_quickly(p, room, plan, &src);

		if (spl_unlikely(!end)) {
			sink->len = (size_t)(p - sink->buf);
			src = put_piece(sink, plan, src);
			end = sink->buf + sink->len;
		}
		p = end;
		if (!plan->letter)
			break;
	}
	sink->len = (size_t)(p - sink->buf);
	return !src.truncated;
}
