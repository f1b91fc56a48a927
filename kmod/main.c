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
		err = kernel_home_watch();
	if (err)
		goto deinit;
	err = device_init();
	if (err)
		goto unwatch;
	control_files_init();
	kfn_printk(KLOG_INFO "spile: core loaded\n");
	return 0;

unwatch:
	kernel_home_unwatch();
deinit:
	engine_deinit();
	kernel_home_deinit();
	return err;
}

void cleanup_module(void)
{
	control_files_deinit();
	device_deinit();
	kernel_home_unwatch(); /* nobody but leftovers is probed any more */
	engine_deinit();
	kernel_home_deinit();
	kfn_printk(KLOG_INFO "spile: core unloaded\n");
}
