// SPDX-License-Identifier: GPL-2.0-only
/*
 * jprobes: a kprobe on a function's entry whose pre_handler enters the user's handler with the
 * function's own arguments. How that is done is the architecture's (arch_jprobe_call()).
 *
 * jprobe_return() must find the hit that it ends. It is called by the handler, which stays on its
 * CPU, so the hit is the innermost one of this CPU (hit.c), whose frame has a word for it.
 *
 * Other than in the document several jprobes may be on one function: the second costs nothing here.
 */
#include "engine/core/jprobe.h"

#include "engine/arch.h"
#include "engine/core/engine.h"
#include "engine/host.h"

static inline struct jprobe *to_jprobe(struct kprobe *p)
{
	return (struct jprobe *)((char *)p - offsetof(struct jprobe, kp));
}

/* any, between hit_enter() and hit_leave() */
int jprobe_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	struct engine_frame *frame = engine.cpus[host_cpu()].running;

	arch_jprobe_call(to_jprobe(p)->entry, regs, &frame->jprobe);
	frame->jprobe = NULL;
	return 0;
}

/* any, in a jprobe's handler. Called from elsewhere it does nothing but say so. */
void spile_jprobe_return(void)
{
	struct engine_frame *hit;
	void *frame;

	host_preempt_disable();
	hit = engine.cpus[host_cpu()].running;
	frame = hit ? hit->jprobe : NULL;
	host_preempt_enable();
	if (frame)
		arch_jprobe_return(frame);
	host_log("jprobe_return() was called outside of a jprobe's handler");
}

/* Never called: like a post_handler it keeps a jump from taking the breakpoint's place. */
static int jprobe_break_handler(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

/* --- registration: task context ------------------------------------------------------------------ */

/* The kprobes of a batch; they are embedded, so the array has to be made. */
static struct kprobe **kprobes_of(struct jprobe **jps, int num)
{
	struct kprobe **ps = host_zalloc((size_t)num * sizeof(*ps));
	int i;

	for (i = 0; ps && i < num; i++)
		ps[i] = &jps[i]->kp;
	return ps;
}

int spile_register_jprobes(struct jprobe **jps, int num)
{
	struct kprobe **ps;
	int i, err;

	if (num <= 0)
		return -EINVAL;
	for (i = 0; i < num; i++) {
		if (!jps[i]->entry)
			return -EINVAL;
	}
	ps = kprobes_of(jps, num);
	if (!ps)
		return -ENOMEM;
	for (i = 0; i < num; i++) {
		ps[i]->pre_handler = jprobe_pre_handler;
		ps[i]->break_handler = jprobe_break_handler;
	}
	err = spile_register_kprobes(ps, num);
	host_free(ps);
	return err;
}

void spile_unregister_jprobes(struct jprobe **jps, int num)
{
	struct kprobe **ps;
	int i;

	if (num <= 0)
		return;
	ps = kprobes_of(jps, num);
	if (ps)
		spile_unregister_kprobes(ps, num);
	else /* no memory: one by one needs none */
		for (i = 0; i < num; i++)
			spile_unregister_kprobe(&jps[i]->kp);
	host_free(ps);
}

int spile_register_jprobe(struct jprobe *jp)
{
	return spile_register_jprobes(&jp, 1);
}

void spile_unregister_jprobe(struct jprobe *jp)
{
	spile_unregister_kprobe(&jp->kp);
}
