// SPDX-License-Identifier: GPL-2.0-only
/**
 * engine/host/linux-user/return.user.c - return probes in a process.
 *
 * At a function's entry an instance is taken from the probe's pool, the return address on the
 * stack is kept beside the instance's pad, and the pad's address takes its place. When the function
 * returns, it returns to the pad, whose code leads to return_leave() with the instance.
 *
 * Not every call returns. longjmp() and exceptions drop frames, a coroutine may be thrown away
 * with its stack, a thread may end. Each thread keeps a list of its instances, the latest first, and
 * each knows where on the stack its return address lies. At the next entry those that are surely
 * dead are taken back:
 *   - they lie below the stack pointer now, on the same stack, and not because a signal handler
 *     runs on a stack of its own;
 *   - or the very place on the stack has been used for another call.
 * "The same stack" is the same mapping of memory. A coroutine's stack is another one, so its
 * instances wait until they are returned to, however long that takes.
 *
 * Instances are found by their pad, never by their order: threads' lists only serve the dead. A
 * signal handler that hits probes may interrupt its thread while that changes its list. Then it puts
 * its own instances on top and takes them off again, which the change does not notice, but leaves
 * the dead alone.
 *
 * A pool is unlinked when its probe is unregistered. Calls that it watches still return through
 * its pads, so it is freed when all instances are at home again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/arch/x86/regs.h"
#include "engine/core/engine.h"
#include "engine/host.h"
#include "engine/host/linux-user/handlers.h"
#include "engine/host/linux-user/pads.h"
#include "engine/host/linux-user/point.h"
#include "engine/host/linux-user/return.h"
#include "engine/host/linux-user/signals.h"

#define NONE 0xffffffffu

struct instance {
	struct return_pool *pool;
	struct instance *older;  /* on the thread's list */
	uint64_t slot;           /* where the return address lies */
	uint64_t pad;
	uint32_t next_free;
	bool active, elsewhere;  /* elsewhere: on another stack than the one last compared with */
	struct kretprobe_instance ri; /* ends with the user's data */
};

struct return_pool {
	struct spile_site *site;  /* NULL: unregistered; hits read it with preemption off */
	struct return_pool *next; /* of the same point */
	struct return_pool *next_left;
	struct point *point;
	uint64_t free;            /* first free instance, and a count of changes in the upper half */
	uint32_t count, at_home;
	size_t stride;
	uint64_t first_pad;
	bool vectors, armed;
	char *instances;
};

static struct return_pool *left; /* unregistered, not all at home */
static __thread struct instance *thread_list __attribute__((tls_model("initial-exec")));
static __thread bool thread_known __attribute__((tls_model("initial-exec")));
static __thread uint64_t stack_start __attribute__((tls_model("initial-exec")));
static __thread uint64_t stack_end __attribute__((tls_model("initial-exec")));
static __thread uint64_t list_user __attribute__((tls_model("initial-exec"))); /* stack pointer */
static pthread_key_t thread_key;

static struct instance *instance_at(const struct return_pool *pool, uint32_t i)
{
	return (struct instance *)(pool->instances + i * pool->stride);
}

/* --- the free list: any context ------------------------------------------------------------------ */

static struct instance *instance_take(struct return_pool *pool)
{
	uint64_t old = __atomic_load_n(&pool->free, __ATOMIC_ACQUIRE), new;
	struct instance *in;

	do {
		if ((uint32_t)old == NONE)
			return NULL;
		in = instance_at(pool, (uint32_t)old);
		new = ((old >> 32) + 1) << 32 | __atomic_load_n(&in->next_free, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&pool->free, &old, new, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_ACQUIRE));
	__atomic_fetch_sub(&pool->at_home, 1, __ATOMIC_RELAXED);
	return in;
}

/* The pool may be freed as soon as the last instance is at home. */
static void instance_give(struct instance *in)
{
	struct return_pool *pool = in->pool;
	uint32_t i = ((char *)in - pool->instances) / pool->stride;
	uint64_t old = __atomic_load_n(&pool->free, __ATOMIC_RELAXED), new;

	in->active = false;
	do {
		__atomic_store_n(&in->next_free, (uint32_t)old, __ATOMIC_RELAXED);
		new = ((old >> 32) + 1) << 32 | i;
	} while (!__atomic_compare_exchange_n(&pool->free, &old, new, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	__atomic_fetch_add(&pool->at_home, 1, __ATOMIC_RELEASE);
}

/* --- the dead: any context ----------------------------------------------------------------------- */

static uint64_t parse_hex(const char **text)
{
	uint64_t value = 0;

	for (;; ++*text) {
		unsigned digit = **text <= '9' ? (unsigned)(**text - '0') :
						 (unsigned)(**text - 'a' + 10);

		if (digit > 15)
			return value;
		value = value << 4 | digit;
	}
}

/* One line of the maps; true: it holds sp. */
static bool line_holds(const char *line, uint64_t sp)
{
	uint64_t start = parse_hex(&line), end;

	line++;
	end = parse_hex(&line);
	if (sp < start || sp >= end)
		return false;
	stack_start = start;
	stack_end = end;
	return true;
}

/* The bounds of the mapping that holds sp, without libc. */
static void find_stack(uint64_t sp)
{
	int fd = (int)RAW_SYSCALL(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY, 0);
	char text[1024], line[64];
	unsigned used = 0;
	bool found = false;
	long n;

	stack_start = stack_end = 0;
	while (fd >= 0 && !found && (n = RAW_SYSCALL(SYS_read, fd, (long)text, sizeof(text))) > 0) {
		for (long i = 0; i < n && !found; i++) {
			if (used < sizeof(line) - 1)
				line[used++] = text[i];
			if (text[i] != '\n')
				continue;
			line[used] = '\0';
			found = line_holds(line, sp);
			used = 0;
		}
	}
	if (fd >= 0)
		RAW_SYSCALL(SYS_close, fd);
}

static bool on_signal_stack(void)
{
	struct {
		uint64_t sp;
		int flags;
		uint64_t size;
	} now = { 0, 0, 0 };

	RAW_SYSCALL(SYS_sigaltstack, 0, (long)&now);
	return now.flags & 1; /* SS_ONSTACK */
}

/* The stack of a process's first thread grows: its mapping is looked up again when it has. */
static bool same_stack(uint64_t sp, uint64_t slot)
{
	if (sp < stack_start || sp >= stack_end)
		find_stack(sp);
	return slot >= stack_start && slot < stack_end && sp >= stack_start;
}

static bool is_dead(struct instance *in, uint64_t sp)
{
	if (in->slot > sp)
		return false;
	if (in->slot == sp) /* a tail call finds our pad there, another call does not */
		return !pads_contain(*(uint64_t *)(uintptr_t)sp);
	if (in->elsewhere)
		return false;
	in->elsewhere = !same_stack(sp, in->slot) || on_signal_stack();
	return !in->elsewhere;
}

/* Between these the thread's list is being changed. */
static uint64_t list_change(uint64_t sp)
{
	uint64_t before = list_user;

	list_user = sp;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return before;
}

static void list_changed(uint64_t before)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	list_user = before;
}

/* False also if a signal handler has never come back to what it interrupted there. */
static bool list_is_in_change(uint64_t sp)
{
	return list_user &&
	       (sp <= list_user || !same_stack(sp, list_user) || on_signal_stack());
}

static void reclaim(uint64_t sp)
{
	uint64_t before = list_change(sp);
	struct instance *in;

	while ((in = thread_list) && is_dead(in, sp)) {
		thread_list = in->older;
		instance_give(in);
	}
	list_changed(before);
}

/* All of the list, when the pool is empty: what was elsewhere may have become comparable. */
static void reclaim_all(uint64_t sp)
{
	struct instance **link = &thread_list, *in;
	uint64_t before = list_change(sp);

	while ((in = *link)) {
		in->elsewhere = false;
		if (!is_dead(in, sp)) {
			link = &in->older;
			continue;
		}
		*link = in->older;
		instance_give(in);
	}
	list_changed(before);
}

static void thread_ends(void *unused)
{
	uint64_t before = list_change((uint64_t)(uintptr_t)__builtin_frame_address(0));
	struct instance *in;

	while ((in = thread_list)) {
		thread_list = in->older;
		instance_give(in);
	}
	thread_known = false;
	list_changed(before);
}

/* --- entry and return: any context --------------------------------------------------------------- */

static uint64_t real_return(uint64_t ret_addr)
{
	while (pads_contain(ret_addr))
		ret_addr = pad_of(ret_addr)->ret_addr;
	return ret_addr;
}

static struct instance *instance_get(struct return_pool *pool, uint64_t sp)
{
	bool may_reclaim = thread_list && !list_is_in_change(sp);
	struct instance *in;

	if (may_reclaim)
		reclaim(sp);
	in = instance_take(pool);
	if (!in && may_reclaim) {
		reclaim_all(sp);
		in = instance_take(pool);
	}
	return in;
}

static void instance_begin(struct instance *in, uint64_t sp)
{
	uint64_t *slot = (uint64_t *)(uintptr_t)sp, before;

	in->slot = sp;
	in->active = true;
	in->elsewhere = false;
	pad_of(in->pad)->ret_addr = *slot;
	before = list_change(sp);
	in->older = thread_list;
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* what is on the list is complete */
	thread_list = in;
	*slot = in->pad;
	list_changed(before);
	if (!thread_known) {
		thread_known = true;
		pthread_setspecific(thread_key, &thread_key);
	}
}

void return_enter(struct return_pool *pool, struct pt_regs *regs)
{
	struct spile_site *site = __atomic_load_n(&pool->site, __ATOMIC_ACQUIRE);
	struct instance *in;
	uint64_t ret_addr;

	if (!site || !pool->armed)
		return;
	in = instance_get(pool, regs->sp);
	if (!in) {
		engine_return_missed(site);
		return;
	}
	ret_addr = real_return(*(uint64_t *)(uintptr_t)regs->sp);
	if (engine_return_entry(site, &in->ri, regs, ret_addr))
		instance_give(in);
	else
		instance_begin(in, regs->sp);
}

static void thread_forget(struct instance *in)
{
	uint64_t before = list_change(in->slot);
	struct instance **link = &thread_list;

	while (*link && *link != in)
		link = &(*link)->older;
	if (*link)
		*link = in->older;
	list_changed(before);
}

struct leaving {
	struct spile_site *site;
	struct instance *in;
	struct pt_regs *regs;
};

static void call_handler(void *arg)
{
	struct leaving *l = arg;

	engine_return_exit(l->site, &l->in->ri, l->regs);
}

/*
 * Called by the trampoline. The slot gets its return address back first, so that stack traces
 * taken in the handler are right.
 */
void spile_return_leave(struct instance *in, struct pt_regs *regs) __attribute__((visibility("hidden")));
void spile_return_leave(struct instance *in, struct pt_regs *regs)
{
	struct leaving l = { .in = in, .regs = regs };

	*(uint64_t *)(uintptr_t)(regs->sp - 8) = pad_of(in->pad)->ret_addr;
	regs->ip = real_return(pad_of(in->pad)->ret_addr);
	regs->orig_ax = (uint64_t)-1;
	regs->cs = 0x33;
	regs->ss = 0x2b;
	regs->flags = 0x202;
	host_preempt_disable();
	thread_forget(in);
	l.site = __atomic_load_n(&in->pool->site, __ATOMIC_ACQUIRE);
	if (l.site && in->pool->vectors)
		handlers_call_saved(call_handler, &l);
	else if (l.site)
		call_handler(&l);
	instance_give(in);
	host_preempt_enable();
}

/*
 * Where pads lead: the instance is where the return address was. All registers are kept, not only
 * those of the ABI: a compiler that sees both sides of a call knows what the callee clobbers. The
 * flags are not: no compiler keeps them over a call. The last jump is no ret, which would set the
 * processor's prediction of the returns above it wrong.
 */
#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#define SAVE(reg, at) "	mov %" reg ", " VALUE(at) "(%rsp)\n"
#define LOAD(reg, at) "	mov " VALUE(at) "(%rsp), %" reg "\n"
#define EACH(op)                                                                                   \
	op("r15", PT_R15) op("r14", PT_R14) op("r13", PT_R13) op("r12", PT_R12) op("rbp", PT_BP)   \
	op("rbx", PT_BX) op("r11", PT_R11) op("r10", PT_R10) op("r9", PT_R9) op("r8", PT_R8)       \
	op("rax", PT_AX) op("rcx", PT_CX) op("rdx", PT_DX) op("rsi", PT_SI) op("rdi", PT_DI)
__asm__(".text\n"
	".globl spile_pad_return\n"
	".hidden spile_pad_return\n"
	".type spile_pad_return, @function\n"
	".balign 16\n"
	"spile_pad_return:\n"
	"	.cfi_startproc\n"
	"	lea -" VALUE(PT_SIZE) "(%rsp), %rsp\n"
	"	.cfi_adjust_cfa_offset " VALUE(PT_SIZE) "\n"
	EACH(SAVE)
	"	lea " VALUE(PT_SIZE) "+8(%rsp), %rax\n"
	"	mov %rax, " VALUE(PT_SP) "(%rsp)\n"
	"	mov " VALUE(PT_SIZE) "(%rsp), %rdi\n"
	"	mov %rsp, %rsi\n"
	"	mov %rsp, %rbx\n"
	"	.cfi_def_cfa_register rbx\n"
	"	.cfi_offset rbx, " VALUE(PT_BX) "-" VALUE(PT_SIZE) "-8\n"
	"	and $-16, %rsp\n"
	"	cld\n"
	"	call spile_return_leave\n"
	"	mov %rbx, %rsp\n"
	"	.cfi_def_cfa_register rsp\n"
	EACH(LOAD)
	"	lea " VALUE(PT_SIZE) "+8(%rsp), %rsp\n"
	"	.cfi_def_cfa_offset 0\n"
	"	jmp *-8(%rsp)\n"
	"	.cfi_endproc\n"
	".size spile_pad_return, . - spile_pad_return\n");

/* --- pools: task context --------------------------------------------------------------------------- */

int returns_init(void)
{
	int err = pads_init();

	return err ? err : -pthread_key_create(&thread_key, thread_ends);
}

static void pool_destroy(struct return_pool *pool)
{
	if (pool->first_pad)
		pads_free(pool->first_pad, pool->count);
	free(pool->instances);
	free(pool);
}

static void instances_init(struct return_pool *pool)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		struct instance *in = instance_at(pool, i);

		in->pool = pool;
		in->pad = pool->first_pad + i * PAD_BYTES;
		in->next_free = i + 1 < pool->count ? i + 1 : NONE;
		pad_of(in->pad)->instance = in;
	}
	pool->at_home = pool->count;
}

int return_create(struct spile_site *site, struct return_pool **ret)
{
	struct return_pool *pool = calloc(1, sizeof(*pool));
	struct kretprobe *rp = site_kretprobe(site);
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	if (!pool)
		return -ENOMEM;
	if (rp->maxactive <= 0)
		rp->maxactive = kretprobe_default_maxactive((unsigned)cpus);
	pool->site = site;
	pool->count = (uint32_t)rp->maxactive;
	pool->stride = (sizeof(struct instance) + rp->data_size + 15) & ~(size_t)15;
	pool->instances = calloc(pool->count, pool->stride);
	pool->first_pad = pool->instances ? pads_alloc(pool->count) : 0;
	if (!pool->first_pad) {
		pool_destroy(pool);
		return -ENOMEM;
	}
	instances_init(pool);
	pool->vectors = handler_needs((uint64_t)(uintptr_t)rp->handler) & X86_HANDLER_VECTORS;
	*ret = pool;
	return 0;
}

void return_link(struct return_pool *pool, struct point *point)
{
	struct return_pool **link = &point->returns;

	pool->point = point;
	while (*link)
		link = &(*link)->next;
	__atomic_store_n(link, pool, __ATOMIC_RELEASE);
}

/* Its own `next` stays: a hit that is at this pool still finds its way on. */
void return_unlink(struct return_pool *pool)
{
	struct return_pool **link = &pool->point->returns;

	while (*link && *link != pool)
		link = &(*link)->next;
	if (*link)
		__atomic_store_n(link, pool->next, __ATOMIC_RELEASE);
	__atomic_store_n(&pool->site, NULL, __ATOMIC_RELEASE);
}

void return_release(struct return_pool *pool)
{
	pool->next_left = left;
	left = pool;
	returns_collect();
}

/* A call that comes home now still has its hand on the pool: hence the wait. */
void returns_collect(void)
{
	struct return_pool **link = &left, *pool, *done = NULL;

	while ((pool = *link)) {
		if (__atomic_load_n(&pool->at_home, __ATOMIC_ACQUIRE) != pool->count) {
			link = &pool->next_left;
			continue;
		}
		*link = pool->next_left;
		pool->next_left = done;
		done = pool;
	}
	if (done)
		host_synchronize();
	while ((pool = done)) {
		done = pool->next_left;
		pool_destroy(pool);
	}
}


static bool is_mine(const struct instance *wanted)
{
	const struct instance *in;

	for (in = thread_list; in && in != wanted; in = in->older)
		;
	return in != NULL;
}

/* Of what the other threads had, also of what they were just taking or giving, all is at home. */
static void pool_forked(struct return_pool *pool)
{
	uint32_t free = NONE;

	pool->at_home = 0;
	for (uint32_t i = 0; i < pool->count; i++) {
		struct instance *in = instance_at(pool, i);

		if (in->active && is_mine(in))
			continue;
		in->active = false;
		in->next_free = free;
		free = i;
		pool->at_home++;
	}
	pool->free = free;
}

static void point_forked(struct point *point, void *unused)
{
	struct return_pool *pool;

	for (pool = point->returns; pool; pool = pool->next)
		pool_forked(pool);
}

void returns_forked(void)
{
	struct return_pool *pool;

	points_each(point_forked, NULL);
	for (pool = left; pool; pool = pool->next_left)
		pool_forked(pool);
}

struct point *return_point(const struct return_pool *pool)
{
	return pool->point;
}

void return_set_optimized(struct return_pool *pool, bool on)
{
	kprobe_flag(pool->site->probes, KPROBE_FLAG_OPTIMIZED, on);
}

void return_set_gone(struct return_pool *pool)
{
	pool->site->gone = true;
	kprobe_flag(pool->site->probes, KPROBE_FLAG_GONE, true);
}

void return_set_armed(struct return_pool *pool, bool armed)
{
	__atomic_store_n(&pool->armed, armed, __ATOMIC_RELAXED);
}

struct return_pool *return_next(const struct return_pool *pool)
{
	return __atomic_load_n(&pool->next, __ATOMIC_ACQUIRE);
}

bool return_is_allowed(const char *function)
{
	static const char *const twice[] = {
		"setjmp",   "_setjmp",	   "sigsetjmp",	  "__sigsetjmp", "vfork",
		"__vfork",  "getcontext",  "__getcontext", "swapcontext", "__swapcontext",
		"clone",    "__clone",	   "__clone2",	  "clone3",	 "__clone3",
		"_start",   "_dl_runtime_resolve",
	};

	for (unsigned i = 0; function && i < sizeof(twice) / sizeof(twice[0]); i++)
		if (!strcmp(function, twice[i]))
			return false;
	return true;
}
