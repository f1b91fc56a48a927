// SPDX-License-Identifier: GPL-2.0-only
/* Calls: of script functions, and of the run-time by the templates of script/builtins.def. */
#include "codegen/codegen_private.h"

#include <string.h>

bool function_has_value(const struct function_info *info)
{
	return info->returns_value || info->decl->type != TYPE_UNKNOWN;
}

/* A string that the callee could change under its own feet is copied first. */
static void pass_strings(struct gen *g, const struct expr_list *args, struct operand *ops)
{
	for (size_t i = 0; i < args->count; i++)
		if (args->items[i]->type == TYPE_STRING && ops[i].global)
			ops[i] = gen_stable(g, ops[i], TYPE_STRING);
}

static struct operand gen_script_call(struct gen *g, struct expr *e)
{
	const struct function_info *callee = e->call.functions->function;
	const struct expr_list *args = &e->call.args;
	struct operand *ops = arena_alloc(&g->arena, (args->count + 1) * sizeof(*ops));
	struct operand result = operand_of("0", true);
	const char *call;
	bool text = function_has_value(callee) && callee->result.type == TYPE_STRING;

	gen_list(g, args->items, args->count, ops);
	pass_strings(g, args, ops);
	call = gen_text(g, "f_%s_%zu(c", callee->decl->name, callee->number);
	if (text) {
		result = gen_slot(g);
		call = gen_text(g, "%s, %s", call, result.text);
	}
	for (size_t i = 0; i < args->count; i++)
		call = gen_text(g, "%s, %s", call, ops[i].text);
	call = gen_text(g, "%s)", call);
	if (function_has_value(callee) && !text)
		return gen_temp(g, call, true);
	gen_line(g, "%s;", call);
	gen_line(g, "CHECK(%s);", g->fail);
	return result;
}

/* Fills in a template of builtins.def. `slot` is set when it asks for the room of a string. */
static const char *expand_template(struct gen *g, const struct expr *e, const struct operand *ops,
                                   struct operand *slot)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb);
	for (const char *p = e->call.functions->builtin->code; *p; p++) {
		if (*p != '$') {
			strbuf_addc(&sb, *p);
			continue;
		}
		p++;
		if (*p == 'd') {
			*slot = gen_slot(g);
			strbuf_addf(&sb, "%s, SIZE", slot->text);
		} else if (*p == 'p') {
			strbuf_adds(&sb, gen_place(g, e->tok));
		} else {
			strbuf_adds(&sb, ops[*p - '0'].text);
		}
	}
	text = arena_strdup(&g->arena, sb.data);
	strbuf_deinit(&sb);
	return text;
}

static struct operand gen_builtin(struct gen *g, struct expr *e)
{
	const struct builtin *builtin = e->call.functions->builtin;
	enum value_type type = builtin_result_type(builtin);
	bool fails = builtin->flags & BUILTIN_FAILS;
	struct operand ops[10], slot = operand_of(NULL, true);
	const char *code;

	gen_list(g, e->call.args.items, e->call.args.count, ops);
	code = expand_template(g, e, ops, &slot);
	if (type == TYPE_LONG)
		return gen_temp(g, code, fails);
	if (type == TYPE_STRING && !slot.text)
		return operand_of(code, true);
	gen_line(g, "%s;", code);
	if (fails)
		gen_line(g, "CHECK(%s);", g->fail);
	return slot.text ? slot : operand_of("0", true);
}

struct operand gen_call(struct gen *g, struct expr *e)
{
	return e->call.functions->function ? gen_script_call(g, e) : gen_builtin(g, e);
}
