// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text planters: a breakpoint, or a jump where one may be, written into the kernel's text by
 * ourselves. They differ in when they may be used; what they do is to hang a site on a point
 * (text_point.h) and to have the text follow. site->plant is the point.
 *
 * Task context under the engine's lock. Hits are in text_trap.c.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/ftrace_code.h"
#include "engine/host/linux-kernel/planters.h"
#include "engine/host/linux-kernel/text.h"
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/text_write.h"

static struct text_point *point_of(const struct spile_site *site)
{
	return site->plant;
}

static int apply_one(struct text_point *point)
{
	struct text_point *list = NULL;

	text_change_add(&list, point);
	return text_apply(list);
}

static unsigned needs_of(const struct kprobe *p)
{
	return kernel_handler_read((uint64_t)p->pre_handler).needs;
}

/* The text first; the site stays until traps that are under way have come out of its handlers. */
static void text_unplant(struct spile_site *list)
{
	struct text_point *changed = NULL;
	struct spile_site *site;

	for (site = list; site; site = site->batch_next) {
		if (!site->plant)
			continue;
		point_of(site)->armed = false;
		text_point_slow(point_of(site), TEXT_SLOW_COMPANY, true);
		text_change_add(&changed, point_of(site));
	}
	if (changed)
		text_apply(changed);
	for (site = list; site; site = site->batch_next)
		if (site->plant)
			__atomic_store_n(&point_of(site)->site, NULL, __ATOMIC_RELEASE);
}

struct search {
	uint64_t start, end;
	bool written; /* look for those only whose patch is in the text */
	bool found;
};

static void look(struct text_point *point, void *arg)
{
	struct search *search = arg;

	if (!search->written || point->mode != TEXT_CLEAR)
		search->found |= point->addr >= search->start && point->addr < search->end;
}

static bool is_in_function(uint64_t addr, bool written)
{
	struct search search = { .written = written };

	if (!khas(kallsyms_lookup_size_offset) || text_function(addr, &search.start, &search.end))
		return false;
	text_points_each(look, &search);
	return search.found;
}

bool text_is_in_function(uint64_t addr)
{
	return is_in_function(addr, false);
}

/* Then these cannot be the kernel's kprobes instead: see the policy in home.c. */
static bool has_neighbours(const struct spile_site *list)
{
	for (; list; list = list->batch_next)
		if (is_in_function(list->addr, true))
			return true;
	return false;
}

static int text_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct text_point *changed = NULL, *point;
	const struct kprobe *p;
	struct spile_site *site;
	int err = text_traps_init();

	if (!err)
		err = text_worker_start();
	for (site = list; site && !err; site = site->batch_next) {
		*ret_failed = site;
		err = text_point_create(site, &point);
		if (err)
			break;
		site->plant = point;
		point->armed = site->enabled != 0;
		for (p = site->probes; p; p = p->next)
			point->needs |= needs_of(p);
		if (site->has_post)
			text_after_create(point);
		text_change_add(&changed, point);
	}
	if (!err)
		err = text_apply(changed);
	else
		text_change_drop(changed);
	if (!err)
		return 0;
	for (site = list; site; site = site->batch_next)
		if (site->plant && point_of(site)->err)
			*ret_failed = site;
	text_unplant(list);
	return err == -ENOSPC && has_neighbours(list) ? -ENOMEM : err;
}

/* With foreign bytes in its text, a point must stay where hits find it. */
static void text_release(struct spile_site *list)
{
	for (; list; list = list->batch_next) {
		struct text_point *point = point_of(list);

		if (point && point->mode == TEXT_CLEAR) {
			text_point_forget(point);
			text_point_leave(point);
		}
		list->plant = NULL;
	}
}

static int text_arm(struct spile_site *site)
{
	int err;

	point_of(site)->armed = true;
	text_point_slow(point_of(site), TEXT_SLOW_OFF, false);
	err = apply_one(point_of(site));
	if (err) {
		point_of(site)->armed = false;
		apply_one(point_of(site));
	}
	return err;
}

static void text_disarm(struct spile_site *site)
{
	point_of(site)->armed = false;
	text_point_slow(point_of(site), TEXT_SLOW_OFF, true);
	apply_one(point_of(site));
}

/*
 * Its handler may need more than the detour gives: then the jump gives way until there is another.
 * Waits until nobody is in the old one, who would show the new handler what it has not saved.
 */
static int text_join(struct spile_site *site, const struct kprobe *p)
{
	struct text_point *point = point_of(site);
	int err;

	text_point_slow(point, TEXT_SLOW_COMPANY, true);
	point->needs |= needs_of(p);
	if (!text_detour_is_short(point))
		return 0;
	err = apply_one(point);
	if (err)
		return err;
	text_quiesce();
	text_detour_drop(point);
	return apply_one(point);
}

/* A post_handler has come, or the last one has gone: a jump gives way, or need not any more. */
static int text_update(struct spile_site *site)
{
	if (site->has_post)
		text_after_create(point_of(site));
	return apply_one(point_of(site));
}

static void text_relax(struct spile_site *site)
{
	apply_one(point_of(site));
}

/* Jumps give way at once; breakpoints become jumps in time. */
static void text_optimize(struct spile_site *list)
{
	struct text_point *changed = NULL;

	for (; list; list = list->batch_next)
		text_change_add(&changed, point_of(list));
	if (changed)
		text_apply(changed);
}

/* --- which may be used ---------------------------------------------------------------------------- */

static int breakpoint_can_plant(const struct spile_site *site)
{
	struct arch_insn insn;

	return text_check_breakpoint(site->addr, &insn);
}

static int jump_can_plant(const struct spile_site *site)
{
	struct arch_region region;
	int err = breakpoint_can_plant(site); /* every jump is a breakpoint first */

	if (err)
		return err;
	return text_check_jump(site->addr, &region) == X86_JUMP_OK ? 0 : -EOPNOTSUPP;
}

/* --- end -------------------------------------------------------------------------------------------- */

void text_deinit(void)
{
	text_worker_stop();
	text_traps_deinit();
}

const struct planter planter_jump = {
	.name = "jump",
	.id = SPILE_PLANTER_JUMP,
	.kinds = SITE_PROBE,
	.can_plant = jump_can_plant,
	.plant = text_plant,
	.unplant = text_unplant,
	.release = text_release,
	.arm = text_arm,
	.disarm = text_disarm,
	.join = text_join,
	.update = text_update,
	.relax = text_relax,
	.optimize = text_optimize,
};

const struct planter planter_breakpoint = {
	.name = "breakpoint",
	.id = SPILE_PLANTER_BREAKPOINT,
	.kinds = SITE_PROBE,
	.can_plant = breakpoint_can_plant,
	.plant = text_plant,
	.unplant = text_unplant,
	.release = text_release,
	.arm = text_arm,
	.disarm = text_disarm,
	.join = text_join,
	.update = text_update,
	.relax = text_relax,
};
