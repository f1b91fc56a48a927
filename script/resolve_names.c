// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names to things, in one body. A name is a parameter or local of the body, else a global; else
 * its first use makes a local of it. Locals need no declaration, so a mistyped name shows only as a
 * variable that is read but never assigned: that is an error here, with the nearest name.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/constants.h"
#include "script/walk.h"

struct scope {
	struct resolver *r;
	struct body *body;
};

static struct variable *find_local(struct scope *s, const char *name)
{
	for (size_t i = 0; i < s->body->locals.count; i++)
		if (!strcmp(s->body->locals.items[i]->name, name))
			return s->body->locals.items[i];
	return NULL;
}

/* Private ones are seen in their own file only, and before others there. */
static struct variable *find_global(struct scope *s, const char *name, const struct token *tok)
{
	const struct script_file *file = resolver_file_of(s->r, tok);
	struct variable *found = NULL;

	for (size_t i = 0; i < s->r->program->globals.count; i++) {
		struct variable *var = s->r->program->globals.items[i];

		if (strcmp(var->global->name, name))
			continue;
		if (var->global->file == file)
			return var;
		if (!var->global->is_private || s->r->sees_private)
			found = var;
	}
	return found;
}

static struct variable *find_variable(struct scope *s, const char *name, const struct token *tok)
{
	struct variable *var = find_local(s, name);
	size_t at = 0;

	if (var)
		return var;
	var = find_global(s, name, tok);
	while (!var && resolver_load(s->r, TAPSET_GLOBAL, name, &at))
		var = find_global(s, name, tok);
	if (var)
		var->wanted = true;
	return var;
}

static struct variable *add_local(struct scope *s, enum variable_kind kind, const char *name,
                                  const struct token *tok)
{
	struct variable *var = ARENA_NEW(s->r->arena, struct variable);

	var->kind = kind;
	var->name = name;
	var->tok = tok;
	var->number = s->body->locals.count;
	ARENA_APPEND(s->r->arena, &s->body->locals, var);
	return var;
}

static struct variable *name_variable(struct scope *s, const char *name, const struct token *tok)
{
	struct variable *var = find_variable(s, name, tok);

	return var ? var : add_local(s, VAR_LOCAL, name, tok);
}

static void mark_written(struct expr *place)
{
	if (place->kind == EXPR_INDEX)
		place = place->index.base;
	if (place->kind == EXPR_SYMBOL && place->symbol.var)
		place->symbol.var->written = place->symbol.var->reassigned = true;
}

/* --- expressions ------------------------------------------------------------------------------ */

static void bind_array(struct scope *s, struct expr *base)
{
	struct variable *var;

	if (base->kind != EXPR_SYMBOL)
		return;
	var = find_variable(s, base->symbol.name, base->tok);
	if (!var || var->kind != VAR_GLOBAL) {
		diag_add(s->r->diags, base->tok, UNKNOWN_ARRAY, base->symbol.name);
		if (!var) {
			diag_hint(s->r->diags, "add 'global %s' at the top of the script",
			          base->symbol.name);
			/* so that nothing else is told about it */
			name_variable(s, base->symbol.name, base->tok)->written = true;
		}
		return;
	}
	var->is_array = true;
}

static void tell_unsupported(struct scope *s, const struct expr *e)
{
	const char *what = e->kind == EXPR_ENTRY  ? "@entry outside of return probes"
	                   : e->kind == EXPR_PERF ? "@perf"
	                   : e->kind == EXPR_PROBEWRITE
	                       ? "@probewrite in a function; it tells of the probe that it is in"
	                   : e->kind == EXPR_REGISTER && e->machine.user
	                       ? "@uregister, registers of a process"
	                       : NULL;

	if (what)
		resolver_unsupported(s->r, e->tok, "%s", what);
}

/* x86-64's numbers of DWARF: 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, r8 to r15, rip. */
static void check_register(struct scope *s, const struct expr *e)
{
	const struct expr *number = e->machine.address;

	if (number->kind != EXPR_NUMBER || number->number < 0 || number->number > 16)
		diag_add(s->r->diags, number->tok, BAD_REGISTER, e->tok->text);
}

/* A header's constant, or the one that stands for an option. */
static bool find_const(const struct scope *s, const char *name, int64_t *ret)
{
	if (strcmp(name, "STP_SKIP_BADVARS"))
		return constant_find(name, ret);
	*ret = s->r->options->skip_badvars;
	return true;
}

/* @const("X") where X is no enumerator of the kernel, which resolve_target.c looks for. */
static void bind_const(struct scope *s, struct expr *e)
{
	const char *name = e->named.name;
	int64_t value;

	if (find_const(s, name, &value)) {
		e->kind = EXPR_NUMBER;
		e->number = value;
	} else if (embedded_defines(s->r, name)) {
		struct embedded *code = ARENA_NEW(s->r->arena, struct embedded);

		code->tok = e->tok;
		code->code = arena_printf(s->r->arena, " /* pure */ %s ", name);
		code->len = strlen(code->code);
		e->kind = EXPR_EMBEDDED;
		e->embedded = code;
	}
}

/* A string gives "\." to an expression as "."; who wrote that meant the dot itself. */
static void warn_lost_backslash(struct resolver *r, const struct token *tok)
{
	const char *at = tok->source->text + tok->offset, *end = at + tok->len;

	for (; at + 1 < end; at++) {
		if (*at != '\\')
			continue;
		at++;
		if (*at && strchr(".*+?()[]{}|^$dwsDWS", *at)) {
			diag_add(r->diags, tok, REGEX_ESCAPE, *at, *at, *at, *at);
			return;
		}
	}
}

/* Compiles the pattern, unless the program has it already. */
static void bind_regex(struct scope *s, struct expr *e)
{
	struct program *program = s->r->program;
	const struct expr *right = e->binary.right;
	struct regex *regex;
	const char *why;
	size_t offset;

	warn_lost_backslash(s->r, right->tok);
	for (size_t i = 0; i < program->regexes.count; i++) {
		if (strcmp(program->regexes.items[i]->pattern, right->string.data))
			continue;
		e->binary.regex = i;
		return;
	}
	regex = ARENA_NEW(s->r->arena, struct regex);
	why = regex_compile(s->r->arena, right->string.data, &offset, regex);
	if (why) {
		diag_add(s->r->diags, right->tok, BAD_REGEX, offset + 1, why);
		return;
	}
	e->binary.regex = program->regexes.count;
	ARENA_APPEND(s->r->arena, &program->regexes, regex);
}

static void bind_expr(struct expr **slot, void *arg)
{
	struct scope *s = arg;
	struct expr *e = *slot;

	if (e->kind == EXPR_INDEX)
		bind_array(s, e->index.base);
	else if (e->kind == EXPR_MEMBER)
		bind_array(s, e->member.base);
	else if (e->kind == EXPR_SYMBOL)
		e->symbol.var = name_variable(s, e->symbol.name, e->tok);
	else if (e->kind == EXPR_CALL)
		resolve_call(s->r, s->body, e);
	else if (e->kind == EXPR_TARGET || e->kind == EXPR_ENTRY)
		s->body->wants_place = true;
	else if (e->kind == EXPR_REGISTER && !e->machine.user)
		check_register(s, e);
	else if (e->kind == EXPR_CONST)
		bind_const(s, e);
	if (e->kind == EXPR_EMBEDDED)
		resolve_embedded_code(s->r, s->body, e->embedded);
	if (e->kind == EXPR_BINARY && op_group(e->binary.op) == OPS_REGEX)
		bind_regex(s, e);
	tell_unsupported(s, e);
	expr_each_child(e, bind_expr, s);
	if (e->kind == EXPR_ASSIGN)
		mark_written(e->binary.left);
	else if (e->kind == EXPR_STEP)
		mark_written(e->step.operand);
}

/* --- statements ------------------------------------------------------------------------------- */

static void bind_key(struct scope *s, struct foreach_key *key)
{
	if (!key)
		return;
	key->var = name_variable(s, key->name, key->tok);
	key->var->written = key->var->reassigned = true;
}

static void bind_foreach(struct scope *s, struct stmt *st)
{
	bind_array(s, st->foreach.base);
	for (size_t i = 0; i < st->foreach.keys.count; i++)
		bind_key(s, &st->foreach.keys.items[i]);
	bind_key(s, st->foreach.value);
}

static void bind_stmt(struct stmt **slot, void *arg)
{
	struct scope *s = arg;
	struct stmt *st = *slot;

	if (st->kind == STMT_EXPR && st->expr->kind == EXPR_EMBEDDED) {
		st->kind = STMT_EMBEDDED; /* nobody wants its value: it may be statements */
		st->embedded = st->expr->embedded;
	}
	if (st->kind == STMT_EMBEDDED)
		resolve_embedded_code(s->r, s->body, st->embedded);
	if (st->kind == STMT_FOREACH)
		bind_foreach(s, st);
	if (st->kind == STMT_TRY)
		bind_key(s, st->trial.message);
	/* delete and foreach take an array without an index, which is not a use as a scalar */
	if (st->kind == STMT_DELETE)
		mark_written(st->expr);
	stmt_each_expr(st, bind_expr, s);
	stmt_each_child(st, bind_stmt, s);
	if (st->kind == STMT_DELETE)
		mark_written(st->expr);
}

static void bind_params(struct scope *s, struct function_info *info)
{
	for (size_t i = 0; i < info->decl->params.count; i++) {
		struct parameter *param = &info->decl->params.items[i];

		param->var = add_local(s, VAR_PARAM, param->name, param->tok);
		param->var->written = true;
		if (param->type != TYPE_UNKNOWN) {
			param->var->value.type = param->type;
			param->var->value.tok = param->tok;
		}
	}
}

static void tell_never_written(struct scope *s, const struct variable *var)
{
	struct {
		ARENA_LIST(const char *);
	} names = {0};
	const char *near;

	for (size_t i = 0; i < s->body->locals.count; i++)
		if (s->body->locals.items[i]->written)
			ARENA_APPEND(s->r->arena, &names, s->body->locals.items[i]->name);
	for (size_t i = 0; i < s->r->program->globals.count; i++)
		ARENA_APPEND(s->r->arena, &names, s->r->program->globals.items[i]->name);
	near = diag_nearest(var->name, names.items, names.count);
	diag_add(s->r->diags, var->tok, UNKNOWN_VARIABLE, var->name);
	if (near)
		diag_hint(s->r->diags, "did you mean '%s'?", near);
	else if (builtin_exists(var->name))
		diag_hint(s->r->diags, "did you mean the function '%s()'?", var->name);
}

void resolve_names(struct resolver *r, struct body *body, struct function_info *function)
{
	struct scope scope = {.r = r, .body = body};

	if (function)
		bind_params(&scope, function);
	bind_stmt(&body->stmt, &scope);
	for (size_t i = 0; i < body->locals.count; i++)
		if (!body->locals.items[i]->written)
			tell_never_written(&scope, body->locals.items[i]);
}
