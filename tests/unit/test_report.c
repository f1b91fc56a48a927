// SPDX-License-Identifier: GPL-2.0-only
/* What the report says of losses, and nothing of a run without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/report.h"
#include "ring/ring.h"
#include "spile/kprobes.h"

static struct meta_probe points[] = {
	{ .point = "begin", .source = "" },
	{ .point = "kernel.function(\"vfs_\\x01\")", .source = "x.stp:1:1" },
};
static struct script_meta meta = { .name = "spile_x", .probes = points, .nprobes = 2 };
static struct spile_probe_report given[2];
static struct spile_report given_totals;

static struct error *fake_report(struct home *home, struct spile_report *totals,
				 struct spile_probe_report *probes)
{
	*totals = given_totals;
	memcpy(probes, given, sizeof(given));
	return NULL;
}

static const struct home_ops ops = { .report = fake_report };

/* What a run with the given accounting says; for the caller to free. */
static char *warnings(uint64_t lost, char **json)
{
	struct ring ring = { .lost = lost };
	struct home home = { .ops = &ops, .meta = &meta, .rings = &ring, .nrings = 1 };
	struct strbuf text, object;
	struct report report;

	strbuf_init(&text);
	strbuf_init(&object);
	assert_null(report_init(&report, &home));
	report_warnings(&report, &meta, &text);
	report_json(&report, &home, 3, &object);
	report_deinit(&report);
	*json = strbuf_steal(&object);
	return strbuf_steal(&text);
}

static void expect(uint64_t lost, const char *text, const char *in_json)
{
	char *json, *got = warnings(lost, &json);

	assert_string_equal(got, text);
	if (!strstr(json, in_json))
		fail_msg("no %s in %s", in_json, json);
	free(got);
	free(json);
}

static int reset(void **state)
{
	memset(given, 0, sizeof(given));
	memset(&given_totals, 0, sizeof(given_totals));
	return 0;
}

static void test_nothing_to_say(void **state)
{
	given[1].hits = 1000;
	given[1].skipped_state = given_totals.skipped = 5; /* while starting and ending: no loss */
	expect(0, "", "\"skipped_state\": 5");
}

static void test_causes(void **state)
{
	given[0].errors = given_totals.errors = 1;
	given[1].missed_nested = 2;
	given[1].missed_instance = 3;
	given[0].skipped_lock = 4;
	expect(0,
	       "WARNING: Number of errors: 1, skipped probes: 9 (hit inside another handler: 2, no free "
	       "return instance: 3, a global's lock was busy: 4)\n",
	       "\"skipped\": 9");
}

static void test_hits_of_no_probe(void **state)
{
	given[1].missed_nested = 2;
	given_totals.skipped = 7;
	expect(0,
	       "WARNING: Number of errors: 0, skipped probes: 7 (hit inside another handler: 2, a thread "
	       "without a context: 5)\n",
	       "\"skipped\": 7");
}

static void test_lost(void **state)
{
	expect(12,
	       "WARNING: 12 records lost: the rings were full; print less or give them more room (-s "
	       "MB)\n",
	       "\"lost_per_cpu\": [12]");
}

static void test_gone(void **state)
{
	given[1].flags = KPROBE_FLAG_GONE | KPROBE_FLAG_FTRACE;
	given[1].hits = 10;
	expect(0,
	       "WARNING: 1 probes ended before the script: the module that they were in was unloaded\n",
	       "\"flags\": 9");
}

static void test_json_escapes(void **state)
{
	points[1].point = "a\"b\\c\x01\n";
	expect(0, "", "\"probe\": \"a\\\"b\\\\c\\u0001\\u000a\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_to_say, reset),
		cmocka_unit_test_setup(test_causes, reset),
		cmocka_unit_test_setup(test_hits_of_no_probe, reset),
		cmocka_unit_test_setup(test_lost, reset),
		cmocka_unit_test_setup(test_gone, reset),
		cmocka_unit_test_setup(test_json_escapes, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
