// SPDX-License-Identifier: GPL-2.0-only
/* Grains of the core's text; see text_arena.h. */
#include "engine/host/linux-kernel/text_arena.h"
#include "engine/host.h"

#define GRAIN TEXT_ARENA_GRAIN
#define GRAINS 4096

/* Of no bytes in the file; 256 KB are 600 to 800 probes with a jump, or 4096 without. */
extern char text_arena[];
__asm__(".pushsection .text.arena, \"ax\", @nobits\n"
	".balign 64\n"
	"text_arena:\n"
	"	.skip 64 * 4096\n"
	".popsection\n");

static struct text_point *owners[GRAINS]; /* NULL: free */
static unsigned hint;

static unsigned grains(size_t size)
{
	return (unsigned)((size + GRAIN - 1) / GRAIN);
}

static bool is_free(unsigned first, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (owners[first + i])
			return false;
	return true;
}

static void give(unsigned first, unsigned n, struct text_point *owner)
{
	unsigned i;

	for (i = 0; i < n; i++)
		__atomic_store_n(&owners[first + i], owner, __ATOMIC_RELEASE);
}

uint64_t text_arena_alloc(size_t size, struct text_point *owner)
{
	unsigned n = grains(size), tried, at;

	for (tried = 0; tried < GRAINS; tried++) {
		at = (hint + tried) % GRAINS;
		if (at + n > GRAINS || !is_free(at, n))
			continue;
		give(at, n, owner);
		hint = at + n;
		return (uint64_t)text_arena + at * GRAIN;
	}
	return 0;
}

void text_arena_free(uint64_t at, size_t size)
{
	if (at)
		give((unsigned)((at - (uint64_t)text_arena) / GRAIN), grains(size), NULL);
}

/* any */
struct text_point *text_arena_owner(uint64_t at)
{
	uint64_t offset = at - (uint64_t)text_arena;
	struct text_point *owner = NULL;

	if (offset < GRAINS * GRAIN)
		owner = __atomic_load_n(&owners[offset / GRAIN], __ATOMIC_ACQUIRE);
	return owner == TEXT_ARENA_NO_POINT ? NULL : owner;
}
