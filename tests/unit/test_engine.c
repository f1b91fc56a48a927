// SPDX-License-Identifier: GPL-2.0-only
/* Registration, hits and counts of the engine, in a made-up home (fixture_engine.h). */
#include "fixture_engine.h"

static void test_refusals(void **state)
{
	struct kprobe both = probe_at(0x1000), neither = { 0 }, p;
	uint64_t bad[] = { 0x10, BLACKLISTED, 0x9000 };

	both.symbol_name = "f_1000";
	assert_int_equal(spile_register_kprobe(&both), -EINVAL);
	assert_int_equal(spile_register_kprobe(&neither), -EINVAL);
	for (unsigned i = 0; i < 3; i++) {
		p = probe_at(bad[i]);
		assert_int_equal(spile_register_kprobe(&p), -EINVAL);
	}
	p = probe_at(INSIDE_INSTRUCTION);
	assert_int_equal(spile_register_kprobe(&p), -EILSEQ);
	p = probe_at(PIN_FAILS);
	assert_int_equal(spile_register_kprobe(&p), -ENOENT);
	p = (struct kprobe){ .symbol_name = "nowhere" };
	assert_int_equal(spile_register_kprobe(&p), -ENOENT);
	assert_null(p.addr);
	assert_int_equal(spile_register_kprobes(NULL, 0), -EINVAL);
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(plant_calls, 0);
}

static void test_symbol_and_offset(void **state)
{
	struct kprobe p = { .symbol_name = "f_1100", .offset = 4, .pre_handler = count_handler };

	assert_int_equal(spile_register_kprobe(&p), 0);
	assert_ptr_equal(p.addr, 0x1104);
	assert_int_equal(p.flags, 0); /* not at an entry */
	assert_int_equal(spile_register_kprobe(&p), -EBUSY);
	ran = 0;
	fire(&p);
	assert_int_equal(ran, 1);
	assert_int_equal(p.nhit, 1);
	spile_unregister_kprobe(&p);
	assert_ptr_equal(p.addr, 0x1104); /* still readable, as the samples print it */
	spile_unregister_kprobe(&p);      /* not registered: nothing happens */
	assert_int_equal(release_calls, 1);
}

static void test_policy(void **state)
{
	struct kprobe entry = probe_at(0x1000), inside = probe_at(0x1004), no = probe_at(0x1080);
	struct engine_counts counts;

	assert_int_equal(spile_register_kprobe(&entry), 0);
	assert_int_equal(spile_register_kprobe(&inside), 0);
	engine_probe_counts(&entry, &counts);
	assert_int_equal(counts.planter, 1);
	assert_true(counts.flags & KPROBE_FLAG_FTRACE);
	engine_probe_counts(&inside, &counts);
	assert_int_equal(counts.planter, 3);
	/* the verdict of the planter that knows is told, not the "not my sort of place" before it */
	assert_int_equal(spile_register_kprobe(&no), -EINVAL);
	spile_unregister_kprobe(&entry);
	spile_unregister_kprobe(&inside);
}

/* A probe that asks for the text gets the other order; the first probe of a site decides. */
static void test_policy_text(void **state)
{
	struct kprobe asks = probe_at(0x1000), joins = probe_at(0x1000), refused = probe_at(0x1080);
	struct engine_counts counts;

	asks.flags = refused.flags = KPROBE_FLAG_TEXT;
	assert_int_equal(spile_register_kprobe(&asks), 0);
	assert_int_equal(spile_register_kprobe(&joins), 0);
	engine_probe_counts(&asks, &counts);
	assert_int_equal(counts.planter, 3);
	assert_true(counts.flags & KPROBE_FLAG_TEXT);
	engine_probe_counts(&joins, &counts);
	assert_int_equal(counts.planter, 3);
	assert_int_equal(spile_register_kprobe(&refused), -EINVAL);
	spile_unregister_kprobe(&asks);
	spile_unregister_kprobe(&joins);
	assert_int_equal(spile_register_kprobe(&joins), 0);
	assert_int_equal(spile_register_kprobe(&asks), 0);
	engine_probe_counts(&asks, &counts);
	assert_int_equal(counts.planter, 1);
	spile_unregister_kprobe(&asks);
	spile_unregister_kprobe(&joins);
}

/* A break_handler counts as a post_handler for what the planter has to do. */
static void test_break_handler(void **state)
{
	struct kprobe p = probe_at(0x1000), q = probe_at(0x1000);

	assert_int_equal(spile_register_kprobe(&p), 0);
	q.break_handler = (kprobe_break_handler_t)p.pre_handler;
	assert_false(p.site->has_post);
	assert_int_equal(spile_register_kprobe(&q), 0);
	assert_true(p.site->has_post);
	spile_unregister_kprobe(&q);
	assert_false(p.site->has_post);
	spile_unregister_kprobe(&p);
}

static void test_two_probes_one_site(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1000);

	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	assert_int_equal(engine_sites(), 1);
	assert_int_equal(plant_calls, 1);
	ran = 0;
	fire(&a);
	assert_int_equal(ran, 2);
	spile_unregister_kprobe(&a);
	assert_int_equal(unplant_calls, 0);
	fire(&b);
	assert_int_equal(ran, 3);
	assert_int_equal(a.nhit, 1);
	assert_int_equal(b.nhit, 2);
	spile_unregister_kprobe(&b);
	assert_int_equal(unplant_calls, 1);
}

static void test_batch_all_or_nothing(void **state)
{
	struct kprobe ps[4] = { probe_at(0x1000), probe_at(0x1004), { .symbol_name = "nowhere" },
				probe_at(0x1200) };
	struct kprobe *array[4] = { &ps[0], &ps[1], &ps[2], &ps[3] };
	unsigned failed;

	assert_int_equal(engine_register_kprobes(array, 4, &failed), -ENOENT);
	assert_int_equal(failed, 2);
	assert_int_equal(engine_sites(), 0);
	assert_ptr_equal(ps[0].addr, 0x1000);
	assert_int_equal(plant_calls, 0);

	/* a planter fails: what another one planted is taken back */
	ps[2] = probe_at(PLANT_FAILS);
	assert_int_equal(engine_register_kprobes(array, 4, &failed), -EPERM);
	assert_int_equal(failed, 2);
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(live, 0);

	unplant_calls = 0;
	ps[2] = probe_at(PLANT_FAILS + 4); /* the second planter's */
	assert_int_equal(engine_register_kprobes(array, 4, &failed), -EPERM);
	assert_int_equal(unplant_calls, 1);
	assert_int_equal(live, 0);

	ps[2] = probe_at(0x1000);
	assert_int_equal(engine_register_kprobes(array, 4, &failed), 0);
	assert_int_equal(engine_sites(), 3);
	assert_int_equal(live, 3);
	spile_unregister_kprobes(array, 4);
	assert_int_equal(live, 0);
}

/* A planter without room: the next one takes the sites that it was to have. */
static void test_full_planter(void **state)
{
	struct kprobe ps[3] = { probe_at(ENTRIES_FULL), probe_at(0x1000), probe_at(0x1004) };
	struct kprobe *array[3] = { &ps[0], &ps[1], &ps[2] };

	assert_int_equal(spile_register_kprobes(array, 3), 0);
	assert_string_equal(spile_kprobe_planter(&ps[0]), "two words");
	assert_string_equal(spile_kprobe_planter(&ps[2]), "two words");
	assert_int_equal(live, 3);
	spile_unregister_kprobes(array, 3);
	assert_int_equal(live, 0);

	ps[0] = probe_at(ALL_FULL);
	assert_int_equal(spile_register_kprobes(array, 3), -ENOMEM);
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(live, 0);
}

static void test_failed_batch_spares_old_probes(void **state)
{
	struct kprobe old = probe_at(0x1000), young = probe_at(0x1000), bad = probe_at(PLANT_FAILS);
	struct kprobe *array[2] = { &young, &bad };

	assert_int_equal(spile_register_kprobe(&old), 0);
	assert_int_equal(spile_register_kprobes(array, 2), -EPERM);
	ran = 0;
	fire(&old);
	assert_int_equal(ran, 1);
	assert_null(young.site);
	spile_unregister_kprobe(&old);
}

static void test_out_of_memory_anywhere(void **state)
{
	struct kprobe ps[2] = { probe_at(0x1000), probe_at(0x1100) };
	struct kprobe *array[2] = { &ps[0], &ps[1] };
	int i;

	for (i = 1; i <= 2; i++) {
		fail_allocation = i;
		assert_int_equal(spile_register_kprobes(array, 2), -ENOMEM);
		assert_int_equal(engine_sites(), 0);
	}
	fail_allocation = 0;
}

static void test_enable_disable(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1000);

	assert_int_equal(spile_disable_kprobe(&a), -EINVAL);
	a.flags = KPROBE_FLAG_DISABLED;
	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(a.site->enabled, 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	assert_int_equal(arm_calls, 1); /* the first enabled one armed the site */
	ran = 0;
	fire(&a);
	assert_int_equal(ran, 1);
	assert_int_equal(a.nhit, 0);
	assert_int_equal(spile_enable_kprobe(&a), 0);
	assert_int_equal(spile_enable_kprobe(&a), 0);
	fire(&a);
	assert_int_equal(ran, 3);
	assert_int_equal(spile_disable_kprobe(&b), 0);
	assert_int_equal(disarm_calls, 0);
	assert_int_equal(spile_disable_kprobe(&a), 0);
	assert_int_equal(disarm_calls, 1);
	arm_error = -ENOMEM;
	assert_int_equal(spile_enable_kprobe(&a), -ENOMEM);
	assert_true(a.flags & KPROBE_FLAG_DISABLED);
	assert_int_equal(a.site->enabled, 0);
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&b);
}

static void test_nested_is_missed(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1100);

	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	ran = 0;
	nested_probe = &b;
	fire(&a);
	nested_probe = NULL;
	assert_int_equal(ran, 1);
	assert_int_equal(b.nmissed, 1);
	assert_int_equal(b.nhit, 0);
	fire(&b);
	assert_int_equal(b.nhit, 1);
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&b);
}

static struct kprobe *in_interrupt;

static int interrupted_handler(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	interrupted = true;
	fire(in_interrupt);
	interrupted = false;
	fire(in_interrupt); /* and what the handler itself causes is nested as ever */
	return 0;
}

/* A hit in an interrupt during a handler is run, and again nothing nests in it. */
static void test_interrupt_is_run(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1100);

	a.pre_handler = interrupted_handler;
	in_interrupt = &b;
	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	ran = 0;
	fire(&a);
	assert_int_equal(ran, 2);
	assert_int_equal(b.nhit, 1);
	assert_int_equal(b.nmissed, 1);
	assert_null(engine.cpus[cpu_now].running);
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&b);
}

static void test_divert_and_post(void **state)
{
	struct kprobe a = probe_at(0x1004), b = probe_at(0x1004);

	a.pre_handler = divert_handler;
	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(update_calls, 0);
	b.post_handler = post_handler;
	assert_int_equal(spile_register_kprobe(&b), 0);
	assert_int_equal(update_calls, 1);
	ran = ran_post = 0;
	assert_int_equal(fire(&a), 1);
	assert_int_equal(ran, 1); /* the diverting handler is the last that is run */
	spile_unregister_kprobe(&a);
	assert_int_equal(fire(&b), 0);
	engine_hit_post(b.site, NULL, 0);
	assert_int_equal(ran_post, 1);
	spile_unregister_kprobe(&b);
}

/* --- return probes ------------------------------------------------------------------------------------------ */

static int entry_result;

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	assert_ptr_equal(ri->ret_addr, 0x77);
	assert_ptr_equal(ri->task, &cpu_now);
	return entry_result;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	ran++;
	if (nested_probe)
		engine_return_exit(ri->rp->kp.site, ri, regs);
	return 0;
}

static void test_return_probe(void **state)
{
	struct kretprobe rp = { .kp.symbol_name = "f_1000", .handler = on_return,
				.entry_handler = on_entry };
	struct kretprobe_instance ri = { 0 };
	struct engine_counts counts;
	struct kprobe p = probe_at(0x1000);

	assert_int_equal(spile_register_kprobe(&p), 0);
	assert_int_equal(spile_register_kretprobe(&rp), 0);
	assert_int_equal(engine_sites(), 2);
	ran = 0;
	assert_int_equal(engine_return_entry(rp.kp.site, &ri, NULL, 0x77), 0);
	assert_ptr_equal(ri.rp, &rp);
	engine_return_exit(rp.kp.site, &ri, NULL);
	assert_int_equal(ran, 1);
	assert_int_equal(rp.kp.nhit, 1);
	entry_result = 1;
	assert_int_equal(engine_return_entry(rp.kp.site, &ri, NULL, 0x77), 1);
	entry_result = 0;
	nested_probe = &p;
	engine_return_exit(rp.kp.site, &ri, NULL);
	nested_probe = NULL;
	assert_int_equal(rp.kp.nmissed, 1);
	for (int i = 0; i < 7; i++)
		engine_return_missed(rp.kp.site);
	assert_int_equal(rp.nmissed, 7);
	spile_disable_kretprobe(&rp);
	assert_int_equal(engine_return_entry(rp.kp.site, &ri, NULL, 0x77), 1);
	engine_return_missed(rp.kp.site); /* disabled: not counted */

	misses = (struct site_misses){ .nested = 5 };
	engine_kretprobe_counts(&rp, &counts);
	assert_int_equal(counts.missed_instance, 7);
	assert_int_equal(counts.missed_nested, 6);
	spile_unregister_kretprobe(&rp);
	assert_int_equal(rp.nmissed, 7);
	assert_int_equal(rp.kp.nmissed, 6); /* what was counted once is not counted again */
	spile_unregister_kprobe(&p);
}

static void test_deinit_takes_leftovers(void **state)
{
	struct kprobe a = probe_at(0x1000), b = probe_at(0x1000);

	assert_int_equal(spile_register_kprobe(&a), 0);
	assert_int_equal(spile_register_kprobe(&b), 0);
	engine_deinit();
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(log_lines, 1);
	assert_int_equal(engine_init(&home), 0);
}

/* The home's hook may still be there, and any page fault of the kernel's come to it. */
static void test_fault_after_deinit(void **state)
{
	engine_deinit();
	assert_int_equal(engine_hit_fault(NULL, NULL, 14), 0);
	assert_int_equal(synchronized, 1);
	assert_int_equal(engine_init(&home), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbol_and_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_break_handler, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_probes_one_site, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_batch_spares_old_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_planter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable_disable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupt_is_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_divert_and_post, setup, teardown),
		cmocka_unit_test_setup_teardown(test_return_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deinit_takes_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault_after_deinit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
