// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device file: each open is a session; its calls are copied in, done, and copied out. The file
 * has mode 0600; opening needs CAP_SYS_ADMIN as well, whatever became of the mode. Task context.
 */
#include "kmod/device.h"

#include "engine/host.h"
#include "engine/host/linux-kernel/kernel.h"
#include "kmod/session.h"

#define MISC_DYNAMIC_MINOR 255
#define CAP_SYS_ADMIN 21

static struct file_operations device_operations;
static struct miscdevice device_misc;

static int device_open(struct inode *inode, struct file *file)
{
	struct session *session;
	int err;

	if (!kfn_capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = session_create(&session);
	if (err)
		return err;
	kfield(file, file, private_data) = session;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	session_destroy(kfield(file, file, private_data));
	return 0;
}

/* The argument of any call. */
union device_argument {
	struct spile_attach attach;
	struct spile_start start;
	struct spile_wait wait;
	struct spile_report report;
};

static long device_call(struct session *session, unsigned int cmd, union device_argument *arg)
{
	switch (cmd) {
	case SPILE_IOC_ATTACH:
		return session_attach(session, &arg->attach);
	case SPILE_IOC_START:
		return session_start(session, &arg->start);
	case SPILE_IOC_WAIT:
		return session_wait(session, &arg->wait);
	case SPILE_IOC_STOP:
		return session_stop(session, &arg->wait);
	case SPILE_IOC_REPORT:
		return session_report(session, &arg->report);
	default:
		return -ENOTTY;
	}
}

/* The size stands in the number, as Linux encodes it. Results are copied out after failures too. */
static long device_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	unsigned long size = (cmd >> 16) & 0x3fff;
	union device_argument arg;
	long result;

	if (cmd == DEVICE_IOC_ABI)
		return SPILE_SESSION_ABI;
	if (size > sizeof(arg))
		return -ENOTTY;
	if (kfn_copy_from_user(&arg, (const void *)user, size))
		return -EFAULT;
	result = device_call(kfield(file, file, private_data), cmd, &arg);
	if (result != -ENOTTY && kfn_copy_to_user((void *)user, &arg, size))
		return -EFAULT;
	return result;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return session_mmap(kfield(file, file, private_data), vma);
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
	device_fill_operations(&device_operations);
	kfield(&device_misc, miscdevice, minor) = MISC_DYNAMIC_MINOR;
	kfield(&device_misc, miscdevice, name) = "spile";
	kfield(&device_misc, miscdevice, fops) = &device_operations;
	kfield(&device_misc, miscdevice, mode) = 0600;
	return kfn_misc_register(&device_misc);
}

void device_deinit(void)
{
	kfn_misc_deregister(&device_misc);
}
