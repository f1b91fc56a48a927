// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of instructions that run elsewhere; relocate.h has the table of what becomes of what.
 *
 * The interesting one is call. A copied call would push the address behind the copy, which lies in
 * a slot or detour: stack walks would find no function there, exceptions could not pass, and the
 * memory could not be given back before the callee returns. So a copy pushes the original return
 * address and jumps:
 *
 *     68 xx xx xx xx             push $low          sign-extended to 64 bits
 *     c7 44 24 04 xx xx xx xx    movl $high, 4(%rsp)   unless the extension was right already
 *     e9 xx xx xx xx             jmp target
 *
 * The callee returns to the original text by itself. (It pays for that with one misprediction by
 * the processor's return predictor; under a hardware shadow stack it would not work at all.) Kernel
 * addresses are negative 32-bit numbers, so there the push alone does it.
 */
#include "engine/arch/x86/relocate.h"
#include "engine/arch/x86/code.h"

#define REG_SP 4

static void push_constant(struct x86_code *c, uint64_t value)
{
	CODE(c, 0x68);
	code_u32(c, (uint32_t)value);
	if ((int64_t)value == (int32_t)value)
		return;
	CODE(c, 0xc7, 0x44, 0x24, 0x04);
	code_u32(c, value >> 32);
}

/* The bytes with the displacement of a rip-relative operand set to what it named before. */
static void copy_displaced(struct x86_code *c, const struct x86_insn *insn, const uint8_t *bytes,
			   uint64_t operand)
{
	int64_t disp = (int64_t)(operand - (code_here(c) + insn->length));
	uint32_t disp32 = (uint32_t)disp;
	unsigned behind = insn->disp_offset + 4;

	if (disp != (int32_t)disp && !c->err)
		c->err = -ERANGE;
	code_bytes(c, bytes, insn->disp_offset);
	code_u32(c, disp32);
	code_bytes(c, bytes + behind, insn->length - behind);
}

static void copy_bytes(struct x86_code *c, const struct x86_insn *insn, const uint8_t *bytes,
		       uint64_t from)
{
	if (insn->flags & X86_INSN_RIP_RELATIVE)
		copy_displaced(c, insn, bytes, x86_insn_operand(insn, from));
	else
		code_bytes(c, bytes, insn->length);
}

static void copy_jcc(struct x86_code *c, const struct x86_insn *insn, uint64_t target)
{
	CODE(c, 0x0f, 0x80 | (insn->opcode & 0x0f));
	code_rel32(c, target);
}

/* The counter is checked by the original's bytes (prefixes may choose ecx), with a new distance:
 *     loop 1f;  jmp short 2f;  1: jmp target;  2:
 */
static void copy_loop(struct x86_code *c, const struct x86_insn *insn, const uint8_t *bytes,
		      uint64_t target)
{
	code_bytes(c, bytes, insn->length - 1);
	CODE(c, 2, 0xeb, X86_JUMP_BYTES);
	code_jump(c, target);
}

static bool operand_uses_sp(const struct x86_insn *insn)
{
	if (insn->modrm >> 6 == 3)
		return (insn->modrm & 7) == REG_SP && !(insn->rex & X86_REX_B);
	return insn->base == REG_SP;
}

/* push $next; jmp *operand. The two instructions differ in ModRM.reg: ff /2 and ff /4. */
static void copy_call_indirect(struct x86_code *c, const struct x86_insn *insn,
			       const uint8_t *bytes, uint64_t from)
{
	uint8_t jump[X86_INSN_MAX];

	if (operand_uses_sp(insn)) {
		c->err = -EOPNOTSUPP;
		return;
	}
	memcpy(jump, bytes, insn->length);
	jump[insn->modrm_offset] = (insn->modrm & ~0x38) | 4 << 3;
	push_constant(c, from + insn->length);
	copy_bytes(c, insn, jump, from);
}

int x86_relocate(const struct x86_insn *insn, const uint8_t *bytes, uint64_t from, uint64_t to,
		 uint8_t *out, size_t room)
{
	struct x86_code c = { .out = out, .room = room, .at = to };
	uint64_t target = x86_insn_target(insn, from);

	if (insn->copy == X86_COPY_CANNOT)
		return -EOPNOTSUPP;
	switch (insn->kind) {
	case X86_JMP:
		code_jump(&c, target);
		break;
	case X86_JCC:
		copy_jcc(&c, insn, target);
		break;
	case X86_LOOP:
		copy_loop(&c, insn, bytes, target);
		break;
	case X86_CALL:
		push_constant(&c, from + insn->length);
		code_jump(&c, target);
		break;
	case X86_CALL_INDIRECT:
		copy_call_indirect(&c, insn, bytes, from);
		break;
	default:
		copy_bytes(&c, insn, bytes, from);
	}
	return c.err ? c.err : (int)c.size;
}

int x86_jump_encode(uint64_t at, uint64_t target, uint8_t out[X86_JUMP_BYTES])
{
	struct x86_code c = { .out = out, .room = X86_JUMP_BYTES, .at = at };

	code_jump(&c, target);
	return c.err;
}
