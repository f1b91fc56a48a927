/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/core/batch.h - lists of sites; task context, under the engine's lock. */
#ifndef SPILE_ENGINE_CORE_BATCH_H
#define SPILE_ENGINE_CORE_BATCH_H

#include "engine/core/engine.h"

/** Linked by batch_next. */
struct site_list {
	struct spile_site *first;
};

void list_push(struct site_list *list, struct spile_site *site);
/** Moves all of `more` to the end of `list`. */
void list_append(struct site_list *list, struct site_list *more);

/**
 * Plants all or nothing. On success `list` holds the same sites; on failure the sites are all
 * unplanted, and the caller still owns them.
 */
int sites_plant(struct site_list *list, struct spile_site **ret_failed);
/** Disarms those that are planted; no new hits after it. */
void sites_unplant(struct site_list *list);
/** After host_synchronize(): frees what the planters have hung on the sites; they are unplanted. */
void sites_release(struct site_list *list);
/** Frees the sites themselves, which have no probes any more. */
void sites_destroy(struct site_list *list);

#endif
