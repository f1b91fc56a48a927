// SPDX-License-Identifier: GPL-2.0-only
#include "kmod/device.h"

#include "engine/host.h"
#include "engine/host/linux-kernel/kernel.h"
#include "spile/session.h"

#define MISC_DYNAMIC_MINOR 255
#define PAGE_SIZE 4096ul

static struct file_operations device_operations;
static struct miscdevice device_misc;
/* One page that every opener sees: its first word is the ABI. */
static uint32_t *device_page;

static int device_open(struct inode *inode, struct file *file)
{
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	return 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case DEVICE_IOC_ABI:
		return SPILE_SESSION_ABI;
	default:
		return -ENOTTY;
	}
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long length = kfield(vma, vm_area_struct, vm_end) -
			       kfield(vma, vm_area_struct, vm_start);

	if (length != PAGE_SIZE || kfield(vma, vm_area_struct, vm_pgoff))
		return -EINVAL;
	return kfn_remap_vmalloc_range(vma, device_page, 0);
}

static void device_fill_operations(struct file_operations *ops)
{
	kfield(ops, file_operations, owner) = &__this_module;
	kfield(ops, file_operations, open) = device_open;
	kfield(ops, file_operations, release) = device_release;
	kfield(ops, file_operations, unlocked_ioctl) = device_ioctl;
	kfield(ops, file_operations, mmap) = device_mmap;
}

int device_init(void)
{
	int rc;

	device_page = kfn_vmalloc_user(PAGE_SIZE);
	if (!device_page)
		return -ENOMEM;
	device_page[0] = SPILE_SESSION_ABI;

	device_fill_operations(&device_operations);
	kfield(&device_misc, miscdevice, minor) = MISC_DYNAMIC_MINOR;
	kfield(&device_misc, miscdevice, name) = "spile";
	kfield(&device_misc, miscdevice, fops) = &device_operations;
	kfield(&device_misc, miscdevice, mode) = 0600;
	rc = kfn_misc_register(&device_misc);
	if (rc)
		kfn_vfree(device_page);
	return rc;
}

void device_deinit(void)
{
	kfn_misc_deregister(&device_misc);
	kfn_vfree(device_page);
}
