// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine against a made-up home: an address space of numbers, two planters that keep a log, and
 * hits that the test fires itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/engine.h"
#include "engine/core/site.h"
#include "engine/host.h"

/* --- the made-up host ---------------------------------------------------------------------------- */

static int synchronized, log_lines, allocations, fail_allocation;
static unsigned cpu_now;
static int preempt_off;
static bool interrupted; /* host_interrupted() says so */

void *host_zalloc(size_t size)
{
	if (fail_allocation && !--fail_allocation)
		return NULL;
	allocations++;
	return calloc(1, size);
}

void host_free(void *p)
{
	allocations -= p != NULL;
	free(p);
}

unsigned host_cpu_max(void)
{
	return 2;
}

unsigned host_cpu(void)
{
	assert_true(preempt_off);
	return cpu_now;
}

void host_preempt_disable(void)
{
	preempt_off++;
}

void host_preempt_enable(void)
{
	preempt_off--;
}

bool host_interrupted(const void *frame, unsigned level)
{
	return interrupted;
}

void host_synchronize(void)
{
	synchronized++;
}

void host_log(const char *fmt, ...)
{
	log_lines++;
}

/* Asked by jprobes only, which have a test of their own. */
int host_read_kernel(void *dst, uint64_t src, size_t len)
{
	return -EFAULT;
}

/* --- the made-up home: code is [0x1000, 0x9000), entries at multiples of 0x100 --------------------- */

#define BLACKLISTED 0x2000
#define INSIDE_INSTRUCTION 0x3001
#define PIN_FAILS 0x4000
#define PLANT_FAILS 0x5000

static int locked, pinned;

static void home_lock(void)
{
	assert_int_equal(locked++, 0);
}

static void home_unlock(void)
{
	assert_int_equal(--locked, 0);
}

static int home_resolve(const char *name, uint64_t *ret)
{
	if (strncmp(name, "f_", 2))
		return -ENOENT;
	*ret = strtoull(name + 2, NULL, 16);
	return 0;
}

static int home_check(uint64_t addr)
{
	if (addr < 0x1000 || addr >= 0x9000 || addr == BLACKLISTED)
		return -EINVAL;
	return addr == INSIDE_INSTRUCTION ? -EILSEQ : 0;
}

static int home_pin(uint64_t addr, void **ret)
{
	if (addr == PIN_FAILS)
		return -ENOENT;
	pinned++;
	*ret = &pinned;
	return 0;
}

static void home_unpin(void *pin)
{
	assert_ptr_equal(pin, &pinned);
	pinned--;
}

static void *home_current(void)
{
	return &cpu_now;
}

/* --- the made-up planters ------------------------------------------------------------------------------ */

static int plant_calls, unplant_calls, release_calls, arm_calls, disarm_calls, update_calls;
static int live; /* sites between plant and release */
static int arm_error;
static struct site_misses misses;

static int entry_can_plant(const struct spile_site *site)
{
	return site->addr & 0xff ? -EOPNOTSUPP : 0;
}

static int text_can_plant(const struct spile_site *site)
{
	return site->addr & 0x80 ? -EINVAL : 0;
}

static int any_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site;

	assert_int_equal(locked, 1);
	plant_calls++;
	for (site = list; site; site = site->batch_next) {
		if ((site->addr & ~0xffull) == PLANT_FAILS) {
			*ret_failed = site;
			return -ENOSPC;
		}
	}
	for (site = list; site; site = site->batch_next) {
		site->plant = site;
		live++;
	}
	return 0;
}

static void any_unplant(struct spile_site *list)
{
	assert_int_equal(locked, 1);
	unplant_calls++;
	synchronized = 0;
}

static void any_release(struct spile_site *list)
{
	release_calls++;
	for (; list; list = list->batch_next) {
		if (!list->plant)
			continue; /* never planted */
		assert_true(synchronized > 0);
		live--;
	}
}

static int any_arm(struct spile_site *site)
{
	arm_calls++;
	return arm_error;
}

static void any_disarm(struct spile_site *site)
{
	disarm_calls++;
}

static int any_update(struct spile_site *site)
{
	assert_true(site->has_post);
	update_calls++;
	return 0;
}

static void any_account(const struct spile_site *site, struct site_misses *ret)
{
	*ret = misses;
}

static const struct planter entry_planter = {
	.name = "entry", .id = 1, .kinds = SITE_PROBE, .probe_flags = KPROBE_FLAG_FTRACE,
	.can_plant = entry_can_plant, .plant = any_plant, .unplant = any_unplant,
	.release = any_release, .arm = any_arm, .disarm = any_disarm,
};

static const struct planter text_planter = {
	.name = "text", .id = 3, .kinds = SITE_PROBE | SITE_RETURN,
	.can_plant = text_can_plant, .plant = any_plant, .unplant = any_unplant,
	.release = any_release, .arm = any_arm, .disarm = any_disarm,
	.update = any_update, .account = any_account,
};

static const struct planter *const planters[] = { &entry_planter, &text_planter, NULL };

static const struct planter *const planters_text[] = { &text_planter, &entry_planter, NULL };

static bool home_wants_text(const struct spile_site *site)
{
	return site->asked & KPROBE_FLAG_TEXT;
}

static const struct engine_home home = {
	.planters = planters, .planters_text = planters_text, .wants_text = home_wants_text, .lock = home_lock, .unlock = home_unlock, .resolve = home_resolve,
	.check = home_check, .pin = home_pin, .unpin = home_unpin, .current_task = home_current,
};

static int setup(void **state)
{
	plant_calls = unplant_calls = release_calls = arm_calls = disarm_calls = update_calls = 0;
	live = arm_error = log_lines = synchronized = 0;
	fail_allocation = 0;
	cpu_now = 0;
	memset(&misses, 0, sizeof(misses));
	return engine_init(&home);
}

static int teardown(void **state)
{
	engine_deinit();
	return allocations || pinned || live || locked || preempt_off || engine_sites();
}

/* --- probes --------------------------------------------------------------------------------------------- */

static int ran, ran_post;
static struct kprobe *nested_probe; /* fired by count_handler */

static int fire(struct kprobe *p)
{
	struct pt_regs *regs = NULL;

	return engine_hit(p->site, regs);
}

static int count_handler(struct kprobe *p, struct pt_regs *regs)
{
	assert_true(preempt_off);
	ran++;
	if (nested_probe)
		fire(nested_probe);
	return 0;
}

static int divert_handler(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	return 1;
}

static void post_handler(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	ran_post++;
}

static struct kprobe probe_at(uint64_t addr)
{
	return (struct kprobe){ .addr = (kprobe_opcode_t *)(uintptr_t)addr,
				.pre_handler = count_handler };
}

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
	assert_int_equal(engine_register_kprobes(array, 4, &failed), -ENOSPC);
	assert_int_equal(failed, 2);
	assert_int_equal(engine_sites(), 0);
	assert_int_equal(live, 0);

	unplant_calls = 0;
	ps[2] = probe_at(PLANT_FAILS + 4); /* the second planter's */
	assert_int_equal(engine_register_kprobes(array, 4, &failed), -ENOSPC);
	assert_int_equal(unplant_calls, 1);
	assert_int_equal(live, 0);

	ps[2] = probe_at(0x1000);
	assert_int_equal(engine_register_kprobes(array, 4, &failed), 0);
	assert_int_equal(engine_sites(), 3);
	assert_int_equal(live, 3);
	spile_unregister_kprobes(array, 4);
	assert_int_equal(live, 0);
}

static void test_failed_batch_spares_old_probes(void **state)
{
	struct kprobe old = probe_at(0x1000), young = probe_at(0x1000), bad = probe_at(PLANT_FAILS);
	struct kprobe *array[2] = { &young, &bad };

	assert_int_equal(spile_register_kprobe(&old), 0);
	assert_int_equal(spile_register_kprobes(array, 2), -ENOSPC);
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
	spile_disable_kretprobe(&rp);
	assert_int_equal(engine_return_entry(rp.kp.site, &ri, NULL, 0x77), 1);

	misses = (struct site_misses){ .nested = 5, .instance = 7 };
	engine_kretprobe_counts(&rp, &counts);
	assert_int_equal(counts.missed_instance, 7);
	assert_int_equal(counts.missed_nested, 6);
	misses.instance = 9;
	spile_unregister_kretprobe(&rp);
	assert_int_equal(rp.nmissed, 9);
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
		cmocka_unit_test_setup_teardown(test_out_of_memory_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable_disable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupt_is_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_divert_and_post, setup, teardown),
		cmocka_unit_test_setup_teardown(test_return_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deinit_takes_leftovers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
