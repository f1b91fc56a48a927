// SPDX-License-Identifier: GPL-2.0-only
/**
 * Detours: code with a jump to a detour behaves as without, whatever its registers and whatever the
 * handler destroys that it may destroy. Code: one instruction of each form that occurs in libc, with
 * others behind it to fill the region. Every combination of options is built; the kernel's form runs
 * in the process as well (it only does not keep the red zone).
 */
#include <cpuid.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/arch/x86/detour.h"
#include "tests/unit/fixture_x86.h"

#define DETOUR (FAR_PAGE + 0x400)
#define ARG 0x123456789abcull

#define BLIND (1u << 31) /* not an option: with a handler that looks at nothing and changes few registers */

static const unsigned variants[] = {
	0,
	X86_DETOUR_LIGHT,
	X86_DETOUR_PROCESS,
	X86_DETOUR_PROCESS | X86_DETOUR_LIGHT,
	X86_DETOUR_PROCESS | X86_DETOUR_SSE,
	X86_DETOUR_PROCESS | X86_DETOUR_LIGHT | X86_DETOUR_SSE,
	X86_DETOUR_PROCESS | X86_DETOUR_XSAVE,
	X86_DETOUR_PROCESS | X86_DETOUR_LIGHT | BLIND,
	X86_DETOUR_AFTER,
	X86_DETOUR_AFTER | X86_DETOUR_PROCESS | X86_DETOUR_SSE,
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* --- the handler --- */

/* What it saw, what it shall do. */
RUN_SHARED uint64_t seen_sp, seen_flags, seen_arg;
RUN_SHARED uint8_t trash_vectors; /* 1: SSE, 2: AVX and x87, too */
RUN_SHARED int answer;
static struct pt_regs seen, wanted;
static unsigned hits;
static bool change;

/* Called by the assembly below, on the probed code's stack. */
int record_hit(void *arg, struct pt_regs *regs);
__attribute__((used, target("general-regs-only"), no_sanitize_address, no_sanitize_undefined))
int record_hit(void *arg, struct pt_regs *regs)
{
	volatile uint64_t *to = (uint64_t *)&seen, *from = (uint64_t *)regs,
			  *want = (uint64_t *)&wanted;

	seen_arg = (uint64_t)arg;
	hits++;
	for (unsigned i = 0; i < PT_SIZE / 8; i++) {
		to[i] = from[i];
		if (change)
			from[i] = want[i];
	}
	return 0;
}

/* An x86_detour_handler that leaves nothing alone that C code may change. */
void trash_handler(void);
__asm__(".text\n"
	".type trash_handler, @function\n"
	"trash_handler:\n"
	"	mov %rsp, seen_sp(%rip)\n"
	"	pushfq\n"
	"	popq seen_flags(%rip)\n"
	"	sub $8, %rsp\n"
	"	call record_hit\n"
	"	add $8, %rsp\n"
	"	cmpb $1, trash_vectors(%rip)\n"
	"	jb 2f\n"
	"	je 1f\n"
	"	fldpi\n"
	"	fldpi\n"
	"	cmpb $0, run_has_avx(%rip)\n"
	"	je 1f\n"
	"	vzeroall\n"
	"1:	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	pcmpeqd %xmm\\n, %xmm\\n\n"
	"	.endr\n"
	"2:	.irp r, rcx, rdx, rsi, rdi, r8, r9, r10, r11\n"
	"	mov $0x5a5a5a5a5a5a5a5a, %\\r\n"
	"	.endr\n"
	"	xor seen_flags(%rip), %rcx\n" /* some flags, different each time */
	"	add %rcx, %rdx\n"
	"	mov answer(%rip), %eax\n"
	"	ret\n"
	".size trash_handler, . - trash_handler\n");

/* One that changes the registers that every handler may, and r9. */
RUN_SHARED unsigned blind_hits;
void blind_handler(void);
__asm__(".text\n"
	".type blind_handler, @function\n"
	"blind_handler:\n"
	"	mov %rsp, seen_sp(%rip)\n"
	"	mov %rdi, seen_arg(%rip)\n"
	"	incl blind_hits(%rip)\n"
	"	.irp r, rax, rcx, rdx, rsi, rdi, r9\n"
	"	mov $0x5a5a5a5a5a5a5a5a, %\\r\n"
	"	.endr\n"
	"	add %rcx, %rdx\n"
	"	ret\n"
	".size blind_handler, . - blind_handler\n");

/* --- probed and unprobed --- */

struct trial {
	unsigned options;
	struct x86_insn insn; /* the region's first */
	struct x86_region region;
	struct x86_detour detour;
	struct x86_state in, plain, probed;
	struct x86_memory_image before, at_plain, at_probed;
};

static bool is_light(const struct trial *t)
{
	return t->options & X86_DETOUR_LIGHT;
}

static bool is_process(const struct trial *t)
{
	return t->options & X86_DETOUR_PROCESS;
}

static bool is_after(const struct trial *t)
{
	return t->options & X86_DETOUR_AFTER;
}

/* Goes on behind the region: no branch and no fault. */
static bool passes_region(const struct trial *t)
{
	return t->plain.signal == SIGTRAP && t->plain.regs.ip == FROM + t->region.length + 1;
}

/* The instruction, and others behind it that change registers and flags. */
static void fill_region(struct trial *t, const uint8_t *bytes)
{
	static const uint8_t filler[] = { 0x45, 0x31, 0xca, 0x48, 0xff, 0xc0 };
	struct x86_region *r = &t->region;

	*r = (struct x86_region){ .from = FROM };
	memcpy(r->bytes, bytes, X86_INSN_MAX);
	form_settle(r->bytes, FROM, &t->insn);
	r->length = t->insn.length;
	for (unsigned i = 0; r->length < X86_JUMP_BYTES; i = (i + 3) % 6) {
		memcpy(r->bytes + r->length, filler + i, 3);
		r->length += 3;
	}
	memset(writable(FROM), 0xcc, X86_REGION_MAX);
	memcpy(writable(FROM), r->bytes, r->length);
}

static int build(struct trial *t)
{
	struct x86_detour_plan plan = { .region = &t->region, .handler = (uint64_t)trash_handler,
					.arg = ARG, .options = t->options & ~BLIND };
	unsigned eax, ebx, ecx, edx;

	if (t->options & X86_DETOUR_XSAVE) {
		__cpuid_count(0xd, 1, eax, ebx, ecx, edx);
		plan.xsave_bytes = ebx;
		__asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
		plan.xsave_mask = (uint64_t)edx << 32 | eax;
	}
	if (t->options & BLIND) {
		plan.handler = (uint64_t)blind_handler;
		plan.clobbers = 1 << 9;
	}
	trash_vectors = t->options & X86_DETOUR_XSAVE ? 2 : t->options & X86_DETOUR_SSE ? 1 : 0;
	memset(writable(DETOUR), 0xcc, X86_DETOUR_MAX);
	if (!is_process(t)) /* the kernel's detours are near; here is a stepping stone */
		plan.handler = FAR_PAGE;
	return x86_detour_build(&plan, DETOUR, writable(DETOUR), X86_DETOUR_MAX, &t->detour);
}

/* jmp *trash_handler, within 2 GB of the detour */
static void write_stepping_stone(void)
{
	uint64_t target = (uint64_t)trash_handler;

	memcpy(writable(FAR_PAGE), "\xff\x25\0\0\0\0", 6);
	memcpy(writable(FAR_PAGE + 6), &target, 8);
}

static const char *check_seen(const struct trial *t)
{
	const struct pt_regs *in = is_after(t) ? &t->plain.regs : &t->in.regs;
	const uint64_t ip = FROM + (is_after(t) ? t->region.length : ARCH_BREAKPOINT_BYTES);
	static const uint8_t light[] = { PT_AX, PT_CX, PT_DX, PT_SI, PT_DI,
					 PT_R8, PT_R9, PT_R10, PT_R11, PT_SP };

	if (is_after(t) && !passes_region(t))
		return hits ? "handler: called, but the code went elsewhere" : NULL;
	if (hits + blind_hits != 1 || seen_arg != ARG)
		return "handler: not one call with its argument";
	if (is_process(t) && !(t->options & BLIND) && seen_sp % 16 != 8)
		return "handler: stack alignment";
	if (t->options & BLIND)
		return NULL;
	for (unsigned i = 0; i < sizeof(light); i++)
		if (memcmp((char *)&seen + light[i], (const char *)in + light[i], 8))
			return "handler: argument registers";
	if (seen.ip != ip)
		return "handler: ip";
	if (is_light(t))
		return NULL;
	if (memcmp(&seen, in, PT_ORIG_AX) || seen.flags != in->flags || seen.orig_ax != ~0ull)
		return "handler: registers";
	if (seen.cs != (is_process(t) ? 0x33 : 0x10) || seen.ss != (is_process(t) ? 0x2b : 0x18))
		return "handler: segments";
	return seen_flags & 0x400 ? "handler: direction flag" : NULL;
}

static bool memory_same(const struct trial *t)
{
	uint64_t sp = t->in.regs.sp, after = t->plain.regs.sp;
	size_t kept;

	if (is_after(t) && after > sp) /* when it was hit */
		sp = after;
	if (is_after(t) && (after < STACK_PAGE + 1024 || after > STACK_PAGE + STACK_BYTES))
		return true; /* the code has made something else its stack */
	kept = sp - (is_process(t) ? 128 : 0) - STACK_PAGE;
	return !memcmp(t->at_plain.data, t->at_probed.data, DATA_BYTES) &&
	       !memcmp(t->at_plain.stack + kept, t->at_probed.stack + kept, STACK_BYTES - kept);
}

/* As relocation: a copied call faults one instruction later. */
static bool is_known_difference(const struct trial *t)
{
	return t->insn.kind == X86_CALL_INDIRECT && t->plain.signal != SIGTRAP &&
	       t->plain.regs.ip == FROM && t->probed.signal == t->plain.signal;
}

static bool is_inside(uint64_t sp, uint64_t start, uint64_t size)
{
	return sp > start + 1024 && sp <= start + size;
}

/* `lea -0x28(%rbp),%rsp` with any rbp: where the handler comes after it, there is nothing to run it on. */
static bool has_lost_stack(const struct trial *t)
{
	uint64_t sp = t->plain.regs.sp;

	return is_after(t) && !is_inside(sp, STACK_PAGE, STACK_BYTES) &&
	       !is_inside(sp, DATA_PAGE, DATA_BYTES);
}

static const char *compare(struct trial *t)
{
	uint64_t ip = t->probed.regs.ip;
	const char *what;

	if (has_lost_stack(t))
		return NULL;
	what = check_seen(t);
	if (what || is_known_difference(t))
		return what;
	what = x86_difference(&t->plain, &t->probed);
	if (what)
		return what;
	if (ip - DETOUR < t->detour.size && x86_detour_original_ip(&t->detour, ip, &ip))
		return "fault inside the detour";
	if (ip != t->plain.regs.ip)
		return "rip";
	return memory_same(t) ? NULL : "memory";
}

static const char *run_both(struct trial *t)
{
	memcpy(writable(FROM), t->region.bytes, t->region.length);
	image_load(&t->before);
	x86_run(&t->in, FROM, &t->plain);
	image_save(&t->at_plain);
	memset(writable(FROM), 0xcc, t->region.length);
	x86_jump_encode(FROM, DETOUR, writable(FROM));
	image_load(&t->before);
	hits = blind_hits = 0;
	x86_run(&t->in, FROM, &t->probed);
	image_save(&t->at_probed);
	return compare(t);
}

/* Data below the stack pointer, farther than the red zone: any signal or interrupt destroys it. */
static bool is_below_stack(const struct trial *t)
{
	return t->insn.base == 4 && t->insn.disp < (is_process(t) ? -128 : 0);
}

static bool try_variant(struct trial *t, const uint8_t *bytes)
{
	const char *what;

	fill_region(t, bytes);
	if (t->insn.kind == X86_POPF || is_below_stack(t) || build(t))
		return true;
	state_random(&t->insn, &t->in);
	if (t->insn.kind != X86_STRING && !random_below(4))
		t->in.regs.flags |= 0x400; /* DF */
	what = run_both(t);
	memset(writable(FROM), 0xcc, X86_REGION_MAX);
	if (!what)
		return true;
	printf("FAIL options %#x:", t->options);
	print_bytes(t->region.bytes, t->region.length);
	printf(": %s (signals %d, %d; ip %#lx, %#lx)\n", what, t->plain.signal, t->probed.signal,
	       (long)t->plain.regs.ip, (long)t->probed.regs.ip);
	return false;
}

static int try_all(const struct form_set *set)
{
	static struct trial t;
	int failures = 0;

	write_stepping_stone();
	image_random(&t.before);
	for (unsigned i = 0; i < set->count && failures < 20; i++) {
		t.options = variants[i % VARIANTS];
		failures += !try_variant(&t, set->bytes[i]);
	}
	/* And each variant with one harmless instruction, often. */
	for (unsigned i = 0; i < 300 * VARIANTS && failures < 20; i++) {
		t.options = variants[i % VARIANTS];
		failures += !try_variant(&t, (const uint8_t *)"\x48\x11\xd8\x90\x90\x90\x90\x90"
								     "\x90\x90\x90\x90\x90\x90");
	}
	return failures;
}

/* --- handlers that change registers --- */

static void random_wish(struct trial *t, bool divert)
{
	for (unsigned i = 0; i < 16; i++)
		*state_reg(&wanted, i) = random_value();
	wanted.flags = 0x202 | (random_next() & (STATUS_FLAGS | 0x400));
	wanted.ip = random_landing();
	if (divert) /* from as low as is allowed to some frames up */
		wanted.sp = t->in.regs.sp - 40 + 8 * random_below(40);
}

/* The registers that the handler wished for; at a diversion nothing else has happened. */
static const char *check_diverted(struct trial *t)
{
	struct x86_state want = t->in;

	want.signal = SIGTRAP;
	want.regs = wanted;
	if (t->probed.regs.ip != wanted.ip + 1)
		return "diversion: rip";
	return x86_difference(&want, &t->probed);
}

static const char *check_changed(struct trial *t)
{
	struct x86_state want = t->in;

	want.regs = wanted;
	want.regs.sp = t->in.regs.sp;
	image_load(&t->before);
	memcpy(writable(FROM), t->region.bytes, t->region.length);
	x86_run(&want, FROM, &t->plain);
	if (t->probed.regs.ip != FROM + t->region.length + 1)
		return "change: rip";
	return x86_difference(&t->plain, &t->probed);
}

static int try_changes(void)
{
	static struct trial t;
	int failures = 0;

	change = true;
	for (unsigned i = 0; i < 2000 && failures < 20; i++) {
		const char *what;

		t.options = variants[i % VARIANTS];
		answer = is_light(&t) ? 0 : i & 8;
		if (is_light(&t) || is_after(&t))
			continue;
		fill_region(&t, (const uint8_t *)"\x48\x11\xd8\x90\x90\x90\x90\x90"
						 "\x90\x90\x90\x90\x90\x90");
		if (build(&t))
			return 1;
		state_random(&t.insn, &t.in);
		random_wish(&t, answer);
		memset(writable(FROM), 0xcc, t.region.length);
		x86_jump_encode(FROM, DETOUR, writable(FROM));
		image_load(&t.before);
		x86_run(&t.in, FROM, &t.probed);
		what = answer ? check_diverted(&t) : check_changed(&t);
		if (!what)
			continue;
		printf("FAIL options %#x: %s (signal %d, ip %#lx)\n", t.options, what,
		       t.probed.signal, (long)t.probed.regs.ip);
		failures++;
	}
	change = false;
	answer = 0;
	return failures;
}

static void in_child(int (*run)(const struct form_set *), const struct form_set *set)
{
	pid_t child = fork();
	int status;

	if (!child) {
		x86_run_init();
		alarm(1200);
		status = run(set) != 0;
		fflush(stdout);
		_exit(status);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void probed_as_unprobed(void **state)
{
	static struct form_set set;

	random_start();
	forms_of_libc(&set);
	assert_true(set.count > FORMS_OF_LIBC);
	in_child(try_all, &set);
}

static int run_changes(const struct form_set *set)
{
	write_stepping_stone();
	return try_changes();
}

static void handler_changes_registers(void **state)
{
	random_start();
	in_child(run_changes, NULL);
}

/* --- by hand --- */

/* push %rbp; mov %rsp,%rbp; push %rbx */
static const struct x86_region entry = { .from = 0x10000, .length = 5, .insns = 3,
					 .bytes = { 0x55, 0x48, 0x89, 0xe5, 0x53 } };

static void addresses(void **state)
{
	const struct x86_detour_plan plan = { .region = &entry, .handler = 0x30000 };
	uint8_t out[X86_DETOUR_MAX];
	struct x86_detour d;
	uint64_t ip;

	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), 0);
	assert_int_equal(d.insns, 3);
	assert_memory_equal(out + d.copy[0], entry.bytes, 5);
	assert_int_equal(x86_detour_copy_ip(&d, 0x10000, &ip), -ENOENT);
	assert_int_equal(x86_detour_copy_ip(&d, 0x10005, &ip), -ENOENT);
	assert_int_equal(x86_detour_copy_ip(&d, 0x10002, &ip), -EINVAL);
	assert_int_equal(x86_detour_copy_ip(&d, 0x10001, &ip), 0);
	assert_int_equal(ip, 0x20000 + d.copy[1]);
	assert_int_equal(x86_detour_copy_ip(&d, 0x10004, &ip), 0);
	assert_int_equal(ip, 0x20000 + d.copy[2]);
	assert_int_equal(x86_detour_original_ip(&d, 0x20000, &ip), 0);
	assert_int_equal(ip, 0x10000);
	assert_int_equal(x86_detour_original_ip(&d, 0x20000 + d.copy[2], &ip), 0);
	assert_int_equal(ip, 0x10004);
	assert_int_equal(x86_detour_original_ip(&d, 0x20000 + d.copy[3], &ip), 0);
	assert_int_equal(ip, 0x10005);
	assert_int_equal(x86_detour_original_ip(&d, 0x20008, &ip), -EBUSY);
	assert_int_equal(x86_detour_original_ip(&d, 0x20000 + d.size, &ip), -ENOENT);
	assert_int_equal(x86_detour_original_ip(&d, 0x1ffff, &ip), -ENOENT);
}

static void errors(void **state)
{
	struct x86_detour_plan plan = { .region = &entry, .handler = 0x30000 };
	struct x86_region trap = { .from = 0x10000, .length = 5,
				   .bytes = { 0x0f, 0x0b, 0x90, 0x90, 0x90 } };
	uint8_t out[X86_DETOUR_MAX + 1];
	struct x86_detour d;

	/* the kernel's handler and the region must be near; a process's handler need not */
	assert_int_equal(x86_detour_build(&plan, 0x90000000, out, sizeof(out), &d), -ERANGE);
	plan.handler = 0x7f0000000000;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -ERANGE);
	plan.options = X86_DETOUR_PROCESS;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), 0);
	plan.options = X86_DETOUR_SSE;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -EINVAL);
	plan.options = X86_DETOUR_PROCESS | X86_DETOUR_SSE | X86_DETOUR_XSAVE;
	plan.xsave_bytes = 1024;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -EINVAL);
	plan.options = X86_DETOUR_PROCESS | X86_DETOUR_LIGHT | X86_DETOUR_XSAVE;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -EINVAL);
	plan.options = X86_DETOUR_PROCESS | X86_DETOUR_XSAVE;
	plan.xsave_bytes = 512;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -EINVAL);
	plan.options = X86_DETOUR_PROCESS;
	plan.region = &trap;
	assert_int_equal(x86_detour_build(&plan, 0x20000, out, sizeof(out), &d), -EOPNOTSUPP);
}

/* The largest that there is fits into X86_DETOUR_MAX; every smaller room is refused, none overrun. */
static void room(void **state)
{
	struct x86_region calls = { .from = 0x7f0000010000, .length = 6,
				    .bytes = { 0xff, 0xd0, 0xff, 0xd1, 0xff, 0xd2 } };
	struct x86_detour_plan plan = { .region = &calls, .handler = 0x30000,
					.arg = ~0ull >> 1, .options = X86_DETOUR_PROCESS };
	static const unsigned vectors[] = { 0, X86_DETOUR_SSE, X86_DETOUR_XSAVE };
	uint8_t out[X86_DETOUR_MAX + 1];
	struct x86_detour d;

	plan.xsave_bytes = 1024;
	for (unsigned i = 0; i < 3; i++) {
		plan.options = X86_DETOUR_PROCESS | vectors[i];
		assert_int_equal(x86_detour_build(&plan, 0x7f0000000000, out, X86_DETOUR_MAX, &d), 0);
		for (unsigned size = d.size; size-- > 0;) {
			memset(out, 0x5a, sizeof(out));
			assert_int_equal(x86_detour_build(&plan, 0x7f0000000000, out, size, &d),
					 -ENOSPC);
			assert_int_equal(out[size], 0x5a);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probed_as_unprobed), cmocka_unit_test(handler_changes_registers),
		cmocka_unit_test(addresses),          cmocka_unit_test(errors),
		cmocka_unit_test(room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
