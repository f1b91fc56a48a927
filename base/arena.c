// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	_Alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof(*arena));
}

void arena_deinit(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	arena_init(arena);
}

static struct arena_block *block_create(size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		abort();
	block = calloc(1, sizeof(*block) + size);
	if (!block) {
		fputs("out of memory\n", stderr);
		abort();
	}
	block->size = size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *p;

	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!block || block->size - block->used < size) {
		/* A large object gets a block of its own behind the head, whose rest stays usable. */
		bool large = size > ARENA_BLOCK_SIZE / 4;
		struct arena_block *fresh = block_create(large ? size : ARENA_BLOCK_SIZE);

		if (large && block) {
			fresh->next = block->next;
			block->next = fresh;
		} else {
			fresh->next = block;
			arena->blocks = fresh;
		}
		block = fresh;
	}
	p = block->data + block->used;
	block->used += size;
	arena->used += size;
	return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(arena, len < 0 ? 1 : (size_t)len + 1);
	if (len > 0)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

void *arena_grow(struct arena *arena, void *old, size_t count, size_t size)
{
	void *grown = arena_alloc(arena, (count ? 2 * count : 1) * size);

	if (count)
		memcpy(grown, old, count * size);
	return grown;
}
