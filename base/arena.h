/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * base/arena.h - memory that is freed all at once; user space only.
 *
 * For trees whose nodes live and die together (a parsed script). Blocks are chained; an
 * allocation is zeroed, aligned for any type and never moves. Out of memory ends the program.
 */
#ifndef SPILE_BASE_ARENA_H
#define SPILE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes handed out, for statistics */
};

void arena_init(struct arena *arena);
/** Frees everything that was allocated; the arena can be used again. */
void arena_deinit(struct arena *arena);
/** Zeroed memory of `size` bytes. */
void *arena_alloc(struct arena *arena, size_t size);
/** A NUL-terminated copy of `len` bytes, which may hold NULs. */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** A block of twice the capacity with the old contents; what ARENA_APPEND grows by. */
void *arena_grow(struct arena *arena, void *old, size_t count, size_t size);

/** Allocates one zeroed object of a type. */
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/** A list that grows in an arena: `struct { ARENA_LIST(struct expr *) } list;`. */
#define ARENA_LIST(type)                                                                           \
	type *items;                                                                               \
	size_t count

/** Appends to an ARENA_LIST. Its capacity is not stored: it is the next power of two. */
#define ARENA_APPEND(arena, list, item)                                                            \
	do {                                                                                       \
		if (((list)->count & ((list)->count - 1)) == 0)                                    \
			(list)->items = arena_grow((arena), (list)->items, (list)->count,          \
						   sizeof(*(list)->items));                        \
		(list)->items[(list)->count++] = (item);                                           \
	} while (0)

#endif
