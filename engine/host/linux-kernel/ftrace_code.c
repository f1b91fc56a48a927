// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trampolines made for one probe; see ftrace_code.h. As C, one at an entry is
 *
 *	preempt_disable();
 *	cpu = &engine.cpus[this CPU];
 *	if (code->slow || cpu->running)
 *		preempt_enable(), go to ftrace_trampoline as if called by the function
 *	regs = what the handler needs of it; cpu->running = &frame; cpu->counts[n]++;
 *	diverted = handler(p, &regs);
 *	cpu->running = NULL;
 *	if (diverted) go to ftrace_code_divert
 *	load the argument registers; preempt_enable(); return
 *
 * and one for a return does nothing of note at the entry but to make sure that no handler is running and
 * that there is enough stack; then it calls the function's body, counts that as a frame until it is
 * back, and does the rest above for (&instance, &regs). The instance is made at the return: without an
 * entry_handler nobody can tell.
 *
 * Stack of a hit, from rbp downwards; what is above is as in ftrace_trampoline.S:
 *
 *	caller's rbp            <- rbp
 *	struct pt_regs
 *	(return:) instance, data
 *	struct engine_frame     <- rsp, cpu->running
 *
 * At an entry r10 and r11 are nobody's, here as in ftrace's own trampolines, and the flags mean
 * nothing. Nor does rax in C without vector registers, so what does not look at it need not keep it: the
 * kernel's trampolines for BPF do not either. The return instruction is the one that the kernel has put into our own text, which may be
 * a jump to one of its thunks.
 *
 * `slow` is set before anything changes that the code relies on, and what it relies on is freed
 * after host_synchronize(), which waits for whoever has not seen it. The code itself is freed
 * after ftrace has waited for tasks that are in it, and after the last frame has returned.
 *
 * Rejected: making new code when a second probe arrives at the function. It would have to be
 * exchanged under running hits, for a case that is rare.
 */
#include "engine/host/linux-kernel/ftrace_code.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/ftrace_hit.h"
#include "engine/host/linux-kernel/quick_code.h"
#include "engine/host/linux-kernel/text_arena.h"
#include "engine/host/linux-kernel/text_write.h"

#define CODE_MAX 768
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18

static const struct saved {
	uint8_t reg, offset;
} saved[] = {
	{ AX, PT_AX }, { CX, PT_CX },   { DX, PT_DX },   { SI, PT_SI },   { DI, PT_DI },
	{ R8, PT_R8 }, { R9, PT_R9 },   { R10, PT_R10 }, { R11, PT_R11 }, { BX, PT_BX },
	{ R12, PT_R12 }, { R13, PT_R13 }, { R14, PT_R14 }, { R15, PT_R15 },
};

#define ARGS 7 /* of them, the first: what a function's entry must leave as it was */

/* --- pieces --------------------------------------------------------------------------------------- */

/* r11 = the same; elsewhere if a handler is running. */
static void check_running(struct x86_code *c, struct exits *busy)
{
	load_engine_cpu(c);
	CODE(c, 0x49, 0x83); /* cmpq $0, running(%r11) */
	operand(c, 7, R11, offsetof(struct engine_cpu, running));
	CODE(c, 0);
	leave_if(c, IF_NOT_EQUAL, busy);
}

static void make_frame(struct x86_code *c, int32_t bytes)
{
	CODE(c, 0x55, 0x48, 0x89, 0xe5); /* push %rbp; mov %rsp, %rbp */
	if (bytes)
		lea(c, SP, SP, -bytes); /* keeps the flags */
}

/* Nothing has been done. */
static void go_slow(struct x86_code *c)
{
	preempt_add(c, -1);
	CODE(c, 0xc9); /* leave */
	code_jump(c, (uint64_t)ftrace_trampoline);
}

/* Those of the first n of `saved` that are in `which`, at regs(%rsp). */
static void save(struct x86_code *c, unsigned n, unsigned which, int32_t regs)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (which & 1u << saved[i].reg)
			store(c, saved[i].reg, SP, regs + saved[i].offset);
}

/* All of pt_regs but ip and sp; to come before anything that changes r10, r11 or the flags. */
static void save_all(struct x86_code *c, int32_t regs)
{
	save(c, sizeof(saved) / sizeof(saved[0]), X86_CLOBBERS_ALL, regs);
	store_value(c, -1, SP, regs + PT_ORIG_AX);
	store_value(c, KERNEL_CS, SP, regs + PT_CS);
	store_value(c, KERNEL_SS, SP, regs + PT_SS);
	CODE(c, 0x9c, 0x41, 0x5a); /* pushfq; pop %r10 */
	store(c, R10, SP, regs + PT_FLAGS);
	load(c, R10, BP, 0);
	store(c, R10, SP, regs + PT_BP);
}

static void restore(struct x86_code *c, unsigned which, int32_t regs)
{
	unsigned i;

	for (i = 0; i < ARGS; i++)
		if (which & 1u << saved[i].reg)
			load(c, saved[i].reg, SP, regs + saved[i].offset);
}

/* --- what handlers need ---------------------------------------------------------------------------- */

static int read_text(void *unused, uint64_t addr, uint8_t *dst, size_t n)
{
	return text_read(addr, dst, n);
}

struct x86_handler kernel_handler_read(uint64_t handler)
{
	/* The argument registers, which are saved in any case, and two that are cheap. */
	static const uint8_t words[] = { PT_AX, PT_CX, PT_DX, PT_SI, PT_DI, PT_R8, PT_R9,
					 PT_IP, PT_SP };
	const struct x86_handler_reader reader = {
		.read = read_text,
		.words = words,
		.nwords = sizeof(words),
		.changes = true,
		.return_thunk = return_thunk(),
	};

	return x86_handler_read(&reader, handler);
}

/* --- an entry ---------------------------------------------------------------------------------------- */

/* What the handler needs of pt_regs; `which` are the registers to be saved if it is not all. */
static void save_for(struct x86_code *c, const struct spile_site *site, unsigned needs,
		     unsigned which, int32_t regs)
{
	if (needs & X86_HANDLER_REGS)
		store_value(c, 0, SP, offsetof(struct engine_frame, jprobe));
	else
		save(c, ARGS, which, regs);
	if (!needs)
		return;
	lea(c, R10, BP, 16);
	store(c, R10, SP, regs + PT_SP);
	store_value(c, (int32_t)(site->addr + ARCH_BREAKPOINT_BYTES), SP, regs + PT_IP);
}

static void build_entry(struct x86_code *c, const struct ftrace_code *code,
			const struct spile_site *site)
{
	const struct kprobe *p = site->probes;
	const int32_t regs = sizeof(struct engine_frame);
	const struct x86_handler handler = kernel_handler_read((uint64_t)p->pre_handler);
	const bool all = handler.needs & X86_HANDLER_REGS;
	const unsigned which = handler.needs ? X86_CLOBBERS_ALL :
					       (handler.clobbers & ~(1u << AX)) |
						       (handler.takes_what ? 1u << DI : 0);
	struct exits slow = { .n = 0 }, diverted = { .n = 0 }, due = { .n = 0 };

	make_frame(c, regs + PT_SIZE);
	if (all)
		save_all(c, regs);
	preempt_add(c, 1);
	check_quick(c, &code->slow, &slow);
	save_for(c, site, handler.needs, which, regs);
	enter(c, site, p);
	if (p->pre_handler) {
		if (handler.takes_what)
			value(c, DI, (uint64_t)p);
		if (handler.needs)
			lea(c, SI, SP, regs);
		call(c, (uint64_t)p->pre_handler);
	}
	show_nothing(c, handler.clobbers);
	if (all) { /* another one cannot have set regs->ip */
		CODE(c, 0x85, 0xc0); /* test %eax, %eax */
		leave_if(c, IF_NOT_EQUAL, &diverted);
	}
	restore(c, which, regs);
	preempt_enable(c, &due);
	CODE(c, 0xc9);
	ret(c);

	land(c, &due);
	call(c, (uint64_t)ftrace_code_resched);
	CODE(c, 0xc9);
	ret(c);
	land(c, &diverted);
	code_jump(c, (uint64_t)ftrace_code_divert);
	land(c, &slow);
	if (all) {
		load(c, R10, SP, regs + PT_R10);
		load(c, R11, SP, regs + PT_R11);
	}
	go_slow(c);
}

/* --- a return ------------------------------------------------------------------------------------------ */

/* Task stacks that are half empty; the shared trampoline knows others. */
static void check_stack(struct x86_code *c, struct exits *slow)
{
	load_cpu_8(c, R10, kcpu_current_task);
	load(c, R10, R10, (int32_t)(long)koff_task_struct_stack);
	CODE(c, 0x49, 0x89, 0xe3); /* mov %rsp, %r11 */
	CODE(c, 0x4d, 0x29, 0xd3); /* sub %r10, %r11 */
	CODE(c, 0x49, 0x81, 0xeb); /* sub $keep, %r11 */
	code_u32(c, FTRACE_STACK_KEEP);
	CODE(c, 0x49, 0x81, 0xfb); /* cmp $most, %r11 */
	code_u32(c, FTRACE_STACK_BYTES - FTRACE_STACK_KEEP);
	leave_if(c, IF_ABOVE, slow);
}

/* r11 = this CPU's. */
static void add_frame(struct x86_code *c, const struct ftrace_code_return *plan, int8_t n)
{
	load(c, R10, R11, offsetof(struct engine_cpu, counts));
	add_to(c, n, R10, (int32_t)(plan->frames * sizeof(uint64_t)));
}

static void call_body(struct x86_code *c, const struct ftrace_code *code,
		      const struct ftrace_code_return *plan, struct exits *slow, struct exits *due,
		      uint64_t *ret_body)
{
	make_frame(c, 0);
	preempt_add(c, 1);
	check_stack(c, slow);
	check_quick(c, &code->slow, slow);
	add_frame(c, plan, 1);
	preempt_enable(c, due);
	*ret_body = code_here(c);
	call(c, kfn_ftrace_location(plan->site->addr) + ARCH_CALL_BYTES);
}

/* What the handler sees of its function's end; regs and instance are offsets from rsp. */
static void make_instance(struct x86_code *c, const struct kretprobe *rp, bool all, int32_t regs,
			  int32_t instance)
{
	if (all) {
		save_all(c, regs);
		store_value(c, 0, SP, offsetof(struct engine_frame, jprobe));
	} else {
		save(c, ARGS, X86_CLOBBERS_ALL, regs);
	}
	lea(c, R10, BP, 24);
	store(c, R10, SP, regs + PT_SP);
	load(c, R10, BP, 16);
	store(c, R10, SP, regs + PT_IP);
	store(c, R10, SP, instance + offsetof(struct kretprobe_instance, ret_addr));
	value(c, R10, (uint64_t)rp);
	store(c, R10, SP, instance + offsetof(struct kretprobe_instance, rp));
	load_cpu_8(c, R10, kcpu_current_task);
	store(c, R10, SP, instance + offsetof(struct kretprobe_instance, task));
}

/* The probe may have been unregistered, and then must not be looked at, or disabled. */
static void check_wanted(struct x86_code *c, const struct ftrace_code_return *plan,
			 struct exits *unusual)
{
	const struct kprobe *p = plan->site->probes;

	value(c, R11, (uint64_t)plan->through_site);
	CODE(c, 0x49, 0x83, 0x3b, 0); /* cmpq $0, (%r11) */
	leave_if(c, IF_EQUAL, unusual);
	value(c, R11, (uint64_t)&p->flags);
	CODE(c, 0x41, 0xf7, 0x03); /* testl $flags, (%r11) */
	code_u32(c, KPROBE_FLAG_DISABLED | KPROBE_FLAG_GONE);
	leave_if(c, IF_NOT_EQUAL, unusual);
}

static void build_return(struct x86_code *c, const struct ftrace_code *code,
			 const struct ftrace_code_return *plan)
{
	const struct kretprobe *rp = site_kretprobe(plan->site);
	const struct x86_handler handler = kernel_handler_read((uint64_t)rp->handler);
	const int32_t instance = sizeof(struct engine_frame);
	const int32_t regs = instance + (int32_t)((sizeof(struct kretprobe_instance) +
						   rp->data_size + 7) & ~7ul);
	struct exits slow = { .n = 0 }, unusual = { .n = 0 }, due = { .n = 0 }, due_end = { .n = 0 };
	uint64_t body, end;

	call_body(c, code, plan, &slow, &due, &body);
	lea(c, SP, SP, -(regs + PT_SIZE));
	make_instance(c, rp, handler.needs & X86_HANDLER_REGS, regs, instance);
	preempt_add(c, 1);
	check_wanted(c, plan, &unusual);
	check_running(c, &unusual);
	enter(c, plan->site, &rp->kp);
	if (rp->handler) {
		lea(c, DI, SP, instance);
		lea(c, SI, SP, regs);
		call(c, (uint64_t)rp->handler);
	}
	show_nothing(c, handler.clobbers);
	add_frame(c, plan, -1);
	end = code_here(c);
	load(c, AX, SP, regs + PT_AX);
	load(c, DX, SP, regs + PT_DX);
	preempt_enable(c, &due_end);
	CODE(c, 0xc9, 0x48, 0x83, 0xc4, 0x08); /* leave; add $8, %rsp: the body's address */
	ret(c);

	land(c, &due_end);
	call(c, (uint64_t)ftrace_code_resched);
	CODE(c, 0xc9, 0x48, 0x83, 0xc4, 0x08);
	ret(c);
	land(c, &due);
	call(c, (uint64_t)ftrace_code_resched);
	code_jump(c, body);
	land(c, &unusual);
	value(c, DI, (uint64_t)plan->through);
	lea(c, SI, SP, instance);
	lea(c, DX, SP, regs);
	call(c, (uint64_t)ftrace_through_code_exit);
	code_jump(c, end);
	land(c, &slow);
	go_slow(c);
}

/* --- making and freeing: task context under the engine's lock -------------------------------------------- */

static uint64_t arena_alloc(void)
{
	return text_is_available() ? text_arena_alloc(CODE_MAX, TEXT_ARENA_NO_POINT) : 0;
}

/* Puts it where it belongs, and gives back what is too much. */
static int install(struct ftrace_code *code, const struct x86_code *c)
{
	uint32_t used = ((uint32_t)c->size + TEXT_ARENA_GRAIN - 1) & ~(TEXT_ARENA_GRAIN - 1u);
	int err = c->err;

	if (err)
		return err;
	text_lock();
	err = text_fill(c->at, c->out, c->size);
	text_sync();
	text_unlock();
	if (err)
		return err;
	text_arena_free(c->at + used, CODE_MAX - used);
	code->bytes = used;
	return 0;
}

/* One of both is what it is made for. */
static struct ftrace_code *make(const struct spile_site *entry,
				const struct ftrace_code_return *plan)
{
	struct ftrace_code *code = host_zalloc(sizeof(*code));
	uint8_t *out = host_zalloc(CODE_MAX);
	struct x86_code c = { .out = out, .room = CODE_MAX };

	if (!code || !out)
		goto fail;
	code->at = c.at = arena_alloc();
	code->bytes = CODE_MAX;
	code->refs = 1;
	if (!c.at)
		goto fail;
	if (entry)
		build_entry(&c, code, entry);
	else
		build_return(&c, code, plan);
	if (install(code, &c))
		goto fail;
	host_free(out);
	return code;

fail:
	host_free(out);
	ftrace_code_put(code);
	return NULL;
}

struct ftrace_code *ftrace_code_make_entry(const struct spile_site *site)
{
	return make(site, NULL);
}

struct ftrace_code *ftrace_code_make_return(const struct ftrace_code_return *plan)
{
	return make(NULL, plan);
}

void ftrace_code_put(struct ftrace_code *code)
{
	if (!code || (code->refs && --code->refs))
		return;
	text_arena_free(code->at, code->bytes);
	host_free(code);
}
