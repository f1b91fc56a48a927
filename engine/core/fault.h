/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/fault.h - sites that have a probe with a fault_handler.
 *
 * A home has to do something for faults to be seen only while there are any (engine_home.faults), and
 * finds them by address when the copy of an instruction has faulted. A site that has had a
 * fault_handler counts as one until it is released: its handlers may run until then.
 */
#ifndef SPILE_ENGINE_CORE_FAULT_H
#define SPILE_ENGINE_CORE_FAULT_H

#include "engine/core/batch.h"

/** A probe with a fault_handler is about to join. 0, or the home's error. Task context, locked. */
int faults_begin(struct spile_site *site);
/** No handler of these sites runs any more, and no copy of their instructions. The same. */
void faults_end(const struct site_list *list);

#endif
