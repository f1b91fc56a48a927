// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks of 64 KB, mapped in a gap of the address space near the code that asks first, and kept
 * for ever: traps read the list of chunks without a lock. They are private memory, so a child of
 * fork has its own, and are written like code, by text_fill().
 *
 * "Near" is less than the 2 GB of a 32-bit displacement, because an instruction's copy has to
 * reach what the original names, which may lie on the far side of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/host.h"
#include "engine/host/linux-user/arena.h"

#define CHUNK_BYTES 0x10000
#define GRAINS (CHUNK_BYTES / ARENA_GRAIN)
#define REACH 0x60000000ull
#define LOWEST 0x10000 /* vm.mmap_min_addr's usual value */

struct chunk {
	struct chunk *next;
	uint64_t at;
	unsigned free, hint;
	void *owner[GRAINS]; /* NULL: free */
};

static struct chunk *chunks;

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) < REACH;
}

/* The end of the nearest gap below addr, or the start of the nearest above; 0: none in reach. */
static uint64_t find_gap(uint64_t addr)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long start, end, last = LOWEST;
	uint64_t below = 0, above = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		if (start >= last + 3 * CHUNK_BYTES) { /* leave neighbours some room to grow */
			if (start <= addr)
				below = start - 2 * CHUNK_BYTES;
			else if (!above && last > addr)
				above = last + CHUNK_BYTES;
		}
		last = end;
	}
	if (maps)
		fclose(maps);
	if (below && near(below, addr))
		return below & ~(uint64_t)(CHUNK_BYTES - 1);
	above = (above + CHUNK_BYTES - 1) & ~(uint64_t)(CHUNK_BYTES - 1);
	return above && near(above, addr) ? above : 0;
}

static struct chunk *chunk_create(uint64_t addr)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));
	void *p = MAP_FAILED;

	if (chunk)
		chunk->at = find_gap(addr);
	if (chunk && chunk->at)
		p = mmap((void *)(uintptr_t)chunk->at, CHUNK_BYTES, PROT_READ | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED) {
		free(chunk);
		return NULL;
	}
	chunk->free = GRAINS;
	chunk->next = chunks;
	__atomic_store_n(&chunks, chunk, __ATOMIC_RELEASE);
	return chunk;
}

static bool is_free(const struct chunk *chunk, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (chunk->owner[first + i])
			return false;
	return true;
}

static uint64_t take(struct chunk *chunk, unsigned n, void *owner)
{
	for (unsigned tried = 0; tried < GRAINS; tried++) {
		unsigned at = (chunk->hint + tried) % GRAINS;

		if (at + n > GRAINS || !is_free(chunk, at, n))
			continue;
		for (unsigned i = 0; i < n; i++)
			__atomic_store_n(&chunk->owner[at + i], owner, __ATOMIC_RELEASE);
		chunk->free -= n;
		chunk->hint = at + n;
		return chunk->at + at * ARENA_GRAIN;
	}
	return 0;
}

uint64_t code_arena_alloc(uint64_t addr, size_t size, void *owner)
{
	unsigned n = (size + ARENA_GRAIN - 1) / ARENA_GRAIN;
	struct chunk *chunk;
	uint64_t at;

	for (chunk = chunks; chunk; chunk = chunk->next) {
		at = chunk->free >= n && near(chunk->at, addr) ? take(chunk, n, owner) : 0;
		if (at)
			return at;
	}
	chunk = chunk_create(addr);
	return chunk ? take(chunk, n, owner) : 0;
}

static struct chunk *chunk_of(uint64_t at)
{
	struct chunk *chunk = __atomic_load_n(&chunks, __ATOMIC_ACQUIRE);

	while (chunk && at - chunk->at >= CHUNK_BYTES)
		chunk = chunk->next;
	return chunk;
}

static unsigned grains(size_t size)
{
	return (size + ARENA_GRAIN - 1) / ARENA_GRAIN;
}

void code_arena_give(uint64_t at, size_t size, void *owner)
{
	struct chunk *chunk = chunk_of(at);

	for (unsigned i = 0; i < grains(size); i++)
		__atomic_store_n(&chunk->owner[(at - chunk->at) / ARENA_GRAIN + i], owner,
				 __ATOMIC_RELEASE);
}

void code_arena_free(uint64_t at, size_t size)
{
	if (!at)
		return;
	code_arena_give(at, size, NULL);
	chunk_of(at)->free += grains(size);
}

void *code_arena_owner(uint64_t at)
{
	struct chunk *chunk = chunk_of(at);

	return chunk ? __atomic_load_n(&chunk->owner[(at - chunk->at) / ARENA_GRAIN],
				       __ATOMIC_ACQUIRE) :
		       NULL;
}
