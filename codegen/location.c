// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locations of debug information in C: each operation of symbols/location.h is a statement on an array
 * of words. How deep the stack is at each operation is known here (jumps go forward only, and both
 * ways to a place leave the same depth), so the array has constant indices and the compiler makes
 * registers of it.
 *
 *	spl_u64 s4[2];
 *	s4[0] = spl_reg(c, 152);
 *	s4[1] = (spl_u64)-24LL;
 *	s4[0] += s4[1];
 */
#include "codegen/codegen_private.h"

#include <string.h>

struct program_writer {
	struct gen *g;
	const struct target_access *access;
	const char *place; /* for errors */
	unsigned name;     /* of the array and the labels */
	int depth;
	int label_depth[LOCATION_OPS]; /* -1: nothing jumps here */
	bool broken;       /* it takes what is not there: a damaged file */
};

int gen_register_offset(int64_t number)
{
	static const int offsets[] = {80, 96, 88, 40, 104, 112, 32, 152, 72, 64, 56, 48, 24, 16, 8, 0,
	                              128};

	return number >= 0 && number < 17 ? offsets[number] : -1;
}

static void need(struct program_writer *w, int count)
{
	w->broken |= w->depth < count;
}

static void push(struct program_writer *w, const char *value)
{
	w->broken |= w->depth == LOCATION_STACK;
	if (!w->broken)
		gen_line(w->g, "s%u[%d] = %s;", w->name, w->depth++, value);
}

static const char *entry(const struct program_writer *w, int from_top)
{
	return gen_text(w->g, "s%u[%d]", w->name, w->depth - 1 - from_top);
}

const char *gen_symbol_address(struct gen *g, const char *name, int64_t offset)
{
	char *c_name;

	if (!name)
		return gen_text(g, "%lldULL", (long long)offset);
	c_name = (char *)gen_text(g, "%s", name);
	for (char *p = c_name; *p; p++)
		if (*p == '.')
			*p = '$';
	gen_line(g, strchr(name, '.') ? "extern char %s[] __asm__(\"%s\");" : "extern char %s[];",
	         c_name, name);
	return gen_text(g, "((spl_u64)%s + (spl_u64)%lldLL)", c_name, (long long)offset);
}

/* --- operations ------------------------------------------------------------------------------------- */

static const char *binary_format(enum location_opcode op)
{
	switch (op) {
	case LOC_ADD: return "%s + %s";
	case LOC_SUB: return "%s - %s";
	case LOC_MUL: return "%s * %s";
	case LOC_AND: return "%s & %s";
	case LOC_OR: return "%s | %s";
	case LOC_XOR: return "%s ^ %s";
	case LOC_DIV_U: return "%s / %s";
	case LOC_MOD_U: return "%s %% %s";
	case LOC_DIV_S: return "spl_loc_div(%s, %s)";
	case LOC_MOD_S: return "spl_loc_mod(%s, %s)";
	case LOC_SHL: return "spl_loc_shl(%s, %s)";
	case LOC_SHR: return "spl_loc_shr(%s, %s)";
	case LOC_SAR: return "spl_loc_sar(%s, %s)";
	case LOC_EQ: return "%s == %s";
	case LOC_NE: return "%s != %s";
	case LOC_LT_S: return "(spl_s64)%s < (spl_s64)%s";
	case LOC_LE_S: return "(spl_s64)%s <= (spl_s64)%s";
	case LOC_GT_S: return "(spl_s64)%s > (spl_s64)%s";
	case LOC_GE_S: return "(spl_s64)%s >= (spl_s64)%s";
	case LOC_LT_U: return "%s < %s";
	case LOC_LE_U: return "%s <= %s";
	case LOC_GT_U: return "%s > %s";
	case LOC_GE_U: return "%s >= %s";
	default: return NULL;
	}
}

static bool divides(enum location_opcode op)
{
	return op == LOC_DIV_S || op == LOC_DIV_U || op == LOC_MOD_S || op == LOC_MOD_U;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void write_binary(struct program_writer *w, enum location_opcode op)
{
	const char *a, *b;

	need(w, 2);
	if (w->broken)
		return;
	a = entry(w, 1);
	b = entry(w, 0);
	if (divides(op)) {
		gen_line(w->g, "if (!%s) spl_fail(c, \"the variable's location divides by 0\", %s);",
		         b, w->place);
		gen_line(w->g, "CHECK(%s);", w->g->fail);
	}
	gen_line(w->g, "%s = %s;", a, gen_text(w->g, binary_format(op), a, b));
	w->depth--;
}
#pragma GCC diagnostic pop

static void write_unary(struct program_writer *w, const struct location_op *op)
{
	const char *top = w->depth ? entry(w, 0) : "0";

	need(w, 1);
	if (op->op == LOC_NEG)
		gen_line(w->g, "%s = -%s;", top, top);
	else if (op->op == LOC_NOT)
		gen_line(w->g, "%s = ~%s;", top, top);
	else if (op->op == LOC_ABS)
		gen_line(w->g, "if ((spl_s64)%s < 0) %s = -%s;", top, top, top);
	else if (op->op == LOC_ZERO_EXTEND && op->arg < 64)
		gen_line(w->g, "%s &= (1ULL << %d) - 1;", top, (int)op->arg);
	else if (op->op == LOC_SIGN_EXTEND && op->arg < 64)
		gen_line(w->g, "%s = (spl_u64)((spl_s64)(%s << %d) >> %d);", top, top,
		         (int)(64 - op->arg), (int)(64 - op->arg));
	else if (op->op == LOC_READ) {
		gen_line(w->g, "%s = (spl_u64)spl_load(c, %s, %d, 0, %s);", top, top, (int)op->arg,
		         w->place);
		gen_line(w->g, "CHECK(%s);", w->g->fail);
	}
}

/* Copies and exchanges, all by way of one word more. */
static void write_shuffle(struct program_writer *w, const struct location_op *op)
{
	int take = op->op == LOC_ROT ? 3 : op->op == LOC_SWAP ? 2 : op->op == LOC_PICK ? (int)op->arg + 1 : 1;

	need(w, take);
	if (w->broken)
		return;
	if (op->op == LOC_DROP) {
		w->depth--;
	} else if (op->op == LOC_DUP || op->op == LOC_PICK) {
		push(w, entry(w, take - 1));
	} else {
		gen_line(w->g, "x%u = %s;", w->name, entry(w, 0));
		for (int i = 0; i + 1 < take; i++)
			gen_line(w->g, "%s = %s;", entry(w, i), entry(w, i + 1));
		gen_line(w->g, "%s = x%u;", entry(w, take - 1), w->name);
	}
}

static void write_jump(struct program_writer *w, const struct location_op *op)
{
	const char *condition = "";

	if (op->op == LOC_JUMP_IF) {
		need(w, 1);
		if (w->broken)
			return;
		condition = gen_text(w->g, "if (%s) ", entry(w, 0));
		w->depth--;
	}
	if (op->arg < 0 || op->arg >= LOCATION_OPS) {
		w->broken = true;
		return;
	}
	gen_line(w->g, "%sgoto j%u_%d;", condition, w->name, (int)op->arg);
	w->label_depth[op->arg] = w->depth;
}

static const char *write_program(struct gen *g, const struct target_access *access,
                                 const struct location_piece *piece, const char *place);

static size_t number_of(const struct program *program, const struct planted_probe *planted)
{
	size_t i = 0;

	while (program->probes.items[i] != planted)
		i++;
	return i;
}

/* What an argument register was at the entry: its keeper is asked for the call with this frame. */
static void write_entry_register(struct program_writer *w, int64_t n)
{
	const struct target_access *access = w->access;
	const struct target_access frame = {.location = access->frame};
	const char *cfa;

	w->broken |= !access->keeper;
	if (w->broken)
		return;
	cfa = write_program(w->g, &frame, &frame.location->pieces[0], w->place);
	push(w, gen_text(w->g, "spl_entry_register(c, %zu, %s, %d, %s)",
	                 number_of(w->g->program, access->keeper), cfa, (int)n, w->place));
	gen_line(w->g, "CHECK(%s);", w->g->fail);
}

static void write_op(struct program_writer *w, size_t i)
{
	const struct location_op *op = &w->access->location->ops[i];

	switch (op->op) {
	case LOC_CONST:
		push(w, gen_text(w->g, "(spl_u64)%lldLL", (long long)op->arg));
		break;
	case LOC_ADDRESS:
		push(w, gen_symbol_address(w->g, w->access->symbols[i].name,
		                           w->access->symbols[i].offset));
		break;
	case LOC_REGISTER:
		push(w, gen_text(w->g, "(spl_u64)spl_reg(c, %d)", gen_register_offset(op->arg)));
		break;
	case LOC_ENTRY_REGISTER:
		write_entry_register(w, op->arg);
		break;
	case LOC_DUP: case LOC_DROP: case LOC_SWAP: case LOC_ROT: case LOC_PICK:
		write_shuffle(w, op);
		break;
	case LOC_NEG: case LOC_NOT: case LOC_ABS: case LOC_ZERO_EXTEND: case LOC_SIGN_EXTEND:
	case LOC_READ:
		write_unary(w, op);
		break;
	case LOC_JUMP: case LOC_JUMP_IF:
		write_jump(w, op);
		break;
	default:
		if (binary_format(op->op))
			write_binary(w, op->op);
		else
			w->broken = true;
	}
}

/* Behind an unconditional jump the depth is that of whoever comes here otherwise. */
static void write_label(struct program_writer *w, size_t i)
{
	if (i >= LOCATION_OPS || w->label_depth[i] < 0)
		return;
	gen_line(w->g, "j%u_%zu: ;", w->name, i);
	w->depth = w->label_depth[i];
}

/* What the operations of a piece leave. */
static const char *write_program(struct gen *g, const struct target_access *access,
                                 const struct location_piece *piece, const char *place)
{
	struct program_writer w = {.g = g, .access = access, .place = place, .name = g->temps++};

	memset(w.label_depth, -1, sizeof(w.label_depth));
	gen_line(g, "spl_u64 s%u[%d], x%u = 0;", w.name, LOCATION_STACK, w.name);
	gen_line(g, "(void)x%u;", w.name);
	for (size_t i = piece->first; i < piece->first + piece->count && !w.broken; i++) {
		write_label(&w, i);
		write_op(&w, i);
	}
	write_label(&w, piece->first + piece->count);
	need(&w, 1);
	if (!w.broken)
		return entry(&w, 0);
	gen_line(g, "spl_fail(c, \"the variable's location makes no sense\", %s);", place);
	gen_line(g, "goto %s;", g->fail);
	return "0ULL";
}

/* --- pieces ------------------------------------------------------------------------------------------- */

const char *gen_location_address(struct gen *g, const struct target_access *access,
                                 const char *place)
{
	const char *text = write_program(g, access, &access->location->pieces[0], place);

	return access->is_per_cpu ? gen_text(g, "spl_per_cpu(%s)", text) : text;
}

/* Up to eight bytes of a piece, from bit `from` of it on. */
static const char *piece_value(struct gen *g, const struct target_access *access,
                               const struct location_piece *piece, int from, const char *place)
{
	const char *text = "0ULL";
	uint64_t bytes = 0;

	from += (int)piece->bit_offset;
	switch (piece->kind) {
	case PIECE_MEMORY:
		text = write_program(g, access, piece, place);
		text = gen_temp(g, gen_text(g, "spl_load(c, %s + %d, %d, 0, %s)", text, from / 8,
		                            piece->bits && piece->bits < 64 && piece->bits % 8 == 0 &&
		                                    !(piece->bits / 8 & (piece->bits / 8 - 1))
		                                ? (int)piece->bits / 8
		                                : 8,
		                            place),
		                true)
		           .text;
		from %= 8;
		break;
	case PIECE_REGISTER:
		text = gen_text(g, "(spl_u64)spl_reg(c, %d)", gen_register_offset(piece->reg));
		break;
	case PIECE_VALUE:
		text = write_program(g, access, piece, place);
		break;
	case PIECE_BYTES:
		for (size_t i = (size_t)from / 8; i < piece->byte_count && i < (size_t)from / 8 + 8; i++)
			bytes |= (uint64_t)piece->bytes[i] << (i - (size_t)from / 8) * 8;
		text = gen_text(g, "0x%llxULL", (unsigned long long)bytes);
		from %= 8;
		break;
	default:
		gen_line(g, "spl_fail(c, \"a part of the variable is optimized out\", %s);", place);
		gen_line(g, "CHECK(%s);", g->fail);
	}
	return from ? gen_text(g, "((spl_u64)%s >> %d)", text, from) : text;
}

/* Puts the bits that are asked for together, from each piece that has some. */
const char *gen_location_bits(struct gen *g, const struct target_access *access, const char *place)
{
	const struct location *loc = access->location;
	int first = access->part, end = access->part + access->part_bits, at = 0;
	const char *sum = NULL;

	for (size_t i = 0; i < loc->piece_count && at < end; i++) {
		const struct location_piece *piece = &loc->pieces[i];
		int bits = piece->bits ? (int)piece->bits : 1 << 20, from, room;
		const char *text;

		from = first > at ? first - at : 0;
		if (from < bits) {
			text = piece_value(g, access, piece, from, place);
			room = bits - from;
			if (room < 64)
				text = gen_text(g, "((spl_u64)%s & ((1ULL << %d) - 1))", text, room);
			if (at + from > first)
				text = gen_text(g, "(%s << %d)", text, at + from - first);
			sum = sum ? gen_text(g, "%s | %s", sum, text) : text;
		}
		at += bits;
	}
	return gen_text(g, "(%s)", sum ? sum : "0ULL");
}

int gen_location_register(const struct target_access *access)
{
	return gen_register_offset(access->location->pieces[0].reg);
}
