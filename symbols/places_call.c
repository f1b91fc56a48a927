// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_call.c - what a function's instructions and call sites tell: instruction starts,
 * calls, labels.
 *
 * Instructions are the better source for calls: they are there without DWARF, and compilers leave
 * call sites out at -O0. What they lack is the target in an unlinked module (relocations fill it in
 * later) and in calls through pointers; there DW_TAG_call_site helps, matched by return address.
 */
#include "symbols/places_private.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arch/x86/decode.h"

/* --- instruction starts ------------------------------------------------------------------------- */

static int read_text(void *context, uint64_t address, uint8_t *dst, size_t size)
{
	size_t got = debuginfo_read(context, address, dst, size);

	return got ? (int)got : -EFAULT;
}

static struct error *inside(const struct elf_symbol *sym, uint64_t address, uint64_t before,
                            uint64_t after)
{
	return error_create(EILSEQ,
	                    "%s+0x%llx is inside an instruction: one starts at +0x%llx, the next "
	                    "at +0x%llx",
	                    sym->name, (unsigned long long)(address - sym->address),
	                    (unsigned long long)(before - sym->address),
	                    (unsigned long long)(after - sym->address));
}

struct error *places_boundary(struct debuginfo *info, uint64_t address, uint64_t *before,
                              uint64_t *after)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(info, address);
	uint8_t bytes[X86_INSN_MAX];
	struct x86_insn insn;

	if (!sym || !sym->is_function)
		return error_create(ENOENT, "0x%llx is in no function of %s",
		                    (unsigned long long)address, info->path);
	*before = *after = sym->address;
	while (*after < address) {
		int have = read_text(info, *after, bytes, sizeof(bytes)), length;

		length = have > 0 ? x86_decode(bytes, have, &insn) : -EFAULT;
		if (length < 0)
			return error_create(EINVAL, "%s+0x%llx is no instruction, so what follows "
			                            "is uncertain",
			                    sym->name, (unsigned long long)(*after - sym->address));
		*before = *after;
		*after += length;
	}
	return *after == address ? NULL : inside(sym, address, *before, *after);
}

/* --- calls ---------------------------------------------------------------------------------------- */

struct call_search {
	struct debuginfo *info;
	const struct code_function *fn;
	struct call_info *calls;
	size_t count;
};

static void add_call(struct call_search *s, struct call_info call)
{
	if (!(s->count & (s->count - 1))) {
		size_t room = s->count ? s->count * 2 : 16;

		s->calls = reallocarray(s->calls, room, sizeof(*s->calls));
		if (!s->calls)
			abort();
	}
	s->calls[s->count++] = call;
}

static bool is_call(const struct x86_insn *insn)
{
	return insn->kind == X86_CALL || insn->kind == X86_CALL_INDIRECT;
}

/* A jump to another function's first byte. Its own cold part is no function. */
static bool is_tail_call(struct call_search *s, const struct x86_insn *insn, uint64_t target)
{
	const struct elf_symbol *sym;

	if (insn->kind != X86_JMP && insn->kind != X86_JCC)
		return false;
	if (target - s->fn->address < s->fn->size)
		return false;
	sym = debuginfo_symbol_at(s->info, target);
	return sym && sym->address == target && !strstr(sym->name, ".cold");
}

static void take_insn(struct call_search *s, const struct x86_insn *insn, uint64_t address)
{
	uint64_t target = s->info->relocatable ? 0 : x86_insn_target(insn, address);
	bool tail = target && is_tail_call(s, insn, target);
	struct call_info call = {.address = address, .after = address + insn->length,
	                         .is_tail = tail};
	const struct elf_symbol *sym;

	if (!tail && !is_call(insn))
		return;
	sym = target ? debuginfo_symbol_at(s->info, target) : NULL;
	if (sym && sym->address == target) {
		call.target = sym->name;
		call.target_address = target;
	}
	add_call(s, call);
}

static void take_range(struct call_search *s, uint64_t at, uint64_t end)
{
	uint8_t bytes[X86_INSN_MAX];
	struct x86_insn insn;

	while (at < end) {
		int have = read_text(s->info, at, bytes, sizeof(bytes));
		int length = have > 0 ? x86_decode(bytes, have, &insn) : -1;

		if (length < 0)
			return;
		take_insn(s, &insn, at);
		at += length;
	}
}

/* DWARF 5's attributes, or those that gcc had before. */
static uint64_t return_address(Dwarf_Die *site)
{
	Dwarf_Attribute attr;
	Dwarf_Addr address;

	if (dwarf_attr(site, DW_AT_call_return_pc, &attr) || dwarf_attr(site, DW_AT_low_pc, &attr))
		return dwarf_formaddr(&attr, &address) == 0 ? address : 0;
	return 0;
}

/* Where the called function's body is; 0 when it is not in this file. */
static uint64_t body_of(struct debuginfo *info, Dwarf_Die *function)
{
	struct elf_symbol found;
	struct error *error;
	uint64_t entry;

	if (die_entry(function, &entry))
		return entry;
	error = debuginfo_symbol_find(info, die_name(function), &found);
	error_destroy(error);
	return error ? 0 : found.address;
}

static void take_site(struct call_search *s, Dwarf_Die *site)
{
	uint64_t after = return_address(site);
	Dwarf_Die target;

	if (!die_reference(site, DW_AT_call_origin, &target) &&
	    !die_reference(site, DW_AT_abstract_origin, &target))
		return;
	if (!die_name(&target))
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct call_info *call = &s->calls[i];

		if (call->after != after || call->target_address)
			continue;
		call->target = die_name(&target);
		call->target_address = body_of(s->info, &target);
	}
}

static void take_sites(struct call_search *s, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Die child;

	if (depth > DIE_CHAIN_MAX || dwarf_child(die, &child))
		return;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site)
			take_site(s, &child);
		else if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine)
			take_sites(s, &child, depth + 1);
	} while (dwarf_siblingof(&child, &child) == 0);
}

/* The function's DIE, when there is DWARF for it. */
static bool function_die(struct debuginfo *info, const struct code_function *fn, Dwarf_Die *ret)
{
	struct die_chain chain;
	struct unit unit;

	if (!fn->die || !unit_at(info, fn->unit, &unit) ||
	    !die_chain_at(&unit, fn->address, &chain))
		return false;
	if (fn->kind == FUNCTION_BODY) {
		*ret = chain.dies[0];
		return true;
	}
	for (unsigned i = 0; i < chain.count; i++) {
		*ret = chain.dies[i];
		if (dwarf_dieoffset(ret) == fn->die)
			return true;
	}
	return false;
}

struct error *function_calls(struct debuginfo *info, const struct code_function *fn,
                             int (*cb)(const struct call_info *call, void *arg), void *arg)
{
	struct call_search s = {.info = info, .fn = fn};
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	Dwarf_Die die;

	if (function_die(info, fn, &die)) {
		while ((at = dwarf_ranges(&die, at, &base, &start, &end)) > 0)
			take_range(&s, start, end);
		take_sites(&s, &die, 0);
	} else {
		take_range(&s, fn->address, fn->address + fn->size);
	}
	for (size_t i = 0; i < s.count; i++)
		if (cb(&s.calls[i], arg))
			break;
	free(s.calls);
	return NULL;
}

/* --- labels ----------------------------------------------------------------------------------------- */

struct label_search {
	struct debuginfo *info;
	int (*cb)(const char *name, const struct place *place, void *arg);
	void *arg;
};

static int take_labels(struct label_search *s, Dwarf_Die *die, unsigned depth)
{
	int result = 0;
	Dwarf_Die child;

	if (depth > DIE_CHAIN_MAX || dwarf_child(die, &child))
		return 0;
	do {
		int tag = dwarf_tag(&child);
		struct place place;
		Dwarf_Addr address;

		if (tag == DW_TAG_lexical_block) {
			result = take_labels(s, &child, depth + 1);
		} else if (tag == DW_TAG_label && dwarf_lowpc(&child, &address) == 0) {
			struct error *error = place_at(s->info, address, &place);
			int line;
			const char *file = die_declared(&child, &line);

			if (file) { /* the code there may be that of what was inlined behind it */
				place.file = file;
				place.line = line;
			}
			if (!error && die_name(&child))
				result = s->cb(die_name(&child), &place, s->arg);
			error_destroy(error);
		}
	} while (!result && dwarf_siblingof(&child, &child) == 0);
	return result;
}

struct error *function_labels(struct debuginfo *info, const struct code_function *fn,
                              int (*cb)(const char *name, const struct place *place, void *arg),
                              void *arg)
{
	struct label_search s = {.info = info, .cb = cb, .arg = arg};
	struct error *error = debuginfo_check_dwarf(info);
	Dwarf_Die die;

	if (error)
		return error;
	if (function_die(info, fn, &die))
		take_labels(&s, &die, 0);
	return NULL;
}
