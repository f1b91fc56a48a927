/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/vm/number.h - a module's one parameter: the digits of its name. */
#ifndef SPILE_TESTS_VM_NUMBER_H
#define SPILE_TESTS_VM_NUMBER_H

#include "engine/host/linux-kernel/engine_kernel.h"

/** 60 for a module loaded as "stress60"; 0 without digits. */
static inline unsigned module_number(void)
{
	const char *name = &kfield(&__this_module, module, name);
	unsigned n = 0;

	for (; *name; name++)
		if (*name >= '0' && *name <= '9')
			n = n * 10 + (unsigned)(*name - '0');
	return n;
}

#endif
