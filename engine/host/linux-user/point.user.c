// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points: which there are, what their text was, what it may become, and what runs at a hit.
 *
 * Hits find points in a hash table without a lock. A point leaves the table before the engine
 * waits for running hits, and its memory is given back after that, when in addition no thread can
 * be in its slot or detour. A thread may have met the breakpoint and not yet be in the signal
 * handler when all of this has happened: it finds no point and no breakpoint, and runs the
 * instruction again (trap.user.c).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/core/engine.h"
#include "engine/host.h"
#include "engine/host/linux-user/arena.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/return.h"
#include "engine/host/linux-user/slot.h"
#include "engine/host/linux-user/text.h"
#include "engine/host/linux-user/threads.h"

#define TABLE_BITS 14
#define COLLECT_AT 256 /* left points at which it pays to ask the threads */

static struct point *table[1u << TABLE_BITS];
static struct point *left; /* without users, memory not yet given back; their places may have others */
static unsigned left_count;
static uint32_t generation;

/* --- the table --------------------------------------------------------------------------------- */

static struct point **bucket(uint64_t addr)
{
	return &table[(addr * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS)];
}

/* any */
static struct point *table_at(uint64_t addr)
{
	struct point *p = __atomic_load_n(bucket(addr), __ATOMIC_ACQUIRE);

	while (p && p->addr != addr)
		p = __atomic_load_n(&p->hash_next, __ATOMIC_ACQUIRE);
	return p;
}

static void table_put(struct point *point)
{
	struct point **head = bucket(point->addr);

	point->hash_next = *head;
	__atomic_store_n(head, point, __ATOMIC_RELEASE);
	__atomic_fetch_add(&generation, 1, __ATOMIC_SEQ_CST);
}

static void table_take(struct point *point)
{
	struct point **link = bucket(point->addr);

	while (*link && *link != point)
		link = &(*link)->hash_next;
	if (*link) /* its own hash_next stays: a hit may be walking over it */
		__atomic_store_n(link, point->hash_next, __ATOMIC_RELEASE);
	__atomic_fetch_add(&generation, 1, __ATOMIC_SEQ_CST);
}

/* any */
uint32_t points_generation(void)
{
	return __atomic_load_n(&generation, __ATOMIC_SEQ_CST);
}

/* any */
struct point *point_find(uint64_t addr)
{
	struct point *point = table_at(addr);

	return point ? point : code_arena_owner(addr);
}

struct point *point_at(uint64_t addr)
{
	return table_at(addr);
}

void points_each(void (*visit)(struct point *point, void *arg), void *arg)
{
	struct point *p, *next;

	for (unsigned i = 0; i < 1u << TABLE_BITS; i++)
		for (p = table[i]; p; p = next) {
			next = p->hash_next;
			visit(p, arg);
		}
}

/* --- what the text was ------------------------------------------------------------------------- */

/* Puts back what a point has overwritten of [addr, addr + n). */
static void restore_view(const struct point *p, uint64_t addr, uint8_t *dst, size_t n)
{
	size_t changed = p->mode == POINT_CLEAR ? 0 : p->mode == POINT_JUMP ? X86_JUMP_BYTES : 1;

	for (size_t i = 0; i < changed; i++)
		if (p->addr + i - addr < n)
			dst[p->addr + i - addr] = p->original[i];
}

int point_read_original(void *unused, uint64_t addr, uint8_t *dst, size_t size)
{
	int got = text_read(addr, dst, size);
	const struct point *p;

	for (uint64_t a = addr - X86_JUMP_BYTES + 1; got > 0 && a < addr + (unsigned)got; a++) {
		p = table_at(a);
		if (p)
			restore_view(p, addr, dst, (size_t)got);
	}
	return got;
}

/* --- may there be a jump? ---------------------------------------------------------------------- */

/* Landing pads are entered by the unwinder; none is at a function's very start. */
static bool has_fixup(void *context, uint64_t start, uint64_t end)
{
	const struct function *f = context;

	return f->exceptions && start != f->start;
}

/* The compiler's name.cold; where names are stripped, whatever else is jumped into. */
static bool is_part(void *context, uint64_t target, uint64_t *ret_start, uint64_t *ret_end)
{
	struct function f;

	if (objects_function(target, &f) ||
	    (f.name && !strstr(f.name, ".cold") && target == f.start))
		return false;
	*ret_start = f.start;
	*ret_end = f.end;
	return true;
}

static enum x86_verdict check_jump(uint64_t addr, struct x86_region *ret)
{
	struct function f;
	struct x86_optimize o = {
		.address = addr,
		.read = point_read_original,
		.has_fixup = has_fixup,
		.is_part = is_part,
		.context = &f,
	};

	if (objects_function(addr, &f))
		return X86_JUMP_UNREADABLE;
	o.start = f.start;
	o.end = f.end;
	return x86_optimize_check(&o, ret);
}

bool point_may_jump(uint64_t addr, const char **ret_why)
{
	struct x86_region region;
	enum x86_verdict verdict = check_jump(addr, &region);

	*ret_why = verdict == X86_JUMP_OK ? "" : x86_verdict_text(verdict);
	return verdict == X86_JUMP_OK;
}

/* --- a point's life ---------------------------------------------------------------------------- */

static int slot_create(struct point *point)
{
	bool needed = x86_slot_is_needed(&point->insn, X86_PROCESS);
	uint8_t code[X86_SLOT_BYTES];
	uint64_t at = 0;
	int err;

	if (needed) {
		at = code_arena_alloc(point->addr, X86_SLOT_BYTES, point);
		if (!at)
			return -ENOMEM;
	}
	err = x86_slot_build(&point->insn, point->original, point->addr, at, X86_PROCESS, code,
			     &point->slot);
	if (!err && needed)
		err = text_fill(at, code, sizeof(code));
	if (err && needed)
		code_arena_free(at, X86_SLOT_BYTES);
	return err;
}

static int point_create(uint64_t addr, struct point **ret)
{
	struct point *point = calloc(1, sizeof(*point));
	int err = -ENOMEM, got;

	if (!point)
		return err;
	point->addr = addr;
	point->serial = objects_serial(addr);
	got = point_read_original(NULL, addr, point->original, sizeof(point->original));
	err = got < 0 ? got : x86_decode(point->original, (size_t)got, &point->insn);
	if (err > 0)
		err = slot_create(point);
	if (err) {
		free(point);
		return err;
	}
	point->can_jump = check_jump(addr, &point->region) == X86_JUMP_OK;
	if (point->can_jump) /* what the jump overwrites, possibly more than the instruction */
		memcpy(point->original, point->region.bytes, X86_JUMP_BYTES);
	table_put(point);
	*ret = point;
	return 0;
}

int point_get(uint64_t addr, struct point **ret)
{
	int err = 0;

	*ret = table_at(addr);
	if (!*ret)
		err = point_create(addr, ret);
	if (!err)
		(*ret)->users++;
	return err;
}

static void leave(struct point *point)
{
	point->change_next = left;
	left = point;
	left_count++;
}

void point_put(struct point *point)
{
	if (--point->users)
		return;
	if (!point->gone)
		table_take(point);
	leave(point);
}

/* A thread may still be in it: the memory gets an owner of its own, which knows its layout. */
void point_retire_detour(struct point *point)
{
	struct point *old = malloc(sizeof(*old));

	if (old) { /* else the memory is lost */
		*old = *point;
		old->slot.at = 0;
		code_arena_give(point->detour_at, point->detour.size, old);
		leave(old);
	}
	point->detour_at = 0;
}

static void point_free(struct point *point)
{
	code_arena_free(point->slot.at, X86_SLOT_BYTES);
	code_arena_free(point->detour_at, point->detour.size);
	free(point);
}

void point_set_gone(struct point *point)
{
	point->gone = true;
	point->mode = POINT_CLEAR;
	table_take(point);
}

void points_slots(uint64_t start, uint64_t end, void (*visit)(uint64_t slot, void *arg), void *arg)
{
	const struct point *p;

	for (uint64_t addr = start; addr < end; addr++) {
		p = table_at(addr);
		if (p && p->slot.at)
			visit(p->slot.at, arg);
	}
	for (p = left; p; p = p->change_next)
		if (p->addr >= start && p->addr < end && p->slot.at)
			visit(p->slot.at, arg);
}

/* --- giving memory back ------------------------------------------------------------------------ */

static int compare_ranges(const void *a, const void *b)
{
	const struct code_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void range_add(struct code_range *ranges, unsigned *n, uint64_t at, size_t size)
{
	if (at)
		ranges[(*n)++] = (struct code_range){ at, at + size, false };
}

static bool range_occupied(const struct code_range *ranges, unsigned n, uint64_t at)
{
	struct code_range key = { at, at, false }, *found;

	found = at ? bsearch(&key, ranges, n, sizeof(*ranges), compare_ranges) : NULL;
	return found && found->occupied;
}

void points_collect(bool now)
{
	struct point **link = &left, *point;
	struct code_range *ranges;
	unsigned n = 0;

	if (!left || (!now && left_count < COLLECT_AT))
		return;
	ranges = calloc(2 * left_count, sizeof(*ranges));
	if (!ranges)
		return; /* another time */
	for (point = left; point; point = point->change_next) {
		range_add(ranges, &n, point->slot.at, X86_SLOT_BYTES);
		range_add(ranges, &n, point->detour_at, point->detour.size);
	}
	qsort(ranges, n, sizeof(*ranges), compare_ranges);
	threads_look(ranges, n);
	while ((point = *link)) {
		if (range_occupied(ranges, n, point->slot.at) ||
		    range_occupied(ranges, n, point->detour_at)) {
			link = &point->change_next;
			continue;
		}
		*link = point->change_next;
		left_count--;
		point_free(point);
	}
	free(ranges);
}

/* --- hits -------------------------------------------------------------------------------------- */

/* any, preempt off */
bool quick_show(void)
{
	struct host_slot *slot = host_my_slot_at;
	uintptr_t quick = slot ? slot->quick : 0;
	struct engine_cpu *cpu = slot ? slot->cpu : NULL;

	if (!(quick & QUICK_SURE) || cpu->running)
		return false; /* not sure yet: no handler runs, and the probe may be no more */
	cpu->quick.site = ((struct kprobe *)(quick & ~QUICK_SURE))->site;
	__atomic_store_n(&cpu->running, &cpu->quick, __ATOMIC_RELAXED);
	return true;
}

/* any, preempt off */
void quick_hide(bool shown)
{
	struct engine_cpu *cpu;

	if (!shown)
		return;
	cpu = host_my_slot_at->cpu;
	__atomic_store_n(&cpu->running, NULL, __ATOMIC_RELAXED);
}

void point_update_only(struct point *point)
{
	struct kprobe *p = point->live && !point->returns ? point->live->probes : NULL;

	if (p && (p->next || !p->pre_handler || p->break_handler || p->flags & KPROBE_FLAG_DISABLED))
		p = NULL;
	__atomic_store_n(&point->only, p, __ATOMIC_RELEASE);
}

/* any, preempt off */
int point_hit(struct point *point, struct pt_regs *regs)
{
	struct return_pool *pool = __atomic_load_n(&point->returns, __ATOMIC_ACQUIRE);
	struct spile_site *site = __atomic_load_n(&point->live, __ATOMIC_ACQUIRE);

	for (; pool; pool = return_next(pool))
		return_enter(pool, regs);
	return site ? engine_hit(site, regs) : 0;
}
