/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/sources.h - the system's apt sources, read so that another suite can be asked of them. */
#ifndef SPILE_VM_SOURCES_H
#define SPILE_VM_SOURCES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

/** What was found so far for `suite`. Both texts are entries in apt's deb822 form. */
struct sources {
	const char *suite;   /* codename asked for, such as "trixie" */
	struct strbuf exact; /* entries for that suite, its security and updates suites, as found */
	struct strbuf spare; /* the first entry for another suite of Debian, with this one put in */
	bool has_suite;      /* `exact` has the suite itself, not only its updates */
};

void sources_init(struct sources *sources, const char *suite);
void sources_deinit(struct sources *sources);

/**
 * Adds what one file under /etc/apt says, in the deb822 form (*.sources) or the one-line form
 * (*.list). An entry counts if it is for binary packages, not disabled, has the component "main",
 * "debian" in its address, and names a suite of Debian, by codename or age (stable, ...). Its key
 * and trust options are kept.
 */
void sources_add_deb822(struct sources *sources, const char *text);
void sources_add_lines(struct sources *sources, const char *text);

/** Reads /etc/apt; *ret is the text of a .sources file for `suite`, for the caller to free. */
struct error *sources_for_suite(const char *suite, char **ret);

#endif
