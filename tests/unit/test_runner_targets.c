// SPDX-License-Identifier: GPL-2.0-only
/**
 * What the handlers of a session see of the place that was hit: registers, arguments, what was at the
 * entry, memory that may not be there, whole objects; and writing to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fixture_runner.h"

#include "engine/arch/x86/regs.h"
#include "runtime/kept.h"

/* --- target variables ------------------------------------------------------------------------ */

static uint64_t stack[4] = { 0, 0x1007, 0x1008, 0 };
static int64_t seen[16];
static char seen_text[8];

static void on_entry(struct spl_ctx *c)
{
	static const int8_t small = -3;
	static const uint32_t bits = 0x00ab0000;

	for (int i = 0; i < 8; i++)
		seen[i] = spl_arg(c, i);
	seen[8] = spl_load(c, (uintptr_t)&small, 1, 1, NULL);
	seen[9] = spl_load(c, (uintptr_t)&small, 1, 0, NULL);
	seen[10] = spl_load_bits(c, (uintptr_t)&bits, 4, 16, 8, 1, NULL);
	seen[11] = spl_reg(c, PT_IP);
	spl_load_string(c, seen_text, sizeof(seen_text), (uintptr_t)"a long string", NULL);
}

static void on_return(struct spl_ctx *c)
{
	seen[0] = spl_retval(c);
	seen[1] = spl_arg(c, 2);
	seen[2] = spl_arg(c, 6);
	seen[3] = *(int64_t *)spl_stack_arg(c, 6);
	assert_null(c->error);
	spl_arg(c, 7); /* its slot on the stack may hold anything by now */
}

static void on_bad_load(struct spl_ctx *c)
{
	strcpy(seen_text, "old");
	spl_load_string(c, seen_text, sizeof(seen_text), 8, NULL);
	assert_null(c->error);
	seen[0] = spl_load(c, 16, 8, 0, "identifier '$x' at t.stp:3:4");
}

static void on_arg(struct spl_ctx *c) { spl_arg(c, 0); }

static void test_target_variables(void **state)
{
	const struct spl_probe probes[] = {
		PROBE(0, ENTRY, .handler = on_entry),	 PROBE(1, RETURN, .handler = on_return, .entry_args = 7),
		PROBE(2, TIMER, .handler = on_bad_load), PROBE(3, TIMER, .handler = on_arg),
		PROBE(4, RETURN, .handler = on_arg),
	};
	struct pt_regs regs = { .di = 0x1001, .si = 0x1002, .dx = 0x1003, .cx = 0x1004, .r8 = 0x1005,
				.r9 = 0x1006, .ax = -1, .ip = 77, .sp = (uintptr_t)stack };
	uint64_t args[7] = { 1, 2, 3, 4, 5, 6, 7 };

	script.max_errors = 10;
	start(probes, 5);
	spl_session_begin(&session);
	spl_probe_run(&session, &probes[0], &regs, NULL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(seen[i], 0x1001 + i);
	assert_int_equal(seen[8], -3);
	assert_int_equal(seen[9], 253);
	assert_int_equal(seen[10], (int8_t)0xab);
	assert_int_equal(seen[11], 77);
	assert_string_equal(seen_text, "a long ");
	spl_probe_run(&session, &probes[1], &regs, args);
	assert_int_equal(seen[0], -1);
	assert_int_equal(seen[1], 3);
	assert_int_equal(seen[2], 7);
	assert_int_equal(seen[3], 7);
	assert_string_equal(read_text(), "Eargument is not available at the return");
	spl_probe_run(&session, &probes[2], NULL, NULL);
	assert_string_equal(read_text(), "Ekernel read fault at 0x0000000000000010 near "
					 "identifier '$x' at t.stp:3:4");
	assert_int_equal(seen[0], 0);
	assert_string_equal(seen_text, "");
	spl_probe_run(&session, &probes[3], NULL, NULL);
	assert_string_equal(read_text(), "Earguments are not available in this probe");
	spl_probe_run(&session, &probes[4], &regs, NULL);
	assert_string_equal(read_text(), "Earguments are not available in this probe");
	script.max_errors = 0;
	spl_session_deinit(&session);
}

/* --- what was at the entry ------------------------------------------------------------------------ */

static uint64_t entries_missed;

static uint64_t count_missed(const struct spl_session *session, uint32_t index)
{
	return index == 0 ? entries_missed : 0;
}

static void on_amid(struct spl_ctx *c)
{
	seen[0] = spl_entry_register(c, 0, 0x5008, 1, "identifier '$x' at t.stp:3:4");
}

static void test_entry_registers(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, KEEP, .addr = 1),
					    PROBE(1, STATEMENT, .handler = on_amid) };
	static const char unknown[] = "Ethe value at the function's entry is not known: the call began "
				      "before the script did, or its entry was missed near "
				      "identifier '$x' at t.stp:3:4";
	struct pt_regs regs = { .si = 42, .sp = 0x5000 };

	script.max_errors = 10;
	start(probes, 2);
	session.missed = count_missed;
	spl_session_begin(&session);
	spl_probe_run(&session, &probes[1], &regs, NULL);
	assert_string_equal(read_text(), unknown);
	spl_kept_note(session.kept[0], &regs, 0);
	assert_null(session.kept[1]);
	spl_probe_run(&session, &probes[1], &regs, NULL);
	assert_int_equal(seen[0], 42);
	assert_string_equal(read_text(), "");
	entries_missed = 1;
	spl_probe_run(&session, &probes[1], &regs, NULL);
	assert_string_equal(read_text(), unknown);
	script.max_errors = 0;
	spl_session_deinit(&session);
}

/* --- whole objects, and writing ---------------------------------------------------------------------- */

static struct shown {
	int8_t number;
	char letter;
	uint16_t bits;
	uint32_t colour;
	char text[4]; /* full: no NUL */
	const char *title, *nowhere;
} shown = { -5, '\n', 0x0fb0, 7, "abcd", "its title", (const char *)8 };

static char show_text[128], show_cut[16], show_bad[128], show_words[64];

static void on_show(struct spl_ctx *c)
{
	static const struct spl_enumerator names[] = { { 3, "RED" }, { 7, "GREEN" } };
	static const struct spl_show rows[] = {
		{ "{.number=", 0, SPL_SHOW_SIGNED, 1, 0, 0, 0, 0 },
		{ ", .letter=", 1, SPL_SHOW_CHAR, 1, 0, 0, 0, 0 },
		{ ", .bits=", 2, SPL_SHOW_SIGNED, 2, 4, 8, 0, 0 },
		{ ", .colour=", 4, SPL_SHOW_ENUM, 4, 0, 0, 2, names },
		{ ", .text=", 8, SPL_SHOW_CHARS, 1, 0, 0, 4, 0 },
		{ ", .title=", 16, SPL_SHOW_STRING, 8, 0, 0, 0, 0 },
		{ ", .nowhere=", 24, SPL_SHOW_STRING, 8, 0, 0, 0, 0 },
		{ "}", 0, SPL_SHOW_TEXT, 0, 0, 0, 0, 0 },
	};
	spl_u64 words[2] = { 0x0500000000, 0x11 };
	static const struct spl_show by_value[] = {
		{ "", 4, SPL_SHOW_ENUM, 4, 0, 0, 2, names },
		{ " ", 8, SPL_SHOW_POINTER, 8, 0, 0, 0, 0 },
	};

	spl_show(c, show_text, sizeof(show_text), rows, 8, SPL_IN_KERNEL, (uintptr_t)&shown);
	spl_show(c, show_cut, sizeof(show_cut), rows, 8, SPL_IN_USER, (uintptr_t)&shown);
	spl_show(c, show_bad, sizeof(show_bad), rows, 8, SPL_IN_KERNEL, 16);
	spl_show(c, show_words, sizeof(show_words), by_value, 2, SPL_IN_WORDS, (uintptr_t)words);
	assert_null(c->error);
}

static void on_write(struct spl_ctx *c)
{
	spl_store(c, (uintptr_t)&shown.number, 1, 0x1234, NULL);
	spl_store_bits(c, (uintptr_t)&shown.bits, 2, 4, 8, 0x123, NULL);
	spl_store_user(c, (uintptr_t)&shown.colour, 4, 3, NULL);
	spl_set_reg(c, PT_AX, 0, 64, -1);
	spl_set_reg(c, PT_DX, 8, 8, 0x7ff);
	spl_store(c, 24, 8, 1, "identifier '$x->y' at t.stp:3:4");
}

static void test_objects(void **state)
{
	const struct spl_probe probes[] = { PROBE(0, ENTRY, .handler = on_show),
					    PROBE(1, ENTRY, .handler = on_write) };
	struct pt_regs regs = { .dx = 0x1111111111111111 };

	script.max_errors = 10;
	start(probes, 2);
	spl_session_begin(&session);
	spl_probe_run(&session, &probes[0], &regs, NULL);
	assert_string_equal(show_text, "{.number=-5, .letter='\\012', .bits=-5, .colour=GREEN, "
				       ".text=\"abcd\", .title=\"its title\", .nowhere=\"<unknown>\"}");
	assert_string_equal(show_cut, "{.number=-5, .l");
	assert_string_equal(show_bad, "ERROR");
	assert_string_equal(show_words, "5 0x0000000000000011");
	spl_probe_run(&session, &probes[1], &regs, NULL);
	assert_int_equal(shown.number, 0x34);
	assert_int_equal(shown.bits, 0x0230);
	assert_int_equal(shown.colour, 3);
	assert_int_equal(regs.ax, -1);
	assert_int_equal(regs.dx, 0x111111111111ff11);
	assert_string_equal(read_text(), "Ekernel write fault at 0x0000000000000018 near "
					 "identifier '$x->y' at t.stp:3:4");
	script.max_errors = 0;
	spl_session_deinit(&session);
}

/* --- the host's strings, at the end of a mapping --------------------------------------------- */

static void test_string_before_a_hole(void **state)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[64];

	munmap(page + 4096, 4096);
	strcpy(page + 4090, "edge!");
	assert_int_equal(host_read_kernel_string(buf, (uintptr_t)page + 4090, sizeof(buf)), 6);
	assert_string_equal(buf, "edge!");
	page[4095] = '?';
	assert_int_equal(host_read_kernel_string(buf, (uintptr_t)page + 4090, sizeof(buf)), -EFAULT);
	assert_int_equal(host_read_kernel_string(buf, (uintptr_t)page + 4090, 3), 3);
	munmap(page, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target_variables),
		cmocka_unit_test(test_entry_registers),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_string_before_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
