// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jumps and breakpoints that come and go while two threads run through them, while this module is
 * loaded: for as many seconds as the digits of its name say.
 * What must hold: the function's results are right all the time, every probe that was there for a
 * while was hit, and the text is as before.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "tests/vm/text_target.h"
#include "tests/vm/number.h"

#define CHECK_MODULE "text-stress"
#include "tests/vm/check.h"

#define RUNNERS 2
#define TOGGLERS 3
#define PROBES 4 /* of each toggler */
#define TEXT_BYTES 96

int init_module(void);
void cleanup_module(void);

static unsigned long calls, wrong, actions, refused, optimized, unhit;
static char before[TEXT_BYTES];
static struct task_struct *threads[RUNNERS + TOGGLERS];

static void add(unsigned long *counter, unsigned long n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* --- those who are probed --------------------------------------------------------------------- */

static int run(void *arg)
{
	unsigned i;

	while (!kfn_kthread_should_stop()) {
		for (i = 0; i < 2000; i++)
			if (t_many(i, 5) != many_result(i, 5))
				add(&wrong, 1);
		add(&calls, i);
		kfn_schedule_timeout(1); /* lets others run */
	}
	return 0;
}

/* --- those who probe ----------------------------------------------------------------------------- */

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static void post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

struct toggler {
	uint64_t random;
	struct kprobe probes[PROBES];
	bool planted[PROBES];
};

static struct toggler togglers[TOGGLERS];

static unsigned draw(struct toggler *t, unsigned below)
{
	t->random = t->random * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(t->random >> 33) % below;
}

static void plant(struct toggler *t, unsigned i)
{
	t->probes[i] = (struct kprobe){
		.addr = (kprobe_opcode_t *)t_places[draw(t, T_RET + 1)],
		.pre_handler = pre,
		.post_handler = draw(t, 4) ? NULL : post,
		.flags = KPROBE_FLAG_TEXT | (draw(t, 4) ? 0 : KPROBE_FLAG_DISABLED),
	};
	t->planted[i] = !spile_register_kprobe(&t->probes[i]);
	if (!t->planted[i])
		add(&refused, 1);
}

static void act(struct toggler *t)
{
	unsigned i = draw(t, PROBES), what = draw(t, 4);
	struct kprobe *p = &t->probes[i];

	add(&actions, 1);
	if (!t->planted[i]) {
		plant(t, i);
		return;
	}
	if (p->flags & KPROBE_FLAG_OPTIMIZED)
		add(&optimized, 1);
	if (what == 0) {
		spile_disable_kprobe(p);
	} else if (what == 1) {
		spile_enable_kprobe(p);
	} else {
		spile_unregister_kprobe(p);
		t->planted[i] = false;
	}
}

/* A probe that is enabled for a tenth of a second, under two threads that run. */
static void check_hit(struct toggler *t)
{
	struct kprobe p = { .addr = (kprobe_opcode_t *)t_places[draw(t, T_RET + 1)],
			    .pre_handler = pre, .flags = KPROBE_FLAG_TEXT };
	unsigned long now;

	if (spile_register_kprobe(&p)) {
		add(&refused, 1);
		return;
	}
	now = __atomic_load_n(&calls, __ATOMIC_RELAXED); /* registering may have taken long */
	while (__atomic_load_n(&calls, __ATOMIC_RELAXED) < now + 20000)
		kfn_schedule_timeout(1);
	if (p.flags & KPROBE_FLAG_OPTIMIZED)
		add(&optimized, 1);
	spile_unregister_kprobe(&p);
	if (p.nhit < 1000) {
		add(&unhit, 1);
		kfn_printk(CHECK_LINE "# %lu hits at place %d\n", p.nhit,
			   (int)((char *)p.addr - (char *)t_many));
	}
}

static int toggle(void *arg)
{
	struct toggler *t = arg;
	unsigned i;

	while (!kfn_kthread_should_stop()) {
		act(t);
		if (t == togglers && !draw(t, 8))
			check_hit(t);
		if (!draw(t, 8))
			kfn_msleep(draw(t, 400)); /* jumps take their time */
	}
	for (i = 0; i < PROBES; i++)
		if (t->planted[i])
			spile_unregister_kprobe(&t->probes[i]);
	return 0;
}

/* --- start and end -------------------------------------------------------------------------------- */

static struct task_struct *start(kcb_thread *fn, void *arg)
{
	struct task_struct *task = kfn_kthread_create_on_node(fn, arg, -1, "text-stress");

	kfn_wake_up_process(task);
	return task;
}

static void start_all(void)
{
	unsigned i;

	for (i = 0; i < RUNNERS; i++)
		threads[i] = start(run, NULL);
	for (i = 0; i < TOGGLERS; i++) {
		togglers[i].random = kfn_ktime_get_mono_fast_ns() + i;
		threads[RUNNERS + i] = start(toggle, &togglers[i]);
	}
}

int init_module(void)
{
	unsigned i;

	memcpy(before, t_many, TEXT_BYTES);
	start_all();
	kfn_msleep(module_number() * 1000);
	for (i = 0; i < 90 && !__atomic_load_n(&optimized, __ATOMIC_RELAXED); i++)
		kfn_msleep(1000); /* a busy machine: no jump has been met yet */
	for (i = RUNNERS + TOGGLERS; i-- > 0;) /* probes first: check_hit() needs the runners */
		kfn_kthread_stop(threads[i]);
	kfn_printk(CHECK_LINE "# %lu calls, %lu actions, %lu on jumps\n", calls, actions, optimized);
	CHECK("wrong results", wrong, 0);
	CHECK("probes not hit", unhit, 0);
	CHECK("refused", refused, 0);
	CHECK("some were jumps", optimized > 0, true);
	CHECK("text that differs", memcmp(before, t_many, TEXT_BYTES) != 0, false);
	return check_done();
}

void cleanup_module(void)
{
}
