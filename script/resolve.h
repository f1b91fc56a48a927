/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/resolve.h - pass 2: what the names of a script mean.
 *
 * In: the syntax tree of pass 1 and the kernel it is for. Out: a `struct program`, in which every
 * name is bound, every expression has a type, every probe point is expanded to the places that
 * will be planted, and every target variable is a list of loads. Pass 3 (codegen/) translates it
 * without asking the kernel anything.
 *
 * The steps, each a file:
 *   resolve.c         declarations, and the list of steps
 *   resolve_library.c files of the tapset, parsed when a name in them is first used
 *   resolve_entry.c   @entry
 *   resolve_dead.c    assignments that nobody reads
 *   resolve_alias.c   probe aliases
 *   resolve_probes.c  aliases and probe families (families/): probe points to planted probes
 *   resolve_site.c    debug information, opened when a probe point or a variable needs it
 *   resolve_names.c   symbols and calls to variables and functions
 *   resolve_keep.c    hidden probes that keep registers from a function's entry on
 *   resolve_target.c  target variables (target_*.c), @defined, removal of dead branches
 *   types.c           number or string, by inference until nothing changes
 *   resolve_sets.c    which globals are read and written, hence locks; unused things
 *   resolve_autoprint.c  an end probe that prints the globals that are only written
 *   resolve_report.c  for -v: the places, by which planter, and what of the functions is elsewhere
 *   resolve_print.c   the result as text, for -p2; resolve_list.c the variables for -L
 *
 * A `probe` statement's tree is copied for each place when its meaning may depend on the place
 * (it has target variables), and shared between them otherwise.
 */
#ifndef SPILE_SCRIPT_RESOLVE_H
#define SPILE_SCRIPT_RESOLVE_H

#include <stdio.h>

#include "script/regex.h"
#include "script/ast.h"
#include "script/builtins.h"
#include "script/diag.h"
#include "script/parse.h"
#include "symbols/c_type.h"
#include "symbols/kernel.h"
#include "symbols/location.h"
#include "symbols/places.h"

enum { RESOLVE_KEYS_MAX = 9, RESOLVE_BUCKETS_MAX = 4096 };

enum variable_kind { VAR_GLOBAL, VAR_LOCAL, VAR_PARAM };

/* A type that inference has found, and where. */
struct inferred {
	enum value_type type;
	const struct token *tok; /* what decided it; NULL while unknown */
};

/* What is taken out of a statistic, anywhere in the script: what each sample must be kept for. */
struct stat_use {
	unsigned ops;            /* 1 << STAT_* */
	int64_t shift;           /* @variance's; -1 until one is used */
	const struct token *shift_tok;
	int64_t linear[3];       /* @hist_linear's low, high, width; STAT_HIST_LINEAR is in ops */
	const struct token *linear_tok;
};

struct variable {
	enum variable_kind kind;
	const char *name;
	const struct token *tok; /* declaration or first use */
	struct inferred value;   /* arrays: of an element */
	bool is_array;
	bool used_as_scalar;
	size_t key_count;        /* arrays; 0 until the first use tells */
	struct inferred keys[RESOLVE_KEYS_MAX];
	bool wanted;             /* globals: some name is bound to it */
	bool read, written;      /* anywhere in the script */
	bool assigned;           /* VAR_LOCAL: by code that is not dead */
	bool dropped;            /* VAR_LOCAL: nothing mentions it any more */
	bool reassigned;         /* VAR_PARAM: the function writes its copy */
	size_t number;           /* globals: order of locks; locals: within their body */
	struct stat_use stat;    /* VAR_GLOBAL of TYPE_STATS */
	struct variable *samples_of; /* foreach (v = k in a): v has the samples of a's elements */
	const struct global *global; /* VAR_GLOBAL */
};

/*
 * Per global: how a body uses it, its callees included. Sorting reorders: it needs the lock of a
 * write, but is none. Adding is an update whose order does not matter and whose result nobody
 * takes: n++, a[k] += 2, s <<< v as statements of their own.
 */
enum { USE_READ = 1, USE_WRITE = 2, USE_SORT = 4, USE_ADD = 8, USE_CHANGE = USE_WRITE | USE_ADD };

/* A global that C code says it uses. */
struct embedded_use {
	struct variable *var;
	unsigned use;
};

enum { ARGUMENT_REGISTERS = 6 }; /* words of arguments that are passed in registers */

/* The statements of a probe or function with what was found out about them. */
struct body {
	struct stmt *stmt;
	struct {
		ARENA_LIST(struct variable *);
	} locals; /* parameters first */
	uint8_t *uses; /* USE_* by number of global */
	unsigned entry_args; /* words of arguments that a return probe must keep at the entry */
	bool impure; /* runs C code that may have effects */
	struct {
		ARENA_LIST(struct embedded_use);
	} embedded_uses;
	bool wants_place; /* has target variables: its meaning depends on the probed function */
	struct {
		ARENA_LIST(struct function_info *);
	} callees;
};

struct function_info {
	struct function *decl;
	struct body body;
	struct inferred result;
	bool returns_value; /* a return with an expression */
	bool may_next;      /* has `next`: then the fallback runs in its place */
	struct function_info *fallback; /* the overload that comes after it, or NULL */
	bool is_fallback;
	enum { EFFECTS_UNKNOWN, EFFECTS_NONE, EFFECTS_SOME } effects; /* of a call, beside its value */
	bool points_known;  /* what it returns was looked at for */
	const struct pointed_type *points_to; /* the type, see target_value.c; NULL: none */
	bool is_placed;     /* has target variables, or calls who has: see resolve_copies.c */
	struct function_info *original; /* this is a copy of it, for one probe */
	struct function_info *copy;     /* its last one */
	const struct planted_probe *place; /* of a copy */
	bool is_again;                  /* not the first copy */
	bool bound;         /* its names are; functions of the library wait for a first call */
	bool used;
	bool visiting; /* for walks over the call graph */
	size_t depth;  /* longest chain of calls from here; 0 until it was computed */
	size_t number;
};

/* What a call reaches: one of the two. */
struct function_set {
	struct function_info *function;
	const struct builtin *builtin;
};

/* --- target variables ------------------------------------------------------------------------- */

enum access_op {
	ACCESS_ADD,   /* + number */
	ACCESS_SCALE, /* + index * number */
	ACCESS_LOAD,  /* what is there: width bytes, or a bit-field in them */
	ACCESS_CUT,   /* the value's low `width` bytes, sign- or zero-extended */
};

struct access_step {
	enum access_op op;
	int64_t number;
	struct expr *index;
	int width; /* bytes */
	bool is_signed;
	bool is_user;            /* LOAD: from the process's memory */
	int bit_shift, bit_size; /* bit_size 0: not a bit-field */
	const char *spelled;     /* LOAD: what is read, as it was written */
};

enum access_base {
	ACCESS_ARGUMENT, /* word number `argument` of the arguments */
	ACCESS_STACK,    /* the address of that word, which was passed on the stack */
	ACCESS_RETVAL,
	ACCESS_POINTER,  /* @cast's pointer */
	ACCESS_SYMBOL,   /* the address of a symbol */
	ACCESS_LOCATION, /* where debug information says: the address, or the variable's bytes */
};

/* A piece of an object's text: runtime/script.h's struct spl_show. */
struct show_row {
	const char *text;
	const char *how; /* the word after SPL_SHOW_ */
	uint32_t offset;
	int width, bit_shift, bit_size;
	uint32_t size;                     /* CHARS */
	const struct show_names *names; /* ENUM */
};

struct show_name {
	const char *name;
	int64_t value;
};

struct show_names {
	ARENA_LIST(struct show_name);
};

/* An address of a file as a symbol of the generated C, which is bound when it is loaded. */
struct access_symbol {
	const char *name; /* NULL: the offset is all */
	int64_t offset;
};

/* How a target variable is fetched, or written: a base value, then steps on it. */
struct target_access {
	enum access_base base;
	struct c_type type;   /* of the value */
	int argument;         /* ARGUMENT: from 0, counted in registers and stack words */
	struct expr *pointer; /* POINTER */
	const char *symbol;   /* SYMBOL: its name in the generated C */
	bool is_per_cpu;      /* SYMBOL: this CPU's copy */
	const struct location *location;
	const struct access_symbol *symbols; /* LOCATION: what its addresses are, by number of op */
	const struct planted_probe *keeper; /* LOCATION: has what its entry registers were; NULL: none */
	const struct location *frame;       /* LOCATION: by which the keeper knows the call */
	bool is_address;      /* LOCATION: its address is the base, else the bytes */
	int part;             /* bytes, not ADDRESS: first bit of what is meant, a whole value */
	int part_bits;
	bool part_is_whole;   /* it is all of a register that matters */
	struct {
		ARENA_LIST(struct access_step);
	} steps;
	/* $x$: the text of the object that the steps lead to, or that the value is */
	bool is_user;         /* what it leads to is in the memory of the process */
	bool is_shown, show_user;
	unsigned show_words;  /* the object is in no memory: that many words of it */
	struct {
		ARENA_LIST(struct show_row);
	} rows;
};

/* --- probes ----------------------------------------------------------------------------------- */

struct probe_family; /* families/family.h */

/*
 * Where a probe stands, as debug information has it. Addresses are of `info`, which is open as long
 * as the program is. What is visible there: variables_at(info, address, fn, ...); what a function
 * returns: function_return(info, fn, ...).
 */
enum site_kind {
	SITE_ENTRY,  /* of a function or of an inlined copy, where its arguments can be seen */
	SITE_RETURN, /* `address` is the entry's: what was there is seen with entry values only */
	SITE_PLACE,  /* an instruction anywhere: a line, a label, an address */
};

struct probe_site {
	enum site_kind kind;
	struct debuginfo *info;
	const struct code_function *fn; /* whose variables are meant, maybe an inlined copy's; NULL:
	                                   whatever is there */
	uint64_t address;
};

/* The instruction behind a call. */
struct call_return {
	const char *symbol; /* in the module of the probe */
	unsigned nth;
	uint64_t offset;
};

/* One probe that will be planted: a row of spl_script.probes. */
struct planted_probe {
	const struct probe_family *family;
	const struct token *tok;         /* where the user wrote it */
	const char *pp;                  /* full probe point, what pp() gives */
	const char *alias;               /* that the script names it by, without wildcards; or NULL */
	const char *origin;              /* as written, when it differs from pp; or NULL */
	const char *func;                /* what ppfunc() gives */
	const char *kind;                /* SPL_PROBE_*: the word of the enum */
	const char *module;              /* that `symbol` is in; NULL: the kernel proper */
	const char *symbol;              /* the function whose address it is, or NULL */
	uint64_t offset;                 /* bytes behind it */
	unsigned nth;                    /* which of several of that name (kallsyms order), from 1; or 0 */
	const struct call_return *called_from; /* only calls that return there count; or NULL */
	const struct probe_site *site;   /* NULL: found by name alone; see resolver_site() */
	bool randomize, is_return;
	int64_t param, param2;
	size_t source;     /* number of the probe statement */
	struct body *body; /* may be shared */
};

/* C code at the top level. */
struct embedded_top {
	const struct embedded *code;
	const struct script_file *file;
};

/* Debug information that was needed. */
struct program_debuginfo {
	const char *module; /* name or path; NULL: the kernel proper */
	struct debuginfo *info;
};

/* Types of a C header that a @cast names. */
struct program_header {
	const char *name;
	struct btf_index *btf;
};

struct program {
	struct script *script;
	struct {
		ARENA_LIST(struct program_header);
	} headers;
	struct {
		ARENA_LIST(struct program_debuginfo);
	} debuginfos;
	bool has_embedded; /* C code, anywhere */
	bool skip_badvars; /* target variables that cannot be read are 0 */
	struct {
		ARENA_LIST(struct embedded_top);
	} embedded;
	struct {
		ARENA_LIST(struct variable *);
	} globals;
	struct {
		ARENA_LIST(struct function_info *);
	} functions;
	struct {
		ARENA_LIST(struct planted_probe *);
	} probes;
	struct {
		ARENA_LIST(struct regex *); /* each pattern once */
	} regexes;
	bool captures;  /* something asks what matched */
	size_t sources; /* probe statements */
};

struct resolve_options {
	/* Gives the kernel when it is first needed; scripts without kernel probes never ask. */
	struct error *(*kernel)(void *context, struct kernel **ret);
	void *kernel_context;
	/* How to parse files of the tapset (parse_options.library); NULL: there is none. */
	const struct parse_options *library;
	bool guru;
	bool no_warnings;
	bool unoptimized; /* keep code that does nothing */
	bool skip_badvars; /* target variables that are not there are 0 */
	bool timing;      /* add the probe that prints how long each one took */
	bool no_globals;  /* do not print globals that are only written */
};

/** Fills *ret, allocated in script->arena. What is wrong is told to `diags`. */
void script_resolve(struct script *script, const struct resolve_options *options,
		    struct diag_list *diags, struct program *ret);
/** Tells, a line for each place, what will be planted and what of the same functions will not. */
void program_report(struct program *program, const struct resolve_options *options, FILE *out);
/** Closes what is not in the arena: debug information, types of headers. Comes before the kernel is closed. */
void program_deinit(struct program *program);
/** -l and -L: prints what the points of `pattern` match, a line each; returns how many. */
size_t probe_points_list(struct script *script, const struct probe *pattern,
			 const struct resolve_options *options, bool variables,
			 struct diag_list *diags, FILE *out);
/** The result as stap's -p2 shows it. */
void program_print(const struct program *program, FILE *out);

#endif
