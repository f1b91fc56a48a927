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

/** An argument that was passed on the stack; at a return its slot may hold anything. */
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
	if (c->entry_args && n < REGS_ARGS)
		return c->entry_args[n];
	if (spl_unlikely(!c->regs || (c->probe->kind == SPL_PROBE_RETURN && n < REGS_ARGS))) {
		spl_fail(c, "arguments are not available in this probe", NULL);
		return 0;
	}
	return n < REGS_ARGS ? (spl_s64)regs_arg(c->regs, n) : stack_arg(c, n);
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
