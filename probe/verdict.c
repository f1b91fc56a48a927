// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/verdict.c - judges single instructions as the planters would, from the file.
 *
 * In a kernel the entry of a function with a trace site is ftrace's, everything else the kernel's own
 * kprobes' ("native"), which make a jump of it where the same checks pass as ours do. In a process
 * it is a jump or a breakpoint of ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arch/x86/optimize.h"
#include "engine/arch/x86/slot.h"
#include "probe/probe.h"

struct function_text {
	struct debuginfo *info;
	struct elf_symbol symbol;
	enum x86_home home;
	bool known, has_site, blacklisted;
	const unsigned char *fixups; /* __ex_table */
	size_t fixup_bytes;
	uint64_t fixup_address;
};

/* --- what the file and the kernel say ------------------------------------------------------------- */

static int note_function(const struct kernel_function *fn, void *arg)
{
	struct function_text *f = arg;

	f->known = true;
	f->has_site |= fn->has_ftrace_site;
	f->blacklisted |= fn->blacklisted;
	return 0;
}

/* A module that is not loaded: its functions begin with a call that the linker has yet to fill in, and
 * a section lists these calls. */
static bool has_unlinked_site(struct function_text *f)
{
	uint64_t address;
	size_t size;
	uint8_t bytes[9];

	if (!debuginfo_section(f->info, "__mcount_loc", &size, &address) ||
	    debuginfo_read(f->info, f->symbol.address, bytes, 9) != 9)
		return false;
	return !memcmp(bytes, "\xe8\0\0\0\0", 5) ||
	       !memcmp(bytes, "\xf3\x0f\x1e\xfa\xe8\0\0\0\0", 9);
}

struct error *function_text_create(struct probe_context *ctx, const struct elf_symbol *symbol,
                                   struct function_text **ret)
{
	struct function_text *f = calloc(1, sizeof(*f));
	uint8_t first;

	if (!f)
		abort();
	*f = (struct function_text){.info = ctx->info, .symbol = *symbol,
	                            .home = ctx->kernel ? X86_KERNEL : X86_PROCESS};
	if (!debuginfo_read(ctx->info, symbol->address, &first, 1)) {
		free(f);
		return error_create(ENODATA,
		                    "%s has no code (%s is a file of debug information only): "
		                    "name the program, or the kernel's image",
		                    symbol->name, debuginfo_path(ctx->info));
	}
	if (ctx->kernel) {
		error_destroy(kernel_function_match(ctx->kernel, ctx->request.module, symbol->name,
		                                    note_function, f));
		if (!f->known && debuginfo_is_relocatable(f->info))
			f->has_site = has_unlinked_site(f);
		f->fixups = debuginfo_section(ctx->info, "__ex_table", &f->fixup_bytes,
		                              &f->fixup_address);
	}
	*ret = f;
	return NULL;
}

void function_text_destroy(struct function_text *f)
{
	free(f);
}

/* --- what the checks ask for ------------------------------------------------------------------------ */

static int read_text(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	struct function_text *f = context;
	size_t got = debuginfo_read(f->info, address, dst, size);

	return got ? (int)got : -EFAULT;
}

/* Entries of three words; the first two say, relative to themselves, which instruction may fault and
 * where to go on. */
static bool has_fixup(void *context, uint64_t start, uint64_t end)
{
	struct function_text *f = context;

	for (size_t at = 0; f->fixups && at + 12 <= f->fixup_bytes; at += 12) {
		uint64_t address = f->fixup_address + at;
		int32_t insn, go_on;

		memcpy(&insn, f->fixups + at, 4);
		memcpy(&go_on, f->fixups + at + 4, 4);
		if (address + insn >= start && address + insn < end)
			return true;
		if (address + 4 + go_on > start && address + 4 + go_on < end)
			return true;
	}
	return false;
}

static bool is_thunk(void *context, uint64_t target)
{
	struct function_text *f = context;
	const struct elf_symbol *sym = debuginfo_symbol_at(f->info, target);

	return sym && !strncmp(sym->name, "__x86_indirect_thunk", 20);
}

static bool is_part(void *context, uint64_t target, uint64_t *ret_start, uint64_t *ret_end)
{
	struct function_text *f = context;
	const struct elf_symbol *sym = debuginfo_symbol_at(f->info, target);

	if (!sym || (!strstr(sym->name, ".cold") && target == sym->address))
		return false;
	*ret_start = sym->address;
	*ret_end = sym->address + sym->size;
	return true;
}

static enum x86_verdict check_jump(struct function_text *f, uint64_t address)
{
	struct x86_optimize o = {
	    .address = address,
	    .start = f->symbol.address,
	    .end = f->symbol.address + f->symbol.size,
	    .read = read_text,
	    .has_fixup = has_fixup,
	    .is_thunk = is_thunk,
	    .is_part = is_part,
	    .context = f,
	};
	struct x86_region region;

	return x86_optimize_check(&o, &region);
}

/* --- the verdict ---------------------------------------------------------------------------------------- */

/* The site is the function's first instruction, or follows its endbr. */
static bool is_site(const struct function_text *f, uint64_t address)
{
	uint8_t first[4];

	if (!f->has_site)
		return false;
	return address == f->symbol.address ||
	       (address == f->symbol.address + 4 &&
	        debuginfo_read(f->info, f->symbol.address, first, 4) == 4 &&
	        !memcmp(first, "\xf3\x0f\x1e\xfa", 4));
}

static struct verdict refused(const char *reason)
{
	return (struct verdict){.reason = reason};
}

struct verdict function_text_judge(struct function_text *f, uint64_t address)
{
	uint8_t bytes[X86_INSN_MAX];
	size_t have = debuginfo_read(f->info, address, bytes, sizeof(bytes));
	struct x86_insn insn;
	enum x86_verdict jump;

	if (f->blacklisted)
		return refused("the kernel forbids probes in this function (kprobes blacklist)");
	if (!have || x86_decode(bytes, have, &insn) < 0)
		return refused("these bytes are no instruction");
	if (is_site(f, address))
		return (struct verdict){.planter = "ftrace"};
	if (x86_slot_check(&insn, f->home, false))
		return refused("this instruction cannot run anywhere else");
	jump = check_jump(f, address);
	if (f->home == X86_KERNEL)
		return (struct verdict){.planter = "native",
		                        .reason = jump ? x86_verdict_text(jump) : NULL};
	if (jump)
		return (struct verdict){.planter = "breakpoint", .reason = x86_verdict_text(jump)};
	return (struct verdict){.planter = "jump"};
}
