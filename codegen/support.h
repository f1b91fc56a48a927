/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * codegen/support.h - what generated C needs beside runtime/script.h; part of the prelude.
 *
 * Short helpers that the compiler inlines where they are used and drops where they are not.
 */
/* What a macro stands for, as a string. */
#define TEXT_OF(macro) TEXT_OF_(macro)
#define TEXT_OF_(text) #text
/* Counts n statements and leaves by label `to` when the budget is used up. */
#define ACTIONS(n, place, to)                                                                      \
	do {                                                                                       \
		if (spl_unlikely(!spl_actions(c, (n)))) {                                          \
			c->error_place = (place);                                                  \
			goto to;                                                                   \
		}                                                                                  \
	} while (0)
#define CHECK(to)                                                                                  \
	do {                                                                                       \
		if (SPL_FAILED(c))                                                                 \
			goto to;                                                                   \
	} while (0)

static inline spl_s64 spl_div(struct spl_ctx *c, spl_s64 a, spl_s64 b, const char *place)
{
	if (spl_unlikely(b == 0)) {
		spl_fail(c, "division by 0", place);
		return 0;
	}
	return b == -1 ? (spl_s64)(0 - (spl_u64)a) : a / b; /* the lowest number / -1 would trap */
}

static inline spl_s64 spl_mod(struct spl_ctx *c, spl_s64 a, spl_s64 b, const char *place)
{
	if (spl_unlikely(b == 0)) {
		spl_fail(c, "division by 0", place);
		return 0;
	}
	return b == -1 ? 0 : a % b;
}

static inline spl_s64 spl_shl(spl_s64 a, spl_s64 n)
{
	return (spl_s64)((spl_u64)a << (n & 63));
}

static inline spl_s64 spl_shr(spl_s64 a, spl_s64 n)
{
	return a >> (n & 63);
}

static inline spl_s64 spl_ushr(spl_s64 a, spl_s64 n)
{
	return (spl_s64)((spl_u64)a >> (n & 63));
}

/* Locations of variables: numbers without a sign, as DWARF computes. The caller checks for 0. */
static inline spl_u64 spl_loc_div(spl_u64 a, spl_u64 b)
{
	return b == ~0ULL ? 0 - a : (spl_u64)((spl_s64)a / (spl_s64)b);
}

static inline spl_u64 spl_loc_mod(spl_u64 a, spl_u64 b)
{
	return b == ~0ULL ? 0 : (spl_u64)((spl_s64)a % (spl_s64)b);
}

static inline spl_u64 spl_loc_shl(spl_u64 a, spl_u64 n)
{
	return n > 63 ? 0 : a << n;
}

static inline spl_u64 spl_loc_shr(spl_u64 a, spl_u64 n)
{
	return n > 63 ? 0 : a >> n;
}

static inline spl_u64 spl_loc_sar(spl_u64 a, spl_u64 n)
{
	return (spl_u64)((spl_s64)a >> (n > 63 ? 63 : n));
}

/* error(): the sentence is kept in the context, since the string will not outlive the handler. */
static inline void spl_raise(struct spl_ctx *c, const char *sentence, const char *place)
{
	if (c->error)
		return;
	spl_str_copy(c->error_buf, sizeof(c->error_buf), sentence);
	spl_fail(c, c->error_buf, place);
}

/* The n-th argument, from 1, as the language counts. */
static inline spl_s64 spl_nth_arg(struct spl_ctx *c, spl_s64 n, const char *place)
{
	if (n >= 1 && n <= 32 && c->regs && (!c->entry_args || n <= (spl_s64)c->probe->entry_args))
		return spl_arg(c, (int)n - 1);
	spl_fail(c, "there is no such argument here", place);
	return 0;
}

static inline spl_s64 spl_returnval(struct spl_ctx *c, const char *place)
{
	if (c->regs && c->probe->kind == SPL_PROBE_RETURN)
		return spl_retval(c);
	spl_fail(c, "returnval() is for return probes", place);
	return 0;
}

/* "dst, size" cut to n characters. */
#define spl_room(dst, size, n) dst, spl_room_size(size, n)
static inline spl_size spl_room_size(spl_size size, spl_s64 n)
{
	return n < 0 ? 1 : (spl_u64)n + 1 < size ? (spl_size)n + 1 : size;
}

/* After a load of a number: takes the error away, if there was one, and gives 0. */
static inline spl_s64 spl_or_0(struct spl_ctx *c, spl_s64 value)
{
	if (!c->error)
		return value;
	c->error = c->error_place = 0;
	return 0;
}

/* After a load of a string: takes the error away, if there was one, and gives `other`. */
static inline void spl_or(struct spl_ctx *c, char *dst, spl_size size, const char *other)
{
	if (!c->error)
		return;
	c->error = c->error_place = 0;
	spl_str_copy(dst, size, other);
}

static inline void spl_hex(char *dst, spl_u64 n)
{
	int shift = 60;

	while (shift && !(n >> shift))
		shift -= 4;
	*dst++ = '0';
	*dst++ = 'x';
	for (; shift >= 0; shift -= 4)
		*dst++ = "0123456789abcdef"[n >> shift & 15];
	*dst = 0;
}

/* How many bytes a character takes between quotes. */
static inline spl_size spl_quoted_size(unsigned char ch)
{
	if (ch == '"' || ch == '\\' || (ch >= '\a' && ch <= '\r'))
		return 2;
	return ch < 32 || ch > 126 ? 4 : 1;
}

static inline void spl_quote_char(char *dst, unsigned char ch)
{
	switch (spl_quoted_size(ch)) {
	case 2:
		dst[0] = '\\';
		dst[1] = ch >= '\a' && ch <= '\r' ? "abtnvfr"[ch - '\a'] : (char)ch;
		break;
	case 4:
		dst[0] = '\\';
		dst[1] = (char)('0' + (ch >> 6));
		dst[2] = (char)('0' + (ch >> 3 & 7));
		dst[3] = (char)('0' + (ch & 7));
		break;
	default:
		dst[0] = (char)ch;
	}
}

/* After a load of a string: puts it in quotes, in place; what does not fit ends in "...; an
 * address that could not be read becomes a number. Written from the end, since it grows. */
static inline void spl_quote(struct spl_ctx *c, char *dst, spl_size size, spl_s64 addr)
{
	spl_size used = 2, n = 0, len = (spl_size)spl_str_len(dst);
	int cut;

	if (c->error) {
		c->error = c->error_place = 0;
		spl_hex(dst, (spl_u64)addr);
		return;
	}
	while (n < len && used + spl_quoted_size((unsigned char)dst[n]) + 4 <= size)
		used += spl_quoted_size((unsigned char)dst[n++]);
	cut = n < len;
	spl_str_copy(dst + used, 4, cut ? "..." : "");
	dst[--used] = '"';
	while (n) {
		used -= spl_quoted_size((unsigned char)dst[n - 1]);
		n--;
		spl_quote_char(dst + used, (unsigned char)dst[n]);
	}
	dst[0] = '"';
}

static inline spl_s64 spl_isinstr(const char *s, const char *part)
{
	spl_size i;

	for (;; s++) {
		for (i = 0; part[i] && s[i] == part[i]; i++)
			;
		if (!part[i])
			return 1;
		if (!*s)
			return 0;
	}
}

static inline char *spl_substr(char *dst, spl_size size, const char *s, spl_s64 start, spl_s64 len)
{
	spl_s64 have = spl_str_len(s);

	if (start < 0 || start >= have || len <= 0) {
		dst[0] = 0;
		return dst;
	}
	return spl_str_copy(dst, spl_room_size(size, len), s + start);
}

static inline spl_s64 spl_stringat(const char *s, spl_s64 pos)
{
	return pos >= 0 && pos < spl_str_len(s) ? (unsigned char)s[pos] : 0;
}

static inline int spl_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 32;
	return ch >= 'a' && ch <= 'z' ? ch - 'a' + 10 : 99;
}

static inline spl_s64 spl_strtol(const char *s, spl_s64 base)
{
	spl_u64 value = 0;
	int negative;

	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	negative = *s == '-';
	s += *s == '-' || *s == '+';
	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && spl_digit(s[2]) < 16) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = *s == '0' ? 8 : 10;
	}
	for (; spl_digit(*s) < base; s++)
		value = value * (spl_u64)base + (spl_u64)spl_digit(*s);
	return (spl_s64)(negative ? 0 - value : value);
}
