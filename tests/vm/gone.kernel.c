// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes in a module that is removed (victim.kernel.c). Two things at once:
 *
 *   probes that are registered once, when this module is loaded and the victim is there; they are
 *   looked at when this module is removed, and the victim has been removed and loaded meanwhile
 *
 *   a thread that registers, looks, and unregisters, all the time, while the test loads and removes
 *   the victim
 */
#include "engine/host/linux-kernel/engine_kernel.h"

#define CHECK_MODULE "gone"
#include "tests/vm/check.h"

int init_module(void);
void cleanup_module(void);

static int on_pre(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static void on_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static void on_jprobe(long n)
{
	spile_jprobe_return();
}

/* --- registered once ----------------------------------------------------------------------------- */

static struct kprobe work = { .symbol_name = "victim_work", .pre_handler = on_pre };
static struct kprobe post = { .symbol_name = "victim_plain", .post_handler = on_post };
static struct kprobe off = { .symbol_name = "victim_plain", .pre_handler = on_pre,
			     .flags = KPROBE_FLAG_DISABLED };
static struct jprobe jump = { .kp.symbol_name = "victim_plain", .entry = (void *)on_jprobe };
static struct kretprobe ret = { .kp.symbol_name = "victim_work", .handler = on_return };
static struct kretprobe through = { .kp.symbol_name = "victim_work", .handler = on_return,
				    .kp.flags = KPROBE_FLAG_ARGS_IN_REGS };
static struct kprobe elsewhere = { .symbol_name = "gcd", .pre_handler = on_pre };

static void register_all(void)
{
	CHECK("work", spile_register_kprobe(&work), 0);
	CHECK("post", spile_register_kprobe(&post), 0);
	CHECK("off", spile_register_kprobe(&off), 0);
	CHECK("jump", spile_register_jprobe(&jump), 0);
	CHECK("ret", spile_register_kretprobe(&ret), 0);
	CHECK("through", spile_register_kretprobe(&through), 0);
	CHECK("elsewhere", spile_register_kprobe(&elsewhere), 0);
}

static void check_gone(const char *name, struct kprobe *p, bool was_on)
{
	unsigned long hits;

	CHECK(name, p->flags & KPROBE_FLAG_GONE, KPROBE_FLAG_GONE);
	CHECK("enable of a gone probe", spile_enable_kprobe(p), -EINVAL);
	hits = p->nhit;
	CHECK("hits of a gone probe", hits > 0, was_on);
	kfn_msleep(20); /* the victim is there again, perhaps at the same address */
	CHECK("disable of a gone probe", spile_disable_kprobe(p), 0);
	CHECK("more hits of a gone probe", p->nhit, hits);
}

static void check_all(void)
{
	check_gone("flags of work", &work, true);
	check_gone("flags of post", &post, true);
	check_gone("flags of off", &off, false);
	check_gone("flags of jump", &jump.kp, true);
	check_gone("flags of ret", &ret.kp, true);
	check_gone("flags of through", &through.kp, true);
	CHECK("flags of elsewhere", elsewhere.flags & KPROBE_FLAG_GONE, 0);
}

static void unregister_all(void)
{
	spile_unregister_kprobe(&work);
	spile_unregister_kprobe(&post);
	spile_unregister_kprobe(&off);
	spile_unregister_jprobe(&jump);
	spile_unregister_kretprobe(&ret);
	spile_unregister_kretprobe(&through);
	spile_unregister_kprobe(&elsewhere);
}

/* --- all the time ---------------------------------------------------------------------------------- */

static struct {
	unsigned long rounds, planted, gone, hits, init_planted, init_gone, refused;
} sum;

/* The victim is not there, or goes just now. */
static bool was_refused(int err)
{
	if (!err)
		return false;
	if (err != -ENOENT && err != -EINVAL)
		CHECK("refusal", err, -ENOENT);
	sum.refused++;
	return true;
}

/* Till the victim, or its init, has gone: which the test sees to. */
static void wait_until_gone(const struct kprobe *p)
{
	int i;

	for (i = 0; i < 1000 && !(p->flags & KPROBE_FLAG_GONE); i++)
		kfn_msleep(10);
}

static void kprobe_round(const char *name, unsigned long *planted, unsigned long *gone, bool wait,
			 bool toggle)
{
	struct kprobe p = { .symbol_name = name, .pre_handler = on_pre,
			    .post_handler = sum.rounds % 3 ? NULL : on_post };
	int err;

	if (was_refused(spile_register_kprobe(&p)))
		return;
	++*planted;
	if (wait)
		wait_until_gone(&p);
	if (toggle) {
		spile_disable_kprobe(&p);
		err = spile_enable_kprobe(&p);
		if (err && !(p.flags & KPROBE_FLAG_GONE))
			CHECK("enable", err, 0);
	}
	*gone += p.flags & KPROBE_FLAG_GONE;
	spile_unregister_kprobe(&p);
	sum.hits += p.nhit;
}

static void kretprobe_round(void)
{
	struct kretprobe rp = { .kp.symbol_name = "victim_work", .handler = on_return,
				.kp.flags = sum.rounds % 2 ? KPROBE_FLAG_ARGS_IN_REGS : 0 };

	if (was_refused(spile_register_kretprobe(&rp)))
		return;
	sum.planted++;
	kfn_msleep((unsigned)(sum.rounds % 3) * 10);
	sum.gone += rp.kp.flags & KPROBE_FLAG_GONE;
	spile_unregister_kretprobe(&rp);
	sum.hits += rp.kp.nhit;
}

static int prober(void *unused)
{
	while (!kfn_kthread_should_stop()) {
		bool wait = sum.rounds % 8 == 7 || (sum.rounds > 2 && !sum.gone);

		kprobe_round("victim_work", &sum.planted, &sum.gone, wait, sum.rounds % 2);
		kprobe_round("victim_plain", &sum.planted, &sum.gone, false, sum.rounds % 5 == 0);
		kprobe_round("victim_init_work", &sum.init_planted, &sum.init_gone, true, false);
		kretprobe_round();
		sum.rounds++;
		kfn_schedule_timeout(0);
	}
	return 0;
}

/* --- the module ------------------------------------------------------------------------------------ */

static struct task_struct *thread;

int init_module(void)
{
	register_all();
	thread = kfn_kthread_create_on_node(prober, NULL, -1, "prober");
	kfn_wake_up_process(thread);
	return 0;
}

void cleanup_module(void)
{
	kfn_kthread_stop(thread);
	check_all();
	unregister_all();
	kfn_printk(CHECK_LINE "%lu rounds, %lu planted, %lu gone, %lu hits; init text: %lu, "
		   "%lu gone; %lu refused\n",
		   sum.rounds, sum.planted, sum.gone, sum.hits, sum.init_planted, sum.init_gone,
		   sum.refused);
	CHECK("some were gone", sum.gone > 0, true);
	CHECK("some were of init text", sum.init_planted > 0, true);
	CHECK("all of init text were gone", sum.init_gone, (long)sum.init_planted);
	CHECK("some hits", sum.hits > 0, true);
	check_done();
}
