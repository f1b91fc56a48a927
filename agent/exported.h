/* SPDX-License-Identifier: GPL-2.0-only */
/* Included before every file of libspile.so: all is hidden but the public interface. */
#ifndef SPILE_AGENT_EXPORTED_H
#define SPILE_AGENT_EXPORTED_H

#pragma GCC visibility push(default)
#include "spile/process.h"
#include "spile/watchpoint.h"
#pragma GCC visibility pop

#endif
