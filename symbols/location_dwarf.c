// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/location_dwarf.c - DWARF expressions become the programs of location.h.
 *
 * Frame bases and the canonical frame address (from the unwinding tables, for this very address)
 * are put in where an expression refers to them, so the program stands for itself.
 *
 * Stack entries can have a type (DWARF 5, or gcc's extension before it). The program's words have
 * none, so types are followed here: an entry of fewer than 64 bits is kept as its type would be
 * extended to 64, every operation on one is followed by such an extension, and an entry's
 * signedness picks between the signed and the unsigned form of an operation. Plain entries are 64
 * bits; division and comparison of them are signed, remainder is not, as DWARF says.
 */
#include "symbols/location_dwarf.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 8 /* frame bases that refer to frame bases: a damaged file */

struct entry_type {
	uint8_t bits;   /* 0: plain, 64 bits */
	bool is_signed;
};

struct compile {
	struct debuginfo *info;
	Dwarf_Attribute *attr;
	Dwarf_Die *function;
	uint64_t address;
	struct location *loc;
	struct entry_type types[LOCATION_STACK];
	unsigned n; /* entries on the stack */
	unsigned nesting;
	struct error *error;
	bool gone; /* refers to what is not there any more */
};

static void refuse(struct compile *c, const char *what)
{
	if (!c->error)
		c->error = error_create(EOPNOTSUPP, "its location uses %s", what);
}

static void damaged(struct compile *c)
{
	if (!c->error)
		c->error = error_create(EINVAL, "its location is damaged");
}

static void emit(struct compile *c, enum location_opcode op, int64_t arg)
{
	if (c->loc->op_count == LOCATION_OPS)
		refuse(c, "too long an expression");
	else
		c->loc->ops[c->loc->op_count++] = (struct location_op){op, arg};
}

static void pushed(struct compile *c, struct entry_type type)
{
	if (c->n == LOCATION_STACK)
		refuse(c, "too deep an expression");
	else
		c->types[c->n++] = type;
}

static struct entry_type popped(struct compile *c)
{
	if (!c->n) {
		damaged(c);
		return (struct entry_type){0};
	}
	return c->types[--c->n];
}

static const struct entry_type plain;

static void push(struct compile *c, enum location_opcode op, int64_t arg)
{
	emit(c, op, arg);
	pushed(c, plain);
}

static void push_register(struct compile *c, unsigned reg, int64_t offset)
{
	push(c, LOC_REGISTER, reg);
	if (offset) {
		emit(c, LOC_CONST, offset);
		emit(c, LOC_ADD, 0);
	}
}

/* After an operation on a narrow entry: as its type would be, extended to 64 bits. */
static void normalize(struct compile *c, struct entry_type type)
{
	if (type.bits && type.bits < 64)
		emit(c, type.is_signed ? LOC_SIGN_EXTEND : LOC_ZERO_EXTEND, type.bits);
}

static bool base_type(struct compile *c, const Dwarf_Op *op, struct entry_type *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Die die;
	Dwarf_Word encoding = 0;
	int size;

	*ret = plain;
	if ((op->atom == DW_OP_convert || op->atom == DW_OP_GNU_convert ||
	     op->atom == DW_OP_reinterpret || op->atom == DW_OP_GNU_reinterpret) &&
	    op->number == 0)
		return true; /* back to plain */
	if (dwarf_getlocation_die(c->attr, op, &die)) {
		damaged(c);
		return false;
	}
	size = dwarf_bytesize(&die);
	if (dwarf_attr(&die, DW_AT_encoding, &attr))
		dwarf_formudata(&attr, &encoding);
	if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float || size > 8 || size < 1) {
		refuse(c, "floating point or more than 64 bits");
		return false;
	}
	ret->bits = size * 8;
	ret->is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	return true;
}

/* --- operations ----------------------------------------------------------------------------------- */

static void binary(struct compile *c, enum location_opcode op)
{
	struct entry_type type;

	popped(c);
	type = popped(c);
	emit(c, op, 0);
	normalize(c, type);
	pushed(c, type);
}

/* Picks the signed or the unsigned form; plain entries have the form that DWARF says. */
static void binary_signed(struct compile *c, enum location_opcode with_sign,
                          enum location_opcode without, bool plain_signed)
{
	struct entry_type type = c->n > 1 ? c->types[c->n - 2] : plain;

	binary(c, (type.bits ? type.is_signed : plain_signed) ? with_sign : without);
}

/* The result of a comparison is plain. */
static void comparison(struct compile *c, enum location_opcode with_sign,
                       enum location_opcode without)
{
	struct entry_type type;

	popped(c);
	type = popped(c);
	emit(c, !type.bits || type.is_signed ? with_sign : without, 0);
	pushed(c, plain);
}

static void unary(struct compile *c, enum location_opcode op)
{
	struct entry_type type = popped(c);

	emit(c, op, 0);
	normalize(c, type);
	pushed(c, type);
}

/* A logical shift right of a signed entry must not draw in the copies of its sign. */
static void shift_right(struct compile *c, bool arithmetic)
{
	struct entry_type type = c->n > 1 ? c->types[c->n - 2] : plain;

	if (type.bits && type.bits < 64 && type.is_signed != arithmetic) {
		emit(c, LOC_SWAP, 0);
		emit(c, arithmetic ? LOC_SIGN_EXTEND : LOC_ZERO_EXTEND, type.bits);
		emit(c, LOC_SWAP, 0);
	}
	binary(c, arithmetic ? LOC_SAR : LOC_SHR);
}

static void convert(struct compile *c, const Dwarf_Op *op)
{
	struct entry_type from = popped(c), to;

	if (!base_type(c, op, &to))
		return;
	(void)from; /* its word already has the value extended */
	normalize(c, to);
	pushed(c, to);
}

static void read_as(struct compile *c, unsigned size)
{
	popped(c);
	if (size != 1 && size != 2 && size != 4 && size != 8)
		refuse(c, "a read of an odd width");
	emit(c, LOC_READ, size);
	pushed(c, plain);
}

/* With a type: a register or memory, extended as the type is. */
static void typed(struct compile *c, const Dwarf_Op *op)
{
	struct entry_type type;

	if (!base_type(c, op, &type))
		return;
	if (op->atom == DW_OP_deref_type || op->atom == DW_OP_GNU_deref_type)
		read_as(c, op->number);
	else
		push(c, LOC_REGISTER, op->number);
	popped(c);
	normalize(c, type);
	pushed(c, type);
}

static void typed_constant(struct compile *c, const Dwarf_Op *op)
{
	struct entry_type type;
	Dwarf_Attribute attr;
	Dwarf_Block block;
	int64_t value = 0;

	if (!base_type(c, op, &type))
		return;
	if (dwarf_getlocation_attr(c->attr, op, &attr) || dwarf_formblock(&attr, &block) ||
	    block.length > 8) {
		damaged(c);
		return;
	}
	memcpy(&value, block.data, block.length);
	emit(c, LOC_CONST, value);
	normalize(c, type);
	pushed(c, type);
}

static void pick(struct compile *c, unsigned depth)
{
	if (depth >= c->n) {
		damaged(c);
		return;
	}
	emit(c, LOC_PICK, depth);
	pushed(c, c->types[c->n - 1 - depth]);
}

static void reorder(struct compile *c, enum location_opcode op)
{
	struct entry_type a = popped(c), b = popped(c), d;

	emit(c, op, 0);
	if (op == LOC_SWAP) {
		pushed(c, a);
		pushed(c, b);
		return;
	}
	d = popped(c);
	pushed(c, a);
	pushed(c, d);
	pushed(c, b);
}

/* --- what an expression refers to ------------------------------------------------------------------ */

static void words(struct compile *c, const Dwarf_Op *ops, size_t n);

static void nested(struct compile *c, const Dwarf_Op *ops, size_t n)
{
	if (c->nesting == NESTING_MAX) {
		damaged(c);
		return;
	}
	c->nesting++;
	words(c, ops, n);
	c->nesting--;
}

static bool frame_from(struct compile *c, Dwarf_CFI *cfi, Dwarf_Addr bias)
{
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t n;

	if (!cfi || dwarf_cfi_addrframe(cfi, c->address + c->info->elf_bias - bias, &frame))
		return false;
	if (dwarf_frame_cfa(frame, &ops, &n) || !n) {
		free(frame);
		return false;
	}
	nested(c, ops, n);
	free(frame);
	return true;
}

static void frame_address(struct compile *c)
{
	Dwarf_Addr bias;
	Dwarf_CFI *cfi = frame_view_cfi(c->info, c->address);

	if (frame_from(c, cfi, c->info->elf_bias))
		return;
	cfi = dwfl_module_dwarf_cfi(c->info->module, &bias);
	if (frame_from(c, cfi, bias))
		return;
	cfi = dwfl_module_eh_cfi(c->info->module, &bias);
	if (!frame_from(c, cfi, bias) && !c->error)
		c->error = error_create(ENODATA, "its location counts from the frame, and no "
		                                 "unwinding table covers this address");
}

static void frame_base(struct compile *c, int64_t offset)
{
	Dwarf_Attribute base, *outer = c->attr;
	Dwarf_Op *ops;
	size_t n;

	if (!c->function || !dwarf_attr_integrate(c->function, DW_AT_frame_base, &base) ||
	    dwarf_getlocation_addr(&base, c->address, &ops, &n, 1) != 1) {
		damaged(c);
		return;
	}
	c->attr = &base;
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		push_register(c, ops[0].atom - DW_OP_reg0, 0); /* the register holds the base */
	else
		nested(c, ops, n);
	c->attr = outer;
	if (offset) {
		emit(c, LOC_CONST, offset);
		emit(c, LOC_ADD, 0);
	}
}

static void entry_value(struct compile *c, const Dwarf_Op *op)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_getlocation_attr(c->attr, op, &attr) || dwarf_getlocation(&attr, &ops, &n)) {
		damaged(c);
		return;
	}
	c->loc->uses_entry = true;
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		push(c, LOC_ENTRY_REGISTER, ops[0].atom - DW_OP_reg0);
	else if (n == 1 && ops[0].atom == DW_OP_regx)
		push(c, LOC_ENTRY_REGISTER, ops[0].number);
	else
		refuse(c, "more than a register of the function's entry");
}

static void address_index(struct compile *c, const Dwarf_Op *op, bool constant)
{
	Dwarf_Attribute attr;
	Dwarf_Addr address;

	if (dwarf_getlocation_attr(c->attr, op, &attr) || dwarf_formaddr(&attr, &address))
		damaged(c);
	else
		push(c, constant ? LOC_CONST : LOC_ADDRESS, address);
}

/* --- one operation after the other ------------------------------------------------------------------ */

static bool simple_word(struct compile *c, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_lit0 ... DW_OP_lit31: push(c, LOC_CONST, op->atom - DW_OP_lit0); break;
	case DW_OP_breg0 ... DW_OP_breg31:
		push_register(c, op->atom - DW_OP_breg0, op->number);
		break;
	case DW_OP_bregx: push_register(c, op->number, op->number2); break;
	case DW_OP_addr: push(c, LOC_ADDRESS, op->number); break;
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts: push(c, LOC_CONST, op->number); break;
	case DW_OP_dup: pick(c, 0); break;
	case DW_OP_over: pick(c, 1); break;
	case DW_OP_pick: pick(c, op->number); break;
	case DW_OP_drop:
		popped(c);
		emit(c, LOC_DROP, 0);
		break;
	case DW_OP_swap: reorder(c, LOC_SWAP); break;
	case DW_OP_rot: reorder(c, LOC_ROT); break;
	case DW_OP_deref: read_as(c, 8); break;
	case DW_OP_deref_size: read_as(c, op->number); break;
	case DW_OP_nop: break;
	default: return false;
	}
	return true;
}

static bool arithmetic_word(struct compile *c, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_plus: binary(c, LOC_ADD); break;
	case DW_OP_minus: binary(c, LOC_SUB); break;
	case DW_OP_mul: binary(c, LOC_MUL); break;
	case DW_OP_and: binary(c, LOC_AND); break;
	case DW_OP_or: binary(c, LOC_OR); break;
	case DW_OP_xor: binary(c, LOC_XOR); break;
	case DW_OP_shl: binary(c, LOC_SHL); break;
	case DW_OP_shr: shift_right(c, false); break;
	case DW_OP_shra: shift_right(c, true); break;
	case DW_OP_div: binary_signed(c, LOC_DIV_S, LOC_DIV_U, true); break;
	case DW_OP_mod: binary_signed(c, LOC_MOD_S, LOC_MOD_U, false); break;
	case DW_OP_neg: unary(c, LOC_NEG); break;
	case DW_OP_not: unary(c, LOC_NOT); break;
	case DW_OP_abs: unary(c, LOC_ABS); break;
	case DW_OP_plus_uconst:
		push(c, LOC_CONST, op->number);
		binary(c, LOC_ADD);
		break;
	case DW_OP_eq: comparison(c, LOC_EQ, LOC_EQ); break;
	case DW_OP_ne: comparison(c, LOC_NE, LOC_NE); break;
	case DW_OP_lt: comparison(c, LOC_LT_S, LOC_LT_U); break;
	case DW_OP_le: comparison(c, LOC_LE_S, LOC_LE_U); break;
	case DW_OP_gt: comparison(c, LOC_GT_S, LOC_GT_U); break;
	case DW_OP_ge: comparison(c, LOC_GE_S, LOC_GE_U); break;
	default: return false;
	}
	return true;
}

static bool referring_word(struct compile *c, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_fbreg: frame_base(c, op->number); break;
	case DW_OP_call_frame_cfa: frame_address(c); break;
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value: entry_value(c, op); break;
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index: address_index(c, op, false); break;
	case DW_OP_constx:
	case DW_OP_GNU_const_index: address_index(c, op, true); break;
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address: emit(c, LOC_TLS, 0); break;
	case DW_OP_convert:
	case DW_OP_GNU_convert:
	case DW_OP_reinterpret:
	case DW_OP_GNU_reinterpret: convert(c, op); break;
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
	case DW_OP_deref_type:
	case DW_OP_GNU_deref_type: typed(c, op); break;
	case DW_OP_const_type:
	case DW_OP_GNU_const_type: typed_constant(c, op); break;
	case DW_OP_GNU_parameter_ref:
	case DW_OP_GNU_variable_value: c->gone = true; break;
	default: return false;
	}
	return true;
}

/* A jump becomes one to the program's own operation; `starts` tells where each became what. */
static void jump(struct compile *c, const Dwarf_Op *ops, size_t n, size_t i, size_t fixups[])
{
	uint64_t target = ops[i].offset + 3 + (int16_t)ops[i].number;

	if (ops[i].atom == DW_OP_bra)
		popped(c);
	for (size_t j = i + 1; j <= n; j++) {
		if (j < n && ops[j].offset != target)
			continue;
		fixups[c->loc->op_count] = j + 1;
		emit(c, ops[i].atom == DW_OP_bra ? LOC_JUMP_IF : LOC_JUMP, 0);
		return;
	}
	refuse(c, "a loop");
}

static void words(struct compile *c, const Dwarf_Op *ops, size_t n)
{
	size_t fixups[LOCATION_OPS + 1] = {0}; /* of own operation: index + 1 of the target in ops */
	size_t starts[LOCATION_OPS + 1];
	size_t first = c->loc->op_count;
	char name[32];

	if (n > LOCATION_OPS)
		refuse(c, "too long an expression");
	for (size_t i = 0; i < n && !c->error; i++) {
		starts[i] = c->loc->op_count;
		if (ops[i].atom == DW_OP_bra || ops[i].atom == DW_OP_skip) {
			jump(c, ops, n, i, fixups);
		} else if (!simple_word(c, &ops[i]) && !arithmetic_word(c, &ops[i]) &&
		           !referring_word(c, &ops[i])) {
			snprintf(name, sizeof(name), "operation 0x%02x", ops[i].atom);
			refuse(c, name);
		}
	}
	if (c->error)
		return;
	starts[n] = c->loc->op_count;
	for (size_t i = first; i < c->loc->op_count; i++)
		if (fixups[i])
			c->loc->ops[i].arg = starts[fixups[i] - 1];
}

/* --- pieces ------------------------------------------------------------------------------------------- */

static bool ends_piece(const Dwarf_Op *op)
{
	return op->atom == DW_OP_piece || op->atom == DW_OP_bit_piece;
}

static void implicit_value(struct compile *c, const Dwarf_Op *op, struct location_piece *piece)
{
	Dwarf_Block block;

	if (dwarf_getlocation_implicit_value(c->attr, op, &block)) {
		damaged(c);
		return;
	}
	piece->kind = PIECE_BYTES;
	piece->bytes = block.data;
	piece->byte_count = block.length;
}

/* What makes a piece something else than memory stands last in it. */
static bool special_end(struct compile *c, const Dwarf_Op *op, struct location_piece *piece)
{
	switch (op->atom) {
	case DW_OP_reg0 ... DW_OP_reg31:
		piece->kind = PIECE_REGISTER;
		piece->reg = op->atom - DW_OP_reg0;
		return true;
	case DW_OP_regx:
		piece->kind = PIECE_REGISTER;
		piece->reg = op->number;
		return true;
	case DW_OP_stack_value:
		piece->kind = PIECE_VALUE;
		return true;
	case DW_OP_implicit_value:
		implicit_value(c, op, piece);
		return true;
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		piece->kind = PIECE_POINTER;
		return true;
	}
	return false;
}

static void piece_of(struct compile *c, const Dwarf_Op *ops, size_t n, const Dwarf_Op *end)
{
	struct location_piece piece = {.kind = n ? PIECE_MEMORY : PIECE_NONE,
	                               .first = c->loc->op_count};
	bool special = n && special_end(c, &ops[n - 1], &piece);

	if (c->loc->piece_count == LOCATION_PIECES) {
		refuse(c, "too many pieces");
		return;
	}
	c->n = 0;
	c->gone = false;
	words(c, ops, n - special);
	piece.count = c->loc->op_count - piece.first;
	if (c->gone)
		piece.kind = PIECE_NONE;
	if (end) {
		piece.bits = end->atom == DW_OP_piece ? end->number * 8 : end->number;
		piece.bit_offset = end->atom == DW_OP_bit_piece ? end->number2 : 0;
	}
	if (!end || piece.bits)
		c->loc->pieces[c->loc->piece_count++] = piece;
}

static void pieces(struct compile *c, const Dwarf_Op *ops, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i < n && !c->error; i++) {
		if (!ends_piece(&ops[i]))
			continue;
		piece_of(c, ops + start, i - start, &ops[i]);
		start = i + 1;
	}
	if (start < n && !c->error)
		piece_of(c, ops + start, n - start, NULL);
}

/*
 * An entry of a list for no bytes at all, at the very entry of the function, tells what holds before
 * anything of the body is done. The entry that covers the first instruction may already tell of
 * assignments that need no code: what came in as `n` may be `n + 1` there. Whoever stops at a
 * function's entry means the former.
 */
static bool at_entry(const struct compile *c, Dwarf_Op **ops, size_t *n)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	uint64_t entry;

	if (!c->function || !die_entry(c->function, &entry) || entry != c->address)
		return false;
	while ((at = dwarf_getlocations(c->attr, at, &base, &start, &end, ops, n)) > 0)
		if (start == end && start == c->address)
			return true;
	return false;
}

struct error *location_from_dwarf(struct debuginfo *info, Dwarf_Attribute *attr,
                                  Dwarf_Die *function, uint64_t address, struct location *ret)
{
	struct compile c = {.info = info, .attr = attr, .function = function, .address = address,
	                    .loc = ret};
	Dwarf_Op *ops;
	size_t n;
	int found;

	ret->op_count = ret->piece_count = 0;
	ret->uses_entry = false;
	found = at_entry(&c, &ops, &n) ? 1 : dwarf_getlocation_addr(attr, address, &ops, &n, 1);
	if (found < 0)
		damaged(&c);
	else if (found > 0)
		pieces(&c, ops, n);
	return c.error;
}

struct error *location_of_frame(struct debuginfo *info, uint64_t address, struct location *ret)
{
	struct compile c = {.info = info, .address = address, .loc = ret};
	struct error *error = debuginfo_check_dwarf(info);

	ret->op_count = ret->piece_count = 0;
	ret->uses_entry = false;
	if (error)
		return error;
	frame_address(&c);
	ret->pieces[ret->piece_count++] =
	    (struct location_piece){.kind = PIECE_VALUE, .count = ret->op_count};
	return c.error;
}

struct error *location_from_constant(Dwarf_Attribute *attr, struct location *ret)
{
	struct location_piece piece = {.kind = PIECE_VALUE, .count = 1};
	Dwarf_Block block;
	Dwarf_Word value;

	ret->op_count = ret->piece_count = 0;
	ret->uses_entry = false;
	if (dwarf_formblock(attr, &block) == 0) {
		piece = (struct location_piece){.kind = PIECE_BYTES, .bytes = block.data,
		                                .byte_count = block.length};
	} else if (dwarf_formsdata(attr, (Dwarf_Sword *)&value) == 0 ||
	           dwarf_formudata(attr, &value) == 0) {
		ret->ops[ret->op_count++] = (struct location_op){LOC_CONST, value};
	} else {
		const char *text = dwarf_formstring(attr);

		if (!text)
			return error_create(EINVAL, "its constant value is damaged");
		piece = (struct location_piece){.kind = PIECE_BYTES,
		                                .bytes = (const unsigned char *)text,
		                                .byte_count = strlen(text) + 1};
	}
	ret->pieces[ret->piece_count++] = piece;
	return NULL;
}
