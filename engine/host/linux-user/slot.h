/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/slot.h - how many threads can have per-CPU data; see cpu.user.c. */
#ifndef SPILE_HOST_LINUX_USER_SLOT_H
#define SPILE_HOST_LINUX_USER_SLOT_H

/** Threads at once. A slot costs address space; memory only when its thread runs a handler. */
#define HOST_SLOTS 64

#endif
