// SPDX-License-Identifier: GPL-2.0-only
/*
 * Types by inference. A script declares hardly any: a literal, an operator, a format's conversion
 * or a run-time function says what its operands are, and that flows through variables, array keys,
 * parameters and results in both directions. So all bodies are walked again and again until
 * nothing new is learnt; each walk is silent. One more walk then reports: by then a place whose
 * type differs from what is wanted there is a conflict, told with the token that decided the other.
 *
 * infer() is given what the context wants (or UNKNOWN) and answers what the expression is; whoever
 * has the information first gives it to the other.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

struct inference {
	struct resolver *r;
	struct function_info *function; /* whose body it is, NULL: a probe's */
	bool changed;
	bool reporting;
};

static enum value_type infer(struct inference *in, struct expr *e, enum value_type want);
static void infer_stat(struct inference *in, struct expr *e);

static const char *type_word(enum value_type type)
{
	return type == TYPE_STRING ? "string" : type == TYPE_LONG ? "number" : "statistic";
}

/* `what` gets its type from the wanted one, or stands against it. */
static enum value_type unify(struct inference *in, struct inferred *what, enum value_type want,
                             const struct token *tok)
{
	if (want == TYPE_UNKNOWN || what->type == want)
		return what->type;
	if (what->type == TYPE_UNKNOWN) {
		what->type = want;
		what->tok = tok;
		in->changed = true;
		return want;
	}
	if (in->reporting) {
		diag_add(in->r->diags, tok, TYPE_MISMATCH, type_word(want), type_word(what->type));
		if (what->tok && what->tok != tok)
			diag_second(in->r->diags, what->tok,
			            what->type == TYPE_STRING  ? "it is a string because of this"
			            : what->type == TYPE_STATS ? "it is a statistic because of this"
			                                       : "it is a number because of this");
	}
	return what->type;
}

/* `what` learns a type that an expression turned out to have. If it has one already, it was wanted
 * of the expression, and a conflict has been told there. */
static void learn(struct inference *in, struct inferred *what, enum value_type got,
                  const struct token *tok)
{
	if (what->type == TYPE_UNKNOWN)
		unify(in, what, got, tok);
}

/* An expression whose type is fixed by what it is. */
static enum value_type is_of(struct inference *in, struct expr *e, enum value_type type,
                             enum value_type want)
{
	if (want != TYPE_UNKNOWN && want != type && in->reporting)
		diag_add(in->r->diags, e->tok, TYPE_MISMATCH, type_word(want), type_word(type));
	return type;
}

static enum value_type no_value(struct inference *in, struct expr *e, const char *name,
                                enum value_type want)
{
	if (want != TYPE_UNKNOWN && in->reporting)
		diag_add(in->r->diags, e->tok, NO_VALUE, name);
	return TYPE_UNKNOWN;
}

/* What is handed over: no statistic, even if the other side has been taken for one. */
static enum value_type infer_value(struct inference *in, struct expr *e, enum value_type want)
{
	return infer(in, e, want == TYPE_STATS ? TYPE_UNKNOWN : want);
}

/* --- variables -------------------------------------------------------------------------------- */

/* A statistic where a value is wanted: only <<< and the @operators take one. */
static void check_bare(struct inference *in, const struct expr *e, const struct variable *var,
                       enum value_type want)
{
	if (var->value.type == TYPE_STATS && want == TYPE_UNKNOWN && in->reporting)
		diag_add(in->r->diags, e->tok, BARE_STATISTIC, var->name);
}

static enum value_type infer_symbol(struct inference *in, struct expr *e, enum value_type want)
{
	struct variable *var = e->symbol.var;

	if (var->is_array) {
		if (in->reporting)
			diag_add(in->r->diags, e->tok, IS_AN_ARRAY, var->name);
		return var->value.type;
	}
	var->used_as_scalar = true;
	check_bare(in, e, var, want);
	return unify(in, &var->value, want, e->tok);
}

static bool check_key_count(struct inference *in, struct variable *var, size_t count,
                            const struct token *tok)
{
	if (!var->key_count && count <= RESOLVE_KEYS_MAX) {
		var->key_count = count;
		in->changed = true;
	}
	if (var->key_count == count)
		return true;
	if (in->reporting && count > RESOLVE_KEYS_MAX)
		diag_add(in->r->diags, tok, TOO_MANY_KEYS, var->name, count, RESOLVE_KEYS_MAX);
	else if (in->reporting)
		diag_add(in->r->diags, tok, KEY_COUNT, var->name, var->key_count, count);
	return false;
}

/* A key that is NULL is a *. */
static void infer_keys(struct inference *in, struct variable *var, struct expr_list *keys,
                       const struct token *tok)
{
	bool fits = check_key_count(in, var, keys->count, tok);

	for (size_t i = 0; i < keys->count; i++) {
		struct expr *key = keys->items[i];
		enum value_type got;

		if (!key)
			continue;
		got = infer(in, key, fits ? var->keys[i].type : TYPE_UNKNOWN);
		if (fits)
			learn(in, &var->keys[i], got, key->tok);
	}
}

static struct variable *array_of(struct inference *in, const struct expr *base)
{
	struct variable *var = base->kind == EXPR_SYMBOL ? base->symbol.var : NULL;

	if (var && var->kind != VAR_GLOBAL)
		return NULL; /* told when names were bound */
	if (var && (var->used_as_scalar || var->global->value) && in->reporting)
		diag_add(in->r->diags, base->tok, IS_A_SCALAR, var->name);
	return var;
}

/* --- statistics ------------------------------------------------------------------------------- */

/* The global that the samples of a place are in; NULL if they are in none. */
static struct variable *stat_variable(const struct expr *place)
{
	struct variable *var;

	if (place->kind == EXPR_INDEX)
		place = place->index.base;
	var = place->kind == EXPR_SYMBOL ? place->symbol.var : NULL;
	if (var && var->samples_of)
		return var->samples_of;
	return var && var->kind == VAR_GLOBAL ? var : NULL;
}

/* The variable or element before <<< or in an @operator. */
static void infer_stat_place(struct inference *in, struct expr *place, bool adds)
{
	const struct variable *local =
	    place->kind == EXPR_SYMBOL && place->symbol.var->kind != VAR_GLOBAL ? place->symbol.var
	                                                                        : NULL;

	infer(in, place, TYPE_STATS);
	if (local && (adds || !local->samples_of) && in->reporting)
		diag_add(in->r->diags, place->tok, LOCAL_STATISTIC, local->name);
}

static void tell_conflict(struct inference *in, const struct expr *e, const struct variable *var,
                          const struct token *other)
{
	if (!in->reporting)
		return;
	diag_add(in->r->diags, e->tok, STATISTIC_CONFLICT, var->name, stat_op_word(e->stat.op));
	diag_second(in->r->diags, other, "the others are here");
}

static void note_shift(struct inference *in, const struct expr *e, struct variable *var)
{
	int64_t shift = e->stat.param_count ? e->stat.params[0] : 0;

	if ((shift < 0 || shift > 62) && in->reporting)
		diag_add(in->r->diags, e->tok, VARIANCE_SHIFT);
	else if (var->stat.shift_tok && var->stat.shift != shift)
		tell_conflict(in, e, var, var->stat.shift_tok);
	if (var->stat.shift_tok)
		return;
	var->stat.shift = shift;
	var->stat.shift_tok = e->tok;
}

static void note_linear(struct inference *in, const struct expr *e, struct variable *var)
{
	const int64_t *v = e->stat.params;

	if (((uint64_t)v[1] - (uint64_t)v[0]) / (uint64_t)v[2] >= RESOLVE_BUCKETS_MAX) {
		if (in->reporting)
			diag_add(in->r->diags, e->tok, HISTOGRAM_BUCKETS, RESOLVE_BUCKETS_MAX);
		return;
	}
	if (var->stat.linear_tok && memcmp(var->stat.linear, v, sizeof(var->stat.linear)) != 0)
		tell_conflict(in, e, var, var->stat.linear_tok);
	if (var->stat.linear_tok)
		return;
	memcpy(var->stat.linear, v, sizeof(var->stat.linear));
	var->stat.linear_tok = e->tok;
}

/* Notes for the variable what is taken out of it. */
static void infer_stat(struct inference *in, struct expr *e)
{
	struct variable *var = stat_variable(e->stat.stat);

	infer_stat_place(in, e->stat.stat, false);
	if (!var)
		return;
	var->stat.ops |= 1u << e->stat.op;
	if (e->stat.op == STAT_VARIANCE)
		note_shift(in, e, var);
	else if (e->stat.op == STAT_HIST_LINEAR)
		note_linear(in, e, var);
}

static enum value_type infer_stat_value(struct inference *in, struct expr *e, enum value_type want)
{
	infer_stat(in, e);
	if (e->stat.op != STAT_HIST_LOG && e->stat.op != STAT_HIST_LINEAR)
		return is_of(in, e, TYPE_LONG, want);
	if (in->reporting)
		diag_add(in->r->diags, e->tok, BARE_HISTOGRAM, stat_op_word(e->stat.op));
	return TYPE_UNKNOWN;
}

static enum value_type infer_index(struct inference *in, struct expr *e, enum value_type want)
{
	struct variable *var = array_of(in, e->index.base);

	if (e->index.base->kind == EXPR_STAT) {
		infer_stat(in, e->index.base);
		infer(in, e->index.keys.items[0], TYPE_LONG);
		return is_of(in, e, TYPE_LONG, want);
	}
	if (!var)
		return TYPE_UNKNOWN;
	infer_keys(in, var, &e->index.keys, e->tok);
	check_bare(in, e, var, want);
	return unify(in, &var->value, want, e->tok);
}

static enum value_type infer_member(struct inference *in, struct expr *e, enum value_type want)
{
	struct variable *var = array_of(in, e->member.base);

	if (var)
		infer_keys(in, var, &e->member.keys, e->tok);
	return is_of(in, e, TYPE_LONG, want);
}

/* --- operators -------------------------------------------------------------------------------- */

/* Two expressions that must be of one type. */
static enum value_type infer_pair(struct inference *in, struct expr *a, struct expr *b,
                                  enum value_type want)
{
	enum value_type left = infer(in, a, want);
	enum value_type right = infer(in, b, left ? left : want);

	if (!left && right)
		left = infer(in, a, right);
	return left;
}

static enum value_type infer_binary(struct inference *in, struct expr *e, enum value_type want)
{
	enum op_group group = op_group(e->binary.op);
	enum value_type side = group == OPS_CONCAT ? TYPE_STRING : TYPE_LONG;

	if (group == OPS_COMPARE) {
		infer_pair(in, e->binary.left, e->binary.right, TYPE_UNKNOWN);
		return is_of(in, e, TYPE_LONG, want);
	}
	if (group == OPS_REGEX) {
		infer(in, e->binary.left, TYPE_STRING);
		return is_of(in, e, TYPE_LONG, want);
	}
	infer(in, e->binary.left, side);
	infer(in, e->binary.right, side);
	return is_of(in, e, side, want);
}

static enum value_type infer_assign(struct inference *in, struct expr *e, enum value_type want)
{
	enum value_type side = TYPE_LONG;

	if (e->binary.op == OP_SET)
		return infer_pair(in, e->binary.left, e->binary.right, want);
	if (e->binary.op == OP_SAMPLE) {
		infer_stat_place(in, e->binary.left, true);
		infer(in, e->binary.right, TYPE_LONG);
		return no_value(in, e, "<<<", want);
	}
	if (op_group(e->binary.op) == OPS_CONCAT)
		side = TYPE_STRING;
	infer(in, e->binary.left, side);
	infer(in, e->binary.right, side);
	return is_of(in, e, side, want);
}

/* --- calls ------------------------------------------------------------------------------------ */

static enum value_type infer_builtin(struct inference *in, struct expr *e, enum value_type want)
{
	const struct builtin *builtin = e->call.functions->builtin;
	enum value_type type = builtin_result_type(builtin);

	for (size_t i = 0; i < e->call.args.count; i++)
		infer(in, e->call.args.items[i], builtin_arg_type(builtin, i));
	return type ? is_of(in, e, type, want) : no_value(in, e, builtin->name, want);
}

static enum value_type infer_call(struct inference *in, struct expr *e, enum value_type want)
{
	struct function_info *callee = e->call.functions->function;

	if (!callee && e->call.functions->builtin)
		return infer_builtin(in, e, want);
	if (!callee) { /* told when names were bound */
		for (size_t i = 0; i < e->call.args.count; i++)
			infer(in, e->call.args.items[i], TYPE_UNKNOWN);
		return TYPE_UNKNOWN;
	}
	for (size_t i = 0; i < e->call.args.count; i++) {
		struct variable *param = callee->decl->params.items[i].var;
		enum value_type got = infer_value(in, e->call.args.items[i], param->value.type);

		learn(in, &param->value, got, e->call.args.items[i]->tok);
	}
	if (!callee->returns_value && callee->decl->type == TYPE_UNKNOWN)
		return no_value(in, e, callee->decl->name, want);
	return unify(in, &callee->result, want, e->tok);
}

static enum value_type conversion_type(char conversion)
{
	return conversion == 's' ? TYPE_STRING : TYPE_LONG;
}

static size_t count_wanted(const struct print *print)
{
	size_t wanted = 0;

	for (size_t i = 0; i < print->parts.count; i++)
		if (print->parts.items[i].conversion)
			wanted += 1 + print->parts.items[i].dynamic_width +
			          print->parts.items[i].dynamic_precision;
	return wanted;
}

static void infer_format(struct inference *in, const struct expr *e)
{
	const struct print *print = e->print;
	size_t next = 0;

	if (count_wanted(print) != print->args.count) {
		if (in->reporting)
			diag_add(in->r->diags, e->tok, FORMAT_ARGUMENTS, print->name,
			         count_wanted(print), print->args.count);
		return;
	}
	for (size_t i = 0; i < print->parts.count; i++) {
		const struct format_part *part = &print->parts.items[i];

		if (!part->conversion)
			continue;
		if (part->dynamic_width)
			infer(in, print->args.items[next++], TYPE_LONG);
		if (part->dynamic_precision)
			infer(in, print->args.items[next++], TYPE_LONG);
		infer(in, print->args.items[next++], conversion_type(part->conversion));
	}
}

static enum value_type infer_print(struct inference *in, struct expr *e, enum value_type want)
{
	struct print *print = e->print;

	if (print->has_format)
		infer_format(in, e);
	else if (print_histogram(print))
		infer_stat(in, print->args.items[0]);
	else
		for (size_t i = 0; i < print->args.count; i++)
			infer(in, print->args.items[i], TYPE_UNKNOWN);
	return print->to_string ? is_of(in, e, TYPE_STRING, want)
	                        : no_value(in, e, print->name, want);
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum value_type infer_target(struct inference *in, struct expr *e, enum value_type want)
{
	struct target *target = e->target;

	if (target->access)
		for (size_t i = 0; i < target->access->steps.count; i++)
			if (target->access->steps.items[i].index)
				infer(in, target->access->steps.items[i].index, TYPE_LONG);
	if (target->pointer)
		infer(in, target->pointer, TYPE_LONG);
	if (!target->access)
		return TYPE_UNKNOWN; /* told when it was looked for */
	return is_of(in, e, target->access->is_shown ? TYPE_STRING : TYPE_LONG, want);
}

static bool is_width(const struct expr *size)
{
	return size->kind == EXPR_NUMBER && (size->number == 1 || size->number == 2 ||
	                                     size->number == 4 || size->number == 8);
}

static enum value_type infer_deref(struct inference *in, struct expr *e, enum value_type want)
{
	if (!is_width(e->machine.size) && in->reporting)
		resolver_unsupported(in->r, e->tok, "%s of other sizes than 1, 2, 4, 8",
		                     e->machine.user ? "@uderef" : "@kderef");
	infer(in, e->machine.address, TYPE_LONG);
	return is_of(in, e, TYPE_LONG, want);
}

static enum value_type infer_kind(struct inference *in, struct expr *e, enum value_type want)
{
	switch (e->kind) {
	case EXPR_NUMBER:
		return is_of(in, e, TYPE_LONG, want);
	case EXPR_STRING:
		return is_of(in, e, TYPE_STRING, want);
	case EXPR_SYMBOL:
		return infer_symbol(in, e, want);
	case EXPR_INDEX:
		return infer_index(in, e, want);
	case EXPR_UNARY:
		infer(in, e->unary.operand, TYPE_LONG);
		return is_of(in, e, TYPE_LONG, want);
	case EXPR_STEP:
		infer(in, e->step.operand, TYPE_LONG);
		return is_of(in, e, TYPE_LONG, want);
	case EXPR_BINARY:
		return infer_binary(in, e, want);
	case EXPR_TERNARY:
		infer(in, e->ternary.cond, TYPE_LONG);
		return infer_pair(in, e->ternary.yes, e->ternary.no, want);
	case EXPR_ASSIGN:
		return infer_assign(in, e, want);
	case EXPR_MEMBER:
		return infer_member(in, e, want);
	case EXPR_CALL:
		return infer_call(in, e, want);
	case EXPR_PRINT:
		return infer_print(in, e, want);
	case EXPR_STAT:
		return infer_stat_value(in, e, want);
	case EXPR_TARGET:
		return infer_target(in, e, want);
	case EXPR_DEREF:
		return infer_deref(in, e, want);
	case EXPR_REGISTER:
		return is_of(in, e, TYPE_LONG, want);
	case EXPR_EMBEDDED:
		return is_of(in, e,
		             embedded_has_pragma(e->embedded, "string") ? TYPE_STRING : TYPE_LONG,
		             want);
	default:
		return TYPE_UNKNOWN; /* told as not supported when names were bound */
	}
}

static enum value_type infer(struct inference *in, struct expr *e, enum value_type want)
{
	enum value_type type = infer_kind(in, e, want);

	if (type != e->type) {
		e->type = type;
		in->changed = true;
	}
	return type;
}

/* --- statements ------------------------------------------------------------------------------- */

static void infer_slot(struct expr **slot, void *arg)
{
	infer(arg, *slot, TYPE_LONG);
}

static void infer_foreach_keys(struct inference *in, struct stmt *st, struct variable *array)
{
	for (size_t i = 0; i < st->foreach.keys.count; i++) {
		struct foreach_key *key = &st->foreach.keys.items[i];

		unify(in, &key->var->value, array->keys[i].type, key->tok);
		learn(in, &array->keys[i], key->var->value.type, key->tok);
	}
}

/* foreach (b in @hist_log(s)): the numbers of the buckets. */
static void infer_foreach_bucket(struct inference *in, struct stmt *st)
{
	const struct foreach_key *key = &st->foreach.keys.items[0];

	infer_stat(in, st->foreach.base);
	unify(in, &key->var->value, TYPE_LONG, key->tok);
	if (st->foreach.value)
		unify(in, &st->foreach.value->var->value, TYPE_LONG, st->foreach.value->tok);
	if (st->foreach.limit)
		infer(in, st->foreach.limit, TYPE_LONG);
	if (in->reporting && (st->foreach.keys.count > 1 || st->foreach.sort_direction))
		diag_add(in->r->diags, st->tok, HISTOGRAM_LOOP);
}

/* Sorting by an aggregate makes sense for statistics, and is how they are sorted. */
static void infer_sort(struct inference *in, struct stmt *st, struct variable *array)
{
	if (st->foreach.sort_stat != STAT_NONE)
		unify(in, &array->value, TYPE_STATS, st->foreach.base->tok);
	if (!st->foreach.sort_direction || st->foreach.sort_key || array->value.type != TYPE_STATS)
		return;
	if (st->foreach.sort_stat == STAT_NONE)
		st->foreach.sort_stat = STAT_COUNT;
	array->stat.ops |= 1u << st->foreach.sort_stat;
}

static void infer_foreach(struct inference *in, struct stmt *st)
{
	struct variable *array = array_of(in, st->foreach.base);
	struct foreach_key *value = st->foreach.value;

	if (st->foreach.base->kind == EXPR_STAT)
		infer_foreach_bucket(in, st);
	if (!array)
		return;
	infer_sort(in, st, array);
	if (check_key_count(in, array, st->foreach.keys.count, st->foreach.base->tok))
		infer_foreach_keys(in, st, array);
	if (value) {
		if (array->value.type == TYPE_STATS && value->var->kind == VAR_LOCAL)
			value->var->samples_of = array;
		unify(in, &value->var->value, array->value.type, value->tok);
		learn(in, &array->value, value->var->value.type, value->tok);
	}
	if (st->foreach.slice.count &&
	    !check_key_count(in, array, st->foreach.slice.count, st->foreach.base->tok))
		return;
	for (size_t i = 0; i < st->foreach.slice.count; i++)
		if (st->foreach.slice.items[i] && i < array->key_count)
			learn(in, &array->keys[i],
			      infer(in, st->foreach.slice.items[i], array->keys[i].type),
			      st->foreach.slice.items[i]->tok);
	if (st->foreach.limit)
		infer(in, st->foreach.limit, TYPE_LONG);
}

static void infer_return(struct inference *in, struct stmt *st)
{
	enum value_type got;

	if (!st->expr || !in->function)
		return;
	in->changed |= !in->function->returns_value;
	in->function->returns_value = true;
	got = infer_value(in, st->expr, in->function->result.type);
	learn(in, &in->function->result, got, st->expr->tok);
}

static void infer_stmt(struct stmt **slot, void *arg)
{
	struct inference *in = arg;
	struct stmt *st = *slot;

	switch (st->kind) {
	case STMT_EXPR:
		infer(in, st->expr, TYPE_UNKNOWN);
		break;
	case STMT_RETURN:
		infer_return(in, st);
		break;
	case STMT_DELETE:
		if (st->expr->kind == EXPR_INDEX)
			infer(in, st->expr, st->expr->index.base->symbol.var->value.type);
		break;
	case STMT_FOREACH:
		infer_foreach(in, st);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		if (st->loop.init)
			infer(in, st->loop.init, TYPE_UNKNOWN);
		if (st->loop.cond)
			infer(in, st->loop.cond, TYPE_LONG);
		if (st->loop.next)
			infer(in, st->loop.next, TYPE_UNKNOWN);
		break;
	case STMT_TRY:
		if (st->trial.message)
			unify(in, &st->trial.message->var->value, TYPE_STRING,
			      st->trial.message->tok);
		break;
	default:
		stmt_each_expr(st, infer_slot, in);
		break;
	}
	stmt_each_child(st, infer_stmt, in);
}

static void match_inferred(struct inference *in, struct inferred *a, struct inferred *b)
{
	learn(in, a, b->type, b->tok);
	learn(in, b, a->type, a->tok);
}

/* Overloads that hand over to each other take and give the same. */
static void infer_fallback(struct inference *in, struct function_info *info)
{
	struct function_info *next = info->fallback;

	if (!next)
		return;
	for (size_t i = 0; i < info->decl->params.count; i++)
		match_inferred(in, &info->decl->params.items[i].var->value,
		               &next->decl->params.items[i].var->value);
	match_inferred(in, &info->result, &next->result);
	in->changed |= info->returns_value != next->returns_value;
	info->returns_value = next->returns_value = info->returns_value || next->returns_value;
}

static void infer_all(struct inference *in)
{
	const struct program *program = in->r->program;

	for (size_t i = 0; i < program->functions.count; i++) {
		in->function = program->functions.items[i];
		infer_stmt(&in->function->body.stmt, in);
		infer_fallback(in, in->function);
	}
	in->function = NULL;
	for (size_t i = 0; i < program->probes.count; i++)
		if (program->probes.items[i]->body &&
		    (!i || program->probes.items[i]->body != program->probes.items[i - 1]->body))
			infer_stmt(&program->probes.items[i]->body->stmt, in);
}

/* --- what is still not known ------------------------------------------------------------------ */

static void settle_variable(struct inference *in, struct variable *var)
{
	if (var->value.type == TYPE_UNKNOWN && var->read && !diag_error_count(in->r->diags))
		diag_add(in->r->diags, var->tok, TYPE_UNRESOLVED, var->name);
	if (var->value.type == TYPE_UNKNOWN)
		var->value.type = TYPE_LONG; /* nobody looks at it */
	for (size_t i = 0; i < var->key_count; i++)
		if (var->keys[i].type == TYPE_UNKNOWN)
			var->keys[i].type = TYPE_LONG;
}

static void settle_body(struct inference *in, struct body *body)
{
	for (size_t i = 0; i < body->locals.count; i++)
		settle_variable(in, body->locals.items[i]);
}

static void settle(struct inference *in)
{
	const struct program *program = in->r->program;

	for (size_t i = 0; i < program->globals.count; i++)
		settle_variable(in, program->globals.items[i]);
	for (size_t i = 0; i < program->functions.count; i++)
		settle_body(in, &program->functions.items[i]->body);
	for (size_t i = 0; i < program->probes.count; i++)
		settle_body(in, program->probes.items[i]->body);
}

void resolve_types(struct resolver *r)
{
	struct inference in = {.r = r};
	const bool had_errors = diag_error_count(r->diags) != 0;

	do {
		in.changed = false;
		infer_all(&in);
	} while (in.changed);
	in.reporting = true;
	infer_all(&in);
	if (had_errors)
		return; /* what is not known may be so because of them */
	settle(&in);
	in.reporting = false;
	infer_all(&in); /* brings what was settled into the expressions */
}
