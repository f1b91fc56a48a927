/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * runtime/kept.h - what the argument registers held when a function was entered, for each call.
 *
 * Amid a function optimized code has often lost an argument, and debug information says no more
 * than "what register rsi was at the entry" (DW_OP_entry_value). A hidden probe at the entry
 * (SPL_PROBE_KEEP) notes the registers here; a handler at a place in the function finds those of
 * the very call that it is in.
 *
 * A call is known by where its return address lies on the stack, which the place has from the
 * unwinding tables: while the call is under way nothing else can have it there. So recursion,
 * interrupts, and tasks that sleep in the function need no special care, and no return need be seen.
 *
 * A note stays until another call has its return address at the same place of the same stack, which
 * writes over it. The danger is a call whose entry was *not* noted, and finds the note of one that
 * was there before it. Therefore each note has a stamp, how many entries had been missed by then; if
 * any has been missed since, the note may be another call's and is not taken.
 *
 * The table has room for SPL_KEPT_CALLS calls; who sleeps in the function while more than that come
 * by loses its note. What is not known is never guessed.
 */
#ifndef SPILE_RUNTIME_KEPT_H
#define SPILE_RUNTIME_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#define SPL_KEPT_CALLS 2048

struct pt_regs;
struct spl_kept;

/** Task context. NULL: no memory. */
struct spl_kept *spl_kept_create(void);
void spl_kept_destroy(struct spl_kept *kept);

/** The function was entered with `regs`; `missed` entries had not been noted by then. Any context. */
void spl_kept_note(struct spl_kept *kept, const struct pt_regs *regs, uint64_t missed);
/** What argument register n (from 0) held at the entry of the call whose canonical frame address is
 *  `cfa`; false if that is not known. Any context. */
bool spl_kept_find(const struct spl_kept *kept, uint64_t cfa, uint64_t missed, int n,
		   uint64_t *ret);

#endif
