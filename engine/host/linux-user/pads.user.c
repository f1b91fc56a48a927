// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/pads.user.c - the places that watched calls return to.
 *
 * A watched call's return address is replaced by that of a *pad*. Every instance of a return probe
 * has one of its own, and at a fixed distance behind each pad lies the real return address:
 *
 *     base                    pads: 16 bytes of code each
 *     base + PADS_DISTANCE    for each pad: real return address, instance
 *
 * The distance is what makes stacks readable. An unwinder that finds a pad in place of a return
 * address asks the unwind tables what to do at a pad, and they say in three operations:
 *
 *     the caller's frame is at rsp; its address is at (rip & -16) + PADS_DISTANCE
 *
 * (The frame's name is rsp - 8: libgcc tells frames apart by their names, and the watched function's
 * has rsp.) So exceptions, backtrace() and thread cancellation pass watched calls as if nothing were there.
 * One trampoline for all calls could not do that: from its address alone nobody can tell the call.
 * (Rejected: putting the real addresses back when something unwinds. It needs probes on the
 * unwinder's own functions, and finds out too late that the exception is caught below.)
 *
 * Address space for 2 million pads is reserved; memory is taken in pieces, as pads are used.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/arch/x86/code.h"
#include "engine/host.h"
#include "engine/host/linux-user/pads.h"
#include "engine/host/linux-user/text.h"

#define ROW 16        /* pads that are handed out together */
#define ROW_BYTES (ROW * PAD_BYTES)
#define ROWS (PADS_DISTANCE / ROW_BYTES)
#define PIECE 0x10000u /* bytes that are made accessible together */

/* Of libgcc_s; a program without it has nothing that unwinds. */
extern void __register_frame(const void *tables) __attribute__((weak));
extern void spile_pad_return(void); /* return_entry.user.c */

uint64_t pads_base;
static uint8_t *rows_taken;  /* one byte each */
static unsigned ready;       /* pieces that are accessible */
static unsigned hint;

/* --- the unwind tables ------------------------------------------------------------------------- */

#define DW_CFA_NOP 0x00
#define DW_CFA_EXPRESSION 0x10
#define DW_CFA_DEF_CFA_SF 0x12
#define DW_CFA_VAL_OFFSET_SF 0x15
#define DW_OP_CONST1S 0x09
#define DW_OP_AND 0x1a
#define DW_OP_PLUS_UCONST 0x23
#define DW_OP_BREG_RIP 0x80
#define REG_RSP 7
#define REG_RIP_COLUMN 16

struct __attribute__((packed)) tables {
	struct __attribute__((packed)) {
		uint32_t length, id;
		uint8_t version, letters[3];       /* "zR": a byte tells how addresses are written */
		uint8_t code_align, data_align, ret_column;
		uint8_t more, encoding;            /* plain 8 bytes */
		uint8_t def_cfa[3], sp[3], rule[3];
		uint8_t expression[10];
		uint8_t nops[4];
	} common;
	struct __attribute__((packed)) {
		uint32_t length, common;
		uint64_t start, size;
		uint8_t more, nops[3];
	} record;
	uint32_t end;
};

static struct tables tables = {
	.common = {
		.length = sizeof(tables.common) - 4,
		.version = 1,
		.letters = "zR",
		.code_align = 1,
		.data_align = 0x78, /* -8 */
		.ret_column = REG_RIP_COLUMN,
		.more = 1,
		.def_cfa = { DW_CFA_DEF_CFA_SF, REG_RSP, 1 }, /* counted in data_align: rsp - 8 */
		.sp = { DW_CFA_VAL_OFFSET_SF, REG_RSP, 0x7f }, /* that, + 8 */
		.rule = { DW_CFA_EXPRESSION, REG_RIP_COLUMN, 10 },
		.expression = { DW_OP_BREG_RIP, 0, DW_OP_CONST1S, 0xf0, DW_OP_AND,
				DW_OP_PLUS_UCONST, 0x80, 0x80, 0x80, 0x10 /* PADS_DISTANCE */ },
	},
	.record = {
		.length = sizeof(tables.record) - 4,
		.common = sizeof(tables.common) + 4,
		.size = PADS_DISTANCE,
	},
};

_Static_assert(PADS_DISTANCE == 0x10u << 21, "the expression's last operand");

/* --- pads -------------------------------------------------------------------------------------- */

int pads_init(void)
{
	void *p = mmap(NULL, 2 * PADS_DISTANCE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	rows_taken = calloc(ROWS, 1);
	if (p == MAP_FAILED || !rows_taken)
		return -ENOMEM;
	rows_taken[0] = 1; /* unwinders look one byte before a return address */
	pads_base = (uint64_t)(uintptr_t)p;
	tables.record.start = pads_base;
	if (__register_frame)
		__register_frame(&tables);
	return 0;
}

/* push instance; jmp trampoline: the instance takes the place of the return address. */
static void pad_write(uint8_t *out, uint64_t at)
{
	struct x86_code c = { .out = out, .room = PAD_BYTES, .at = at };
	/* Where the trampoline's address is: the data of the first pad, which is never used. */
	uint64_t trampoline = (uint64_t)(uintptr_t)&pad_of(pads_base)->instance;

	CODE(&c, 0xff, 0x35);
	code_rel32(&c, (uint64_t)(uintptr_t)&pad_of(at)->instance);
	CODE(&c, 0xff, 0x25);
	code_rel32(&c, trampoline);
	memset(out + c.size, 0xcc, PAD_BYTES - c.size);
}

/* Makes the next piece usable: its code is written before it can be run. */
static bool piece_create(void)
{
	uint64_t at = pads_base + (uint64_t)ready * PIECE;
	void *code = (void *)(uintptr_t)at;

	if ((ready + 1) * PIECE > PADS_DISTANCE ||
	    mprotect((void *)pad_of(at), PIECE, PROT_READ | PROT_WRITE) ||
	    mprotect(code, PIECE, PROT_READ | PROT_WRITE))
		return false;
	for (unsigned i = 0; i < PIECE; i += PAD_BYTES)
		pad_write((uint8_t *)code + i, at + i);
	if (!ready)
		pad_of(pads_base)->instance = (void *)spile_pad_return;
	if (mprotect(code, PIECE, PROT_READ | PROT_EXEC))
		return false;
	ready++;
	return true;
}

static bool rows_free(unsigned first, unsigned n)
{
	while (n && !rows_taken[first + n - 1])
		n--;
	return !n;
}

uint64_t pads_alloc(unsigned n)
{
	unsigned rows = (n + ROW - 1) / ROW;

	for (unsigned tried = 0; tried < ROWS; tried++) {
		unsigned first = (hint + tried) % ROWS;

		if (first + rows > ROWS || !rows_free(first, rows))
			continue;
		while ((uint64_t)(first + rows) * ROW_BYTES > (uint64_t)ready * PIECE)
			if (!piece_create())
				return 0;
		memset(rows_taken + first, 1, rows);
		hint = first + rows;
		return pads_base + (uint64_t)first * ROW_BYTES;
	}
	return 0;
}

void pads_free(uint64_t first, unsigned n)
{
	unsigned row = (first - pads_base) / ROW_BYTES;

	memset(rows_taken + row, 0, (n + ROW - 1) / ROW);
	if (row < hint)
		hint = row;
}
