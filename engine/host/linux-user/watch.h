/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/watch.h - watchpoints in a process. */
#ifndef SPILE_HOST_LINUX_USER_WATCH_H
#define SPILE_HOST_LINUX_USER_WATCH_H

#include <signal.h>
#include <stdbool.h>

struct pt_regs;
struct watch_home;

extern const struct watch_home process_watch;

/** In a SIGTRAP: true if it was a watchpoint's, whose handler has run. any, preempt off */
bool watch_trap(const siginfo_t *info, struct pt_regs *regs);
/** In the child of a fork: watches for it what was watched for the parent. Task context, locked */
void watches_forked(void);

#endif
