/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/vm/seconds.h - a module's one parameter: how long to go on, by the digits of its name. */
#ifndef SPILE_TESTS_VM_SECONDS_H
#define SPILE_TESTS_VM_SECONDS_H

#include "engine/host/linux-kernel/engine_kernel.h"

/** 60 for a module loaded as "stress60"; 0 without digits. */
static inline unsigned module_seconds(void)
{
	const char *name = &kfield(&__this_module, module, name);
	unsigned n = 0;

	for (; *name; name++)
		if (*name >= '0' && *name <= '9')
			n = n * 10 + (unsigned)(*name - '0');
	return n;
}

#endif
