// SPDX-License-Identifier: GPL-2.0-only
#include "codegen/codegen_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/walk.h"

/* --- text ------------------------------------------------------------------------------------- */

void gen_line(struct gen *g, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (unsigned i = 0; i < g->indent; i++)
		strbuf_addc(g->out, '\t');
	strbuf_adds(g->out, text);
	strbuf_addc(g->out, '\n');
	free(text);
}

const char *gen_text(struct gen *g, const char *fmt, ...)
{
	char *text, *kept;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	kept = arena_strdup(&g->arena, text);
	free(text);
	return kept;
}

/* Octal escapes of three digits never swallow a digit that follows. */
static void add_escaped(struct strbuf *sb, unsigned char ch)
{
	if (ch == '"' || ch == '\\')
		strbuf_addf(sb, "\\%c", ch);
	else if (ch == '\n')
		strbuf_adds(sb, "\\n");
	else if (ch < ' ' || ch >= 0x7f || ch == '?')
		strbuf_addf(sb, "\\%03o", ch);
	else
		strbuf_addc(sb, (char)ch);
}

const char *gen_literal(struct gen *g, const char *data, size_t len)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb);
	strbuf_addc(&sb, '"');
	for (size_t i = 0; i < len; i++)
		add_escaped(&sb, (unsigned char)data[i]);
	strbuf_addc(&sb, '"');
	text = arena_strdup(&g->arena, sb.data);
	strbuf_deinit(&sb);
	return text;
}

static const char *token_word(const struct token *tok)
{
	return tok->kind == TOKEN_IDENTIFIER ? "identifier"
	       : tok->kind == TOKEN_NUMBER   ? "number"
	       : tok->kind == TOKEN_STRING   ? "string"
	                                     : "operator";
}

const char *gen_place(struct gen *g, const struct token *tok)
{
	const char *text = gen_text(
	    g, "%s '%.*s' at %s:%u:%u", token_word(tok), (int)(tok->len < 40 ? tok->len : 40),
	    tok->source->text + tok->offset, tok->source->name, tok->line, tok->column);

	return gen_literal(g, text, strlen(text));
}

/* --- operands --------------------------------------------------------------------------------- */

struct operand operand_of(const char *text, bool stable)
{
	return (struct operand){.text = text, .stable = stable, .slot = -1};
}

struct operand gen_slot(struct gen *g)
{
	struct operand op = {.stable = true, .slot = (int)g->next_slot++};

	if (g->next_slot > g->max_slot)
		g->max_slot = g->next_slot;
	op.text = gen_text(g, "S(%d)", op.slot);
	return op;
}

struct operand gen_temp(struct gen *g, const char *text, bool check)
{
	const char *name = gen_text(g, "t%u", g->temps++);

	gen_line(g, "spl_s64 %s = %s;", name, text);
	if (check)
		gen_line(g, "CHECK(%s);", g->fail);
	return operand_of(name, true);
}

struct operand gen_stable(struct gen *g, struct operand op, enum value_type type)
{
	struct operand slot;

	if (op.stable)
		return op;
	if (type != TYPE_STRING)
		return gen_temp(g, op.text, false);
	slot = gen_slot(g);
	gen_line(g, "spl_str_copy(%s, SIZE, %s);", slot.text, op.text);
	return slot;
}

static bool call_has_effects(const struct gen *g, const struct expr *e)
{
	const struct function_info *callee = e->call.functions->function;
	bool found = callee && callee->body.impure;

	for (size_t i = 0; callee && i < g->program->globals.count; i++)
		found |= (callee->body.uses[i] & USE_CHANGE) != 0;
	return found;
}

struct effects {
	const struct gen *g;
	bool found;
};

static void note_effects(struct expr **slot, void *arg)
{
	struct effects *effects = arg;
	const struct expr *e = *slot;

	effects->found |= e->kind == EXPR_ASSIGN || e->kind == EXPR_STEP ||
	                  e->kind == EXPR_EMBEDDED ||
	                  (e->kind == EXPR_CALL && call_has_effects(effects->g, e));
	if (!effects->found)
		expr_each_child(*slot, note_effects, effects);
}

bool expr_has_effects(const struct gen *g, struct expr *e)
{
	struct effects effects = {.g = g};

	note_effects(&e, &effects);
	return effects.found;
}

void gen_list(struct gen *g, struct expr *const *items, size_t count, struct operand *ret)
{
	for (size_t i = 0; i < count; i++) {
		bool later = false;

		for (size_t j = i + 1; j < count; j++)
			later |= expr_has_effects(g, items[j]);
		ret[i] = gen_expr(g, items[i]);
		if (later)
			ret[i] = gen_stable(g, ret[i], items[i]->type);
	}
}

/* --- variables -------------------------------------------------------------------------------- */

bool is_shared(const struct gen *g, const struct variable *var)
{
	return var->kind == VAR_GLOBAL && g->shared[var->number];
}

/* A shared number is brought together each time that it is named: functions may have added to it. */
const char *gen_variable(struct gen *g, const struct variable *var)
{
	if (is_shared(g, var) && !var->is_array)
		return gen_text(g, "(*spl_tally_fold(&g_%s))", var->name);
	return gen_text(g, "%s_%s", var->kind == VAR_GLOBAL ? "g" : "l", var->name);
}

void gen_store(struct gen *g, const struct variable *var, const char *value)
{
	const char *name = gen_variable(g, var);

	if (var->value.type == TYPE_STRING)
		gen_line(g, "spl_str_copy(%s, SIZE, %s);", name, value);
	else
		gen_line(g, "%s = %s;", name, value);
}
