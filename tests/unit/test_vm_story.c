// SPDX-License-Identifier: GPL-2.0-only
/* vm/story: what is said of a panic and of a hang, from logs and registers as guests give them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vm/story.h"

static const char oops[] =
	"[    1.0] all is well\r\n"
	"[    2.0] BUG: kernel NULL pointer dereference, address: 0000000000000010\r\n"
	"[    2.0] Oops: 0000 [#1] PREEMPT SMP\r\n"
	"[    2.0] RIP: 0010:vfs_read+0x12/0x300\r\n"
	"[    2.1] RIP: 0033:0x7f7ada733350\r\n"
	"[    2.2] Kernel panic - not syncing: Fatal exception\r\n"
	"[    2.3] Kernel Offset: 0x1000000 from 0xffffffff81000000\r\n";

static void a_panic_names_reason_cause_and_place(void **state)
{
	static const char start[] =
		"guest panic: Fatal exception; BUG: kernel NULL pointer dereference, address: "
		"0000000000000010; at vfs_read+0x12/0x300\n"
		"kernel log from there on:\n"
		"    [    2.0] BUG: ";
	struct strbuf out;

	strbuf_init(&out);
	assert_true(story_has_panic(oops));
	story_add_panic(&out, oops);
	assert_memory_equal(out.data, start, strlen(start));
	assert_null(strstr(out.data, "all is well"));
	assert_null(strchr(out.data, '\r'));
	assert_non_null(strstr(out.data, "Kernel Offset: 0x1000000 from 0xffffffff81000000\n"));
	strbuf_deinit(&out);
}

static void a_plain_panic_is_not_its_own_cause(void **state)
{
	struct strbuf out;

	strbuf_init(&out);
	story_add_panic(&out, "a\nb Kernel panic - not syncing: No init\nc\n");
	assert_string_equal(out.data, "guest panic: No init\nkernel log from there on:\n"
				      "    b Kernel panic - not syncing: No init\n    c\n");
	strbuf_deinit(&out);
}

static void a_long_log_loses_its_middle(void **state)
{
	struct strbuf log, out;

	strbuf_init(&log);
	strbuf_init(&out);
	strbuf_adds(&log, "Kernel panic - not syncing: x\n");
	for (int i = 0; i < 100; i++)
		strbuf_addf(&log, "line %d\n", i);
	story_add_panic(&out, log.data);
	assert_non_null(strstr(out.data, "    line 0\n"));
	assert_null(strstr(out.data, "line 70\n"));
	assert_non_null(strstr(out.data, "    ...\n    line 96\n    line 97\n"));
	assert_non_null(strstr(out.data, "    line 99\n"));
	strbuf_deinit(&log);
	strbuf_deinit(&out);
}

static void the_tail_is_the_last_lines(void **state)
{
	struct strbuf out;

	strbuf_init(&out);
	story_add_tail(&out, "one\r\ntwo\r\nthree\r\n\r\n", 2);
	assert_string_equal(out.data, "    two\n    three\n");
	story_add_tail(&out, "", 2);
	assert_string_equal(out.data, "    two\n    three\n");
	strbuf_deinit(&out);
}

static const char registers[] =
	"\nCPU#0\nRAX=0 RIP=ffffffff82000123 RFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
	"\nCPU#1\nRAX=0 RIP=00007f7ada733350 RFL=2 [---] CPL=3 II=0 A20=1 SMM=0 HLT=0\n"
	"\nCPU#2\nRAX=0 RIP=ffffffffc0000010 RFL=2 [---] CPL=0 II=0 A20=1 SMM=0 HLT=0\n";
static const char kallsyms[] =
	"ffffffff81000000 T _text\n"
	"ffffffff81000100 t idle_loop\n"
	"ffffffff81000200 T later\n"
	"ffffffffbf000000 t of_a_module\t[some]\n"
	"ffffffff81000110 D data_is_no_place\n";

static void places_are_told_without_the_boots_offset(void **state)
{
	struct strbuf out;

	strbuf_init(&out);
	story_add_places(&out, registers, oops, kallsyms);
	assert_string_equal(out.data,
		"    processor 0: idle, in the kernel at 0xffffffff82000123, idle_loop+0x23\n"
		"    processor 1: in user space at 0x7f7ada733350\n"
		"    processor 2: in the kernel at 0xffffffffc0000010\n");
	strbuf_deinit(&out);
}

static void without_symbols_places_are_addresses(void **state)
{
	struct strbuf out;

	strbuf_init(&out);
	story_add_places(&out, registers, "no offset told", kallsyms);
	assert_null(strstr(out.data, "idle_loop"));
	assert_non_null(strstr(out.data, "0xffffffff82000123\n"));
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_panic_names_reason_cause_and_place),
		cmocka_unit_test(a_plain_panic_is_not_its_own_cause),
		cmocka_unit_test(a_long_log_loses_its_middle),
		cmocka_unit_test(the_tail_is_the_last_lines),
		cmocka_unit_test(places_are_told_without_the_boots_offset),
		cmocka_unit_test(without_symbols_places_are_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
