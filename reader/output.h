/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/output.h - a large buffer in front of a file descriptor.
 *
 * No stdio: one write() for some hundred kilobytes, or when the caller says so. A write error is
 * kept (output_error) and everything after it is dropped, so that the caller can end the session in
 * order; a signal that says "quit now" ends a blocked write.
 */
#ifndef SPILE_READER_OUTPUT_H
#define SPILE_READER_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct output {
	int fd;
	char *buf;
	size_t len;
	size_t cap;
	uint64_t written; /* bytes taken out of the buffer, in this file */
	int err; /* errno of the first failed write, 0 if none */
	void (*wrote)(void *arg); /* somebody took some of it, OUTPUT_STEP at a time; NULL: no matter */
	void *arg;                /* wrote's */
};

#define OUTPUT_BYTES (256 * 1024)
#define OUTPUT_STEP (64 * 1024)

void output_init(struct output *out, int fd);
/** Flushes and frees; the descriptor stays open. */
void output_deinit(struct output *out);
void output_flush(struct output *out);
void output_add(struct output *out, const char *data, size_t len);
void output_adds(struct output *out, const char *s);
/** Room for `size` bytes to be written in place; then output_advance() by what was used. */
char *output_room(struct output *out, size_t size);
static inline void output_advance(struct output *out, size_t used)
{
	out->len += used;
}

#endif
