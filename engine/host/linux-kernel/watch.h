/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-kernel/watch.h - watchpoints in the kernel. */
#ifndef SPILE_HOST_LINUX_KERNEL_WATCH_H
#define SPILE_HOST_LINUX_KERNEL_WATCH_H

struct watch_home;

extern const struct watch_home kernel_watch;

#endif
