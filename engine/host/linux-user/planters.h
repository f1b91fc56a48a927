/* SPDX-License-Identifier: GPL-2.0-only */
/** engine/host/linux-user/planters.h - the process home's planters; home.user.c has their order. */
#ifndef SPILE_HOST_LINUX_USER_PLANTERS_H
#define SPILE_HOST_LINUX_USER_PLANTERS_H

#include "engine/core/planter.h"

extern const struct planter planter_jump, planter_breakpoint, planter_return; /* planters.user.c */

#endif
