// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel as a home of the engine: which planters, in which order; which addresses; and what
 * keeps probed code from going away. Task context throughout.
 */
#include "engine/host/linux-kernel/home.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/fault.h"
#include "engine/host/linux-kernel/ftrace_return.h"
#include "engine/host/linux-kernel/planters.h"
#include "engine/host/linux-kernel/text.h"
#include "engine/host/linux-kernel/watch.h"

bool (*kernel_home_is_script)(const struct module *module);

static struct mutex registration;

void kernel_mutex_init(struct mutex *mutex)
{
	static char key[64]; /* for kernels that check the order of locks: one class for all ours */

	if (khas(mutex_init_plain))
		kfn_mutex_init_plain(mutex);
	else
		kfn_mutex_init_key(mutex, "spile", (struct lock_class_key *)key);
}

void kernel_home_lock(void)
{
	kfn_mutex_lock(&registration);
}

void kernel_home_unlock(void)
{
	kfn_mutex_unlock(&registration);
}

static int home_resolve(const char *name, uint64_t *ret)
{
	*ret = kfn_kallsyms_lookup_name(name);
	return *ret ? 0 : -ENOENT;
}

#define LANDING_PAD_BYTES 4

/* At the start of a function; also one that the kernel has sealed, by either of its nops for that. */
static bool is_landing_pad(uint64_t addr)
{
	static const uint32_t pads[] = { 0xfa1e0ff3, 0x001f0f66, 0xd6401f0f }; /* endbr64; nops */
	unsigned long size, offset;
	uint32_t bytes;
	unsigned i;

	if (!khas(kallsyms_lookup_size_offset) ||
	    !kfn_kallsyms_lookup_size_offset(addr, &size, &offset) || offset)
		return false;
	if (host_read_kernel(&bytes, addr, sizeof(bytes)))
		return false;
	for (i = 0; i < sizeof(pads) / sizeof(pads[0]); i++)
		if (bytes == pads[i])
			return true;
	return false;
}

/*
 * Where a function begins with a landing pad for indirect calls, probes on its start go behind it,
 * as the kernel's own do, so that both addresses are one place. (Asked for an address inside of a
 * site, the kernel names the site, too: that address is left as it is.)
 */
static uint64_t home_adjust(uint64_t addr)
{
	unsigned long site = kfn_ftrace_location(addr);

	if (site > addr)
		return site;
	return khas(ibt_save) && is_landing_pad(addr) ? addr + LANDING_PAD_BYTES : addr;
}

/* An entry, or where home_adjust() moves one to. */
static bool home_is_entry(uint64_t addr)
{
	unsigned long size, offset;

	if (!khas(kallsyms_lookup_size_offset))
		return kfn_ftrace_location(addr) == addr;
	if (!kfn_kallsyms_lookup_size_offset(addr, &size, &offset))
		return false;
	return !offset || home_adjust(addr - offset) == addr;
}

/* Compares only: the module may be gone by now. */
static bool is_ours(const struct module *module)
{
	return module == &__this_module ||
	       (kernel_home_is_script && kernel_home_is_script(module));
}

static int home_check(uint64_t addr)
{
	struct module *module;

	host_preempt_disable();
	module = kfn_module_text_address(addr);
	host_preempt_enable();

	if (module ? is_ours(module) : !kfn_core_kernel_text(addr))
		return -EINVAL;
	if (khas(within_kprobe_blacklist) && kfn_within_kprobe_blacklist(addr))
		return -EINVAL;
	return 0;
}

/*
 * The core cannot be removed while anything is probed. A module cannot while a probe is being planted
 * in it; later it can, and module_gone.c takes its probes out.
 */
static int home_pin(uint64_t addr, void **ret)
{
	struct module *module;
	int err = 0;

	if (!kfn_try_module_get(&__this_module))
		return -ENODEV;
	host_preempt_disable();
	module = kfn_module_text_address(addr);
	if (module && !kfn_try_module_get(module))
		err = -ENOENT;
	host_preempt_enable();
	if (err)
		kfn_module_put(&__this_module);
	*ret = module;
	return err;
}

static void home_settle(void *pin)
{
	if (pin)
		kfn_module_put(pin);
}

static void home_unpin(void *pin)
{
	home_settle(pin);
	kfn_module_put(&__this_module);
}

static void *home_current_task(void)
{
	return kernel_current();
}

/*
 * The policy of the kernel home. Cheapest first, but patches of our own only where the kernel has no
 * kprobes: those take any breakpoint that they do not know for an instruction of one byte, and so
 * misread the rest of a function with one of ours in it.
 */
static const struct planter *const planters[] = {
	&planter_ftrace,
	&planter_ftrace_through,
	&planter_ftrace_return,
	&planter_native,
	&planter_native_return,
	&planter_jump,
	&planter_breakpoint,
	NULL,
};

/* When they are asked for, or stand in the same function already. Entries with an ftrace site they leave. */
static const struct planter *const planters_text[] = {
	&planter_jump,
	&planter_breakpoint,
	&planter_ftrace,
	&planter_native,
	NULL,
};

static bool prefers_text;

void kernel_home_set_text(bool on)
{
	__atomic_store_n(&prefers_text, on, __ATOMIC_RELAXED);
}

bool kernel_home_text(void)
{
	return __atomic_load_n(&prefers_text, __ATOMIC_RELAXED);
}

static bool home_wants_text(const struct spile_site *site)
{
	return site->kind == SITE_PROBE &&
	       (kernel_home_text() || site->asked & KPROBE_FLAG_TEXT ||
		text_is_in_function(site->addr));
}

#define COUNTERS 4096u /* of hits, for each CPU; probes beyond them count more dearly */

static struct engine_home home = {
	.planters = planters,
	.planters_text = planters_text,
	.wants_text = home_wants_text,
	.lock = kernel_home_lock,
	.unlock = kernel_home_unlock,
	.resolve = home_resolve,
	.adjust = home_adjust,
	.is_entry = home_is_entry,
	.check = home_check,
	.pin = home_pin,
	.settle = home_settle,
	.unpin = home_unpin,
	.blacklist = kernel_home_blacklist,
	.current_task = home_current_task,
	.faults = kernel_home_faults,
	.watch = &kernel_watch,
};

const struct engine_home *kernel_home_init(void)
{
	kernel_mutex_init(&registration);
	home.counters = host_zalloc(host_cpu_max() * COUNTERS * sizeof(*home.counters));
	home.counters_per_cpu = COUNTERS;
	return &home;
}

/*
 * The kernel takes its optimized kprobes out lazily. And the last call-throughs have dropped our
 * module, but may not yet have left its text: wait for tasks that were preempted there, and for CPUs.
 */
void kernel_home_deinit(void)
{
	if (khas(synchronize_rcu_tasks))
		kfn_synchronize_rcu_tasks();
	host_synchronize();
	ftrace_through_deinit();
	text_deinit();
	kernel_home_faults_deinit();
	if (khas(wait_for_kprobe_optimizer))
		kfn_wait_for_kprobe_optimizer();
	host_free(home.counters);
}
