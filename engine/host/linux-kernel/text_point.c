// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points: which there are, and what their text was. Task context under the engine's lock, but for
 * the look-ups of hits, which read the table without one. A point leaves the table only after its
 * breakpoint; its memory is freed much later (text_worker.c).
 */
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/planters.h"
#include "engine/host/linux-kernel/text_arena.h"
#include "engine/host/linux-kernel/text_write.h"

#define JUMP 0xe9

struct text_point *text_buckets[1u << TEXT_BUCKET_BITS];
uint32_t text_generation;

/* --- the table ----------------------------------------------------------------------------------- */

/* any */
struct text_point *text_point_find(uint64_t addr)
{
	struct text_point *point = text_point_at(addr);

	return point ? point : text_arena_owner(addr);
}

static void table_put(struct text_point *point)
{
	struct text_point **head = text_bucket(point->addr);

	point->hash_next = *head;
	__atomic_store_n(head, point, __ATOMIC_RELEASE);
	__atomic_fetch_add(&text_generation, 1, __ATOMIC_SEQ_CST);
}

/* Its own hash_next stays: a hit may be walking over it. */
void text_point_forget(struct text_point *point)
{
	struct text_point **link = text_bucket(point->addr);

	while (*link != point)
		link = &(*link)->hash_next;
	__atomic_store_n(link, point->hash_next, __ATOMIC_RELEASE);
	__atomic_fetch_add(&text_generation, 1, __ATOMIC_SEQ_CST);
}

void text_points_each(void (*visit)(struct text_point *point, void *arg), void *arg)
{
	struct text_point *p;
	unsigned i;

	for (i = 0; i < 1u << TEXT_BUCKET_BITS; i++)
		for (p = text_buckets[i]; p; p = p->hash_next)
			visit(p, arg);
}

/* --- what the text was --------------------------------------------------------------------------- */

/* Puts back what a point has overwritten of [addr, addr + n). */
static void restore_ours(const struct text_point *p, uint64_t addr, uint8_t *dst, size_t n)
{
	size_t changed = p->mode == TEXT_CLEAR ? 0 : p->mode == TEXT_JUMP ? ARCH_JUMP_BYTES : 1, i;

	for (i = 0; i < changed; i++)
		if (p->addr + i - addr < n)
			dst[p->addr + i - addr] = p->original[i];
}

/* The same for a kprobe of the kernel's own. False: it is a jump, and what was below cannot be told. */
static bool restore_kernels(uint64_t at, uint64_t addr, uint8_t *dst, size_t n)
{
	struct kernel_kprobe *kp;
	uint8_t first, opcode = 0;

	if (!khas(get_kprobe) || !khas(kprobe_opcode))
		return true;
	host_preempt_disable();
	kp = kfn_get_kprobe((void *)at);
	if (kp)
		opcode = knative(kp, kprobe, opcode);
	host_preempt_enable();
	if (!kp || text_read(at, &first, 1) != 1 || first == opcode)
		return true;
	if (first == ARCH_BREAKPOINT && at >= addr && at - addr < n)
		dst[at - addr] = opcode;
	return first != JUMP;
}

int text_read_original(void *unused, uint64_t addr, uint8_t *dst, size_t size)
{
	int got = text_read(addr, dst, size);
	const struct text_point *p;
	uint64_t at;

	for (at = addr - ARCH_JUMP_BYTES + 1; got > 0 && at < addr + (unsigned)got; at++) {
		p = text_point_at(at);
		if (p)
			restore_ours(p, addr, dst, (size_t)got);
		else if (!restore_kernels(at, addr, dst, (size_t)got))
			return -EFAULT;
	}
	return got;
}

/* --- a point's life ------------------------------------------------------------------------------ */

static int slot_create(struct text_point *point)
{
	bool needed = x86_slot_is_needed(&point->insn, X86_KERNEL);
	uint8_t code[ARCH_SLOT_BYTES];
	uint64_t at = 0;
	int err;

	if (needed) {
		at = text_arena_alloc(ARCH_SLOT_BYTES, point);
		if (!at) {
			text_left_collect();
			at = text_arena_alloc(ARCH_SLOT_BYTES, point);
		}
		if (!at)
			return -ENOSPC;
	}
	err = x86_slot_build(&point->insn, point->original, point->addr, at, X86_KERNEL, code,
			     &point->slot);
	if (!err && needed) {
		text_lock();
		err = text_fill(at, code, sizeof(code));
		text_unlock();
	}
	if (err)
		text_arena_free(at, ARCH_SLOT_BYTES);
	return err;
}

int text_point_create(struct spile_site *site, struct text_point **ret)
{
	struct text_point *point = host_zalloc(sizeof(*point));
	int err;

	if (!point)
		return -ENOMEM;
	point->addr = site->addr;
	point->site = site;
	err = text_read_original(NULL, point->addr, point->original, sizeof(point->original));
	if (err > 0)
		err = x86_decode(point->original, (size_t)err, &point->insn);
	if (err > 0)
		err = slot_create(point);
	if (err) {
		host_free(point);
		return err;
	}
	point->may_jump = site->planter == &planter_jump &&
			  text_check_jump(point->addr, &point->region) == X86_JUMP_OK;
	if (point->may_jump) /* what the jump overwrites, possibly more than the instruction */
		memcpy(point->original, point->region.bytes, ARCH_JUMP_BYTES);
	table_put(point);
	*ret = point;
	return 0;
}

void text_point_free(struct text_point *point)
{
	text_arena_free(point->slot.at, ARCH_SLOT_BYTES);
	text_arena_free(point->detour_at, point->detour.size);
	text_arena_free(point->after_at, point->after.size);
	host_free(point);
}
