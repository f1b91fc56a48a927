// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/main.c - the core as a module: order of start and end, no logic.
 *
 * The fitter looks for the two functions by these names when it writes `struct module`.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"
#include "kmod/device.h"
#include "kmod/script.h"

int init_module(void);
void cleanup_module(void);

int init_module(void)
{
	int err = engine_init(kernel_home_init());

	script_registry_init();
	if (!err)
		err = device_init();
	if (err) {
		engine_deinit();
		kernel_home_deinit();
		return err;
	}
	kfn_printk(KLOG_INFO "spile: core loaded\n");
	return 0;
}

void cleanup_module(void)
{
	device_deinit();
	engine_deinit();
	kernel_home_deinit();
	kfn_printk(KLOG_INFO "spile: core unloaded\n");
}
