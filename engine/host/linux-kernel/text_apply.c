// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-kernel/text_apply.c - brings the text to what is wanted, under running CPUs.
 *
 * A CPU may have fetched part of an instruction when the rest changes, so more than one byte is
 * never changed at once where a CPU can run. For a list of points, each step for all of them:
 *
 *   jump to breakpoint (at once)
 *     1. first byte becomes int3; sync     nobody can fetch the jump any more
 *     2. the other 4 bytes become the original ones; sync
 *   breakpoint to clear, clear to breakpoint (at once)
 *     3. first byte; sync                  one byte: old or new, both are right
 *   breakpoint to jump (by the worker)
 *     4. hits go on in the detour          and no more in the slot, which comes back into the region
 *     5. wait                              until all tasks have left where they were: text_quiesce().
 *                                          Now nobody is in the region behind its first byte, and
 *                                          nobody can get there: no hit leads to it, nothing jumps in
 *     6. the other 4 bytes; sync
 *     7. first byte; sync
 *
 * "sync": no CPU has old bytes any more. Between 4 and 6 the engine's lock is free: what has changed
 * meanwhile has cleared `waiting`, and starts again at 4.
 *
 * Each write checks what was there, and that it is there afterwards. Foreign bytes are left as they
 * are; the point's error says so and it is left alone from then on. On the way out that means that
 * somebody else's patch stays, with ours perhaps under it: such a point is kept for ever, so that
 * a hit still finds its way, and the core with it.
 */
#include "engine/core/control.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/text_write.h"

static const uint8_t int3 = ARCH_BREAKPOINT;

/* --- what is wanted ------------------------------------------------------------------------------ */

static bool has_neighbour(const struct text_point *point)
{
	unsigned i;

	for (i = 1; i < point->region.length; i++) {
		const struct text_point *other = text_point_at(point->addr + i);

		if (other && (other->armed || other->mode != TEXT_CLEAR))
			return true;
	}
	return false;
}

static enum text_mode wanted(const struct text_point *point)
{
	if (!point->armed)
		return TEXT_CLEAR;
	if (!engine_optimization() || !point->may_jump || !point->site || point->site->has_post ||
	    text_detour_is_short(point) || has_neighbour(point))
		return TEXT_BREAKPOINT;
	return TEXT_JUMP;
}

static bool is_candidate(const struct text_point *point)
{
	return point->mode == TEXT_BREAKPOINT && !point->waiting && !point->err &&
	       wanted(point) == TEXT_JUMP;
}

/* --- writing --------------------------------------------------------------------------------------- */

static void jump_bytes(const struct text_point *point, uint8_t ret[ARCH_JUMP_BYTES])
{
	arch_jump_encode(point->addr, point->detour_at, ret);
}

static void failed(struct text_point *point, int err)
{
	point->err = err;
	kfn_try_module_get(&__this_module); /* for ever */
	host_log("probe at %#llx: %s", (unsigned long long)point->addr,
		 err == -EBUSY ? "other bytes are in the text than were left there; not touched" :
				 "the text could not be written");
}

/* Writes n bytes from offset `skip` on. */
static bool put(struct text_point *point, unsigned skip, const uint8_t *old, const uint8_t *new,
		size_t n)
{
	int err = text_write(point->addr + skip, old, new, n);

	if (err)
		failed(point, err);
	return !err;
}

static void set_optimized(struct text_point *point, bool on)
{
	struct spile_site *site = point->site;
	struct kprobe *p;

	if (!site)
		return;
	site->probe_flags = on ? KPROBE_FLAG_OPTIMIZED : 0;
	for (p = site->probes; p; p = p->next)
		if (on)
			__atomic_fetch_or(&p->flags, KPROBE_FLAG_OPTIMIZED, __ATOMIC_RELAXED);
		else
			__atomic_fetch_and(&p->flags, ~(uint32_t)KPROBE_FLAG_OPTIMIZED,
					   __ATOMIC_RELAXED);
}

/* --- steps at once --------------------------------------------------------------------------------- */

static bool leaves_jump(const struct text_point *point)
{
	return point->mode == TEXT_JUMP && !point->err && wanted(point) != TEXT_JUMP;
}

static void steps_unjump(struct text_point *list)
{
	uint8_t jump[ARCH_JUMP_BYTES];
	struct text_point *p;
	bool any = false;

	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		if (leaves_jump(p))
			any |= put(p, 0, jump, &int3, 1);
	}
	if (!any)
		return;
	text_sync();
	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		if (!leaves_jump(p) || !put(p, 1, jump + 1, p->original + 1, ARCH_JUMP_BYTES - 1))
			continue;
		p->mode = TEXT_BREAKPOINT;
		set_optimized(p, false);
	}
	text_sync();
}

/* Hits go by the slot again, and the worker has waited for nothing. */
static void stop_waiting(struct text_point *point)
{
	point->waiting = false;
	__atomic_store_n(&point->via_detour, 0, __ATOMIC_RELEASE);
}

static void steps_first_byte(struct text_point *list)
{
	struct text_point *p;
	bool any = false;

	for (p = list; p; p = p->change_next) {
		enum text_mode want = wanted(p);

		if (p->mode != TEXT_JUMP && want != TEXT_JUMP)
			stop_waiting(p);
		if (p->err)
			continue;
		if (p->mode == TEXT_CLEAR && want != TEXT_CLEAR && put(p, 0, p->original, &int3, 1)) {
			p->mode = TEXT_BREAKPOINT;
			any = true;
		} else if (p->mode == TEXT_BREAKPOINT && want == TEXT_CLEAR &&
			   put(p, 0, &int3, p->original, 1)) {
			p->mode = TEXT_CLEAR;
			any = true;
		}
	}
	if (any)
		text_sync();
}

void text_change_drop(struct text_point *list)
{
	for (; list; list = list->change_next)
		list->queued = false;
}

int text_apply(struct text_point *list)
{
	struct text_point *p;

	text_change_drop(list);
	text_lock();
	steps_unjump(list);
	steps_first_byte(list);
	text_unlock();
	for (p = list; p; p = p->change_next)
		if (is_candidate(p))
			text_worker_wake();
	for (p = list; p && !p->err; p = p->change_next)
		;
	return p ? p->err : 0;
}

static void add(struct text_point **list, struct text_point *point)
{
	if (point->queued)
		return;
	point->queued = true;
	point->change_next = *list;
	*list = point;
}

void text_change_add(struct text_point **list, struct text_point *point)
{
	struct text_point *other;
	unsigned i;

	add(list, point);
	for (i = 1; i < X86_REGION_MAX; i++) {
		other = text_point_at(point->addr - i);
		if (other && other->may_jump && other->region.length > i)
			add(list, other);
	}
}

/* --- jumps, by the worker -------------------------------------------------------------------------- */

static void prepare(struct text_point *point, void *any)
{
	if (!is_candidate(point) || (!point->detour_at && !text_detour_create(point)))
		return;
	point->waiting = true;
	__atomic_store_n(&point->via_detour, point->detour_at + point->detour.copy[0],
			 __ATOMIC_RELEASE);
	*(bool *)any = true;
}

bool text_jumps_prepare(void)
{
	bool any = false;

	text_points_each(prepare, &any);
	return any;
}

/* Those that have been prepared, and have not been made to stop waiting since. */
static void collect_waiting(struct text_point *point, void *list)
{
	if (!point->waiting || point->err)
		return;
	if (text_region_is_free(point))
		add(list, point);
	else
		stop_waiting(point);
}

void text_jumps_write(void)
{
	struct text_point *list = NULL, *p;
	uint8_t jump[ARCH_JUMP_BYTES];

	text_points_each(collect_waiting, &list);
	text_lock();
	for (p = list; p; p = p->change_next) {
		p->queued = false;
		jump_bytes(p, jump);
		put(p, 1, p->original + 1, jump + 1, ARCH_JUMP_BYTES - 1);
	}
	text_sync();
	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		p->waiting = false;
		if (p->err || !put(p, 0, &int3, jump, 1))
			continue;
		p->mode = TEXT_JUMP;
		set_optimized(p, true);
	}
	text_sync();
	text_unlock();
}
