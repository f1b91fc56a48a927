/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * codegen/codegen_private.h - the state of a translation, and what the files of pass 3 share.
 *
 * Expressions are made into statements and an operand: gen_expr() appends what must happen first
 * to g->out and gives C text that names the value, free of side effects. So C's freedom in the
 * order of evaluation never shows: what must happen in order is in statements of its own.
 */
#ifndef SPILE_CODEGEN_PRIVATE_H
#define SPILE_CODEGEN_PRIVATE_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "codegen/codegen.h"

/* A print format, interned by text and types. */
struct gen_format {
	const char *text, *types;
};

struct gen {
	const struct program *program;
	const struct codegen_options *options;
	struct arena arena; /* texts of operands */
	struct {
		ARENA_LIST(struct gen_format);
	} formats;
	/* by number of global */
	bool *locked; /* has a lock */
	bool *shared; /* is added to without one, see runtime/script.h */
	bool sharing; /* timers read what is shared, so adding must be stopped for them */
	/* the body that is being translated */
	struct strbuf *out;
	unsigned indent;
	unsigned temps;             /* C variables made so far, for their names */
	unsigned labels;
	size_t local_slots;         /* string slots of locals, the lowest ones */
	size_t next_slot, max_slot; /* temporaries of the statement; the most that were needed */
	const char *fail;           /* label to leave by when an error is raised */
	const struct body *body;
	bool in_function;           /* `next` hands over to another overload */
	const char *next_iteration; /* label of `continue` */
};

/* A value in C. Strings are `const char *`. */
struct operand {
	const char *text;
	bool stable; /* it stays as it is whatever else the statement does */
	bool global; /* it lies in a global, which called functions may change */
	int slot;    /* the temporary string slot that holds it, or -1 */
};

/* operand.c */
/** Appends one indented line. */
void gen_line(struct gen *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *gen_text(struct gen *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A C string literal for any bytes. */
const char *gen_literal(struct gen *g, const char *data, size_t len);
/** "identifier 'x' at FILE:L:C" as a C literal. */
const char *gen_place(struct gen *g, const struct token *tok);
struct operand operand_of(const char *text, bool stable);
/** A new temporary string slot. */
struct operand gen_slot(struct gen *g);
/** Puts a number into a C variable of its own; `check`: leave when that raised an error. */
struct operand gen_temp(struct gen *g, const char *text, bool check);
/** Makes an operand that nothing later in the statement can change. */
struct operand gen_stable(struct gen *g, struct operand op, enum value_type type);
/** Whether evaluating it can change a variable. */
bool expr_has_effects(const struct gen *g, struct expr *e);
/** Evaluates several in order, each safe from what the later ones do. */
void gen_list(struct gen *g, struct expr *const *items, size_t count, struct operand *ret);
/** What a variable is called in C. */
const char *gen_variable(struct gen *g, const struct variable *var);
/** Stores a value in a scalar variable. */
void gen_store(struct gen *g, const struct variable *var, const char *value);

/* How a global without a lock is added to: it is shared. */
bool is_shared(const struct gen *g, const struct variable *var);

/* An array element that is about to be changed: the map and its keys, good for several uses. */
struct element {
	const char *map;
	const char *keys;
};

/* expr.c */
struct operand gen_expr(struct gen *g, struct expr *e);
/** For its effects only. */
void gen_discard(struct gen *g, struct expr *e);
/** `(union spl_val[]){...}` of evaluated keys or arguments. */
const char *gen_values(struct gen *g, struct expr *const *items, const struct operand *ops,
		       size_t count);

/* Which keys of a slice are *: a bit each, from 0. */
unsigned slice_any(const struct expr_list *keys);
/* The keys of an element or slice, evaluated. */
const char *gen_keys(struct gen *g, const struct expr_list *keys);

/* assign.c */
/** The keys, and then the value that goes in (NULL: none), in this order. */
struct element gen_element(struct gen *g, struct expr *place, struct expr *value,
                           struct operand *ret_value);
struct operand gen_assign(struct gen *g, struct expr *e, bool discard);
struct operand gen_step(struct gen *g, struct expr *e, bool discard);
/** left OP right on numbers or strings. */
struct operand gen_arith(struct gen *g, const struct expr *e, enum op op, struct operand left,
			 struct operand right);

/* call.c */
struct operand gen_call(struct gen *g, struct expr *e);

/* stats.c */
/** The C definition of what a statistic keeps, s_NAME. */
const char *gen_stat_type(struct gen *g, const struct variable *var);
struct operand gen_sample(struct gen *g, struct expr *e);
struct operand gen_stat(struct gen *g, struct expr *e);
struct operand gen_bucket(struct gen *g, struct expr *e);
struct operand gen_histogram(struct gen *g, const struct print *print, size_t format);
/** Opens the loop; the body and the closing brace are the caller's. */
void gen_foreach_bucket(struct gen *g, struct stmt *st);

/* print.c */
/** The number of a format in the script's table. */
size_t gen_format(struct gen *g, const char *text, const char *types);
struct operand gen_print(struct gen *g, struct expr *e);

/* target.c */
struct operand gen_target(struct gen *g, struct expr *e);
/** $x = value, $x += value; $x++ and --$x. */
struct operand gen_target_assign(struct gen *g, struct expr *e);
struct operand gen_target_step(struct gen *g, struct expr *e);

/* location.c: variables by debug information; `place` is for errors */
/** A symbol that the fitter binds, plus an offset; a NULL name: the offset alone. */
const char *gen_symbol_address(struct gen *g, const char *name, int64_t offset);
const char *gen_location_address(struct gen *g, const struct target_access *access,
				 const char *place);
/** access->part_bits bits of the variable, zero-extended, from access->part on. */
const char *gen_location_bits(struct gen *g, const struct target_access *access,
			      const char *place);
/** Where struct pt_regs has the register of a DWARF number; -1: nowhere. */
int gen_register_offset(int64_t number);
/** The same of the one register that the location is in. */
int gen_location_register(const struct target_access *access);

/* embedded.c: C code of the script */
void gen_embedded_top(struct gen *g);
const char *gen_embedded_function(struct gen *g, const struct function_info *info);
void gen_embedded_stmt(struct gen *g, const struct stmt *st);
struct operand gen_embedded_expr(struct gen *g, const struct expr *e);

/* stmt.c */
void gen_stmt(struct gen *g, struct stmt *st);
/** A statement as a block of its own, its actions counted. */
void gen_block(struct gen *g, struct stmt *st);

/* function.c: whole definitions, as text of the arena */
const char *gen_function_declaration(struct gen *g, const struct function_info *info);
/** The head of the definition: of an overload that stands behind the function's own name, if it has
 *  fallbacks or is one. */
const char *gen_function_head(struct gen *g, const struct function_info *info);
bool is_overload(const struct function_info *info);
const char *gen_function_definition(struct gen *g, const struct function_info *info,
				    size_t *ret_frame);
/** All of a handler but its name: "(struct spl_ctx *c)\n{...}". */
const char *gen_handler(struct gen *g, const struct body *body, size_t *ret_frame);
/** Whether a function hands back a value, and of which type. */
bool function_has_value(const struct function_info *info);

/* regex.c */
/** The tables of the program's regular expressions, r_0 and so on. */
void gen_regexes(const struct gen *g, struct strbuf *out);
/** " + " and the bytes of the frame area that a match takes, in C; "" for none. */
const char *gen_regex_frame(struct gen *g);

/* timing.c: -t. What handlers note with, a handler's wrapper timed_N, what prints the table. */
void gen_timing_recorder(struct gen *g);
void gen_timing_handler(struct gen *g, size_t handler);
void gen_timing_report(struct gen *g);

/* meta.c */
void gen_meta(struct gen *g, struct strbuf *out);

#endif
