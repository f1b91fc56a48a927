/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * base/cleanup.h - free what a scope owns when the scope ends.
 *
 * `_cleanup_free_ char *s = NULL;` frees s on every way out of the block. steal_ptr() hands the
 * ownership on. The pattern is GCC's cleanup attribute; user space only.
 */
#ifndef SPILE_BASE_CLEANUP_H
#define SPILE_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_fclose)))

/** Takes the pointer out of a cleanup variable, so that the scope no longer frees it. */
#define steal_ptr(p) ({ __typeof__(p) steal_ = (p); (p) = NULL; steal_; })

#endif
