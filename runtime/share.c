// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/share.c - adding without a lock, and keeping the adders out.
 *
 * The problem: `a[k]++` at a million hits a second on each of many CPUs, and now and then a timer
 * that prints the array and deletes it. A lock that all CPUs write to costs more than the counting.
 * So each CPU has a word of its own, in its context:
 *
 *   adder      0 -> 1 at the start of the handler, 0 at its end         one word, nobody else's
 *   stopper    takes the session's `stopping`, then each word 0 -> 2    all words, in their order
 *
 * A stopper waits for adders that are inside, and adders wait for a stopper, with the bounded
 * patience of lock.c. Neither can wait for itself: a handler never runs on top of another on one
 * CPU. Locks of globals are taken after these words, so an adder that waits for a lock holds a word
 * that the lock's holder, if it is a stopper, has waited for before. Any context.
 */
#include "engine/host.h"
#include "runtime/internal.h"

#define PATIENCE_NS (250 * 1000 * 1000ull)
#define PATIENCE_ROUNDS 20000
#define ROUND_PAUSES 64

/** Sets a word that is 0 to `mine`; waits for that; 1, or 0 when patience ended. */
static int take_word(uint32_t *word, uint32_t mine)
{
	uint64_t end = 0;
	uint32_t none;

	for (int rounds = 0; rounds < PATIENCE_ROUNDS || host_clock_ns() < end; rounds++) {
		for (int i = 0; i < ROUND_PAUSES; i++) {
			none = 0;
			if (!__atomic_load_n(word, __ATOMIC_RELAXED) &&
			    __atomic_compare_exchange_n(word, &none, mine, false, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED))
				return 1;
			host_relax();
		}
		if (!end)
			end = host_clock_ns() + PATIENCE_NS;
	}
	return 0;
}

int spl_share_wait(struct spl_ctx *c)
{
	return take_word(&c->sharing, 1);
}

static void give_back(struct spl_session *session, uint32_t count)
{
	while (count--)
		__atomic_store_n(&session->cpus[count]->ctx.sharing, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&session->stopping, 0, __ATOMIC_RELEASE);
}

int spl_share_stop(struct spl_ctx *c)
{
	struct spl_session *session = c->session;

	if (!take_word(&session->stopping, 1))
		return 0;
	for (uint32_t i = 0; i < session->ncpus; i++) {
		if (take_word(&session->cpus[i]->ctx.sharing, 2))
			continue;
		give_back(session, i);
		return 0;
	}
	return 1;
}

void spl_share_resume(struct spl_ctx *c)
{
	give_back(c->session, c->session->ncpus);
}

void spl_top_raise(spl_u32 *top, spl_u32 cpu)
{
	spl_u32 seen = __atomic_load_n(top, __ATOMIC_RELAXED);

	while (seen <= cpu && !__atomic_compare_exchange_n(top, &seen, cpu + 1, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* --- numbers --------------------------------------------------------------------------------- */

int spl_tally_init(struct spl_tally *tally, spl_s64 base)
{
	*tally = (struct spl_tally){ .base = base };
	tally->cells = host_zalloc((size_t)host_cpu_max() * SPL_LINE);
	return tally->cells ? 0 : -ENOMEM;
}

void spl_tally_deinit(struct spl_tally *tally)
{
	host_free(tally->cells);
	*tally = (struct spl_tally){ 0 };
}

spl_s64 *spl_tally_fold(struct spl_tally *tally)
{
	for (uint32_t i = 0; i < tally->top; i++) {
		spl_s64 *cell = (spl_s64 *)(tally->cells + (size_t)i * SPL_LINE);

		tally->base = (uint64_t)tally->base + (uint64_t)*cell;
		*cell = 0;
	}
	return &tally->base;
}
