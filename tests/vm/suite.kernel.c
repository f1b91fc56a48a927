// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's suite (tests/engine/suite.h) on a live kernel: the same cases that a process runs.
 * It is linked with suite.c and targets.c to a module whose init runs it; what is probed is the
 * module's own, so every call is known.
 *
 * The Makefile makes it in two forms. In suite.o the targets are as our compiler leaves them, and the
 * kernel's kprobes do the work. In suite-sites.o they have ftrace sites, as the kernel's own functions.
 *
 * Each case under load takes as many tenths of a second as the digits of the module's name say.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "tests/engine/suite.h"
#include "tests/vm/number.h"

#define CHECK_MODULE "suite"
#include "tests/vm/check.h"

int init_module(void);
void cleanup_module(void);

static int passed;

static void verdict(const char *name, bool good)
{
	passed += good;
	CHECK(name, good, true);
}

static void complain(const char *file, int line, const char *what, long long is, long long should)
{
	kfn_printk(CHECK_LINE "# %s:%d: %s is %lld, not %lld\n", file, line, what, is, should);
}

/* Lets others run: kernels that do not preempt kernel code leave that to us. */
static void yield(void)
{
	kfn_schedule_timeout(0);
}

static bool go_on(bool begin)
{
	static uint64_t end;

	if (begin)
		end = kfn_ktime_get_mono_fast_ns() + module_number() * 100000000ull;
	else
		yield();
	return kfn_ktime_get_mono_fast_ns() < end;
}

/* --- threads ------------------------------------------------------------------------------------- */

#define THREADS_MAX 16
#define YIELD_EACH 64

static struct {
	void (*body)(void *arg);
	void *arg;
} work;

static int worker(void *unused)
{
	unsigned n = 0;

	while (!kfn_kthread_should_stop()) {
		work.body(work.arg);
		if (!(++n % YIELD_EACH))
			yield();
	}
	return 0;
}

static void with_threads(int n, void (*body)(void *arg), void (*meanwhile)(void *arg), void *arg)
{
	struct task_struct *threads[THREADS_MAX];
	int i;

	work.body = body;
	work.arg = arg;
	for (i = 0; i < n; i++) {
		threads[i] = kfn_kthread_create_on_node(worker, NULL, -1, "suite/%d", i);
		kfn_wake_up_process(threads[i]);
	}
	meanwhile(arg);
	for (i = 0; i < n; i++)
		kfn_kthread_stop(threads[i]);
}

/* --- reads that may fail --------------------------------------------------------------------------- */

#define NOTHING 0xffffffffffe00008ull /* the last 2 MB are nobody's: Documentation/arch/x86/x86_64/mm.rst */

static long load(uint64_t addr)
{
	uint64_t value;

	return kfn_copy_from_kernel_nofault(&value, (const void *)addr, sizeof(value)) ? -EFAULT : 0;
}

/* mov of 8 bytes from memory */
static bool is_load(const uint8_t *insn)
{
	return (insn[0] & 0xf8) == 0x48 && insn[1] == 0x8b;
}

/* The entry for the kernel's function that does it; its table has offsets from themselves. */
static uint64_t load_at(void)
{
	uint64_t start = (uint64_t)kfn_copy_from_kernel_nofault, code;
	unsigned long size, offset;
	const char *entry;

	kfn_kallsyms_lookup_size_offset(start, &size, &offset);
	for (entry = &kvar_ex_table_start; entry < &kvar_ex_table_stop;
	     entry += ksize(exception_table_entry)) {
		code = (uint64_t)entry + (uint64_t)(int64_t)*(const int32_t *)entry;
		if (code - start < size && is_load((const uint8_t *)code))
			return code;
	}
	return 0;
}

/* --- the module ------------------------------------------------------------------------------------ */

int init_module(void)
{
	const int cpus = (int)kvar_nr_cpu_ids;
	const bool sites = kfn_ftrace_location((unsigned long)target_add) != 0;
	const struct suite_home home = {
		.verdict = verdict,
		.complain = complain,
		.with_threads = with_threads,
		.go_on = go_on,
		.add_name = "target_add",
		.own_text = (uint64_t)spile_register_kprobe,
		.maxactive = 2 * cpus > 10 ? 2 * cpus : 10,
		.bad = NOTHING,
		.load = load,
		.load_at = load_at(),
		.entry_flags = sites ? KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY : 0,
	};

	suite_run(&home);
	kfn_printk(CHECK_LINE "# %s: %d passed\n",
		   sites ? "with ftrace sites" : "without ftrace sites", passed);
	return check_done();
}

void cleanup_module(void)
{
}
