// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detours, written byte by byte.
 *
 * The stack while the handler runs, from the probed code's rsp downwards:
 *
 *     sp ->  +---------------------+
 *            | 128 bytes red zone  |  process only: leaf functions keep data below their rsp
 *            | 64 bytes            |  full only: room for the last words of a diversion
 *            | struct pt_regs      |  <- rsi, rbx, and in the kernel rsp
 *            | alignment           |  process only, and not for a handler that is known (clobbers)
 *            | vector registers    |  SSE, XSAVE
 *            +---------------------+  <- rsp, 16-aligned in a process
 *
 * Flags. pushf is cheap, popf is not (it can enable interrupts, so the processor waits for all that
 * went before). So nothing here pops flags. The six status flags are made again by
 *
 *     ah = flags[7:0], al = flags[15:8] & 8       8 is the overflow flag
 *     al += 0x78                                  overflows if it was set: 0x80 is negative
 *     sahf                                        the other five
 *
 * and DF by std, if it was set; the handler is entered with it clear, as C wants it. The light
 * variant does not even push them: lahf and seto %al before, addb $127,%al and sahf after.
 *
 * Diverting is the delicate end. All registers, rsp included, must have their new values when
 * control arrives at regs->ip, so ip has to be in memory; but a process's signal handler may
 * overwrite whatever is more than 128 bytes below rsp at any time. Hence rax, rcx and ip are put
 * below the red zone of the *new* stack and popped from there:
 *
 *     new sp - 152: rax   - 144: rcx   - 136: ip     lea to rsp; pop rax; pop rcx; ret $128
 *
 * Until then they must not lie where the frame has words that are still to be read. That is what
 * the 64 bytes are for, and why sp may go down by 40 at most.
 *
 * Rejected: one shared save routine that every detour calls (saves memory, costs a call and a
 * return of a nanosecond, and a stack trace would show it); xsave without c (writes components that
 * are in their initial state, too).
 */
#include "engine/arch/x86/detour.h"
#include "engine/arch/x86/code.h"
#include "engine/arch/x86/relocate.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R10, R11, R12, R13, R14, R15 };

#define RED_ZONE 128
#define DIVERT_ROOM 64
#define SSE_BYTES 256
#define XSAVE_ALIGN 64
#define XSAVE_HEADER 512
#define XSAVE_LEGACY_BYTES 576 /* the smallest area: x87, SSE, header */

#define USER_CS 0x33
#define USER_SS 0x2b
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18

struct saved {
	uint8_t reg, offset;
};

/* rax comes first and goes last: the code in between computes with it. rbx holds the frame. */
static const struct saved light_saved[] = {
	{ AX, PT_AX }, { BX, PT_BX }, { CX, PT_CX }, { DX, PT_DX },   { SI, PT_SI },
	{ DI, PT_DI }, { R8, PT_R8 }, { R9, PT_R9 }, { R10, PT_R10 }, { R11, PT_R11 },
};

static const struct saved full_saved[] = {
	{ AX, PT_AX },   { BX, PT_BX },   { CX, PT_CX },   { DX, PT_DX },   { SI, PT_SI },
	{ DI, PT_DI },   { R8, PT_R8 },   { R9, PT_R9 },   { R10, PT_R10 }, { R11, PT_R11 },
	{ BP, PT_BP },   { R12, PT_R12 }, { R13, PT_R13 }, { R14, PT_R14 }, { R15, PT_R15 },
};

struct builder {
	struct x86_code code;
	const struct x86_detour_plan *plan;
	const struct saved *saved;
	unsigned saves;
	uint32_t gap; /* from the frame up to the probed code's rsp */
	bool light, process, after;
	bool blind;   /* the handler looks at nothing: ip and sp need not be there */
	bool aligns;  /* rsp to 16, for a process's handler that may need it */
	struct saved few[sizeof(light_saved) / sizeof(light_saved[0])];
};

/* --- instructions --- */

/* What follows an opcode to name register `reg` and disp(%rsp). */
static void operand_frame(struct x86_code *c, unsigned reg, int32_t disp)
{
	if (disp == (int8_t)disp) {
		CODE(c, 0x44 | (reg & 7) << 3, 0x24, (uint8_t)disp);
		return;
	}
	CODE(c, 0x84 | (reg & 7) << 3, 0x24);
	code_u32(c, disp);
}

static void rex_w(struct x86_code *c, unsigned reg)
{
	CODE(c, 0x48 | (reg & 8) >> 1);
}

/* mov %reg, disp(%rsp) */
static void store(struct x86_code *c, unsigned reg, int32_t disp)
{
	rex_w(c, reg);
	CODE(c, 0x89);
	operand_frame(c, reg, disp);
}

/* mov disp(%rsp), %reg */
static void load(struct x86_code *c, unsigned reg, int32_t disp)
{
	rex_w(c, reg);
	CODE(c, 0x8b);
	operand_frame(c, reg, disp);
}

/* lea disp(%rsp), %reg */
static void lea_frame(struct x86_code *c, unsigned reg, int32_t disp)
{
	rex_w(c, reg);
	CODE(c, 0x8d);
	operand_frame(c, reg, disp);
}

/* movq $value, disp(%rsp) */
static void store_constant(struct x86_code *c, int32_t value, int32_t disp)
{
	CODE(c, 0x48, 0xc7);
	operand_frame(c, 0, disp);
	code_u32(c, value);
}

/* mov $value, %reg, of the first eight, in its shortest form */
static void constant(struct x86_code *c, unsigned reg, uint64_t value)
{
	if (value == (uint32_t)value) {
		CODE(c, 0xb8 | reg);
		code_u32(c, value);
	} else if ((int64_t)value == (int32_t)value) {
		CODE(c, 0x48, 0xc7, 0xc0 | reg);
		code_u32(c, value);
	} else {
		CODE(c, 0x48, 0xb8 | reg);
		code_u64(c, value);
	}
}

/* A forward jump's 32-bit distance, to be filled by here(). */
static size_t jnz_later(struct x86_code *c)
{
	CODE(c, 0x0f, 0x85, 0, 0, 0, 0);
	return c->size;
}

static void here(struct x86_code *c, size_t jump_end)
{
	uint32_t distance = c->size - jump_end;

	if (!c->err)
		memcpy(c->out + jump_end - 4, &distance, sizeof(distance));
}

/* --- save --- */

/* rax is free from here on. */
static void save_general(struct builder *b)
{
	struct x86_code *c = &b->code;
	unsigned i;

	lea_frame(c, SP, -(int32_t)b->gap);
	for (i = 0; i < b->saves; i++)
		store(c, b->saved[i].reg, b->saved[i].offset);
}

/* No flag has changed so far. */
static void save_flags(struct builder *b)
{
	struct x86_code *c = &b->code;

	if (b->light) {
		CODE(c, 0x9f, 0x0f, 0x90, 0xc0); /* lahf; seto %al */
		store(c, AX, PT_FLAGS);
		return;
	}
	CODE(c, 0x9c, 0x8f); /* pushf; pop PT_FLAGS(%rsp), which counts from rsp after the pop */
	operand_frame(c, 0, PT_FLAGS);
	CODE(c, 0xfc); /* cld */
}

static void save_rest(struct builder *b)
{
	struct x86_code *c = &b->code;

	if (b->blind)
		return;
	lea_frame(c, AX, b->gap);
	store(c, AX, PT_SP);
	constant(c, AX, b->plan->region->from +
				(b->after ? b->plan->region->length : ARCH_BREAKPOINT_BYTES));
	store(c, AX, PT_IP);
	if (b->light)
		return;
	store_constant(c, -1, PT_ORIG_AX);
	store_constant(c, b->process ? USER_CS : KERNEL_CS, PT_CS);
	store_constant(c, b->process ? USER_SS : KERNEL_SS, PT_SS);
}

/* --- vector registers: at (%rsp), aligned to 64 bytes --- */

/* movaps: 0f 29 stores, 0f 28 loads */
static void sse_moves(struct x86_code *c, uint8_t opcode)
{
	unsigned i;

	for (i = 0; i < 16; i++) {
		if (i & 8)
			CODE(c, 0x44);
		CODE(c, 0x0f, opcode);
		operand_frame(c, i, 16 * i);
	}
}

static void xsave_mask(struct builder *b)
{
	constant(&b->code, AX, (uint32_t)b->plan->xsave_mask);
	constant(&b->code, DX, b->plan->xsave_mask >> 32);
}

/* xsavec writes only the first two words of the header; xrstor wants zeros in the others. */
static void xsave(struct builder *b)
{
	struct x86_code *c = &b->code;
	unsigned i;

	for (i = 16; i < 64; i += 8)
		store_constant(c, 0, XSAVE_HEADER + i);
	xsave_mask(b);
	CODE(c, 0x48, 0x0f, 0xc7, 0x24, 0x24);
}

static void xrstor(struct builder *b)
{
	xsave_mask(b);
	CODE(&b->code, 0x48, 0x0f, 0xae, 0x2c, 0x24);
}

static uint32_t vector_bytes(const struct builder *b)
{
	if (b->plan->options & X86_DETOUR_XSAVE)
		return (b->plan->xsave_bytes + XSAVE_ALIGN - 1) & ~(XSAVE_ALIGN - 1u);
	return b->plan->options & X86_DETOUR_SSE ? SSE_BYTES : 0;
}

/* rsi = rbx = the frame; rsp: aligned, below the vector registers */
static void save_vectors(struct builder *b)
{
	struct x86_code *c = &b->code;
	uint32_t bytes = vector_bytes(b);

	CODE(c, 0x48, 0x89, 0xe6);             /* mov %rsp, %rsi */
	if (!b->aligns)
		return;
	CODE(c, 0x48, 0x89, 0xe3);             /* mov %rsp, %rbx */
	CODE(c, 0x48, 0x83, 0xe4, bytes ? 0xc0 : 0xf0); /* and $-64 or -16, %rsp */
	if (bytes) {
		CODE(c, 0x48, 0x81, 0xec);     /* sub $bytes, %rsp */
		code_u32(c, bytes);
	}
	if (b->plan->options & X86_DETOUR_SSE)
		sse_moves(c, 0x29);
	if (b->plan->options & X86_DETOUR_XSAVE)
		xsave(b);
}

static void restore_vectors(struct builder *b)
{
	struct x86_code *c = &b->code;

	if (b->plan->options & X86_DETOUR_SSE)
		sse_moves(c, 0x28);
	if (b->plan->options & X86_DETOUR_XSAVE) {
		CODE(c, 0x89, 0xc5);           /* mov %eax, %ebp: the handler's answer */
		xrstor(b);
		CODE(c, 0x89, 0xe8);           /* mov %ebp, %eax */
	}
	if (b->aligns)
		CODE(c, 0x48, 0x89, 0xdc);     /* mov %rbx, %rsp */
}

/* --- call --- */

static void call_handler(struct builder *b)
{
	struct x86_code *c = &b->code;
	int64_t distance;

	if (b->plan->write_call) {
		b->plan->write_call(c, b->plan->context);
		return;
	}
	constant(c, DI, b->plan->arg);
	distance = (int64_t)(b->plan->handler - (code_here(c) + 5));
	if (!b->process || distance == (int32_t)distance) {
		CODE(c, 0xe8);
		code_rel32(c, b->plan->handler);
		return;
	}
	constant(c, AX, b->plan->handler);
	CODE(c, 0xff, 0xd0); /* call *%rax */
}

/* --- restore --- */

static void restore_full_flags(struct builder *b)
{
	struct x86_code *c = &b->code;

	CODE(c, 0xf6); /* testb $4, PT_FLAGS + 1(%rsp): DF */
	operand_frame(c, 0, PT_FLAGS + 1);
	CODE(c, 0x04, 0x74, 0x01, 0xfd); /* jz over; std */
	CODE(c, 0x8a);
	operand_frame(c, 4, PT_FLAGS); /* mov PT_FLAGS(%rsp), %ah */
	CODE(c, 0x8a);
	operand_frame(c, 0, PT_FLAGS + 1); /* mov PT_FLAGS + 1(%rsp), %al */
	CODE(c, 0x24, 0x08, 0x04, 0x78, 0x9e); /* and $8, %al; add $0x78, %al; sahf */
}

static void restore_flags(struct builder *b)
{
	if (!b->light) {
		restore_full_flags(b);
		return;
	}
	load(&b->code, AX, PT_FLAGS);
	CODE(&b->code, 0x04, 0x7f, 0x9e); /* add $127, %al; sahf */
}

static void restore_general(struct builder *b)
{
	unsigned i;

	restore_flags(b);
	for (i = b->saves; i-- > 0;)
		load(&b->code, b->saved[i].reg, b->saved[i].offset);
	lea_frame(&b->code, SP, b->gap);
}

/* mov %rax, disp(%rcx) */
static void store_diverted(struct x86_code *c, int8_t disp)
{
	CODE(c, 0x48, 0x89, 0x41, (uint8_t)disp);
}

/* Everything from the frame; see the top for the order. */
static void divert(struct builder *b)
{
	struct x86_code *c = &b->code;
	uint32_t red = b->process ? RED_ZONE : 0;
	unsigned i;

	load(c, CX, PT_SP);
	CODE(c, 0x48, 0x8d, 0x89); /* lea -red - 24(%rcx), %rcx */
	code_u32(c, -(red + 24));
	load(c, AX, PT_IP);
	store_diverted(c, 16);
	load(c, AX, PT_CX);
	store_diverted(c, 8);
	load(c, AX, PT_AX);
	store_diverted(c, 0);
	restore_flags(b);
	for (i = 0; i < b->saves; i++)
		if (b->saved[i].reg != AX && b->saved[i].reg != CX)
			load(c, b->saved[i].reg, b->saved[i].offset);
	CODE(c, 0x48, 0x89, 0xcc, 0x58, 0x59); /* mov %rcx, %rsp; pop %rax; pop %rcx */
	if (red)
		CODE(c, 0xc2, RED_ZONE, 0); /* ret $128 */
	else
		CODE(c, 0xc3);
}

/* --- the region --- */

static int copy_region(struct x86_code *c, const struct x86_region *region, struct x86_detour *d)
{
	unsigned at = 0;

	for (d->insns = 0; at < region->length; d->insns++) {
		const uint8_t *bytes = region->bytes + at;
		struct x86_insn insn;
		int n = x86_decode(bytes, region->length - at, &insn);

		if (n < 0 || d->insns == X86_REGION_INSNS)
			return -EOPNOTSUPP;
		d->original[d->insns] = at;
		d->copy[d->insns] = c->size;
		n = x86_relocate(&insn, bytes, region->from + at, code_here(c), c->out + c->size,
				 c->room - c->size);
		if (n < 0)
			return n;
		c->size += n;
		at += insn.length;
	}
	d->copy[d->insns] = c->size;
	return c->err;
}

/* --- the whole --- */

static bool is_sensible(const struct x86_detour_plan *plan)
{
	const unsigned vectors = X86_DETOUR_SSE | X86_DETOUR_XSAVE, light = X86_DETOUR_LIGHT;
	unsigned options = plan->options;

	if ((options & vectors) == vectors || (options & vectors && !(options & X86_DETOUR_PROCESS)))
		return false;
	if (!(options & X86_DETOUR_XSAVE))
		return true;
	return !(options & light) && plan->xsave_bytes >= XSAVE_LEGACY_BYTES;
}

/* What the detour uses itself, and of the rest what the handler changes. */
static void save_few(struct builder *b, unsigned clobbers)
{
	const unsigned own = 1u << AX | 1u << SI | 1u << DI |
			     (b->process ? 1u << CX | 1u << DX : 0) |
			     (b->aligns ? 1u << BX : 0);
	unsigned i, n = 0;

	for (i = 0; i < b->saves; i++)
		if ((clobbers | own) & 1u << light_saved[i].reg)
			b->few[n++] = light_saved[i];
	b->saved = b->few;
	b->saves = n;
	b->blind = true;
}

static void builder_init(struct builder *b, const struct x86_detour_plan *plan)
{
	b->plan = plan;
	b->light = plan->options & X86_DETOUR_LIGHT;
	b->process = plan->options & X86_DETOUR_PROCESS;
	b->after = plan->options & X86_DETOUR_AFTER;
	b->saved = b->light ? light_saved : full_saved;
	b->saves = b->light ? sizeof(light_saved) / sizeof(light_saved[0]) :
			      sizeof(full_saved) / sizeof(full_saved[0]);
	b->aligns = b->process && !(b->light && plan->clobbers && !vector_bytes(b));
	if (b->light && plan->clobbers)
		save_few(b, plan->clobbers);
	b->gap = PT_SIZE + (b->process ? RED_ZONE : 0) + (b->light ? 0 : DIVERT_ROOM);
}

static void build(struct builder *b, size_t *ret_divert)
{
	save_general(b);
	save_flags(b);
	save_rest(b);
	save_vectors(b);
	call_handler(b);
	restore_vectors(b);
	if (!b->light) {
		CODE(&b->code, 0x85, 0xc0); /* test %eax, %eax */
		*ret_divert = jnz_later(&b->code);
	}
	restore_general(b);
}

/* task */
int x86_detour_build(const struct x86_detour_plan *plan, uint64_t at, uint8_t *out, size_t room,
		     struct x86_detour *ret)
{
	struct builder b = { .code = { .out = out, .room = room, .at = at } };
	size_t jump_to_divert = 0;
	int err;

	if (!is_sensible(plan))
		return -EINVAL;
	builder_init(&b, plan);
	*ret = (struct x86_detour){ .from = plan->region->from, .at = at,
				    .region = plan->region->length };
	err = b.after ? copy_region(&b.code, plan->region, ret) : 0;
	if (!err)
		build(&b, &jump_to_divert);
	if (!err && !b.after)
		err = b.code.err ? b.code.err : copy_region(&b.code, plan->region, ret);
	code_jump(&b.code, plan->region->from + plan->region->length);
	if (!err && !b.light) {
		here(&b.code, jump_to_divert);
		divert(&b);
	}
	if (!err && plan->write_rest)
		plan->write_rest(&b.code, plan->context);
	if (!err)
		err = b.code.err;
	ret->size = b.code.size;
	return err;
}

/* any */
int x86_detour_copy_ip(const struct x86_detour *detour, uint64_t ip, uint64_t *ret)
{
	uint64_t offset = ip - detour->from;
	unsigned i;

	if (!offset || offset >= detour->region)
		return -ENOENT;
	for (i = 1; i < detour->insns; i++) {
		if (detour->original[i] == offset) {
			*ret = detour->at + detour->copy[i];
			return 0;
		}
	}
	return -EINVAL;
}

/* any */
int x86_detour_original_ip(const struct x86_detour *detour, uint64_t ip, uint64_t *ret)
{
	uint64_t offset = ip - detour->at;
	unsigned i;

	if (offset >= detour->size)
		return -ENOENT;
	*ret = detour->from;
	if (offset == 0)
		return 0;
	for (i = 0; i <= detour->insns; i++) {
		if (detour->copy[i] == offset) {
			*ret += i < detour->insns ? detour->original[i] : detour->region;
			return 0;
		}
	}
	return -EBUSY;
}
