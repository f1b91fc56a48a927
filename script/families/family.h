/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/families/family.h - the contract of a probe family: one file, one struct.
 *
 * A family is a kind of place where probes can be put: timers, kernel functions, the session's
 * begin and end. To add one: write a file that fills a struct probe_family, name it in
 * families.c. What the family plants, struct planted_probe (resolve.h), is at the same time what
 * the translator emits: `kind` is the word of runtime/script.h's enum spl_probe_kind that arms it.
 */
#ifndef SPILE_SCRIPT_FAMILY_H
#define SPILE_SCRIPT_FAMILY_H

#include "script/resolve_private.h"

struct probe_family {
	const char *name;
	/* Its probe points as one writes them, for messages; ends with NULL. */
	const char *const *spellings;
	/** Whether a point belongs here, by its first component (or its shape). */
	bool (*match)(const struct probe_point *point);
	/**
	 * Checks the point's components and arguments and calls resolver_plant() for each place it
	 * means, filling in kind, symbol, func, pp and parameters. What is wrong is told to
	 * r->diags. Bodies are none of its business.
	 */
	void (*expand)(struct resolver *r, const struct probe_point *point);
	/** -L: prints the variables that a planted probe can use, " $name:type" each. May be NULL. */
	void (*list_variables)(struct resolver *r, const struct planted_probe *planted, FILE *out);
};

extern const struct probe_family family_begin_end;
extern const struct probe_family family_timer;
extern const struct probe_family family_code_point;
extern const struct probe_family family_kprobe;

/** All of them; ends with NULL. */
extern const struct probe_family *const probe_families[];

/** The family that a point belongs to, or NULL. */
const struct probe_family *probe_family_find(const struct probe_point *point);

/* Helpers for expand. The n-th component, or NULL after the last. */
const struct component *point_component(const struct probe_point *point, size_t n);
bool component_is(const struct component *component, const char *name);
/** Its argument as a number; a missing one is `fallback`, a string is told as an error (false). */
bool component_number(struct resolver *r, const struct component *component, int64_t fallback,
		      int64_t *ret);
/** Its argument as a string; NULL after telling that there is none. */
const char *component_string(struct resolver *r, const struct component *component);
/** Tells that the point has a part that this family does not know. */
void component_tell_unknown(struct resolver *r, const struct probe_point *point,
			    const struct component *component);

#endif
