// SPDX-License-Identifier: GPL-2.0-only
/*
 * runtime/kept.c - a table of calls without a lock; see kept.h. Any context, unless said.
 *
 * A call may be noted in any of the places of its set. Who writes to one makes its version odd with a
 * compare-and-exchange; whoever comes on top in an interrupt, or is on another CPU, takes another
 * place then. A reader takes what it has read only if the version is even, and has not changed. One
 * call's note and its lookups are made by the same thread of execution, one after the other, so the
 * others can only take a place away.
 */
#include "runtime/kept.h"

#include "engine/arch/x86/regs.h"
#include "engine/host.h"

#define SET_BITS 8
#define SETS (1 << SET_BITS)
#define WAYS (SPL_KEPT_CALLS / SETS)
#define GOLDEN 0x9e3779b97f4a7c15ull
#define RETURN_ADDRESS_BYTES 8

struct call {
	uint64_t at;      /* where its return address lies; 0: a free place */
	uint32_t version; /* odd: being written */
	uint32_t missed;  /* the stamp */
	uint64_t args[REGS_ARGS];
};
_Static_assert(sizeof(struct call) == 64, "one cache line");

struct spl_kept {
	struct call calls[SETS][WAYS];
	uint64_t refused; /* calls that found no place */
	uint32_t turn;    /* which place is taken when all are used; need not be exact */
};

struct spl_kept *spl_kept_create(void)
{
	return host_zalloc(sizeof(struct spl_kept));
}

void spl_kept_destroy(struct spl_kept *kept)
{
	host_free(kept);
}

static unsigned set_of(uint64_t at)
{
	return (unsigned)((at / 8) * GOLDEN >> (64 - SET_BITS));
}

static uint32_t stamp(const struct spl_kept *kept, uint64_t missed)
{
	return (uint32_t)(missed + __atomic_load_n(&kept->refused, __ATOMIC_RELAXED));
}

/* The place to be written first: the one with an older note of the same address must not stay. */
static unsigned preferred(struct spl_kept *kept, const struct call *set, uint64_t at)
{
	unsigned best = __atomic_fetch_add(&kept->turn, 1, __ATOMIC_RELAXED) % WAYS;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t used = __atomic_load_n(&set[i].at, __ATOMIC_RELAXED);

		if (used == at)
			return i;
		if (!used)
			best = i;
	}
	return best;
}

/* False when somebody else is writing there. */
static bool write_call(struct call *call, uint64_t at, const struct pt_regs *regs, uint32_t missed)
{
	uint32_t version = __atomic_load_n(&call->version, __ATOMIC_RELAXED);

	if ((version & 1) ||
	    !__atomic_compare_exchange_n(&call->version, &version, version + 1, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&call->at, at, __ATOMIC_RELAXED);
	__atomic_store_n(&call->missed, missed, __ATOMIC_RELAXED);
	for (int i = 0; i < REGS_ARGS; i++)
		__atomic_store_n(&call->args[i], regs_arg(regs, i), __ATOMIC_RELAXED);
	__atomic_store_n(&call->version, version + 2, __ATOMIC_RELEASE);
	return true;
}

void spl_kept_note(struct spl_kept *kept, const struct pt_regs *regs, uint64_t missed)
{
	struct call *set = kept->calls[set_of(regs->sp)];
	uint32_t number = stamp(kept, missed);
	unsigned first = preferred(kept, set, regs->sp);

	for (unsigned i = 0; i < WAYS; i++)
		if (write_call(&set[(first + i) % WAYS], regs->sp, regs, number))
			return;
	__atomic_fetch_add(&kept->refused, 1, __ATOMIC_RELAXED);
}

/* Whether the place has that call, unchanged while it was read. */
static bool read_call(const struct call *call, uint64_t at, uint32_t missed, int n, uint64_t *ret)
{
	uint32_t version = __atomic_load_n(&call->version, __ATOMIC_ACQUIRE);
	bool same = !(version & 1) && __atomic_load_n(&call->at, __ATOMIC_RELAXED) == at &&
		    __atomic_load_n(&call->missed, __ATOMIC_RELAXED) == missed;

	*ret = __atomic_load_n(&call->args[n], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return same && __atomic_load_n(&call->version, __ATOMIC_RELAXED) == version;
}

bool spl_kept_find(const struct spl_kept *kept, uint64_t cfa, uint64_t missed, int n, uint64_t *ret)
{
	uint64_t at = cfa - RETURN_ADDRESS_BYTES;
	const struct call *set = kept->calls[set_of(at)];
	uint32_t number = stamp(kept, missed);

	for (unsigned i = 0; at && i < WAYS; i++)
		if (read_call(&set[i], at, number, n, ret))
			return true;
	return false;
}
