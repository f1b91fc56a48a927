// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a handler's code, in a process (engine/arch/x86/handler.h does the reading), and keeps vector
 * registers for handlers that use them.
 */
#include <cpuid.h>
#include <string.h>

#include "engine/arch/x86/regs.h"
#include "engine/host.h"
#include "engine/host/linux-user/handlers.h"
#include "engine/host/linux-user/point.h"

static uint64_t import(uint64_t slot)
{
	uint64_t target;

	return host_read_user(&target, slot, sizeof(target)) ? 0 : target;
}

unsigned handler_needs(uint64_t address)
{
	static const uint8_t light_words[] = { PT_AX, PT_CX, PT_DX, PT_SI, PT_DI, PT_R8, PT_R9,
					       PT_R10, PT_R11, PT_IP, PT_SP };
	const struct x86_handler_reader reader = {
		.read = point_read_original,
		.words = light_words,
		.nwords = sizeof(light_words),
		.import = import,
	};

	struct x86_handler found = x86_handler_read(&reader, address);

	return found.needs | (unsigned)found.clobbers << 16;
}

/* --- saving ------------------------------------------------------------------------------------ */

#define STATES 0xe7 /* x87, SSE, AVX, AVX-512; not what the system keeps for itself */

bool handlers_vector_area(uint64_t *ret_mask, uint32_t *ret_bytes)
{
	static uint32_t bytes;
	static uint64_t mask;
	unsigned a, b, c, d;

	if (!bytes) {
		uint32_t lo, hi;
		uint32_t end = 512 + 64;

		if (!__get_cpuid_count(1, 0, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
		    !__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & 2))
			return false;
		__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
		mask = (lo | (uint64_t)hi << 32) & STATES;
		for (unsigned i = 2; i < 8; i++) { /* compacted: one behind the other */
			if (!(mask & 1ull << i))
				continue;
			__cpuid_count(13, i, a, b, c, d);
			end = (c & 2 ? (end + 63) & ~63u : end) + a;
		}
		bytes = (end + 63) & ~63u;
	}
	*ret_mask = mask;
	*ret_bytes = bytes;
	return true;
}

void handlers_call_saved(void (*fn)(void *arg), void *arg)
{
	uint64_t mask = 0;
	uint32_t bytes = 512;
	bool can = handlers_vector_area(&mask, &bytes);
	char *area = __builtin_alloca_with_align(bytes + 64, 64 * 8);

	area = (char *)(((uintptr_t)area + 63) & ~(uintptr_t)63);
	if (!can) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
		fn(arg);
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
		return;
	}
	for (int i = 0; i < 8; i++) /* the header; the processor wants zeros in what it does not write */
		((volatile uint64_t *)(area + 512))[i] = 0;
	__asm__ volatile("xsavec64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"(0) : "memory");
	fn(arg);
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"(0) : "memory");
}
