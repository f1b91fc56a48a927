// SPDX-License-Identifier: GPL-2.0-only
/* A script's probes and the engine. See arm.h. */
#include "kmod/arm.h"

#include "engine/arch/x86/regs.h"
#include "engine/host.h"
#include "runtime/kept.h"
#include "spile/session.h"

/* --- hits: any context ------------------------------------------------------------------------ */

static inline struct armed *armed_of_kprobe(struct kprobe *p)
{
	return (struct armed *)((char *)p - offsetof(struct armed, on.kp));
}

static inline struct armed *armed_of_kretprobe(struct kretprobe *rp)
{
	return (struct armed *)((char *)rp - offsetof(struct armed, on.rp));
}

/* .callee probes a function for calls from one place only; `returns_to` has this call's. */
static inline bool is_meant(const struct armed *armed, const void *returns_to)
{
	return !(armed->probe->flags & SPL_PROBE_CALLED_FROM) ||
	       *(const uint64_t *)returns_to == armed->probe->param2;
}

static int on_entry(struct kprobe *p, struct pt_regs *regs)
{
	struct armed *armed = armed_of_kprobe(p);

	if (arming_live(armed->arming) && is_meant(armed, (const void *)regs->sp))
		spl_probe_run(armed->arming->session, armed->probe, regs, NULL);
	return 0;
}

/* From the first moment on: a call may be asked for that began before all probes were armed. */
static int on_keep(struct kprobe *p, struct pt_regs *regs)
{
	struct armed *armed = armed_of_kprobe(p);
	struct spl_session *session = armed->arming->session;

	spl_kept_note(session->kept[armed->probe->index], regs, engine_probe_unseen(p));
	return 0;
}

/* Asked by handlers of the same batch of probes, so it is registered. */
uint64_t arm_unseen(const struct arming *arming, unsigned index)
{
	return engine_probe_unseen(&arming->probes[index].on.kp);
}

/* The arguments as the function found them, those on the stack behind those in registers. */
static int keep_args(const struct armed *armed, const struct pt_regs *regs, uint64_t *args)
{
	unsigned i, words = armed->probe->entry_args;

	for (i = 0; i < REGS_ARGS; i++)
		args[i] = regs_arg(regs, (int)i);
	if (words <= REGS_ARGS)
		return 0;
	return host_read_kernel(args + REGS_ARGS, regs_arg_address(regs, REGS_ARGS),
				(words - REGS_ARGS) * sizeof(*args));
}

/*
 * A call that begins before all probes are armed is let go, so that no return is seen of which the
 * entry was not. For others, keeps the arguments that the handler wants.
 */
static int on_return_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct armed *armed = armed_of_kretprobe(ri->rp);

	if (!arming_live(armed->arming) || !is_meant(armed, &ri->ret_addr))
		return 1;
	return armed->probe->entry_args && keep_args(armed, regs, (uint64_t *)ri->data);
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct armed *armed = armed_of_kretprobe(ri->rp);
	uint64_t *args = armed->probe->entry_args ? (uint64_t *)ri->data : NULL;

	if (arming_live(armed->arming))
		spl_probe_run(armed->arming->session, armed->probe, regs, args);
	return 0;
}

/* --- preparing: task context --------------------------------------------------------------------- */

static void prepare_entry(struct arming *arming, struct armed *armed)
{
	struct kprobe *kp = &armed->on.kp;

	*kp = (struct kprobe){
		.addr = (kprobe_opcode_t *)(uintptr_t)armed->probe->addr,
		.pre_handler = armed->probe->kind == SPL_PROBE_KEEP ? on_keep : on_entry,
	};
	arming->entries[arming->nentries++] = kp;
}

/*
 * Many tasks sleep in one function, so the engine's default, which is the document's, would be
 * missed often; a free instance costs some hundred bytes.
 */
#define INSTANCES_MIN 64
#define INSTANCES_PER_CPU 8

static int default_instances(void)
{
	int n = (int)host_cpu_max() * INSTANCES_PER_CPU;

	return n > INSTANCES_MIN ? n : INSTANCES_MIN;
}

static void prepare_return(struct arming *arming, struct armed *armed)
{
	struct kretprobe *rp = &armed->on.rp;

	*rp = (struct kretprobe){
		.kp.addr = (kprobe_opcode_t *)(uintptr_t)armed->probe->addr,
		.handler = on_return,
		.entry_handler = on_return_entry,
		.data_size = armed->probe->entry_args * sizeof(uint64_t),
		.maxactive = armed->probe->param ? (int)armed->probe->param : default_instances(),
	};
	arming->returns[arming->nreturns++] = rp;
}

static void prepare(struct arming *arming)
{
	const struct spl_script *script = arming->session->script;
	unsigned i;

	arming->nentries = 0;
	arming->nreturns = 0;
	for (i = 0; i < script->nprobes; i++) {
		struct armed *armed = &arming->probes[i];

		armed->arming = arming;
		armed->probe = &script->probes[i];
		if (armed->probe->kind == SPL_PROBE_RETURN)
			prepare_return(arming, armed);
		else if (armed->probe->kind >= SPL_PROBE_ENTRY)
			prepare_entry(arming, armed);
	}
}

int arming_init(struct arming *arming, struct spl_session *session)
{
	unsigned n = session->script->nprobes + 1; /* an empty script has no probe at all */

	*arming = (struct arming){ .session = session };
	arming->probes = host_zalloc(n * sizeof(*arming->probes));
	arming->entries = host_zalloc(n * sizeof(*arming->entries));
	arming->returns = host_zalloc(n * sizeof(*arming->returns));
	if (arming->probes && arming->entries && arming->returns)
		return 0;
	arming_deinit(arming);
	return -ENOMEM;
}

void arming_deinit(struct arming *arming)
{
	host_free(arming->probes);
	host_free(arming->entries);
	host_free(arming->returns);
	*arming = (struct arming){ 0 };
}

/* --- arming: task context ---------------------------------------------------------------------------- */

static bool is_timer(const struct spl_probe *probe)
{
	return probe->kind == SPL_PROBE_TIMER || probe->kind == SPL_PROBE_TIMER_JIFFIES ||
	       probe->kind == SPL_PROBE_TIMER_PROFILE;
}

static void stop_timers(struct arming *arming)
{
	unsigned i;

	for (i = 0; i < arming->session->script->nprobes; i++)
		armed_timer_stop(&arming->probes[i]);
}

static int start_timers(struct arming *arming, unsigned *ret_failed)
{
	const struct spl_script *script = arming->session->script;
	unsigned i;
	int err;

	for (i = 0; i < script->nprobes; i++) {
		if (!is_timer(&script->probes[i]))
			continue;
		err = armed_timer_start(&arming->probes[i]);
		if (err) {
			*ret_failed = i;
			stop_timers(arming);
			return err;
		}
	}
	return 0;
}

static int engine_plant(struct arming *arming, unsigned *ret_failed)
{
	unsigned failed;
	int err = 0;

	if (arming->nentries)
		err = engine_register_kprobes(arming->entries, arming->nentries, &failed);
	if (err) {
		if (failed < arming->nentries)
			*ret_failed = armed_of_kprobe(arming->entries[failed])->probe->index;
		return err;
	}
	if (arming->nreturns)
		err = engine_register_kretprobes(arming->returns, arming->nreturns, &failed);
	if (!err)
		return 0;
	if (failed < arming->nreturns)
		*ret_failed = armed_of_kretprobe(arming->returns[failed])->probe->index;
	spile_unregister_kprobes(arming->entries, (int)arming->nentries);
	return err;
}

static void engine_unplant(struct arming *arming)
{
	spile_unregister_kprobes(arming->entries, (int)arming->nentries);
	spile_unregister_kretprobes(arming->returns, (int)arming->nreturns);
}

int arm_all(struct arming *arming, unsigned *ret_failed)
{
	int err;

	*ret_failed = arming->session->script->nprobes;
	prepare(arming);
	err = engine_plant(arming, ret_failed);
	if (err)
		return err;
	err = start_timers(arming, ret_failed);
	if (err) {
		engine_unplant(arming);
		return err;
	}
	arming->on_code = true;
	__atomic_store_n(&arming->live, true, __ATOMIC_RELAXED);
	return 0;
}

/* The counts that are left when the engine has forgotten a probe; `planter` stays as it was. */
static void keep_counts(struct arming *arming)
{
	unsigned i;

	for (i = 0; i < arming->nentries; i++) {
		struct kprobe *p = arming->entries[i];

		armed_of_kprobe(p)->counts.missed_nested = p->nmissed;
	}
	for (i = 0; i < arming->nreturns; i++) {
		struct kretprobe *rp = arming->returns[i];

		armed_of_kretprobe(rp)->counts.missed_nested = rp->kp.nmissed;
		armed_of_kretprobe(rp)->counts.missed_instance = (unsigned)rp->nmissed;
	}
}

static void refresh_counts(struct arming *arming)
{
	unsigned i;

	for (i = 0; i < arming->nentries; i++)
		engine_probe_counts(arming->entries[i],
				    &armed_of_kprobe(arming->entries[i])->counts);
	for (i = 0; i < arming->nreturns; i++)
		engine_kretprobe_counts(arming->returns[i],
					&armed_of_kretprobe(arming->returns[i])->counts);
}

void arm_none(struct arming *arming)
{
	if (!arming->on_code)
		return;
	__atomic_store_n(&arming->live, false, __ATOMIC_RELAXED);
	stop_timers(arming);
	refresh_counts(arming);
	engine_unplant(arming);
	keep_counts(arming);
	arming->on_code = false;
}

void arm_report(struct arming *arming, unsigned index, struct spile_probe_report *ret)
{
	struct armed *armed = &arming->probes[index];

	if (arming->on_code && armed->probe->kind == SPL_PROBE_RETURN)
		engine_kretprobe_counts(&armed->on.rp, &armed->counts);
	else if (arming->on_code && armed->probe->kind >= SPL_PROBE_ENTRY)
		engine_probe_counts(&armed->on.kp, &armed->counts);
	else if (arming->on_code && is_timer(armed->probe))
		armed->counts.planter = SPILE_PLANTER_TIMER;
	if (arming->session->script->probes[index].kind == SPL_PROBE_KEEP)
		ret->hits += armed->counts.hits;
	ret->missed_nested += armed->counts.missed_nested;
	ret->missed_instance += armed->counts.missed_instance;
	ret->planter = armed->counts.planter;
	ret->flags = armed->counts.flags;
}
