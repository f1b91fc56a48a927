// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suite's second half: kinds of probes beside each other, what each kind does when handlers hit
 * probes, and what is refused or counted.
 */
#include "tests/engine/suite_check.h"

/* --- kinds at one address, in any order ------------------------------------------------------------ */

static void jprobe_add(long a, long b)
{
	seen.arg0 = (uint64_t)a;
	seen.arg1 = (uint64_t)b;
	log_event('j');
	spile_jprobe_return();
}

enum { KPROBE, JPROBE, KRETPROBE, POST, KINDS };

static struct {
	struct kprobe k, post;
	struct jprobe j;
	struct kretprobe r;
} mix;

static int mix_register(int kind)
{
	switch (kind) {
	case KPROBE:
		mix.k = (struct kprobe){ .addr = ADDR(target_add), .pre_handler = pre_a };
		return spile_register_kprobe(&mix.k);
	case JPROBE:
		mix.j = (struct jprobe){ .kp.addr = ADDR(target_add), .entry = (void *)jprobe_add };
		return spile_register_jprobe(&mix.j);
	case KRETPROBE:
		mix.r = (struct kretprobe){ .kp.addr = ADDR(target_add), .handler = return_r };
		return spile_register_kretprobe(&mix.r);
	default:
		mix.post = (struct kprobe){ .addr = ADDR(target_add), .post_handler = post_p };
		return spile_register_kprobe(&mix.post);
	}
}

static void mix_unregister(int kind)
{
	switch (kind) {
	case KPROBE:
		spile_unregister_kprobe(&mix.k);
		break;
	case JPROBE:
		spile_unregister_jprobe(&mix.j);
		break;
	case KRETPROBE:
		spile_unregister_kretprobe(&mix.r);
		break;
	default:
		spile_unregister_kprobe(&mix.post);
	}
}

/* One call: each kind that is there is seen once, the others are not. */
static void mix_call(unsigned there)
{
	static const char letters[KINDS] = { 'a', 'j', 'r', 'p' };
	unsigned i, kind, count[KINDS] = { 0 };

	seen_reset();
	CHECK_EQ(target_add(30, 12), 42);
	for (i = 0; i < seen.n; i++)
		for (kind = 0; kind < KINDS; kind++)
			count[kind] += seen.events[i] == letters[kind];
	for (kind = 0; kind < KINDS; kind++)
		CHECK_EQ(count[kind], there >> kind & 1);
	if (there & 1u << KRETPROBE)
		CHECK_EQ(seen.value, 42);
	if (there & 1u << JPROBE)
		CHECK_EQ(seen.arg0 == 30 && seen.arg1 == 12, true);
}

/* They arrive in an order and leave backwards, the one at `leave` first. */
static void mix_way(const int order[KINDS], int leave)
{
	unsigned there = 0;
	int i;

	for (i = 0; i < KINDS; i++) {
		CHECK_EQ(mix_register(order[i]), 0);
		there |= 1u << order[i];
		mix_call(there);
	}
	for (i = 0; i < KINDS; i++) {
		int kind = order[(leave + KINDS - i) % KINDS];

		mix_unregister(kind);
		there &= ~(1u << kind);
		mix_call(there);
	}
}

static void case_mix_of_all_kinds(void)
{
	static const int orders[][KINDS] = {
		{ KPROBE, JPROBE, KRETPROBE, POST }, { JPROBE, POST, KPROBE, KRETPROBE },
		{ KRETPROBE, POST, JPROBE, KPROBE }, { POST, KRETPROBE, KPROBE, JPROBE },
		{ KRETPROBE, KPROBE, POST, JPROBE }, { JPROBE, KRETPROBE, POST, KPROBE },
	};
	unsigned i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		mix_way(orders[i], (int)i % KINDS);
}

/* Each kind is disabled and enabled while the others go on. */
static void case_mix_disabled(void)
{
	const unsigned all = (1u << KINDS) - 1;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		CHECK_EQ(mix_register(kind), 0);
	CHECK_EQ(spile_disable_kprobe(&mix.k), 0);
	mix_call(all & ~(1u << KPROBE));
	CHECK_EQ(spile_enable_kprobe(&mix.k), 0);
	CHECK_EQ(spile_disable_jprobe(&mix.j), 0);
	mix_call(all & ~(1u << JPROBE));
	CHECK_EQ(spile_enable_jprobe(&mix.j), 0);
	CHECK_EQ(spile_disable_kretprobe(&mix.r), 0);
	mix_call(all & ~(1u << KRETPROBE));
	CHECK_EQ(spile_enable_kretprobe(&mix.r), 0);
	CHECK_EQ(spile_disable_kprobe(&mix.post), 0);
	mix_call(all & ~(1u << POST));
	CHECK_EQ(spile_enable_kprobe(&mix.post), 0);
	mix_call(all);
	for (kind = 0; kind < KINDS; kind++)
		mix_unregister(kind);
	CHECK_EQ(mix.k.nmissed + mix.j.kp.nmissed + mix.post.nmissed, 0);
	CHECK_EQ(mix.r.nmissed, 0);
	CHECK_EQ(mix.r.kp.nhit, 4);
}

/* --- what handlers are shown ----------------------------------------------------------------------- */

static void case_entry_registers(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_a };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(p.flags & suite_home()->entry_flags, suite_home()->entry_flags);
	target_add(3, 4);
	CHECK_EQ(seen.ip, (uint64_t)(uintptr_t)p.addr + 1); /* as behind a breakpoint */
	CHECK_EQ(seen.arg0 == 3 && seen.arg1 == 4, true);
	spile_unregister_kprobe(&p);
}

static void case_by_name_and_offset(void)
{
	struct kprobe p = { .symbol_name = suite_home()->add_name, .pre_handler = pre_a };
	kprobe_opcode_t *addr;

	CHECK_EQ(spile_register_kprobe(&p), 0);
	addr = p.addr;
	CHECK_EQ(addr != NULL, true);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.addr == addr, true);
	CHECK_EQ(spile_register_kprobe(&p), -EINVAL); /* now both are given */
	p.addr = NULL;
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(p.addr == addr, true);
	spile_unregister_kprobe(&p);
	spile_unregister_kprobe(&p); /* incorrect: the document's answer is a cleared addr */
	CHECK_EQ(p.addr == NULL, true);
}

/* --- refusals and batches of the other kinds --------------------------------------------------------- */

static void case_return_refusals(void)
{
	const char *name = suite_home()->add_name;
	struct kretprobe both = { .kp.addr = ADDR(target_add), .kp.symbol_name = name };
	struct kretprobe neither = { .handler = return_r };
	struct kretprobe unknown = { .kp.symbol_name = "no_such_function_anywhere" };
	struct kretprobe own = { .kp.addr = ADDR(suite_home()->own_text) };
	struct kretprobe fine = { .kp.addr = ADDR(target_add), .handler = return_r };
	struct kretprobe *one[] = { &fine };

	CHECK_EQ(spile_register_kretprobe(&both), -EINVAL);
	CHECK_EQ(spile_register_kretprobe(&neither), -EINVAL);
	CHECK_EQ(spile_register_kretprobe(&unknown), -ENOENT);
	CHECK_EQ(spile_register_kretprobe(&own), -EINVAL);
	CHECK_EQ(spile_register_kretprobes(one, 0), -EINVAL);
	CHECK_EQ(spile_register_kretprobes(one, -1), -EINVAL);
	CHECK_EQ(spile_enable_kretprobe(&fine), -EINVAL);
	CHECK_EQ(spile_disable_kretprobe(&fine), -EINVAL);
	CHECK_EQ(spile_register_kretprobe(&fine), 0);
	CHECK_EQ(spile_register_kretprobe(&fine), -EBUSY);
	spile_unregister_kretprobe(&fine);
	spile_unregister_kretprobe(&fine);
	CHECK_EQ(fine.kp.addr == NULL, true);
	CHECK_EQ(target_add(1, 1), 2);
	CHECK_EQ(seen.n, 0);
}

static void case_jprobe_refusals(void)
{
	struct jprobe no_entry = { .kp.addr = ADDR(target_add) };
	struct jprobe inside = { .kp = { .addr = ADDR(target_mov), .offset = TARGET_MOV_NEXT },
				 .entry = (void *)jprobe_add };
	struct jprobe unknown = { .kp.symbol_name = "no_such_function_anywhere",
				  .entry = (void *)jprobe_add };
	struct jprobe fine = { .kp.addr = ADDR(target_add), .entry = (void *)jprobe_add };
	struct jprobe *some[] = { &fine, &inside };

	CHECK_EQ(spile_register_jprobe(&no_entry), -EINVAL);
	CHECK_EQ(spile_register_jprobe(&inside), -EINVAL);
	CHECK_EQ(spile_register_jprobe(&unknown), -ENOENT);
	CHECK_EQ(spile_register_jprobes(some, 0), -EINVAL);
	CHECK_EQ(spile_register_jprobes(some, 2), -EINVAL);
	CHECK_EQ(target_add(1, 1), 2);
	CHECK_EQ(seen.n, 0);
	CHECK_EQ(spile_enable_jprobe(&fine), -EINVAL);
	CHECK_EQ(spile_disable_jprobe(&fine), -EINVAL);
	CHECK_EQ(spile_register_jprobes(some, 1), 0);
	target_add(1, 1);
	spile_unregister_jprobes(some, 1);
	target_add(1, 1);
	CHECK_LOG("j");
}

/* The bad one is found when the others have been resolved, or by a planter when they are linked. */
static void case_all_or_nothing_late(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe b = { .addr = ADDR(target_add), .post_handler = post_p };
	struct kprobe c = { .addr = ADDR(target_mov), .offset = TARGET_MOV_NEXT,
			    .pre_handler = pre_c };
	struct kprobe bad = { .addr = ADDR(target_mov), .offset = 1 };
	struct kprobe *ps[] = { &a, &b, &c, &bad };

	CHECK_EQ(spile_register_kprobes(ps, 4), -EILSEQ);
	target_add(1, 1);
	CHECK_EQ(target_mov(), 7);
	ps[3] = &a; /* twice in one batch */
	CHECK_EQ(spile_register_kprobes(ps, 4), -EBUSY);
	target_add(1, 1);
	CHECK_EQ(target_mov(), 7);
	CHECK_EQ(seen.n, 0);
	CHECK_EQ(spile_register_kprobes(ps, 3), 0);
	target_add(1, 1);
	CHECK_EQ(target_mov(), 7);
	CHECK_LOG("apc");
	spile_unregister_kprobes(ps, 3);
}

/* A batch that joins a place where a probe is already, and fails, leaves that one alone. */
static void case_failed_batch_beside_another(void)
{
	struct kprobe old = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe joins = { .addr = ADDR(target_add), .pre_handler = pre_b,
				.post_handler = post_p };
	struct kprobe bad = { .symbol_name = "no_such_function_anywhere" };
	struct kprobe *ps[] = { &joins, &bad };

	CHECK_EQ(spile_register_kprobe(&old), 0);
	CHECK_EQ(spile_register_kprobes(ps, 2), -ENOENT);
	target_add(1, 1);
	CHECK_LOG("a");
	spile_unregister_kprobe(&old);
	CHECK_EQ(old.nhit, 1);
}

/* --- nested hits ----------------------------------------------------------------------------------- */

static int entry_calls(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_event('e');
	target_inner(1);
	return 0;
}

static int return_calls(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_event('r');
	target_inner(1);
	return 0;
}

static void post_calls(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	log_event('p');
	target_inner(1);
}

static void jprobe_calls(long a, long b)
{
	log_event('j');
	target_inner(1);
	spile_jprobe_return();
}

/* Of each kind of handler: what it calls is counted, not shown. */
static void case_nested_in_all_kinds(void)
{
	struct kprobe inner = { .addr = ADDR(target_inner), .pre_handler = pre_b };
	struct kretprobe inner_r = { .kp.addr = ADDR(target_inner), .handler = return_r };
	struct kprobe post = { .addr = ADDR(target_add), .post_handler = post_calls };
	struct jprobe j = { .kp.addr = ADDR(target_add), .entry = (void *)jprobe_calls };
	struct kretprobe r = { .kp.addr = ADDR(target_other), .handler = return_calls,
			       .entry_handler = entry_calls };
	unsigned i;

	CHECK_EQ(spile_register_kprobe(&inner), 0);
	CHECK_EQ(spile_register_kretprobe(&inner_r), 0);
	CHECK_EQ(spile_register_kprobe(&post), 0);
	CHECK_EQ(spile_register_jprobe(&j), 0);
	CHECK_EQ(spile_register_kretprobe(&r), 0);
	for (i = 0; i < 5; i++)
		CHECK_EQ(target_add(2, 3), 5);
	for (i = 0; i < 5; i++)
		CHECK_EQ(target_other(2, 3), 6);
	CHECK_LOG("jpjpjpjpjp" "ererererer");
	spile_unregister_kretprobe(&r);
	spile_unregister_jprobe(&j);
	spile_unregister_kprobe(&post);
	spile_unregister_kretprobe(&inner_r);
	spile_unregister_kprobe(&inner);
	CHECK_EQ(inner.nmissed, 20);
	CHECK_EQ(inner.nhit, 0);
	CHECK_EQ(inner_r.kp.nmissed + (unsigned long)inner_r.nmissed, 20);
	CHECK_EQ(post.nmissed + j.kp.nmissed + r.kp.nmissed, 0);
}

/* A probe in its own handler. */
static int pre_calls_itself(struct kprobe *p, struct pt_regs *regs)
{
	log_event('a');
	if (regs_arg(regs, 0) < 10)
		target_add(10, 0);
	return 0;
}

static void case_nested_in_itself(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_calls_itself };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_EQ(target_add(20, 2), 22);
	CHECK_LOG("aa");
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit, 2);
	CHECK_EQ(p.nmissed, 1);
}

/* --- instances of return probes -------------------------------------------------------------------- */

static void case_maxactive_default(void)
{
	const int n = suite_home()->maxactive;
	struct kretprobe r = { .kp.addr = ADDR(target_recurse), .handler = return_r };
	struct kretprobe s = { .kp.addr = ADDR(target_recurse), .handler = return_r,
			       .maxactive = -1 };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(r.maxactive, n);
	CHECK_EQ(target_recurse(n), n);
	CHECK_EQ(target_recurse(n + 3), n + 3);
	CHECK_EQ(target_recurse(1), 1);
	CHECK_EQ(r.nmissed, 3); /* while registered, too */
	spile_unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 3);
	CHECK_EQ(r.kp.nhit, 2 * n + 1);
	CHECK_EQ(spile_register_kretprobe(&s), 0);
	CHECK_EQ(s.maxactive, n);
	spile_unregister_kretprobe(&s);
	CHECK_EQ(spile_register_kretprobe(&r), 0); /* maxactive is set now; counts begin anew */
	CHECK_EQ(r.maxactive, n);
	CHECK_EQ(r.nmissed, 0);
	spile_unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 0);
	CHECK_EQ(r.kp.nhit, 0);
}

/* Two return probes on one function: each has its own instances, entries and counts. */
static void case_two_returns(void)
{
	struct kretprobe one = { .kp.addr = ADDR(target_recurse), .handler = return_r,
				 .maxactive = 1 };
	struct kretprobe three = { .kp.addr = ADDR(target_recurse), .handler = return_r,
				   .maxactive = 3 };
	struct kretprobe *rps[] = { &one, &three };

	CHECK_EQ(spile_register_kretprobes(rps, 2), 0);
	CHECK_EQ(target_recurse(5), 5);
	CHECK_EQ(seen.n, 4);
	spile_unregister_kretprobes(rps, 2);
	CHECK_EQ(one.nmissed, 4);
	CHECK_EQ(three.nmissed, 2);
	CHECK_EQ(one.kp.nhit, 1);
	CHECK_EQ(three.kp.nhit, 3);
	CHECK_EQ(target_recurse(5), 5);
	CHECK_EQ(seen.n, 4);
}

static void case_disabled_return_misses_nothing(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_recurse), .handler = return_r,
			       .maxactive = 2 };
	struct kprobe p = { .addr = ADDR(target_recurse), .pre_handler = pre_a };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(spile_disable_kretprobe(&r), 0);
	CHECK_EQ(target_recurse(5), 5);
	CHECK_LOG("aaaaa");
	CHECK_EQ(spile_enable_kretprobe(&r), 0);
	CHECK_EQ(target_recurse(3), 3);
	spile_unregister_kprobe(&p);
	spile_unregister_kretprobe(&r);
	CHECK_EQ(r.kp.nhit, 2);
	CHECK_EQ(r.nmissed, 1); /* the disabled time is not counted */
}

const struct suite_case suite_mix_cases[] = {
	CASE(mix_of_all_kinds),
	CASE(mix_disabled),
	CASE(entry_registers),
	CASE(by_name_and_offset),
	CASE(return_refusals),
	CASE(jprobe_refusals),
	CASE(all_or_nothing_late),
	CASE(failed_batch_beside_another),
	CASE(nested_in_all_kinds),
	CASE(nested_in_itself),
	CASE(maxactive_default),
	CASE(two_returns),
	CASE(disabled_return_misses_nothing),
	{ NULL, NULL },
};
