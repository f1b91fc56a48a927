// SPDX-License-Identifier: GPL-2.0-only
/*
 * The x86-64 decoder: from bytes to the parts of one instruction.
 *
 * An instruction is at most 15 bytes, in this order (everything but the opcode is optional):
 *
 *     66 67 f2 f3 f0 2e ...  REX  opcode          ModRM SIB displacement immediate
 *     legacy prefixes             0f, 0f 38 ...                  1 or 4      1 to 8
 *                       VEX/EVEX/XOP opcode       (the vector prefix holds REX, 66/f2/f3, the map)
 *
 * Which of them there are depends on the opcode and, for a good part of the opcodes, on the
 * prefixes and on ModRM. opcodes*.def lists the defined combinations; this file finds the pieces,
 * asks the table which row fits, and then checks what rows cannot say. Three traps on the way:
 *
 *   - A REX prefix counts only right in front of the opcode; another prefix behind it cancels it.
 *   - f2 and f3 beat 66 as part of an opcode, and of f2 and f3 the later one counts.
 *   - For moves to and from control and debug registers the mod bits of ModRM mean nothing:
 *     no displacement follows.
 *
 * Bytes are read through take() alone, which knows the two ends: that of what the caller gave,
 * and the 15th byte.
 */
#include "engine/arch/x86/opcodes.h"
#include "engine/host.h"

enum { PP_NONE, PP_66, PP_F3, PP_F2 };

struct decoder {
	const uint8_t *bytes;
	unsigned avail, at;
	struct x86_insn *insn;
	unsigned rex_at;    /* offset of the last REX byte, plus one; 0: none */
	uint8_t pp;         /* the mandatory prefix: PP_* */
	uint8_t w, l;       /* of the vector prefix */
	uint8_t reg_high;   /* EVEX.R', the fifth bit of ModRM.reg */
	uint8_t p_map;      /* the map field of the vector prefix */
};

/* Runs out of bytes: too long for the processor, or just more than the caller has. */
static int ran_out(const struct decoder *d)
{
	return d->avail >= X86_INSN_MAX ? -EINVAL : -E2BIG;
}

static int peek(const struct decoder *d)
{
	return d->at < d->avail ? d->bytes[d->at] : ran_out(d);
}

static int take(struct decoder *d)
{
	return d->at < d->avail ? d->bytes[d->at++] : ran_out(d);
}

/* Reads a little-endian value of 1, 2, 4 or 8 bytes, extended by its sign. */
static int take_value(struct decoder *d, unsigned size, int64_t *ret)
{
	uint64_t value = 0;
	unsigned i;

	if (d->at + size > d->avail)
		return ran_out(d);
	for (i = 0; i < size; i++)
		value |= (uint64_t)d->bytes[d->at + i] << (8 * i);
	d->at += size;
	if (size < 8 && value >> (8 * size - 1))
		value |= ~0ull << (8 * size);
	*ret = (int64_t)value;
	return 0;
}

/* --- prefixes --- */

static unsigned legacy_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x66:
		return X86_PREFIX_DATA16;
	case 0x67:
		return X86_PREFIX_ADDR32;
	case 0xf0:
		return X86_PREFIX_LOCK;
	case 0xf2:
		return X86_PREFIX_REPNE;
	case 0xf3:
		return X86_PREFIX_REP;
	case 0x26:
		return X86_PREFIX_ES;
	case 0x2e:
		return X86_PREFIX_CS;
	case 0x36:
		return X86_PREFIX_SS;
	case 0x3e:
		return X86_PREFIX_DS;
	case 0x64:
		return X86_PREFIX_FS;
	case 0x65:
		return X86_PREFIX_GS;
	}
	return 0;
}

/* Of fs and gs the later one counts; cs, ds, es, ss do nothing in 64-bit mode. */
static void note_prefix(struct decoder *d, unsigned prefix)
{
	struct x86_insn *insn = d->insn;

	if (prefix & (X86_PREFIX_FS | X86_PREFIX_GS))
		insn->prefixes &= ~(X86_PREFIX_FS | X86_PREFIX_GS);
	insn->prefixes |= prefix;
	if (prefix == X86_PREFIX_REP)
		d->pp = PP_F3;
	else if (prefix == X86_PREFIX_REPNE)
		d->pp = PP_F2;
	else if (prefix == X86_PREFIX_DATA16 && d->pp == PP_NONE)
		d->pp = PP_66;
}

static int take_prefixes(struct decoder *d)
{
	int byte;

	for (;; d->at++) {
		unsigned prefix;

		byte = peek(d);
		if (byte < 0)
			return byte;
		prefix = legacy_prefix(byte);
		if (prefix) {
			note_prefix(d, prefix);
		} else if (byte >> 4 == 4) {
			d->insn->rex = byte & 0x0f;
			d->rex_at = d->at + 1;
		} else {
			break;
		}
	}
	if (d->rex_at != d->at)
		d->insn->rex = 0;
	return 0;
}

/* The byte that VEX, EVEX and XOP share: W vvvv L pp. */
static void note_w_v_l_pp(struct decoder *d, uint8_t byte)
{
	d->w = byte >> 7;
	d->insn->vector_v = ~(byte >> 3) & 0x0f;
	d->l = byte >> 2 & 1;
	d->pp = byte & 3;
}

static int take_vex2(struct decoder *d)
{
	int byte = take(d);

	if (byte < 0)
		return byte;
	d->insn->encoding = X86_VEX;
	d->insn->rex = byte & 0x80 ? 0 : X86_REX_R;
	note_w_v_l_pp(d, byte & 0x7f);
	d->p_map = 1;
	return 0;
}

static int take_vex3(struct decoder *d, enum x86_encoding encoding)
{
	int first = take(d), second = first < 0 ? first : take(d);

	if (second < 0)
		return second;
	d->insn->encoding = encoding;
	d->insn->rex = ~(first >> 5) & 7;
	d->p_map = first & 0x1f;
	note_w_v_l_pp(d, second);
	d->insn->rex |= d->w ? X86_REX_W : 0;
	return 0;
}

/*
 *   P0  R X B R' 0 m m m     P1  W v v v v 1 p p     P2  z L' L b V' a a a
 */
static int take_evex(struct decoder *d)
{
	int64_t raw;
	uint8_t p0, p1, p2;
	int err = take_value(d, 4, &raw);

	if (err)
		return err;
	d->at--; /* the fourth byte is the opcode; there must be one anyway */
	p0 = raw, p1 = raw >> 8, p2 = raw >> 16;
	if (p0 & 0x08 || !(p1 & 0x04))
		return -EINVAL;
	d->insn->encoding = X86_EVEX;
	d->insn->rex = ~(p0 >> 5) & 7;
	d->reg_high = ~(p0 >> 4) & 1;
	d->p_map = p0 & 7;
	note_w_v_l_pp(d, p1);
	d->insn->rex |= d->w ? X86_REX_W : 0;
	d->insn->vector_v |= p2 & 0x08 ? 0 : 0x10;
	d->insn->evex = p2;
	d->l = p2 >> 5 & 3;
	return 0;
}

static int vector_map(const struct decoder *d)
{
	static const int8_t vex[4] = { -1, X86_MAP_V1, X86_MAP_V2, X86_MAP_V3 };
	static const int8_t evex[8] = { -1, X86_MAP_E1, X86_MAP_E2, X86_MAP_E3,
					-1, X86_MAP_E5, X86_MAP_E6, -1 };
	static const int8_t xop[3] = { X86_MAP_X8, X86_MAP_X9, X86_MAP_XA };
	unsigned map = d->p_map;

	if (d->insn->encoding == X86_EVEX)
		return evex[map];
	if (d->insn->encoding == X86_VEX)
		return map < 4 ? vex[map] : -1;
	return map >= 8 && map <= 10 ? xop[map - 8] : -1;
}

/* --- opcode --- */

static int take_vector_prefix(struct decoder *d, uint8_t first)
{
	const unsigned forbidden =
		X86_PREFIX_LOCK | X86_PREFIX_REP | X86_PREFIX_REPNE | X86_PREFIX_DATA16;
	bool rex = d->rex_at && d->rex_at == d->at - 1; /* one in force, right in front */
	int err;

	if (d->insn->prefixes & forbidden || rex)
		return -EINVAL;
	if (first == 0xc5)
		err = take_vex2(d);
	else if (first == 0x62)
		err = take_evex(d);
	else
		err = take_vex3(d, first == 0x8f ? X86_XOP : X86_VEX);
	if (err)
		return err;
	if (vector_map(d) < 0)
		return -EINVAL;
	d->insn->map = vector_map(d);
	d->insn->vector_pp = d->pp;
	d->insn->vector_l = d->l;
	return take(d);
}

/* 8f is pop, whose ModRM.reg is 0, unless its second byte names a map from 8 on. */
static bool starts_vector(const struct decoder *d, uint8_t byte)
{
	if (byte == 0x8f)
		return peek(d) >= 0 && (peek(d) & 0x1f) >= 8;
	return byte == 0xc4 || byte == 0xc5 || byte == 0x62;
}

/* Returns the opcode, with its map noted. */
static int take_opcode(struct decoder *d)
{
	int byte = take(d);

	if (byte < 0)
		return byte;
	if (starts_vector(d, byte))
		return take_vector_prefix(d, byte);
	d->w = d->insn->rex >> 3;
	if (byte != 0x0f)
		return byte;
	d->insn->map = X86_MAP_0F;
	byte = take(d);
	if (byte == 0x38 || byte == 0x3a) {
		d->insn->map = byte == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
		return take(d);
	}
	return byte;
}

/* --- ModRM, SIB, displacement, immediate --- */

static unsigned modrm_mod(const struct x86_insn *insn)
{
	return insn->modrm >> 6;
}

static int take_sib(struct decoder *d)
{
	struct x86_insn *insn = d->insn;
	int byte = take(d);
	uint8_t index;

	if (byte < 0)
		return byte;
	insn->has_sib = true;
	insn->sib = byte;
	insn->sib_offset = d->at - 1;
	index = (byte >> 3 & 7) | (insn->rex & X86_REX_X ? 8 : 0);
	insn->index = index == 4 ? X86_NO_REGISTER : index;
	if ((byte & 7) == 5 && modrm_mod(insn) == 0) {
		insn->base = X86_NO_REGISTER;
		insn->disp_size = 4;
	} else {
		insn->base = (byte & 7) | (insn->rex & X86_REX_B ? 8 : 0);
	}
	return 0;
}

/* ModRM names memory: find base and index, and what else follows. */
static int take_memory(struct decoder *d)
{
	struct x86_insn *insn = d->insn;
	unsigned rm = insn->modrm & 7;
	int64_t disp;
	int err;

	if (modrm_mod(insn) == 1)
		insn->disp_size = 1;
	else if (modrm_mod(insn) == 2)
		insn->disp_size = 4;
	if (rm == 4) {
		err = take_sib(d);
		if (err)
			return err;
	} else if (rm == 5 && modrm_mod(insn) == 0) {
		insn->base = X86_RIP;
		insn->disp_size = 4;
	} else {
		insn->base = rm | (insn->rex & X86_REX_B ? 8 : 0);
	}
	if (!insn->disp_size)
		return 0;
	insn->disp_offset = d->at;
	err = take_value(d, insn->disp_size, &disp);
	if (!err)
		insn->disp = (int32_t)disp;
	return err;
}

static int take_modrm(struct decoder *d)
{
	int byte = take(d);

	if (byte < 0)
		return byte;
	d->insn->has_modrm = true;
	d->insn->modrm = byte;
	d->insn->modrm_offset = d->at - 1;
	return 0;
}

static unsigned immediate_size(const struct decoder *d, enum immediate kind)
{
	bool data16 = d->insn->prefixes & X86_PREFIX_DATA16;
	bool w = d->insn->rex & X86_REX_W;

	switch (kind) {
	case IMM_NONE:
		return 0;
	case IMM_8:
	case IMM_REL8:
		return 1;
	case IMM_16:
	case IMM_8_8:
		return 2;
	case IMM_16_8:
		return 3;
	case IMM_32:
	case IMM_REL32:
		return 4;
	case IMM_Z:
	case IMM_RELZ:
		return data16 && !w ? 2 : 4;
	case IMM_V:
		return w ? 8 : data16 ? 2 : 4;
	case IMM_ADDR:
		return d->insn->prefixes & X86_PREFIX_ADDR32 ? 4 : 8;
	}
	return 0;
}

static int take_immediate(struct decoder *d, enum immediate kind)
{
	struct x86_insn *insn = d->insn;

	insn->imm_size = immediate_size(d, kind);
	if (!insn->imm_size)
		return 0;
	insn->imm_offset = d->at;
	return take_value(d, insn->imm_size, &insn->imm);
}

/* --- which row fits --- */

/* With registers and the b bit, the length bits hold the rounding and the length is 512. */
static unsigned vector_length(const struct decoder *d, const struct opcode_row *row, bool memory)
{
	bool b = d->insn->encoding == X86_EVEX && d->insn->evex & 0x10;

	return b && !memory && row->flags & (ROW_ROUNDING | ROW_SILENCE) ? 2 : d->l;
}

static bool row_fits(const struct decoder *d, const struct opcode_row *row)
{
	const struct x86_insn *insn = d->insn;
	bool memory = insn->has_modrm && modrm_mod(insn) != 3 && !(row->flags & ROW_CONTROL);

	if (!(row->prefixes >> d->pp & 1) || !(row->w >> d->w & 1) ||
	    !(row->l >> vector_length(d, row, memory) & 1))
		return false;
	if (!insn->has_modrm)
		return true;
	return row->flags & (memory ? ROW_MEM : ROW_REG) &&
	       row->reg >> (insn->modrm >> 3 & 7) & 1 && row->rm >> (insn->modrm & 7) & 1;
}

static const struct opcode_row *find_row(const struct decoder *d, const struct opcode_row *row)
{
	do {
		if (row_fits(d, row))
			return row;
		row++;
	} while (row->flags & ROW_ALT);
	return NULL;
}

/* --- what a row cannot say --- */

static unsigned reg_number(const struct decoder *d)
{
	return (d->insn->modrm >> 3 & 7) | (d->insn->rex & X86_REX_R ? 8 : 0) | d->reg_high << 4;
}

static unsigned rm_number(const struct decoder *d)
{
	bool evex = d->insn->encoding == X86_EVEX;

	return (d->insn->modrm & 7) | (d->insn->rex & X86_REX_B ? 8 : 0) |
	       (evex && d->insn->rex & X86_REX_X ? 16 : 0);
}

static bool lock_is_right(const struct x86_insn *insn, const struct opcode_row *row)
{
	return !(insn->prefixes & X86_PREFIX_LOCK) ||
	       (row->flags & ROW_LOCK && modrm_mod(insn) != 3);
}

/* Control registers are 0, 2, 3, 4, 8; debug registers 0 to 7; bounds registers 0 to 3. */
static bool special_registers_exist(const struct decoder *d, const struct opcode_row *row)
{
	unsigned reg = reg_number(d);

	if (row->flags & ROW_CR)
		return reg < 16 && 0x011d >> reg & 1;
	if (row->flags & ROW_DR)
		return reg < 8;
	if (row->flags & ROW_BND && reg > 3)
		return false;
	if (row->flags & ROW_NO_RIP && d->insn->base == X86_RIP)
		return false;
	return !(row->flags & ROW_BND_RM) || modrm_mod(d->insn) != 3 || rm_number(d) <= 3;
}

static bool tiles_are_right(const struct decoder *d, const struct opcode_row *row)
{
	unsigned reg = reg_number(d), rm = rm_number(d), v = d->insn->vector_v;

	if (row->flags & ROW_TILE_REG)
		return reg < 8;
	if (!(row->flags & ROW_TILE))
		return true;
	return reg < 8 && rm < 8 && v < 8 && reg != rm && reg != v && rm != v;
}

/* A vector of addresses has a SIB byte; its index must not be overwritten on the way. */
static bool vsib_is_right(const struct decoder *d, const struct opcode_row *row)
{
	const struct x86_insn *insn = d->insn;
	unsigned reg = reg_number(d), v = insn->vector_v, index;

	if (row->flags & (ROW_VSIB | ROW_SIB) && !insn->has_sib)
		return false;
	if (!(row->flags & ROW_GATHER))
		return true;
	index = (insn->sib >> 3 & 7) | (insn->rex & X86_REX_X ? 8 : 0);
	if (insn->encoding == X86_EVEX)
		return reg != (index | (v & 0x10));
	return reg != index && reg != v && index != v;
}

static bool vector_registers_exist(const struct decoder *d, const struct opcode_row *row)
{
	unsigned v = d->insn->vector_v, reg = reg_number(d);

	if (row->flags & ROW_VSIB)
		v &= 0x0f; /* the fifth bit belongs to the index */
	if (row->flags & ROW_NO_V && v)
		return false;
	if (row->flags & ROW_MASK_V && v > 7)
		return false;
	if (row->flags & ROW_MASK_REG && reg > 7)
		return false;
	if (row->flags & ROW_GENERAL_REG && reg > 15)
		return false;
	if (!(row->flags & ROW_DISTINCT))
		return true;
	return reg != v && (modrm_mod(d->insn) != 3 || reg != rm_number(d));
}

/* The last EVEX byte: z L'L b V' aaa. */
static bool evex_is_right(const struct x86_insn *insn, const struct opcode_row *row)
{
	bool memory = modrm_mod(insn) != 3;
	unsigned mask = insn->evex & 7;

	if (mask && !(row->flags & ROW_MASKED))
		return false;
	if (!mask && row->flags & ROW_MASK_MUST)
		return false;
	if (insn->evex & 0x80 && (!mask || !(row->flags & ROW_ZEROING)))
		return false;
	if (insn->evex & 0x10)
		return row->flags & (memory ? ROW_BROADCAST : ROW_ROUNDING | ROW_SILENCE);
	return true;
}

static bool is_defined(const struct decoder *d, const struct opcode_row *row)
{
	const struct x86_insn *insn = d->insn;

	if (insn->encoding == X86_LEGACY)
		return lock_is_right(insn, row) && special_registers_exist(d, row);
	return (insn->encoding != X86_EVEX || evex_is_right(insn, row)) &&
	       vector_registers_exist(d, row) && vsib_is_right(d, row) && tiles_are_right(d, row);
}

/* --- the whole --- */

/* 3DNow: the opcode is what follows the operand, and only it can be wrong. */
static int take_3dnow(struct decoder *d, const struct opcode_row **ret)
{
	int err = take_modrm(d), byte;

	if (!err && modrm_mod(d->insn) != 3)
		err = take_memory(d);
	if (err)
		return err;
	byte = take(d);
	if (byte < 0)
		return byte;
	d->insn->map = X86_MAP_3DNOW;
	d->insn->opcode = byte;
	d->insn->opcode_offset = d->at - 1;
	*ret = opcode_rows(X86_MAP_3DNOW, byte);
	return *ret ? 0 : -EINVAL;
}

static int take_operands(struct decoder *d, const struct opcode_row **ret)
{
	const struct opcode_row *row = opcode_rows(d->insn->map, d->insn->opcode);
	int err = 0;

	if (!row)
		return -EINVAL;
	if (row->flags & ROW_MODRM)
		err = take_modrm(d);
	if (err)
		return err;
	row = find_row(d, row);
	if (!row)
		return -EINVAL;
	if (row->flags & ROW_MODRM && !(row->flags & ROW_CONTROL) && modrm_mod(d->insn) != 3)
		err = take_memory(d);
	if (!err)
		err = take_immediate(d, row->immediate);
	*ret = row;
	return err;
}

static int take_instruction(struct decoder *d, const struct opcode_row **ret)
{
	int err = take_prefixes(d), opcode;

	if (err)
		return err;
	opcode = take_opcode(d);
	if (opcode < 0)
		return opcode;
	d->insn->opcode = opcode;
	d->insn->opcode_offset = d->at - 1;
	if (d->insn->map == X86_MAP_0F && opcode == 0x0f)
		return take_3dnow(d, ret);
	return take_operands(d, ret);
}

int x86_decode(const uint8_t *bytes, size_t avail, struct x86_insn *ret)
{
	const struct opcode_row *row;
	struct decoder d = {
		.bytes = bytes,
		.avail = avail < X86_INSN_MAX ? avail : X86_INSN_MAX,
		.insn = ret,
	};
	int err;

	*ret = (struct x86_insn){ .base = X86_NO_REGISTER, .index = X86_NO_REGISTER };
	err = take_instruction(&d, &row);
	if (err)
		return err;
	if (!is_defined(&d, row))
		return -EINVAL;
	ret->length = d.at;
	x86_classify(ret, row);
	return ret->length;
}
