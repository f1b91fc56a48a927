// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suite. A case is a function and a row of the table at the end. It plants, calls a target,
 * looks, and takes everything out again; after the last one the text must be what it was.
 */
#include "tests/engine/suite_check.h"

static const struct suite_home *home;
static bool good;
struct suite_seen seen;

const struct suite_home *suite_home(void)
{
	return home;
}

void suite_check(bool ok, const char *file, int line, const char *what, long long is,
		 long long should)
{
	if (ok)
		return;
	good = false;
	home->complain(file, line, what, is, should);
}

/* --- a log of what handlers did -------------------------------------------------------------------- */

void seen_reset(void)
{
	memset(&seen, 0, sizeof(seen));
}

void log_event(char event)
{
	if (seen.n < sizeof(seen.events) - 1)
		seen.events[seen.n++] = event;
}

bool log_is(const char *expected)
{
	unsigned i;

	for (i = 0; i < seen.n && seen.events[i] == expected[i]; i++)
		;
	return i == seen.n && !expected[i];
}

int pre_a(struct kprobe *p, struct pt_regs *regs)
{
	log_event('a');
	seen.arg0 = regs_arg(regs, 0);
	seen.arg1 = regs_arg(regs, 1);
	seen.ip = regs->ip;
	return 0;
}

int pre_b(struct kprobe *p, struct pt_regs *regs)
{
	log_event('b');
	return 0;
}

int pre_c(struct kprobe *p, struct pt_regs *regs)
{
	log_event('c');
	return 0;
}

void post_p(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	log_event('p');
}

static void post_q(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	log_event('q');
}

/* --- probes ---------------------------------------------------------------------------------------- */

static void case_pre(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_a };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(20, 22), 42);
	CHECK_LOG("a");
	CHECK_EQ(seen.arg0, 20);
	CHECK_EQ(seen.arg1, 22);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit, 1);
	CHECK_EQ(target_add(1, 1), 2);
	CHECK_LOG("a");
}

static void case_pre_post_order(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_a, .post_handler = post_p };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("ap");
	spile_unregister_kprobe(&p);
}

static void case_no_handlers(void)
{
	struct kprobe p = { .addr = ADDR(target_add) };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 3);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit, 1);
}

static void case_by_name(void)
{
	struct kprobe p = { .symbol_name = home->add_name, .pre_handler = pre_a };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	target_add(1, 2);
	CHECK_LOG("a");
	spile_unregister_kprobe(&p);
}

static void case_inside_function(void)
{
	struct kprobe p = { .addr = ADDR(target_mov), .offset = TARGET_MOV_NEXT, .pre_handler = pre_a };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_mov(), 7);
	CHECK_LOG("a");
	spile_unregister_kprobe(&p);
}

static int pre_divert(struct kprobe *p, struct pt_regs *regs)
{
	log_event('d');
	regs->ip = (uint64_t)(uintptr_t)target_other;
	return 1;
}

/* The document: an empty post_handler keeps a probe from being optimized, which would ignore it. */
static void case_divert(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_divert, .post_handler = post_p };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(6, 7), 42);
	CHECK_LOG("d");
	spile_unregister_kprobe(&p);
	CHECK_EQ(target_add(6, 7), 13);
}

static int pre_change_argument(struct kprobe *p, struct pt_regs *regs)
{
	regs->di = 100;
	return 0;
}

static void case_change_register(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_change_argument };
	struct kprobe post = { .addr = ADDR(target_add), .post_handler = post_p };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 102);
	CHECK_EQ(spile_register_kprobe(&post), 0);
	CHECK_EQ(target_add(1, 2), 102);
	spile_unregister_kprobe(&post);
	spile_unregister_kprobe(&p);
}

/* --- several at one address ------------------------------------------------------------------------ */

static void case_several(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe b = { .addr = ADDR(target_add), .pre_handler = pre_b, .post_handler = post_p };
	struct kprobe c = { .addr = ADDR(target_add), .pre_handler = pre_c, .post_handler = post_q };

	CHECK_EQ(spile_register_kprobe(&a), 0);
	target_add(1, 1);
	CHECK_EQ(spile_register_kprobe(&b), 0);
	target_add(1, 1);
	CHECK_EQ(spile_register_kprobe(&c), 0);
	target_add(1, 1);
	CHECK_LOG("aabpabcpq");
	seen_reset();
	spile_unregister_kprobe(&b);
	target_add(1, 1);
	spile_unregister_kprobe(&c);
	target_add(1, 1);
	CHECK_LOG("acqa");
	spile_unregister_kprobe(&a);
	CHECK_EQ(a.nhit, 5);
	CHECK_EQ(b.nhit, 2);
	CHECK_EQ(c.nhit, 2);
}

int return_r(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_event('r');
	seen.value = regs->ax;
	return 0;
}

static int return_s(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_event('s');
	return 0;
}

static void case_mix(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_r };
	struct kretprobe s = { .kp.addr = ADDR(target_add), .handler = return_s };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(spile_register_kprobe(&a), 0);
	CHECK_EQ(spile_register_kretprobe(&s), 0);
	CHECK_EQ(target_add(2, 3), 5);
	CHECK_EQ(seen.n, 3);
	spile_unregister_kretprobe(&r);
	target_add(2, 3);
	CHECK_EQ(seen.n, 5);
	spile_unregister_kprobe(&a);
	target_add(2, 3);
	CHECK_EQ(seen.n, 6);
	spile_unregister_kretprobe(&s);
	target_add(2, 3);
	CHECK_EQ(seen.n, 6);
	CHECK_EQ(r.kp.nhit, 1);
	CHECK_EQ(a.nhit, 2);
	CHECK_EQ(s.kp.nhit, 3);
}

/* Two instructions next to each other: where one is jumped from, the other is in the way. */
static void case_neighbours(void)
{
	struct kprobe first = { .addr = ADDR(target_mov), .pre_handler = pre_a };
	struct kprobe second = { .addr = ADDR(target_mov), .offset = TARGET_MOV_NEXT,
				 .pre_handler = pre_b };

	CHECK_EQ(spile_register_kprobe(&first), 0);
	CHECK_EQ(target_mov(), 7);
	CHECK_EQ(spile_register_kprobe(&second), 0);
	CHECK_EQ(target_mov(), 7);
	spile_unregister_kprobe(&first);
	CHECK_EQ(target_mov(), 7);
	CHECK_EQ(spile_register_kprobe(&first), 0);
	CHECK_EQ(target_mov(), 7);
	CHECK_LOG("aabbab");
	spile_unregister_kprobe(&second);
	spile_unregister_kprobe(&first);
}

/* --- on and off ------------------------------------------------------------------------------------ */

static void case_disable(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe b = { .addr = ADDR(target_add), .pre_handler = pre_b };

	CHECK_EQ(spile_register_kprobe(&a), 0);
	CHECK_EQ(spile_register_kprobe(&b), 0);
	CHECK_EQ(spile_disable_kprobe(&a), 0);
	CHECK_EQ(spile_disable_kprobe(&a), 0);
	CHECK_EQ(a.flags & KPROBE_FLAG_DISABLED, KPROBE_FLAG_DISABLED);
	target_add(1, 1);
	CHECK_EQ(spile_disable_kprobe(&b), 0);
	target_add(1, 1);
	CHECK_EQ(spile_enable_kprobe(&a), 0);
	target_add(1, 1);
	CHECK_LOG("ba");
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&b);
}

static void case_registered_disabled(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a,
			    .flags = KPROBE_FLAG_DISABLED };
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_r,
			       .kp.flags = KPROBE_FLAG_DISABLED };

	CHECK_EQ(spile_register_kprobe(&a), 0);
	CHECK_EQ(spile_register_kretprobe(&r), 0);
	target_add(1, 1);
	CHECK_EQ(seen.n, 0);
	CHECK_EQ(spile_enable_kprobe(&a), 0);
	CHECK_EQ(spile_enable_kretprobe(&r), 0);
	target_add(1, 1);
	CHECK_LOG("ar");
	spile_unregister_kprobe(&a);
	CHECK_EQ(spile_disable_kretprobe(&r), 0);
	target_add(1, 1);
	CHECK_LOG("ar");
	spile_unregister_kretprobe(&r);
}

/* --- batches and refusals -------------------------------------------------------------------------- */

static void case_batch(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe b = { .addr = ADDR(target_other), .pre_handler = pre_b };
	struct kprobe *ps[] = { &a, &b };

	CHECK_EQ(spile_register_kprobes(ps, 2), 0);
	target_add(1, 1);
	target_other(1, 1);
	CHECK_LOG("ab");
	spile_unregister_kprobes(ps, 2);
	target_add(1, 1);
	target_other(1, 1);
	CHECK_LOG("ab");
}

static void case_all_or_nothing(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe bad = { .symbol_name = "no_such_function_anywhere" };
	struct kprobe c = { .addr = ADDR(target_other), .pre_handler = pre_c };
	struct kprobe *ps[] = { &a, &bad, &c };
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_r };
	struct kretprobe bad_r = { .kp.symbol_name = "no_such_function_anywhere" };
	struct kretprobe *rps[] = { &r, &bad_r };

	CHECK_EQ(spile_register_kprobes(ps, 3), -ENOENT);
	CHECK_EQ(spile_register_kretprobes(rps, 2), -ENOENT);
	target_add(1, 1);
	target_other(1, 1);
	CHECK_EQ(seen.n, 0);
	CHECK_EQ(spile_disable_kprobe(&a), -EINVAL);
	ps[1] = &c; /* what was taken back can be registered again */
	CHECK_EQ(spile_register_kprobes(ps, 2), 0);
	target_add(1, 1);
	target_other(1, 1);
	CHECK_LOG("ac");
	spile_unregister_kprobes(ps, 2);
}

static void case_refusals(void)
{
	static long data;
	struct kprobe both = { .addr = ADDR(target_add), .symbol_name = home->add_name };
	struct kprobe neither = { .pre_handler = pre_a };
	struct kprobe unknown = { .symbol_name = "no_such_function_anywhere" };
	struct kprobe inside = { .addr = ADDR(target_mov), .offset = 1 };
	struct kprobe own = { .addr = ADDR(home->own_text) };
	struct kprobe no_code = { .addr = ADDR(&data) };
	struct kprobe fine = { .addr = ADDR(target_add) };
	struct kprobe *none[] = { &fine };

	CHECK_EQ(spile_register_kprobe(&both), -EINVAL);
	CHECK_EQ(spile_register_kprobe(&neither), -EINVAL);
	CHECK_EQ(spile_register_kprobe(&unknown), -ENOENT);
	CHECK_EQ(spile_register_kprobe(&inside), -EILSEQ);
	CHECK_EQ(spile_register_kprobe(&own), -EINVAL);
	CHECK_EQ(spile_register_kprobe(&no_code), -EINVAL);
	CHECK_EQ(spile_register_kprobes(none, 0), -EINVAL);
	CHECK_EQ(spile_enable_kprobe(&fine), -EINVAL);
	CHECK_EQ(spile_disable_kprobe(&fine), -EINVAL);
	CHECK_EQ(spile_register_kprobe(&fine), 0);
	CHECK_EQ(spile_register_kprobe(&fine), -EBUSY);
	spile_unregister_kprobe(&fine);
}

/* The document: an incorrect probe's addr is cleared, the others of the batch are unregistered. */
static void case_unregister_incorrect(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_a };
	struct kprobe stranger = { .addr = ADDR(target_add) };
	struct kprobe *ps[] = { &stranger, &a };

	CHECK_EQ(spile_register_kprobe(&a), 0);
	spile_unregister_kprobes(ps, 2);
	CHECK_EQ(stranger.addr == NULL, true);
	target_add(1, 1);
	CHECK_EQ(seen.n, 0);
}

/* --- nested hits ----------------------------------------------------------------------------------- */

static int pre_calls_inner(struct kprobe *p, struct pt_regs *regs)
{
	log_event('a');
	seen.value = (uint64_t)target_inner(41);
	return 0;
}

static void case_nested(void)
{
	struct kprobe outer = { .addr = ADDR(target_add), .pre_handler = pre_calls_inner };
	struct kprobe inner = { .addr = ADDR(target_inner), .pre_handler = pre_b };
	struct kretprobe inner_r = { .kp.addr = ADDR(target_inner), .handler = return_r };

	CHECK_EQ(spile_register_kprobe(&inner), 0);
	CHECK_EQ(spile_register_kretprobe(&inner_r), 0);
	CHECK_EQ(spile_register_kprobe(&outer), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("a");
	CHECK_EQ(seen.value, 42);
	spile_unregister_kprobe(&outer);
	CHECK_EQ(target_inner(1), 2);
	spile_unregister_kprobe(&inner);
	spile_unregister_kretprobe(&inner_r);
	CHECK_EQ(inner.nmissed, 1);
	CHECK_EQ(inner.nhit, 1);
	CHECK_EQ(inner_r.kp.nmissed + (unsigned long)inner_r.nmissed, 1);
	CHECK_EQ(outer.nmissed, 0);
}

/* --- returns --------------------------------------------------------------------------------------- */

static int entry_keeps(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(uint64_t *)ri->data = regs_arg(regs, 0);
	return 0;
}

static int return_reads(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	seen.arg0 += *(uint64_t *)ri->data;
	seen.value = regs->ax;
	seen.arg1 = ri->ret_addr != NULL && ri->rp != NULL;
	log_event('r');
	return 0;
}

static void case_return_data(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_reads,
			       .entry_handler = entry_keeps, .data_size = sizeof(uint64_t) };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(r.maxactive > 0, true);
	CHECK_EQ(target_add(20, 22), 42);
	CHECK_EQ(seen.arg0, 20);
	CHECK_EQ(seen.value, 42);
	CHECK_EQ(seen.arg1, 1);
	spile_unregister_kretprobe(&r);
	CHECK_EQ(target_add(20, 22), 42);
	CHECK_LOG("r");
}

static int entry_skips_odd(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_event('e');
	return regs_arg(regs, 0) & 1;
}

static void case_entry_skips(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_r,
			       .entry_handler = entry_skips_odd, .maxactive = 1 };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	target_add(1, 1);
	target_add(2, 1);
	target_add(3, 1);
	target_add(4, 1);
	CHECK_LOG("eereer");
	spile_unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 0);
}

static int return_changes(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs->ax = 4711;
	return 0;
}

static void case_change_result(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_add), .handler = return_changes };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(target_add(1, 1), 4711);
	spile_unregister_kretprobe(&r);
	CHECK_EQ(target_add(1, 1), 2);
}

/* 10 levels, 4 instances: the first 4 are watched, 6 are missed, whatever is above them. */
static void case_maxactive(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_recurse), .handler = return_reads,
			       .entry_handler = entry_keeps, .maxactive = 4,
			       .data_size = sizeof(uint64_t) };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(target_recurse(10), 10);
	CHECK_EQ(seen.n, 4);
	CHECK_EQ(seen.arg0, 10 + 9 + 8 + 7);
	CHECK_EQ(target_recurse(4), 4);
	CHECK_EQ(seen.n, 8);
	spile_unregister_kretprobe(&r);
	CHECK_EQ(r.nmissed, 6);
	CHECK_EQ(r.kp.nhit, 8);
}

static int pre_nothing(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static void case_return_many_arguments(void)
{
	struct kretprobe r = { .kp.addr = ADDR(target_many), .handler = return_r };
	struct kprobe p = { .addr = ADDR(target_many), .pre_handler = pre_nothing };

	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_many(1, 2, 3, 4, 5, 6, 7, 8), 8697);
	CHECK_EQ(seen.value, 8697);
	spile_unregister_kprobe(&p);
	spile_unregister_kretprobe(&r);
}

/* --- jprobes --------------------------------------------------------------------------------------- */

static long jprobe_many(long a, long b, long c, long d, long e, long f, long g, long h)
{
	seen.value = (uint64_t)(a + b + c + d + e + f + g + h);
	log_event('j');
	spile_jprobe_return();
	return 0;
}

static void case_jprobe(void)
{
	struct jprobe j = { .kp.addr = ADDR(target_many), .entry = (void *)jprobe_many };
	struct kprobe p = { .addr = ADDR(target_many), .pre_handler = pre_b };

	CHECK_EQ(spile_register_jprobe(&j), 0);
	CHECK_EQ(target_many(1, 2, 3, 4, 5, 6, 7, 8), 8697);
	CHECK_EQ(seen.value, 36);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_many(1, 2, 3, 4, 5, 6, 7, 8), 8697);
	CHECK_LOG("jjb");
	spile_unregister_jprobe(&j);
	CHECK_EQ(target_many(1, 2, 3, 4, 5, 6, 7, 8), 8697);
	CHECK_LOG("jjbb");
	spile_unregister_kprobe(&p);
}

static void case_jprobe_refusals(void)
{
	struct jprobe inside = { .kp.addr = ADDR(target_mov), .kp.offset = TARGET_MOV_NEXT,
				 .entry = (void *)jprobe_many };
	struct jprobe nothing = { .kp.addr = ADDR(target_many) };

	CHECK_EQ(spile_register_jprobe(&inside), -EINVAL);
	CHECK_EQ(spile_register_jprobe(&nothing), -EINVAL);
}

/* --- under load ------------------------------------------------------------------------------------ */

#define BUSY_THREADS 4

static uint64_t wrong_results;

static void call_busy(void *arg)
{
	long i;

	for (i = 0; i < 50; i++)
		if (target_busy(i) != i + 3)
			__atomic_fetch_add(&wrong_results, 1, __ATOMIC_RELAXED);
}

/* A handler that runs after unregister has returned finds its probe poisoned. */
static uint64_t late;

static int pre_late(struct kprobe *p, struct pt_regs *regs)
{
	if (p->offset == 0xdead)
		__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
	return 0;
}

static void post_late(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	pre_late(p, regs);
}

static int return_late(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return pre_late(&ri->rp->kp, regs);
}

static void register_and_unregister(void *arg)
{
	while (home->go_on(false)) {
		struct kprobe p = { .addr = ADDR(target_busy), .pre_handler = pre_late };
		struct kprobe q = { .addr = ADDR(target_busy), .post_handler = post_late };
		struct kretprobe r = { .kp.addr = ADDR(target_busy), .handler = return_late };

		CHECK_EQ(spile_register_kprobe(&p), 0);
		CHECK_EQ(spile_register_kretprobe(&r), 0);
		CHECK_EQ(spile_register_kprobe(&q), 0);
		spile_unregister_kprobe(&p);
		p.offset = 0xdead;
		spile_unregister_kretprobe(&r);
		r.kp.offset = 0xdead;
		spile_unregister_kprobe(&q);
		q.offset = 0xdead;
	}
}

static void case_unregister_under_load(void)
{
	wrong_results = late = 0;
	home->go_on(true);
	home->with_threads(BUSY_THREADS, call_busy, register_and_unregister, NULL);
	CHECK_EQ(wrong_results, 0);
	CHECK_EQ(late, 0);
}

static void toggle(void *arg)
{
	struct kprobe *p = arg;

	while (home->go_on(false)) {
		CHECK_EQ(spile_disable_kprobe(p), 0);
		CHECK_EQ(spile_enable_kprobe(p), 0);
	}
}

static void case_toggle_under_load(void)
{
	struct kprobe p = { .addr = ADDR(target_busy), .pre_handler = pre_late };

	wrong_results = late = 0;
	CHECK_EQ(spile_register_kprobe(&p), 0);
	home->go_on(true);
	home->with_threads(BUSY_THREADS, call_busy, toggle, &p);
	spile_unregister_kprobe(&p);
	CHECK_EQ(wrong_results, 0);
	CHECK_EQ(p.nhit > 0, true);
}

static uint64_t calls;

static void count_busy(void *arg)
{
	target_busy(1);
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void only_wait(void *arg)
{
	while (home->go_on(false))
		host_relax();
}

/* Nothing is lost: every call is a hit, or counted as missed. */
static void case_exact_counts(void)
{
	struct kprobe p = { .addr = ADDR(target_busy), .pre_handler = pre_late };
	struct kretprobe r = { .kp.addr = ADDR(target_busy), .handler = return_late };

	calls = 0;
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(spile_register_kretprobe(&r), 0);
	home->go_on(true);
	home->with_threads(BUSY_THREADS, count_busy, only_wait, NULL);
	spile_unregister_kretprobe(&r);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit + p.nmissed, calls);
	CHECK_EQ(r.kp.nhit + r.kp.nmissed + (unsigned long)r.nmissed, calls);
	CHECK_EQ(p.nmissed, 0);
}

static int pre_calls_probed(struct kprobe *p, struct pt_regs *regs)
{
	target_busy(2);
	return 0;
}

/* A handler that calls what it is probing: each hit makes one that is nested, and none goes deeper. */
static void case_nested_under_load(void)
{
	struct kprobe p = { .addr = ADDR(target_busy), .pre_handler = pre_calls_probed };
	struct kretprobe r = { .kp.addr = ADDR(target_busy), .handler = return_late };

	wrong_results = calls = 0;
	CHECK_EQ(spile_register_kprobe(&p), 0);
	home->go_on(true);
	home->with_threads(BUSY_THREADS, count_busy, only_wait, NULL);
	CHECK_EQ(spile_register_kretprobe(&r), 0);
	home->go_on(true);
	home->with_threads(BUSY_THREADS, call_busy, only_wait, NULL);
	spile_unregister_kretprobe(&r);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit >= calls, true);
	CHECK_EQ(p.nmissed, p.nhit);
	CHECK_EQ(r.kp.nhit > 0, true);
	CHECK_EQ(wrong_results, 0);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct suite_case cases[] = {
	CASE(pre),
	CASE(pre_post_order),
	CASE(no_handlers),
	CASE(by_name),
	CASE(inside_function),
	CASE(divert),
	CASE(change_register),
	CASE(several),
	CASE(mix),
	CASE(neighbours),
	CASE(disable),
	CASE(registered_disabled),
	CASE(batch),
	CASE(all_or_nothing),
	CASE(refusals),
	CASE(unregister_incorrect),
	CASE(nested),
	CASE(return_data),
	CASE(entry_skips),
	CASE(change_result),
	CASE(maxactive),
	CASE(return_many_arguments),
	CASE(jprobe),
	CASE(jprobe_refusals),
	CASE(unregister_under_load),
	CASE(toggle_under_load),
	CASE(exact_counts),
	CASE(nested_under_load),
	{ NULL, NULL },
};

static int run(const struct suite_case *c)
{
	int failed = 0;

	for (; c->name; c++) {
		good = true;
		seen_reset();
		c->run();
		home->verdict(c->name, good);
		failed += !good;
	}
	return failed;
}

int suite_run(const struct suite_home *use)
{
	home = use;
	return run(cases) + run(suite_mix_cases) + run(suite_fault_cases);
}
