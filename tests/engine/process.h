/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/engine/process.h - what the parts of the process test share. */
#ifndef SPILE_TESTS_ENGINE_PROCESS_H
#define SPILE_TESTS_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_case {
	const char *name;
	void (*run)(void);
};

#define CASE(name) { #name, case_##name }

/** Runs cases, each after prepare(). Whatever else it does, a case leaves the text as it was. */
void run_cases(const struct process_case *cases, unsigned n, void (*prepare)(void));

/** Counts them as skipped, with the reason. */
void skip_cases(const struct process_case *cases, unsigned n, const char *why);

/** In a case: an expectation. */
void check_equal(const char *file, int line, const char *what, long long is, long long should);
#define CHECK_EQ(is, should) \
	check_equal(__FILE__, __LINE__, #is, (long long)(is), (long long)(should))

/** For how long a stress case goes on: true until the time is over. */
bool stress_goes_on(bool begin);
void with_threads(int n, void (*body)(void *arg), void (*meanwhile)(void *arg), void *arg);

/** Run the cases that only a process has. */
void process_cases(void);
void process_thread_cases(void);
void process_watch_cases(void);
void process_control_cases(void);
/** Of all code that is mapped now, without the engine's own memory. */
uint64_t text_checksum(void);
/** An address in libspile itself. */
void *library_function(void);

#endif
