/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/engine/process.h - what the parts of the process test share. */
#ifndef SPILE_TESTS_ENGINE_PROCESS_H
#define SPILE_TESTS_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

void verdict(const char *name, bool good);
void complain(const char *file, int line, const char *what, long long is, long long should);
void with_threads(int n, void (*body)(void *arg), void (*meanwhile)(void *arg), void *arg);

/** Runs the cases that only a process has. */
void process_cases(void);
/** Of all code that is mapped now, without the engine's own memory. */
uint64_t text_checksum(void);
/** An address in libspile itself. */
void *library_function(void);

#endif
