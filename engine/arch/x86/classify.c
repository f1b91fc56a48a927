// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instruction means for a probe: where control goes, and what a copy of it would do.
 *
 * A probe runs the instruction it displaced at another address, in a slot. For most instructions
 * that makes no difference. It does for those that read the instruction pointer, in three grades:
 *
 *   - a rip-relative operand, a jmp or jcc with 32-bit displacement: a copy is right once the
 *     displacement is corrected                                              X86_COPY_DISPLACE
 *   - a branch with 8 bits, which cannot reach back from the slot; a call, which would leave the
 *     slot's address on the stack for unwinders to find                      X86_COPY_EMULATE
 *   - ud2 and its kin, int3: the kernel looks up what their address means; near branches with an
 *     operand-size prefix, which Intel and AMD processors read differently   X86_COPY_CANNOT
 *
 * After the copy, control must come back. Either the processor steps through the slot, or the slot
 * ends in a jump back (it is boosted). Stepping runs with the trap flag set and interrupts off, and
 * instructions that read or change these flags would notice: X86_INSN_NO_STEP. Boosting is right
 * unless the next instruction must follow at once, as after sti and mov to ss.
 */
#include "engine/arch/x86/opcodes.h"
#include "engine/host.h"

static bool is_memory_operand(const struct x86_insn *insn, const struct opcode_row *row)
{
	return insn->has_modrm && insn->modrm >> 6 != 3 && !(row->flags & ROW_CONTROL);
}

static enum x86_kind refined_kind(const struct x86_insn *insn, enum x86_kind kind)
{
	/* 90 is nop, but with REX.B it exchanges r8, and with f3 it is pause */
	if (kind == X86_NOP && insn->map == X86_MAP_1 &&
	    (insn->rex & X86_REX_B || insn->prefixes & X86_PREFIX_REP))
		return X86_PLAIN;
	return kind;
}

static bool is_relative_branch(enum x86_kind kind)
{
	return kind == X86_JMP || kind == X86_JCC || kind == X86_LOOP || kind == X86_CALL ||
	       kind == X86_XBEGIN;
}

/* Intel ignores 66 in front of near branches, AMD cuts the target to 16 bits. */
static bool is_vendor_branch(const struct x86_insn *insn)
{
	if (!(insn->prefixes & X86_PREFIX_DATA16) || insn->rex & X86_REX_W)
		return false;
	return insn->kind == X86_JMP || insn->kind == X86_JCC || insn->kind == X86_CALL ||
	       insn->kind == X86_LOOP || insn->kind == X86_JMP_INDIRECT ||
	       insn->kind == X86_CALL_INDIRECT || insn->kind == X86_RET;
}

static enum x86_copy_kind copy_kind(const struct x86_insn *insn)
{
	bool relative = insn->flags & X86_INSN_RIP_RELATIVE;

	if (is_vendor_branch(insn) || (relative && insn->prefixes & X86_PREFIX_ADDR32))
		return X86_COPY_CANNOT;
	switch (insn->kind) {
	case X86_INT3:
	case X86_INT1:
	case X86_UD:
	case X86_XBEGIN:
	case X86_CALL_FAR:
	case X86_SYSENTER:
	case X86_LOAD_SS:
		return X86_COPY_CANNOT;
	case X86_CALL:
	case X86_CALL_INDIRECT:
	case X86_LOOP:
		return X86_COPY_EMULATE;
	case X86_JMP:
	case X86_JCC:
		return insn->imm_size == 4 ? X86_COPY_DISPLACE : X86_COPY_EMULATE;
	}
	return relative ? X86_COPY_DISPLACE : X86_COPY_AS_IS;
}

static bool never_continues(enum x86_kind kind)
{
	switch (kind) {
	case X86_JMP:
	case X86_JMP_INDIRECT:
	case X86_JMP_FAR:
	case X86_RET:
	case X86_RET_FAR:
	case X86_IRET:
	case X86_SYSRET:
	case X86_SYSEXIT:
		return true;
	default:
		return false;
	}
}

static bool dislikes_stepping(enum x86_kind kind)
{
	switch (kind) {
	case X86_PUSHF:
	case X86_POPF:
	case X86_CLI:
	case X86_STI:
	case X86_HLT:
	case X86_INT:
	case X86_IRET:
	case X86_SYSCALL:
	case X86_SYSRET:
	case X86_SYSENTER:
	case X86_SYSEXIT:
	case X86_LOAD_SS:
		return true;
	default:
		return false;
	}
}

static bool is_boostable(const struct x86_insn *insn)
{
	if (insn->copy != X86_COPY_AS_IS && insn->copy != X86_COPY_DISPLACE)
		return false;
	return insn->kind != X86_STI && insn->kind != X86_HLT;
}

void x86_classify(struct x86_insn *insn, const struct opcode_row *row)
{
	bool memory = is_memory_operand(insn, row);
	unsigned flags = 0;

	insn->kind = refined_kind(insn, row->kind);
	if ((memory && !(row->flags & ROW_NO_ACCESS)) || row->flags & ROW_IMPLIED)
		flags |= X86_INSN_MEMORY;
	if (row->flags & ROW_FAULTS)
		flags |= X86_INSN_MAY_FAULT;
	if (insn->kind == X86_PLAIN && row->prefixes != PREFIX_SET_ANY)
		flags |= X86_INSN_MAY_FAULT; /* mostly vector instructions: the unit can be off */
	if (insn->base == X86_RIP)
		flags |= X86_INSN_RIP_RELATIVE | X86_INSN_READS_IP;
	if (is_relative_branch(insn->kind) || insn->kind == X86_CALL_INDIRECT ||
	    insn->kind == X86_CALL_FAR || insn->kind == X86_SYSCALL)
		flags |= X86_INSN_READS_IP;
	if (row->flags & ROW_VSIB)
		flags |= X86_INSN_VSIB;
	if (never_continues(insn->kind))
		flags |= X86_INSN_NO_RETURN;
	if (dislikes_stepping(insn->kind))
		flags |= X86_INSN_NO_STEP;
	insn->flags = flags;
	insn->copy = copy_kind(insn);
	if (is_boostable(insn))
		insn->flags |= X86_INSN_BOOSTABLE;
}

uint64_t x86_insn_target(const struct x86_insn *insn, uint64_t address)
{
	if (!is_relative_branch(insn->kind))
		return 0;
	return address + insn->length + (uint64_t)insn->imm;
}

uint64_t x86_insn_operand(const struct x86_insn *insn, uint64_t address)
{
	uint64_t operand = address + insn->length + (int64_t)insn->disp;

	if (!(insn->flags & X86_INSN_RIP_RELATIVE))
		return 0;
	return insn->prefixes & X86_PREFIX_ADDR32 ? (uint32_t)operand : operand;
}
