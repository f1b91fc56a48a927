/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/warm.h - starts a guest from a saved state of itself, in a tenth of the time of a boot. */
#ifndef SPILE_VM_WARM_H
#define SPILE_VM_WARM_H

#include "vm/qemu.h"

/**
 * Path of the saved state of a guest like `config`, in the kernel's folder; the caller frees. NULL
 * if no state can be kept there (a path that a shell would read differently).
 */
char *warm_path(const char *dir, const struct qemu_config *config);

/**
 * Saves the state of a guest that has said READY, and lets it go on. A state that can't be saved is
 * no error: the next start is a boot again.
 */
void warm_save(struct qemu *qemu, const char *path);

#endif
