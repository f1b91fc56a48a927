// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code that is made for a point, besides its slot: the detour that its jump leads to, and the one
 * that a breakpoint's hit with post_handlers goes on in. Task context under the engine's lock.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/text_arena.h"
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/text_write.h"

/* Where the code is, or 0. */
static uint64_t install(struct text_point *point, const struct arch_detour_plan *plan,
			struct arch_detour *ret)
{
	static uint8_t code[ARCH_DETOUR_MAX]; /* the engine's lock guards it */
	uint64_t at = text_arena_alloc(sizeof(code), point);
	int err = at ? arch_detour_build(plan, at, code, sizeof(code), ret) : -ENOSPC;
	size_t used = (ret->size + TEXT_ARENA_GRAIN - 1) & ~(TEXT_ARENA_GRAIN - 1u);

	if (!err) {
		text_lock();
		err = text_fill(at, code, ret->size);
		text_unlock();
	}
	if (err) {
		text_arena_free(at, sizeof(code));
		return 0;
	}
	text_arena_free(at + used, sizeof(code) - used);
	return at;
}

/* Once made, a detour stays with its point. */
bool text_detour_create(struct text_point *point)
{
	struct arch_detour_plan plan = {
		.region = &point->region,
		.handler = (uint64_t)text_detour_hit,
		.arg = (uint64_t)point,
	};

	point->light = !(point->needs & ~(unsigned)X86_HANDLER_WORDS);
	if (point->light) {
		plan.options = X86_DETOUR_LIGHT;
		plan.clobbers = point->needs ? 0 : X86_CLOBBERS_ALL;
	}
	point->detour_at = install(point, &plan, &point->detour);
	if (!point->detour_at)
		point->may_jump = false;
	return point->detour_at;
}

void text_detour_drop(struct text_point *point)
{
	text_arena_free(point->detour_at, point->detour.size);
	point->detour_at = 0;
}

/* Stays with its point, too. Of a branch there is no such copy; it is emulated. */
void text_after_create(struct text_point *point)
{
	struct arch_region region = { .from = point->addr, .length = point->insn.length };
	const struct arch_detour_plan plan = {
		.region = &region,
		.handler = (uint64_t)text_after_hit,
		.arg = (uint64_t)point,
		.options = X86_DETOUR_AFTER,
	};

	if (point->after_at || !(point->slot.can_step || point->slot.straight))
		return;
	memcpy(region.bytes, point->original, region.length);
	__atomic_store_n(&point->after_at, install(point, &plan, &point->after), __ATOMIC_RELEASE);
}
