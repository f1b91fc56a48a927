/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * base/error.h - the error object of tools and libraries in user space.
 *
 * A function that can fail returns `struct error *`: NULL is success, anything else is owned by
 * the caller, who hands it up (perhaps wrapped with more place) or ends it with error_destroy().
 * The message is one sentence with place, reason and, where there is one, the remedy; it has no
 * trailing newline. Messages about script text have their own kind, see script/diag.h.
 */
#ifndef SPILE_BASE_ERROR_H
#define SPILE_BASE_ERROR_H

struct error {
	char *message; /* owned */
	int err;       /* errno value that fits, for exit codes and tests; 0 if none */
};

/** Makes an error with a printf-formatted message. Never returns NULL. */
struct error *error_create(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Puts `fmt...: ` in front of an error's message; returns the same object. */
struct error *error_wrap(struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Frees an error; NULL is fine. */
void error_destroy(struct error *error);

#endif
