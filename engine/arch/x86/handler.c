// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading handlers; see handler.h. Every place that control can get to is a start, from which code
 * is read until it goes elsewhere for good. What a register holds is not followed: rsi is taken for
 * the pt_regs all the time, and whatever else is done with it counts as a use, of rdi everything. Task
 * context.
 */
#include "engine/arch/x86/handler.h"
#include "engine/arch/x86/regs.h"

#define STARTS 64      /* places to read from: branch targets and callees */
#define INSNS_MOST 800

struct reading {
	const struct x86_handler_reader *with;
	uint64_t starts[STARTS];
	unsigned count, done, insns;
	struct x86_handler found;
};

/* False: no room, so nothing can be said. */
static bool start_add(struct reading *r, uint64_t addr)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->starts[i] == addr)
			return true;
	if (r->count == STARTS)
		return false;
	r->starts[r->count++] = addr;
	return true;
}

/* The rows of the 0f map that have general registers only; the others are MMX, SSE and states. */
static bool plain_0f(const struct x86_insn *insn)
{
	uint8_t op = insn->opcode;

	if (op == 0xae) /* fences; with a memory operand it saves and loads states */
		return insn->modrm >= 0xc0;
	return op <= 0x0b || (op >= 0x18 && op <= 0x27) || (op >= 0x30 && op <= 0x4f) ||
	       (op >= 0x80 && op <= 0xc1) || op == 0xc3 || (op >= 0xc7 && op <= 0xcf);
}

static bool is_plain(const struct x86_insn *insn)
{
	if (insn->encoding != X86_LEGACY)
		return false;
	switch (insn->map) {
	case X86_MAP_1:
		return !(insn->opcode >= 0xd8 && insn->opcode <= 0xdf) && insn->opcode != 0x9b;
	case X86_MAP_0F:
		return plain_0f(insn);
	case X86_MAP_0F38:
		return insn->opcode >= 0xf0 && insn->opcode <= 0xf6;
	default:
		return false;
	}
}

/* --- pt_regs ----------------------------------------------------------------------------------- */

#define RSI 6
#define RDI 7

/* Whether it names one of the two, but as the base of a memory operand. */
static bool names(const struct x86_insn *insn, unsigned reg)
{
	uint8_t op = insn->opcode;

	if (insn->kind == X86_STRING || insn->index == reg)
		return true;
	if (insn->map == X86_MAP_1 && !(insn->rex & X86_REX_B) && (op & 7) == reg &&
	    ((op >= 0x50 && op <= 0x5f) || (op >= 0x90 && op <= 0x97) || (op >= 0xb0 && op <= 0xbf)))
		return true; /* in the opcode's low bits: push, pop, xchg, mov of a constant */
	if (insn->map == X86_MAP_0F && op >= 0xc8 && op <= 0xcf)
		return true; /* bswap */
	if (!insn->has_modrm)
		return false;
	/* The middle may be part of the opcode: then this errs on the safe side. */
	return ((insn->modrm >> 3 & 7) == reg && !(insn->rex & X86_REX_R)) ||
	       (insn->modrm >= 0xc0 && (insn->modrm & 7) == reg && !(insn->rex & X86_REX_B));
}

/* mov offset(%rsi), reg */
static bool loads_word(const struct reading *r, const struct x86_insn *insn)
{
	if (insn->map != X86_MAP_1 || insn->opcode != 0x8b)
		return false;
	for (unsigned i = 0; i < r->with->nwords; i++)
		if (insn->disp == r->with->words[i])
			return true;
	return false;
}

static void note_use(struct reading *r, const struct x86_insn *insn)
{
	if (insn->kind == X86_ENDBR) /* its last byte looks like one that names rdi */
		return;
	if (names(insn, RDI) || insn->base == RDI)
		r->found.takes_what = true;
	if (names(insn, RSI))
		r->found.needs |= X86_HANDLER_REGS;
	else if (insn->base == RSI && loads_word(r, insn))
		r->found.needs |= X86_HANDLER_WORDS;
	else if (insn->base == RSI)
		r->found.needs |= X86_HANDLER_REGS;
}

/* --- what it changes ---------------------------------------------------------------------------- */

#define RAX 0
#define RDX 2

static void clobber(struct reading *r, const struct x86_insn *insn, unsigned reg, bool extended)
{
	r->found.clobbers |= 1u << (reg | (extended ? 8 : 0));
	if (!insn->rex && reg >= 4) /* of bytes these are ah, ch, dh, bh */
		r->found.clobbers |= 1u << (reg & 3);
}

/* Registers that modrm names, whether read or written; where it names none, one too many. */
static void clobber_modrm(struct reading *r, const struct x86_insn *insn)
{
	clobber(r, insn, insn->modrm >> 3 & 7, insn->rex & X86_REX_R);
	if (insn->modrm >= 0xc0)
		clobber(r, insn, insn->modrm & 7, insn->rex & X86_REX_B);
}

/* False: changes registers that are not looked for here. */
static bool clobbers_of_map_1(struct reading *r, const struct x86_insn *insn)
{
	uint8_t op = insn->opcode;

	if (op < 0x40) { /* arithmetic */
		if ((op & 7) >= 6)
			return false;
		if ((op & 7) >= 4)
			clobber(r, insn, RAX, false);
		else
			clobber_modrm(r, insn);
		return true;
	}
	if ((op >= 0x50 && op <= 0x5f) || (op >= 0xb0 && op <= 0xbf)) { /* push, pop; mov of a constant */
		clobber(r, insn, op & 7, insn->rex & X86_REX_B);
		return true;
	}
	if ((op == 0xf6 || op == 0xf7) && (insn->modrm & 0x20)) { /* mul, div */
		clobber(r, insn, RAX, false);
		clobber(r, insn, RDX, false);
	}
	if (op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8b) || op == 0x8d ||
	    op == 0xc0 || op == 0xc1 || op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) ||
	    op == 0xf6 || op == 0xf7 || op == 0xfe || op == 0xff) {
		clobber_modrm(r, insn);
		return true;
	}
	/* Branches, returns, leave, nop, test of rax. */
	return (op >= 0x70 && op <= 0x7f) || op == 0x90 || op == 0xa8 || op == 0xa9 || op == 0xc3 ||
	       op == 0xc9 || op == 0xcc || op == 0xe8 || op == 0xe9 || op == 0xeb;
}

static bool clobbers_of_map_0f(struct reading *r, const struct x86_insn *insn)
{
	uint8_t op = insn->opcode;

	if (op == 0x0b || op == 0x1e || op == 0x1f || (op >= 0x80 && op <= 0x8f))
		return true; /* ud2, landing pads, nops, branches */
	if (!((op >= 0x40 && op <= 0x4f) || (op >= 0x90 && op <= 0x9f) || op == 0xaf ||
	      (op >= 0xb6 && op <= 0xbf) || op == 0xc0 || op == 0xc1))
		return false;
	clobber_modrm(r, insn);
	return true;
}

static void note_clobbers(struct reading *r, const struct x86_insn *insn)
{
	bool known = false;

	if (insn->map == X86_MAP_1)
		known = clobbers_of_map_1(r, insn);
	else if (insn->map == X86_MAP_0F)
		known = clobbers_of_map_0f(r, insn);
	if (!known)
		r->found.clobbers = X86_CLOBBERS_ALL;
}

/* --- paths ------------------------------------------------------------------------------------- */

/* An import: jmp *slot(%rip) or call *slot(%rip), and what the loader has put into the slot. */
static bool follow_import(struct reading *r, const struct x86_insn *insn, uint64_t addr)
{
	uint64_t slot = r->with->import ? x86_insn_operand(insn, addr) : 0;
	uint64_t target = slot ? r->with->import(slot) : 0;

	return target && start_add(r, target);
}

/* Of the lengths that jumps have: the system may make it one. (At a function's start it is a call.) */
static bool may_become_jump(const struct x86_insn *insn)
{
	return insn->kind == X86_NOP && (insn->length == 5 || insn->length == 2);
}

/* Where the system changes code, a jump may be a nop tomorrow. */
static bool follow_jump(struct reading *r, const struct x86_insn *insn, uint64_t addr)
{
	uint64_t target = x86_insn_target(insn, addr);

	if (r->with->return_thunk && target == r->with->return_thunk)
		return true;
	return start_add(r, target) &&
	       (!r->with->changes || start_add(r, addr + insn->length));
}

/* Straight on from one start. False: touches, or cannot tell. */
static bool read_path(struct reading *r, uint64_t addr)
{
	uint8_t bytes[X86_INSN_MAX];
	struct x86_insn insn;
	bool inside = false;

	for (;; addr += insn.length) {
		int got = r->with->read(r->with->context, addr, bytes, sizeof(bytes));

		if (got <= 0 || ++r->insns > INSNS_MOST ||
		    x86_decode(bytes, (size_t)got, &insn) < 0 || !is_plain(&insn))
			return false;
		if (r->with->changes && inside && may_become_jump(&insn))
			return false;
		if (r->with->changes && may_become_jump(&insn)) /* to code that changes what it may */
			r->found.clobbers = X86_CLOBBERS_ALL;
		inside |= insn.kind != X86_ENDBR;
		note_use(r, &insn);
		note_clobbers(r, &insn);
		switch (insn.kind) {
		case X86_JMP:
			return follow_jump(r, &insn, addr);
		case X86_CALL:
			if (r->with->changes)
				return false;
			/* fallthrough */
		case X86_JCC:
		case X86_LOOP:
			if (!start_add(r, x86_insn_target(&insn, addr)))
				return false;
			break;
		case X86_CALL_INDIRECT:
			if (!follow_import(r, &insn, addr))
				return false;
			break;
		case X86_JMP_INDIRECT:
			return follow_import(r, &insn, addr);
		case X86_UD: /* a kernel may go on behind it */
			return !r->with->changes;
		case X86_RET:
		case X86_INT3: /* behind a jump or a return that does not go on */
			return true;
		default:
			if (insn.flags & X86_INSN_NO_RETURN)
				return false;
		}
	}
}

struct x86_handler x86_handler_read(const struct x86_handler_reader *reader, uint64_t address)
{
	struct reading r = { .with = reader };

	if (!address)
		return (struct x86_handler){ 0 };
	r.found.clobbers = 1 << RAX;
	start_add(&r, address);
	while (r.done < r.count)
		if (!read_path(&r, r.starts[r.done++]))
			return (struct x86_handler){
				.needs = X86_HANDLER_VECTORS | X86_HANDLER_REGS | X86_HANDLER_WORDS,
				.clobbers = X86_CLOBBERS_ALL,
				.takes_what = true,
			};
	return r.found;
}
