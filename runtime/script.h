/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * runtime/script.h - the contract between a translated script and the run-time.
 *
 * This is the prelude of every generated C file, and the header of the run-time that serves it.
 * It includes nothing: a script's object is compiled with -nostdinc and must not depend on any
 * kernel's or libc's headers. The same text compiles into a kernel module and into a shared
 * object for the process home.
 *
 * Who runs what: the core (kernel home) or the process runner owns a *session*. The script's
 * object holds one `struct spl_script`, which names its globals' set-up and its probes. When a
 * probe is hit, the core enters spl_probe_run(), which takes the context of this CPU, and calls
 * the probe's handler with it.
 *
 * Contexts. A handler runs in whatever context its probe point was hit in, NMI included, with
 * interrupts disabled and never nested on one CPU: a hit inside a handler is counted as missed. So
 * nothing declared here sleeps, allocates or takes a lock that may be held elsewhere, unless its
 * comment says "task context".
 *
 * Errors. A run-time function that fails stores a sentence in ctx->error and returns a harmless
 * value. Generated code tests SPL_FAILED(c) after each call that can fail, and leaves the handler
 * (or enters the `catch`). The probe runner prints the error and counts it against MAXERRORS.
 */
#ifndef SPILE_RUNTIME_SCRIPT_H
#define SPILE_RUNTIME_SCRIPT_H

#define SPL_ABI 4 /* raised when anything below changes; a module of another ABI is refused */

typedef __INT8_TYPE__ spl_s8;
typedef __INT16_TYPE__ spl_s16;
typedef __INT32_TYPE__ spl_s32;
typedef __INT64_TYPE__ spl_s64;
typedef __UINT8_TYPE__ spl_u8;
typedef __UINT16_TYPE__ spl_u16;
typedef __UINT32_TYPE__ spl_u32;
typedef __UINT64_TYPE__ spl_u64;
typedef __SIZE_TYPE__ spl_size;

struct pt_regs;      /* saved registers, x86-64 layout of the kernel's struct */
struct spl_session;  /* opaque; the core's */
struct spl_map;      /* opaque; runtime/map.c */

#define spl_likely(x) __builtin_expect(!!(x), 1)
#define spl_unlikely(x) __builtin_expect(!!(x), 0)

/* --- values ---------------------------------------------------------------------------------- */

/** A script value: a number, or a NUL-terminated string that somebody else owns. */
union spl_val {
	spl_s64 n;
	const char *s;
};

#define SPL_GROUPS_MAX 15 /* of a regular expression, without the whole */

/** What matched() tells of: the last match of this handler. */
struct spl_match {
	char *text;      /* room for a string, if anybody asks; its owner is the handler */
	spl_u32 groups;  /* of the expression; meaningful after a match */
	spl_u32 matched; /* there was a match */
	spl_u16 at[2 * (SPL_GROUPS_MAX + 1)]; /* start and end of each group; 0xffff: did not take part */
};

/* --- the context of one running handler ------------------------------------------------------ */

/**
 * One per CPU and session. Strings and temporaries of handlers and script functions live in its
 * frame area, not on the kernel stack: generated code takes a frame with spl_frame_push() on entry
 * and gives it back with spl_frame_pop() on every way out.
 */
struct spl_ctx {
	struct spl_session *session;
	const struct spl_probe *probe;   /* the probe being run */
	struct pt_regs *regs;            /* registers at the hit; NULL for begin/end/timer */
	const spl_u64 *entry_args;       /* return probes: probe->entry_args words of arguments; else NULL */
	const char *error;               /* non-NULL while an error unwinds */
	const char *error_place;         /* token near which it happened, "ident at FILE:L:C"; or NULL */
	spl_u32 aborted;                 /* abort() unwinds as an error does, but is none */
	spl_s64 actions;                 /* statements left before "MAXACTION exceeded" */
	spl_s32 nesting;                 /* script function calls left before "MAXNESTING exceeded" */
	spl_u32 cpu;
	spl_u32 sharing;                 /* spl_share_*: 1 this CPU adds, 2 somebody keeps it out */
	char *frame_top, *frame_end;     /* the unused part of the frame area */
	struct spl_match match;
	char error_buf[256];             /* where a formatted error sentence is kept */
};

#define SPL_FAILED(c) spl_unlikely((c)->error != 0)

/** Raises an error; the sentence must outlive the handler (a literal). `place` may be NULL. */
static inline void spl_fail(struct spl_ctx *c, const char *sentence, const char *place)
{
	if (!c->error) {
		c->error = sentence;
		c->error_place = place;
	}
}

/** Takes `size` bytes of the frame area, zeroed by nobody. NULL and an error when it is used up. */
static inline void *spl_frame_push(struct spl_ctx *c, spl_size size)
{
	char *p = c->frame_top;

	size = (size + 7) & ~(spl_size)7;
	if (spl_unlikely((spl_size)(c->frame_end - p) < size)) {
		spl_fail(c, "MAXNESTING exceeded", 0);
		return 0;
	}
	c->frame_top = p + size;
	return p;
}

/** Gives back everything taken since `frame` was. */
static inline void spl_frame_pop(struct spl_ctx *c, void *frame)
{
	c->frame_top = frame;
}

/** Counts `n` statements against the action budget; false (and an error) when it is used up. */
static inline int spl_actions(struct spl_ctx *c, spl_s64 n)
{
	c->actions -= n;
	if (spl_likely(c->actions >= 0))
		return 1;
	spl_fail(c, "MAXACTION exceeded", 0);
	return 0;
}

/* --- probes and the script ------------------------------------------------------------------- */

enum spl_probe_kind {
	SPL_PROBE_BEGIN = 1,   /* param: the order, begin(N); task context */
	SPL_PROBE_END,         /* param: the order, end(N); task context */
	SPL_PROBE_ERROR,       /* param: the order, error(N); instead of end when errors ended it */
	SPL_PROBE_TIMER,       /* param: period in ns, by hrtimer; hard interrupt context */
	SPL_PROBE_TIMER_JIFFIES, /* param: period in jiffies, by the timer wheel; softirq context */
	SPL_PROBE_TIMER_PROFILE, /* per-CPU, once a tick; hard interrupt context */
	SPL_PROBE_ENTRY,       /* addr: a function's entry */
	SPL_PROBE_RETURN,      /* addr: a function's entry; runs when it returns; param: maxactive or 0 */
	SPL_PROBE_STATEMENT,   /* addr: any instruction */
	SPL_PROBE_KEEP,        /* addr: a function's entry; no handler: for spl_entry_register() */
};

#define SPL_PROBE_RANDOMIZE 2        /* timers: param2 is the random width in ns or jiffies */
#define SPL_PROBE_MODULE 4           /* addr belongs to a module */
#define SPL_PROBE_CALLED_FROM 8      /* on functions: only calls that return to param2 count */

/**
 * One probe: a place and a handler. Several share one handler when their bodies came out equal.
 * `site` indexes the script's site table, which spile-run shows in its reports.
 */
struct spl_probe {
	spl_u32 kind;
	spl_u32 flags;
	spl_u64 addr;
	spl_u64 param;
	spl_u64 param2;
	void (*handler)(struct spl_ctx *c);
	const char *pp;   /* the full probe point, what pp() gives */
	const char *func; /* what ppfunc() gives; "" outside functions */
	spl_u32 index;    /* its number in spl_script.probes */
	spl_u32 source;   /* number of the `probe` statement it came from, from 0 */
	const char *pn;   /* the point as the script names it, with wildcards resolved: pn() */
	spl_u32 entry_args; /* return probes: words of arguments to keep at the entry, 0 or at least 6 */
};

/** A printf format: what the reader needs to turn a record into text. See runtime/format.h. */
struct spl_format {
	const char *text;  /* printf text with normalised conversions */
	const char *types; /* one letter an argument: 'n' number, 's' string, 'h' histogram, 'm' memory */
};

/** The face of a script's object. One per object, named `spl_script`. */
struct spl_script {
	spl_u32 abi;
	spl_u32 nprobes;
	const struct spl_probe *probes;
	spl_u32 nformats;
	spl_u32 string_size; /* MAXSTRINGLEN: bytes of a string with its NUL */
	const struct spl_format *formats;
	const char *name;
	spl_s64 max_action;       /* MAXACTION, probes on code */
	spl_s64 max_action_interruptible; /* MAXACTION_INTERRUPTIBLE, begin and end */
	spl_s32 max_nesting;      /* MAXNESTING */
	spl_s32 max_errors;       /* MAXERRORS: the session ends when more errors have happened */
	spl_u32 bears_errors;     /* errors and skipped hits are counted; nobody is told, nothing ends */
	spl_u32 max_skipped;      /* MAXSKIPPED */
	spl_u32 frame_size;       /* bytes of frame area per CPU, computed by the translator */
	/** Creates the maps and sets the globals' initial values; task context. 0 or -errno. */
	int (*init)(struct spl_script *script);
	/** Frees what init made; task context; after the last handler has left. */
	void (*fini)(struct spl_script *script);
};

/* Kernel home: what a script module's init and exit call; task context. 0 or -errno. */
int spile_script_register(struct spl_script *script);
void spile_script_unregister(struct spl_script *script);

/* --- session --------------------------------------------------------------------------------- */

/** exit(): no further probe of this session starts; end probes run when the reader says so. */
void spl_exit(struct spl_ctx *c);
/** abort(): the same, and the handler is left at once; no `catch` holds it up. */
static inline void spl_abort(struct spl_ctx *c)
{
	spl_exit(c);
	c->aborted = 1;
	spl_fail(c, "aborted", 0);
}

/* --- locks of globals ------------------------------------------------------------------------ */

/**
 * A reader-writer spin lock without an owner. A handler takes the locks of all globals that it
 * uses before its first statement, in the order of their numbers, and gives them back at the end.
 * Taking is bounded: it gives up after a quarter of a second, which only a holder whose CPU is not
 * running can cause; the hit is then counted as skipped (spl_skip_lock).
 */
struct spl_lock {
	spl_s32 state; /* -1 writer, n readers */
};

int spl_lock_read(struct spl_lock *lock);  /* 1 taken, 0 given up */
int spl_lock_write(struct spl_lock *lock);
void spl_unlock_read(struct spl_lock *lock);
void spl_unlock_write(struct spl_lock *lock);
/** Marks this hit as skipped because a lock could not be had. */
void spl_skip_lock(struct spl_ctx *c);

/* --- counting without a lock ----------------------------------------------------------------- */

/*
 * A global that probes on code only add to (n++, a[k] += 2, s <<< v), while begin, end, error and
 * timer probes do the rest, has no lock. Each CPU adds to cells of its own; who reads sums up.
 *
 * Begin, end and error probes never run beside others. If timers read such globals, then a handler
 * that adds shares the script's adding with the other CPUs (enter: one atomic operation on memory
 * that is this CPU's own), and one that reads or changes stops it (stop: waits until no CPU is
 * inside and keeps them out). Both before any spl_lock, as long as the locks are held. 1 or, when
 * patience ended, 0: the hit is skipped.
 */
int spl_share_wait(struct spl_ctx *c);
int spl_share_stop(struct spl_ctx *c);
void spl_share_resume(struct spl_ctx *c);

static inline int spl_share_enter(struct spl_ctx *c)
{
	spl_u32 none = 0;

	return spl_likely(__atomic_compare_exchange_n(&c->sharing, &none, 1, 0, __ATOMIC_ACQUIRE,
						      __ATOMIC_RELAXED)) ||
	       spl_share_wait(c);
}

static inline void spl_share_leave(struct spl_ctx *c)
{
	__atomic_store_n(&c->sharing, 0, __ATOMIC_RELEASE);
}

/** Notes that this CPU has cells in use: `top` is one more than the largest such CPU. */
void spl_top_raise(spl_u32 *top, spl_u32 cpu);

#define SPL_LINE 64 /* bytes that CPUs pass to each other as a whole */

/** A number that is counted up without a lock. */
struct spl_tally {
	spl_s64 base;
	char *cells; /* one a CPU, SPL_LINE bytes apart */
	spl_u32 top;
};

/** Task context. 0 or -errno. */
int spl_tally_init(struct spl_tally *tally, spl_s64 base);
void spl_tally_deinit(struct spl_tally *tally);
/** Brings everything that was added into the base, and gives its place. Adding is stopped. */
spl_s64 *spl_tally_fold(struct spl_tally *tally);

static inline void spl_tally_add(struct spl_ctx *c, struct spl_tally *tally, spl_s64 n)
{
	spl_s64 *cell = (spl_s64 *)(tally->cells + (spl_size)c->cpu * SPL_LINE);

	if (spl_unlikely(c->cpu >= tally->top))
		spl_top_raise(&tally->top, c->cpu);
	*cell = (spl_s64)((spl_u64)*cell + (spl_u64)n);
}

/* --- statistics ------------------------------------------------------------------------------ */

#define SPL_STAT_VARIANCE 1
#define SPL_STAT_LOG 2
#define SPL_STAT_LINEAR 4

#define SPL_LOG_BUCKETS 128 /* of @hist_log: 64 is 0, 65 + n is 2^n, 63 - n is -2^n */
#define SPL_LOG_ZERO 64

/** What a statistic keeps of its samples. */
struct spl_stat_type {
	spl_u32 keeps;      /* SPL_STAT_*, beside count, sum, least and greatest */
	spl_u32 shift;      /* bits that @variance scales by */
	spl_s64 low, width; /* LINEAR */
	spl_u32 buckets;    /* LINEAR: with one below and one above */
	spl_u32 size;       /* bytes of a cell */
};

/** The samples of one CPU. */
struct spl_cell {
	spl_s64 count, sum, min, max; /* min and max: undefined while count is 0 */
	spl_s64 more[]; /* VARIANCE: mean, sum of squares; LOG: buckets; LINEAR: buckets */
};

static inline spl_s64 *spl_cell_log(const struct spl_stat_type *type, struct spl_cell *cell)
{
	return cell->more + (type->keeps & SPL_STAT_VARIANCE ? 2 : 0);
}

static inline spl_s64 *spl_cell_linear(const struct spl_stat_type *type, struct spl_cell *cell)
{
	return spl_cell_log(type, cell) + (type->keeps & SPL_STAT_LOG ? SPL_LOG_BUCKETS : 0);
}

static inline int spl_log_bucket(spl_s64 v)
{
	if (!v)
		return SPL_LOG_ZERO;
	if (v > 0)
		return SPL_LOG_ZERO + 64 - __builtin_clzll((spl_u64)v);
	return SPL_LOG_ZERO - 64 + __builtin_clzll(0 - (spl_u64)v);
}

static inline spl_u32 spl_linear_bucket(const struct spl_stat_type *type, spl_s64 v)
{
	spl_u64 n;

	if (v < type->low)
		return 0;
	n = ((spl_u64)v - (spl_u64)type->low) / (spl_u64)type->width + 1;
	return n < type->buckets - 1 ? (spl_u32)n : type->buckets - 1;
}

/** Welford's step, in integers scaled by 2^shift, as the language defines @variance. */
static inline void spl_cell_vary(const struct spl_stat_type *type, struct spl_cell *cell, spl_s64 v)
{
	spl_u64 scaled = (spl_u64)v << type->shift, delta = scaled - (spl_u64)cell->more[0];

	if (cell->count == 1) {
		cell->more[0] = (spl_s64)scaled;
		return;
	}
	/* the count is at least 2, so nothing can overflow here */
	cell->more[0] = (spl_s64)((spl_u64)cell->more[0] + (spl_u64)((spl_s64)delta / cell->count));
	cell->more[1] = (spl_s64)((spl_u64)cell->more[1] + delta * (scaled - (spl_u64)cell->more[0]));
}

static inline void spl_cell_add(const struct spl_stat_type *type, struct spl_cell *cell, spl_s64 v)
{
	if (!cell->count++) {
		cell->min = cell->max = v;
	} else if (v < cell->min) {
		cell->min = v;
	} else if (v > cell->max) {
		cell->max = v;
	}
	cell->sum = (spl_s64)((spl_u64)cell->sum + (spl_u64)v);
	if (type->keeps & SPL_STAT_VARIANCE)
		spl_cell_vary(type, cell, v);
	if (type->keeps & SPL_STAT_LOG)
		spl_cell_log(type, cell)[spl_log_bucket(v)]++;
	if (type->keeps & SPL_STAT_LINEAR)
		spl_cell_linear(type, cell)[spl_linear_bucket(type, v)]++;
}

/** A global statistic: a cell for each CPU. */
struct spl_stat {
	char *cells;
	spl_size stride;
	spl_u32 top;
};

/** Task context. 0 or -errno. */
int spl_stat_init(struct spl_stat *stat, const struct spl_stat_type *type);
void spl_stat_deinit(struct spl_stat *stat);
void spl_stat_clear(struct spl_stat *stat);

static inline void spl_stat_add(struct spl_ctx *c, struct spl_stat *stat,
				const struct spl_stat_type *type, spl_s64 v)
{
	if (spl_unlikely(c->cpu >= stat->top))
		spl_top_raise(&stat->top, c->cpu);
	spl_cell_add(type, (struct spl_cell *)(stat->cells + c->cpu * stat->stride), v);
}

/** The cells of one statistic, wherever they lie. */
struct spl_samples {
	const struct spl_stat_type *type;
	char *cells;
	spl_size stride;
	spl_u32 ncells; /* 0: there are no samples */
};

void spl_stat_samples(const struct spl_stat *stat, const struct spl_stat_type *type,
		      struct spl_samples *ret);

enum spl_take { SPL_COUNT, SPL_SUM, SPL_MIN, SPL_MAX, SPL_AVG, SPL_VARIANCE };

/** A value of all samples. All but count and sum of no samples are an error at `place`. */
spl_s64 spl_samples_take(struct spl_ctx *c, const struct spl_samples *samples, enum spl_take take,
			 const char *place);
/** The count of one bucket of a histogram, SPL_STAT_LOG or _LINEAR. */
spl_s64 spl_samples_bucket(struct spl_ctx *c, const struct spl_samples *samples, spl_u32 histogram,
			   spl_s64 number, const char *place);
/** Records a histogram for printing; the format's only argument is of type 'h'. `elision`: how
 * many empty rows stay beside others, negative: all. */
void spl_samples_print(struct spl_ctx *c, spl_u32 format, const struct spl_samples *samples,
		       spl_u32 histogram, int elision, const char *place);
/** Its text here and now, cut to size. */
char *spl_samples_sprint(struct spl_ctx *c, char *dst, spl_size size,
			 const struct spl_samples *samples, spl_u32 histogram, int elision,
			 const char *place);

/* --- strings --------------------------------------------------------------------------------- */
/* `size` is the room at dst with the NUL; what does not fit is cut, as in stap. Return dst. */

char *spl_str_copy(char *dst, spl_size size, const char *src);
/** dst may be a. */
char *spl_str_cat(char *dst, spl_size size, const char *a, const char *b);
int spl_str_cmp(const char *a, const char *b);
spl_s64 spl_str_len(const char *s);

/* --- regular expressions --------------------------------------------------------------------- */

/** A step of a matching program. Jumps count from the step itself. */
enum spl_regex_code {
	SPL_RE_CHAR,  /* the byte a */
	SPL_RE_SET,   /* a byte of set a */
	SPL_RE_ANY,   /* any byte */
	SPL_RE_SPLIT, /* on at +a and at +b */
	SPL_RE_JUMP,  /* on at +a */
	SPL_RE_SAVE,  /* remember the place as limit a: 2n the start of group n, 2n+1 its end */
	SPL_RE_BEGIN, /* only where the string begins */
	SPL_RE_END,   /* only where it ends */
	SPL_RE_MATCH,
};

struct spl_regex_op {
	spl_u8 code;
	spl_u8 unused;
	spl_s16 a, b;
};

struct spl_regex {
	const struct spl_regex_op *ops; /* the last one is MATCH */
	spl_u32 nops;
	spl_u32 groups;                 /* without group 0, the whole */
	const spl_u8 (*sets)[32];       /* a bit for each byte */
	/* The automaton that tells whether there is a match; NULL: too large, run the program. */
	const spl_u8 *classes;          /* of the 256 bytes */
	spl_u32 nclasses;
	const spl_u16 *next;            /* [state * nclasses + class]; state 0 is the start */
	const spl_u8 *final;            /* of a state: 1 there is a match, 2 if the string ends here */
};

/** Bytes of the frame area that a run of the program takes. */
#define SPL_REGEX_FRAME(nops, groups)                                                              \
	(((nops) * sizeof(spl_u16) * (4 * ((groups) + 1) + 7) + 7) & ~(spl_size)7)

/**
 * Whether the expression matches somewhere in the string: 1 or 0. When c->match.text is set, a match
 * is kept for matched(): the leftmost one, of those the longest; within it, repetitions take what
 * they can and the first alternative that can be is taken.
 */
int spl_regex_match(struct spl_ctx *c, const struct spl_regex *regex, const char *s);
/** matched(n): group n of the last match; an error when there is none. */
char *spl_fn_matched(struct spl_ctx *c, char *dst, spl_size size, spl_s64 n, const char *place);
/** ngroups(): how many groups the last match had, the whole counted. */
spl_s64 spl_fn_ngroups(struct spl_ctx *c);

/* --- maps (associative arrays) --------------------------------------------------------------- */

#define SPL_KEYS_MAX 9

/** The shape of an array. types: one letter a key, then ':' and the value's, t a statistic: "ns:n". */
struct spl_map_type {
	const char *types;
	spl_u32 max_entries; /* array size or MAXMAPENTRIES */
	spl_u32 string_size; /* bytes of a string key or value with its NUL */
	spl_u32 wrap;        /* array[N]%: the oldest entry makes room */
	spl_u32 shared;      /* added to without a lock; does not wrap */
	const struct spl_stat_type *stat; /* values of type t */
};

/** Allocates everything at once: nothing is allocated at a hit. Task context. NULL: no memory. */
struct spl_map *spl_map_create(const struct spl_map_type *type);
void spl_map_destroy(struct spl_map *map);

/* The caller holds the array's lock: read for get/has/iteration, write for the others. A missing
 * entry reads as 0 or "". Setting a new entry into a full map is the error
 * "Array overflow, check MAXMAPENTRIES". */
spl_s64 spl_map_get_n(struct spl_map *map, const union spl_val *keys);
const char *spl_map_get_s(struct spl_map *map, const union spl_val *keys);
void spl_map_set_n(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v);
void spl_map_set_s(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys,
		   const char *v);
/** Adds to a number, making the entry if it is missing; returns the new value. */
spl_s64 spl_map_add_n(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v);
/** The same for shared maps, in handlers that share adding, or stopped it. */
void spl_map_tally(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v);
/** a[keys] <<< v; for shared maps as above. */
void spl_map_sample(struct spl_ctx *c, struct spl_map *map, const union spl_val *keys, spl_s64 v);
/** The samples of an element; none if it is missing. */
void spl_map_samples(struct spl_map *map, const union spl_val *keys, struct spl_samples *ret);
int spl_map_has(struct spl_map *map, const union spl_val *keys);
void spl_map_delete(struct spl_map *map, const union spl_val *keys);
/** The same for all elements whose keys are equal but for those in `any`: bit 0 the first. */
int spl_map_has_slice(struct spl_map *map, const union spl_val *keys, spl_u32 any);
void spl_map_delete_slice(struct spl_map *map, const union spl_val *keys, spl_u32 any);
void spl_map_clear(struct spl_map *map);
spl_s64 spl_map_count(struct spl_map *map);

/** An entry while iterating. Keys and value are read through it; `key` counts from 1. */
struct spl_map_entry;
/**
 * Puts the entries in order: by = 0 the value, k the k-th key from 1, -1 - SPL_COUNT and so on an
 * aggregate; dir +1 ascending, -1 descending. At most the first `limit` are put in order (limit < 0:
 * all).
 */
void spl_map_sort(struct spl_map *map, int by, int dir, spl_s64 limit);
struct spl_map_entry *spl_map_first(struct spl_map *map);
struct spl_map_entry *spl_map_next(struct spl_map *map, struct spl_map_entry *e);
spl_s64 spl_entry_key_n(struct spl_map *map, struct spl_map_entry *e, int key);
const char *spl_entry_key_s(struct spl_map *map, struct spl_map_entry *e, int key);
spl_s64 spl_entry_value_n(struct spl_map *map, struct spl_map_entry *e);
const char *spl_entry_value_s(struct spl_map *map, struct spl_map_entry *e);
void spl_entry_samples(struct spl_map *map, struct spl_map_entry *e, struct spl_samples *ret);

/* --- printing -------------------------------------------------------------------------------- */

/**
 * Records a print: the format's number and the raw arguments go to this CPU's ring; the reader
 * makes the text. A full ring counts a lost record.
 */
void spl_print(struct spl_ctx *c, spl_u32 format, const union spl_val *args);
/** sprintf: makes the text here and now, cut to size. */
char *spl_sprint(struct spl_ctx *c, char *dst, spl_size size, spl_u32 format,
		 const union spl_val *args);
/** warn() and log(): a line on the reader's standard error; level 'W' or 'L'. The text has neither
 * a newline at its end nor "WARNING: ". (error() is spl_fail(): the probe runner sends its line.)
 * system(): level 'S', the text is a command; switch_file(): level 'N'. */
void spl_message(struct spl_ctx *c, char level, const char *text);

/* --- C code in scripts ----------------------------------------------------------------------- */
/* printf as in C: d i u o x X c p s with flags, width, precision and the lengths hh h l ll z. */

/** Makes a text, cut to size; returns its length. */
int spl_c_format(char *dst, spl_size size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define SPL_C_PRINT_FRAME 512 /* bytes of the frame area that spl_c_print() takes */
/** Prints a text of up to 511 bytes; `format` is the script's number for a single %s. */
void spl_c_print(struct spl_ctx *c, spl_u32 format, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Raises an error. */
void spl_c_fail(struct spl_ctx *c, const char *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- target variables ------------------------------------------------------------------------ */

/** The n-th (from 0) integer or pointer argument of the probed function, by the psABI. */
spl_s64 spl_arg(struct spl_ctx *c, int n);
/** The function's return value; return probes only. */
spl_s64 spl_retval(struct spl_ctx *c);
/** A named register of ctx->regs, e.g. offset 80 = ax (struct pt_regs). */
spl_s64 spl_reg(struct spl_ctx *c, int offset);

/** Where the n-th argument lies that was passed on the stack (n from 6), at a return a copy of it. */
spl_u64 spl_stack_arg(struct spl_ctx *c, int n);
/**
 * What the n-th argument register held when the function was entered, by the SPL_PROBE_KEEP probe of
 * that index; `cfa` is the canonical frame address of the call. An error at `place` if it is not known.
 */
spl_u64 spl_entry_register(struct spl_ctx *c, spl_u32 keeper, spl_u64 cfa, int n, const char *place);
/** Writes `bits` bits (64: all) of a register from bit `shift` on; it takes effect when the handler is left. */
void spl_set_reg(struct spl_ctx *c, int offset, int shift, int bits, spl_s64 value);

/** Reads 1, 2, 4 or 8 bytes of kernel memory; a bad address is a script error at `place`. */
spl_s64 spl_load(struct spl_ctx *c, spl_u64 addr, int width, int is_signed, const char *place);
/** The same from the current process's memory. */
spl_s64 spl_load_user(struct spl_ctx *c, spl_u64 addr, int width, int is_signed,
		      const char *place);
/** A bit field: `bits` bits at bit `shift` of the 8 (or `width`) bytes at addr. */
spl_s64 spl_load_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
		      int is_signed, const char *place);
spl_s64 spl_load_user_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
			   int is_signed, const char *place);
/** Writes 1, 2, 4 or 8 bytes; a bad address is a script error at `place`. */
void spl_store(struct spl_ctx *c, spl_u64 addr, int width, spl_s64 value, const char *place);
void spl_store_user(struct spl_ctx *c, spl_u64 addr, int width, spl_s64 value, const char *place);
/** Changes a bit field and leaves the bits around it; not atomic, as the field's own code is not. */
void spl_store_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits, spl_s64 value,
		    const char *place);
void spl_store_user_bits(struct spl_ctx *c, spl_u64 addr, int width, int shift, int bits,
			 spl_s64 value, const char *place);
/** This CPU's copy of a per-CPU variable whose symbol has that value. */
spl_u64 spl_per_cpu(spl_u64 symbol);
/**
 * kernel_string() and user_string(): copies a NUL-terminated string. On a fault dst is "", and it
 * is an error at `place` unless place is NULL.
 */
char *spl_load_string(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr,
		      const char *place);
char *spl_load_user_string(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr,
			   const char *place);

/**
 * %m and %M: `count` bytes of memory behind their number, as a value of type 'm'. What is read is
 * kept at dst, of `size` bytes; the value is dst as a number. A fault, or more than there is room
 * for, is an error at `place`.
 */
spl_s64 spl_load_bytes(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr, spl_s64 count,
		       int from_user, const char *place);

/* --- whole objects as text ------------------------------------------------------------------- */

enum spl_show_how {
	SPL_SHOW_TEXT,     /* nothing but the text */
	SPL_SHOW_SIGNED,
	SPL_SHOW_UNSIGNED,
	SPL_SHOW_CHAR,     /* 'a', escaped */
	SPL_SHOW_POINTER,
	SPL_SHOW_ENUM,     /* the enumerator's name, or the number */
	SPL_SHOW_CHARS,    /* "text" that lies here, at most `size` bytes */
	SPL_SHOW_STRING,   /* "text" that the pointer here leads to; <unknown> where it leads nowhere */
};

struct spl_enumerator {
	spl_s64 value;
	const char *name;
};

/** A piece of an object's text: what comes before a value, and where the value is. */
struct spl_show {
	const char *text;
	spl_u32 offset; /* bytes into the object */
	spl_u8 how;
	spl_u8 width;   /* bytes to read, from 1 to 8 */
	spl_u8 shift, bits; /* a bit field in them; bits 0: all of them */
	spl_u32 size;   /* CHARS: bytes; ENUM: enumerators */
	const struct spl_enumerator *names; /* ENUM */
};

enum spl_where { SPL_IN_KERNEL, SPL_IN_USER, SPL_IN_WORDS };

/**
 * $x$ and $x$$: the object at an address, or in the handler's own words (its address all the same), as
 * text, cut to size. Memory that cannot be read makes the whole text ERROR, and raises none.
 */
char *spl_show(struct spl_ctx *c, char *dst, spl_size size, const struct spl_show *rows,
	       spl_size nrows, enum spl_where where, spl_u64 object);

/* --- context functions of the language ------------------------------------------------------- */
/* Any context. In a timer or interrupt they tell of the interrupted task. */

spl_s64 spl_fn_pid(struct spl_ctx *c);
spl_s64 spl_fn_tid(struct spl_ctx *c);
spl_s64 spl_fn_current(struct spl_ctx *c); /* the address of its task_struct */
spl_s64 spl_fn_ppid(struct spl_ctx *c);
spl_s64 spl_fn_uid(struct spl_ctx *c);
spl_s64 spl_fn_euid(struct spl_ctx *c);
spl_s64 spl_fn_gid(struct spl_ctx *c);
spl_s64 spl_fn_egid(struct spl_ctx *c);
spl_s64 spl_fn_cpu(struct spl_ctx *c);
spl_s64 spl_fn_target(struct spl_ctx *c); /* the process of -c or -x; 0 none */
spl_s64 spl_fn_gettimeofday_ns(struct spl_ctx *c);
spl_s64 spl_fn_get_cycles(struct spl_ctx *c);
spl_s64 spl_fn_jiffies(struct spl_ctx *c);
spl_s64 spl_fn_hz(struct spl_ctx *c);
spl_s64 spl_fn_clock_ns(struct spl_ctx *c); /* never goes back */
char *spl_fn_execname(struct spl_ctx *c, char *dst, spl_size size);
/** The text of thread_indent(delta): "   12 name(tid):" and the indentation, stap's layout. */
char *spl_fn_thread_indent(struct spl_ctx *c, char *dst, spl_size size, spl_s64 delta);
/** symname-like: the kernel function that holds an address, "" if none. */
char *spl_fn_symname(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr);
/** The same with the offset and the module: "name+0x10 [mod]", the bare number if it is unknown. */
char *spl_fn_symdata(struct spl_ctx *c, char *dst, spl_size size, spl_u64 addr);

#endif
