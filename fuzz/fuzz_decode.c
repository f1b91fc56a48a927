// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: a walk of the x86-64 decoder over any bytes. The input is copied to a buffer of
 * exactly its size, so that a sanitizer sees every byte read beyond it; each answer must be
 * consistent with itself, whatever it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arch/x86/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The parts lie behind each other and inside the instruction. */
static void check_parts(const struct x86_insn *i)
{
	unsigned end = i->length;

	require(i->length >= 1 && i->length <= X86_INSN_MAX);
	require(i->opcode_offset < end && i->map < X86_MAPS);
	require(!i->has_modrm || i->modrm_offset < end);
	require(!i->has_sib || i->sib_offset == i->modrm_offset + 1);
	require(!i->imm_size || i->imm_offset + i->imm_size == end);
	require(!i->disp_size || i->disp_offset > i->modrm_offset);
	require(i->disp_offset + i->disp_size <= (i->imm_size ? i->imm_offset : end));
	require(i->base < 16 || i->base == X86_RIP || i->base == X86_NO_REGISTER);
	require(i->index < 16 || i->index == X86_NO_REGISTER);
	require(!(i->flags & X86_INSN_RIP_RELATIVE) || i->disp_size == 4);
}

/* Only what can be copied is boosted, and what is displaced has one 32-bit displacement to fix. */
static void check_copy(const struct x86_insn *i)
{
	if (i->flags & X86_INSN_BOOSTABLE)
		require(i->copy == X86_COPY_AS_IS || i->copy == X86_COPY_DISPLACE);
	if (i->copy == X86_COPY_AS_IS)
		require(!(i->flags & X86_INSN_RIP_RELATIVE) && !x86_insn_target(i, 0x100000));
	if (i->copy == X86_COPY_DISPLACE)
		require(!!(i->flags & X86_INSN_RIP_RELATIVE) != !!x86_insn_target(i, 0x100000));
}

/* The length depends on no byte behind the instruction, and none of its bytes is superfluous. */
static void check_ends(const uint8_t *bytes, const struct x86_insn *i)
{
	struct x86_insn again;

	require(x86_decode(bytes, i->length, &again) == i->length);
	require(x86_decode(bytes, i->length - 1, &again) == -E2BIG);
}

/* One decode at the beginning of the bytes; returns how far to go on. */
static size_t check(const uint8_t *bytes, size_t size)
{
	struct x86_insn insn;
	int length = x86_decode(bytes, size, &insn);

	if (length <= 0) {
		require(length == -EINVAL || (length == -E2BIG && size < X86_INSN_MAX));
		return 1;
	}
	require(length == insn.length && (size_t)length <= size);
	check_parts(&insn);
	check_copy(&insn);
	check_ends(bytes, &insn);
	return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	size_t at;

	memcpy(bytes, data, size);
	for (at = 0; at < size; at += check(bytes + at, size - at))
		;
	free(bytes);
	return 0;
}
