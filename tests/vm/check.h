/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * tests/vm/check.h - verdicts of a test module, in the kernel log; module.sh reads them.
 *
 * Defined before the inclusion: CHECK_MODULE, the name that each line begins with. A check that
 * fails is a line "NAME-test: FAIL what: 3, not 4", and init_module() ends with
 * `return check_done();`, whose line "NAME-test: done, 0 failures" says that nothing was left out.
 */
#ifndef SPILE_TESTS_VM_CHECK_H
#define SPILE_TESTS_VM_CHECK_H

#include "engine/host/linux-kernel/engine_kernel.h"

#define CHECK_LINE KLOG_INFO CHECK_MODULE "-test: "

static int check_failures;
static const char *check_place = ""; /* where checks are made now, for their lines */

static inline void check(const char *name, long value, long expected)
{
	if (value == expected)
		return;
	check_failures++;
	kfn_printk(CHECK_LINE "FAIL %s%s%s: %ld, not %ld\n", check_place,
		   *check_place ? ": " : "", name, value, expected);
}

#define CHECK(name, value, expected) check(name, (long)(value), (long)(expected))

/** For init_module(): the last line, and 0 or -EINVAL, with which the module does not stay. */
static int check_done(void)
{
	kfn_printk(CHECK_LINE "done, %d failures\n", check_failures);
	return check_failures ? -EINVAL : 0;
}

#endif
