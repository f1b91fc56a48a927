// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statements. A block counts its own statements against the action budget when it is entered, and
 * a loop counts one for each round, so that an empty loop ends too. `continue` jumps to a label,
 * since what must be done before a loop's condition can be statements of its own.
 */
#include "codegen/codegen_private.h"

#include <string.h>

static void open_block(struct gen *g, const char *head)
{
	gen_line(g, "%s{", head);
	g->indent++;
}

static void close_block(struct gen *g)
{
	g->indent--;
	gen_line(g, "}");
}

static void gen_actions(struct gen *g, size_t count, const struct token *tok)
{
	if (count)
		gen_line(g, "ACTIONS(%zu, %s, %s);", count, gen_place(g, tok), g->fail);
}

/* The statements of a block, without braces of its own. */
static void gen_contents(struct gen *g, struct stmt *st)
{
	if (st->kind != STMT_BLOCK) {
		gen_actions(g, st->kind != STMT_NULL, st->tok);
		gen_stmt(g, st);
		return;
	}
	gen_actions(g, st->block.count, st->tok);
	for (size_t i = 0; i < st->block.count; i++)
		gen_stmt(g, st->block.items[i]);
}

void gen_block(struct gen *g, struct stmt *st)
{
	open_block(g, "");
	gen_contents(g, st);
	close_block(g);
}

static void gen_if(struct gen *g, struct stmt *st)
{
	struct operand cond = gen_expr(g, st->branch.cond);

	open_block(g, gen_text(g, "if (%s) ", cond.text));
	gen_contents(g, st->branch.then);
	close_block(g);
	if (!st->branch.otherwise)
		return;
	open_block(g, "else ");
	gen_contents(g, st->branch.otherwise);
	close_block(g);
}

/* --- loops ------------------------------------------------------------------------------------ */

/* The body, with its own target for `continue`. */
static void gen_loop_body(struct gen *g, struct stmt *body)
{
	const char *outer = g->next_iteration;

	g->next_iteration = gen_text(g, "next_%u", g->labels++);
	gen_block(g, body);
	gen_line(g, "%s: ;", g->next_iteration);
	g->next_iteration = outer;
}

static void gen_for(struct gen *g, struct stmt *st)
{
	if (st->loop.init)
		gen_discard(g, st->loop.init);
	open_block(g, "for (;;) ");
	gen_actions(g, 1, st->tok);
	if (st->loop.cond)
		gen_line(g, "if (!(%s)) break;", gen_expr(g, st->loop.cond).text);
	gen_loop_body(g, st->loop.body);
	if (st->loop.next) {
		open_block(g, "");
		gen_discard(g, st->loop.next);
		close_block(g);
	}
	close_block(g);
}

static void load_key(struct gen *g, const struct foreach_key *key, const char *call)
{
	if (key->var->read || key->var->kind == VAR_GLOBAL)
		gen_store(g, key->var, call);
}

static char letter(enum value_type type)
{
	return type == TYPE_STRING ? 's' : 'n';
}

/* spl_map_sort()'s word for what the loop is sorted by. */
static int sort_word(const struct stmt *st)
{
	if (st->foreach.sort_key || st->foreach.sort_stat == STAT_NONE)
		return st->foreach.sort_key;
	return -1 - (int)st->foreach.sort_stat;
}

static void load_value(struct gen *g, const struct stmt *st, const char *map, const char *entry)
{
	const struct variable *array = st->foreach.base->symbol.var;
	const struct foreach_key *value = st->foreach.value;

	if (array->value.type == TYPE_STATS)
		gen_line(g, "spl_entry_samples(%s, %s, &%s);", map, entry,
		         gen_variable(g, value->var));
	else
		load_key(g, value,
		         gen_text(g, "spl_entry_value_%c(%s, %s)", letter(array->value.type), map,
		                  entry));
}

static void load_entry(struct gen *g, const struct stmt *st, const char *map, const char *entry)
{
	const struct variable *array = st->foreach.base->symbol.var;

	for (size_t i = 0; i < st->foreach.keys.count; i++)
		load_key(g, &st->foreach.keys.items[i],
		         gen_text(g, "spl_entry_key_%c(%s, %s, %zu)", letter(array->keys[i].type),
		                  map, entry, i + 1));
	if (st->foreach.value)
		load_value(g, st, map, entry);
}

/* foreach ([a, b] in x[1, *]): entries with another key are passed over. */
static void skip_outside_slice(struct gen *g, const struct stmt *st, const char *map,
                               const char *entry, const struct operand *slice)
{
	for (size_t i = 0; i < st->foreach.slice.count; i++) {
		if (!st->foreach.slice.items[i])
			continue;
		if (st->foreach.slice.items[i]->type == TYPE_STRING)
			gen_line(g, "if (spl_str_cmp(spl_entry_key_s(%s, %s, %zu), %s))", map,
			         entry, i + 1, slice[i].text);
		else
			gen_line(g, "if (spl_entry_key_n(%s, %s, %zu) != %s)", map, entry, i + 1,
			         slice[i].text);
		gen_line(g, "\tcontinue;");
	}
}

static void gen_slice(struct gen *g, const struct stmt *st, struct operand *ret)
{
	for (size_t i = 0; i < st->foreach.slice.count; i++)
		if (st->foreach.slice.items[i])
			ret[i] = gen_stable(g, gen_expr(g, st->foreach.slice.items[i]),
			                    st->foreach.slice.items[i]->type);
}

/* A loop over a histogram's buckets, or over an array's entries. */
static void gen_bucket_loop(struct gen *g, struct stmt *st)
{
	const char *limit = NULL;

	open_block(g, "");
	if (st->foreach.limit)
		limit = gen_temp(g, gen_expr(g, st->foreach.limit).text, false).text;
	gen_foreach_bucket(g, st);
	gen_actions(g, 1, st->tok);
	if (limit)
		gen_line(g, "if (%s-- <= 0) break;", limit);
	gen_loop_body(g, st->foreach.body);
	close_block(g);
	close_block(g);
}

static void gen_foreach(struct gen *g, struct stmt *st)
{
	const char *map = gen_variable(g, st->foreach.base->symbol.var);
	const char *entry = gen_text(g, "e%u", g->temps++), *limit = "-1";
	struct operand slice[RESOLVE_KEYS_MAX];
	size_t kept = g->local_slots;

	open_block(g, "");
	gen_line(g, "struct spl_map_entry *%s;", entry);
	gen_slice(g, st, slice);
	if (st->foreach.limit)
		limit = gen_temp(g, gen_expr(g, st->foreach.limit).text, false).text;
	g->local_slots = g->next_slot; /* the slice's strings live as long as the loop */
	if (st->foreach.sort_direction)
		gen_line(g, "spl_map_sort(%s, %d, %d, %s);", map, sort_word(st),
		         st->foreach.sort_direction, st->foreach.slice.count ? "-1" : limit);
	open_block(g, gen_text(g, "for (%s = spl_map_first(%s); %s; %s = spl_map_next(%s, %s)) ",
	                       entry, map, entry, entry, map, entry));
	skip_outside_slice(g, st, map, entry, slice);
	gen_actions(g, 1, st->tok);
	if (st->foreach.limit)
		gen_line(g, "if (%s-- <= 0) break;", limit);
	load_entry(g, st, map, entry);
	gen_loop_body(g, st->foreach.body);
	close_block(g);
	close_block(g);
	g->local_slots = kept;
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void gen_return(struct gen *g, struct stmt *st)
{
	struct operand op;

	if (st->expr) {
		op = gen_expr(g, st->expr);
		if (st->expr->type == TYPE_STRING)
			gen_line(g, "spl_str_copy(ret, SIZE, %s);", op.text);
		else if (st->expr->type == TYPE_LONG)
			gen_line(g, "ret = %s;", op.text);
	}
	gen_line(g, "goto out;");
}

static void gen_delete(struct gen *g, struct expr *place)
{
	const struct variable *var;

	if (place->kind == EXPR_INDEX) {
		const char *keys = gen_keys(g, &place->index.keys);
		unsigned any = slice_any(&place->index.keys);

		var = place->index.base->symbol.var;
		if (any)
			gen_line(g, "spl_map_delete_slice(%s, %s, %u);", gen_variable(g, var), keys,
			         any);
		else
			gen_line(g, "spl_map_delete(%s, %s);", gen_variable(g, var), keys);
		return;
	}
	var = place->symbol.var;
	if (var->is_array && var->key_count)
		gen_line(g, "spl_map_clear(%s);", gen_variable(g, var));
	else if (!var->is_array && var->value.type == TYPE_STATS)
		gen_line(g, "spl_stat_clear(&g_%s);", var->name);
	else if (!var->is_array)
		gen_store(g, var, var->value.type == TYPE_STRING ? "\"\"" : "0");
}

/* An error in the body jumps to the handler, which takes the error away and goes on. */
static void gen_try(struct gen *g, struct stmt *st)
{
	const char *outer = g->fail, *label = gen_text(g, "catch_%u", g->labels);
	const char *end = gen_text(g, "end_%u", g->labels++);

	g->fail = label;
	gen_block(g, st->trial.body);
	g->fail = outer;
	gen_line(g, "goto %s;", end);
	gen_line(g, "%s: ;", label);
	gen_line(g, "if (c->aborted) goto %s;", outer);
	if (st->trial.message)
		gen_store(g, st->trial.message->var, "c->error ? c->error : \"\"");
	gen_line(g, "c->error = c->error_place = 0;");
	gen_block(g, st->trial.handler);
	gen_line(g, "%s: ;", end);
}

static void gen_kind(struct gen *g, struct stmt *st)
{
	switch (st->kind) {
	case STMT_BLOCK:
		gen_contents(g, st);
		break;
	case STMT_EXPR:
		gen_discard(g, st->expr);
		break;
	case STMT_IF:
		gen_if(g, st);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		gen_for(g, st);
		break;
	case STMT_FOREACH:
		if (st->foreach.base->kind == EXPR_STAT)
			gen_bucket_loop(g, st);
		else
			gen_foreach(g, st);
		break;
	case STMT_RETURN:
		gen_return(g, st);
		break;
	case STMT_DELETE:
		gen_delete(g, st->expr);
		break;
	case STMT_NEXT:
		if (g->in_function)
			gen_line(g, "*spl_next = 1;");
		gen_line(g, "goto out;");
		break;
	case STMT_BREAK:
		gen_line(g, "break;");
		break;
	case STMT_CONTINUE:
		gen_line(g, "goto %s;", g->next_iteration);
		break;
	case STMT_TRY:
		gen_try(g, st);
		break;
	case STMT_EMBEDDED:
		gen_embedded_stmt(g, st);
		break;
	case STMT_NULL:
		break;
	}
}

/* Each statement is a C block, which ends the life of its temporaries. Plain jumps need none. */
void gen_stmt(struct gen *g, struct stmt *st)
{
	size_t slots = g->next_slot;
	bool plain = st->kind == STMT_NULL || st->kind == STMT_NEXT || st->kind == STMT_BREAK ||
	             st->kind == STMT_CONTINUE;

	g->next_slot = g->local_slots;
	if (plain) {
		gen_kind(g, st);
	} else {
		open_block(g, "");
		gen_kind(g, st);
		close_block(g);
	}
	g->next_slot = slots;
}
