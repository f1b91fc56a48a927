// SPDX-License-Identifier: GPL-2.0-only
/* What is done to all probes at once: code that goes away, the switches, the listings. */
#include "fixture_engine.h"

#include "engine/core/control.h"

/* --- code that goes away ---------------------------------------------------------------------------- */

static void home_settle(void *pin)
{
	home_unpin(pin);
}

static void home_unpin_settled(void *pin)
{
	assert_null(pin);
}

/* Starts anew with a home that lets go of code once probes are planted. */
static void settle(struct engine_home *settling)
{
	engine_deinit();
	*settling = home;
	settling->settle = home_settle;
	settling->unpin = home_unpin_settled;
	assert_int_equal(engine_init(settling), 0);
}

static void test_gone(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1000), other = probe_at(0x3000), again;
	struct kretprobe rp = { .kp.symbol_name = "f_1100", .handler = NULL };
	struct engine_home settling;
	struct engine_counts counts;

	settle(&settling);
	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	assert_int_equal(spile_register_kprobe(&other), 0);
	assert_int_equal(spile_register_kretprobe(&rp), 0);
	assert_int_equal(pinned, 0);
	assert_int_equal(live, 3);
	assert_int_equal(spile_disable_kprobe(&b), 0);
	assert_int_equal(engine_gone(0x5000, 0x6000), 0);

	assert_int_equal(engine_gone(0x1000, 0x2000), 2);
	assert_int_equal(live, 1); /* taken out of the text, and freed */
	assert_int_equal(a.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
	assert_int_equal(b.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
	assert_int_equal(rp.kp.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
	assert_int_equal(other.flags & KPROBE_FLAG_GONE, 0);
	assert_int_equal(engine_gone(0x1000, 0x2000), 0);

	/* still registered, but of no use */
	ran = 0;
	engine_hit(a.site, NULL);
	assert_int_equal(ran, 0);
	assert_int_equal(spile_enable_kprobe(&b), -EINVAL);
	assert_int_equal(spile_enable_kprobe(&a), -EINVAL);
	assert_int_equal(spile_disable_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&a), -EBUSY);
	engine_probe_counts(&a, &counts);
	assert_int_equal(counts.flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);

	/* something else is loaded there */
	again = probe_at(0x1000);
	assert_int_equal(spile_register_kprobe(&again), 0);
	assert_ptr_not_equal(again.site, a.site);
	assert_int_equal(live, 2);
	engine_hit(again.site, NULL);
	assert_int_equal(ran, 1);

	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&b);
	spile_unregister_kretprobe(&rp);
	assert_int_equal(live, 2);
	assert_int_equal(a.nhit, 0);
	spile_unregister_kprobe(&again);
	spile_unregister_kprobe(&other);
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(live, 0);
	settling.unpin = home_unpin;
	engine_deinit();
	assert_int_equal(engine_init(&home), 0);
}

/* --- the switch over all probes ---------------------------------------------------------------------- */

static void test_enabled(void **state)
{
	struct kprobe a = probe_at(0x1000), off = probe_at(0x1000), alone = probe_at(0x3000), late;

	alone.flags = KPROBE_FLAG_DISABLED;
	assert_true(engine_enabled());
	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&off), 0);
	assert_int_equal(spile_register_kprobe(&alone), 0);
	assert_int_equal(spile_disable_kprobe(&off), 0);
	assert_int_equal(disarm_calls, 0);

	assert_int_equal(engine_set_enabled(false), 0);
	assert_false(engine_enabled());
	assert_int_equal(disarm_calls, 1); /* the one site that was armed */
	assert_true(synchronized > 0);
	assert_int_equal(engine_set_enabled(false), 0);
	assert_int_equal(disarm_calls, 1);
	assert_int_equal(a.flags & KPROBE_FLAG_DISABLED, 0);

	/* what is registered, enabled or disabled meanwhile stays off */
	late = probe_at(0x4100);
	assert_int_equal(spile_register_kprobe(&late), 0);
	assert_int_equal(late.site->enabled, 0);
	assert_int_equal(spile_enable_kprobe(&alone), 0);
	assert_int_equal(spile_disable_kprobe(&a), 0);
	assert_int_equal(arm_calls, 0);
	assert_int_equal(disarm_calls, 1);

	assert_int_equal(engine_set_enabled(true), 0);
	assert_int_equal(arm_calls, 2); /* late and alone, not a and off */
	assert_int_equal(spile_enable_kprobe(&a), 0);
	assert_int_equal(arm_calls, 3);
	assert_int_equal(off.flags & KPROBE_FLAG_DISABLED, KPROBE_FLAG_DISABLED);
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&off);
	spile_unregister_kprobe(&alone);
	spile_unregister_kprobe(&late);
}

static void test_enabled_fails(void **state)
{
	struct kprobe a = probe_at(0x1000);

	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(engine_set_enabled(false), 0);
	arm_error = -ENOMEM;
	assert_int_equal(engine_set_enabled(true), -ENOMEM);
	assert_int_equal(log_lines, 1);
	arm_error = 0;
	assert_int_equal(engine_set_enabled(true), 0);
	assert_int_equal(arm_calls, 2);
	spile_unregister_kprobe(&a);
}

/* --- the switch over jumps ----------------------------------------------------------------------------- */

static void test_optimization(void **state)
{
	struct kprobe entry = probe_at(0x1000), text = probe_at(0x1004);

	assert_int_equal(spile_register_kprobe(&entry), 0);
	assert_int_equal(spile_register_kprobe(&text), 0);
	assert_true(engine_optimization());
	engine_set_optimization(false);
	assert_false(engine_optimization());
	assert_int_equal(optimize_calls, 1);
	assert_int_equal(optimize_sites, 1); /* of that planter only */
	engine_set_optimization(true);
	engine_set_optimization(true); /* looks again */
	assert_true(engine_optimization());
	assert_int_equal(optimize_calls, 3);
	spile_unregister_kprobe(&entry);
	spile_unregister_kprobe(&text);
}

static void test_parse_switch(void **state)
{
	static const struct {
		const char *text;
		int verdict; /* the value, or -EINVAL */
	} cases[] = {
		{ "0", 0 }, { "1", 1 }, { "0\n", 0 }, { "1\n", 1 }, { "n", 0 }, { "Y\n", 1 },
		{ "off\n", 0 }, { "on", 1 }, { "", -EINVAL }, { "\n", -EINVAL }, { "2", -EINVAL },
		{ "10", -EINVAL }, { "1 ", -EINVAL }, { "o", -EINVAL }, { "1\n\n", -EINVAL },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);
		bool value = false;
		int err = engine_parse_switch(cases[i].text, len, &value);

		assert_int_equal(err ? err : value, cases[i].verdict);
	}
	/* not a byte behind its end */
	assert_int_equal(engine_parse_switch("on", 1, &(bool){ false }), -EINVAL);
}

/* --- listings ---------------------------------------------------------------------------------------------- */

/* Whether `text` has this line. */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (; text; text = strchr(text, '\n'), text += text != NULL)
		if (!strncmp(text, line, len) && text[len] == '\n')
			return true;
	return false;
}

static void test_list(void **state)
{
	struct kprobe k = probe_at(0x1000), off = probe_at(0x1004), gone = probe_at(0x3000);
	struct kprobe named = { .symbol_name = "f_3100", .offset = 4 };
	struct jprobe j = { .kp.addr = k.addr, .entry = &ran };
	struct kretprobe r = { .kp.addr = k.addr };
	char text[1024], *small;
	size_t len;

	assert_int_equal(engine_list(NULL, 0), 0);
	off.flags = KPROBE_FLAG_DISABLED;
	assert_int_equal(spile_register_kprobe(&k), 0);
	assert_int_equal(spile_register_jprobe(&j), 0);
	assert_int_equal(spile_register_kretprobe(&r), 0);
	assert_int_equal(spile_register_kprobe(&off), 0);
	assert_int_equal(spile_register_kprobe(&gone), 0);
	assert_int_equal(spile_register_kprobe(&named), 0);
	assert_int_equal(spile_disable_kprobe(&gone), 0);
	assert_int_equal(engine_gone(0x3000, 0x3200), 2);

	len = engine_list(text, sizeof(text) - 1);
	assert_true(len < sizeof(text) - 1);
	text[len] = '\0';
	assert_true(has_line(text, "0000000000001000  k  f_1000+0x0    [FTRACE][entry]"));
	assert_true(has_line(text, "0000000000001000  j  f_1000+0x0    [FTRACE][entry]"));
	assert_true(has_line(text, "0000000000001000  r  f_1000+0x0    [two-words]"));
	assert_true(has_line(text, "0000000000001004  k  f_1000+0x4  mod [DISABLED][two-words]"));
	assert_true(has_line(text, "0000000000003000  k  0x3000    [GONE]"));
	assert_true(has_line(text, "0000000000003104  k  f_3100+0x4    [GONE]"));

	/* cut anywhere, it says how long it is and writes no byte more */
	small = test_malloc(len / 2);
	assert_int_equal(engine_list(small, len / 2), len);
	assert_memory_equal(small, text, len / 2);
	test_free(small);

	spile_unregister_kprobe(&k);
	spile_unregister_jprobe(&j);
	spile_unregister_kretprobe(&r);
	spile_unregister_kprobe(&off);
	spile_unregister_kprobe(&gone);
	spile_unregister_kprobe(&named);
	assert_int_equal(engine_list(NULL, 0), 0);
}

static void test_blacklist(void **state)
{
	char text[256];
	size_t len = engine_blacklist(text, sizeof(text) - 1);

	text[len] = '\0';
	assert_string_equal(text, "0x0000000000002000-0x0000000000002010\tf_2000\n"
				  "0xffffffff81000004-0xffffffff81000100\tf_ffffffff81000000 [mod]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enabled_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_optimization, setup, teardown),
		cmocka_unit_test(test_parse_switch),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blacklist, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
