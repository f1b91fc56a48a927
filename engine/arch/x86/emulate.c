// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions done on saved registers. A failure must leave nothing half done. So each emulate_*() does
 * its one access to memory before it changes a register, with the exception of ip and sp, which it changes
 * in words of their own. (A copy of all registers would cost more than the rest of a hit.)
 */
#include "engine/arch/x86/emulate.h"
#include "engine/host.h"

enum { REG_AX, REG_CX, REG_DX, REG_BX, REG_SP, REG_BP, REG_SI, REG_DI };

#define FLAG_CF (1u << 0)
#define FLAG_PF (1u << 2)
#define FLAG_ZF (1u << 6)
#define FLAG_SF (1u << 7)
#define FLAG_IF (1u << 9)
#define FLAG_OF (1u << 11)
#define FLAG_RF (1u << 16)
#define FLAG_VM (1u << 17)
/* What popf changes for the kernel: CF PF AF ZF SF TF IF DF OF IOPL NT AC ID; it clears RF. */
#define FLAGS_POPPED 0x247fd5u

struct emulation {
	const struct x86_insn *insn;
	const struct x86_memory *memory;
	uint64_t address;
	struct pt_regs *regs; /* ip and sp: as they were */
	uint64_t ip, sp;      /* as they will be */
};

/* --- registers, memory --- */

static uint64_t *reg_of(struct pt_regs *regs, unsigned number)
{
	static const uint8_t offset[16] = { PT_AX, PT_CX, PT_DX,  PT_BX,  PT_SP,  PT_BP,
					    PT_SI, PT_DI, PT_R8,  PT_R9,  PT_R10, PT_R11,
					    PT_R12, PT_R13, PT_R14, PT_R15 };

	return (uint64_t *)((char *)regs + offset[number & 15]);
}

static int load(const struct emulation *e, uint64_t address, uint64_t *ret)
{
	if (e->memory && e->memory->read)
		return e->memory->read(e->memory->context, address, ret, sizeof(*ret));
	memcpy(ret, (const void *)(uintptr_t)address, sizeof(*ret));
	return 0;
}

static int store(const struct emulation *e, uint64_t address, uint64_t value)
{
	if (e->memory && e->memory->write)
		return e->memory->write(e->memory->context, address, &value, sizeof(value));
	memcpy((void *)(uintptr_t)address, &value, sizeof(value));
	return 0;
}

static int push(struct emulation *e, uint64_t value)
{
	e->sp -= 8;
	return store(e, e->sp, value);
}

static int pop(struct emulation *e, uint64_t *ret)
{
	int err = load(e, e->sp, ret);

	e->sp += 8;
	return err;
}

/* The address that ModRM names, without segment. */
static uint64_t operand_offset(struct emulation *e)
{
	const struct x86_insn *insn = e->insn;
	uint64_t offset = (int64_t)insn->disp;

	if (insn->base == X86_RIP)
		offset += e->address + insn->length;
	else if (insn->base != X86_NO_REGISTER)
		offset += *reg_of(e->regs, insn->base);
	if (insn->index != X86_NO_REGISTER)
		offset += *reg_of(e->regs, insn->index) << (insn->sib >> 6);
	return insn->prefixes & X86_PREFIX_ADDR32 ? (uint32_t)offset : offset;
}

static int segment_base(const struct emulation *e, uint64_t *ret)
{
	enum x86_prefix segment = e->insn->prefixes & (X86_PREFIX_FS | X86_PREFIX_GS);

	*ret = 0;
	if (!segment)
		return 0;
	if (!e->memory || !e->memory->segment_base)
		return -EOPNOTSUPP;
	*ret = e->memory->segment_base(e->memory->context, segment);
	return 0;
}

/* The 64-bit operand that ModRM names, register or memory. */
static int load_operand(struct emulation *e, uint64_t *ret)
{
	const struct x86_insn *insn = e->insn;
	uint64_t base;
	int err;

	if (insn->modrm >> 6 == 3) {
		*ret = *reg_of(e->regs, (insn->modrm & 7) | (insn->rex & X86_REX_B ? 8 : 0));
		return 0;
	}
	err = segment_base(e, &base);
	return err ? err : load(e, base + operand_offset(e), ret);
}

/* --- branches --- */

/* Conditions come in pairs: the odd one of each is the negation. */
static bool condition_holds(unsigned code, uint64_t flags)
{
	bool sign = flags & FLAG_SF, overflow = flags & FLAG_OF, holds = false;

	switch (code >> 1) {
	case 0:
		holds = overflow;
		break;
	case 1:
		holds = flags & FLAG_CF;
		break;
	case 2:
		holds = flags & FLAG_ZF;
		break;
	case 3:
		holds = flags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		holds = sign;
		break;
	case 5:
		holds = flags & FLAG_PF;
		break;
	case 6:
		holds = sign != overflow;
		break;
	case 7:
		holds = flags & FLAG_ZF || sign != overflow;
		break;
	}
	return holds != (code & 1);
}

/* e0 loopne, e1 loope, e2 loop count rcx down; e3 jrcxz looks at it. With 67 it is ecx. */
static bool loop_branches(struct emulation *e)
{
	bool narrow = e->insn->prefixes & X86_PREFIX_ADDR32, zero = e->regs->flags & FLAG_ZF;
	uint64_t count = narrow ? (uint32_t)e->regs->cx : e->regs->cx;

	if (e->insn->opcode == 0xe3)
		return count == 0;
	count = narrow ? (uint32_t)(count - 1) : count - 1;
	e->regs->cx = count;
	if (e->insn->opcode == 0xe0 && zero)
		return false;
	if (e->insn->opcode == 0xe1 && !zero)
		return false;
	return count != 0;
}

static bool branches(struct emulation *e)
{
	if (e->insn->kind == X86_JCC)
		return condition_holds(e->insn->opcode & 0x0f, e->regs->flags);
	return e->insn->kind != X86_LOOP || loop_branches(e);
}

/* e->ip is behind the instruction when these run. */
static int emulate_branch(struct emulation *e)
{
	if (branches(e))
		e->ip = x86_insn_target(e->insn, e->address);
	return 0;
}

static int emulate_call(struct emulation *e)
{
	uint64_t back = e->ip;

	e->ip = x86_insn_target(e->insn, e->address);
	return push(e, back);
}

static int emulate_indirect(struct emulation *e)
{
	uint64_t target, back = e->ip;
	int err = load_operand(e, &target);

	if (err)
		return err;
	e->ip = target;
	return e->insn->kind == X86_CALL_INDIRECT ? push(e, back) : 0;
}

static int emulate_ret(struct emulation *e)
{
	int err = pop(e, &e->ip);

	if (e->insn->imm_size)
		e->sp += (uint16_t)e->insn->imm;
	return err;
}

/* --- stack, flags, lea --- */

static unsigned opcode_register(const struct x86_insn *insn)
{
	return (insn->opcode & 7) | (insn->rex & X86_REX_B ? 8 : 0);
}

static int emulate_push(struct emulation *e)
{
	if (e->insn->imm_size)
		return push(e, (uint64_t)e->insn->imm);
	return push(e, *reg_of(e->regs, opcode_register(e->insn)));
}

/* pop %rsp: the value read wins over the increment. */
static int emulate_pop(struct emulation *e)
{
	unsigned reg = opcode_register(e->insn);
	uint64_t value;
	int err = pop(e, &value);

	if (err)
		return err;
	if (reg == REG_SP)
		e->sp = value;
	else
		*reg_of(e->regs, reg) = value;
	return 0;
}

static int emulate_pushf(struct emulation *e)
{
	return push(e, e->regs->flags & ~(uint64_t)(FLAG_RF | FLAG_VM));
}

static int emulate_popf(struct emulation *e)
{
	uint64_t value, kept = e->regs->flags & ~(uint64_t)(FLAGS_POPPED | FLAG_RF);
	int err = pop(e, &value);

	if (!err)
		e->regs->flags = kept | (value & FLAGS_POPPED);
	return err;
}

static int emulate_cli(struct emulation *e)
{
	e->regs->flags &= ~(uint64_t)FLAG_IF;
	return 0;
}

static int emulate_lea(struct emulation *e)
{
	uint64_t value = operand_offset(e);
	unsigned reg = (e->insn->modrm >> 3 & 7) | (e->insn->rex & X86_REX_R ? 8 : 0);
	uint64_t *dst = reg == REG_SP ? &e->sp : reg_of(e->regs, reg);

	if (e->insn->rex & X86_REX_W)
		*dst = value;
	else if (e->insn->prefixes & X86_PREFIX_DATA16)
		*dst = (*dst & ~0xffffull) | (uint16_t)value;
	else
		*dst = (uint32_t)value;
	return 0;
}

/* --- which --- */

/* Not function pointers: calls by them are dear where branches are guarded. */
enum emulation_kind {
	NONE,
	NOTHING,
	BRANCH,
	CALL,
	INDIRECT,
	RETURN,
	PUSH,
	POP,
	PUSHF,
	POPF,
	CLI,
	LEA,
};

/* Pushes and pops of 64 bits of a general register or a constant; not of memory or segments. */
static bool is_plain_stack(const struct x86_insn *insn)
{
	return insn->map == X86_MAP_1 && !insn->has_modrm &&
	       !(insn->prefixes & X86_PREFIX_DATA16);
}

static enum emulation_kind find_stack_or_flags(const struct x86_insn *insn, enum x86_home home)
{
	if (insn->prefixes & X86_PREFIX_DATA16)
		return NONE;
	switch (insn->kind) {
	case X86_PUSH:
		return is_plain_stack(insn) ? PUSH : NONE;
	case X86_POP:
		return is_plain_stack(insn) ? POP : NONE;
	case X86_PUSHF:
		return home == X86_KERNEL ? PUSHF : NONE;
	case X86_POPF:
		return home == X86_KERNEL ? POPF : NONE;
	case X86_CLI:
		return home == X86_KERNEL ? CLI : NONE;
	default:
		return NONE;
	}
}

static enum emulation_kind find(const struct x86_insn *insn, enum x86_home home)
{
	if (insn->copy == X86_COPY_CANNOT)
		return NONE;
	switch (insn->kind) {
	case X86_JMP:
	case X86_JCC:
	case X86_LOOP:
		return BRANCH;
	case X86_CALL:
		return CALL;
	case X86_JMP_INDIRECT:
	case X86_CALL_INDIRECT:
		return INDIRECT;
	case X86_RET:
		return RETURN;
	case X86_LEA:
		return LEA;
	case X86_NOP:
	case X86_ENDBR:
		return NOTHING;
	default:
		return find_stack_or_flags(insn, home);
	}
}

static int emulate(struct emulation *e, enum emulation_kind kind)
{
	switch (kind) {
	case NOTHING:
		return 0;
	case BRANCH:
		return emulate_branch(e);
	case CALL:
		return emulate_call(e);
	case INDIRECT:
		return emulate_indirect(e);
	case RETURN:
		return emulate_ret(e);
	case PUSH:
		return emulate_push(e);
	case POP:
		return emulate_pop(e);
	case PUSHF:
		return emulate_pushf(e);
	case POPF:
		return emulate_popf(e);
	case CLI:
		return emulate_cli(e);
	case LEA:
		return emulate_lea(e);
	default:
		return -EOPNOTSUPP;
	}
}

/* any */
bool x86_can_emulate(const struct x86_insn *insn, enum x86_home home)
{
	return find(insn, home) != NONE;
}

/* Does all that any home has emulated; whether it should be is x86_can_emulate()'s to say. any */
int x86_emulate(const struct x86_insn *insn, uint64_t address, struct pt_regs *regs,
		const struct x86_memory *memory)
{
	struct emulation e = { insn, memory, address, regs, address + insn->length, regs->sp };
	int err = emulate(&e, find(insn, X86_KERNEL));

	if (err)
		return err;
	regs->ip = e.ip;
	regs->sp = e.sp;
	return 0;
}
