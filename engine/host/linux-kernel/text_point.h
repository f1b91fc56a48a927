/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/text_point.h - a place in the kernel's text that fires by our own patch.
 *
 * A point belongs to one site of the engine, or, when that has gone, to nobody until its memory may
 * be given back. The planters (text.c) say what they want of it; text_apply() brings the text
 * from what it is to that:
 *
 *     CLEAR <----> BREAKPOINT <----> JUMP
 *
 * There is no other way: a jump is always made out of a breakpoint, and becomes one first. The way
 * to the jump takes time, since it has to be waited until nobody is in the bytes that it overwrites; so
 * it is gone by a thread (text_worker.c), and a probe is a breakpoint for that long.
 *
 * All functions: task context, under the engine's lock, except those marked "any".
 */
#ifndef SPILE_HOST_LINUX_KERNEL_TEXT_POINT_H
#define SPILE_HOST_LINUX_KERNEL_TEXT_POINT_H

#include "engine/arch.h"
#include "engine/arch/x86/handler.h"
#include "engine/core/planter.h"

enum text_mode {
	TEXT_CLEAR,
	TEXT_BREAKPOINT,
	TEXT_JUMP,
};

/* Why a detour that is made for one probe must not do its hit by itself. */
enum {
	TEXT_SLOW_COMPANY = 1, /* another probe, or none any more */
	TEXT_SLOW_OFF = 2,     /* not armed */
};

struct text_point {
	uint64_t addr;
	struct text_point *hash_next;   /* read by hits */
	struct text_point *change_next; /* links lists for text_apply() and the worker */
	struct spile_site *site;        /* whose handlers a hit runs, or NULL; read by hits */

	enum text_mode mode;
	bool armed;     /* the site has an enabled probe */
	bool may_jump;  /* what can be checked of the text allows a jump, and the planter is for one */
	bool queued;    /* text_apply()'s */
	bool waiting;   /* the worker waits until the region is left; cleared when that is for nothing */
	unsigned needs; /* of all pre_handlers that have been here: X86_HANDLER_* (handler.h) */
	bool light;     /* the detour does not give all of pt_regs */
	uint64_t slow;  /* TEXT_SLOW_*: the detour must ask the engine; read by hits */
	int err;        /* what went wrong with its text: it is not touched any more */

	uint8_t original[ARCH_INSN_MAX];
	struct arch_insn insn;
	struct arch_slot slot;
	struct arch_region region;
	struct arch_detour detour;
	uint64_t detour_at;  /* 0: none yet */
	uint64_t via_detour; /* where a breakpoint's hit goes on in the detour; 0: in the slot */
	struct arch_detour after; /* the instruction's copy, and the post_handlers behind it */
	uint64_t after_at;        /* 0: none; read by hits */
};

/** Makes the point of a site, with its slot. 0 or -errno. */
int text_point_create(struct spile_site *site, struct text_point **ret);
/** Hits do not find it any more; its memory is the caller's to free when nobody can be in it. */
void text_point_forget(struct text_point *point);
/** Nobody is in its slot or its detour. */
void text_point_free(struct text_point *point);

#define TEXT_BUCKET_BITS 12

extern struct text_point *text_buckets[1u << TEXT_BUCKET_BITS];
extern uint32_t text_generation;

static inline struct text_point **text_bucket(uint64_t addr)
{
	return &text_buckets[(addr * 0x9e3779b97f4a7c15ull) >> (64 - TEXT_BUCKET_BITS)];
}

/** The point at addr, or NULL. any, with preemption off */
static inline struct text_point *text_point_at(uint64_t addr)
{
	struct text_point *p = __atomic_load_n(text_bucket(addr), __ATOMIC_ACQUIRE);

	while (p && p->addr != addr)
		p = __atomic_load_n(&p->hash_next, __ATOMIC_ACQUIRE);
	return p;
}

/** The point whose breakpoint is at addr, or whose slot or detour contains it. any, the same */
struct text_point *text_point_find(uint64_t addr);
/** Changes whenever a point comes or goes. any */
static inline uint32_t text_points_generation(void)
{
	return __atomic_load_n(&text_generation, __ATOMIC_SEQ_CST);
}
/** Calls for every point in the table. */
void text_points_each(void (*visit)(struct text_point *point, void *arg), void *arg);

/** The text as it was before any probe, the kernel's own included; x86_read_text. */
int text_read_original(void *unused, uint64_t addr, uint8_t *dst, size_t size);

/* --- text_check.c: what may be planted -------------------------------------------------------------- */

/** Whether a breakpoint may stand at addr: a planter's can_plant. Decodes the instruction. */
int text_check_breakpoint(uint64_t addr, struct arch_insn *ret);
/** Whether a jump may. */
enum x86_verdict text_check_jump(uint64_t addr, struct arch_region *ret);
/** The kernel has put no kprobe of its own into the region since it was checked. */
bool text_region_is_free(const struct text_point *point);
/** The function that addr is in; 0 or -ENOENT. */
int text_function(uint64_t addr, uint64_t *ret_start, uint64_t *ret_end);

/* --- text_apply.c: changing text -------------------------------------------------------------------- */

/** Adds a point to a list of changed ones, once, with those whose jump may reach into it. */
void text_change_add(struct text_point **list, struct text_point *point);
void text_change_drop(struct text_point *list);
/** Brings the text of a list to what is wanted, but for jumps. 0 or some point's error. */
int text_apply(struct text_point *list);
/** Prepares the breakpoints that should be jumps; whether there are any. See text_worker.c. */
bool text_jumps_prepare(void);
/** Nobody has been in their regions since: makes those jumps that still should be. */
void text_jumps_write(void);

/* --- text_detour.c: the code of a point, besides its slot ------------------------------------------- */

/** Makes the detour. False: no memory; then the point stays a breakpoint. */
bool text_detour_create(struct text_point *point);
/** Before that changes which the detour may rely on; seen by all hits after host_synchronize(). */
static inline void text_point_slow(struct text_point *point, uint64_t why, bool on)
{
	uint64_t slow = on ? point->slow | why : point->slow & ~why;

	__atomic_store_n(&point->slow, slow, __ATOMIC_RELEASE);
}
/** The same for `after`, if that is possible and there is none. Else hits are stepped. */
void text_after_create(struct text_point *point);
/** Whether the detour gives less than is needed; then there is no jump. */
static inline bool text_detour_is_short(const struct text_point *point)
{
	return point->detour_at && point->light && point->needs & ~(unsigned)X86_HANDLER_WORDS;
}
/** Forgets the detour; nobody may be in it. */
void text_detour_drop(struct text_point *point);

/* --- text_worker.c ------------------------------------------------------------------------------------- */

/** Starts the worker, at the first call. 0 or -errno. */
int text_worker_start(void);
/** Ends it, and gives back all that is left; no site may be planted. Not under the engine's lock. */
void text_worker_stop(void);
/** There is something to do. */
void text_worker_wake(void);
/** Frees a point that has been forgotten, when the time has come. */
void text_point_leave(struct text_point *point);
/** Waits for that time, for all that have left: memory is short. */
void text_left_collect(void);

/* --- text_trap.c: hits ------------------------------------------------------------------------------------ */

/** Takes breakpoints, at the first call. 0 or -errno. */
int text_traps_init(void);
void text_traps_deinit(void);
/** What a detour calls, and what `after` calls. any */
int text_detour_hit(void *point, struct pt_regs *regs);
int text_after_hit(void *point, struct pt_regs *regs);

#endif
