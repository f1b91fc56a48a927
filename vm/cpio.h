/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * vm/cpio.h - writes an initramfs: the "newc" cpio archive that the kernel unpacks, built in
 * memory. Folders must be added before what is in them.
 */
#ifndef SPILE_VM_CPIO_H
#define SPILE_VM_CPIO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct cpio {
	struct strbuf out;
	unsigned int inode; /* last one given */
};

void cpio_init(struct cpio *cpio);
void cpio_deinit(struct cpio *cpio);
void cpio_add_dir(struct cpio *cpio, const char *path, mode_t mode);
void cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t len);
/** A character device node. */
void cpio_add_char(struct cpio *cpio, const char *path, mode_t mode, unsigned int major,
		   unsigned int minor);
/** Ends the archive; cpio->out then holds the whole of it. */
void cpio_finish(struct cpio *cpio);

#endif
