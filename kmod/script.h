/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * kmod/script.h - the script modules that are loaded.
 *
 * A script's module calls spile_script_register() from its init and spile_script_unregister() from
 * its exit (runtime/script.h). A session finds it by name and holds it: while attached, the module
 * cannot be removed, and while any script is loaded, the core cannot. Task context throughout.
 */
#ifndef SPILE_KMOD_SCRIPT_H
#define SPILE_KMOD_SCRIPT_H

#include "runtime/script.h"

void script_registry_init(void);

/** Takes a script for a session: -ENOENT none of that name, -EBUSY attached elsewhere. */
int script_attach(const char *name, struct spl_script **ret);
void script_detach(struct spl_script *script);

#endif
