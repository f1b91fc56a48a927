// SPDX-License-Identifier: GPL-2.0-only
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf){ 0 };
}

void strbuf_deinit(struct strbuf *sb)
{
	free(sb->data);
	strbuf_init(sb);
}

static void strbuf_grow(struct strbuf *sb, size_t extra)
{
	size_t need = sb->len + extra + 1;

	if (need <= sb->cap)
		return;
	sb->cap = need < 64 ? 64 : need * 2;
	sb->data = realloc(sb->data, sb->cap);
	if (!sb->data)
		abort();
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	strbuf_grow(sb, len);
	if (len)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	strbuf_grow(sb, len);
	va_start(ap, fmt);
	vsnprintf(sb->data + sb->len, len + 1, fmt, ap);
	va_end(ap);
	sb->len += len;
}

char *strbuf_steal(struct strbuf *sb)
{
	char *data;

	strbuf_grow(sb, 0);
	sb->data[sb->len] = '\0';
	data = sb->data;
	strbuf_init(sb);
	return data;
}
