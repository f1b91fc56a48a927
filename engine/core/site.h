/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/core/site.h - sites and their lists of probes; task context, under the engine's lock. */
#ifndef SPILE_ENGINE_CORE_SITE_H
#define SPILE_ENGINE_CORE_SITE_H

#include "engine/core/engine.h"

/**
 * The site at addr: the one that is there, or a new one, checked and with its planter chosen. `flags`
 * are those of the probe that it is wanted for.
 */
int site_get(uint64_t addr, enum site_kind kind, uint32_t flags, struct spile_site **ret);
/** Frees a site that is not planted and that no hit can see. */
void site_destroy(struct spile_site *site);

/** Appends a probe; on a planted site it is live from here on. */
int site_link(struct spile_site *site, struct kprobe *p);
/** Takes a probe off the list; hits may still be in its handler until host_synchronize(). */
void site_unlink(struct spile_site *site, struct kprobe *p);
/** Follows the engine's switch. 0 or -errno, and then it is as if it were still off. */
int site_switch(struct spile_site *site);
int site_set_enabled(struct spile_site *site, struct kprobe *p, bool on);
/** Adds to the probes' counters what the planter has counted since the last time. */
void site_account(struct spile_site *site);

#endif
