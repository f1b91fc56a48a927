// SPDX-License-Identifier: GPL-2.0-only
#include "reader/output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/signals.h"

void output_init(struct output *out, int fd)
{
	*out = (struct output){ .fd = fd, .cap = OUTPUT_BYTES, .buf = malloc(OUTPUT_BYTES) };
	if (!out->buf) {
		fputs("out of memory\n", stderr);
		abort();
	}
}

void output_deinit(struct output *out)
{
	output_flush(out);
	free(out->buf);
	out->buf = NULL;
}

/* Decides what a failed write means: true to try again. */
static bool write_again(struct output *out)
{
	if (errno == EINTR && !signals_quit())
		return true;
	if (errno == EAGAIN) { /* somebody made the terminal or pipe non-blocking */
		struct pollfd p = { .fd = out->fd, .events = POLLOUT };

		poll(&p, 1, 100);
		if (!signals_quit())
			return true;
	}
	out->err = errno;
	return false;
}

static void write_all(struct output *out, const char *data, size_t len)
{
	while (len && !out->err) {
		ssize_t n = write(out->fd, data, len < OUTPUT_STEP ? len : OUTPUT_STEP);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			if (out->wrote)
				out->wrote(out->arg);
		} else if (!write_again(out)) {
			return;
		}
	}
}

void output_flush(struct output *out)
{
	write_all(out, out->buf, out->len);
	out->written += out->len;
	out->len = 0;
}

char *output_room(struct output *out, size_t size)
{
	if (out->cap - out->len < size)
		output_flush(out);
	if (out->cap < size) {
		free(out->buf);
		out->cap = size;
		out->buf = malloc(size);
		if (!out->buf) {
			fputs("out of memory\n", stderr);
			abort();
		}
	}
	return out->buf + out->len;
}

void output_add(struct output *out, const char *data, size_t len)
{
	memcpy(output_room(out, len), data, len);
	out->len += len;
}

void output_adds(struct output *out, const char *s)
{
	output_add(out, s, strlen(s));
}
