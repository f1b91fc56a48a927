// SPDX-License-Identifier: GPL-2.0-only
/**
 * The x86-64 decoder: lengths and parts of hand-picked encodings, taken from the instruction pages
 * of the manuals; what is refused; what a probe is told; walks to an address. That the whole
 * opcode space is right is shown by tests/check-decode.sh against objdump and Zydis.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/arch/x86/decode.h"

#define DEAD 0x90 /* filler behind an encoding, so that a wrong length shows */

/* "48 89 e5" to bytes; returns how many. */
static size_t from_hex(const char *hex, uint8_t bytes[32])
{
	size_t n = 0;
	char *end;

	memset(bytes, DEAD, 32);
	for (; *hex; hex = end) {
		bytes[n++] = strtoul(hex, &end, 16);
		end += strspn(end, " ");
	}
	return n;
}

static struct x86_insn decoded(const char *hex)
{
	struct x86_insn insn;
	uint8_t bytes[32];
	size_t n = from_hex(hex, bytes);

	if (x86_decode(bytes, sizeof(bytes), &insn) != (int)n)
		fail_msg("%s: length %d, not %zu", hex, insn.length, n);
	assert_int_equal(insn.length, n);
	return insn;
}

/* --- lengths --- */

static const char *const valid[] = {
	/* prefixes and REX */
	"90", "f3 90", "66 90", "48 89 e5", "66 48 89 e5", "48 66 89 e5", "f0 48 ff 00",
	"65 48 8b 04 25 28 00 00 00", "2e 2e 2e 0f 1f 84 00 00 00 00 00",
	/* immediates follow the operand size: 66 halves them, REX.W beats 66 */
	"05 78 56 34 12", "66 05 34 12", "66 48 05 78 56 34 12", "b8 78 56 34 12", "66 b8 34 12",
	"48 b8 f0 de bc 9a 78 56 34 12", "66 48 b8 f0 de bc 9a 78 56 34 12",
	"68 78 56 34 12", "66 68 34 12", "6a 12", "c8 34 12 01", "c2 08 00", "cd 80",
	"48 c7 c0 78 56 34 12", "66 c7 00 34 12", "f7 c0 78 56 34 12", "f7 d0", "f6 00 12", "f6 10",
	"a1 f0 de bc 9a 78 56 34 12", "67 a1 78 56 34 12",
	/* near branches keep 32 bits whatever 66 says, as Intel's processors do */
	"e8 78 56 34 12", "66 e8 78 56 34 12", "0f 84 78 56 34 12", "eb fe", "e3 fe",
	/* ModRM and SIB */
	"8b 00", "8b 40 12", "8b 80 78 56 34 12", "8b 05 78 56 34 12", "8b 04 24", "8b 44 24 08",
	"8b 84 24 78 56 34 12", "8b 04 25 78 56 34 12", "8b 04 05 78 56 34 12", "41 8b 45 00",
	"43 8b 04 2c", "8b c0",
	/* moves to control and debug registers have no memory form: mod is ignored */
	"0f 20 c0", "0f 22 04", "0f 23 45", "44 0f 22 c0",
	/* groups and mandatory prefixes */
	"0f 01 f8", "0f 01 d0", "0f ae e8", "f3 0f ae c0", "66 0f ae 38", "0f c7 08", "f3 0f c7 f8",
	"f3 0f b8 c1", "f3 0f 1e fa", "66 0f 3a 0f c1 08", "f2 0f 38 f0 c1", "0f 38 f0 00",
	"66 f2 0f 38 f1 c1", "0f 0f c1 9e", "0f 0b", "0f b9 40 12", "c6 f8 01", "c7 f8 78 56 34 12",
	"66 c7 f8 34 12", "f3 0f 01 ca", "f2 0f 00 f0",
	/* x87 */
	"d9 e8", "df e0", "9b", "db e3", "d9 7d fe",
	/* VEX, EVEX, XOP and their neighbours with the same first byte */
	"c5 f8 77", "c5 fc 28 c1", "c4 e2 79 18 05 78 56 34 12", "c4 e3 7d 39 c1 01",
	"c4 e2 f1 90 04 90", "62 f1 7c 48 28 00", "62 f1 fd 48 6f 44 24 01", "62 f3 7d 48 25 c1 ff",
	"62 f5 7c 48 58 c1", "8f c0", "8f 04 24", "8f e8 78 c0 c1 05", "8f ea 78 10 c1 78 56 34 12",
	/* the longest there is */
	"66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",
};

static void lengths_of_defined_encodings(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		decoded(valid[i]);
}

/* Every proper beginning of an instruction is too little, never another instruction or an error. */
static void cut_instructions_are_too_big_for_the_bytes(void **state)
{
	struct x86_insn insn;
	uint8_t bytes[32];
	size_t i, n, cut;

	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		n = from_hex(valid[i], bytes);
		for (cut = 0; cut < n; cut++)
			assert_int_equal(x86_decode(bytes, cut, &insn), -E2BIG);
	}
}

static void undefined_encodings_are_refused(void **state)
{
	static const char *const invalid[] = {
		"06", "0e", "27", "60", "82 00 00", "9a", "ce", "d4 0a", "ea", "0f 04", "0f 24 c0",
		"fe d0", "ff f8", "ff d8", "8d c0", "c6 08", "c6 c8", "8e c8", "8e f8", "8c f8", "d9 08",
		"da e8", "0f c7 c0", "0f 0f c1 00", "0f 20 c8", "44 0f 21 c0", "0f b8 c1", "66 0f b8 c1",
		/* lock wants memory that is written */
		"f0 90", "f0 01 c0", "f0 39 00", "f0 8b 00",
		/* a mandatory prefix that the opcode does not have */
		"f3 0f 54 c1", "66 0f 77", "f2 0f 38 00 c1",
		/* vector prefixes: after 66 or REX, unknown map, vvvv used, wrong L or W, wrong bits */
		"66 c5 f8 77", "48 c5 f8 77", "c4 e4 79 18 c1", "c5 c0 77", "c4 e2 fd 18 00",
		"c4 e2 f1 90 00", "c4 e2 e9 90 1c 90", "62 f9 7c 48 28 00", "62 f1 78 48 28 00",
		"62 f1 7c c8 28 c1", "62 f2 7d 48 90 04 90", "62 f1 7c 68 28 00",
		/* 16 bytes */
		"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",
	};
	struct x86_insn insn;
	uint8_t bytes[32];
	size_t i;

	for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		from_hex(invalid[i], bytes);
		if (x86_decode(bytes, sizeof(bytes), &insn) != -EINVAL)
			fail_msg("%s: accepted with length %d", invalid[i], insn.length);
	}
}

/* --- parts --- */

static void parts_have_their_places(void **state)
{
	/* addw $0x1234, 0x12345678(%r13,%r14,4), with prefixes */
	struct x86_insn i = decoded("65 66 43 81 84 b5 78 56 34 12 34 12");

	assert_int_equal(i.prefixes, X86_PREFIX_GS | X86_PREFIX_DATA16);
	assert_int_equal(i.rex, X86_REX_X | X86_REX_B);
	assert_int_equal(i.map, X86_MAP_1);
	assert_int_equal(i.opcode, 0x81);
	assert_int_equal(i.opcode_offset, 3);
	assert_true(i.has_modrm && i.has_sib);
	assert_int_equal(i.modrm_offset, 4);
	assert_int_equal(i.sib_offset, 5);
	assert_int_equal(i.disp_offset, 6);
	assert_int_equal(i.disp_size, 4);
	assert_int_equal(i.disp, 0x12345678);
	assert_int_equal(i.imm_offset, 10);
	assert_int_equal(i.imm_size, 2);
	assert_int_equal(i.imm, 0x1234);
	assert_int_equal(i.base, 13);
	assert_int_equal(i.index, 14);
}

static void a_prefix_behind_rex_cancels_it(void **state)
{
	assert_int_equal(decoded("48 66 05 34 12").rex, 0);
	assert_int_equal(decoded("41 48 89 e5").rex, X86_REX_W);
}

static void operands_without_base_or_index(void **state)
{
	assert_int_equal(decoded("8b 04 25 78 56 34 12").base, X86_NO_REGISTER);
	assert_int_equal(decoded("8b 04 25 78 56 34 12").index, X86_NO_REGISTER);
	assert_int_equal(decoded("41 8b 04 24").base, 12);
	assert_int_equal(decoded("42 8b 04 25 78 56 34 12").index, 12);
	assert_int_equal(decoded("8b 05 78 56 34 12").base, X86_RIP);
	assert_int_equal(decoded("41 8b 05 78 56 34 12").base, X86_RIP);
	assert_int_equal(decoded("89 c8").base, X86_NO_REGISTER);
}

static void vector_prefixes_are_opened(void **state)
{
	struct x86_insn i = decoded("c4 62 e9 98 04 91"); /* vfmadd132pd (%rcx,%rdx,4),%xmm2,%xmm8 */

	assert_int_equal(i.encoding, X86_VEX);
	assert_int_equal(i.map, X86_MAP_V2);
	assert_int_equal(i.rex, X86_REX_W | X86_REX_R);
	assert_int_equal(i.vector_pp, 1);
	assert_int_equal(i.vector_l, 0);
	assert_int_equal(i.vector_v, 2);
	i = decoded("62 91 6d c1 fe c1"); /* vpaddd %zmm25,%zmm18,%zmm0{%k1}{z} */
	assert_int_equal(i.encoding, X86_EVEX);
	assert_int_equal(i.map, X86_MAP_E1);
	assert_int_equal(i.vector_l, 2);
	assert_int_equal(i.vector_v, 18);
	assert_int_equal(i.evex & 0x87, 0x81);
}

/* --- for probing --- */

struct meaning {
	const char *hex;
	enum x86_kind kind;
	enum x86_copy_kind copy;
	unsigned flags;
};

#define MEM X86_INSN_MEMORY
#define FAULT X86_INSN_MAY_FAULT
#define IP X86_INSN_READS_IP
#define RIP (X86_INSN_RIP_RELATIVE | X86_INSN_READS_IP)
#define BOOST X86_INSN_BOOSTABLE
#define NOSTEP X86_INSN_NO_STEP
#define NORET X86_INSN_NO_RETURN

static const struct meaning meanings[] = {
	{ "55", X86_PUSH, X86_COPY_AS_IS, MEM | BOOST },
	{ "5d", X86_POP, X86_COPY_AS_IS, MEM | BOOST },
	{ "ff 75 08", X86_PUSH, X86_COPY_AS_IS, MEM | BOOST },
	{ "48 89 e5", X86_PLAIN, X86_COPY_AS_IS, BOOST },
	{ "48 8b 07", X86_PLAIN, X86_COPY_AS_IS, MEM | BOOST },
	{ "48 8b 05 78 56 34 12", X86_PLAIN, X86_COPY_DISPLACE, MEM | RIP | BOOST },
	{ "48 8d 05 78 56 34 12", X86_LEA, X86_COPY_DISPLACE, RIP | BOOST },
	{ "67 48 8d 05 78 56 34 12", X86_LEA, X86_COPY_CANNOT, RIP },
	{ "48 8d 47 08", X86_LEA, X86_COPY_AS_IS, BOOST },
	{ "48 f7 f1", X86_PLAIN, X86_COPY_AS_IS, FAULT | BOOST },
	{ "0f 1f 44 00 00", X86_NOP, X86_COPY_AS_IS, BOOST }, /* an ftrace site */
	{ "90", X86_NOP, X86_COPY_AS_IS, BOOST },
	{ "41 90", X86_PLAIN, X86_COPY_AS_IS, BOOST }, /* xchg %r8d,%eax */
	{ "f3 90", X86_PLAIN, X86_COPY_AS_IS, BOOST }, /* pause */
	{ "f3 0f 1e fa", X86_ENDBR, X86_COPY_AS_IS, BOOST },
	{ "e9 78 56 34 12", X86_JMP, X86_COPY_DISPLACE, IP | NORET | BOOST },
	{ "eb 12", X86_JMP, X86_COPY_EMULATE, IP | NORET },
	{ "66 e9 78 56 34 12", X86_JMP, X86_COPY_CANNOT, IP | NORET },
	{ "74 12", X86_JCC, X86_COPY_EMULATE, IP },
	{ "0f 84 78 56 34 12", X86_JCC, X86_COPY_DISPLACE, IP | BOOST },
	{ "e2 12", X86_LOOP, X86_COPY_EMULATE, IP },
	{ "e3 12", X86_LOOP, X86_COPY_EMULATE, IP },
	{ "e8 78 56 34 12", X86_CALL, X86_COPY_EMULATE, MEM | IP },
	{ "ff d0", X86_CALL_INDIRECT, X86_COPY_EMULATE, MEM | IP },
	{ "ff 15 78 56 34 12", X86_CALL_INDIRECT, X86_COPY_EMULATE, MEM | RIP },
	{ "ff e0", X86_JMP_INDIRECT, X86_COPY_AS_IS, NORET | BOOST },
	{ "ff 25 78 56 34 12", X86_JMP_INDIRECT, X86_COPY_DISPLACE, MEM | RIP | NORET | BOOST },
	{ "c3", X86_RET, X86_COPY_AS_IS, MEM | NORET | BOOST },
	{ "f3 c3", X86_RET, X86_COPY_AS_IS, MEM | NORET | BOOST },
	{ "cb", X86_RET_FAR, X86_COPY_AS_IS, MEM | NORET | BOOST },
	{ "ff 18", X86_CALL_FAR, X86_COPY_CANNOT, MEM | IP },
	{ "ff 28", X86_JMP_FAR, X86_COPY_AS_IS, MEM | NORET | BOOST },
	{ "48 cf", X86_IRET, X86_COPY_AS_IS, MEM | NORET | NOSTEP | BOOST },
	{ "0f 05", X86_SYSCALL, X86_COPY_AS_IS, FAULT | IP | NOSTEP | BOOST },
	{ "48 0f 07", X86_SYSRET, X86_COPY_AS_IS, FAULT | NORET | NOSTEP | BOOST },
	{ "0f 34", X86_SYSENTER, X86_COPY_CANNOT, FAULT | NOSTEP },
	{ "48 0f 35", X86_SYSEXIT, X86_COPY_AS_IS, FAULT | NORET | NOSTEP | BOOST },
	{ "cc", X86_INT3, X86_COPY_CANNOT, FAULT },
	{ "f1", X86_INT1, X86_COPY_CANNOT, FAULT },
	{ "cd 80", X86_INT, X86_COPY_AS_IS, FAULT | NOSTEP | BOOST },
	{ "0f 0b", X86_UD, X86_COPY_CANNOT, FAULT },
	{ "67 0f b9 40 10", X86_UD, X86_COPY_CANNOT, FAULT },
	{ "d6", X86_UD, X86_COPY_CANNOT, FAULT },
	{ "0f ff c0", X86_UD, X86_COPY_CANNOT, FAULT },
	{ "f4", X86_HLT, X86_COPY_AS_IS, FAULT | NOSTEP },
	{ "9c", X86_PUSHF, X86_COPY_AS_IS, MEM | NOSTEP | BOOST },
	{ "9d", X86_POPF, X86_COPY_AS_IS, MEM | NOSTEP | BOOST },
	{ "fa", X86_CLI, X86_COPY_AS_IS, FAULT | NOSTEP | BOOST },
	{ "fb", X86_STI, X86_COPY_AS_IS, FAULT | NOSTEP },
	{ "8e d0", X86_LOAD_SS, X86_COPY_CANNOT, FAULT | NOSTEP },
	{ "8e d8", X86_PLAIN, X86_COPY_AS_IS, FAULT | BOOST },
	{ "f3 48 a5", X86_STRING, X86_COPY_AS_IS, MEM | BOOST },
	{ "ac", X86_STRING, X86_COPY_AS_IS, MEM | BOOST },
	{ "c7 f8 78 56 34 12", X86_XBEGIN, X86_COPY_CANNOT, IP },
	{ "0f 30", X86_PLAIN, X86_COPY_AS_IS, FAULT | BOOST }, /* wrmsr */
	{ "0f 10 00", X86_PLAIN, X86_COPY_AS_IS, MEM | FAULT | BOOST },
	{ "c4 e2 f1 90 04 90", X86_PLAIN, X86_COPY_AS_IS, MEM | FAULT | BOOST | X86_INSN_VSIB },
};

static void probes_are_told_what_to_expect(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const struct meaning *m = &meanings[i];
		struct x86_insn insn = decoded(m->hex);

		if (insn.kind != m->kind || insn.copy != m->copy || insn.flags != m->flags)
			fail_msg("%s: kind %d copy %d flags %x, not %d %d %x", m->hex, insn.kind,
				 insn.copy, insn.flags, m->kind, m->copy, m->flags);
	}
}

static void targets_count_from_the_next_instruction(void **state)
{
	struct x86_insn i = decoded("e8 fb ff ff ff");

	assert_int_equal(x86_insn_target(&i, 0x1000), 0x1000);
	i = decoded("74 10");
	assert_int_equal(x86_insn_target(&i, 0xffffffff81000000), 0xffffffff81000012);
	i = decoded("66 c7 f8 fb ff");
	assert_int_equal(x86_insn_target(&i, 0x1000), 0x1000);
	i = decoded("ff e0");
	assert_int_equal(x86_insn_target(&i, 0x1000), 0);
}

static void operands_count_from_the_end_of_the_immediate(void **state)
{
	struct x86_insn i = decoded("c7 05 00 01 00 00 78 56 34 12");

	assert_int_equal(x86_insn_operand(&i, 0x1000), 0x1000 + 10 + 0x100);
	assert_int_equal(i.disp_offset, 2);
	i = decoded("c7 00 78 56 34 12");
	assert_int_equal(x86_insn_operand(&i, 0x1000), 0);
}

/* --- walks --- */

#define BASE 0xffffffff81000000ull

/* Text at BASE, of which `mapped` bytes can be read. */
struct text {
	const uint8_t *bytes;
	size_t mapped;
	unsigned reads;
};

static int read_text(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	struct text *t = context;
	size_t at = address - BASE;

	t->reads++;
	if (at >= t->mapped)
		return -EFAULT;
	if (size > t->mapped - at)
		size = t->mapped - at;
	memcpy(dst, t->bytes + at, size);
	return size;
}

static int walk(const char *hex, unsigned offset, size_t hidden)
{
	uint8_t bytes[32];
	struct text t = { .bytes = bytes };

	t.mapped = from_hex(hex, bytes) - hidden;
	return x86_boundary_check(BASE, BASE + offset, read_text, &t);
}

static void boundaries_are_found(void **state)
{
	/* nopl 0(%rax,%rax); push %rbp; mov %rsp,%rbp; mov $1,%eax; ret */
	const char *function = "0f 1f 44 00 00 55 48 89 e5 b8 01 00 00 00 c3";
	static const uint8_t starts[] = { 0, 5, 6, 9, 14, 15 };
	unsigned offset, next = 0;

	for (offset = 0; offset <= 15; offset++) {
		bool start = offset == starts[next];

		assert_int_equal(walk(function, offset, 0), start ? 0 : -EILSEQ);
		next += start;
	}
}

static void walks_end_where_nothing_is_certain(void **state)
{
	assert_int_equal(walk("55 06 55", 2, 0), -EINVAL);
	assert_int_equal(walk("55 06 55", 1, 0), 0);
	assert_int_equal(walk("55 48 89 e5 c3", 5, 1), -EFAULT);
	assert_int_equal(walk("55 48 89 e5 c3", 4, 2), -EFAULT);
	assert_int_equal(walk("55 48 89 e5 c3", 4, 1), 0);
	assert_int_equal(x86_boundary_check(BASE, BASE - 1, read_text, NULL), -EILSEQ);
}

/* A long function takes one read for some dozen bytes, and no byte is missed at the seams. */
static void long_functions_are_read_in_pieces(void **state)
{
	static uint8_t bytes[4096];
	struct text t = { .bytes = bytes, .mapped = sizeof(bytes) };
	size_t at;

	/* mov $0x4030201,%rax; push %rbp; mov %rsp,%rbp */
	for (at = 0; at + 11 <= sizeof(bytes); at += 11)
		memcpy(bytes + at, "\x48\xc7\xc0\x01\x02\x03\x04\x55\x48\x89\xe5", 11);
	for (at = 3000; at < 3100; at++)
		assert_int_equal(x86_boundary_check(BASE, BASE + at, read_text, &t),
				 at % 11 == 0 || at % 11 == 7 || at % 11 == 8 ? 0 : -EILSEQ);
	t.reads = 0;
	assert_int_equal(x86_boundary_check(BASE, BASE + 4081, read_text, &t), 0);
	assert_in_range(t.reads, 4081 / 64, 4081 / 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_of_defined_encodings),
		cmocka_unit_test(cut_instructions_are_too_big_for_the_bytes),
		cmocka_unit_test(undefined_encodings_are_refused),
		cmocka_unit_test(parts_have_their_places),
		cmocka_unit_test(a_prefix_behind_rex_cancels_it),
		cmocka_unit_test(operands_without_base_or_index),
		cmocka_unit_test(vector_prefixes_are_opened),
		cmocka_unit_test(probes_are_told_what_to_expect),
		cmocka_unit_test(targets_count_from_the_next_instruction),
		cmocka_unit_test(operands_count_from_the_end_of_the_immediate),
		cmocka_unit_test(boundaries_are_found),
		cmocka_unit_test(walks_end_where_nothing_is_certain),
		cmocka_unit_test(long_functions_are_read_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
