// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/apply.user.c - brings the text to what is wanted, under running threads.
 *
 * A CPU may have fetched part of an instruction when the rest changes, so more than one byte is
 * never changed at once where a thread can run. For a list of points, each step for all of them:
 *
 *   jump to breakpoint
 *     1. first byte becomes int3; sync     nobody can fetch the jump any more
 *     2. the other 4 bytes become the original ones; sync
 *   breakpoint to clear, clear to breakpoint
 *     3. first byte; sync                  one byte: old or new, both are right
 *   breakpoint to jump
 *     4. threads are asked                 one that is inside the region, has interrupted work
 *                                          there, or is in a slot, from which it would come
 *                                          back into the region: the point stays a breakpoint
 *     5. the other 4 bytes; sync           nobody can get there: the first byte is int3, nothing
 *                                          jumps in, and who was there has been seen to leave
 *     6. first byte; sync
 *
 * "sync": no CPU has old bytes any more. Each write checks what was there, and that it is there
 * afterwards. Foreign bytes are left as they are and the point's error says so; on the way out that
 * means that somebody else's patch stays, and ours may still be under it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/core/run.h"
#include "engine/host.h"
#include "engine/host/linux-user/arena.h"
#include "engine/host/linux-user/handlers.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/return.h"
#include "engine/host/linux-user/slot.h"
#include "engine/host/linux-user/text.h"
#include "engine/host/linux-user/threads.h"

#define ASK_TIMES 8 /* how often threads are asked before a point stays a breakpoint */

static const uint8_t int3 = 0xcc;
static bool optimization = true;

/* --- what is wanted ---------------------------------------------------------------------------- */

static bool has_neighbour(const struct point *point)
{
	for (unsigned i = 1; i < point->region.length; i++) {
		const struct point *other = point_at(point->addr + i);

		if (other && other->armed)
			return true;
	}
	return false;
}

static enum point_mode wanted(const struct point *point)
{
	if (!point->armed || point->gone)
		return POINT_CLEAR;
	if (!optimization || !point->can_jump || !point->wants_jump || has_neighbour(point) ||
	    (point->probes && point->probes->has_post))
		return POINT_BREAKPOINT;
	if (point->mode == POINT_JUMP && point->needs & ~point->gives)
		return POINT_BREAKPOINT; /* for as long as it takes to build another detour */
	return POINT_JUMP;
}

/* --- detours ----------------------------------------------------------------------------------- */

int detour_hit(void *arg, struct pt_regs *regs);
int detour_hit_slow(struct point *point, struct pt_regs *regs);

/* any */
int detour_hit_slow(struct point *point, struct pt_regs *regs)
{
	bool shown;
	int diverted;

	host_preempt_disable();
	shown = quick_show();
	diverted = point_hit(point, regs);
	quick_hide(shown);
	host_preempt_enable();
	return diverted;
}

/*
 * The short way, for the case that counts: point_update_only() has found one enabled pre_handler and
 * nothing else, and the thread has a slot and is in nothing of ours. Stores are what a hit's cost
 * is made of (a processor completes one in a cycle), so one word of the slot says all at once: that
 * the thread is inside, and in which probe. Whoever comes in between, by a signal or out of the
 * handler, finds it and tells the engine (quick_show()).
 */
/*
 * As C:
 *
 *	slot = host_my_slot_at, p = point->only;
 *	if (!slot || !p || slot->depth || slot->quick)
 *		return detour_hit_slow(point, regs);
 *	slot->quick = p;
 *	if (point->only == p) {     from here on p cannot go away; whether it has before, this tells
 *		slot->quick = p | QUICK_SURE;
 *		count_hit(slot->cpu, p);
 *		diverted = p->pre_handler(p, regs);
 *	}
 *	slot->quick = 0;
 *	return diverted;
 *
 * It is in assembly for its promises: it may be called with any alignment of the stack, as it is when the
 * handler is known not to need one; and beyond what the handler changes, and ax cx dx si di, it changes no
 * register, so that the detour of a handler that is known has little to save.
 */
static void __attribute__((used)) detour_hit_text(void)
{
	__asm__ volatile(
		".pushsection .text.detour_hit, \"ax\", @progbits\n"
		".globl detour_hit\n"
		".hidden detour_hit\n"
		".type detour_hit, @function\n"
		"detour_hit:\n"
		"	.cfi_startproc\n"
		"	movq host_my_slot_at@gottpoff(%%rip), %%rax\n"
		"	movq %%fs:(%%rax), %%rcx\n"
		"	movq %c[only](%%rdi), %%rax\n"
		"	testq %%rcx, %%rcx\n"
		"	jz 3f\n"
		"	testq %%rax, %%rax\n"
		"	jz 3f\n"
		"	cmpl $0, %c[depth](%%rcx)\n"
		"	jne 3f\n"
		"	cmpq $0, %c[quick](%%rcx)\n"
		"	jne 3f\n"
		"	movq %%rax, %c[quick](%%rcx)\n"
		"	cmpq %c[only](%%rdi), %%rax\n"
		"	jne 4f\n"
		"	leaq %c[sure](%%rax), %%rdx\n"
		"	movq %%rdx, %c[quick](%%rcx)\n"
		"	movl %c[counter](%%rax), %%edx\n"
		"	testl %%edx, %%edx\n"
		"	jz 2f\n"
		"	movq %c[cpu](%%rcx), %%rcx\n"
		"	movq %c[counts](%%rcx), %%rcx\n"
		"	addq $1, (%%rcx,%%rdx,8)\n"
		"1:	movq %%rax, %%rdi\n"
		"	subq $8, %%rsp\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	call *%c[handler](%%rax)\n"
		"	addq $8, %%rsp\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	movq host_my_slot_at@gottpoff(%%rip), %%rcx\n"
		"	movq %%fs:(%%rcx), %%rcx\n"
		"	movq $0, %c[quick](%%rcx)\n"
		"	ret\n"
		"2:	lock addq $1, %c[nhit](%%rax)\n"
		"	jmp 1b\n"
		"3:	pushq %%rbp\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset %%rbp, 0\n"
		"	movq %%rsp, %%rbp\n"
		"	.cfi_def_cfa_register %%rbp\n"
		"	pushq %%r8\n"
		"	pushq %%r9\n"
		"	pushq %%r10\n"
		"	pushq %%r11\n"
		"	andq $-16, %%rsp\n"
		"	call detour_hit_slow\n"
		"	movq -32(%%rbp), %%r11\n"
		"	movq -24(%%rbp), %%r10\n"
		"	movq -16(%%rbp), %%r9\n"
		"	movq -8(%%rbp), %%r8\n"
		"	leave\n"
		"	.cfi_restore %%rbp\n"
		"	.cfi_def_cfa %%rsp, 8\n"
		"	ret\n"
		"4:	movq $0, %c[quick](%%rcx)\n"
		"	xorl %%eax, %%eax\n"
		"	ret\n"
		"	.cfi_endproc\n"
		".size detour_hit, . - detour_hit\n"
		".popsection\n"
		:
		: [only] "i"(offsetof(struct point, only)), [depth] "i"(offsetof(struct host_slot, depth)),
		  [quick] "i"(offsetof(struct host_slot, quick)), [cpu] "i"(offsetof(struct host_slot, cpu)),
		  [counts] "i"(offsetof(struct engine_cpu, counts)), [sure] "i"(QUICK_SURE),
		  [counter] "i"(offsetof(struct kprobe, counter)), [nhit] "i"(offsetof(struct kprobe, nhit)),
		  [handler] "i"(offsetof(struct kprobe, pre_handler)));
}

static void detour_create(struct point *point)
{
	bool vectors = point->needs & X86_HANDLER_VECTORS;
	struct x86_detour_plan plan = {
		.region = &point->region,
		.handler = (uint64_t)(uintptr_t)detour_hit,
		.arg = (uint64_t)(uintptr_t)point,
		.options = X86_DETOUR_PROCESS,
	};
	uint8_t code[X86_DETOUR_MAX];
	uint64_t at = code_arena_alloc(point->addr, sizeof(code), point);
	unsigned used;
	int err = at ? 0 : -ENOMEM;

	if (vectors && !handlers_vector_area(&plan.xsave_mask, &plan.xsave_bytes))
		err = -EOPNOTSUPP;
	plan.options |= vectors ? X86_DETOUR_XSAVE : 0;
	if (!(point->needs & (X86_HANDLER_VECTORS | X86_HANDLER_REGS))) {
		plan.options |= X86_DETOUR_LIGHT;
		if (!(point->needs & X86_HANDLER_WORDS))
			plan.clobbers = HANDLER_CLOBBERS(point->needs);
	}
	if (!err)
		err = x86_detour_build(&plan, at, code, sizeof(code), &point->detour);
	if (!err)
		err = text_fill(at, code, point->detour.size);
	if (err) {
		code_arena_free(at, sizeof(code));
		point->can_jump = false;
		return;
	}
	used = (point->detour.size + ARENA_GRAIN - 1) & ~(ARENA_GRAIN - 1u);
	code_arena_free(at + used, sizeof(code) - used);
	point->gives = point->needs;
	__atomic_store_n(&point->detour_at, at, __ATOMIC_RELEASE);
}

static void detour_prepare(struct point *point)
{
	if (point->detour_at && point->needs & ~point->gives) {
		__atomic_store_n(&point->via_detour, 0, __ATOMIC_RELEASE);
		point_retire_detour(point);
	}
	if (!point->detour_at)
		detour_create(point);
}

/* --- steps ------------------------------------------------------------------------------------- */

static void jump_bytes(const struct point *point, uint8_t ret[X86_JUMP_BYTES])
{
	x86_jump_encode(point->addr, point->detour_at, ret);
}

static void failed(struct point *point, int err)
{
	point->err = err;
	host_log("probe at %#llx: %s", (unsigned long long)point->addr,
		 err == -EBUSY ? "other bytes are in the text than were left there; not touched" :
				 "the text could not be written");
}

/* Writes n bytes from offset `skip` on. */
static bool put(struct point *point, unsigned skip, const uint8_t *old, const uint8_t *new, size_t n)
{
	int err = text_write(point->addr + skip, old, new, n);

	if (err)
		failed(point, err);
	return !err;
}

static void set_optimized(struct point *point, bool on)
{
	struct kprobe *p = point->probes ? point->probes->probes : NULL;
	struct return_pool *pool;

	if (point->probes)
		point->probes->probe_flags = on ? KPROBE_FLAG_OPTIMIZED : 0;
	for (; p; p = p->next)
		kprobe_flag(p, KPROBE_FLAG_OPTIMIZED, on);
	for (pool = point->returns; pool; pool = return_next(pool))
		return_set_optimized(pool, on);
}

static void steps_unjump(struct point *list)
{
	uint8_t jump[X86_JUMP_BYTES];
	struct point *p;
	bool any = false;

	for (p = list; p; p = p->change_next) {
		p->leaving_jump = p->mode == POINT_JUMP && wanted(p) != POINT_JUMP;
		jump_bytes(p, jump);
		if (p->leaving_jump)
			any |= p->leaving_jump = put(p, 0, jump, &int3, 1);
	}
	if (!any)
		return;
	text_sync();
	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		if (!p->leaving_jump || !put(p, 1, jump + 1, p->original + 1, X86_JUMP_BYTES - 1))
			continue;
		p->mode = POINT_BREAKPOINT;
		set_optimized(p, false);
	}
	text_sync();
}

static void steps_first_byte(struct point *list)
{
	struct point *p;
	bool any = false;

	for (p = list; p; p = p->change_next) {
		enum point_mode want = wanted(p);

		if (p->mode == POINT_CLEAR && want != POINT_CLEAR && put(p, 0, p->original, &int3, 1)) {
			p->mode = POINT_BREAKPOINT;
			any = true;
		} else if (p->mode == POINT_BREAKPOINT && want == POINT_CLEAR &&
			   put(p, 0, &int3, p->original, 1)) {
			p->mode = POINT_CLEAR;
			any = true;
		}
	}
	if (any)
		text_sync();
}

/* --- breakpoint to jump ------------------------------------------------------------------------ */

static int compare_ranges(const void *a, const void *b)
{
	const struct code_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool is_occupied(const struct code_range *ranges, unsigned n, uint64_t start)
{
	struct code_range key = { start, start, false };
	const struct code_range *found =
		start ? bsearch(&key, ranges, n, sizeof(*ranges), compare_ranges) : NULL;

	return found && found->occupied;
}

/*
 * The region behind its first byte. If a single byte ends it, a thread whose trap there has not been
 * delivered yet stands behind that byte.
 */
static struct code_range region_range(const struct point *p)
{
	bool single = p->detour.original[p->detour.insns - 1] == p->region.length - 1;

	return (struct code_range){ p->addr + 1, p->addr + p->region.length + single, false };
}

/*
 * What nobody may be in: the region, and the slots that lead there, its own and those of probes
 * inside it, disabled or removed.
 */
struct keep_out {
	struct code_range *ranges; /* NULL: count only */
	unsigned n;
	bool occupied;
};

static void keep_out_add(struct keep_out *k, struct code_range range)
{
	if (k->ranges)
		k->ranges[k->n] = range;
	k->n++;
}

static void slot_add(uint64_t slot, void *keep_out)
{
	keep_out_add(keep_out, (struct code_range){ slot, slot + X86_SLOT_BYTES, false });
}

static void slot_look(uint64_t slot, void *keep_out)
{
	struct keep_out *k = keep_out;

	k->occupied |= is_occupied(k->ranges, k->n, slot);
}

static unsigned collect_ranges(struct point *list, struct code_range *ranges)
{
	struct keep_out k = { .ranges = ranges };
	struct point *p;

	for (p = list; p; p = p->change_next) {
		if (!p->entering_jump)
			continue;
		keep_out_add(&k, region_range(p));
		points_slots(p->addr, p->addr + p->region.length, slot_add, &k);
	}
	if (ranges)
		qsort(ranges, k.n, sizeof(*ranges), compare_ranges);
	return k.n;
}

static bool somebody_is_in(const struct point *p, struct code_range *ranges, unsigned n)
{
	struct keep_out k = { ranges, n, is_occupied(ranges, n, p->addr + 1) };

	points_slots(p->addr, p->addr + p->region.length, slot_look, &k);
	return k.occupied;
}

/* Marks those that may be written now; how many may not. */
static unsigned ask_threads(struct point *list, struct code_range *ranges)
{
	unsigned n = collect_ranges(list, ranges), refused = 0;
	struct point *p;

	if (!n)
		return 0;
	threads_look(ranges, n);
	for (p = list; p; p = p->change_next) {
		if (!p->entering_jump)
			continue;
		if (somebody_is_in(p, ranges, n)) {
			refused++;
		} else {
			p->entering_jump = false;
			p->entered_jump = true;
		}
	}
	return refused;
}

static unsigned mark_candidates(struct point *list)
{
	unsigned n = 0;
	struct point *p;

	for (p = list; p; p = p->change_next) {
		p->entering_jump = p->entered_jump = false;
		if (p->mode == POINT_JUMP)
			continue;
		if (p->mode == POINT_BREAKPOINT && wanted(p) == POINT_JUMP) {
			detour_prepare(p);
			p->entering_jump = p->can_jump;
		}
		__atomic_store_n(&p->via_detour,
				 p->entering_jump ? p->detour_at + p->detour.copy[0] : 0,
				 __ATOMIC_RELEASE);
		n += p->entering_jump;
	}
	return n;
}

static void write_jumps(struct point *list)
{
	uint8_t jump[X86_JUMP_BYTES];
	struct point *p;

	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		if (p->entered_jump)
			p->entered_jump = put(p, 1, p->original + 1, jump + 1, X86_JUMP_BYTES - 1);
	}
	text_sync();
	for (p = list; p; p = p->change_next) {
		jump_bytes(p, jump);
		if (!p->entered_jump || !put(p, 0, &int3, jump, 1))
			continue;
		p->mode = POINT_JUMP;
		set_optimized(p, true);
	}
	text_sync();
}

static void steps_jump(struct point *list)
{
	struct timespec pause = { .tv_nsec = 300000 };
	unsigned n = mark_candidates(list), refused = n;
	struct code_range *ranges;

	if (!n)
		return;
	ranges = calloc(collect_ranges(list, NULL), sizeof(*ranges));
	for (int tries = 0; ranges && refused && tries < ASK_TIMES; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		refused = ask_threads(list, ranges);
	}
	free(ranges);
	if (refused < n)
		write_jumps(list);
}

/* --- the list ---------------------------------------------------------------------------------- */

static int points_apply(struct point *list, struct point **ret_failed)
{
	struct point *p;

	for (p = list; p; p = p->change_next)
		p->err = 0;
	steps_unjump(list);
	steps_first_byte(list);
	steps_jump(list);
	for (p = list; p; p = p->change_next)
		point_update_only(p);
	for (p = list; p && !p->err; p = p->change_next)
		;
	if (p && ret_failed)
		*ret_failed = p;
	return p ? p->err : 0;
}

static void change_add(struct point **list, struct point *point)
{
	if (point->queued)
		return;
	point->queued = true;
	point->change_next = *list;
	*list = point;
}

/* With a point go those whose jump may reach into it. */
void change_list_add(struct point **list, struct point *point)
{
	change_add(list, point);
	for (unsigned i = 1; i < X86_REGION_MAX; i++) {
		struct point *other = point_at(point->addr - i);

		if (other && other->can_jump && other->region.length > i)
			change_add(list, other);
	}
}

void change_list_drop(struct point *list)
{
	for (; list; list = list->change_next)
		list->queued = false;
}

int change_list_apply(struct point *list, struct point **ret_failed)
{
	change_list_drop(list);
	return points_apply(list, ret_failed);
}

int point_apply(struct point *point)
{
	struct point *list = NULL;

	change_list_add(&list, point);
	return change_list_apply(list, NULL);
}

/* --- all points -------------------------------------------------------------------------------- */

static void add_to_list(struct point *point, void *list)
{
	change_add(list, point);
}

void points_set_optimization(bool on)
{
	struct point *list = NULL;

	optimization = on;
	points_each(add_to_list, &list);
	change_list_apply(list, NULL);
}

bool points_optimization(void)
{
	return optimization;
}

static void check_gone(struct point *point, void *unused)
{
	struct kprobe *p = point->probes ? point->probes->probes : NULL;
	struct return_pool *pool;

	if (point->gone || objects_serial(point->addr) == point->serial)
		return;
	point_set_gone(point);
	if (point->probes)
		point->probes->gone = true;
	for (; p; p = p->next)
		kprobe_flag(p, KPROBE_FLAG_GONE, true);
	for (pool = point->returns; pool; pool = return_next(pool))
		return_set_gone(pool);
}

void points_sweep(void)
{
	if (objects_gone())
		points_each(check_gone, NULL);
}
