// SPDX-License-Identifier: GPL-2.0-only
/*
 * The call-through planter: function returns, by calling the function.
 *
 * The kernel's way to see a return is to replace the return address on the stack and to remember
 * the old one in an instance out of a pool; when the pool is empty the call is missed. Here the
 * trampoline at the function's entry calls the function's body itself, so it is there when the body
 * returns, and the instance is in its own stack frame: no pool, nothing to be missed.
 *
 * The body then finds another frame above its own than it expects. That is fine as long as all its
 * arguments are in registers and it does not look at its caller. Only who knows the prototype can
 * tell, so call-through is asked for by KPROBE_FLAG_ARGS_IN_REGS; without it ftrace_return.c or
 * native_return.c do the work.
 *
 * Where it cannot be done at a hit, the rethook pool of the site helps out, if the kernel has
 * rethooks; else the hit is counted as missed:
 *   - the stack is nearly used up, or is one whose end we do not know: a deep chain of functions
 *     that are all watched must not overflow it
 *   - other users of ftrace have the same function, so that the hit is a callback. A kernel without
 *     rethooks comes back to ftrace_through_begin() then, by way of regs->ip.
 *
 * A frame may stay on its stack for hours. So what it points to, the `struct through`, has a count
 * of its frames, and lives as long as the last of them. Neither can the core's text go before that:
 * a probe that leaves frames behind when it is unregistered leaves a reference to our module, which
 * the last frame drops.
 *
 * Functions that never return would never give it back; they are told by name and refused.
 *
 * Contexts: the hits any, the rest task context under the engine's lock.
 */
#include "engine/arch/x86/regs.h"
#include "engine/core/run.h"
#include "engine/host/linux-kernel/ftrace_hit.h"
#include "engine/host/linux-kernel/ftrace_point.h"
#include "engine/host/linux-kernel/ftrace_return.h"
#include "engine/host/linux-kernel/home.h"
#include "engine/host/linux-kernel/planters.h"

/* site->extra. */
struct through {
	struct ftrace_return pool; /* for calls that cannot be done here */
	struct spile_site *site;   /* NULL: unplanted */
	unsigned long frames;      /* nodes on stacks, and one for the site */
	struct through *next;      /* in the list of the dead */
	struct ftrace_code *code;  /* made for it, or NULL */
	uint32_t counter;          /* of that code's frames, while the site is planted */
	bool late;                 /* some of them have outlived the site */
};

/* One return site's part of a frame. */
struct through_node {
	struct through *through;
	unsigned long bytes; /* to the next node */
	struct kretprobe_instance ri; /* with the user's data behind it */
};

struct ftrace_through_frame {
	unsigned long nodes;
	struct through_node first; /* and others behind it */
};

static inline struct through *through_of(const struct spile_site *site)
{
	return site->extra;
}

/* --- the end of a struct through -------------------------------------------------------------------- */

static struct through *dead; /* what the last frame could not free, in the context it was in */

static void through_bury(struct through *through)
{
	struct through *head = __atomic_load_n(&dead, __ATOMIC_RELAXED);

	do
		through->next = head;
	while (!__atomic_compare_exchange_n(&dead, &head, through, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

/* A frame goes. The last one after the site has gone drops the module reference that that left. any */
static inline void through_put(struct through *through)
{
	if (__atomic_sub_fetch(&through->frames, 1, __ATOMIC_ACQ_REL))
		return;
	through_bury(through);
	kfn_module_put(&__this_module);
}

/*
 * The frames that the code made for one site leaves behind drop their count within that code; so
 * before it is freed, wait until the last task has left it.
 */
static void free_dead(void)
{
	struct through *list = __atomic_exchange_n(&dead, NULL, __ATOMIC_ACQUIRE), *through, *next;
	bool late = false;

	for (through = list; through; through = through->next)
		late |= through->late;
	if (late && khas(synchronize_rcu_tasks))
		kfn_synchronize_rcu_tasks();
	if (late)
		host_synchronize();
	for (through = list; through; through = next) {
		next = through->next;
		ftrace_code_put(through->code);
		host_free(through);
	}
}

void ftrace_through_deinit(void)
{
	free_dead();
}

/* --- hits: any context ------------------------------------------------------------------------------ */

/* What is left of the stack below sp; 0 for stacks that we do not know. */
static unsigned long stack_left(unsigned long sp)
{
	unsigned long left = sp - (unsigned long)kfield(kernel_current(), task_struct, stack);

	if (left < FTRACE_STACK_BYTES)
		return left;
	if (!khas(hardirq_stack_ptr))
		return 0;
	left = sp - (kcpu_read_8(hardirq_stack_ptr) - FTRACE_STACK_BYTES);
	return left < FTRACE_STACK_BYTES ? left : 0;
}

static inline unsigned long node_bytes(const struct spile_site *site)
{
	const struct kprobe *p = __atomic_load_n(&site->probes, __ATOMIC_RELAXED);

	if (!p)
		return 0;
	return (sizeof(struct through_node) +
		((struct kretprobe *)(uintptr_t)p)->data_size + 7) & ~7ul;
}

static unsigned long point_bytes(const struct ftrace_point *point)
{
	unsigned long bytes = offsetof(struct ftrace_through_frame, first);
	struct ftrace_plant *plant;

	for (plant = ftrace_plant_first(point, FTRACE_THROUGH); plant;
	     plant = ftrace_plant_next(plant))
		bytes += node_bytes(plant->site);
	return bytes;
}

/* The other way: by rethook, or not at all. */
static void point_fall_back(struct ftrace_point *point, struct pt_regs *regs)
{
	struct ftrace_plant *plant;

	for (plant = ftrace_plant_first(point, FTRACE_THROUGH); plant;
	     plant = ftrace_plant_next(plant))
		ftrace_return_entered(plant->site, &through_of(plant->site)->pool, regs);
}

unsigned long ftrace_through_wanted(struct ftrace_point *point, struct pt_regs *regs)
{
	unsigned long bytes;

	if (!ftrace_plant_first(point, FTRACE_THROUGH))
		return 0;
	bytes = point_bytes(point);
	if (stack_left((unsigned long)regs) >= FTRACE_STACK_KEEP + bytes)
		return bytes;
	point_fall_back(point, regs);
	return 0;
}

bool ftrace_through_callback(struct ftrace_point *point, struct pt_regs *regs)
{
	if (!ftrace_plant_first(point, FTRACE_THROUGH))
		return false;
	if (ftrace_return_available()) {
		point_fall_back(point, regs);
		return false;
	}
	regs->r10 = regs->ip;
	regs->ip = (unsigned long)ftrace_through_begin;
	return true;
}

unsigned long ftrace_hit_through(struct pt_regs *regs, unsigned long ip)
{
	struct ftrace_point *point;
	unsigned long bytes = 0;

	host_preempt_disable();
	point = ftrace_point_find(ip);
	if (point)
		bytes = ftrace_through_wanted(point, regs);
	host_preempt_enable();
	return bytes;
}

/* Fills a node. False: this call goes unwatched. */
static bool node_enter(struct through_node *node, struct spile_site *site, struct pt_regs *regs)
{
	struct through *through = through_of(site);

	__atomic_fetch_add(&through->frames, 1, __ATOMIC_RELAXED);
	node->through = through;
	if (!engine_return_entry(site, &node->ri, regs, *(uint64_t *)regs->sp))
		return true;
	__atomic_fetch_sub(&through->frames, 1, __ATOMIC_RELAXED); /* the site has one */
	return false;
}

/* The list may have grown since ftrace_through_wanted(). */
unsigned ftrace_through_enter(struct ftrace_through_frame *frame, struct pt_regs *regs,
			      unsigned long bytes)
{
	struct through_node *node = &frame->first;
	unsigned long left = bytes - offsetof(struct ftrace_through_frame, first);
	struct ftrace_point *point;
	struct ftrace_plant *plant;

	frame->nodes = 0;
	host_preempt_disable();
	point = ftrace_point_find(regs->ip - ARCH_CALL_BYTES);
	for (plant = point ? ftrace_plant_first(point, FTRACE_THROUGH) : NULL; plant;
	     plant = ftrace_plant_next(plant)) {
		node->bytes = node_bytes(plant->site);
		if (!node->bytes || node->bytes > left || !node_enter(node, plant->site, regs))
			continue;
		left -= node->bytes;
		frame->nodes++;
		node = (struct through_node *)((char *)node + node->bytes);
	}
	host_preempt_enable();
	return (unsigned)frame->nodes;
}

void ftrace_through_exit(struct ftrace_through_frame *frame, struct pt_regs *regs)
{
	struct through_node *node = &frame->first;
	struct spile_site *site;

	regs->ip = *(uint64_t *)regs->sp;
	regs->sp += 8;
	host_preempt_disable();
	for (; frame->nodes; frame->nodes--) {
		site = __atomic_load_n(&node->through->site, __ATOMIC_ACQUIRE);
		if (site)
			engine_return_exit(site, &node->ri, regs);
		through_put(node->through);
		node = (struct through_node *)((char *)node + node->bytes);
	}
	host_preempt_enable();
}

void ftrace_through_code_exit(struct through *through, struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	struct spile_site *site = __atomic_load_n(&through->site, __ATOMIC_ACQUIRE);

	if (!site) {
		through_put(through);
		return;
	}
	engine_return_exit(site, ri, regs);
	counter_add(through->counter, -1);
}

/* --- the planter: task context ---------------------------------------------------------------------- */

/* They end the task that calls them, or are below such a call, or stay for ever. */
static const char *const no_return[] = {
	"do_exit", "do_group_exit", "make_task_dead", "rewind_stack_and_make_dead", "do_task_dead",
	"kthread", "kthread_exit", "kthread_complete_and_exit", "complete_and_exit",
	"module_put_and_kthread_exit", "__module_put_and_kthread_exit", "__module_put_and_exit",
	"__do_sys_exit", "__do_sys_exit_group", "__se_sys_exit", "__se_sys_exit_group",
	"__x64_sys_exit", "__x64_sys_exit_group", "__ia32_sys_exit", "__ia32_sys_exit_group",
	"x64_sys_call", "ia32_sys_call", "get_signal", "arch_do_signal_or_restart", "do_signal",
	"exit_to_user_mode_loop", "exit_to_user_mode_prepare", "cpu_startup_entry", "panic",
	"vpanic", "nmi_panic", "oops_end", "die", "stop_this_cpu", "play_dead_common",
	"__seccomp_filter", "__secure_computing", "seccomp_nack_syscall", "arch_stack_walk",
	"stack_trace_save", "unwind_next_frame", "__unwind_start", "return_to_handler",
};

static bool same(const char *symbol, const char *name)
{
	while (*name && *symbol == *name) {
		symbol++;
		name++;
	}
	return !*name && (*symbol == '+' || !*symbol);
}

static bool does_return(uint64_t addr)
{
	char symbol[128];
	unsigned i;

	host_symbol_name(symbol, sizeof(symbol), addr);
	for (i = 0; i < sizeof(no_return) / sizeof(no_return[0]); i++)
		if (same(symbol, no_return[i]))
			return false;
	return true;
}

static int through_can_plant(const struct spile_site *site)
{
	int err = ftrace_points_can_plant(site);

	if (err)
		return err;
	return site->asked & KPROBE_FLAG_ARGS_IN_REGS && does_return(site->addr) ? 0 : -EOPNOTSUPP;
}

static int through_create(struct spile_site *site)
{
	struct through *through = host_zalloc(sizeof(*through));
	int err;

	if (!through)
		return -ENOMEM;
	err = ftrace_return_init(&through->pool, site);
	if (err) {
		host_free(through);
		return err;
	}
	through->site = site;
	through->frames = 1;
	site->extra = through;
	return 0;
}

/* Frames on a stack for hours must be small. */
#define CODE_DATA_MAX 256

static struct ftrace_code *through_code(struct spile_site *site)
{
	struct through *through = through_of(site);
	struct ftrace_code_return plan = { .site = site, .through = through,
					   .through_site = &through->site };

	if (site_kretprobe(site)->entry_handler || site_kretprobe(site)->data_size > CODE_DATA_MAX)
		return NULL;
	plan.frames = through->counter = counter_take();
	if (!through->counter)
		return NULL;
	through->code = ftrace_code_make_return(&plan);
	if (through->code)
		through->code->refs++; /* the caller has one, too */
	return through->code;
}

/* On failure the engine releases what is there. */
static int through_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	struct spile_site *site;
	int err;

	free_dead();
	for (site = list; site; site = site->batch_next) {
		err = through_create(site);
		if (err) {
			*ret_failed = site;
			return err;
		}
	}
	return ftrace_points_plant(list, FTRACE_THROUGH, through_code);
}

/*
 * From unplant to release nobody knows how many frames there are: their counter is summed when
 * no CPU adds to it any more, but frames that return before that find the site gone already, and
 * take themselves from through->frames.
 */
#define FRAMES_UNKNOWN (1ul << 32)

/* Functions that have not returned yet will find nobody. */
static void through_unplant(struct spile_site *list)
{
	ftrace_points_unplant(list);
	for (; list; list = list->batch_next) {
		ftrace_return_end(&through_of(list)->pool);
		__atomic_fetch_add(&through_of(list)->frames, FRAMES_UNKNOWN, __ATOMIC_RELAXED);
		__atomic_store_n(&through_of(list)->site, NULL, __ATOMIC_RELEASE);
	}
}

static void through_count_frames(struct through *through)
{
	unsigned long frames = through->counter ? counter_sum(through->counter) : 0;

	through->late = frames != 0;
	counter_give(through->counter);
	if (!through->site) /* it has been unplanted */
		frames -= FRAMES_UNKNOWN;
	__atomic_fetch_add(&through->frames, frames, __ATOMIC_RELAXED);
}

static void through_release(struct spile_site *list)
{
	struct spile_site *site;

	for (site = list; site; site = site->batch_next) {
		struct through *through = through_of(site);

		if (!through)
			continue;
		site->extra = NULL;
		through_count_frames(through);
		ftrace_return_deinit(&through->pool);
		kfn_try_module_get(&__this_module); /* the site still has one, so this works */
		through_put(through);
	}
	ftrace_points_release(list);
}

const struct planter planter_ftrace_through = {
	.name = "call-through",
	.id = SPILE_PLANTER_CALL_THROUGH,
	.kinds = SITE_RETURN,
	.probe_flags = KPROBE_FLAG_FTRACE | KPROBE_FLAG_ON_FUNC_ENTRY,
	.can_plant = through_can_plant,
	.plant = through_plant,
	.unplant = through_unplant,
	.release = through_release,
	.arm = ftrace_points_arm,
	.disarm = ftrace_points_disarm,
};
