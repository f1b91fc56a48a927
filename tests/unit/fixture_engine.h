/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine against a made-up home: an address space of numbers, two planters that keep a log, and
 * hits that the test fires itself.
 */
#ifndef SPILE_TESTS_FIXTURE_ENGINE_H
#define SPILE_TESTS_FIXTURE_ENGINE_H

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

#pragma GCC diagnostic ignored "-Wunused-function" /* not every test needs all */

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
#define ENTRIES_FULL 0x6000
#define ALL_FULL 0x7000

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

/* "f_ADDR+0xN", where the function is at a multiple of 0x100; an odd place is a module's. */
int host_symbol_name(char *dst, size_t size, uint64_t addr)
{
	snprintf(dst, size, "f_%llx+0x%llx%s", (unsigned long long)(addr & ~0xffull),
		 (unsigned long long)(addr & 0xff), addr & 0xff ? " [mod]" : "");
	return 0;
}

static void home_blacklist(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg)
{
	each(BLACKLISTED, BLACKLISTED + 0x10, arg);
	each(0xffffffff81000004, 0xffffffff81000100, arg);
}

static void *home_current(void)
{
	return &cpu_now;
}

/* --- the made-up planters ------------------------------------------------------------------------------ */

static int optimize_calls, optimize_sites;
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

static const struct planter entry_planter;

static int plant_error(const struct spile_site *site)
{
	switch (site->addr & ~0xffull) {
	case PLANT_FAILS:
		return -EPERM;
	case ENTRIES_FULL:
		return site->planter == &entry_planter ? -ENOSPC : 0;
	case ALL_FULL:
		return -ENOSPC;
	default:
		return 0;
	}
}

static int any_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site;

	assert_int_equal(locked, 1);
	plant_calls++;
	for (site = list; site; site = site->batch_next) {
		if (plant_error(site)) {
			*ret_failed = site;
			return plant_error(site);
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

static void text_optimize(struct spile_site *list)
{
	optimize_calls++;
	for (optimize_sites = 0; list; list = list->batch_next)
		optimize_sites++;
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
	.name = "two words", .id = 3, .kinds = SITE_PROBE | SITE_RETURN,
	.can_plant = text_can_plant, .plant = any_plant, .unplant = any_unplant,
	.release = any_release, .arm = any_arm, .disarm = any_disarm,
	.update = any_update, .account = any_account, .optimize = text_optimize,
};

static const struct planter *const planters[] = { &entry_planter, &text_planter, NULL };

static const struct planter *const planters_text[] = { &text_planter, &entry_planter, NULL };

static bool home_wants_text(const struct spile_site *site)
{
	return site->asked & KPROBE_FLAG_TEXT;
}

static const struct engine_home home = {
	.planters = planters, .planters_text = planters_text, .wants_text = home_wants_text,
	.lock = home_lock, .unlock = home_unlock, .resolve = home_resolve,
	.blacklist = home_blacklist, .check = home_check, .pin = home_pin, .unpin = home_unpin, .current_task = home_current,
};

static int setup(void **state)
{
	optimize_calls = 0;
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

#endif
