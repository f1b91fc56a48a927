// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suite's cases of faults: in handlers, and in instructions that are probed. A fault that nobody
 * takes care of would be the end of a kernel, so each case here has somebody.
 */
#include "tests/engine/suite_check.h"

#define PAGE_FAULT 14
#define PROTECTION_FAULT 13
#define NOT_CANONICAL 0x8000000000000000ull
#define FIXED 4711

/* --- a read that may fault, and who helps ---------------------------------------------------------- */

long fault_read(uint64_t addr);
extern const char fault_read_done[];

__asm__(".text\n"
	".globl fault_read\n"
	".type fault_read, @function\n"
	"fault_read:\n"
	"	mov (%rdi), %rax\n"
	"fault_read_done:\n"
	"	ret\n"
	".size fault_read, . - fault_read\n");

static struct {
	uint64_t read;  /* what handlers read */
	long got;       /* what they got */
	int faults;     /* that the fault_handler was told of */
	int trapnr;     /* of the last */
	uint64_t ip;    /* the same */
	struct kprobe *p;
} told;

static void told_reset(uint64_t read)
{
	memset(&told, 0, sizeof(told));
	told.read = read;
}

static void tell(struct kprobe *p, const struct pt_regs *regs, int trapnr)
{
	told.faults++;
	told.trapnr = trapnr;
	told.ip = regs->ip;
	told.p = p;
}

static int fix_read(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	tell(p, regs, trapnr);
	regs->ax = FIXED;
	regs->ip = (uint64_t)(uintptr_t)fault_read_done;
	return 1;
}

static int not_mine(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	tell(p, regs, trapnr);
	return 0;
}

static int pre_read(struct kprobe *p, struct pt_regs *regs)
{
	told.got = fault_read(told.read);
	log_event('a');
	return 0;
}

static void post_read(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
	told.got = fault_read(told.read);
	log_event('p');
}

static int return_read(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	told.got = fault_read(told.read);
	log_event('r');
	return 0;
}

static void check_told(int faults, int trapnr, const struct kprobe *p, uint64_t ip)
{
	CHECK_EQ(told.faults, faults);
	CHECK_EQ(told.trapnr, trapnr);
	CHECK_EQ((uintptr_t)told.p, (uintptr_t)p);
	CHECK_EQ(told.ip, ip);
}

static void check_fixed(int trapnr, const struct kprobe *p)
{
	check_told(1, trapnr, p, (uintptr_t)fault_read);
	CHECK_EQ(told.got, FIXED);
}

/* --- in handlers ----------------------------------------------------------------------------------- */

static void case_fault_in_pre(void)
{
	const uint64_t reads[] = { suite_home()->bad, 8, NOT_CANONICAL };
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_read,
			    .fault_handler = fix_read };
	int i;

	CHECK_EQ(spile_register_kprobe(&p), 0);
	for (i = 0; i < 3; i++) {
		seen_reset();
		told_reset(reads[i]);
		CHECK_EQ(target_add(1, 2), 3);
		CHECK_LOG("a");
		check_fixed(reads[i] == NOT_CANONICAL ? PROTECTION_FAULT : PAGE_FAULT, &p);
	}
	told_reset((uintptr_t)&told.read);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_EQ(told.faults, 0);
	CHECK_EQ(told.got, told.read);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit, 4);
}

static void case_fault_in_middle(void)
{
	struct kprobe p = { .addr = ADDR(target_mov), .offset = TARGET_MOV_NEXT,
			    .pre_handler = pre_read, .post_handler = post_read,
			    .fault_handler = fix_read };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_mov(), 7);
	spile_unregister_kprobe(&p);
	CHECK_EQ(log_is("ap") || log_is("a"), true); /* emulated: the post_handler may be later */
	CHECK_EQ(told.faults, (int)seen.n);
	CHECK_EQ(told.got, FIXED);
}

static void case_fault_in_post(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_b,
			    .post_handler = post_read, .fault_handler = fix_read };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("bp");
	check_fixed(PAGE_FAULT, &p);
	spile_unregister_kprobe(&p);
}

static void check_fault_in_return(kretprobe_handler_t entry_handler, kretprobe_handler_t handler)
{
	struct kretprobe r = { .kp.addr = ADDR(target_add), .kp.fault_handler = fix_read,
			       .entry_handler = entry_handler, .handler = handler };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kretprobe(&r), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("r");
	check_fixed(PAGE_FAULT, &r.kp);
	spile_unregister_kretprobe(&r);
}

static void case_fault_in_return(void)
{
	check_fault_in_return(NULL, return_read);
}

static void case_fault_in_return_entry(void)
{
	check_fault_in_return(return_read, NULL);
}

static long jprobe_read(long a, long b)
{
	told.got = fault_read(told.read);
	log_event('j');
	spile_jprobe_return();
	return 0;
}

static void case_fault_in_jprobe(void)
{
	struct jprobe j = { .kp.addr = ADDR(target_add), .kp.fault_handler = fix_read,
			    .entry = (void *)jprobe_read };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_jprobe(&j), 0);
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("j");
	check_fixed(PAGE_FAULT, &j.kp);
	spile_unregister_jprobe(&j);
}

/* The first that takes care of it is the last that is asked; who is disabled is not. */
static void case_fault_asks_in_order(void)
{
	struct kprobe a = { .addr = ADDR(target_add), .pre_handler = pre_read };
	struct kprobe b = { .addr = ADDR(target_add), .fault_handler = not_mine };
	struct kprobe c = { .addr = ADDR(target_add), .fault_handler = fix_read };
	struct kprobe d = { .addr = ADDR(target_add), .fault_handler = not_mine };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kprobe(&a), 0);
	CHECK_EQ(spile_register_kprobe(&b), 0);
	CHECK_EQ(spile_register_kprobe(&c), 0);
	CHECK_EQ(spile_register_kprobe(&d), 0);
	CHECK_EQ(target_add(1, 2), 3);
	check_told(2, PAGE_FAULT, &c, (uintptr_t)fault_read);
	CHECK_EQ(spile_disable_kprobe(&b), 0);
	told_reset(suite_home()->bad);
	CHECK_EQ(target_add(1, 2), 3);
	check_fixed(PAGE_FAULT, &c);
	spile_unregister_kprobe(&d);
	spile_unregister_kprobe(&b);
	spile_unregister_kprobe(&a);
	spile_unregister_kprobe(&c);
}

static int pre_load(struct kprobe *p, struct pt_regs *regs)
{
	told.got = suite_home()->load(told.read);
	return 0;
}

/* A read in a handler that can look after itself: offered, declined, failed as without a probe. */
static void case_fault_declined(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_load,
			    .fault_handler = not_mine };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	CHECK_EQ(target_add(1, 2), 3);
	check_told(1, PAGE_FAULT, &p, suite_home()->load_at);
	CHECK_EQ(told.got, -EFAULT);
	spile_unregister_kprobe(&p);
}

static int load_and_fix(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	log_event(suite_home()->load(suite_home()->bad) == -EFAULT ? 'g' : '?');
	return fix_read(p, regs, trapnr);
}

/* A fault_handler's own fault is not shown to it, and its own hits are nested. */
static void case_fault_in_fault_handler(void)
{
	struct kprobe p = { .addr = ADDR(target_add), .pre_handler = pre_read,
			    .fault_handler = load_and_fix };
	struct kprobe q = { .addr = (kprobe_opcode_t *)(uintptr_t)suite_home()->load_at,
			    .pre_handler = pre_c };

	told_reset(suite_home()->bad);
	CHECK_EQ(spile_register_kprobe(&q), 0);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	seen_reset(); /* registering loads, too */
	CHECK_EQ(target_add(1, 2), 3);
	CHECK_LOG("ga");
	check_fixed(PAGE_FAULT, &p);
	spile_unregister_kprobe(&p);
	spile_unregister_kprobe(&q);
}

/* --- in what is probed ----------------------------------------------------------------------------- */

static int fix_load(struct kprobe *p, struct pt_regs *regs, int trapnr)
{
	tell(p, regs, trapnr);
	regs->ax = FIXED;
	regs->ip = (uintptr_t)target_load + TARGET_LOAD_NEXT;
	return 1;
}

static void fix_in_copy(struct kprobe *p, uint64_t read, int trapnr)
{
	long good = 42;

	told_reset(read);
	CHECK_EQ(target_load((const long *)(uintptr_t)read), FIXED);
	check_told(1, trapnr, p, (uintptr_t)target_load);
	CHECK_EQ(target_load(&good), 42);
	CHECK_EQ(told.faults, 1);
}

static void case_fault_in_copy(void)
{
	struct kprobe p = { .addr = ADDR(target_load), .pre_handler = pre_a,
			    .fault_handler = fix_load };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	fix_in_copy(&p, suite_home()->bad, PAGE_FAULT);
	fix_in_copy(&p, 8, PAGE_FAULT);
	fix_in_copy(&p, NOT_CANONICAL, PROTECTION_FAULT);
	spile_unregister_kprobe(&p);
	CHECK_EQ(p.nhit, 6);
}

/* An instruction that has not been done is not followed by a post_handler. */
static void case_fault_in_stepped_copy(void)
{
	struct kprobe p = { .addr = ADDR(target_load), .post_handler = post_p,
			    .fault_handler = fix_load };

	CHECK_EQ(spile_register_kprobe(&p), 0);
	fix_in_copy(&p, suite_home()->bad, PAGE_FAULT);
	CHECK_LOG("p");
	fix_in_copy(&p, NOT_CANONICAL, PROTECTION_FAULT);
	CHECK_LOG("pp");
	spile_unregister_kprobe(&p);
}

/* A fault_handler that comes later, to a place that may have been optimized meanwhile. */
static void case_fault_handler_joins(void)
{
	struct kprobe first = { .addr = ADDR(target_load), .pre_handler = pre_a };
	struct kprobe p = { .addr = ADDR(target_load), .fault_handler = fix_load };

	CHECK_EQ(spile_register_kprobe(&first), 0);
	CHECK_EQ(spile_register_kprobe(&p), 0);
	fix_in_copy(&p, suite_home()->bad, PAGE_FAULT);
	spile_unregister_kprobe(&p);
	spile_unregister_kprobe(&first);
	CHECK_EQ(first.nhit, 2);
}

/* load() has an entry in a table of exceptions for its instruction, and goes on there as ever. */
static void load_fails(void)
{
	long good = 42;

	CHECK_EQ(suite_home()->load(suite_home()->bad), -EFAULT);
	CHECK_EQ(suite_home()->load((uintptr_t)&good), 0);
}

static void case_fault_with_fixup(void)
{
	struct kprobe p = { .addr = (kprobe_opcode_t *)(uintptr_t)suite_home()->load_at,
			    .pre_handler = pre_a };
	struct kprobe f = p, post = p;

	f.fault_handler = not_mine;
	post.post_handler = post_p;
	CHECK_EQ(spile_register_kprobe(&p), 0);
	load_fails(); /* with no fault_handler anywhere */
	CHECK_EQ(spile_register_kprobe(&f), 0);
	told_reset(0);
	load_fails();
	check_told(1, PAGE_FAULT, &f, suite_home()->load_at);
	CHECK_EQ(spile_register_kprobe(&post), 0);
	told_reset(0);
	load_fails();
	check_told(1, PAGE_FAULT, &f, suite_home()->load_at);
	spile_unregister_kprobe(&post);
	spile_unregister_kprobe(&f);
	spile_unregister_kprobe(&p);
	load_fails();
}

const struct suite_case suite_fault_cases[] = {
	CASE(fault_in_pre),
	CASE(fault_in_middle),
	CASE(fault_in_post),
	CASE(fault_in_return),
	CASE(fault_in_return_entry),
	CASE(fault_in_jprobe),
	CASE(fault_asks_in_order),
	CASE(fault_declined),
	CASE(fault_in_fault_handler),
	CASE(fault_in_copy),
	CASE(fault_in_stepped_copy),
	CASE(fault_handler_joins),
	CASE(fault_with_fixup),
	{ NULL, NULL },
};
