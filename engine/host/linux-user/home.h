/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/home.h - a process as a home of the engine, for its packaging (agent/).
 */
#ifndef SPILE_HOST_LINUX_USER_HOME_H
#define SPILE_HOST_LINUX_USER_HOME_H

#include <stdbool.h>
#include <stdint.h>

struct engine_home;

/** Starts the engine in this process, once; later calls say the same. 0 or -errno. Task context. */
int process_home_start(void);
/** Looks for libraries that were closed: their probes become KPROBE_FLAG_GONE. Task context. */
void process_home_sweep(void);

#endif
