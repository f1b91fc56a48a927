// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits by signal. Nothing of libc is called here before the engine knows that a handler runs: a
 * breakpoint in it would bring us back here without end.
 */
#include <string.h>
#include <ucontext.h>

#include "engine/core/engine.h"
#include "engine/host.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/trap.h"
#include "engine/host/linux-user/watch.h"

#define SIGNALS 5

static const int signals[SIGNALS] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
static struct signal_action program[SIGNALS]; /* what would be there without us */
static bool installed;

/* --- registers ----------------------------------------------------------------------------------- */

struct pair {
	uint8_t greg, offset;
};

static const struct pair pairs[] = {
	{ REG_R15, PT_R15 }, { REG_R14, PT_R14 }, { REG_R13, PT_R13 }, { REG_R12, PT_R12 },
	{ REG_RBP, PT_BP },  { REG_RBX, PT_BX },  { REG_R11, PT_R11 }, { REG_R10, PT_R10 },
	{ REG_R9, PT_R9 },   { REG_R8, PT_R8 },	  { REG_RAX, PT_AX },  { REG_RCX, PT_CX },
	{ REG_RDX, PT_DX },  { REG_RSI, PT_SI },  { REG_RDI, PT_DI },  { REG_RIP, PT_IP },
	{ REG_EFL, PT_FLAGS }, { REG_RSP, PT_SP },
};

static void regs_load(struct pt_regs *regs, const greg_t *gregs)
{
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		*(uint64_t *)((char *)regs + pairs[i].offset) = (uint64_t)gregs[pairs[i].greg];
	regs->orig_ax = (uint64_t)-1;
	regs->cs = 0x33;
	regs->ss = 0x2b;
}

static void regs_store(const struct pt_regs *regs, greg_t *gregs)
{
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		gregs[pairs[i].greg] = *(const greg_t *)((const char *)regs + pairs[i].offset);
}

/* --- breakpoints --------------------------------------------------------------------------------- */

static void run_post(struct point *point, struct pt_regs *regs)
{
	struct spile_site *site = __atomic_load_n(&point->live, __ATOMIC_ACQUIRE);

	if (site && site->has_post)
		engine_hit_post(site, regs, 0);
}

static void hit_breakpoint(struct point *point, struct pt_regs *regs)
{
	const struct spile_site *site;
	uint64_t detour;

	if (point_hit(point, regs))
		return; /* a handler has set regs->ip */
	detour = __atomic_load_n(&point->via_detour, __ATOMIC_ACQUIRE);
	if (detour) {
		regs->ip = detour;
		return;
	}
	site = __atomic_load_n(&point->live, __ATOMIC_ACQUIRE);
	switch (x86_slot_go(&point->slot, regs, site && site->has_post, NULL)) {
	case X86_SLOT_POST:
		run_post(point, regs);
		break;
	case X86_SLOT_STEP: /* the breakpoint at the copy's end comes next */
	case X86_SLOT_DONE:
	case X86_SLOT_FAULT: /* what has no slot reads no memory */
		break;
	}
}

static bool is_step_end(const struct point *point, uint64_t addr)
{
	return point->slot.at && point->slot.can_step && addr == x86_slot_step_end(&point->slot);
}

/* True: it was ours. */
static bool breakpoint(struct pt_regs *regs)
{
	uint64_t addr = regs->ip - ARCH_BREAKPOINT_BYTES;
	struct point *point = point_find(addr);

	if (!point)
		return false;
	if (addr == point->addr) {
		hit_breakpoint(point, regs);
	} else if (is_step_end(point, addr)) {
		x86_slot_stepped(&point->slot, regs);
		run_post(point, regs);
	} else {
		return false;
	}
	return true;
}

/* A breakpoint that was removed after the trap and before we came here: run what is there now. */
static bool is_stale(const struct pt_regs *regs)
{
	uint8_t byte = 0xcc;

	return !host_read_user(&byte, regs->ip - 1, 1) && byte != 0xcc;
}

/*
 * Neither a point nor a byte that is not a breakpoint: then it is the program's, unless a point has
 * come or gone between the two looks; then again.
 */
static bool take_breakpoint(struct pt_regs *regs)
{
	uint32_t before;

	do {
		before = points_generation();
		if (breakpoint(regs))
			return true;
		if (is_stale(regs)) {
			regs->ip--;
			return true;
		}
	} while (points_generation() != before);
	return false;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct pt_regs regs;
	bool ours, shown;

	regs_load(&regs, gregs);
	host_preempt_disable();
	shown = quick_show();
	ours = info->si_code == SI_KERNEL ? take_breakpoint(&regs) : watch_trap(info, &regs);
	quick_hide(shown);
	host_preempt_enable();
	if (ours)
		regs_store(&regs, gregs);
	else
		signals_chain(&program[0], sig, info, context);
}

/* --- faults -------------------------------------------------------------------------------------- */

/* In a slot or a detour: what the program is told is the original place. */
static struct point *fault_in_copy(struct pt_regs *regs)
{
	struct point *point = point_find(regs->ip);
	uint64_t ip;

	if (!point || point->addr == regs->ip)
		return NULL;
	if (x86_slot_original_ip(&point->slot, regs->ip, &ip) &&
	    (!point->detour_at || x86_detour_original_ip(&point->detour, regs->ip, &ip)))
		return NULL;
	regs->ip = ip;
	return point;
}

/* A fault_handler goes on behind the instruction: there a jump may stand, and the copies beside it. */
static void stay_in_copies(const struct point *point, struct pt_regs *regs)
{
	uint64_t ip;

	if (point && point->detour_at && !x86_detour_copy_ip(&point->detour, regs->ip, &ip))
		regs->ip = ip;
}

static const struct signal_action *program_action(int sig)
{
	unsigned i = 0;

	while (signals[i] != sig)
		i++;
	return &program[i];
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct spile_site *site = NULL;
	struct pt_regs regs;
	struct point *point;
	bool done = false, shown;

	regs_load(&regs, gregs);
	if (info->si_code > 0) {
		host_preempt_disable();
		shown = quick_show();
		point = fault_in_copy(&regs);
		if (point)
			site = __atomic_load_n(&point->live, __ATOMIC_ACQUIRE);
		if (!point || site)
			done = engine_hit_fault(site, &regs, (int)gregs[REG_TRAPNO]);
		if (done)
			stay_in_copies(point, &regs);
		quick_hide(shown);
		host_preempt_enable();
		regs_store(&regs, gregs);
	}
	if (!done)
		signals_chain(program_action(sig), sig, info, context);
}

/* --- in front of the program's handlers ---------------------------------------------------------- */

static signal_handler *handler_for(int sig)
{
	return sig == SIGTRAP ? on_trap : on_fault;
}

int traps_init(void)
{
	int err = 0;

	for (unsigned i = 0; i < SIGNALS && !err && !installed; i++)
		err = signals_install(signals[i], handler_for(signals[i]), &program[i]);
	installed = !err;
	return err;
}

bool traps_exchange(int sig, const struct signal_action *new, struct signal_action *old)
{
	unsigned i = 0;

	while (i < SIGNALS && signals[i] != sig)
		i++;
	if (i == SIGNALS || !installed)
		return false;
	if (old)
		*old = program[i];
	if (new)
		program[i] = *new;
	return true;
}
