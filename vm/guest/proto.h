/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * vm/guest/proto.h - what spile-vm and the guest's init say to each other.
 *
 * One virtio-serial port carries frames both ways: a header in host byte order (both ends are the
 * same machine) and `len` bytes. One stream keeps the order of output, and puts the exit status
 * behind the last byte of output without any draining protocol.
 *
 *	guest                                host
 *	  READY            ----------------->   user space runs, nothing of the host is mounted yet
 *	                   <-----------------  JOB
 *	  STDIN_MORE       ----------------->
 *	                   <-----------------  STDIN  (one frame for each STDIN_MORE; empty = end)
 *	  OUT ERR OUT ...  ----------------->
 *	                   <-----------------  SIGNAL (any time)
 *	  EXIT or FAIL     ----------------->   last frame; file systems are synced
 *
 * A JOB is a row of NUL-terminated strings:
 *	seconds since 1970, random text,
 *	cwd, modules folder, release,
 *	number of shares, then tag and path of each,
 *	argc, arguments..., number of variables, NAME=value...
 */
#ifndef SPILE_VM_GUEST_PROTO_H
#define SPILE_VM_GUEST_PROTO_H

#include <stdint.h>

#define VM_PORT_NAME "spile.ctl"
#define VM_ROOT_TAG "spile.root"
#define VM_FRAME_MAX 32768 /* bytes of payload, JOB excepted */

enum vm_frame_type {
	VM_FRAME_READY = 1,
	VM_FRAME_JOB,
	VM_FRAME_STDIN_MORE,
	VM_FRAME_STDIN,
	VM_FRAME_OUT,
	VM_FRAME_ERR,
	VM_FRAME_SIGNAL, /* payload: uint32_t signal number */
	VM_FRAME_EXIT,   /* payload: uint32_t, 0..255, 128 + n after signal n */
	VM_FRAME_FAIL,   /* payload: sentence; the command was not started */
};

struct vm_frame {
	uint32_t type;
	uint32_t len;
};

#endif
