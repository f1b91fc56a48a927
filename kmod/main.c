// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/main.c - the core as a module: order of start and end, no logic.
 *
 * The fitter looks for the two functions by these names when it writes `struct module`.
 */
#include "engine/host/linux-kernel/kernel.h"
#include "kmod/device.h"

int init_module(void);
void cleanup_module(void);

int init_module(void)
{
	int rc = device_init();

	if (rc)
		return rc;
	kfn_printk(KLOG_INFO "spile: core loaded\n");
	return 0;
}

void cleanup_module(void)
{
	device_deinit();
	kfn_printk(KLOG_INFO "spile: core unloaded\n");
}
