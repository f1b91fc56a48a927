// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in the kernel's text a patch of ours may stand. Task context under the engine's lock.
 *
 * Not our sort of place, so that the kernel's own kprobes may try: what has no symbol, ftrace's
 * sites, what runs on the way from a breakpoint to us, instructions that have an entry in an exception
 * table (they may sleep in a page fault, in a slot that nobody knows to be in use), landing pads of
 * indirect branches, and what neither a copy nor emulation can do.
 *
 * For a jump the engine's own checks (engine/arch/x86/optimize.h) read the function; here is what
 * only the kernel's tables tell: code that it changes itself, where exceptions continue, and where
 * jump labels lead that are off at the moment and so are no jumps to see.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/text_write.h"

/* --- symbols ------------------------------------------------------------------------------------- */

int text_function(uint64_t addr, uint64_t *ret_start, uint64_t *ret_end)
{
	unsigned long size, offset;

	if (!kfn_kallsyms_lookup_size_offset(addr, &size, &offset))
		return -ENOENT;
	*ret_start = addr - offset;
	*ret_end = *ret_start + size;
	return 0;
}

static bool contains(const char *text, const char *part)
{
	size_t i;

	for (; *text; text++) {
		for (i = 0; part[i] && text[i] == part[i]; i++)
			;
		if (!part[i])
			return true;
	}
	return false;
}

/* The engine's lock guards it. */
static const char *name_of(uint64_t addr)
{
	static char name[256];

	host_symbol_name(name, sizeof(name), addr);
	return name;
}

/* --- what runs before our notifier does ------------------------------------------------------------ */

static const char *const on_the_way[] = {
	"notify_die", "atomic_notifier_call_chain", "__atomic_notifier_call_chain",
	"notifier_call_chain", "kprobe_exceptions_notify", "hw_breakpoint_exceptions_notify",
	"__rcu_read_lock", "__rcu_read_unlock", "rcu_read_unlock_special", "rcu_read_unlock_strict",
	"kgdb_ll_trap", "kgdb_notify", "__kgdb_notify", "get_kprobe", "kprobe_int3_handler",
};

/* The kernel marks most of them for its kprobes, whose handler comes earlier than ours. */
static bool is_on_the_way(uint64_t start)
{
	static uint64_t addrs[sizeof(on_the_way) / sizeof(on_the_way[0])];
	static bool resolved;
	unsigned i;

	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]) && !resolved; i++)
		addrs[i] = kfn_kallsyms_lookup_name(on_the_way[i]);
	resolved = true;
	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		if (start == addrs[i])
			return true;
	return false;
}

/* --- what the kernel changes itself ---------------------------------------------------------------- */

/* Whether it may, between first and last, both included. */
static bool is_reserved(uint64_t first, uint64_t last)
{
	void *a = (void *)first, *b = (void *)last;
	bool reserved;

	host_preempt_disable(); /* keeps modules' tables */
	reserved = (khas(jump_label_text_reserved) && kfn_jump_label_text_reserved(a, b)) ||
		   (khas(static_call_text_reserved) && kfn_static_call_text_reserved(a, b)) ||
		   (khas(ftrace_text_reserved) && kfn_ftrace_text_reserved(a, b));
	host_preempt_enable();
	return reserved || (khas(alternatives_text_reserved) && kfn_alternatives_text_reserved(a, b));
}

static bool has_kernels_kprobe(uint64_t start, uint64_t end)
{
	bool found = false;

	host_preempt_disable();
	for (; start < end && !found && khas(get_kprobe); start++)
		found = kfn_get_kprobe((void *)start) != NULL;
	host_preempt_enable();
	return found;
}

/* --- tables of the kernel and its modules: two offsets, each from itself, then something -------------- */

struct offsets {
	int32_t code, target;
};

typedef bool table_test(uint64_t code, uint64_t target, uint64_t start, uint64_t end);

static bool any_entry(const char *entry, const char *stop, size_t size, table_test *test,
		      uint64_t start, uint64_t end)
{
	for (; entry < stop; entry += size) {
		const struct offsets *o = (const struct offsets *)entry;

		if (test((uint64_t)&o->code + o->code, (uint64_t)&o->target + o->target, start, end))
			return true;
	}
	return false;
}

static bool is_in(uint64_t addr, uint64_t start, uint64_t end)
{
	return addr >= start && addr < end;
}

/* A jump label in any function leads to behind the first byte. */
static bool leads_inside(uint64_t code, uint64_t target, uint64_t start, uint64_t end)
{
	return is_in(target, start + 1, end);
}

/* It stays: probed code is pinned, or about to be. */
static struct module *module_of(uint64_t addr)
{
	struct module *module;

	host_preempt_disable();
	module = kfn_module_text_address(addr);
	host_preempt_enable();
	return module;
}

static bool jump_labels_lead_to(uint64_t start, uint64_t end)
{
	struct module *module;
	const char *table;

	if (khas(jump_table_start) && khas(jump_table_stop) && khas(jump_entry) &&
	    any_entry(&kvar_jump_table_start, &kvar_jump_table_stop, ksize(jump_entry), leads_inside,
		      start, end))
		return true;
	module = module_of(start);
	if (!module || !khas(module_jump_entries) || !khas(module_num_jump_entries))
		return false;
	table = (const char *)kfield(module, module, jump_entries);
	return any_entry(table,
			 table + kfield(module, module, num_jump_entries) * ksize(jump_entry),
			 ksize(jump_entry), leads_inside, start, end);
}

/* --- exceptions ---------------------------------------------------------------------------------------- */

/*
 * An exception in the function that is continued outside of it: there the code is not read, and it
 * may come back anywhere. (An older kernel's .fixup, a newer one's cold part.)
 */
static bool is_continued_elsewhere(uint64_t code, uint64_t target, uint64_t start, uint64_t end)
{
	return is_in(code, start, end) && !is_in(target, start, end);
}

static bool exceptions_any(table_test *test, uint64_t start, uint64_t end)
{
	struct module *module;
	const char *table;

	if (!khas(exception_table_entry) || !khas(ex_table_start) || !khas(ex_table_stop))
		return true; /* not known: counts against the jump */
	if (any_entry(&kvar_ex_table_start, &kvar_ex_table_stop, ksize(exception_table_entry), test,
		      start, end))
		return true;
	module = module_of(start);
	if (!module)
		return false;
	if (!khas(module_extable) || !khas(module_num_exentries))
		return true;
	table = (const char *)kfield(module, module, extable);
	return any_entry(table,
			 table + kfield(module, module, num_exentries) * ksize(exception_table_entry),
			 ksize(exception_table_entry), test, start, end);
}

static bool is_touched(uint64_t code, uint64_t target, uint64_t start, uint64_t end)
{
	return is_in(code, start, end) || leads_inside(code, target, start, end);
}

static bool has_exception_entry(uint64_t addr)
{
	return !khas(search_exception_tables) || kfn_search_exception_tables(addr) != NULL;
}

/* --- the questions of arch_optimize_check() --------------------------------------------------------------- */

struct bounds {
	uint64_t start, end;
};

static bool has_fixup(void *context, uint64_t start, uint64_t end)
{
	const struct bounds *f = context;

	return exceptions_any(is_touched, start, end) ||
	       exceptions_any(is_continued_elsewhere, f->start, f->end);
}

/* Probes of ours may come and go: text_apply.c looks after them. */
static bool is_occupied(void *context, uint64_t start, uint64_t end)
{
	return is_reserved(start, end - 1) || has_kernels_kprobe(start, end) ||
	       jump_labels_lead_to(start - 1, end);
}

/* By name: the kernel writes jumps to these for indirect ones. What has no name may be a copy of one. */
static bool is_thunk(void *context, uint64_t target)
{
	const char *name = name_of(target);

	return !*name || contains(name, "__x86_indirect");
}

static bool is_part(void *context, uint64_t target, uint64_t *ret_start, uint64_t *ret_end)
{
	return contains(name_of(target), ".cold") && !text_function(target, ret_start, ret_end);
}

enum x86_verdict text_check_jump(uint64_t addr, struct arch_region *ret)
{
	struct bounds f;
	struct arch_optimize o = {
		.address = addr,
		.keep_endbr = true, /* whether they are needed cannot be seen */
		.read = text_read_original,
		.is_occupied = is_occupied,
		.has_fixup = has_fixup,
		.is_thunk = is_thunk,
		.is_part = is_part,
		.context = &f,
	};

	if (text_function(addr, &f.start, &f.end))
		return X86_JUMP_UNREADABLE;
	o.start = f.start;
	o.end = f.end;
	return arch_optimize_check(&o, ret);
}

bool text_region_is_free(const struct text_point *point)
{
	return !has_kernels_kprobe(point->addr, point->addr + point->region.length);
}

/* --- breakpoints -------------------------------------------------------------------------------------------- */

static int decode(uint64_t addr, struct arch_insn *ret)
{
	uint8_t bytes[ARCH_INSN_MAX];
	int got = text_read_original(NULL, addr, bytes, sizeof(bytes));

	return got <= 0 ? -EFAULT : arch_decode(bytes, (size_t)got, ret);
}

int text_check_breakpoint(uint64_t addr, struct arch_insn *ret)
{
	uint64_t start, end;
	int err;

	if (!text_is_available() || text_function(addr, &start, &end) || is_on_the_way(start) ||
	    kfn_ftrace_location(addr) || has_kernels_kprobe(addr, addr + 1))
		return -EOPNOTSUPP;
	err = arch_boundary_check(start, addr, text_read_original, NULL);
	if (err)
		return err == -EILSEQ ? err : -EOPNOTSUPP;
	if (is_reserved(addr, addr))
		return -EINVAL;
	if (decode(addr, ret) < 0 || ret->kind == X86_ENDBR || has_exception_entry(addr) ||
	    arch_slot_check(ret, X86_KERNEL, false))
		return -EOPNOTSUPP;
	return 0;
}
