// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/target.c - what a handler reads of the probed code: arguments, registers, memory.
 *
 * Every address may be bad: reads go through the host's guarded copies and a fault is a script
 * error that names the address. Any context.
 */
#include "engine/arch/x86/regs.h"
#include "engine/host.h"
#include "runtime/internal.h"
#include "runtime/kept.h"

spl_s64 spl_reg(struct spl_ctx *c, int offset)
{
	if (spl_unlikely(!c->regs)) {
		spl_fail(c, "registers are not available in this probe", NULL);
		return 0;
	}
	return *(const spl_s64 *)((const char *)c->regs + offset);
}

spl_s64 spl_retval(struct spl_ctx *c)
{
	return spl_reg(c, PT_AX);
}

/** An argument that was passed on the stack; at a return its slot may hold anything by now. */
static spl_s64 stack_arg(struct spl_ctx *c, int n)
{
	spl_s64 value = 0;

	if (c->probe->kind == SPL_PROBE_RETURN)
		spl_fail(c, "argument is not available at the return", NULL);
	else if (host_read_kernel(&value, regs_arg_address(c->regs, n), sizeof(value)))
		spl_fail_address(c, "kernel read fault", regs_arg_address(c->regs, n), NULL);
	return value;
}

spl_s64 spl_arg(struct spl_ctx *c, int n)
{
	if (c->entry_args && n < (int)c->probe->entry_args)
		return (spl_s64)c->entry_args[n];
	if (spl_unlikely(!c->regs || (c->probe->kind == SPL_PROBE_RETURN && n < REGS_ARGS))) {
		spl_fail(c, "arguments are not available in this probe", NULL);
		return 0;
	}
	return n < REGS_ARGS ? (spl_s64)regs_arg(c->regs, n) : stack_arg(c, n);
}

spl_u64 spl_stack_arg(struct spl_ctx *c, int n)
{
	if (c->entry_args && n < (int)c->probe->entry_args)
		return (uintptr_t)&c->entry_args[n];
	if (spl_unlikely(!c->regs || c->probe->kind == SPL_PROBE_RETURN)) {
		spl_fail(c, "arguments are not available in this probe", NULL);
		return 0;
	}
	return regs_arg_address(c->regs, n);
}

spl_u64 spl_entry_register(struct spl_ctx *c, spl_u32 keeper, spl_u64 cfa, int n, const char *place)
{
	const struct spl_session *session = c->session;
	uint64_t value = 0, missed = session->missed ? session->missed(session, keeper) : 0;

	if (!spl_kept_find(session->kept[keeper], cfa, missed, n, &value)) {
		spl_fail(c, "the value at the function's entry is not known: the call began before "
			    "the script did, or its entry was missed", place);
		return 0;
	}
	return value;
}

/** The word with `bits` bits from `shift` on exchanged. */
static uint64_t with_bits(uint64_t word, int shift, int bits, uint64_t value)
{
	uint64_t mask = (bits < 64 ? (1ull << bits) - 1 : ~0ull) << shift;

	return (word & ~mask) | (value << shift & mask);
}

void spl_set_reg(struct spl_ctx *c, int offset, int shift, int bits, spl_s64 value)
{
	uint64_t *word = (uint64_t *)((char *)c->regs + offset);

	if (spl_unlikely(!c->regs))
		spl_fail(c, "registers are not available in this probe", NULL);
	else
		*word = with_bits(*word, shift, bits, value);
}

spl_u64 spl_per_cpu(spl_u64 symbol)
{
	return host_per_cpu_address(symbol);
}

/** Widens the low `bits` bits of a value. */
static spl_s64 widen(spl_u64 value, int bits, int is_signed)
{
	int unused = 64 - bits;

	if (unused <= 0)
		return value;
	value <<= unused;
	return is_signed ? (spl_s64)value >> unused : (spl_s64)(value >> unused);
}

static bool is_load_width(int width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

spl_s64 spl_load(struct spl_ctx *c, spl_u64 addr, int width, int is_signed, const char *place)
{
	spl_u64 value = 0; /* little-endian: a narrow read fills its low bytes */

	if (spl_unlikely(!is_load_width(width) || host_read_kernel(&value, addr, width))) {
		spl_fail_address(c, "kernel read fault", addr, place);
		return 0;
	}
	return widen(value, 8 * width, is_signed);
}

spl_s64 spl_load_user(struct spl_ctx *c, spl_u64 addr, int width, int is_signed,
		      const char *place)
{
	spl_u64 value = 0;

	if (spl_unlikely(!is_load_width(width) || host_read_user(&value, addr, width))) {
		spl_fail_address(c, "user read fault", addr, place);
		return 0;
	}
	return widen(value, 8 * width, is_signed);
}

spl_s64 spl_load_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
		      int is_signed, const char *place)
{
	spl_u64 value = spl_load(c, addr, width, 0, place);

	return widen(value >> shift, bits, is_signed);
}

spl_s64 spl_load_user_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
			   int is_signed, const char *place)
{
	spl_u64 value = spl_load_user(c, addr, width, 0, place);

	return widen(value >> shift, bits, is_signed);
}

void spl_store(struct spl_ctx *c, spl_u64 addr, int width, spl_s64 value, const char *place)
{
	if (spl_unlikely(!is_load_width(width) || host_write_kernel(addr, &value, width)))
		spl_fail_address(c, "kernel write fault", addr, place);
}

void spl_store_user(struct spl_ctx *c, spl_u64 addr, int width, spl_s64 value, const char *place)
{
	if (spl_unlikely(!is_load_width(width) || host_write_user(addr, &value, width)))
		spl_fail_address(c, "user write fault", addr, place);
}

void spl_store_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits, spl_s64 value,
		    const char *place)
{
	spl_u64 word = spl_load(c, addr, width, 0, place);

	if (!SPL_FAILED(c))
		spl_store(c, addr, width, with_bits(word, shift, bits, value), place);
}

void spl_store_user_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
			 spl_s64 value, const char *place)
{
	spl_u64 word = spl_load_user(c, addr, width, 0, place);

	if (!SPL_FAILED(c))
		spl_store_user(c, addr, width, with_bits(word, shift, bits, value), place);
}

char *spl_load_string(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr, const char *place)
{
	long len = host_read_kernel_string(dst, addr, size);

	if (spl_likely(len >= 0)) {
		dst[size - 1] = '\0';
		return dst;
	}
	dst[0] = '\0';
	if (place)
		spl_fail_address(c, "kernel string copy fault", addr, place);
	return dst;
}

spl_s64 spl_load_bytes(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr, spl_s64 count,
		       int from_user, const char *place)
{
	uint32_t len = (uint32_t)count;
	int err;

	memset(dst, 0, sizeof(len));
	if (count < 0 || (spl_u64)count > size - sizeof(len)) {
		spl_fail(c, "more bytes of memory to print than a string has, check MAXSTRINGLEN",
			 place);
		return (spl_s64)(uintptr_t)dst;
	}
	err = from_user ? host_read_user(dst + sizeof(len), addr, len)
			: host_read_kernel(dst + sizeof(len), addr, len);
	if (err)
		spl_fail_address(c, from_user ? "user read fault" : "kernel read fault", addr, place);
	else
		memcpy(dst, &len, sizeof(len));
	return (spl_s64)(uintptr_t)dst;
}

char *spl_load_user_string(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr,
			   const char *place)
{
	long len = host_read_user_string(dst, addr, size);

	if (spl_likely(len >= 0)) {
		dst[size - 1] = '\0';
		return dst;
	}
	dst[0] = '\0';
	if (place)
		spl_fail_address(c, "user string copy fault", addr, place);
	return dst;
}
