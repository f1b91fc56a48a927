// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hit costs, and what attaching costs; bench/engine.sh has the method. A module whose init
 * measures and writes lines
 *
 *	engine-bench: CASE OURS PEER PEERNAME UNIT OURSBEST PEERBEST LETTERS RATIO
 *
 * to the kernel log, RATIO in thousandths. A cost per hit is the time of CALLS calls with the probe
 * less the time of as many without, all three (bare, ours, the kernel's own) in turn in each round.
 * Within a round the best of many short windows is taken, since other work takes the CPU away at times.
 * Of the bare call it is the best of all rounds that is taken away: under an emulator some rounds of
 * it take five times as long as others, and a difference to those would be too small. OURS and PEER are
 * medians of the rounds, RATIO is the median of the rounds' own ratios.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"

#define ROUNDS 12 /* a multiple of PLACES; report_rounds() shows so many */
#define WINDOWS 400 /* at least, */
#define ROUND_NS 30000000ull /* and for at least so long: a whole bad period of the machine is longer */
#define CALLS 100
#define JUMP 0xe9

#define ATTACH_OURS 10000
#define ATTACH_PEER 100 /* one after the other: the whole number would take minutes */

extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);
extern char kaddr__stext[], kaddr__etext[];

int init_module(void);
void cleanup_module(void);

/* --- handlers: each counts -------------------------------------------------------------------------- */

/*
 * An emulator finds translated code by a small table in which two places can get into each other's way,
 * at 20 to 50 ns a call. So the calling loop, and the handlers of entries and returns, stand at several
 * places, 64 bytes and more apart; rounds and windows take turns with them, and the best counts.
 */
#define PLACES 4
#define AT_PLACE(n) __attribute__((noinline, noclone, section(".text.place" #n)))
#define PLACE_END(n)                                                                               \
	__asm__(".pushsection .text.place" #n ", \"ax\"\n.skip 192 * " #n " + 64\n.popsection\n");

static unsigned place; /* of the handlers, in this round */
static unsigned long hits;

#define HANDLERS(n)                                                                                \
	AT_PLACE(n) static int ours_pre_##n(struct kprobe *p, struct pt_regs *regs)                \
	{                                                                                          \
		hits++;                                                                            \
		return 0;                                                                          \
	}                                                                                          \
	AT_PLACE(n) static int ours_return_##n(struct kretprobe_instance *ri, struct pt_regs *regs) \
	{                                                                                          \
		hits++;                                                                            \
		return 0;                                                                          \
	}                                                                                          \
	AT_PLACE(n) static int peer_pre_##n(struct kernel_kprobe *p, struct pt_regs *regs)         \
	{                                                                                          \
		hits++;                                                                            \
		return 0;                                                                          \
	}                                                                                          \
	AT_PLACE(n) static int peer_return_##n(struct kernel_kretprobe_instance *ri,               \
					       struct pt_regs *regs)                               \
	{                                                                                          \
		hits++;                                                                            \
		return 0;                                                                          \
	}                                                                                          \
	PLACE_END(n)

HANDLERS(0)
HANDLERS(1)
HANDLERS(2)
HANDLERS(3)

#define ALL_PLACES(name) { name##_0, name##_1, name##_2, name##_3 }
static const kprobe_pre_handler_t ours_pre[PLACES] = ALL_PLACES(ours_pre);
static const kretprobe_handler_t ours_return[PLACES] = ALL_PLACES(ours_return);
static kcb_kprobe_pre *const peer_pre[PLACES] = ALL_PLACES(peer_pre);
static kcb_kretprobe *const peer_return[PLACES] = ALL_PLACES(peer_return);

/* What counts on several CPUs at once must not share a cache line. */
static struct {
	unsigned long n;
	char pad[56];
} cpu_hits[64];

static int ours_pre_cpu(struct kprobe *p, struct pt_regs *regs)
{
	cpu_hits[host_cpu() & 63].n++;
	return 0;
}

static void ours_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static unsigned long ours_jprobe(unsigned long base, unsigned long exp)
{
	hits++;
	spile_jprobe_return();
	return 0;
}

static void peer_post(struct kernel_kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

/* --- what is probed ---------------------------------------------------------------------------------- */

uint64_t bench_target(uint64_t a, unsigned unused);
uint64_t bench_fixed(uint64_t a, unsigned unused);
extern char bench_target_mid[], bench_fixed_mid[];
__asm__(".pushsection .text\n"
	".globl bench_target\n"
	".type bench_target, @function\n"
	"bench_target:\n"
	"	movq %rdi, %rax\n"
	"	addq %rdi, %rax\n"
	"bench_target_mid:\n"
	"	leaq 0x12345(%rax,%rax), %rax\n" /* 8 bytes: room for a jump */
	"	addq %rdi, %rax\n"
	"	jmp __x86_return_thunk\n"
	".size bench_target, . - bench_target\n"
	/* The same, and a jump that nobody takes, but that could lead to anywhere: no jump may be written. */
	".globl bench_fixed\n"
	".type bench_fixed, @function\n"
	"bench_fixed:\n"
	"	movq %rdi, %rax\n"
	"	addq %rdi, %rax\n"
	"bench_fixed_mid:\n"
	"	leaq 0x12345(%rax,%rax), %rax\n"
	"	addq %rdi, %rax\n"
	"	jmp __x86_return_thunk\n"
	"	jmp *%rax\n"
	".size bench_fixed, . - bench_fixed\n"
	".popsection\n");

/* All are called with (3, 0). */
typedef uint64_t called(uint64_t, unsigned);

#define call_entry kaddr_int_pow
#define call_mid bench_target
#define call_fixed bench_fixed

/* --- cases: on() and off() of both sides --------------------------------------------------------------- */

static struct kprobe ours;
static struct jprobe ours_jp;
static struct kretprobe ours_rp;
static struct kernel_kprobe peer;
static struct kernel_kretprobe peer_rp;

static int peer_on(void *addr, bool post)
{
	memset(&peer, 0, sizeof(peer));
	knative(&peer, kprobe, addr) = addr;
	knative(&peer, kprobe, pre_handler) = peer_pre[place];
	knative(&peer, kprobe, post_handler) = post ? peer_post : NULL;
	return kfn_register_kprobe(&peer);
}

static void peer_off(void)
{
	kfn_unregister_kprobe(&peer);
}

static int ours_on(void *addr, uint32_t flags, kprobe_post_handler_t post)
{
	ours = (struct kprobe){ .addr = addr, .pre_handler = ours_pre[place], .flags = flags,
				.post_handler = post };
	return spile_register_kprobe(&ours);
}

static void ours_off(void)
{
	spile_unregister_kprobe(&ours);
}

static int ours_return_on(void *addr, unsigned flags)
{
	ours_rp = (struct kretprobe){ .kp.addr = addr, .kp.flags = flags, .handler = ours_return[place] };
	return spile_register_kretprobe(&ours_rp);
}

static void ours_return_off(void)
{
	spile_unregister_kretprobe(&ours_rp);
}

static int peer_return_on(void *addr)
{
	memset(&peer_rp, 0, sizeof(peer_rp));
	knative(&knative(&peer_rp, kretprobe, kp), kprobe, addr) = addr;
	knative(&peer_rp, kretprobe, handler) = peer_return[place];
	return kfn_register_kretprobe(&peer_rp);
}

static void peer_return_off(void)
{
	kfn_unregister_kretprobe(&peer_rp);
}

static int entry_ours_on(void)
{
	return ours_on((void *)kaddr_int_pow, 0, NULL);
}

static int entry_peer_on(void)
{
	return peer_on((void *)kaddr_int_pow, false);
}

static int through_on(void)
{
	return ours_return_on((void *)kaddr_int_pow, KPROBE_FLAG_ARGS_IN_REGS);
}

static int peer_through_on(void)
{
	return peer_return_on((void *)kaddr_int_pow);
}

static int jprobe_on(void)
{
	ours_jp = (struct jprobe){ .kp.addr = (void *)kaddr_int_pow, .entry = ours_jprobe };
	return spile_register_jprobe(&ours_jp);
}

static void jprobe_off(void)
{
	spile_unregister_jprobe(&ours_jp);
}

static int jprobe_return_on(void)
{
	return jprobe_on() ?: through_on();
}

static void jprobe_return_off(void)
{
	jprobe_off();
	ours_return_off();
}

static int pool_on(void)
{
	return ours_return_on((void *)kaddr_int_pow, 0);
}

/* Entry and return of one function. */
static int both_ours_on(void)
{
	return entry_ours_on() ?: through_on();
}

static void both_ours_off(void)
{
	ours_off();
	ours_return_off();
}

static int both_peer_on(void)
{
	return entry_peer_on() ?: peer_through_on();
}

static void both_peer_off(void)
{
	peer_off();
	peer_return_off();
}

/* The kernel optimizes its probes when they have been there for a moment: then a jump is in the text. */
static int jump_wait(int err, const void *at)
{
	unsigned i;

	for (i = 0; i < 500 && !err && *(const volatile uint8_t *)at != JUMP; i++)
		kfn_msleep(10);
	if (!err && i == 500)
		kfn_printk(KLOG_INFO "engine-bench: # no jump at %lx\n", (unsigned long)at);
	return err;
}

/* By a patch of our own, not the kernel's kprobe underneath. */
static int text_on(void *addr, bool post)
{
	return ours_on(addr, KPROBE_FLAG_TEXT, post ? ours_post : NULL);
}

static int jump_ours_on(void)
{
	unsigned i;
	int err = text_on(bench_target_mid, false);

	for (i = 0; i < 500 && !err && !(ours.flags & KPROBE_FLAG_OPTIMIZED); i++)
		kfn_msleep(10);
	return err;
}

static int jump_peer_on(void)
{
	return jump_wait(peer_on(bench_target_mid, false), bench_target_mid);
}

static int breakpoint_ours_on(void)
{
	return text_on(bench_target_mid, true);
}

static int breakpoint_peer_on(void)
{
	return peer_on(bench_target_mid, true);
}

static int boosted_ours_on(void)
{
	return text_on(bench_fixed_mid, false);
}

static int boosted_peer_on(void)
{
	return peer_on(bench_fixed_mid, false);
}

static int return_boosted_ours_on(void)
{
	return ours_return_on(bench_fixed, 0);
}

static int return_boosted_peer_on(void)
{
	return peer_return_on(bench_fixed);
}

static int return_jump_ours_on(void)
{
	return jump_wait(ours_return_on(bench_target, 0), bench_target);
}

static int return_jump_peer_on(void)
{
	return jump_wait(peer_return_on(bench_target), bench_target);
}

struct side {
	int (*on)(void);
	void (*off)(void);
};

static const struct bench_case {
	const char *name, *letters, *peer_name; /* letters: the document's; no peer: on is NULL */
	called *call;
	struct side ours, peer;
} cases[] = {
	{ "entry", "k", "kprobe-on-ftrace", call_entry, { entry_ours_on, ours_off },
	  { entry_peer_on, peer_off } },
	{ "jprobe", "j", "none", call_entry, { jprobe_on, jprobe_off }, { NULL, NULL } },
	{ "return", "r", "kretprobe", call_entry, { through_on, ours_return_off },
	  { peer_through_on, peer_return_off } },
	{ "return-pool", "r", "kretprobe", call_entry, { pool_on, ours_return_off },
	  { peer_through_on, peer_return_off } },
	{ "entry-and-return", "kr", "kprobe+kretprobe", call_entry, { both_ours_on, both_ours_off },
	  { both_peer_on, both_peer_off } },
	{ "jprobe-and-return", "jr", "none", call_entry, { jprobe_return_on, jprobe_return_off },
	  { NULL, NULL } },
	{ "breakpoint", "k", "int3-kprobe", call_mid, { breakpoint_ours_on, ours_off },
	  { breakpoint_peer_on, peer_off } },
	{ "boosted", "b", "boosted-kprobe", call_fixed, { boosted_ours_on, ours_off },
	  { boosted_peer_on, peer_off } },
	{ "mid-jump", "o", "optimized-kprobe", call_mid, { jump_ours_on, ours_off },
	  { jump_peer_on, peer_off } },
	{ "return-boosted", "rb", "boosted-kretprobe", call_fixed,
	  { return_boosted_ours_on, ours_return_off }, { return_boosted_peer_on, peer_return_off } },
	{ "return-optimized", "ro", "optimized-kretprobe", call_mid,
	  { return_jump_ours_on, ours_return_off }, { return_jump_peer_on, peer_return_off } },
};

/* --- measuring: task context -------------------------------------------------------------------------------- */

static void sort(uint64_t *v, unsigned n)
{
	unsigned i, j;

	for (i = 1; i < n; i++)
		for (j = i; j && v[j - 1] > v[j]; j--) {
			uint64_t swap = v[j];

			v[j] = v[j - 1];
			v[j - 1] = swap;
		}
}

#define WINDOW(n)                                                                                  \
	AT_PLACE(n) static uint64_t window_##n(called *call)                                       \
	{                                                                                          \
		uint64_t start = kfn_ktime_get_mono_fast_ns();                                     \
		unsigned i;                                                                        \
                                                                                                   \
		for (i = 0; i < CALLS; i++)                                                        \
			call(3, 0);                                                                \
		return kfn_ktime_get_mono_fast_ns() - start;                                       \
	}                                                                                          \
	PLACE_END(n)

WINDOW(0)
WINDOW(1)
WINDOW(2)
WINDOW(3)

static uint64_t time_window(const struct bench_case *c, unsigned at)
{
	static uint64_t (*const windows[PLACES])(called *) = { window_0, window_1, window_2,
								     window_3 };

	return windows[at % PLACES](c->call);
}

static uint64_t time_calls(const struct bench_case *c, unsigned long *ret_calls)
{
	uint64_t best = -1ull, took, end = kfn_ktime_get_mono_fast_ns() + ROUND_NS;
	unsigned i;

	for (i = 0; i < WINDOWS || kfn_ktime_get_mono_fast_ns() < end; i++) {
		took = time_window(c, i);
		best = took < best ? took : best;
	}
	*ret_calls = (unsigned long)i * CALLS;
	return best;
}

/* Nanoseconds of CALLS calls; 0 for a side that there is not. */
static int time_side(const struct bench_case *c, const struct side *side, uint64_t *ret)
{
	unsigned long calls;
	uint64_t took;
	int err;

	*ret = 0;
	if (!side->on)
		return 0;
	err = side->on();
	if (err)
		return err;
	hits = 0;
	took = time_calls(c, &calls);
	side->off();
	if (hits < calls)
		return -ENODEV; /* it was not measured what was meant */
	*ret = took;
	return 0;
}

/* Picoseconds a call. */
static uint64_t above(uint64_t took, uint64_t bare)
{
	return took > bare ? (took - bare) * 1000 / CALLS : 0;
}

static uint64_t least(const uint64_t *v)
{
	uint64_t best = v[0];
	unsigned i;

	for (i = 1; i < ROUNDS; i++)
		best = v[i] < best ? v[i] : best;
	return best;
}

/* From low to high: which of them are luck is to be seen there. */
static void report_rounds(const char *name, const char *side, const uint64_t *ps)
{
	kfn_printk(KLOG_INFO "engine-bench: # %s, %s: rounds %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu ns\n",
		   name, side, ps[0] / 1000, ps[1] / 1000, ps[2] / 1000, ps[3] / 1000, ps[4] / 1000,
		   ps[5] / 1000, ps[6] / 1000, ps[7] / 1000, ps[8] / 1000, ps[9] / 1000,
		   ps[10] / 1000, ps[11] / 1000);
}

static void report(const struct bench_case *c, uint64_t bare, uint64_t *ours_ns, uint64_t *peer_ns)
{
	static uint64_t ratios[ROUNDS];
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		ours_ns[i] = above(ours_ns[i], bare);
		peer_ns[i] = above(peer_ns[i], bare);
		ratios[i] = peer_ns[i] ? ours_ns[i] * 1000 / peer_ns[i] : 0;
	}
	sort(ours_ns, ROUNDS);
	sort(peer_ns, ROUNDS);
	sort(ratios, ROUNDS);
	report_rounds(c->name, "ours", ours_ns);
	report_rounds(c->name, "peer", peer_ns);
	kfn_printk(KLOG_INFO "engine-bench: %s %llu %llu %s ps %llu %llu %s %llu\n", c->name,
		   ours_ns[ROUNDS / 2], peer_ns[ROUNDS / 2], c->peer_name, ours_ns[0], peer_ns[0],
		   c->letters, ratios[ROUNDS / 2]);
}

static int run_case(const struct bench_case *c)
{
	static uint64_t bare[ROUNDS], ours_ns[ROUNDS], peer_ns[ROUNDS];
	unsigned long calls;
	unsigned i;
	int err = 0;

	for (i = 0; i < ROUNDS && !err; i++) {
		place = i % PLACES;
		bare[i] = time_calls(c, &calls);
		err = time_side(c, &c->ours, &ours_ns[i]);
		if (!err)
			err = time_side(c, &c->peer, &peer_ns[i]);
	}
	if (!err)
		report(c, least(bare), ours_ns, peer_ns);
	return err;
}

/* --- two at once ---------------------------------------------------------------------------------------------- */

static const struct bench_case threads_case = { .call = call_entry };

struct runner {
	unsigned *waiting; /* until it is 0, then all begin at once */
	uint64_t best;
	unsigned long calls;
	bool done;
};

static int run_thread(void *arg)
{
	struct runner *runner = arg;

	__atomic_fetch_sub(runner->waiting, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(runner->waiting, __ATOMIC_SEQ_CST))
		kfn_schedule_timeout(1); /* who makes the other thread may be on this CPU, and stays there */
	runner->best = time_calls(&threads_case, &runner->calls);
	__atomic_store_n(&runner->done, true, __ATOMIC_RELEASE);
	while (!kfn_kthread_should_stop())
		kfn_schedule_timeout(1);
	return 0;
}

/* Picoseconds a call of the slowest of n threads, and how many calls all have made. */
static uint64_t time_threads(unsigned n, unsigned long *ret_calls)
{
	struct task_struct *tasks[2];
	struct runner runners[2];
	unsigned waiting = n, i;
	uint64_t worst = 0;

	*ret_calls = 0;
	for (i = 0; i < n; i++) {
		runners[i] = (struct runner){ .waiting = &waiting };
		tasks[i] = kfn_kthread_create_on_node(run_thread, &runners[i], -1, "bench");
		kfn_wake_up_process(tasks[i]);
	}
	for (i = 0; i < n; i++) {
		while (!__atomic_load_n(&runners[i].done, __ATOMIC_ACQUIRE))
			kfn_msleep(1);
		kfn_kthread_stop(tasks[i]);
		worst = runners[i].best > worst ? runners[i].best : worst;
		*ret_calls += runners[i].calls;
	}
	return worst * 1000 / CALLS;
}

/* The cost of a hit with one and with two threads; every hit must be there. */
static int time_threads_probed(unsigned n, uint64_t *ret)
{
	unsigned long calls;
	uint64_t bare = time_threads(n, &calls), took;
	int err;

	ours = (struct kprobe){ .addr = (void *)kaddr_int_pow, .pre_handler = ours_pre_cpu };
	memset(cpu_hits, 0, sizeof(cpu_hits));
	err = spile_register_kprobe(&ours);
	if (err)
		return err;
	took = time_threads(n, &calls);
	spile_unregister_kprobe(&ours);
	if (ours.nhit < calls || ours.nmissed)
		return -ENODEV;
	*ret = took > bare ? took - bare : 0;
	return 0;
}

static int run_threads(void)
{
	static uint64_t one[ROUNDS], two[ROUNDS];
	unsigned i;
	int err = 0;

	for (i = 0; i < ROUNDS && !err; i++)
		err = time_threads_probed(1, &one[i]) ?: time_threads_probed(2, &two[i]);
	if (err)
		return err;
	sort(one, ROUNDS);
	sort(two, ROUNDS);
	kfn_printk(KLOG_INFO "engine-bench: two-threads %llu %llu one-thread ps %llu %llu k\n",
		   two[ROUNDS / 2], one[ROUNDS / 2], two[0], one[0]);
	return 0;
}

/* --- attaching -------------------------------------------------------------------------------------------------- */

static struct kprobe many[ATTACH_OURS];
static struct kprobe *many_list[ATTACH_OURS];
static struct kernel_kprobe many_peer[ATTACH_PEER];
static struct kernel_kprobe *many_peer_list[ATTACH_PEER];

/* Functions of the kernel that may be probed: where an entry has a site, every few bytes looked at. */
static unsigned find_functions(void)
{
	unsigned long addr, last = 0;
	unsigned n = 0;

	for (addr = (unsigned long)kaddr__stext; addr < (unsigned long)kaddr__etext && n < ATTACH_OURS;
	     addr += 4) {
		unsigned long site = kfn_ftrace_location(addr);

		if (!site || site == last || kfn_within_kprobe_blacklist(site))
			continue;
		last = site;
		many[n] = (struct kprobe){ .addr = (void *)site };
		many_list[n] = &many[n];
		n++;
	}
	return n;
}

static int attach_ours(unsigned n, uint64_t *ret)
{
	uint64_t start = kfn_ktime_get_mono_fast_ns();
	int err = spile_register_kprobes(many_list, (int)n);

	if (err)
		return err;
	*ret = kfn_ktime_get_mono_fast_ns() - start;
	kfn_printk(KLOG_INFO "engine-bench: # %u attached in %llu us\n", n, *ret / 1000);
	start = kfn_ktime_get_mono_fast_ns();
	spile_unregister_kprobes(many_list, (int)n);
	kfn_printk(KLOG_INFO "engine-bench: # detached in %llu us\n",
		   (kfn_ktime_get_mono_fast_ns() - start) / 1000);
	return 0;
}

static int attach_peer(uint64_t *ret)
{
	uint64_t start;
	unsigned i;
	int err;

	for (i = 0; i < ATTACH_PEER; i++) {
		knative(&many_peer[i], kprobe, addr) = many[i * (ATTACH_OURS / ATTACH_PEER)].addr;
		knative(&many_peer[i], kprobe, pre_handler) = peer_pre[place];
		many_peer_list[i] = &many_peer[i];
	}
	start = kfn_ktime_get_mono_fast_ns();
	err = kfn_register_kprobes(many_peer_list, ATTACH_PEER);
	if (err)
		return err;
	*ret = kfn_ktime_get_mono_fast_ns() - start;
	kfn_unregister_kprobes(many_peer_list, ATTACH_PEER);
	return 0;
}

static int run_attach(void)
{
	unsigned n = find_functions();
	uint64_t ours_ns, peer_ns;
	int err;

	if (n < ATTACH_OURS)
		return -ENOENT;
	err = attach_ours(n, &ours_ns);
	if (!err)
		err = attach_peer(&peer_ns);
	if (err)
		return err;
	kfn_printk(KLOG_INFO "engine-bench: attach-%u %llu %llu register_kprobes ns/function %llu %llu -\n",
		   n, ours_ns / n, peer_ns / ATTACH_PEER, ours_ns / n, peer_ns / ATTACH_PEER);
	return 0;
}

int init_module(void)
{
	unsigned i;
	int err;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = run_case(&cases[i]);
		if (err)
			kfn_printk(KLOG_INFO "engine-bench: # %s: error %d\n", cases[i].name, err);
	}
	err = run_threads();
	if (err)
		kfn_printk(KLOG_INFO "engine-bench: # two threads: error %d\n", err);
	err = run_attach();
	if (err)
		kfn_printk(KLOG_INFO "engine-bench: # attach: error %d\n", err);
	return 0;
}

void cleanup_module(void)
{
}
