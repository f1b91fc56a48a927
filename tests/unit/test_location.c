// SPDX-License-Identifier: GPL-2.0-only
/* Location programs, run and printed: each operation, pieces, and what goes wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/location.h"

static bool read_register(void *context, unsigned reg, uint64_t *ret)
{
	*ret = 1000 + reg;
	return reg < 16;
}

static bool read_entry(void *context, unsigned reg, uint64_t *ret)
{
	*ret = 2000 + reg;
	return true;
}

/* Memory from 5000 to 5099 holds its own offsets. */
static bool read_memory(void *context, uint64_t address, void *dst, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)dst)[i] = address - 5000 + i;
	return address >= 5000 && address + size <= 5100;
}

static struct location_machine machine = {
    .read_register = read_register,
    .read_entry_register = read_entry,
    .read_memory = read_memory,
    .load_bias = 100,
};

static struct location program(enum piece_kind kind, const struct location_op *ops, size_t n)
{
	struct location loc = {.op_count = n, .piece_count = 1};

	memcpy(loc.ops, ops, n * sizeof(*ops));
	loc.pieces[0] = (struct location_piece){.kind = kind, .count = n};
	return loc;
}

#define PROGRAM(kind, ...)                                                                         \
	program(kind, (const struct location_op[]){__VA_ARGS__},                                   \
	        sizeof((const struct location_op[]){__VA_ARGS__}) / sizeof(struct location_op))

static uint64_t value_of(struct location loc)
{
	uint64_t value = 0;
	struct error *error = location_evaluate(&loc, &machine, &value, 8);

	if (error)
		fail_msg("%s", error->message);
	return value;
}

static int error_of(struct location loc)
{
	uint64_t value;
	struct error *error = location_evaluate(&loc, &machine, &value, 8);
	int err = error ? error->err : 0;

	error_destroy(error);
	return err;
}

#define BINARY(op, a, b) value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, a}, {LOC_CONST, b}, {op, 0}))

static void test_arithmetic(void **state)
{
	assert_int_equal(BINARY(LOC_ADD, 40, 2), 42);
	assert_int_equal(BINARY(LOC_SUB, 40, 2), 38);
	assert_int_equal(BINARY(LOC_DIV_S, -40, 4), -10);
	assert_int_equal(BINARY(LOC_DIV_U, -1, 2), INT64_MAX);
	assert_int_equal(BINARY(LOC_MOD_S, -7, 4), -3);
	assert_int_equal(BINARY(LOC_DIV_S, INT64_MIN, -1), INT64_MIN);
	assert_int_equal(BINARY(LOC_SHR, -1, 60), 15);
	assert_int_equal(BINARY(LOC_SAR, -16, 2), -4);
	assert_int_equal(BINARY(LOC_SAR, -16, 200), -1);
	assert_int_equal(BINARY(LOC_SHL, 1, 64), 0);
	assert_int_equal(BINARY(LOC_LT_S, -1, 1), 1);
	assert_int_equal(BINARY(LOC_LT_U, -1, 1), 0);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 0x1ff}, {LOC_SIGN_EXTEND, 8})), -1);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, -1}, {LOC_ZERO_EXTEND, 16})),
	                 0xffff);
}

static void test_stack(void **state)
{
	/* 1 2 3 rot: 3 1 2; swap, minus: 3 (2 - 1) -> 3 - 1 */
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 1}, {LOC_CONST, 2}, {LOC_CONST, 3},
	                                  {LOC_ROT, 0}, {LOC_SWAP, 0}, {LOC_SUB, 0}, {LOC_SUB, 0})),
	                 2);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 7}, {LOC_CONST, 8},
	                                  {LOC_PICK, 1})),
	                 7);
	/* 1 ? 5 : 6 */
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 1}, {LOC_JUMP_IF, 4},
	                                  {LOC_CONST, 6}, {LOC_JUMP, 5}, {LOC_CONST, 5})),
	                 5);
}

static void test_machine(void **state)
{
	struct location reg = {.piece_count = 1, .pieces = {{.kind = PIECE_REGISTER, .reg = 7}}};
	uint64_t address;
	struct location memory =
	    PROGRAM(PIECE_MEMORY, {LOC_REGISTER, 4}, {LOC_CONST, 4000}, {LOC_ADD, 0});

	assert_int_equal(value_of(reg), 1007);
	assert_int_equal(value_of(memory), 0x0b0a090807060504);
	assert_null(location_address(&memory, &machine, &address));
	assert_int_equal(address, 5004);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 5016}, {LOC_READ, 2})), 0x1110);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_ADDRESS, 5})), 105);
	assert_int_equal(value_of(PROGRAM(PIECE_VALUE, {LOC_ENTRY_REGISTER, 5})), 2005);
}

/* 12 bits of rsp (0x3ef), then 4 bits of a value from its bit 4 on, the rest gone. */
static void test_pieces(void **state)
{
	struct location loc = PROGRAM(PIECE_VALUE, {LOC_CONST, 0x5a});
	unsigned char two[2];

	loc.pieces[1] = loc.pieces[0];
	loc.pieces[0] = (struct location_piece){.kind = PIECE_REGISTER, .reg = 7, .bits = 12};
	loc.pieces[1].bits = 4;
	loc.pieces[1].bit_offset = 4;
	loc.piece_count = 2;
	assert_null(location_evaluate(&loc, &machine, two, 2));
	assert_int_equal(two[0] | two[1] << 8, 0x53ef);
	assert_int_equal(error_of(loc), ENODATA);
}

static void test_errors(void **state)
{
	struct location none = {.piece_count = 0};
	struct location loop = PROGRAM(PIECE_VALUE, {LOC_CONST, 1}, {LOC_JUMP, 0});
	struct location_machine no_entry = machine;
	struct location entry = PROGRAM(PIECE_VALUE, {LOC_ENTRY_REGISTER, 5});
	struct error *error;
	uint64_t value;

	assert_int_equal(error_of(none), ENODATA);
	assert_true(location_is_none(&none));
	assert_int_equal(error_of(PROGRAM(PIECE_MEMORY, {LOC_CONST, 1})), EFAULT);
	assert_int_equal(error_of(PROGRAM(PIECE_VALUE, {LOC_ADD, 0})), EINVAL);
	assert_int_equal(error_of(PROGRAM(PIECE_VALUE, {LOC_CONST, 1}, {LOC_CONST, 0},
	                                  {LOC_DIV_S, 0})),
	                 EINVAL);
	assert_int_equal(error_of(loop), EINVAL);
	no_entry.read_entry_register = NULL;
	error = location_evaluate(&entry, &no_entry, &value, 8);
	assert_int_equal(error->err, ENODATA);
	error_destroy(error);
}

static void check_print(struct location loc, const char *text)
{
	struct strbuf sb;

	strbuf_init(&sb);
	location_print(&loc, &sb);
	assert_string_equal(sb.data, text);
	strbuf_deinit(&sb);
}

static void test_print(void **state)
{
	check_print(PROGRAM(PIECE_MEMORY, {LOC_REGISTER, 7}, {LOC_CONST, -24}, {LOC_ADD, 0}),
	            "*(rsp + -24)");
	check_print(PROGRAM(PIECE_VALUE, {LOC_REGISTER, 5}, {LOC_READ, 4}), "*(u32 *)rdi");
	check_print(PROGRAM(PIECE_VALUE, {LOC_ENTRY_REGISTER, 5}), "entry(rdi)");
	check_print((struct location){.piece_count = 0}, "optimized out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_stack),
	    cmocka_unit_test(test_machine),    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_errors),     cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
