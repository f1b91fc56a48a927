/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/image.h - the ELF inside a bzImage, and the BTF inside the ELF. */
#ifndef SPILE_VM_IMAGE_H
#define SPILE_VM_IMAGE_H

#include <stddef.h>

#include "base/error.h"

/** Takes the uncompressed kernel ELF out of a bzImage in memory. *ret is the caller's. */
struct error *image_extract_elf(const void *image, size_t len, char **ret, size_t *ret_len);

/** Finds section `name` of an ELF in memory; *ret points into `elf`. -ENOENT error if absent. */
struct error *image_find_section(const void *elf, size_t len, const char *name, const void **ret,
				 size_t *ret_len);

#endif
