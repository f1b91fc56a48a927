// SPDX-License-Identifier: GPL-2.0-only
/*
 * The safety checks before a jump replaces a breakpoint.
 *
 *     <f>:   55           push %rbp          probed here: the region is the first three,
 *            48 89 e5     mov %rsp,%rbp      6 bytes, of which the jump takes 5
 *            53           push %rbx
 *       .--> 31 db        xor %ebx,%ebx
 *       |    ...
 *       '--- 75 f0        jne                a jump to the xor is fine, to the push %rbx is not
 *
 * Step 1 walks from the function's start to the address: it must be the start of an instruction.
 * Step 2 collects the region and looks at each of its instructions: can it be copied, and can
 *        nothing come back behind it but its successor (calls, system calls: also a thread that is
 *        blocked in one has its address behind it)?
 * Step 3 reads the whole function, and the parts of it that stand elsewhere, for ways into the
 *        region: direct branches, and addresses in it that are taken (lea, constants: computed jumps,
 *        code that reads itself). An indirect jump could be a switch, whose table is not text, so its
 *        targets are unknown.
 * Step 4 asks for what stands in tables only: exceptions, patch sites, other probes.
 *
 * The parts elsewhere matter: gcc moves unlikely code to f.cold, which is a function of its own to
 * symbol tables and jumps back into the middle of f.
 */
#include "engine/arch/x86/optimize.h"
#include "engine/host.h"

#define PARTS_MAX 8
#define WINDOW 256

struct range {
	uint64_t start, end;
};

/* The function's text, a window of it at a time. */
struct scan {
	const struct x86_optimize *o;
	struct x86_region *region;
	struct range parts[PARTS_MAX]; /* the first is the function itself */
	unsigned part_count;
	uint64_t window_start;
	unsigned window_size;
	uint8_t window[WINDOW];
};

static bool is_inside(const struct range *r, uint64_t address)
{
	return address >= r->start && address < r->end;
}

/* --- reading --- */

/* The bytes at `address`, at most up to `end`. */
static const uint8_t *text_at(struct scan *s, uint64_t address, uint64_t end, size_t *ret_size)
{
	uint64_t offset = address - s->window_start, left = end - address;
	int n;

	if (offset >= s->window_size ||
	    (s->window_size - offset < X86_INSN_MAX && s->window_size - offset < left)) {
		n = s->o->read(s->o->context, address, s->window,
			       left < WINDOW ? (size_t)left : WINDOW);
		if (n <= 0)
			return NULL;
		s->window_start = address;
		s->window_size = n;
		offset = 0;
	}
	*ret_size = s->window_size - offset;
	return s->window + offset;
}

static enum x86_verdict insn_at(struct scan *s, uint64_t address, uint64_t end,
				struct x86_insn *ret, const uint8_t **ret_bytes)
{
	size_t size;

	*ret_bytes = text_at(s, address, end, &size);
	if (!*ret_bytes)
		return X86_JUMP_UNREADABLE;
	return x86_decode(*ret_bytes, size, ret) < 0 ? X86_JUMP_UNDECODABLE : X86_JUMP_OK;
}

/* --- 1. boundary --- */

static enum x86_verdict check_boundary(struct scan *s)
{
	const struct x86_optimize *o = s->o;
	enum x86_verdict verdict;
	struct x86_insn insn;
	const uint8_t *bytes;
	uint64_t at;

	if (o->address < o->start || o->address >= o->end)
		return X86_JUMP_NOT_BOUNDARY;
	for (at = o->start; at < o->address; at += insn.length) {
		verdict = insn_at(s, at, o->end, &insn, &bytes);
		if (verdict)
			return verdict;
	}
	return at == o->address ? X86_JUMP_OK : X86_JUMP_NOT_BOUNDARY;
}

/* --- 2. region --- */

/* The kernel is entered or left, or the next instruction must follow at once. */
static enum x86_verdict check_kind(const struct x86_insn *insn, bool is_last)
{
	switch (insn->kind) {
	case X86_CALL:
	case X86_CALL_INDIRECT:
		return is_last ? X86_JUMP_OK : X86_JUMP_RETURNS_INSIDE;
	case X86_SYSCALL:
	case X86_SYSENTER:
	case X86_INT:
	case X86_HLT:
		return X86_JUMP_RETURNS_INSIDE;
	case X86_STI:
	case X86_IRET:
	case X86_SYSRET:
	case X86_SYSEXIT:
	case X86_JMP_FAR:
	case X86_RET_FAR:
		return X86_JUMP_NOT_COPYABLE;
	default:
		return X86_JUMP_OK;
	}
}

static enum x86_verdict check_copy(const struct x86_insn *insn, const uint8_t *bytes,
				   uint64_t address, bool is_last)
{
	uint8_t copy[X86_RELOCATED_MAX];

	if (x86_relocate(insn, bytes, address, address, copy, sizeof(copy)) < 0)
		return X86_JUMP_NOT_COPYABLE;
	return check_kind(insn, is_last);
}

static enum x86_verdict collect_region(struct scan *s)
{
	const struct x86_optimize *o = s->o;
	struct x86_region *region = s->region;
	enum x86_verdict verdict;
	struct x86_insn insn;
	const uint8_t *bytes;

	*region = (struct x86_region){ .from = o->address };
	while (region->length < X86_JUMP_BYTES) {
		uint64_t at = o->address + region->length;

		if (at >= o->end)
			return X86_JUMP_END;
		verdict = insn_at(s, at, o->end, &insn, &bytes);
		if (verdict)
			return verdict;
		verdict = check_copy(&insn, bytes, at,
				     region->length + insn.length >= X86_JUMP_BYTES);
		if (verdict)
			return verdict;
		if (o->keep_endbr && !region->insns && insn.kind == X86_ENDBR)
			return X86_JUMP_ENDBR;
		memcpy(region->bytes + region->length, bytes, insn.length);
		region->length += insn.length;
		region->insns++;
	}
	return X86_JUMP_OK;
}

/* --- 3. ways in --- */

/* Arriving at the first byte is what a probe is for. */
static bool is_in_region(const struct scan *s, uint64_t address)
{
	return address > s->region->from && address < s->region->from + s->region->length;
}

static bool is_indirect(const struct x86_insn *insn)
{
	return insn->kind == X86_JMP_INDIRECT || insn->kind == X86_JMP_FAR ||
	       insn->kind == X86_RET_FAR || insn->kind == X86_IRET;
}

/* A pointer at a fixed place is an imported function's or a variable's, not a table's. */
static bool is_harmless(const struct scan *s, const struct x86_insn *insn, uint64_t address)
{
	if (insn->kind == X86_JMP_INDIRECT && insn->flags & X86_INSN_RIP_RELATIVE)
		return true;
	return s->o->is_harmless && s->o->is_harmless(s->o->context, insn, address);
}

static bool names_region(const struct scan *s, const struct x86_insn *insn, uint64_t address)
{
	if (is_in_region(s, x86_insn_target(insn, address)))
		return true;
	if (is_in_region(s, x86_insn_operand(insn, address)))
		return true;
	return insn->imm_size >= 4 && is_in_region(s, (uint64_t)insn->imm);
}

/* A jump that leaves the function: to a piece of it, to a thunk, or for good. */
static enum x86_verdict follow(struct scan *s, uint64_t target)
{
	const struct x86_optimize *o = s->o;
	struct range part;
	unsigned i;

	for (i = 0; i < s->part_count; i++)
		if (is_inside(&s->parts[i], target))
			return X86_JUMP_OK;
	if (o->is_thunk && o->is_thunk(o->context, target))
		return X86_JUMP_INDIRECT;
	if (!o->is_part || !o->is_part(o->context, target, &part.start, &part.end))
		return X86_JUMP_OK;
	if (s->part_count == PARTS_MAX)
		return X86_JUMP_INDIRECT;
	s->parts[s->part_count++] = part;
	return X86_JUMP_OK;
}

static enum x86_verdict check_insn(struct scan *s, const struct x86_insn *insn, uint64_t address)
{
	if (names_region(s, insn, address))
		return X86_JUMP_TARGET_INSIDE;
	if (is_indirect(insn) && !is_harmless(s, insn, address))
		return X86_JUMP_INDIRECT;
	if (insn->kind == X86_JMP || insn->kind == X86_JCC)
		return follow(s, x86_insn_target(insn, address));
	return X86_JUMP_OK;
}

static enum x86_verdict check_part(struct scan *s, const struct range *part)
{
	enum x86_verdict verdict;
	struct x86_insn insn;
	const uint8_t *bytes;
	uint64_t at;

	for (at = part->start; at < part->end; at += insn.length) {
		verdict = insn_at(s, at, part->end, &insn, &bytes);
		if (!verdict)
			verdict = check_insn(s, &insn, at);
		if (verdict)
			return verdict;
	}
	return X86_JUMP_OK;
}

static enum x86_verdict check_ways_in(struct scan *s)
{
	enum x86_verdict verdict = X86_JUMP_OK;
	unsigned i;

	s->parts[0] = (struct range){ s->o->start, s->o->end };
	s->part_count = 1;
	for (i = 0; i < s->part_count && !verdict; i++) {
		struct range part = s->parts[i];

		verdict = check_part(s, &part);
	}
	return verdict;
}

/* --- 4. tables --- */

static enum x86_verdict check_tables(const struct scan *s)
{
	const struct x86_optimize *o = s->o;
	uint64_t start = s->region->from, end = start + s->region->length;

	if (o->has_fixup && o->has_fixup(o->context, start, end))
		return X86_JUMP_FIXUP;
	if (o->is_occupied && o->is_occupied(o->context, start + 1, end))
		return X86_JUMP_OCCUPIED;
	return X86_JUMP_OK;
}

/* task */
enum x86_verdict x86_optimize_check(const struct x86_optimize *o, struct x86_region *ret)
{
	struct x86_region region;
	struct scan s = { .o = o, .region = &region };
	enum x86_verdict verdict = check_boundary(&s);

	if (!verdict)
		verdict = collect_region(&s);
	if (!verdict)
		verdict = check_tables(&s);
	if (!verdict)
		verdict = check_ways_in(&s);
	if (!verdict)
		*ret = region;
	return verdict;
}

/* any */
const char *x86_verdict_text(enum x86_verdict verdict)
{
	static const char *const text[] = {
		[X86_JUMP_OK] = "optimizable",
		[X86_JUMP_NOT_BOUNDARY] = "inside an instruction",
		[X86_JUMP_UNREADABLE] = "text not readable",
		[X86_JUMP_UNDECODABLE] = "unknown instruction in the function",
		[X86_JUMP_END] = "too near to the function's end",
		[X86_JUMP_NOT_COPYABLE] = "instruction cannot run elsewhere",
		[X86_JUMP_RETURNS_INSIDE] = "call in the region returns into it",
		[X86_JUMP_TARGET_INSIDE] = "the function jumps into the region",
		[X86_JUMP_INDIRECT] = "the function has an indirect jump",
		[X86_JUMP_FIXUP] = "an exception can continue in the region",
		[X86_JUMP_OCCUPIED] = "another probe or patch site in the region",
		[X86_JUMP_ENDBR] = "endbr must stay",
	};

	return verdict < sizeof(text) / sizeof(text[0]) ? text[verdict] : "?";
}
