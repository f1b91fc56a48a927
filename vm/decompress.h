/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/decompress.h - xz, zstd and gzip data in memory, told apart by their first bytes. */
#ifndef SPILE_VM_DECOMPRESS_H
#define SPILE_VM_DECOMPRESS_H

#include <stddef.h>

#include "base/error.h"

/**
 * Decompresses one stream; bytes after its end are ignored. Data that starts like none of the
 * three formats is copied as it is, so that callers need not ask. *ret is the caller's to free.
 */
struct error *decompress(const void *data, size_t len, char **ret, size_t *ret_len);

#endif
