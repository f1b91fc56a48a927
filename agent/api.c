// SPDX-License-Identifier: GPL-2.0-only
/*
 * The documented names, and the library's beginning. There is no end: probes may be hit until the
 * process is gone, so the library stays loaded (-z nodelete).
 */
#include "engine/core/control.h"
#include "engine/host/linux-user/home.h"
#include "spile/process.h"

static __attribute__((constructor)) void library_init(void)
{
	process_home_start();
}

int register_kprobe(struct kprobe *p)
{
	return spile_register_kprobe(p);
}

void unregister_kprobe(struct kprobe *p)
{
	spile_unregister_kprobe(p);
}

int register_kprobes(struct kprobe **ps, int num)
{
	return spile_register_kprobes(ps, num);
}

void unregister_kprobes(struct kprobe **ps, int num)
{
	spile_unregister_kprobes(ps, num);
}

int register_jprobe(struct jprobe *jp)
{
	return spile_register_jprobe(jp);
}

void unregister_jprobe(struct jprobe *jp)
{
	spile_unregister_jprobe(jp);
}

int register_jprobes(struct jprobe **jps, int num)
{
	return spile_register_jprobes(jps, num);
}

void unregister_jprobes(struct jprobe **jps, int num)
{
	spile_unregister_jprobes(jps, num);
}

/* A jump: the handler must not come back here. */
void jprobe_return(void)
{
	spile_jprobe_return();
}

int register_kretprobe(struct kretprobe *rp)
{
	return spile_register_kretprobe(rp);
}

void unregister_kretprobe(struct kretprobe *rp)
{
	spile_unregister_kretprobe(rp);
}

int register_kretprobes(struct kretprobe **rps, int num)
{
	return spile_register_kretprobes(rps, num);
}

void unregister_kretprobes(struct kretprobe **rps, int num)
{
	spile_unregister_kretprobes(rps, num);
}

int disable_kprobe(struct kprobe *p)
{
	return spile_disable_kprobe(p);
}

int enable_kprobe(struct kprobe *p)
{
	return spile_enable_kprobe(p);
}

int disable_jprobe(struct jprobe *jp)
{
	return spile_disable_kprobe(&jp->kp);
}

int enable_jprobe(struct jprobe *jp)
{
	return spile_enable_kprobe(&jp->kp);
}

int disable_kretprobe(struct kretprobe *rp)
{
	return spile_disable_kprobe(&rp->kp);
}

int enable_kretprobe(struct kretprobe *rp)
{
	return spile_enable_kprobe(&rp->kp);
}

size_t spile_kprobes_list(char *to, size_t size)
{
	process_home_sweep();
	return engine_list(to, size);
}

size_t spile_kprobes_blacklist(char *to, size_t size)
{
	return engine_blacklist(to, size);
}

int spile_kprobes_enable(int on)
{
	return engine_set_enabled(on != 0);
}

int spile_kprobes_enabled(void)
{
	return engine_enabled();
}

void spile_optimization(int on)
{
	engine_set_optimization(on != 0);
}

int spile_optimization_enabled(void)
{
	return engine_optimization();
}
