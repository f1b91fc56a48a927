// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text planters against a real kernel: probes that ask for a jump or a breakpoint of our own
 * (KPROBE_FLAG_TEXT), on functions of this module, of which every call and every result is known.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "tests/vm/text_target.h"

#define CHECK_MODULE "text"
#include "tests/vm/check.h"

int init_module(void);
void cleanup_module(void);

static void call_many(const char *what, unsigned times)
{
	unsigned i;

	for (i = 0; i < times; i++) {
		uint64_t got = t_many(i, 5);

		if (got == many_result(i, 5))
			continue;
		kfn_printk(CHECK_LINE "call %u %s went wrong\n", i, what);
		CHECK("result", got, many_result(i, 5));
		return;
	}
}

/* --- handlers ---------------------------------------------------------------------------------------- */

static volatile unsigned long ran, ran_post, seen_ip, seen_di, seen_flags, post_ip;

static int count_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	seen_ip = regs->ip;
	seen_di = regs->di;
	seen_flags = regs->flags;
	return 0;
}

/* These look at nothing, and at an argument: a detour saves less for them. */
static int blind_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	return 0;
}

static int argument_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	seen_di = regs->di;
	return 0;
}

static void count_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	ran_post++;
	post_ip = regs->ip;
}

static volatile unsigned long post_level; /* a trap counts as an NMI */

static void change_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	post_level = host_level() & HOST_COUNT_NMI;
	regs->ax += 1000;
}

static void divert_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	regs->ip = (uint64_t)t_places[T_AFTER];
}

static int break_handler(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static int divert_pre(struct kprobe *p, struct pt_regs *regs)
{
	regs->ip = (uint64_t)t_places[T_AFTER];
	return 1;
}

static int change_pre(struct kprobe *p, struct pt_regs *regs)
{
	regs->ax += 1000;
	return 0;
}

/* --- helpers --------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static struct kprobe probe_at(const void *addr)
{
	return (struct kprobe){ .addr = (kprobe_opcode_t *)addr, .pre_handler = count_pre,
				.flags = KPROBE_FLAG_TEXT };
}

static bool optimized(const struct kprobe *p)
{
	return __atomic_load_n(&p->flags, __ATOMIC_RELAXED) & KPROBE_FLAG_OPTIMIZED;
}

/* Up to three seconds and more, on a busy machine. */
static bool becomes_optimized(const struct kprobe *p)
{
	unsigned i;

	for (i = 0; i < 300 && !optimized(p); i++)
		kfn_msleep(10);
	return optimized(p);
}

static uint8_t byte_at(const void *addr)
{
	return *(const volatile uint8_t *)addr;
}

/* --- one instruction at a time ------------------------------------------------------------------------------- */

struct instruction {
	const char *name;
	enum place place;
	const char *planter;
};

static const struct instruction instructions[] = {
	{ "lea", T_LEA, "jump" },	{ "add", T_ADD, "jump" },
	{ "rip", T_RIP, "jump" },	{ "push", T_PUSH, "jump" },
	{ "pushf", T_PUSHF, "jump" },	{ "popf", T_POPF, "jump" },
	{ "store", T_STORE, "jump" },	{ "jcc", T_JCC, "jump" },
	{ "call", T_CALL, "jump" },	{ "after", T_AFTER, "jump" },
	{ "short", T_SHORT, "jump" },	{ "tail", T_TAIL, "jump" },
	{ "ret", T_RET, "breakpoint" },
};

static void check_breakpoint(const struct instruction *i, bool post)
{
	struct kprobe p = probe_at(t_places[i->place]);
	uint8_t before = byte_at(t_places[i->place]);

	p.post_handler = post ? count_post : NULL;
	ran = ran_post = 0;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("a breakpoint", byte_at(t_places[i->place]), 0xcc);
	call_many(post ? "stepped" : "boosted", 50);
	CHECK("counted", ran, 50);
	CHECK("counted after", ran_post, post ? 50 : 0);
	CHECK("ip", seen_ip, (unsigned long)t_places[i->place] + 1);
	CHECK("argument", seen_di, 49);
	spile_unregister_kprobe(&p);
	CHECK("byte is back", byte_at(t_places[i->place]), before);
	call_many("afterwards", 5);
	CHECK("not counted afterwards", ran, 50);
}

#define INSTRUCTIONS (sizeof(instructions) / sizeof(instructions[0]))
#define STRIDE 5 /* so that jumps have no neighbours */

static void check_planted(const struct instruction *i, struct kprobe *p)
{
	bool jump = same(i->planter, "jump");

	check_place = i->name;
	CHECK(spile_kprobe_planter(p), same(spile_kprobe_planter(p), i->planter), true);
	CHECK("optimized", jump && becomes_optimized(p), jump);
	CHECK("a jump", byte_at(p->addr), jump ? 0xe9 : 0xcc);
}

static void check_jumps(unsigned first)
{
	static struct kprobe probes[INSTRUCTIONS];
	struct kprobe *ps[INSTRUCTIONS];
	unsigned i, n = 0;
	char before[128];

	memcpy(before, t_many, sizeof(before));
	for (i = first; i < INSTRUCTIONS; i += STRIDE) {
		probes[i] = probe_at(t_places[instructions[i].place]);
		ps[n++] = &probes[i];
	}
	ran = 0;
	CHECK("batch registered", spile_register_kprobes(ps, (int)n), 0);
	for (i = first; i < INSTRUCTIONS; i += STRIDE)
		check_planted(&instructions[i], &probes[i]);
	check_place = "jumps";
	call_many("jumps", 50);
	CHECK("counted", ran, 50 * n);
	CHECK("argument", seen_di, 49);
	spile_unregister_kprobes(ps, (int)n);
	CHECK("bytes are back", memcmp(before, t_many, sizeof(before)), 0);
	call_many("after the jumps", 5);
	CHECK("not counted after the jumps", ran, 50 * n);
	for (i = first; i < INSTRUCTIONS; i += STRIDE)
		CHECK("each counted", probes[i].nhit, 50);
}

static void check_instructions(void)
{
	unsigned i;

	for (i = 0; i < INSTRUCTIONS; i++) {
		check_place = instructions[i].name;
		check_breakpoint(&instructions[i], false);
		check_breakpoint(&instructions[i], true);
	}
	for (i = 0; i < STRIDE; i++)
		check_jumps(i);
	check_place = "";
}

/* --- what handlers may do ----------------------------------------------------------------------------- */

static uint64_t result(uint64_t a)
{
	return t_many(a, 5);
}

static void check_handlers(bool jump)
{
	struct kprobe p = probe_at(t_places[T_STORE]), q = probe_at(t_places[T_STORE]);
	uint64_t before;

	check_place = jump ? "handlers, jump" : "handlers, breakpoint";
	p.pre_handler = change_pre;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("optimized", jump && becomes_optimized(&p), jump);
	CHECK("changed a register", result(9), many_result(9, 5) + 1000);
	CHECK("second one", spile_register_kprobe(&q), 0);
	CHECK("which is optimized as the first", optimized(&q), jump);
	ran = 0;
	result(1);
	CHECK("runs as well", ran, 1);
	CHECK("sees carry", seen_flags & 1, 1);
	result(3);
	CHECK("sees no carry", seen_flags & 1, 0);
	spile_unregister_kprobe(&p);
	CHECK("the other stays", result(9), many_result(9, 5));
	CHECK("and runs", ran, 3);
	spile_unregister_kprobe(&q);
	p = probe_at(t_places[T_JCC]);
	p.pre_handler = divert_pre;
	CHECK("registered to divert", spile_register_kprobe(&p), 0);
	CHECK("optimized to divert", jump && becomes_optimized(&p), jump);
	before = result(9); /* without the 7, the 5 in rbx (0 there) and the 3 */
	CHECK("diverted", before, many_result(9, 5) - 7 - 5 - 3);
	spile_unregister_kprobe(&p);
	call_many("afterwards", 5);
}

/* Post_handlers run behind a copy of the instruction, or in the trap if that has emulated it. */
static void check_post_handlers(void)
{
	struct kprobe p = probe_at(t_places[T_ADD]), q = probe_at(t_places[T_JCC]);

	check_place = "post_handlers";
	p.post_handler = q.post_handler = change_post;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("changed a register", result(9), many_result(9, 5) + 1000);
	CHECK("without a second trap", post_level, 0);
	CHECK("disabled", spile_disable_kprobe(&p), 0);
	CHECK("does not run", result(9), many_result(9, 5));
	spile_unregister_kprobe(&p);
	CHECK("registered at a branch", spile_register_kprobe(&q), 0);
	CHECK("changed a register there", result(9), many_result(9, 5) + 1000);
	CHECK("in the trap", post_level != 0, 1);
	spile_unregister_kprobe(&q);
	p = probe_at(t_places[T_STORE]);
	p.post_handler = divert_post;
	CHECK("registered to divert", spile_register_kprobe(&p), 0);
	CHECK("diverted", result(9), many_result(9, 5) - 7 - 5 - 3);
	spile_unregister_kprobe(&p);
	call_many("afterwards", 5);
}

/* A jump whose detour saves little, until a handler arrives that looks at everything. */
static void check_joining(kprobe_pre_handler_t first)
{
	struct kprobe p = probe_at(t_places[T_STORE]), q = probe_at(t_places[T_STORE]);

	check_place = first == blind_pre ? "joining a blind one" : "joining one with an argument";
	p.pre_handler = first;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("optimized", becomes_optimized(&p), 1);
	ran = seen_di = 0;
	call_many("light", 10);
	CHECK("runs", ran, 10);
	CHECK("argument", seen_di, first == argument_pre ? 9 : 0);
	CHECK("joined", spile_register_kprobe(&q), 0);
	seen_flags = 0;
	result(1);
	CHECK("both run", ran, 12);
	CHECK("sees carry", seen_flags & 1, 1);
	CHECK("optimized again", becomes_optimized(&p) && becomes_optimized(&q), 1);
	CHECK("a jump", byte_at(p.addr), 0xe9);
	seen_flags = 0;
	result(1);
	CHECK("both run again", ran, 14);
	CHECK("sees carry again", seen_flags & 1, 1);
	call_many("full", 10);
	spile_unregister_kprobe(&p);
	spile_unregister_kprobe(&q);
	call_many("afterwards", 5);
}

/* What a probe that is alone at its jump does, its code must also leave to others (text_detour.c). */
static int calls_pre(struct kprobe *p, struct pt_regs *regs)
{
	ran++;
	t_many(1, 5);
	return 0;
}

static void check_lone(const char *name, kprobe_pre_handler_t handler)
{
	struct kprobe p = probe_at(t_places[T_STORE]);
	bool nests = handler == calls_pre;

	check_place = name;
	p.pre_handler = handler;
	ran = 0;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("optimized", becomes_optimized(&p), 1);
	call_many("alone", 50);
	CHECK("runs", ran, handler ? 50 : 0);
	CHECK("disabled", spile_disable_kprobe(&p), 0);
	call_many("disabled", 10);
	CHECK("does not run", ran, handler ? 50 : 0);
	CHECK("counted", p.nhit, 50);
	CHECK("nested", p.nmissed, nests ? 50 : 0);
	CHECK("enabled", spile_enable_kprobe(&p), 0);
	CHECK("optimized again", becomes_optimized(&p), 1);
	call_many("again", 10);
	spile_unregister_kprobe(&p);
	CHECK("counted again", p.nhit, 60);
	CHECK("nested again", p.nmissed, nests ? 60 : 0);
	call_many("afterwards", 5);
	CHECK("ran", ran, handler ? 60 : 0);
}

/* --- optimization comes and goes -------------------------------------------------------------------------- */

static void check_post_arrives(kprobe_post_handler_t post, kprobe_break_handler_t brk)
{
	struct kprobe p = probe_at(t_places[T_STORE]), q = probe_at(t_places[T_STORE]);

	check_place = post ? "post_handler" : "break_handler";
	q.post_handler = post;
	q.break_handler = brk;
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("optimized", becomes_optimized(&p), 1);
	CHECK("arrives", spile_register_kprobe(&q), 0);
	CHECK("no jump any more", optimized(&p), 0);
	CHECK("a breakpoint again", byte_at(p.addr), 0xcc);
	ran = ran_post = 0;
	call_many("both", 10);
	CHECK("both run", ran, 20);
	CHECK("post_handler", ran_post, post ? 10 : 0);
	spile_unregister_kprobe(&q);
	CHECK("optimized again", becomes_optimized(&p), 1);
	call_many("one", 10);
	CHECK("one runs", ran, 30);
	spile_unregister_kprobe(&p);

	CHECK("the other way round", spile_register_kprobe(&q), 0);
	CHECK("joined", spile_register_kprobe(&p), 0);
	kfn_msleep(100);
	CHECK("is not optimized", optimized(&p), 0);
	spile_unregister_kprobe(&q);
	CHECK("but is then", becomes_optimized(&p), 1);
	spile_unregister_kprobe(&p);
}

/* A probe inside of the jump's bytes: t_tail is one byte, the region of t_short begins before it. */
static void check_neighbour(void)
{
	struct kprobe p = probe_at(t_places[T_SHORT]), q = probe_at(t_places[T_INSIDE]);

	check_place = "neighbour";
	CHECK("registered", spile_register_kprobe(&p), 0);
	CHECK("optimized", becomes_optimized(&p), 1);
	CHECK("neighbour arrives", spile_register_kprobe(&q), 0);
	CHECK("no jump any more", optimized(&p), 0);
	ran = 0;
	call_many("both", 10);
	CHECK("both run", ran, 20);
	CHECK("neighbour is optimized", becomes_optimized(&q), 1);
	CHECK("neighbour disabled", spile_disable_kprobe(&q), 0);
	CHECK("optimized again", becomes_optimized(&p), 1);
	ran = 0;
	call_many("one", 10);
	CHECK("one runs", ran, 10);
	CHECK("neighbour enabled", spile_enable_kprobe(&q), 0);
	CHECK("no jump again", optimized(&p), 0);
	ran = 0;
	call_many("both again", 10);
	CHECK("both run again", ran, 20);
	spile_unregister_kprobe(&p);
	call_many("the neighbour", 10);
	CHECK("neighbour runs", ran, 30);
	CHECK("registered again", spile_register_kprobe(&p), 0);
	spile_unregister_kprobe(&q);
	CHECK("optimized at last", becomes_optimized(&p), 1);
	call_many("the other", 10);
	CHECK("it runs", ran, 40);
	spile_unregister_kprobe(&p);
	call_many("none", 10);
	CHECK("none runs", ran, 40);
}

static void check_disabled(void)
{
	struct kprobe p = probe_at(t_places[T_ADD]);
	uint8_t before = byte_at(p.addr);
	unsigned i;

	check_place = "disabled";
	p.flags |= KPROBE_FLAG_DISABLED;
	ran = 0;
	CHECK("registered disabled", spile_register_kprobe(&p), 0);
	CHECK("text untouched", byte_at(p.addr), before);
	for (i = 0; i < 3; i++) {
		CHECK("enabled", spile_enable_kprobe(&p), 0);
		CHECK("a breakpoint", byte_at(p.addr), 0xcc);
		if (i)
			CHECK("optimized", becomes_optimized(&p), 1);
		call_many("enabled", 10);
		CHECK("disabled", spile_disable_kprobe(&p), 0);
		CHECK("not optimized", optimized(&p), 0);
		CHECK("text is back", byte_at(p.addr), before);
		call_many("disabled", 10);
	}
	CHECK("ran when enabled", ran, 30);
	spile_unregister_kprobe(&p);
}

/* --- every instruction of a function ------------------------------------------------------------------------ */

static uint64_t table[16];

__attribute__((noinline)) static uint64_t mix(uint64_t a, unsigned by)
{
	return (a << (by & 63) | a >> (-by & 63)) * 0x9e3779b97f4a7c15ull;
}

/* Loops, branches, calls, tables, divisions, partial registers: whatever the compiler makes of it. */
__attribute__((noinline)) static uint64_t digest(uint64_t seed)
{
	uint64_t sum = seed;
	uint8_t bytes[24];
	unsigned i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(seed >> (i & 31)) + i;
	for (i = 0; i < 16; i++) {
		table[(sum >> 5) & 15] += mix(sum, i);
		if (sum & 1)
			sum ^= table[i] >> 3;
		else
			sum += (int64_t)(int8_t)bytes[i] * 17;
		if (bytes[i + 8] > 128 && (int64_t)sum < 0)
			sum -= sum / (bytes[i] | 1u);
		sum = __builtin_bswap64(sum) + (uint16_t)bytes[i + 3];
	}
	return sum;
}

static uint64_t digests(void)
{
	uint64_t sum = 0;
	unsigned i;

	memset(table, 0, sizeof(table));
	for (i = 0; i < 20; i++)
		sum = mix(sum, 7) ^ digest(sum + i * 0x123456789ull);
	return sum;
}

#define SWEEP_MAX 256

static struct kprobe sweep[SWEEP_MAX];
static unsigned swept;

/* Finds the instructions behind the first: every other address is refused. */
static void sweep_find(unsigned long function)
{
	static struct kprobe *ps[SWEEP_MAX];
	unsigned long size, offset, at;

	swept = 0;
	kfn_kallsyms_lookup_size_offset(function, &size, &offset);
	for (at = function + 1; at < function + size && swept < SWEEP_MAX; at++) {
		sweep[swept] = probe_at((void *)at);
		sweep[swept].flags |= KPROBE_FLAG_DISABLED;
		if (byte_at((void *)at) == 0xcc || spile_register_kprobe(&sweep[swept]))
			continue;
		ps[swept] = &sweep[swept];
		swept++;
	}
	spile_unregister_kprobes(ps, (int)swept);
}

enum how {
	BREAKPOINTS,
	STEPPED,
	JUMPS,
};

/* Every STRIDE-th place at once; how many became jumps. */
static unsigned sweep_round(unsigned first, enum how how, bool (*work)(void))
{
	static const kprobe_pre_handler_t pres[] = { count_pre, blind_pre, argument_pre };
	struct kprobe *ps[SWEEP_MAX];
	unsigned i, n = 0, jumps = 0;
	uint64_t hits = 0;

	for (i = first; i < swept; i += STRIDE) {
		sweep[i] = probe_at(sweep[i].addr);
		sweep[i].post_handler = how == STEPPED ? count_post : NULL;
		if (how == JUMPS) /* one after the other: what the detour saves differs */
			sweep[i].pre_handler = pres[i / STRIDE % 3];
		ps[n++] = &sweep[i];
	}
	ran = 0;
	CHECK("batch", spile_register_kprobes(ps, (int)n), 0);
	for (i = 0; i < n && how == JUMPS; i++)
		if (same(spile_kprobe_planter(ps[i]), "jump"))
			jumps += becomes_optimized(ps[i]);
	CHECK("result", work(), true);
	spile_unregister_kprobes(ps, (int)n);
	for (i = 0; i < n; i++)
		hits += ps[i]->nhit;
	CHECK("hits", hits, ran);
	CHECK("some hits", ran > 0, true);
	return jumps;
}

/* In all ways; how many jumps must be among them. */
static void check_sweep(const char *name, unsigned long function, bool (*work)(void),
			unsigned at_least, unsigned jumps_at_least)
{
	unsigned i, jumps = 0;

	check_place = name;
	CHECK("works", work(), true);
	sweep_find(function);
	for (i = 0; i < STRIDE; i++) {
		sweep_round(i, BREAKPOINTS, work);
		sweep_round(i, STEPPED, work);
		jumps += sweep_round(i, JUMPS, work);
	}
	kfn_printk(CHECK_LINE "# %s: %u instructions, %u of them jumps\n", name, swept, jumps);
	CHECK("instructions", swept >= at_least, true);
	CHECK("jumps", jumps >= jumps_at_least, true);
	CHECK("works at the end", work(), true);
}

static uint64_t digest_expected;

static bool work_digest(void)
{
	return digests() == digest_expected;
}

static void check_digest(void)
{
	digest_expected = digests();
	check_sweep("digest", (unsigned long)digest, work_digest, 60, 30);
}

/* --- functions of the kernel -------------------------------------------------------------------- */

extern unsigned long kaddr_gcd(unsigned long a, unsigned long b);
extern uint64_t kaddr_int_pow(uint64_t base, unsigned int exp);

static bool work_kernel(void)
{
	unsigned i;

	for (i = 1; i < 20; i++)
		if (kaddr_gcd(12 * i, 18 * i) != 6 * i || kaddr_int_pow(3, 5) != 243)
			return false;
	return true;
}

static void check_refusals(void)
{
	struct kprobe p = probe_at(t_places[T_LEA] + 1), plain = probe_at(t_places[T_ADD]),
		      entry = { .symbol_name = "gcd", .pre_handler = count_pre,
				.flags = KPROBE_FLAG_TEXT };

	check_place = "refusals";
	CHECK("inside an instruction", spile_register_kprobe(&p), -EILSEQ);
	CHECK("an entry", spile_register_kprobe(&entry), 0);
	CHECK("is ftrace's", entry.flags & KPROBE_FLAG_FTRACE, KPROBE_FLAG_FTRACE);
	spile_unregister_kprobe(&entry);
	plain.flags = 0;
	CHECK("not asked for", spile_register_kprobe(&plain), 0);
	CHECK("native by default", same(spile_kprobe_planter(&plain), "native"), 1);
	spile_unregister_kprobe(&plain);
	p = probe_at(t_places[T_ADD]);
	plain = probe_at(t_places[T_STORE]);
	plain.flags = 0;
	CHECK("asked for", spile_register_kprobe(&p), 0);
	CHECK("beside it", spile_register_kprobe(&plain), 0);
	CHECK("by the text, too", same(spile_kprobe_planter(&plain), "native"), 0);
	spile_unregister_kprobe(&plain);
	spile_unregister_kprobe(&p);
}

static void check_all(void)
{
	check_instructions();
	check_handlers(false);
	check_handlers(true);
	check_post_handlers();
	check_lone("alone, blind", blind_pre);
	check_lone("alone, with an argument", argument_pre);
	check_lone("alone, with all registers", count_pre);
	check_lone("alone, calling", calls_pre);
	check_lone("alone, without handler", NULL);
	check_joining(blind_pre);
	check_joining(argument_pre);
	check_post_arrives(count_post, NULL);
	check_post_arrives(NULL, break_handler);
	check_disabled();
	check_digest();
	check_sweep("gcd", (unsigned long)kaddr_gcd, work_kernel, 20, 5);
	check_sweep("int_pow", (unsigned long)kaddr_int_pow, work_kernel, 8, 2);
}

/* Under the name text_warm: only what makes the kernel change text of its own, once and for all. */
int init_module(void)
{
	check_refusals();
	check_neighbour();
	if (!same(&kfield(&__this_module, module, name), "text_warm"))
		check_all();
	return check_done();
}

void cleanup_module(void)
{
}
