// SPDX-License-Identifier: GPL-2.0-only
/*
 * jprobes, natively: a made-up planter whose hits are real calls. `probed` is the first instruction
 * of a function with ten arguments; what stands there saves the registers as a trap would, lets the
 * engine handle the hit, and goes on with what it saved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/arch.h"
#include "engine/core/engine.h"
#include "engine/core/jprobe.h"
#include "engine/host.h"

#define NO_ASAN __attribute__((no_sanitize_address))

/* --- the made-up host and home -------------------------------------------------------------------- */

static int log_lines, fail_allocation;

void *host_zalloc(size_t size)
{
	return fail_allocation && !--fail_allocation ? NULL : calloc(1, size);
}

void host_free(void *p)
{
	free(p);
}

unsigned host_cpu_max(void)
{
	return 1;
}

unsigned host_cpu(void)
{
	return 0;
}

void host_preempt_disable(void)
{
}

void host_preempt_enable(void)
{
}

bool host_interrupted(const void *frame, unsigned level)
{
	return false;
}

void host_synchronize(void)
{
}

void host_log(const char *fmt, ...)
{
	log_lines++;
}

int host_read_kernel(void *dst, uint64_t src, size_t len)
{
	struct iovec to = { dst, len }, from = { (void *)(uintptr_t)src, len };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

static void home_nothing(void)
{
}

uint64_t probed(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g,
		uint64_t h, uint64_t i, uint64_t j);

static int home_resolve(const char *name, uint64_t *ret)
{
	*ret = (uintptr_t)probed;
	return strcmp(name, "probed") ? -ENOENT : 0;
}

static int home_check(uint64_t addr)
{
	return 0;
}

static bool home_is_entry(uint64_t addr)
{
	return addr == (uintptr_t)probed;
}

static int any_can_plant(const struct spile_site *site)
{
	return 0;
}

static struct spile_site *planted;

static int any_plant(struct spile_site *list, struct spile_site **ret_failed)
{
	planted = list;
	return 0;
}

static void any_unplant(struct spile_site *list)
{
	planted = NULL;
}

static void any_release(struct spile_site *list)
{
}

static int any_arm(struct spile_site *site)
{
	return 0;
}

static void any_disarm(struct spile_site *site)
{
}

static const struct planter any_planter = {
	.name = "any", .kinds = SITE_PROBE, .can_plant = any_can_plant, .plant = any_plant,
	.unplant = any_unplant, .release = any_release, .arm = any_arm, .disarm = any_disarm,
};

static const struct planter *const planters[] = { &any_planter, NULL };

static const struct engine_home home = {
	.planters = planters, .lock = home_nothing, .unlock = home_nothing,
	.resolve = home_resolve, .check = home_check, .is_entry = home_is_entry,
};

/* --- what is probed ------------------------------------------------------------------------------- */

/* Called by probed: returns where to go on, with everything else as it was. */
__attribute__((used)) static void hit(struct pt_regs *regs)
{
	if (planted)
		engine_hit(planted, regs);
}

/* The body adds its ten arguments with weights, so that any mix-up shows. */
__attribute__((used, noinline)) static uint64_t body(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
						     uint64_t e, uint64_t f, uint64_t g, uint64_t h,
						     uint64_t i, uint64_t j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

__asm__(".pushsection .text\n"
	".globl probed\n"
	".type probed, @function\n"
	"probed:\n"
	"	pushq %rbp\n" /* keeps sp: registers go into a struct pt_regs below it */
	"	movq %rsp, %rbp\n"
	"	subq $176, %rsp\n"
	"	movq %r15, 0(%rsp)\n"
	"	movq %r14, 8(%rsp)\n"
	"	movq %r13, 16(%rsp)\n"
	"	movq %r12, 24(%rsp)\n"
	"	movq %rbx, 40(%rsp)\n"
	"	movq %r11, 48(%rsp)\n"
	"	movq %r10, 56(%rsp)\n"
	"	movq %r9, 64(%rsp)\n"
	"	movq %r8, 72(%rsp)\n"
	"	movq %rax, 80(%rsp)\n"
	"	movq %rcx, 88(%rsp)\n"
	"	movq %rdx, 96(%rsp)\n"
	"	movq %rsi, 104(%rsp)\n"
	"	movq %rdi, 112(%rsp)\n"
	"	movq 0(%rbp), %rax\n"
	"	movq %rax, 32(%rsp)\n" /* bp */
	"	leaq 8(%rbp), %rax\n"
	"	movq %rax, 152(%rsp)\n" /* sp */
	"	movq %rsp, %rdi\n"
	"	call hit\n"
	"	movq 64(%rsp), %r9\n"
	"	movq 72(%rsp), %r8\n"
	"	movq 88(%rsp), %rcx\n"
	"	movq 96(%rsp), %rdx\n"
	"	movq 104(%rsp), %rsi\n"
	"	movq 112(%rsp), %rdi\n"
	"	leave\n"
	"	jmp body\n"
	".size probed, . - probed\n"
	".popsection\n");

#define EXPECTED (1 + 4 + 9 + 16 + 25 + 36 + 49 + 64 + 81 + 100)

static NO_ASAN __attribute__((noinline)) uint64_t call_probed(void)
{
	return probed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
}

/* --- handlers --------------------------------------------------------------------------------------- */

static int ran;
static uint64_t seen[10];
static void *seen_caller;
static int depth;

static NO_ASAN void forget_all_callee_saved(void)
{
	__asm__ volatile("xorl %%ebx, %%ebx; xorl %%r12d, %%r12d; xorl %%r13d, %%r13d;"
			 "xorl %%r14d, %%r14d; xorl %%r15d, %%r15d"
			 : : : "rbx", "r12", "r13", "r14", "r15");
}

/* Ends several frames below the handler's, with every register and all arguments overwritten. */
static NO_ASAN void dive(int n)
{
	volatile char room[200];

	room[0] = 1;
	if (n)
		dive(n - room[0]);
	forget_all_callee_saved();
	spile_jprobe_return();
}

static NO_ASAN uint64_t handler(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
				uint64_t f, uint64_t g, uint64_t h, uint64_t i, uint64_t j)
{
	volatile uint64_t *on_stack[] = { &g, &h, &i, &j };
	uint64_t all[] = { a, b, c, d, e, f, g, h, i, j };

	ran++;
	memcpy(seen, all, sizeof(seen));
	seen_caller = __builtin_return_address(0);
	for (int n = 0; n < 4; n++)
		*on_stack[n] = 0xdead;
	dive(depth);
	return 0;
}

/* An aligned vector store faults when the stack is not where the ABI wants it. */
static NO_ASAN uint64_t aligned_handler(void)
{
	volatile char room[16] __attribute__((aligned(16)));

	__asm__ volatile("movaps %%xmm0, %0" : "=m"(*(volatile char (*)[16])room) : : "memory");
	ran++;
	spile_jprobe_return();
	return 0;
}

static NO_ASAN uint64_t nesting_handler(void)
{
	ran++;
	if (call_probed() != EXPECTED)
		abort();
	spile_jprobe_return();
	return 0;
}

/* They outlive a test that fails, because teardown() unregisters what is left. */
static struct jprobe jp, jp_b, empty, unknown;
static struct kprobe beside;

static struct jprobe jprobe_of(void *entry)
{
	return (struct jprobe){ .kp.symbol_name = "probed", .entry = entry };
}

static int setup(void **state)
{
	log_lines = ran = depth = fail_allocation = 0;
	memset(seen, 0, sizeof(seen));
	return engine_init(&home);
}

static int teardown(void **state)
{
	engine_deinit();
	return engine_sites();
}

/* --- tests -------------------------------------------------------------------------------------------- */

static void test_arguments(void **state)
{
	jp = jprobe_of(handler);
	assert_int_equal(spile_register_jprobe(&jp), 0);
	assert_true(kprobe_is_jprobe(&jp.kp));
	assert_non_null(jp.kp.break_handler);
	for (depth = 0; depth < 10; depth++) {
		assert_int_equal(call_probed(), EXPECTED);
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(seen[i], i + 1);
	}
	assert_int_equal(ran, 10);
	assert_int_equal(jp.kp.nhit, 10);
	/* within call_probed(), which called */
	assert_true((char *)seen_caller > (char *)call_probed &&
		    (char *)seen_caller < (char *)call_probed + 300);
	spile_unregister_jprobe(&jp);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 10);
}

static void test_alignment(void **state)
{
	jp = jprobe_of(aligned_handler);
	assert_int_equal(spile_register_jprobe(&jp), 0);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 1);
	spile_unregister_jprobe(&jp);
}

/* The hit inside the handler is counted; the handler's own return still finds its way. */
static void test_nested(void **state)
{
	jp = jprobe_of(nesting_handler);
	assert_int_equal(spile_register_jprobe(&jp), 0);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 2);
	assert_int_equal(jp.kp.nmissed, 2);
	spile_unregister_jprobe(&jp);
}

static int pre_ran;

static int pre(struct kprobe *p, struct pt_regs *regs)
{
	pre_ran++;
	assert_int_equal(regs->di, 1);
	return 0;
}

static void test_company(void **state)
{
	struct jprobe *both[] = { &jp, &jp_b };

	jp = jprobe_of(handler);
	jp_b = jprobe_of(handler);
	beside = (struct kprobe){ .symbol_name = "probed", .pre_handler = pre };
	pre_ran = 0;
	assert_int_equal(spile_register_jprobes(both, 2), 0);
	assert_int_equal(spile_register_kprobe(&beside), 0);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 2);
	assert_int_equal(pre_ran, 1);
	assert_int_equal(spile_disable_jprobe(&jp), 0);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 3);
	assert_int_equal(spile_enable_jprobe(&jp), 0);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 5);
	spile_unregister_jprobes(both, 2);
	assert_int_equal(call_probed(), EXPECTED);
	assert_int_equal(ran, 5);
	assert_int_equal(pre_ran, 4);
	assert_int_equal(spile_disable_jprobe(&jp), -EINVAL);
	spile_unregister_kprobe(&beside);
}

static void test_refusals(void **state)
{
	struct jprobe *batch[] = { &jp, &jp_b };

	jp = jprobe_of(handler);
	jp_b = jprobe_of(handler);
	jp_b.kp.offset = 4;
	empty = jprobe_of(NULL);
	unknown = jprobe_of(handler);
	unknown.kp.symbol_name = "nowhere";
	assert_int_equal(spile_register_jprobe(&jp_b), -EINVAL);
	assert_int_equal(spile_register_jprobe(&empty), -EINVAL);
	assert_int_equal(spile_register_jprobe(&unknown), -ENOENT);
	assert_int_equal(spile_register_jprobes(batch, 0), -EINVAL);
	assert_int_equal(spile_register_jprobes(batch, 2), -EINVAL);
	assert_int_equal(engine_sites(), 0);
	fail_allocation = 1;
	assert_int_equal(spile_register_jprobe(&jp), -ENOMEM);
	assert_int_equal(spile_register_jprobe(&jp), 0);
	assert_int_equal(spile_register_jprobe(&jp), -EBUSY);
	fail_allocation = 1;
	batch[1] = &jp; /* twice, as a careless user might */
	spile_unregister_jprobes(batch, 2);
	fail_allocation = 0;
	assert_int_equal(engine_sites(), 0);
}

static void test_return_from_nowhere(void **state)
{
	spile_jprobe_return();
	assert_int_equal(log_lines, 1);
}

/* A function called at the very top of a stack: behind the return address there is no memory. */
static void note_and_return(uint64_t a)
{
	seen[0] = a;
	ran++;
	spile_jprobe_return();
}

static void test_top_of_stack(void **state)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pt_regs regs = { .di = 77 };
	struct engine_frame hit = { .jprobe = NULL };

	assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	engine.cpus[0].running = &hit;
	for (unsigned room = 8; room <= 320; room += 8) {
		jp = jprobe_of(note_and_return);
		regs.sp = (uintptr_t)pages + 4096 - room;
		ran = 0;
		assert_int_equal(jprobe_pre_handler(&jp.kp, &regs), 0);
		assert_int_equal(ran, 1);
		assert_int_equal(seen[0], 77);
	}
	assert_null(hit.jprobe);
	engine.cpus[0].running = NULL;
	munmap(pages, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alignment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_company, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_return_from_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_top_of_stack, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
