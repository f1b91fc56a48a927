// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a jump may replace. Each verdict by hand-made functions; then compiled functions are probed
 * at every address that is said to be fine, one by one, and must go on computing the same: a missed
 * jump into a region would crash them. Random bytes as functions show that nothing is overrun.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/arch/x86/detour.h"
#include "engine/arch/x86/optimize.h"
#include "tests/unit/fixture_x86.h"

/* --- a function made of bytes --- */

#define BASE 0x10000ull
#define COLD 0x20000ull

struct fake {
	const uint8_t *bytes;
	size_t size;
	const uint8_t *cold; /* 8 bytes at COLD, a part of the function */
	uint64_t thunk;
	uint64_t asked_start, asked_end;
	bool fixup, occupied, harmless;
};

static int fake_read(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	const struct fake *f = context;

	if (f->cold && address >= COLD && address + size <= COLD + 8)
		memcpy(dst, f->cold + (address - COLD), size);
	else if (address >= BASE && address + size <= BASE + f->size)
		memcpy(dst, f->bytes + (address - BASE), size);
	else
		return -EFAULT;
	return size;
}

static bool fake_occupied(void *context, uint64_t start, uint64_t end)
{
	struct fake *f = context;

	f->asked_start = start, f->asked_end = end;
	return f->occupied;
}

static bool fake_fixup(void *context, uint64_t start, uint64_t end)
{
	return ((struct fake *)context)->fixup;
}

static bool fake_harmless(void *context, const struct x86_insn *insn, uint64_t address)
{
	return ((struct fake *)context)->harmless;
}

static bool fake_thunk(void *context, uint64_t target)
{
	return target == ((struct fake *)context)->thunk;
}

static bool fake_part(void *context, uint64_t target, uint64_t *ret_start, uint64_t *ret_end)
{
	*ret_start = COLD;
	*ret_end = COLD + 8;
	return ((struct fake *)context)->cold && target >= COLD && target < COLD + 8;
}

static struct x86_optimize fake_optimize(struct fake *f, unsigned offset)
{
	return (struct x86_optimize){
		.address = BASE + offset,
		.start = BASE,
		.end = BASE + f->size,
		.read = fake_read,
		.is_occupied = fake_occupied,
		.has_fixup = fake_fixup,
		.is_harmless = fake_harmless,
		.is_thunk = fake_thunk,
		.is_part = fake_part,
		.context = f,
	};
}

static struct x86_region region;

static enum x86_verdict verdict_of(struct fake *f, unsigned offset)
{
	struct x86_optimize o = fake_optimize(f, offset);

	return x86_optimize_check(&o, &region);
}

#define FAKE(text) { .bytes = (const uint8_t *)(text), .size = sizeof(text) - 1 }

static void verdict_is(const char *text, size_t size, unsigned offset, enum x86_verdict want)
{
	struct fake f = { .bytes = (const uint8_t *)text, .size = size };
	enum x86_verdict got = verdict_of(&f, offset);

	if (got != want)
		fail_msg("%s, not %s", x86_verdict_text(got), x86_verdict_text(want));
}
#define VERDICT(text, offset, want) verdict_is(text, sizeof(text) - 1, offset, want)

/* --- each verdict --- */

#define ENTRY "\x55\x48\x89\xe5\x53" /* push; mov at 1; push at 4 */

static void good_regions(void **state)
{
	VERDICT(ENTRY "\x31\xdb\xc3", 0, X86_JUMP_OK);
	assert_int_equal(region.from, BASE);
	assert_int_equal(region.length, 5);
	assert_int_equal(region.insns, 3);
	assert_memory_equal(region.bytes, ENTRY, 5);
	VERDICT(ENTRY "\x31\xdb\xc3", 1, X86_JUMP_OK);
	assert_int_equal(region.from, BASE + 1);
	assert_int_equal(region.length, 6);
	/* the longest: four bytes, then fifteen */
	VERDICT("\x90\x90\x90\x90\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 0,
		X86_JUMP_OK);
	assert_int_equal(region.length, X86_REGION_MAX);
}

static void bounds_of_the_function(void **state)
{
	VERDICT(ENTRY "\xc3", 2, X86_JUMP_NOT_BOUNDARY);
	VERDICT(ENTRY "\xc3", 3, X86_JUMP_NOT_BOUNDARY);
	VERDICT(ENTRY "\xc3", 6, X86_JUMP_NOT_BOUNDARY);
	VERDICT(ENTRY "\xc3", 4, X86_JUMP_END);
	VERDICT(ENTRY "\xc3", 1, X86_JUMP_OK);
	VERDICT(ENTRY "\x06\xc3", 0, X86_JUMP_UNDECODABLE);
	VERDICT("\x06" ENTRY "\xc3", 1, X86_JUMP_UNDECODABLE);
	VERDICT(ENTRY "\xe8", 0, X86_JUMP_UNDECODABLE); /* cut off by the end */
}

static int no_text(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	return -EFAULT;
}

static void unreadable(void **state)
{
	struct fake f = FAKE(ENTRY "\xc3");
	struct x86_optimize o = fake_optimize(&f, 0);

	o.read = no_text;
	assert_int_equal(x86_optimize_check(&o, &region), X86_JUMP_UNREADABLE);
}

static void instructions_of_the_region(void **state)
{
	VERDICT("\x90\x0f\x0b\x90\x90\x90\xc3", 0, X86_JUMP_NOT_COPYABLE);
	VERDICT("\x90\xcc\x90\x90\x90\x90\xc3", 0, X86_JUMP_NOT_COPYABLE);
	VERDICT("\x90\xfb\x90\x90\x90\x90\xc3", 0, X86_JUMP_NOT_COPYABLE); /* sti */
	VERDICT("\xff\xd4\x90\x90\x90\x90\xc3", 0, X86_JUMP_NOT_COPYABLE); /* call *%rsp */
	VERDICT("\xff\xd0\x90\x90\x90\x90\xc3", 0, X86_JUMP_RETURNS_INSIDE);
	VERDICT("\x48\x89\xe5\xff\xd0\x90\xc3", 0, X86_JUMP_OK); /* comes back behind it */
	VERDICT("\x48\x89\xe5\x90\xe8\0\0\1\0\xc3", 0, X86_JUMP_OK);
	VERDICT("\xe8\0\0\1\0\xc3", 0, X86_JUMP_OK);
	VERDICT("\x0f\x05\x90\x90\x90\xc3", 0, X86_JUMP_RETURNS_INSIDE);
	/* a system call that is restarted goes on two bytes before its end */
	VERDICT("\x90\x90\x90\x0f\x05\xc3", 0, X86_JUMP_RETURNS_INSIDE);
	VERDICT("\xcd\x80\x90\x90\x90\xc3", 0, X86_JUMP_RETURNS_INSIDE);
	VERDICT("\x90\xf4\x90\x90\x90\xc3", 0, X86_JUMP_RETURNS_INSIDE);
	/* outside the region all of these are fine */
	VERDICT(ENTRY "\x0f\x0b\xfb\xff\xd0\x0f\x05\xf4\xc3", 0, X86_JUMP_OK);
}

static void ways_into_the_region(void **state)
{
	VERDICT(ENTRY "\x31\xdb\x75\xf7\xc3", 0, X86_JUMP_OK);            /* jne 0 */
	VERDICT(ENTRY "\x31\xdb\x75\xf8\xc3", 0, X86_JUMP_TARGET_INSIDE); /* jne 1 */
	VERDICT(ENTRY "\x31\xdb\x75\xfb\xc3", 0, X86_JUMP_TARGET_INSIDE); /* jne 4 */
	VERDICT(ENTRY "\x31\xdb\x75\xfc\xc3", 0, X86_JUMP_OK);            /* jne 5 */
	VERDICT("\x74\x01" ENTRY "\x31\xdb\xc3", 2, X86_JUMP_TARGET_INSIDE); /* from before */
	VERDICT("\x74\x00" ENTRY "\x31\xdb\xc3", 2, X86_JUMP_OK);
	VERDICT("\x90\x74\x01\x90\x90\x90\xc3", 0, X86_JUMP_TARGET_INSIDE); /* from itself */
	VERDICT(ENTRY "\xe2\xfa\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\xe3\xfa\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\xeb\xfa\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\xe9\xf7\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\x0f\x84\xf6\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\xe8\xf7\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\xc7\xf8\xf6\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE); /* xbegin */
	/* into the last instruction, behind the bytes of the jump itself: past a lock prefix, say */
	VERDICT(ENTRY "\x31\xdb\x75\xfd\xc3", 1, X86_JUMP_TARGET_INSIDE);
	/* its address taken: lea, movabs, push; text read as data */
	VERDICT(ENTRY "\x48\x8d\x05\xf8\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\x48\x8d\x05\xf4\xff\xff\xff\xc3", 0, X86_JUMP_OK);
	VERDICT(ENTRY "\x48\xb8\x01\x00\x01\x00\0\0\0\0\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\x68\x04\x00\x01\x00\xc3", 0, X86_JUMP_TARGET_INSIDE);
	VERDICT(ENTRY "\x68\x05\x00\x01\x00\xc3", 0, X86_JUMP_OK);
	VERDICT(ENTRY "\x8b\x05\xf7\xff\xff\xff\xc3", 0, X86_JUMP_TARGET_INSIDE);
}

/* The function is read through a window; jumps are seen wherever they stand. */
static void long_functions(void **state)
{
	uint8_t text[1200];
	struct fake f = { .bytes = text, .size = sizeof(text) };

	for (unsigned at = 5; at + 6 <= sizeof(text); at++) {
		memset(text, 0x90, sizeof(text));
		memcpy(text, ENTRY, 5);
		text[at] = 0xe9;
		memcpy(text + at + 1, &(int32_t){ 4 - (int)(at + 5) }, 4);
		assert_int_equal(verdict_of(&f, 0), X86_JUMP_TARGET_INSIDE);
		memcpy(text + at + 1, &(int32_t){ 5 - (int)(at + 5) }, 4);
		assert_int_equal(verdict_of(&f, 0), X86_JUMP_OK);
	}
}

static void indirect_jumps(void **state)
{
	struct fake f = FAKE(ENTRY "\xff\xe0\xc3"), thunk = FAKE(ENTRY "\xe9\0\0\1\0\xc3");
	struct x86_optimize o;

	assert_int_equal(verdict_of(&f, 0), X86_JUMP_INDIRECT);
	f.harmless = true;
	assert_int_equal(verdict_of(&f, 0), X86_JUMP_OK);
	VERDICT(ENTRY "\xff\x24\xc5\0\0\0\0\xc3", 0, X86_JUMP_INDIRECT); /* jmp *table(,%rax,8) */
	VERDICT(ENTRY "\xff\x25\0\0\0\0\xc3", 0, X86_JUMP_OK);           /* jmp *x(%rip) */
	VERDICT(ENTRY "\xff\x28\xc3", 0, X86_JUMP_INDIRECT);
	VERDICT(ENTRY "\xcb\xc3", 0, X86_JUMP_INDIRECT);
	VERDICT(ENTRY "\x48\xcf\xc3", 0, X86_JUMP_INDIRECT);
	VERDICT(ENTRY "\xff\xd0\xc3", 0, X86_JUMP_OK); /* calls come back */
	assert_int_equal(verdict_of(&thunk, 0), X86_JUMP_OK);
	thunk.thunk = BASE + 10 + 0x10000;
	assert_int_equal(verdict_of(&thunk, 0), X86_JUMP_INDIRECT);
	/* nobody to ask */
	o = (struct x86_optimize){ .address = BASE, .start = BASE, .end = BASE + f.size,
				   .read = fake_read, .context = &f };
	assert_int_equal(x86_optimize_check(&o, &region), X86_JUMP_INDIRECT);
}

/* f jumps to f.cold, which jumps back: to the inside, or behind. */
static void parts_elsewhere(void **state)
{
	uint8_t text[] = ENTRY "\xe9\0\0\0\0\xc3", cold[8] = { 0xe9, 0, 0, 0, 0, 0x90, 0x90, 0x90 };
	struct fake f = { .bytes = text, .size = sizeof(text) - 1 };
	int32_t there = COLD - (BASE + 10), back = (int64_t)(BASE + 4 - (COLD + 5));

	memcpy(text + 6, &there, 4);
	memcpy(cold + 1, &back, 4);
	assert_int_equal(verdict_of(&f, 0), X86_JUMP_OK); /* nobody knows that it is a part */
	f.cold = cold;
	assert_int_equal(verdict_of(&f, 0), X86_JUMP_TARGET_INSIDE);
	back++;
	memcpy(cold + 1, &back, 4);
	assert_int_equal(verdict_of(&f, 0), X86_JUMP_OK);
	cold[5] = 0x06;
	assert_int_equal(verdict_of(&f, 0), X86_JUMP_UNDECODABLE);
}

static void tables(void **state)
{
	struct fake f = FAKE("\x90" ENTRY "\x31\xdb\xc3");

	f.fixup = true;
	assert_int_equal(verdict_of(&f, 1), X86_JUMP_FIXUP);
	f.fixup = false;
	assert_int_equal(verdict_of(&f, 1), X86_JUMP_OK);
	assert_int_equal(f.asked_start, BASE + 2);
	assert_int_equal(f.asked_end, BASE + 6);
	f.occupied = true;
	assert_int_equal(verdict_of(&f, 1), X86_JUMP_OCCUPIED);
}

static void endbr(void **state)
{
	struct fake f = FAKE("\xf3\x0f\x1e\xfa" ENTRY "\xc3");
	struct x86_optimize o = fake_optimize(&f, 0);

	assert_int_equal(x86_optimize_check(&o, &region), X86_JUMP_OK);
	o.keep_endbr = true;
	assert_int_equal(x86_optimize_check(&o, &region), X86_JUMP_ENDBR);
	o.address += 4;
	assert_int_equal(x86_optimize_check(&o, &region), X86_JUMP_OK);
}

static void words(void **state)
{
	for (unsigned v = X86_JUMP_OK; v <= X86_JUMP_ENDBR; v++)
		assert_true(strlen(x86_verdict_text(v)) > 1);
	assert_string_equal(x86_verdict_text(X86_JUMP_ENDBR + 1), "?");
}

/* --- random functions --- */

/* Whatever is accepted can be built, and its parts are whole instructions. */
static void accepted_can_be_built(const struct fake *f)
{
	struct x86_detour_plan plan = { .region = &region, .handler = 0x40000 };
	uint8_t out[X86_DETOUR_MAX];
	struct x86_detour d;

	assert_in_range(region.length, X86_JUMP_BYTES, X86_REGION_MAX);
	assert_true(region.from + region.length <= BASE + f->size);
	assert_memory_equal(region.bytes, f->bytes + (region.from - BASE), region.length);
	assert_int_equal(x86_detour_build(&plan, 0x50000, out, sizeof(out), &d), 0);
	assert_int_equal(d.insns, region.insns);
}

static void random_bytes(void **state)
{
	unsigned accepted = 0;

	random_start();
	for (unsigned i = 0; i < 30000; i++) {
		size_t size = 1 + random_below(40);
		uint8_t *text = malloc(size);
		struct fake f = { .bytes = text, .size = size };

		for (size_t at = 0; at < size; at++)
			text[at] = random_next();
		if (verdict_of(&f, random_below(size)) == X86_JUMP_OK) {
			accepted++;
			accepted_can_be_built(&f);
		}
		free(text);
	}
	assert_true(accepted > 100);
}

/* --- compiled functions, probed at every address that is fine --- */

#define PROBED(name) __attribute__((noinline, noclone, section("probed_" #name)))

PROBED(collatz) static uint64_t collatz(uint64_t n)
{
	uint64_t steps = 0;

	for (n = n % 1000 + 1; n != 1; steps++)
		n = n & 1 ? 3 * n + 1 : n / 2;
	return steps;
}

PROBED(mix) static uint64_t mix(uint64_t n)
{
	uint64_t words[8], sum = 0;

	for (unsigned i = 0; i < 8; i++)
		words[i] = n = n * 6364136223846793005ull + i;
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = i + 1; j < 8; j++)
			if (words[j] < words[i]) {
				uint64_t t = words[i];

				words[i] = words[j], words[j] = t;
				sum += i * j;
			}
	return sum ^ words[3];
}

PROBED(calls) static uint64_t calls(uint64_t n)
{
	uint64_t sum = 0;

	while (n > 3) {
		sum += collatz(n) + strlen((const char *)&(uint64_t){ n & 0xffffff });
		n /= 3;
	}
	return sum + (n ? calls(n - 1) : 0);
}

PROBED(real) static uint64_t root(uint64_t n)
{
	double x = (double)(n & 0xffff), y = 1;

	for (int i = 0; i < 20; i++)
		y = (y + x / y) / 2;
	return (uint64_t)(y * 1000) + (x > 100 ? (uint64_t)(x / 3) : 7);
}

extern const uint8_t __start_probed_collatz[], __stop_probed_collatz[];
extern const uint8_t __start_probed_mix[], __stop_probed_mix[];
extern const uint8_t __start_probed_calls[], __stop_probed_calls[];
extern const uint8_t __start_probed_real[], __stop_probed_real[];

struct probed {
	const char *name;
	uint64_t (*function)(uint64_t);
	const uint8_t *start, *end;
};

static const struct probed probed[] = {
	{ "collatz", collatz, __start_probed_collatz, __stop_probed_collatz },
	{ "mix", mix, __start_probed_mix, __stop_probed_mix },
	{ "calls", calls, __start_probed_calls, __stop_probed_calls },
	{ "real", root, __start_probed_real, __stop_probed_real },
};

static int text_read(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	memcpy(dst, (const void *)address, size);
	return size;
}

__attribute__((target("general-regs-only"), no_sanitize_address, no_sanitize_undefined))
static int count_hit(void *arg, struct pt_regs *regs)
{
	++*(uint64_t *)arg;
	return 0;
}

static uint64_t run_often(const struct probed *p)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < 50; i++)
		sum = sum * 31 + p->function(i * i * 0x9e3779b97f4a7c15ull);
	return sum;
}

static void *memory_near(const void *text)
{
	uint64_t at = ((uint64_t)text & ~0xfffull) - 0x1000000;

	for (unsigned i = 0; i < 200; i++, at -= 0x100000) {
		void *p = mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (p == (void *)at)
			return p;
	}
	return NULL;
}

/* Returns whether the result was as it should be; adds up hits. */
static bool probe_at(const struct probed *p, const struct x86_region *r, void *memory,
		     uint64_t *hits)
{
	struct x86_detour_plan plan = { .region = r, .handler = (uint64_t)count_hit,
					.arg = (uint64_t)hits, .options = X86_DETOUR_PROCESS };
	uint64_t want = run_often(p), got;
	struct x86_detour d;

	if (*hits & 1)
		plan.options |= X86_DETOUR_LIGHT;
	if (x86_detour_build(&plan, (uint64_t)memory, memory, X86_DETOUR_MAX, &d))
		return false;
	memset((void *)r->from, 0xcc, r->length);
	x86_jump_encode(r->from, d.at, (void *)r->from);
	got = run_often(p);
	memcpy((void *)r->from, r->bytes, r->length);
	return got == want;
}

static int probe_function(const struct probed *p)
{
	struct x86_optimize o = { .start = (uint64_t)p->start, .end = (uint64_t)p->end,
				  .read = text_read };
	uint64_t page = (uint64_t)p->start & ~0xfffull, hits = 0;
	void *memory = memory_near(p->start);
	unsigned good = 0;

	if (!memory || mprotect((void *)page, (o.end - page + 0xfff) & ~0xfffull,
				PROT_READ | PROT_WRITE | PROT_EXEC))
		return 1;
	for (o.address = o.start; o.address < o.end; o.address++) {
		if (x86_optimize_check(&o, &region))
			continue;
		good++;
		if (!probe_at(p, &region, memory, &hits)) {
			printf("FAIL %s+%#lx computes something else\n", p->name,
			       (long)(o.address - o.start));
			return 1;
		}
	}
	printf("# %s: %u places of %ld bytes, %lu hits\n", p->name, good,
	       (long)(o.end - o.start), (long)hits);
	munmap(memory, 4096);
	return good < 3 || hits < 100;
}

static void compiled_functions(void **state)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		alarm(1200);
		for (unsigned i = 0; i < sizeof(probed) / sizeof(probed[0]); i++)
			status |= probe_function(&probed[i]);
		fflush(stdout);
		_exit(status);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_regions),
		cmocka_unit_test(bounds_of_the_function),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(instructions_of_the_region),
		cmocka_unit_test(ways_into_the_region),
		cmocka_unit_test(long_functions),
		cmocka_unit_test(indirect_jumps),
		cmocka_unit_test(parts_elsewhere),
		cmocka_unit_test(tables),
		cmocka_unit_test(endbr),
		cmocka_unit_test(words),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(compiled_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
