// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code that is made for a point, besides its slot: the detour that its jump leads to, and the one
 * that a breakpoint's hit with post_handlers goes on in. Task context under the engine's lock.
 *
 * A detour saves what its handlers look at, and calls text_detour_hit(). If there is only one probe when
 * it is made, it does the usual hit by itself, as ftrace_code.c does at entries. As C:
 *
 *	preempt_disable();
 *	cpu = &engine.cpus[this CPU];
 *	if (point->slow || cpu->running)
 *		preempt_enable(), diverted = text_detour_hit(point, regs);
 *	else
 *		cpu->running = &frame, cpu->counts[n]++;
 *		diverted = handler(p, regs);
 *		cpu->running = NULL, preempt_enable();
 *
 * `slow` is set before another probe arrives, and before this one is disabled or goes; then the engine
 * waits for whoever has not seen it, and everybody later goes by text_detour_hit().
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/ftrace_code.h"
#include "engine/host/linux-kernel/quick_code.h"
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

/* --- for one probe ------------------------------------------------------------------------------------ */

struct lone {
	const struct text_point *point;
	const struct kprobe *probe;
	struct x86_handler handler;
	struct exits slow, due;
	uint64_t done; /* behind the call */
};

#define FRAME_BYTES ((int32_t)sizeof(struct engine_frame))

static void write_hit(struct x86_code *c, void *context)
{
	struct lone *lone = context;
	const struct kprobe *p = lone->probe;

	preempt_add(c, 1);
	check_quick(c, &lone->point->slow, &lone->slow);
	lea(c, SP, SP, -FRAME_BYTES);
	if (lone->handler.needs & X86_HANDLER_REGS) /* others call nothing */
		store_value(c, 0, SP, offsetof(struct engine_frame, jprobe));
	enter(c, lone->point->site, p);
	if (p->pre_handler) {
		if (lone->handler.takes_what)
			value(c, DI, (uint64_t)p);
		call(c, (uint64_t)p->pre_handler);
	} else {
		CODE(c, 0x31, 0xc0); /* xor %eax, %eax */
	}
	show_nothing(c, lone->handler.clobbers);
	lea(c, SP, SP, FRAME_BYTES);
	preempt_enable(c, &lone->due);
	lone->done = code_here(c);
}

/* What text_detour_hit() may change and the handler does not, the detour has not saved. */
static void write_slow_hit(struct x86_code *c, void *context)
{
	struct lone *lone = context;

	land(c, &lone->slow);
	preempt_add(c, -1);
	CODE(c, 0x51, 0x52, 0x41, 0x50, 0x41, 0x51); /* push %rcx, %rdx, %r8, %r9 */
	value(c, DI, (uint64_t)lone->point);
	call(c, (uint64_t)text_detour_hit);
	CODE(c, 0x41, 0x59, 0x41, 0x58, 0x5a, 0x59);
	code_jump(c, lone->done);
	land(c, &lone->due);
	call(c, (uint64_t)ftrace_code_resched);
	code_jump(c, lone->done);
}

/* The only probe that is there and that text_point_slow() has not been called about; or NULL. */
static const struct kprobe *lone_probe(const struct text_point *point)
{
	const struct kprobe *p = point->site && !point->slow ? point->site->probes : NULL;

	return p && !p->next && !p->post_handler && !p->break_handler ? p : NULL;
}

/* Once made, a detour stays with its point. */
bool text_detour_create(struct text_point *point)
{
	struct lone lone = { .point = point, .probe = lone_probe(point) };
	struct arch_detour_plan plan = {
		.region = &point->region,
		.handler = (uint64_t)text_detour_hit,
		.arg = (uint64_t)point,
	};

	if (lone.probe) {
		lone.handler = kernel_handler_read((uint64_t)lone.probe->pre_handler);
		point->needs |= lone.handler.needs;
		plan.write_call = write_hit;
		plan.write_rest = write_slow_hit;
		plan.context = &lone;
	}
	point->light = !(point->needs & ~(unsigned)X86_HANDLER_WORDS);
	if (point->light)
		plan.options = X86_DETOUR_LIGHT;
	if (!point->needs)
		plan.clobbers = lone.probe ? lone.handler.clobbers | 1u << R10 | 1u << R11 :
					     X86_CLOBBERS_ALL;
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

/* --- for post_handlers --------------------------------------------------------------------------------- */

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
