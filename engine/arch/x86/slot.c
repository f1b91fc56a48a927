// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: slot.h has the layout and the table of which instruction goes which way.
 *
 * Why no trap flag. Stepping over the copy with TF set, as debuggers do, has three costs: pushf and
 * signal frames show the flag, instructions that load flags lose it, and interrupts must be off
 * meanwhile. A breakpoint behind the copy has none of them, for the price that an instruction that
 * jumps does not get there. But those are the ones that are emulated.
 */
#include "engine/arch/x86/slot.h"
#include "engine/arch/x86/code.h"
#include "engine/arch/x86/relocate.h"

#define BREAKPOINT 0xcc

/* Enters the kernel or leaves it, or needs its next instruction at once: control does not simply
 * arrive behind a copy.
 */
static bool is_system(const struct x86_insn *insn)
{
	switch (insn->kind) {
	case X86_JMP_FAR:
	case X86_CALL_FAR:
	case X86_RET_FAR:
	case X86_IRET:
	case X86_SYSCALL:
	case X86_SYSRET:
	case X86_SYSENTER:
	case X86_SYSEXIT:
	case X86_INT:
	case X86_HLT:
	case X86_STI:
		return true;
	default:
		return false;
	}
}

/* In the kernel a copy of these would see or set the flags of the trap's return, not the code's. */
static bool is_flags(const struct x86_insn *insn)
{
	return insn->kind == X86_PUSHF || insn->kind == X86_POPF || insn->kind == X86_CLI;
}

/* any */
int x86_slot_check(const struct x86_insn *insn, enum x86_home home, bool post)
{
	if (x86_can_emulate(insn, home))
		return 0;
	if (insn->copy == X86_COPY_CANNOT)
		return -EINVAL;
	if (home == X86_KERNEL && (is_system(insn) || is_flags(insn)))
		return -EINVAL;
	return post && is_system(insn) ? -EOPNOTSUPP : 0;
}

/* A copy of it does what emulation does, in less time; with a post_handler that would be a second trap. */
static bool is_straight(const struct x86_insn *insn)
{
	return insn->kind == X86_LEA || insn->kind == X86_PUSH || insn->kind == X86_POP ||
	       insn->kind == X86_NOP;
}

/* any */
bool x86_slot_is_needed(const struct x86_insn *insn, enum x86_home home)
{
	if (!x86_can_emulate(insn, home))
		return true;
	if (home == X86_PROCESS)
		return insn->flags & X86_INSN_MEMORY || insn->kind == X86_JMP_INDIRECT;
	if (is_straight(insn))
		return true;
	return insn->prefixes & (X86_PREFIX_FS | X86_PREFIX_GS) &&
	       (insn->kind == X86_JMP_INDIRECT || insn->kind == X86_CALL_INDIRECT);
}

static int build_boosted(struct x86_slot *slot, const uint8_t *bytes, uint8_t *out)
{
	struct x86_code rest;
	int n = x86_relocate(&slot->insn, bytes, slot->from, slot->at, out, X86_RELOCATED_MAX);

	if (n < 0)
		return n == -EOPNOTSUPP && slot->emulate ? 0 : n;
	rest = (struct x86_code){ out + n, X86_SLOT_STEP_OFFSET - n, 0, slot->at + n, 0 };
	code_jump(&rest, slot->from + slot->insn.length);
	slot->copy_size = n;
	return rest.err;
}

/* Branches, which would run past the breakpoint that ends this half, are all emulated. */
static int build_stepped(struct x86_slot *slot, const uint8_t *bytes, uint8_t *out)
{
	int n;

	if (slot->emulate || is_system(&slot->insn))
		return 0;
	n = x86_relocate(&slot->insn, bytes, slot->from, slot->at + X86_SLOT_STEP_OFFSET,
			 out + X86_SLOT_STEP_OFFSET, X86_SLOT_BYTES - X86_SLOT_STEP_OFFSET - 1);
	slot->can_step = n >= 0;
	return n < 0 ? n : 0;
}

/* task */
int x86_slot_build(const struct x86_insn *insn, const uint8_t *bytes, uint64_t from, uint64_t at,
		   enum x86_home home, uint8_t *out, struct x86_slot *ret)
{
	int err = x86_slot_check(insn, home, false);

	if (err)
		return err;
	*ret = (struct x86_slot){ .from = from, .at = at, .insn = *insn };
	ret->emulate = x86_can_emulate(insn, home);
	ret->straight = is_straight(insn);
	if (!at)
		return ret->emulate ? 0 : -EINVAL;
	memset(out, BREAKPOINT, X86_SLOT_BYTES);
	err = build_boosted(ret, bytes, out);
	return err ? err : build_stepped(ret, bytes, out);
}

/* any */
enum x86_slot_next x86_slot_go(const struct x86_slot *slot, struct pt_regs *regs, bool post,
			       const struct x86_memory *memory)
{
	if (!post && x86_slot_boosted(slot)) {
		regs->ip = x86_slot_boosted(slot);
		return X86_SLOT_DONE;
	}
	if (slot->emulate && !x86_emulate(&slot->insn, slot->from, regs, memory))
		return X86_SLOT_POST;
	if (post && slot->can_step) {
		regs->ip = slot->at + X86_SLOT_STEP_OFFSET;
		return X86_SLOT_STEP;
	}
	if (!slot->copy_size)
		return X86_SLOT_FAULT;
	regs->ip = slot->at;
	return X86_SLOT_DONE;
}

/* any */
int x86_slot_original_ip(const struct x86_slot *slot, uint64_t ip, uint64_t *ret)
{
	uint64_t offset = ip - slot->at;
	bool boosted = slot->copy_size && offset < X86_SLOT_STEP_OFFSET;
	unsigned start = boosted ? 0 : X86_SLOT_STEP_OFFSET;
	unsigned size = boosted ? slot->copy_size : slot->insn.length;

	if (!slot->at || offset >= X86_SLOT_BYTES)
		return -ENOENT;
	if (!boosted && !slot->can_step)
		return -EBUSY;
	if (offset != start && offset != start + size)
		return -EBUSY;
	*ret = slot->from + (offset == start ? 0 : slot->insn.length);
	return 0;
}
