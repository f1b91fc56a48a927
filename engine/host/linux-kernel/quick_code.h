/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/quick_code.h - writing code that does a hit for one probe, without the engine.
 *
 * For ftrace_code.c, at a function's entry, and text_detour.c, anywhere. The code's rules: preemption is
 * disabled by it; r10 and r11 are its own, and the flags; this CPU's struct engine_cpu is in r11 from
 * check_quick() on. What it does of the engine's work is hit_enter(), count_hit() and hit_leave()
 * (engine/core/run.h) for a CPU on which no handler runs, which check_quick() makes sure of, and
 * that no more than this probe is wanted: of that a word that the planter keeps, which is 0 then.
 * All else goes the long way. Task context.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_QUICK_CODE_H
#define SPILE_HOST_LINUX_KERNEL_QUICK_CODE_H

#include "engine/arch/x86/code.h"
#include "engine/arch/x86/handler.h"
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* In ftrace_trampoline.S; not to be called from C. */
extern char ftrace_code_divert[], ftrace_code_resched[], ftrace_code_return_insn[];

/* What goes to places that come later in the code. */
struct exits {
	size_t at[4];
	unsigned n;
};

/* --- instructions ------------------------------------------------------------------------------- */

static inline uint8_t rex(unsigned reg, unsigned base)
{
	return (uint8_t)(0x48 | (reg & 8) >> 1 | (base & 8) >> 3);
}

/* modrm and what follows it, for disp(base) */
static inline void operand(struct x86_code *c, unsigned reg, unsigned base, int32_t disp)
{
	CODE(c, (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7)));
	if ((base & 7) == SP)
		CODE(c, 0x24);
	code_u32(c, (uint32_t)disp);
}

static inline void load(struct x86_code *c, unsigned reg, unsigned base, int32_t disp)
{
	CODE(c, rex(reg, base), 0x8b);
	operand(c, reg, base, disp);
}

static inline void store(struct x86_code *c, unsigned reg, unsigned base, int32_t disp)
{
	CODE(c, rex(reg, base), 0x89);
	operand(c, reg, base, disp);
}

static inline void lea(struct x86_code *c, unsigned reg, unsigned base, int32_t disp)
{
	CODE(c, rex(reg, base), 0x8d);
	operand(c, reg, base, disp);
}

/* movq $value, disp(base) */
static inline void store_value(struct x86_code *c, int32_t value, unsigned base, int32_t disp)
{
	CODE(c, rex(0, base), 0xc7);
	operand(c, 0, base, disp);
	code_u32(c, (uint32_t)value);
}

/* addq $n, disp(base): one instruction, hence atomic on this CPU */
static inline void add_to(struct x86_code *c, int8_t n, unsigned base, int32_t disp)
{
	CODE(c, rex(0, base), 0x83);
	operand(c, 0, base, disp);
	CODE(c, (uint8_t)n);
}

static inline void value(struct x86_code *c, unsigned reg, uint64_t value)
{
	CODE(c, rex(0, reg), (uint8_t)(0xb8 | (reg & 7)));
	code_u64(c, value);
}

static inline void call(struct x86_code *c, uint64_t target)
{
	CODE(c, 0xe8);
	code_rel32(c, target);
}

/* A word of this CPU; `symbol` is what kcpu_ names are. */
static inline void load_cpu_8(struct x86_code *c, unsigned reg, const char *symbol)
{
	CODE(c, 0x65, rex(reg, 0), 0x8b, (uint8_t)(0x04 | (reg & 7) << 3), 0x25);
	code_u32(c, (uint32_t)(uintptr_t)symbol);
}

static inline void load_cpu_4(struct x86_code *c, unsigned reg, const char *symbol)
{
	CODE(c, 0x65, (uint8_t)(0x40 | (reg & 8) >> 1), 0x8b, (uint8_t)(0x04 | (reg & 7) << 3), 0x25);
	code_u32(c, (uint32_t)(uintptr_t)symbol);
}

static inline void preempt_add(struct x86_code *c, int8_t n)
{
	CODE(c, 0x65, 0x83, 0x04, 0x25);
	code_u32(c, (uint32_t)(uintptr_t)kcpu_preempt_count);
	CODE(c, (uint8_t)n);
}

enum { IF_EQUAL = 0x84, IF_NOT_EQUAL = 0x85, IF_ABOVE = 0x87 };

/* To where land() is called with the same exits. */
static inline void leave_if(struct x86_code *c, uint8_t condition, struct exits *exits)
{
	CODE(c, 0x0f, condition);
	exits->at[exits->n++] = c->size;
	code_u32(c, 0);
}

static inline void land(struct x86_code *c, const struct exits *exits)
{
	unsigned i;

	for (i = 0; i < exits->n && !c->err; i++) {
		uint32_t distance = (uint32_t)(c->size - (exits->at[i] + 4));

		memcpy(c->out + exits->at[i], &distance, sizeof(distance));
	}
}

/* Where a jump of 5 bytes goes; 0: there is none. */
static inline uint64_t jump_target(const void *at)
{
	const uint8_t *insn = at;
	int32_t distance;

	memcpy(&distance, insn + 1, sizeof(distance));
	return *insn == 0xe9 ? (uint64_t)insn + 5 + (uint64_t)(int64_t)distance : 0;
}

/* Where the return instruction of our own text jumps to; 0: the kernel has made a plain one of it. */
static inline uint64_t return_thunk(void)
{
	return jump_target(ftrace_code_return_insn);
}

static inline void ret(struct x86_code *c)
{
	uint64_t thunk = return_thunk();

	if (thunk)
		code_jump(c, thunk);
	else
		CODE(c, 0xc3);
	CODE(c, 0xcc);
}

/*
 * Whether a reschedule that is due at a hit's end is done there. Where the kernel's way of preemption is
 * chosen at boot the symbol is a patched jump, marked by an ud1 behind it, and leads nowhere if the
 * choice is not to preempt; then a reschedule can be due for long, and looking would be in vain.
 */
static inline bool kernel_preempts(void)
{
	const uint8_t *at = (const uint8_t *)kfn_preempt_schedule_notrace;
	uint64_t target;

	if (!khas(preempt_schedule_notrace))
		return false;
	if (memcmp(at + 5, "\x0f\xb9\xcc", 3))
		return true;
	target = jump_target(at);
	return target && target != return_thunk();
}

/* Where preemption is enabled and nothing is due, goes on. */
static inline void preempt_enable(struct x86_code *c, struct exits *due)
{
	preempt_add(c, -1);
	if (kernel_preempts())
		leave_if(c, IF_EQUAL, due);
}

/* --- pieces --------------------------------------------------------------------------------------- */

/* r11 = this CPU's struct engine_cpu; r10 is lost. The engine has allocated them before any code is made. */
static inline void load_engine_cpu(struct x86_code *c)
{
	load_cpu_4(c, R11, kcpu_cpu_number);
	CODE(c, 0x49, 0xc1, 0xe3, 0x06); /* shl $6, %r11 */
	_Static_assert(sizeof(struct engine_cpu) == 1 << 6, "the shift");
	value(c, R10, (uint64_t)engine.cpus);
	CODE(c, 0x4d, 0x01, 0xd3); /* add %r10, %r11 */
}

/* r11 = this CPU's; elsewhere if this is not the code's case any more, or a handler is running. */
static inline void check_quick(struct x86_code *c, const uint64_t *slow_word, struct exits *slow)
{
	load_engine_cpu(c);
	value(c, R10, (uint64_t)slow_word);
	load(c, R10, R10, 0);
	CODE(c, 0x4d, 0x0b); /* or running(%r11), %r10 */
	operand(c, R10, R11, offsetof(struct engine_cpu, running));
	leave_if(c, IF_NOT_EQUAL, slow);
}

static inline void count(struct x86_code *c, const struct kprobe *p)
{
	if (p->counter) {
		load(c, R10, R11, offsetof(struct engine_cpu, counts));
		add_to(c, 1, R10, (int32_t)(p->counter * sizeof(uint64_t)));
		return;
	}
	value(c, R10, (uint64_t)&p->nhit);
	CODE(c, 0xf0, 0x49, 0x83, 0x02, 1); /* lock addq $1, (%r10) */
}

/* r11 = this CPU's: shows the frame at rsp, and counts. */
static inline void enter(struct x86_code *c, const struct spile_site *site, const struct kprobe *p)
{
	value(c, R10, (uint64_t)site);
	store(c, R10, SP, offsetof(struct engine_frame, site));
	load_cpu_4(c, R10, kcpu_preempt_count);
	CODE(c, 0x44, 0x89); /* mov %r10d, level(%rsp) */
	operand(c, R10, SP, offsetof(struct engine_frame, level));
	store(c, SP, R11, offsetof(struct engine_cpu, running));
	count(c, p);
}

/* r11 = this CPU's still, unless it is among `clobbers`. */
static inline void show_nothing(struct x86_code *c, unsigned clobbers)
{
	if (clobbers & 1u << R11)
		load_engine_cpu(c);
	store_value(c, 0, R11, offsetof(struct engine_cpu, running));
}

#endif
