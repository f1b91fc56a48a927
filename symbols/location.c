// SPDX-License-Identifier: GPL-2.0-only
/* symbols/location.c - runs and prints the programs that location.h describes. */
#include "symbols/location.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const register_names[] = {
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
	"r12", "r13", "r14", "r15", "rip", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
	"xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
};

const char *location_register_name(unsigned reg)
{
	return reg < sizeof(register_names) / sizeof(register_names[0]) ? register_names[reg] : "?";
}

bool location_is_none(const struct location *loc)
{
	for (size_t i = 0; i < loc->piece_count; i++)
		if (loc->pieces[i].kind != PIECE_NONE && loc->pieces[i].kind != PIECE_POINTER)
			return false;
	return true;
}

/* --- running ----------------------------------------------------------------------------------- */

struct run {
	const struct location_machine *m;
	uint64_t s[LOCATION_STACK];
	unsigned n;
	int err; /* errno of what went wrong first */
	const char *reason;
};

static void fail(struct run *r, int err, const char *reason)
{
	if (r->err)
		return;
	r->err = err;
	r->reason = reason;
}

static void push(struct run *r, uint64_t value)
{
	if (r->n == LOCATION_STACK)
		fail(r, EINVAL, "its expression needs too much stack");
	else
		r->s[r->n++] = value;
}

static uint64_t pop(struct run *r)
{
	if (!r->n) {
		fail(r, EINVAL, "its expression takes more from the stack than is there");
		return 0;
	}
	return r->s[--r->n];
}

static uint64_t read_register(struct run *r, bool entry, unsigned reg)
{
	uint64_t value = 0;

	if (entry && (!r->m->read_entry_register ||
	              !r->m->read_entry_register(r->m->context, reg, &value)))
		fail(r, ENODATA, "it is known only at the function's entry");
	if (!entry && !r->m->read_register(r->m->context, reg, &value))
		fail(r, ENODATA, "a register of it is not known here");
	return value;
}

static uint64_t read_memory(struct run *r, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	if (size > 8)
		fail(r, EINVAL, "its expression reads more than a word");
	else if (!r->err && !r->m->read_memory(r->m->context, address, &value, size))
		fail(r, EFAULT, "memory cannot be read");
	return value;
}

static uint64_t extend(uint64_t value, unsigned bits, bool is_signed)
{
	unsigned drop = bits < 64 ? 64 - bits : 0;

	return is_signed ? (uint64_t)((int64_t)(value << drop) >> drop) : value << drop >> drop;
}

static uint64_t divide(struct run *r, enum location_opcode op, uint64_t a, uint64_t b)
{
	bool overflow = (int64_t)b == -1; /* the processor traps at INT64_MIN / -1 */

	if (!b) {
		fail(r, EINVAL, "its expression divides by zero");
		return 0;
	}
	switch (op) {
	case LOC_DIV_S:
		return overflow ? -a : (uint64_t)((int64_t)a / (int64_t)b);
	case LOC_MOD_S:
		return overflow ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
	case LOC_DIV_U:
		return a / b;
	default:
		return a % b;
	}
}

static uint64_t shift(enum location_opcode op, uint64_t a, uint64_t b)
{
	switch (op) {
	case LOC_SHL:
		return b > 63 ? 0 : a << b;
	case LOC_SHR:
		return b > 63 ? 0 : a >> b;
	default:
		return (uint64_t)((int64_t)a >> (b > 63 ? 63 : b));
	}
}

static uint64_t compare(enum location_opcode op, uint64_t a, uint64_t b)
{
	int64_t x = a, y = b;

	switch (op) {
	case LOC_EQ: return a == b;
	case LOC_NE: return a != b;
	case LOC_LT_S: return x < y;
	case LOC_LE_S: return x <= y;
	case LOC_GT_S: return x > y;
	case LOC_GE_S: return x >= y;
	case LOC_LT_U: return a < b;
	case LOC_LE_U: return a <= b;
	case LOC_GT_U: return a > b;
	default: return a >= b;
	}
}

static uint64_t binary(struct run *r, enum location_opcode op, uint64_t a, uint64_t b)
{
	switch (op) {
	case LOC_ADD: return a + b;
	case LOC_SUB: return a - b;
	case LOC_MUL: return a * b;
	case LOC_AND: return a & b;
	case LOC_OR: return a | b;
	case LOC_XOR: return a ^ b;
	case LOC_SHL:
	case LOC_SHR:
	case LOC_SAR: return shift(op, a, b);
	case LOC_DIV_S:
	case LOC_DIV_U:
	case LOC_MOD_S:
	case LOC_MOD_U: return divide(r, op, a, b);
	default: return compare(op, a, b);
	}
}

static void shuffle(struct run *r, const struct location_op *op)
{
	uint64_t a = pop(r), b, c;

	switch (op->op) {
	case LOC_DUP:
		push(r, a);
		push(r, a);
		break;
	case LOC_SWAP:
		b = pop(r);
		push(r, a);
		push(r, b);
		break;
	case LOC_ROT:
		b = pop(r);
		c = pop(r);
		push(r, a);
		push(r, c);
		push(r, b);
		break;
	case LOC_PICK:
		push(r, a);
		if (op->arg < 0 || op->arg >= r->n)
			fail(r, EINVAL, "its expression takes more from the stack than is there");
		else
			push(r, r->s[r->n - 1 - op->arg]);
		break;
	default: /* LOC_DROP */
		break;
	}
}

static void unary(struct run *r, const struct location_op *op)
{
	uint64_t a = pop(r);

	switch (op->op) {
	case LOC_NEG: a = -a; break;
	case LOC_NOT: a = ~a; break;
	case LOC_ABS: a = (int64_t)a < 0 ? -a : a; break;
	case LOC_READ: a = read_memory(r, a, op->arg); break;
	case LOC_TLS:
		if (!r->m->tls)
			fail(r, ENODATA, "it is a thread's own and the thread is not known");
		a += r->m->tls;
		break;
	default: a = extend(a, op->arg, op->op == LOC_SIGN_EXTEND); break;
	}
	push(r, a);
}

static void step(struct run *r, const struct location_op *op)
{
	uint64_t a, b;

	switch (op->op) {
	case LOC_CONST: push(r, op->arg); break;
	case LOC_ADDRESS: push(r, op->arg + r->m->load_bias); break;
	case LOC_REGISTER: push(r, read_register(r, false, op->arg)); break;
	case LOC_ENTRY_REGISTER: push(r, read_register(r, true, op->arg)); break;
	case LOC_DUP:
	case LOC_DROP:
	case LOC_SWAP:
	case LOC_ROT:
	case LOC_PICK: shuffle(r, op); break;
	case LOC_NEG:
	case LOC_NOT:
	case LOC_ABS:
	case LOC_READ:
	case LOC_TLS:
	case LOC_ZERO_EXTEND:
	case LOC_SIGN_EXTEND: unary(r, op); break;
	default:
		b = pop(r);
		a = pop(r);
		push(r, binary(r, op->op, a, b));
	}
}

/* The value that a piece's program leaves. Jumps go forward, so `i` only grows. */
static uint64_t run_piece(struct run *r, const struct location *loc,
                          const struct location_piece *piece)
{
	size_t end = piece->first + piece->count;

	r->n = 0;
	for (size_t i = piece->first; i < end && !r->err; i++) {
		const struct location_op *op = &loc->ops[i];

		if (op->op == LOC_JUMP || (op->op == LOC_JUMP_IF && pop(r))) {
			if (op->arg <= (int64_t)i || op->arg > (int64_t)end)
				fail(r, EINVAL, "its expression jumps out of itself");
			else
				i = op->arg - 1;
		} else if (op->op != LOC_JUMP_IF) {
			step(r, op);
		}
	}
	return pop(r);
}

/* --- bytes --------------------------------------------------------------------------------------- */

static void read_low_bytes(struct run *r, const struct location_piece *piece, unsigned char *buf,
                           size_t size)
{
	const struct location_machine *m = r->m;
	uint64_t value;

	memset(buf, 0, size);
	if (piece->reg >= 17 && m->read_vector && size <= 16) {
		unsigned char vector[16];

		if (!m->read_vector(m->context, piece->reg, vector))
			fail(r, ENODATA, "a register of it is not known here");
		memcpy(buf, vector, size);
	} else {
		value = read_register(r, false, piece->reg);
		memcpy(buf, &value, size < 8 ? size : 8);
	}
}

/* Fills buf with the bytes that hold the piece, its bit_offset included. */
static void fetch(struct run *r, const struct location *loc, const struct location_piece *piece,
                  unsigned char *buf, size_t size)
{
	uint64_t value;

	switch (piece->kind) {
	case PIECE_MEMORY:
		value = run_piece(r, loc, piece);
		if (!r->err && !r->m->read_memory(r->m->context, value, buf, size))
			fail(r, EFAULT, "memory cannot be read");
		break;
	case PIECE_VALUE:
		value = run_piece(r, loc, piece);
		memset(buf, 0, size);
		memcpy(buf, &value, size < 8 ? size : 8);
		break;
	case PIECE_REGISTER:
		read_low_bytes(r, piece, buf, size);
		break;
	case PIECE_BYTES:
		memset(buf, 0, size);
		memcpy(buf, piece->bytes, size < piece->byte_count ? size : piece->byte_count);
		break;
	default:
		fail(r, ENODATA, "it was optimized out");
	}
}

static void copy_bits(unsigned char *dst, unsigned at, const unsigned char *src, unsigned from,
                      unsigned bits)
{
	for (unsigned i = 0; i < bits; i++, at++, from++) {
		unsigned bit = src[from / 8] >> (from % 8) & 1;

		dst[at / 8] = (dst[at / 8] & ~(1u << (at % 8))) | bit << (at % 8);
	}
}

#define PIECE_BYTES_MAX (1u << 20)

static void take_piece(struct run *r, const struct location *loc,
                       const struct location_piece *piece, unsigned char *dst, unsigned at,
                       unsigned bits)
{
	size_t size = (piece->bit_offset + (size_t)bits + 7) / 8;
	unsigned char *buf;

	if (piece->bit_offset > PIECE_BYTES_MAX || size > PIECE_BYTES_MAX) {
		fail(r, EINVAL, "it is too large");
		return;
	}
	buf = malloc(size ? size : 1);
	if (!buf)
		abort();
	fetch(r, loc, piece, buf, size);
	if (!r->err)
		copy_bits(dst, at, buf, piece->bit_offset, bits);
	free(buf);
}

struct error *location_evaluate(const struct location *loc, const struct location_machine *m,
                                void *dst, size_t size)
{
	struct run r = {.m = m};
	size_t at = 0, all = size * 8;

	if (size > PIECE_BYTES_MAX)
		return error_create(EINVAL, "cannot be read: it is too large");
	if (!loc->piece_count)
		fail(&r, ENODATA, "it was optimized out");
	memset(dst, 0, size);
	for (size_t i = 0; i < loc->piece_count && !r.err && at < all; i++) {
		const struct location_piece *piece = &loc->pieces[i];
		size_t bits = piece->bits && piece->bits < all - at ? piece->bits : all - at;

		take_piece(&r, loc, piece, dst, at, bits);
		at += bits;
	}
	if (!r.err && at < all)
		fail(&r, ENODATA, "a part of it was optimized out");
	return r.err ? error_create(r.err, "cannot be read: %s", r.reason) : NULL;
}

struct error *location_address(const struct location *loc, const struct location_machine *m,
                               uint64_t *ret)
{
	struct run r = {.m = m};

	if (loc->piece_count != 1 || loc->pieces[0].kind != PIECE_MEMORY)
		return error_create(ENODATA, "it has no address: it is not in memory");
	*ret = run_piece(&r, loc, &loc->pieces[0]);
	return r.err ? error_create(r.err, "cannot be read: %s", r.reason) : NULL;
}

/* --- printing ------------------------------------------------------------------------------------ */

#define PRINT_ROOM 2048

/* Operands as text. Deep programs are cut: this is for people. */
struct words {
	char *s[LOCATION_STACK];
	unsigned n;
};

static void push_text(struct words *w, const char *fmt, const char *a, const char *b)
{
	char *text;

	if (asprintf(&text, fmt, a, b) < 0)
		abort();
	if (strlen(text) > PRINT_ROOM)
		strcpy(text + PRINT_ROOM - 4, "...");
	if (w->n == LOCATION_STACK)
		free(text);
	else
		w->s[w->n++] = text;
}

static char *pop_text(struct words *w)
{
	return w->n ? w->s[--w->n] : strdup("?");
}

static void push_number(struct words *w, int64_t value, bool is_address)
{
	char text[32];

	if (is_address || value > 0xffff || value < -0xffff)
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	else
		snprintf(text, sizeof(text), "%lld", (long long)value);
	push_text(w, "%s%s", text, "");
}

static const char *const formats[LOC_OPCODES] = {
	[LOC_ADD] = "(%s + %s)", [LOC_SUB] = "(%s - %s)", [LOC_MUL] = "(%s * %s)",
	[LOC_DIV_S] = "(%s / %s)", [LOC_DIV_U] = "(%s /u %s)", [LOC_MOD_S] = "(%s %% %s)",
	[LOC_MOD_U] = "(%s %%u %s)", [LOC_AND] = "(%s & %s)", [LOC_OR] = "(%s | %s)",
	[LOC_XOR] = "(%s ^ %s)", [LOC_SHL] = "(%s << %s)", [LOC_SHR] = "(%s >> %s)",
	[LOC_SAR] = "(%s >>s %s)", [LOC_EQ] = "(%s == %s)", [LOC_NE] = "(%s != %s)",
	[LOC_LT_S] = "(%s < %s)", [LOC_LE_S] = "(%s <= %s)", [LOC_GT_S] = "(%s > %s)",
	[LOC_GE_S] = "(%s >= %s)", [LOC_LT_U] = "(%s <u %s)", [LOC_LE_U] = "(%s <=u %s)",
	[LOC_GT_U] = "(%s >u %s)", [LOC_GE_U] = "(%s >=u %s)",
};

static void print_unary(struct words *w, const struct location_op *op)
{
	char *a = pop_text(w), prefix[32];

	switch (op->op) {
	case LOC_NEG: push_text(w, "-%s%s", a, ""); break;
	case LOC_NOT: push_text(w, "~%s%s", a, ""); break;
	case LOC_ABS: push_text(w, "abs(%s)%s", a, ""); break;
	case LOC_TLS: push_text(w, "tls(%s)%s", a, ""); break;
	default:
		snprintf(prefix, sizeof(prefix), op->op == LOC_READ ? "*(u%d *)" : "(%c%d)",
		         op->op == LOC_READ ? (int)op->arg * 8 : op->op == LOC_SIGN_EXTEND ? 's'
		                                                                           : 'u',
		         (int)op->arg);
		push_text(w, "%s%s", prefix, a);
	}
	free(a);
}

static void print_shuffle(struct words *w, const struct location_op *op)
{
	char *a = pop_text(w), *b, *c;

	switch (op->op) {
	case LOC_DUP:
		push_text(w, "%s%s", a, "");
		push_text(w, "%s%s", a, "");
		break;
	case LOC_SWAP:
		b = pop_text(w);
		push_text(w, "%s%s", a, "");
		push_text(w, "%s%s", b, "");
		free(b);
		break;
	case LOC_ROT:
		b = pop_text(w);
		c = pop_text(w);
		push_text(w, "%s%s", a, "");
		push_text(w, "%s%s", c, "");
		push_text(w, "%s%s", b, "");
		free(b);
		free(c);
		break;
	case LOC_PICK:
		push_text(w, "%s%s", a, "");
		push_text(w, "%s%s",
		          op->arg >= 0 && op->arg < w->n ? w->s[w->n - 1 - op->arg] : "?", "");
		break;
	default:
		break;
	}
	free(a);
}

static void print_op(struct words *w, const struct location_op *op)
{
	char *a, *b;

	switch (op->op) {
	case LOC_CONST: push_number(w, op->arg, false); break;
	case LOC_ADDRESS: push_number(w, op->arg, true); break;
	case LOC_REGISTER: push_text(w, "%s%s", location_register_name(op->arg), ""); break;
	case LOC_ENTRY_REGISTER:
		push_text(w, "entry(%s)%s", location_register_name(op->arg), "");
		break;
	case LOC_JUMP:
	case LOC_JUMP_IF: push_text(w, "%s%s", "branch", ""); break;
	case LOC_DUP:
	case LOC_DROP:
	case LOC_SWAP:
	case LOC_ROT:
	case LOC_PICK: print_shuffle(w, op); break;
	default:
		if (!formats[op->op]) {
			print_unary(w, op);
			break;
		}
		b = pop_text(w);
		a = pop_text(w);
		push_text(w, formats[op->op], a, b);
		free(a);
		free(b);
	}
}

static void print_program(const struct location *loc, const struct location_piece *piece,
                          struct strbuf *out)
{
	struct words w = {.n = 0};
	char *text;

	for (size_t i = 0; i < piece->count; i++)
		print_op(&w, &loc->ops[piece->first + i]);
	text = pop_text(&w);
	strbuf_adds(out, text);
	free(text);
	while (w.n)
		free(pop_text(&w));
}

static void print_piece(const struct location *loc, const struct location_piece *piece,
                        struct strbuf *out)
{
	switch (piece->kind) {
	case PIECE_MEMORY:
		strbuf_adds(out, "*");
		print_program(loc, piece, out);
		break;
	case PIECE_VALUE:
		print_program(loc, piece, out);
		break;
	case PIECE_REGISTER:
		strbuf_adds(out, location_register_name(piece->reg));
		break;
	case PIECE_BYTES:
		strbuf_addf(out, "%zu constant bytes", piece->byte_count);
		break;
	case PIECE_POINTER:
		strbuf_adds(out, "pointer to no memory");
		break;
	case PIECE_NONE:
		strbuf_adds(out, "optimized out");
		break;
	}
	if (piece->bits)
		strbuf_addf(out, ":%u", piece->bits);
}

void location_print(const struct location *loc, struct strbuf *out)
{
	if (!loc->piece_count)
		strbuf_adds(out, "optimized out");
	for (size_t i = 0; i < loc->piece_count; i++) {
		if (i)
			strbuf_adds(out, ", ");
		print_piece(loc, &loc->pieces[i], out);
	}
}
