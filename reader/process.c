// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "reader/home.h"

struct error *process_open(const struct home_options *options, struct home **ret)
{
	return error_create(EOPNOTSUPP, "%s: scripts cannot run in a process yet", options->object);
}
