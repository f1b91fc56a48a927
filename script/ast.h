/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/ast.h - the syntax tree of scripts.
 *
 * Pass 1 (parse.h) makes it, pass 2 resolves names and types in it, pass 3 translates it. All
 * nodes, strings and tokens are allocated from script->arena and live as long as the script. Every
 * node keeps the token that it is about, for messages.
 *
 * Slots for later passes are NULL or *_UNKNOWN after parsing: expr.type, the `var`, `function`
 * and `note` members. The structs behind them belong to those passes.
 *
 * What the parser has already done: comments, macros, conditionals, script arguments and braces
 * in probe points are expanded; adjacent string literals are one; -NUMBER is a number literal
 * where the grammar asks for a literal (elsewhere it is UNARY NEG).
 */
#ifndef SPILE_SCRIPT_AST_H
#define SPILE_SCRIPT_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "script/token.h"

struct function;
struct stmt;
struct expr;
struct variable;      /* resolver's: a global, local or parameter that a name refers to */
struct function_set;  /* resolver's: the overloads that a call may reach */
struct target_access; /* resolver's: how a target variable is fetched */

enum value_type { TYPE_UNKNOWN, TYPE_LONG, TYPE_STRING, TYPE_STATS };

enum expr_kind {
#define EXPR(kind, member) EXPR_##kind,
#include "script/ast.def"
};

enum stmt_kind {
#define STMT(kind, member) STMT_##kind,
#include "script/ast.def"
};

enum op_group { OPS_ARITH, OPS_CONCAT, OPS_COMPARE, OPS_REGEX, OPS_LOGIC, OPS_UNARY, OPS_STEP,
		OPS_ASSIGN };

enum op {
#define OPERATOR(name, spelling, group) OP_##name,
#include "script/ast.def"
};

enum stat_op {
#define FUNNEL(name, word) STAT_##name,
#include "script/ast.def"
	STAT_NONE, /* foreach: not sorted by an aggregate */
};

struct expr_list {
	ARENA_LIST(struct expr *); /* .items[], .count */
};

/* --- target variables ------------------------------------------------------------------------ */

enum target_base {
	TARGET_DOLLAR, /* $name, $$vars, $return, $arg1, $stack0 ...; .name with its dollar(s) */
	TARGET_VAR,    /* @var("name[@file]"[, "module"]) */
	TARGET_CAST,   /* @cast(pointer, "type"[, "module"]) */
	TARGET_VALUE,  /* pointer->field: a script value, whose C type is that of its origin */
};

enum accessor_kind {
	ACCESS_FIELD, /* ->name; a dot is not in the grammar */
	ACCESS_INDEX, /* [expr]; .index is a NUMBER for the literal form */
};

struct accessor {
	enum accessor_kind kind;
	const struct token *tok;
	const char *field;
	struct expr *index;
};

enum target_pretty { PRETTY_NONE, PRETTY_SHALLOW /* $ */, PRETTY_DEEP /* $$ */ };

struct target {
	enum target_base base;
	const char *name;     /* DOLLAR: "$x"; VAR: the name without @file */
	const char *file;     /* VAR: what follows the @, or NULL */
	struct expr *pointer; /* CAST, VALUE */
	const char *type;     /* CAST: "task_struct" */
	const char *module;   /* CAST, VAR: "kernel", "kernel<linux/sched.h>", path; or NULL */
	struct {
		ARENA_LIST(struct accessor);
	} path;
	enum target_pretty pretty; /* $x$ $x->f$$: the value is a string */
	bool address;              /* &$x->f */
	bool is_written;           /* resolver: it is assigned to */
	struct target_access *access;
};

/* --- printing -------------------------------------------------------------------------------- */

enum { FORMAT_LEFT = 1, FORMAT_PLUS = 2, FORMAT_SPACE = 4, FORMAT_ALT = 8, FORMAT_ZERO = 16 };

/* One piece of a format string: literal text, or a conversion that takes an argument. */
struct format_part {
	char conversion; /* 0: text; else one of d i o u x X p b c s m M */
	uint8_t flags;   /* FORMAT_* */
	bool dynamic_width;     /* *: an argument of its own comes before the value */
	bool dynamic_precision; /* .* */
	int width;              /* -1: none */
	int precision;          /* -1: none */
	const char *text;       /* conversion 0; %% is decoded */
	size_t text_len;
};

struct print {
	const char *name; /* as written: "sprintln" */
	bool to_string;   /* sprint family: an expression of type string */
	bool newline;     /* ...ln */
	bool has_format;  /* printf sprintf */
	bool has_delimiter; /* printd printdln and their sprint forms */
	const char *delimiter; /* a literal */
	size_t delimiter_len;
	const char *format; /* as written, decoded */
	size_t format_len;
	struct {
		ARENA_LIST(struct format_part);
	} parts;
	struct expr_list args; /* without the format and the delimiter */
};

/* --- expressions ----------------------------------------------------------------------------- */

struct expr {
	enum expr_kind kind;
	enum value_type type;
	unsigned height; /* of the tree below, bounded by the parser: recursion is safe */
	const struct token *tok;
	union {
		int64_t number;
		struct {
			const char *data; /* NUL-terminated; may hold NULs */
			size_t len;
		} string;
		struct {
			const char *name;
			struct variable *var;
		} symbol;
		struct {
			struct expr *base; /* SYMBOL, or STAT of a histogram */
			struct expr_list keys;
		} index;
		struct {
			enum op op;
			struct expr *operand;
		} unary;
		struct {
			enum op op; /* OP_INC, OP_DEC */
			bool prefix;
			struct expr *operand; /* a place that can be written */
		} step;
		struct {
			enum op op; /* ASSIGN: OP_SET, OP_SAMPLE, else the operator of op= */
			struct expr *left, *right;
			size_t regex; /* =~ and !~: number of program.regexes */
		} binary;
		struct {
			struct expr *cond, *yes, *no;
		} ternary;
		struct {
			struct expr_list keys; /* NULL elements for * */
			struct expr *base;
		} member;
		struct {
			const char *name;
			struct expr_list args;
			struct function_set *functions;
		} call;
		struct print *print;
		struct {
			enum stat_op op;
			struct expr *stat;   /* SYMBOL or INDEX */
			int64_t params[3];   /* HIST_LINEAR low high width; VARIANCE shift */
			size_t param_count;
		} stat;
		struct target *target;
		struct {
			struct expr *operand;
		} wrapped;
		struct {
			const char *name;
			const char *module; /* ENUM only, may be NULL */
		} named;
		struct {
			bool user; /* @u...: the process's, not the kernel's */
			struct expr *size;
			struct expr *address;
		} machine;
		struct embedded *embedded;
	};
	void *note; /* for one later pass at a time */
};

/* --- statements ------------------------------------------------------------------------------ */

struct foreach_key {
	const char *name;
	const struct token *tok;
	struct variable *var;
};

struct stmt {
	enum stmt_kind kind;
	const struct token *tok;
	union {
		struct {
			ARENA_LIST(struct stmt *);
			const struct token *end; /* the closing brace */
		} block;
		struct expr *expr; /* EXPR, RETURN (NULL: no value), DELETE */
		struct {
			struct expr *cond;
			struct stmt *then, *otherwise; /* otherwise may be NULL */
		} branch;
		struct {
			struct expr *init, *cond, *next; /* FOR: each may be NULL */
			struct stmt *body;
		} loop;
		struct {
			struct {
				ARENA_LIST(struct foreach_key);
			} keys;
			struct foreach_key *value; /* value = [keys] in ...; NULL: none */
			struct expr *base;         /* SYMBOL, or STAT of a histogram */
			struct expr_list slice;    /* in base[1,*]: NULL elements for *; empty: all */
			int sort_direction;        /* 0 none, 1 ascending +, -1 descending - */
			int sort_key;              /* 0: by value; n: by the nth key */
			enum stat_op sort_stat;    /* base @count -: by this aggregate of the value */
			struct expr *limit;        /* NULL: none */
			struct stmt *body;
		} foreach;
		struct {
			struct stmt *body, *handler;
			struct foreach_key *message; /* catch (message); NULL: not captured */
		} trial;
		struct embedded *embedded;
	};
	void *note;
};

/* C between %{ and %}. Pragmas are comments in it, see embedded_has_pragma(). */
struct embedded {
	const struct token *tok;
	const char *code;
	size_t len;
};

/* --- top level ------------------------------------------------------------------------------- */

/* kernel . function("vfs_*") . return: one element of it. */
struct component {
	const struct token *tok;
	const char *name;  /* may hold * as a wildcard */
	struct expr *arg;  /* NUMBER or STRING; NULL without parentheses */
};

/* Points that braces made of one text share their .arg and .condition nodes. */
struct probe_point {
	const struct token *tok;
	struct {
		ARENA_LIST(struct component);
	} components;
	bool optional;    /* ?: no error when nothing matches */
	bool sufficient;  /* !: if it matches, the following ones of the probe are dropped */
	struct expr *condition; /* if (...), or NULL */
};

struct probe {
	const struct token *tok; /* the word probe */
	/* alias only: probe NAME [= NAME2] = points; empty for a probe that is planted */
	struct {
		ARENA_LIST(struct probe_point *);
	} names;
	bool epilogue; /* alias with +=: the body runs after the user's */
	struct {
		ARENA_LIST(struct probe_point *);
	} points;
	struct stmt *body;  /* BLOCK */
	struct stmt *after; /* alias with two blocks: body runs before the user's, this after; or NULL */
	struct script_file *file;
	void *note;
};

struct parameter {
	const char *name;
	const struct token *tok;
	enum value_type type; /* UNKNOWN: to be inferred */
	struct variable *var;
};

struct function {
	const char *name;
	const struct token *tok; /* the name */
	bool is_private;
	enum value_type type; /* declared type; UNKNOWN: to be inferred */
	struct {
		ARENA_LIST(struct parameter);
	} params;
	bool has_priority;
	int64_t priority;
	struct stmt *body; /* BLOCK, or EMBEDDED */
	struct script_file *file;
	void *note;
};

struct global {
	const char *name;
	const struct token *tok;
	bool is_private;
	bool wraps;          /* %: the oldest entry makes room */
	bool is_array;       /* [] or [size] was written; without it use decides */
	int64_t size;        /* 0: default */
	struct expr *value;  /* NUMBER or STRING; NULL: none */
	struct script_file *file;
	struct variable *var;
};

enum item_kind { ITEM_PROBE, ITEM_ALIAS, ITEM_FUNCTION, ITEM_GLOBAL, ITEM_EMBEDDED };

/* What stands at top level, in the order of the text. */
struct item {
	enum item_kind kind;
	union {
		struct probe *probe; /* PROBE, ALIAS */
		struct function *function;
		struct global *global;
		struct embedded *embedded;
	};
};

struct script_file {
	const struct source *source;
	bool is_tapset; /* library: private names, lower priority, embedded C without guru mode */
	struct {
		ARENA_LIST(struct item);
	} items;
};

struct script {
	struct arena arena;
	struct {
		ARENA_LIST(struct script_file *);
	} files; /* in the order of parsing; the user's script first by convention */
	struct macro_table *macros; /* library macros of .stpm files, see parse.h */
};

/** The spelling of an operator, and its group; the word of a statistics operator. */
const char *op_spelling(enum op op);
enum op_group op_group(enum op op);
const char *stat_op_word(enum stat_op op);
/** print(@hist_log(s)) and its kin: the one argument is a histogram. */
bool print_histogram(const struct print *print);
const char *expr_kind_name(enum expr_kind kind);
const char *stmt_kind_name(enum stmt_kind kind);
const char *value_type_name(enum value_type type);

/** Whether C code carries the comment with just this pragma in it, such as "pure". */
bool embedded_has_pragma(const struct embedded *embedded, const char *pragma);

#endif
