/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/initrd.h - the guest's initramfs: its init and the modules that it needs to find the host. */
#ifndef SPILE_VM_INITRD_H
#define SPILE_VM_INITRD_H

#include "base/error.h"

/**
 * Gives the path of the initramfs for the kernel in `dir`, made from DIR/modules unless it is there
 * already. Its name carries a checksum of the init program, so that two builds of Spile that share a
 * cache don't take each other's. A module that is not found is taken to be part of the kernel:
 * newer ones have virtio built in. *ret is the caller's to free.
 */
struct error *initrd_prepare(const char *dir, char **ret);

#endif
