// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locations as C: random programs are translated (codegen/location.c), compiled, and run here; each must
 * give what symbols/location.c gives when it runs them itself, which gdb vouches for
 * (test_variables.c). SPILE_SEED=n repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "codegen/codegen_private.h"
#include "runtime/script.h"
#include "symbols/location.h"

enum { CASES = 400, REGISTERS = 17 };

#define MEMORY_AT 0x10000
#define FILE_AT 0x700000 /* what the file's addresses are moved by */

static unsigned char memory[256];
static uint64_t registers[REGISTERS];
static struct location locations[CASES];
static unsigned seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* --- random programs -------------------------------------------------------------------------------- */

static void add(struct location *loc, enum location_opcode op, int64_t arg)
{
	loc->ops[loc->op_count++] = (struct location_op){op, arg};
}

static int64_t pick_number(void)
{
	static const int64_t numbers[] = {0, 1, -1, 2, 7, 63, 64, -24, 0x7fffffff, INT64_MIN};

	return pick(3) ? numbers[pick(10)] : (int64_t)pick(1000) - 500;
}

static void add_unary(struct location *loc)
{
	static const enum location_opcode ops[] = {LOC_NEG, LOC_NOT, LOC_ABS, LOC_ZERO_EXTEND,
	                                           LOC_SIGN_EXTEND};

	add(loc, ops[pick(5)], 8 << pick(4));
}

/* Adds an operation that the depth allows; returns the new depth. */
static int add_random(struct location *loc, int depth)
{
	if (depth >= 2 && pick(2)) {
		add(loc, LOC_ADD + pick(LOC_SAR - LOC_ADD + 1), 0);
		return depth - 1;
	}
	switch (pick(depth >= 3 ? 10 : depth >= 2 ? 9 : depth ? 6 : 3)) {
	case 0:
		add(loc, LOC_CONST, pick_number());
		return depth + 1;
	case 1:
		add(loc, LOC_REGISTER, pick(REGISTERS));
		return depth + 1;
	case 2:
		add(loc, LOC_ADDRESS, pick(100));
		return depth + 1;
	case 3:
		add_unary(loc);
		return depth;
	case 4:
		add(loc, LOC_DUP, 0);
		add(loc, LOC_JUMP_IF, (int64_t)loc->op_count + 2);
		add_unary(loc);
		return depth;
	case 5:
		add(loc, LOC_CONST, MEMORY_AT + pick(240));
		add(loc, LOC_READ, 1 << pick(4));
		return depth + 1;
	case 6:
	case 7:
		add(loc, LOC_EQ + pick(LOC_GE_U - LOC_EQ + 1), 0);
		return depth - 1;
	case 8:
		add(loc, LOC_SWAP, 0);
		return depth;
	default:
		add(loc, pick(2) ? LOC_ROT : LOC_PICK, pick((unsigned)depth));
		return loc->ops[loc->op_count - 1].op == LOC_PICK ? depth + 1 : depth;
	}
}

static void make_piece(struct location *loc, unsigned bits)
{
	struct location_piece *piece = &loc->pieces[loc->piece_count++];
	unsigned steps = 1 + pick(12);
	int depth = 0;

	piece->bits = bits;
	if (pick(3) == 0) {
		piece->kind = PIECE_REGISTER;
		piece->reg = pick(16);
		return;
	}
	piece->kind = PIECE_VALUE;
	piece->first = loc->op_count;
	while (steps-- || !depth)
		depth = add_random(loc, depth);
	if (pick(4) == 0) {
		piece->kind = PIECE_MEMORY;
		add(loc, LOC_DROP, 0);
		add(loc, LOC_CONST, MEMORY_AT + pick(200));
	}
	piece->count = loc->op_count - piece->first;
}

static void make_location(struct location *loc)
{
	if (pick(3)) {
		make_piece(loc, 0);
	} else {
		make_piece(loc, 32);
		make_piece(loc, 32);
	}
}

/* --- as C -------------------------------------------------------------------------------------------- */

static const char head[] =
    "#include \"runtime/script.h\"\n#include \"codegen/support.h\"\n"
    "extern unsigned char *test_memory;\nextern spl_u64 *test_registers;\n"
    "unsigned char *test_memory; spl_u64 *test_registers;\n"
    "spl_s64 spl_reg(struct spl_ctx *c, int offset)\n"
    "{ return *(spl_s64 *)((char *)test_registers + offset); }\n"
    "spl_s64 spl_load(struct spl_ctx *c, spl_u64 at, int width, int is_signed, const char *place)\n"
    "{ spl_u64 v = 0; __builtin_memcpy(&v, test_memory + (at - 0x10000), width); return v; }\n"
    "char kaddr_file[1] __attribute__((section(\".bss\")));\n";

static void write_case(struct gen *g, unsigned i, struct arena *arena)
{
	struct target_access access = {.base = ACCESS_LOCATION, .location = &locations[i],
	                               .part_bits = 64};
	struct access_symbol *symbols = arena_alloc(arena, LOCATION_OPS * sizeof(*symbols));

	for (size_t k = 0; k < locations[i].op_count; k++)
		symbols[k].offset = FILE_AT + locations[i].ops[k].arg;
	access.symbols = symbols;
	g->temps = 0;
	gen_line(g, "spl_u64 case_%u(struct spl_ctx *c) {", i);
	gen_line(g, "spl_u64 result = 0;");
	gen_line(g, "result = (spl_u64)%s;", gen_location_bits(g, &access, "\"here\""));
	gen_line(g, "out: return result; }");
}

static void *compile_cases(void)
{
	char source[] = "/tmp/spile-location-XXXXXX.c", object[64], command[256];
	int fd = mkstemps(source, 2);
	struct gen g = {.fail = "out"};
	struct strbuf out;
	void *library;

	assert_true(fd >= 0);
	close(fd);
	arena_init(&g.arena);
	strbuf_init(&out);
	g.out = &out;
	strbuf_adds(&out, head);
	for (unsigned i = 0; i < CASES; i++)
		write_case(&g, i, &g.arena);
	assert_null(file_write_atomic(source, out.data, out.len));
	snprintf(object, sizeof(object), "%s.so", source);
	snprintf(command, sizeof(command), "cc -O1 -w -I. -fPIC -fwrapv -shared -o %s %s", object, source);
	assert_int_equal(system(command), 0);
	library = dlopen(object, RTLD_NOW);
	assert_non_null(library);
	unlink(source);
	unlink(object);
	strbuf_deinit(&out);
	arena_deinit(&g.arena);
	return library;
}

/* --- the two results ----------------------------------------------------------------------------------- */

static bool read_register(void *context, unsigned reg, uint64_t *ret)
{
	*ret = registers[reg];
	return true;
}

static bool read_memory(void *context, uint64_t address, void *dst, size_t size)
{
	memcpy(dst, memory + (address - MEMORY_AT), size);
	return true;
}

/* In the layout of struct pt_regs. */
static void fill_pt_regs(uint64_t *words)
{
	static const int offsets[REGISTERS] = {80, 96, 88, 40, 104, 112, 32, 152, 72,
	                                       64, 56, 48, 24, 16, 8,   0,  128};

	for (int i = 0; i < REGISTERS; i++)
		words[offsets[i] / 8] = registers[i];
}

static void test_random_locations(void **state)
{
	const struct location_machine machine = {
	    .read_register = read_register, .read_memory = read_memory, .load_bias = FILE_AT};
	const char *given = getenv("SPILE_SEED");
	unsigned first = given ? (unsigned)atoi(given) : 1, failed = 0, errors = 0;
	uint64_t words[21] = {0}, *words_pointer = words;
	unsigned char *memory_pointer = memory;
	void *library;

	seed = first;
	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (unsigned char)pick(256);
	for (int i = 0; i < REGISTERS; i++)
		registers[i] = (uint64_t)pick_number() << pick(32);
	fill_pt_regs(words);
	for (unsigned i = 0; i < CASES; i++)
		make_location(&locations[i]);
	library = compile_cases();
	memcpy(dlsym(library, "test_memory"), &memory_pointer, sizeof(memory_pointer));
	memcpy(dlsym(library, "test_registers"), &words_pointer, sizeof(words_pointer));
	for (unsigned i = 0; i < CASES; i++) {
		uint64_t (*run)(struct spl_ctx *c), wanted = 0, got;
		struct spl_ctx c = {0};
		struct error *error;
		char name[32];

		snprintf(name, sizeof(name), "case_%u", i);
		*(void **)&run = dlsym(library, name);
		error = location_evaluate(&locations[i], &machine, &wanted, 8);
		got = run(&c);
		errors += error != NULL;
		if (!error != !c.error || (!error && wanted != got)) {
			fprintf(stderr, "case %u: %llx, as C %llx (%s, %s); SPILE_SEED=%u\n", i,
			        (unsigned long long)wanted, (unsigned long long)got,
			        error ? error->message : "good", c.error ? c.error : "good", first);
			failed++;
		}
		error_destroy(error);
	}
	assert_int_equal(failed, 0);
	assert_in_range(errors, 1, CASES / 4); /* some divide by 0, most do not */
	dlclose(library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_locations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
