/* SPDX-License-Identifier: GPL-2.0-only */
/** kmod/device.h - the device file /dev/spile. */
#ifndef SPILE_KMOD_DEVICE_H
#define SPILE_KMOD_DEVICE_H

/** An ioctl that answers SPILE_SESSION_ABI: is this the core that the tools were made for? */
#define DEVICE_IOC_ABI 0x7300u

/** Makes /dev/spile appear. Task context. Returns 0 or -errno. */
int device_init(void);
/** Takes it away. Nobody has it open: an open file holds the module. */
void device_deinit(void);

#endif
