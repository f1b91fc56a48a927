/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/unit/fixture_places.h - the programs that tests/places/build.sh makes. */
#ifndef SPILE_TESTS_FIXTURE_PLACES_H
#define SPILE_TESTS_FIXTURE_PLACES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/places.h"

#define PLACES_DIR "build/places"

/** What a test program keeps for itself, its cache first of all: the same tests with and without
 *  sanitizers may run at once. */
static inline const char *places_scratch(void)
{
	static char path[64];

	if (!*path)
		snprintf(path, sizeof(path), PLACES_DIR "/scratch.%d", (int)getpid());
	return path;
}

/** Makes the programs unless they are there; a cmocka group setup. */
static inline int places_build(void **state)
{
	setenv("SPILE_CACHE", places_scratch(), 1);
	return system("make -s " PLACES_DIR "/programs/list");
}

/** A cmocka group teardown. */
static inline int places_clean(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", places_scratch());
	return system(command);
}

static inline void assert_no_error(struct error *error)
{
	if (error)
		fail_msg("%s", error->message);
}

static inline struct debuginfo *places_open(const char *name)
{
	struct debuginfo *info;
	char path[512], dirs[512], here[256];

	/* libdwfl looks up build ids below absolute folders only. */
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), PLACES_DIR "/programs/%s", name);
	snprintf(dirs, sizeof(dirs), ":.debug:%s/" PLACES_DIR "/programs/debug", here);
	assert_no_error(debuginfo_open(path, dirs, &info));
	return info;
}

/** The file of a program's index, for the caller to free. */
static inline char *places_index_file(struct debuginfo *info)
{
	char *path;

	if (asprintf(&path, "%s/places/%s", places_scratch(), debuginfo_build_id(info)) < 0)
		abort();
	return path;
}

/** What a script's query finds, collected. */
#define FOUND_MAX 2048
struct found {
	size_t count;
	struct place places[FOUND_MAX];
	struct code_function functions[FOUND_MAX];
};

static inline int found_place(const struct place *place, void *arg)
{
	struct found *f = arg;

	assert_true(f->count < FOUND_MAX);
	f->places[f->count++] = *place;
	return 0;
}

static inline int found_function(const struct code_function *fn, void *arg)
{
	struct found *f = arg;

	assert_true(f->count < FOUND_MAX);
	f->functions[f->count++] = *fn;
	return 0;
}

#endif
