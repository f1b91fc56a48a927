/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/nearest.h - which name was meant: edit distance for "did you mean" messages. */
#ifndef SPILE_SYMBOLS_NEAREST_H
#define SPILE_SYMBOLS_NEAREST_H

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; `limit` + 1
 * when it takes more than `limit`. Names longer than 63 characters are never near.
 */
unsigned nearest_distance(const char *a, const char *b, unsigned limit);
/** The largest distance at which a name of this one's length still counts as near. */
unsigned nearest_limit(const char *name);

#endif
