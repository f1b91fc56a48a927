/* SPDX-License-Identifier: GPL-2.0-only */
/** base/strbuf.h - a growing string. Out of memory ends the program; user space only. */
#ifndef SPILE_BASE_STRBUF_H
#define SPILE_BASE_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *data; /* NUL-terminated once something was added; NULL before */
	size_t len; /* without the NUL */
	size_t cap;
};

void strbuf_init(struct strbuf *sb);
void strbuf_deinit(struct strbuf *sb);
/** Appends `len` bytes, which may hold NULs. */
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Gives the string away (never NULL) and leaves the buffer empty. The caller frees it. */
char *strbuf_steal(struct strbuf *sb);

#endif
