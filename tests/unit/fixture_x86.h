/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * fixture_x86.h - runs bytes of code on the real processor and tells what they did.
 *
 * An arena of pages at a fixed lonely address, so that a wild access faults instead of hitting the
 * test itself:
 *
 *     CODE    the code under test at home; all other bytes are breakpoints
 *     FAR     the same 1 GB away: copies, slots, detours
 *     LAND    breakpoints only, where branches can go
 *     DATA    two pages that memory operands name
 *     STACK   four pages; rsp points near their upper end
 *
 * x86_run() loads every register, jumps, and ends at the first signal: a breakpoint or a fault. What
 * the signal's frame says is the result, and two runs are compared with x86_same().
 */
#ifndef SPILE_TESTS_FIXTURE_X86_H
#define SPILE_TESTS_FIXTURE_X86_H

#include <elf.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/regs.h"

#define ARENA 0x200000000000ull
#define CODE_PAGE (ARENA + 0x00000000)
#define LAND_PAGE (ARENA + 0x10000000)
#define DATA_PAGE (ARENA + 0x20000000)
#define STACK_PAGE (ARENA + 0x28000000)
#define FAR_PAGE (ARENA + 0x40000000)
#define CODE_BYTES 0x1000
#define LAND_BYTES 0x1000
#define DATA_BYTES 0x2000
#define STACK_BYTES 0x4000
#define FAR_BYTES 0x2000

#define FROM (CODE_PAGE + 0x800) /* where code under test starts */
#define DATA_MIDDLE (DATA_PAGE + DATA_BYTES / 2)
#define STACK_MIDDLE (STACK_PAGE + STACK_BYTES - 0x800)

#define STATUS_FLAGS 0x8d5ull /* CF PF AF ZF SF OF */
#define FX_BYTES 512
#define XSTATE_BYTES 832 /* the legacy part, the header, the upper halves of ymm0 to ymm15 */

/* What a run starts with, and what it ends with. */
struct x86_state {
	struct pt_regs regs;
	uint8_t vectors[XSTATE_BYTES] __attribute__((aligned(64)));
	int signal;
	uint64_t fault;
};

/* Not static, because assembly names them. */
#define RUN_SHARED __attribute__((used, visibility("hidden")))
RUN_SHARED struct x86_state run_in;
RUN_SHARED uint64_t run_sp, run_flags, run_ip;
RUN_SHARED bool run_has_avx;
static struct x86_state run_out;
static sigjmp_buf run_back;
static volatile sig_atomic_t running;

/* --- random numbers: one seed, printed, repeats everything --- */

static uint64_t random_state;

static inline uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dull;
}

static inline unsigned random_below(unsigned n)
{
	return (random_next() >> 33) % n;
}

/* SPILE_SEED=n repeats a run. */
static inline void random_start(void)
{
	const char *given = getenv("SPILE_SEED");

	random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
	printf("# repeat with SPILE_SEED=%llu\n", (unsigned long long)random_state);
	fflush(stdout);
}

/* --- running --- */

/*
 * Loads run_in and goes to run_ip; comes back by siglongjmp only. Callee-saved registers need no
 * saving, for the same reason.
 */
void x86_enter(void);
__asm__(".text\n"
	".type x86_enter, @function\n"
	"x86_enter:\n"
	"	cmpb $0, run_has_avx(%rip)\n"
	"	je 1f\n"
	"	mov $7, %eax\n"
	"	xor %edx, %edx\n"
	"	xrstor64 run_in+192(%rip)\n"
	"	jmp 2f\n"
	"1:	fxrstor64 run_in+192(%rip)\n"
	"2:	pushq run_flags(%rip)\n"
	"	popfq\n"
	"	mov run_in+0(%rip), %r15\n"
	"	mov run_in+8(%rip), %r14\n"
	"	mov run_in+16(%rip), %r13\n"
	"	mov run_in+24(%rip), %r12\n"
	"	mov run_in+32(%rip), %rbp\n"
	"	mov run_in+40(%rip), %rbx\n"
	"	mov run_in+48(%rip), %r11\n"
	"	mov run_in+56(%rip), %r10\n"
	"	mov run_in+64(%rip), %r9\n"
	"	mov run_in+72(%rip), %r8\n"
	"	mov run_in+80(%rip), %rax\n"
	"	mov run_in+88(%rip), %rcx\n"
	"	mov run_in+96(%rip), %rdx\n"
	"	mov run_in+104(%rip), %rsi\n"
	"	mov run_in+112(%rip), %rdi\n"
	"	mov run_sp(%rip), %rsp\n"
	"	jmp *run_ip(%rip)\n"
	".size x86_enter, . - x86_enter\n");

_Static_assert(offsetof(struct x86_state, vectors) == 192, "x86_enter knows this offset");

static const int greg_of[] = { REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX,
			       REG_R11, REG_R10, REG_R9,  REG_R8,  REG_RAX, REG_RCX,
			       REG_RDX, REG_RSI, REG_RDI };

static inline void run_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t *words = (uint64_t *)&run_out.regs;

	if (!running) {
		printf("FAIL the test itself got signal %d at %#llx\n", sig,
		       (unsigned long long)uc->uc_mcontext.gregs[REG_RIP]);
		fflush(stdout);
		signal(sig, SIG_DFL);
		return;
	}
	running = 0;
	for (unsigned i = 0; i < sizeof(greg_of) / sizeof(greg_of[0]); i++)
		words[i] = uc->uc_mcontext.gregs[greg_of[i]];
	run_out.regs.ip = uc->uc_mcontext.gregs[REG_RIP];
	run_out.regs.sp = uc->uc_mcontext.gregs[REG_RSP];
	run_out.regs.flags = uc->uc_mcontext.gregs[REG_EFL] & ~0x10000ull; /* RF is the trap's */
	memcpy(run_out.vectors, uc->uc_mcontext.fpregs, run_has_avx ? XSTATE_BYTES : FX_BYTES);
	run_out.signal = sig;
	run_out.fault = sig == SIGSEGV || sig == SIGBUS ? (uint64_t)info->si_addr : 0;
	siglongjmp(run_back, 1);
}

/* Runs what is at `ip` from the state `in`. */
static inline void x86_run(const struct x86_state *in, uint64_t ip, struct x86_state *ret)
{
	run_in = *in;
	run_sp = in->regs.sp;
	run_flags = in->regs.flags;
	run_ip = ip;
	memset(&run_out, 0, sizeof(run_out));
	if (!sigsetjmp(run_back, 1)) {
		running = 1;
		x86_enter();
	}
	__asm__ volatile("fninit; ldmxcsr %0; cld" : : "m"((uint32_t){ 0x1f80 }));
	*ret = run_out;
}

static inline void map_at(uint64_t address, size_t bytes)
{
	void *p = mmap((void *)address, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)address) {
		perror("mmap of the arena");
		exit(1);
	}
}

/* Code is written through a second mapping, where no wild store of code under test can arrive. */
#define CODE_ALIAS 0x10000000000ull

static inline uint8_t *writable(uint64_t code)
{
	return (uint8_t *)(code + CODE_ALIAS);
}

static inline void map_code(uint64_t address, size_t bytes)
{
	int fd = memfd_create("code", 0), flags = MAP_SHARED | MAP_FIXED_NOREPLACE;

	if (fd < 0 || ftruncate(fd, bytes) ||
	    mmap((void *)address, bytes, PROT_READ | PROT_EXEC, flags, fd, 0) != (void *)address ||
	    mmap(writable(address), bytes, PROT_READ | PROT_WRITE, flags, fd, 0) !=
		    writable(address)) {
		perror("mapping code");
		exit(1);
	}
	close(fd);
	memset(writable(address), 0xcc, bytes);
}

static inline void x86_run_init(void)
{
	static uint8_t stack[65536];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = run_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE };

	run_has_avx = __builtin_cpu_supports("avx");
	map_code(CODE_PAGE, CODE_BYTES);
	map_code(LAND_PAGE, LAND_BYTES);
	map_code(FAR_PAGE, FAR_BYTES);
	map_at(DATA_PAGE, DATA_BYTES);
	map_at(STACK_PAGE, STACK_BYTES);
	sigaltstack(&alt, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* --- memory: a pattern that each run starts with, and what it was like afterwards --- */

struct x86_memory_image {
	uint8_t data[DATA_BYTES];
	uint8_t stack[STACK_BYTES];
} __attribute__((aligned(64)));

static inline void image_load(const struct x86_memory_image *image)
{
	memcpy((void *)DATA_PAGE, image->data, DATA_BYTES);
	memcpy((void *)STACK_PAGE, image->stack, STACK_BYTES);
}

static inline void image_save(struct x86_memory_image *image)
{
	memcpy(image->data, (void *)DATA_PAGE, DATA_BYTES);
	memcpy(image->stack, (void *)STACK_PAGE, STACK_BYTES);
}

static inline uint64_t random_landing(void)
{
	return LAND_PAGE + random_below(LAND_BYTES - 16);
}

/* Half of the words are addresses that one can jump to, the others anything. */
static inline void image_random(struct x86_memory_image *image)
{
	uint64_t *words = (uint64_t *)image;

	for (size_t i = 0; i < sizeof(*image) / 8; i++)
		words[i] = random_next() & 1 ? random_landing() : random_next();
}

/* --- states --- */

/* The register by its number in encodings. */
static inline uint64_t *state_reg(struct pt_regs *regs, unsigned number)
{
	static const uint8_t offset[16] = { PT_AX,  PT_CX,  PT_DX,  PT_BX,  PT_SP,  PT_BP,
					    PT_SI,  PT_DI,  PT_R8,  PT_R9,  PT_R10, PT_R11,
					    PT_R12, PT_R13, PT_R14, PT_R15 };

	return (uint64_t *)((char *)regs + offset[number]);
}

static inline uint64_t random_value(void)
{
	switch (random_below(4)) {
	case 0:
		return DATA_MIDDLE + random_below(64) * 16;
	case 1:
		return random_landing();
	case 2:
		return random_below(66);
	default:
		return random_next();
	}
}

static inline void random_vectors(uint8_t vectors[XSTATE_BYTES])
{
	static const uint16_t control = 0x37f;
	static const uint32_t mxcsr = 0x1f80;
	static const uint64_t components = 7;

	memset(vectors, 0, XSTATE_BYTES);
	for (unsigned i = 160; i < 416; i++)
		vectors[i] = random_next();
	for (unsigned i = 576; i < XSTATE_BYTES; i++)
		vectors[i] = random_next();
	memcpy(vectors, &control, sizeof(control));
	memcpy(vectors + 24, &mxcsr, sizeof(mxcsr));
	memcpy(vectors + FX_BYTES, &components, sizeof(components));
}

/* Registers such that the instruction's operand mostly lies in DATA. */
static inline void state_random(const struct x86_insn *insn, struct x86_state *ret)
{
	struct pt_regs *regs = &ret->regs;

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < 16; i++)
		*state_reg(regs, i) = random_value();
	regs->sp = STACK_MIDDLE + random_below(16) * 8;
	regs->flags = 0x202 | (random_next() & STATUS_FLAGS);
	if (insn->kind == X86_STRING)
		regs->di = DATA_MIDDLE + random_below(64), regs->si = DATA_MIDDLE + random_below(512),
		regs->cx = random_below(100);
	random_vectors(ret->vectors);
	if (insn->base < 16 && random_below(8)) {
		uint64_t at = DATA_MIDDLE + random_below(32) * 16;

		if (insn->index < 16 && insn->index != insn->base)
			*state_reg(regs, insn->index) = random_below(16);
		if (insn->base != 4)
			*state_reg(regs, insn->base) = at - (int64_t)insn->disp;
	}
}

/* --- comparing --- */

/* x87 keeps the address of its last instruction in bytes 8 to 23; that may differ. */
static inline bool vectors_same(const struct x86_state *a, const struct x86_state *b)
{
	return !memcmp(a->vectors, b->vectors, 6) && !memcmp(a->vectors + 24, b->vectors + 24, 4) &&
	       !memcmp(a->vectors + 32, b->vectors + 32, 416 - 32) &&
	       !memcmp(a->vectors + 576, b->vectors + 576, XSTATE_BYTES - 576);
}

/* Tells the first difference, or NULL. ip is the caller's to compare: it may have moved. */
static inline const char *x86_difference(const struct x86_state *a, const struct x86_state *b)
{
	static const char *const names[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
					     "r9",  "r8",  "rax", "rcx", "rdx", "rsi", "rdi" };
	const uint64_t *x = (const uint64_t *)&a->regs, *y = (const uint64_t *)&b->regs;

	if (a->signal != b->signal)
		return "signal";
	if (a->fault != b->fault)
		return "fault address";
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (x[i] != y[i])
			return names[i];
	if (a->regs.sp != b->regs.sp)
		return "rsp";
	if (a->regs.flags != b->regs.flags)
		return "flags";
	return vectors_same(a, b) ? NULL : "vector registers";
}

/* --- instructions to try --- */

/* What changes the test's own footing, or answers differently each time. */
static inline bool is_runnable(const struct x86_insn *insn)
{
	bool memory = insn->has_modrm && insn->modrm >> 6 != 3;
	unsigned reg = insn->modrm >> 3 & 7, op = insn->opcode;

	switch (insn->kind) {
	case X86_SYSCALL: case X86_SYSENTER: case X86_INT: case X86_IRET: case X86_JMP_FAR:
	case X86_CALL_FAR: case X86_RET_FAR: case X86_SYSRET: case X86_SYSEXIT:
	case X86_INT3: case X86_INT1: case X86_UD: case X86_XBEGIN: case X86_LOAD_SS:
		return false;
	}
	if (insn->flags & X86_INSN_VSIB)
		return false; /* a fault in the middle leaves what it likes */
	if (insn->prefixes & X86_PREFIX_FS)
		return false; /* it might write the thread's own control block */
#ifdef __SANITIZE_ADDRESS__
	if (insn->prefixes & X86_PREFIX_ADDR32)
		return false; /* it might meet the sanitizer's shadow, which is below 4 GB */
#endif
	if (insn->encoding != X86_LEGACY)
		return true;
	if (insn->map == X86_MAP_1)
		return op != 0x8e && !((op == 0xd9 || op == 0xdd) && memory && reg >= 4);
	if (insn->map != X86_MAP_0F)
		return true;
	if (op == 0xae) /* fences and clflush, but no saving or loading of states, no wrfsbase */
		return !(insn->prefixes & X86_PREFIX_REP) && (!memory || reg == 7);
	if (op == 0xc7)
		return memory && reg < 2;
	return op != 0x00 && op != 0x01 && op != 0x31 && op != 0x30 && op != 0x32 && op != 0x33 &&
	       op != 0xa2 && op != 0xa1 && op != 0xa9 && op != 0xb2 && op != 0xb4 && op != 0xb5 &&
	       op != 0x37;
}

/*
 * The form of an encoding: all that decides how it is taken apart and relocated, without the values
 * of immediates and displacements.
 */
static inline uint64_t form_of(const struct x86_insn *insn)
{
	uint64_t form = insn->map;

	form = form * 256 + insn->opcode;
	form = form * 256 + (insn->has_modrm ? insn->modrm & 0xf8 : 0);
	form = form * 4 + (insn->has_sib ? 2 : 0) + (insn->base == X86_RIP);
	form = form * 16 + insn->rex;
	form = form * 4 + insn->vector_pp;
	form = form * 4 + insn->vector_l;
	return form * 2048 + (insn->prefixes & 0x7ff) + (insn->imm_size == 1) * 2048;
}

#define FORMS_MAX (1u << 17)

struct form_set {
	uint64_t seen[FORMS_MAX * 2];
	uint8_t bytes[FORMS_MAX][X86_INSN_MAX];
	unsigned count;
};

static inline bool form_is_new(struct form_set *set, uint64_t form)
{
	uint64_t slot = form * 0x9e3779b97f4a7c15ull >> 46;

	while (set->seen[slot] && set->seen[slot] != form + 1)
		slot = (slot + 1) % (FORMS_MAX * 2);
	if (set->seen[slot])
		return false;
	set->seen[slot] = form + 1;
	return true;
}

/* Adds one instance of each new form that occurs in text. */
static inline void forms_collect(struct form_set *set, const uint8_t *text, size_t size)
{
	for (size_t at = 0; at < size && set->count < FORMS_MAX;) {
		struct x86_insn insn;
		int n = x86_decode(text + at, size - at, &insn);

		if (n < 0) {
			at++;
			continue;
		}
		if (is_runnable(&insn) && form_is_new(set, form_of(&insn)))
			memcpy(set->bytes[set->count++], text + at, n);
		at += n;
	}
}

/* A signal costs ten times as much with sanitizers: every eighth form must do. */
static inline void forms_thin_out(struct form_set *set, unsigned first)
{
#ifdef __SANITIZE_ADDRESS__
	unsigned kept = first;

	for (unsigned i = first; i < set->count; i += 8)
		memcpy(set->bytes[kept++], set->bytes[i], X86_INSN_MAX);
	set->count = kept;
#endif
}

#ifdef __SANITIZE_ADDRESS__
#define FORMS_OF_LIBC 250 /* at least */
#else
#define FORMS_OF_LIBC 2000
#endif

static inline void forms_of_libc(struct form_set *set)
{
	unsigned first = set->count;
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512], perms[8];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3 && perms[2] == 'x' &&
		    (strstr(line, "/libc.so") || strstr(line, "/libc-")))
			forms_collect(set, (const uint8_t *)start, end - start);
	if (maps)
		fclose(maps);
	forms_thin_out(set, first);
}

static inline void forms_of_elf(struct form_set *set, const char *path)
{
	FILE *f = fopen(path, "r");
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (!f || fread(&header, sizeof(header), 1, f) != 1)
		return;
	for (int i = 0; i < header.e_phnum; i++) {
		uint8_t *text;

		fseek(f, header.e_phoff + i * sizeof(segment), SEEK_SET);
		if (fread(&segment, sizeof(segment), 1, f) != 1 || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X))
			continue;
		text = malloc(segment.p_filesz);
		fseek(f, segment.p_offset, SEEK_SET);
		if (text && fread(text, 1, segment.p_filesz, f) == segment.p_filesz)
			forms_collect(set, text, segment.p_filesz);
		free(text);
	}
	fclose(f);
}

/*
 * The kernels whose descriptions are in the cache, and what SPILE_FORMS, a pattern, names. Not with
 * sanitizers.
 */
static inline void forms_of_kernels(struct form_set *set)
{
#ifndef __SANITIZE_ADDRESS__
	const char *cache = getenv("SPILE_CACHE"), *home = getenv("HOME"), *more = getenv("SPILE_FORMS");
	char pattern[512];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s%s/kernels/*/vmlinux", cache ? cache : home ? home : "",
		 cache ? "" : "/.cache/spile");
	if (glob(pattern, 0, NULL, &found))
		found.gl_pathc = 0;
	if (more)
		glob(more, found.gl_pathc ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		forms_of_elf(set, found.gl_pathv[i]);
	globfree(&found);
#endif
}

/*
 * Decodes an instance and makes its branch target, or its rip-relative operand, one of the arena;
 * `bytes` are changed to fit. `from` is where it will stand.
 */
static inline void form_settle(uint8_t *bytes, uint64_t from, struct x86_insn *ret)
{
	int64_t distance;
	int32_t value;

	x86_decode(bytes, X86_INSN_MAX, ret);
	if (ret->base == X86_RIP) {
		distance = DATA_MIDDLE + random_below(32) * 16 - (from + ret->length);
		value = distance;
		memcpy(bytes + ret->disp_offset, &value, 4);
	}
	if (ret->kind == X86_JMP || ret->kind == X86_JCC || ret->kind == X86_CALL ||
	    ret->kind == X86_LOOP) {
		distance = random_landing() - (from + ret->length);
		value = distance;
		if (ret->imm_size == 1) /* not onto itself */
			bytes[ret->imm_offset] = random_next() & 1 ? 20 + random_below(100) :
								     -20 - random_below(100);
		else
			memcpy(bytes + ret->imm_offset, &value, ret->imm_size);
	}
	x86_decode(bytes, X86_INSN_MAX, ret);
}

static inline void print_bytes(const uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		printf(" %02x", bytes[i]);
}

#endif
