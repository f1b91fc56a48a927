// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a handler's code and all that it calls, to see whether it touches vector or x87 registers,
 * and what it does with rsi, in which it gets its pt_regs: nothing but loading words from it that a
 * light detour has. "Cannot tell": an indirect call, an import that is not resolved yet, too much
 * code.
 */
#include <cpuid.h>
#include <string.h>

#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/regs.h"
#include "engine/host.h"
#include "engine/host/linux-user/handlers.h"
#include "engine/host/linux-user/point.h"

#define STARTS 64      /* places to read from: branch targets and callees */
#define INSNS_MOST 800

struct reading {
	uint64_t starts[STARTS];
	unsigned count, done, insns;
	bool uses_regs;
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

static bool names_rsi(const struct x86_insn *insn)
{
	uint8_t op = insn->opcode;

	if (insn->kind == X86_STRING || insn->index == RSI)
		return true;
	if (insn->map == X86_MAP_1 && !(insn->rex & X86_REX_B) &&
	    (op == 0x56 || op == 0x5e || op == 0x96 || op == 0xb6 || op == 0xbe))
		return true; /* in the opcode's low bits: push, pop, xchg, mov of a constant */
	if (insn->map == X86_MAP_0F && op >= 0xc8 && op <= 0xcf)
		return true; /* bswap */
	if (!insn->has_modrm)
		return false;
	/* The middle may be part of the opcode: then this errs on the safe side. */
	return ((insn->modrm >> 3 & 7) == RSI && !(insn->rex & X86_REX_R)) ||
	       (insn->modrm >= 0xc0 && (insn->modrm & 7) == RSI && !(insn->rex & X86_REX_B));
}

/* mov offset(%rsi), reg: one of the words that a light detour fills. */
static bool loads_light_word(const struct x86_insn *insn)
{
	static const uint8_t words[] = { PT_AX, PT_CX, PT_DX, PT_SI, PT_DI, PT_R8, PT_R9,
					 PT_R10, PT_R11, PT_IP, PT_SP };

	if (insn->map != X86_MAP_1 || insn->opcode != 0x8b)
		return false;
	for (unsigned i = 0; i < sizeof(words); i++)
		if (insn->disp == words[i])
			return true;
	return false;
}

static bool uses_regs(const struct x86_insn *insn)
{
	if (names_rsi(insn))
		return true;
	return insn->base == RSI && !loads_light_word(insn);
}

/* An import: jmp *slot(%rip) or call *slot(%rip), and what the loader has put into the slot. */
static bool follow_import(struct reading *r, const struct x86_insn *insn, uint64_t addr)
{
	uint64_t slot = x86_insn_operand(insn, addr), target;

	return slot && !host_read_user(&target, slot, sizeof(target)) && target &&
	       start_add(r, target);
}

/* Straight on from one start. False: touches, or cannot tell. */
static bool read_path(struct reading *r, uint64_t addr)
{
	uint8_t bytes[X86_INSN_MAX];
	struct x86_insn insn;

	for (;; addr += insn.length) {
		int got = point_read_original(NULL, addr, bytes, sizeof(bytes));

		if (got <= 0 || ++r->insns > INSNS_MOST ||
		    x86_decode(bytes, (size_t)got, &insn) < 0 || !is_plain(&insn))
			return false;
		r->uses_regs |= uses_regs(&insn);
		switch (insn.kind) {
		case X86_JMP:
			return start_add(r, x86_insn_target(&insn, addr));
		case X86_JCC:
		case X86_LOOP:
		case X86_CALL:
			if (!start_add(r, x86_insn_target(&insn, addr)))
				return false;
			break;
		case X86_CALL_INDIRECT:
			if (!follow_import(r, &insn, addr))
				return false;
			break;
		case X86_JMP_INDIRECT:
			return follow_import(r, &insn, addr);
		case X86_RET:
		case X86_UD:
			return true;
		default:
			if (insn.flags & X86_INSN_NO_RETURN)
				return false;
		}
	}
}

unsigned handler_needs(uint64_t address)
{
	struct reading r = { .count = 0 };

	if (!address)
		return 0;
	start_add(&r, address);
	while (r.done < r.count)
		if (!read_path(&r, r.starts[r.done++]))
			return HANDLER_VECTORS | HANDLER_REGS;
	return r.uses_regs ? HANDLER_REGS : 0;
}

/* --- saving ------------------------------------------------------------------------------------ */

#define STATES 0xe7 /* x87, SSE, AVX, AVX-512; not what the system keeps for itself */

bool handlers_vector_area(uint64_t *ret_mask, uint32_t *ret_bytes)
{
	static uint32_t bytes;
	static uint64_t mask;
	unsigned a, b, c, d;

	if (!bytes) {
		uint32_t lo, hi;
		uint32_t end = 512 + 64;

		if (!__get_cpuid_count(1, 0, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
		    !__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & 2))
			return false;
		__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
		mask = (lo | (uint64_t)hi << 32) & STATES;
		for (unsigned i = 2; i < 8; i++) { /* compacted: one behind the other */
			if (!(mask & 1ull << i))
				continue;
			__cpuid_count(13, i, a, b, c, d);
			end = (c & 2 ? (end + 63) & ~63u : end) + a;
		}
		bytes = (end + 63) & ~63u;
	}
	*ret_mask = mask;
	*ret_bytes = bytes;
	return true;
}

void handlers_call_saved(void (*fn)(void *arg), void *arg)
{
	uint64_t mask = 0;
	uint32_t bytes = 512;
	bool can = handlers_vector_area(&mask, &bytes);
	char *area = __builtin_alloca_with_align(bytes + 64, 64 * 8);

	area = (char *)(((uintptr_t)area + 63) & ~(uintptr_t)63);
	if (!can) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
		fn(arg);
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
		return;
	}
	for (int i = 0; i < 8; i++) /* the header; the processor wants zeros in what it does not write */
		((volatile uint64_t *)(area + 512))[i] = 0;
	__asm__ volatile("xsavec64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"(0) : "memory");
	fn(arg);
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"(0) : "memory");
}
