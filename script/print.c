// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree as script text. Parsing the text again gives an equal tree (script_file_dump() shows it),
 * which the tests hold every example to. Nested operators get parentheses instead of thought;
 * statements end in semicolons, so that none runs into the next.
 */
#include <inttypes.h>
#include <string.h>

#include "script/parse.h"

static void print_indent(int indent, FILE *out)
{
	fprintf(out, "%*s", indent * 2, "");
}

static void print_escaped(const char *data, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < 32 || c == 127)
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
}

static void print_string(const char *data, size_t len, FILE *out)
{
	fputc('"', out);
	print_escaped(data, len, out);
	fputc('"', out);
}

static void print_text(const char *text, FILE *out)
{
	print_string(text, strlen(text), out);
}

/* Where the grammar asks for a literal a sign belongs to it. */
static void print_literal(const struct expr *expr, FILE *out)
{
	if (expr->kind == EXPR_NUMBER)
		fprintf(out, "%" PRId64, expr->number);
	else
		expr_print(expr, out);
}

/* --- expressions ----------------------------------------------------------------------------- */

static bool is_atom(const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_UNARY:
	case EXPR_STEP:
	case EXPR_BINARY:
	case EXPR_TERNARY:
	case EXPR_ASSIGN:
	case EXPR_MEMBER:
		return false;
	case EXPR_TARGET:
		return !expr->target->address;
	default:
		return true;
	}
}

static void print_grouped(const struct expr *expr, bool group, FILE *out)
{
	if (group)
		fputc('(', out);
	expr_print(expr, out);
	if (group)
		fputc(')', out);
}

static void print_operand(const struct expr *expr, FILE *out)
{
	print_grouped(expr, !is_atom(expr), out);
}

/* Keys and arguments: what is NULL was a *. */
static void print_list(const struct expr_list *list, FILE *out)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			fputs(", ", out);
		if (list->items[i])
			expr_print(list->items[i], out);
		else
			fputc('*', out);
	}
}

static void print_index(const struct expr *expr, FILE *out)
{
	expr_print(expr->index.base, out);
	fputc('[', out);
	print_list(&expr->index.keys, out);
	fputc(']', out);
}

static void print_unary(const struct expr *expr, FILE *out)
{
	fputs(op_spelling(expr->unary.op), out);
	print_operand(expr->unary.operand, out);
}

static void print_step(const struct expr *expr, FILE *out)
{
	const char *op = op_spelling(expr->step.op);

	if (expr->step.prefix)
		fputs(op, out);
	print_operand(expr->step.operand, out);
	if (!expr->step.prefix)
		fputs(op, out);
}

static void print_binary(const struct expr *expr, FILE *out)
{
	print_operand(expr->binary.left, out);
	fprintf(out, " %s ", op_spelling(expr->binary.op));
	print_operand(expr->binary.right, out);
}

static void print_ternary(const struct expr *expr, FILE *out)
{
	print_operand(expr->ternary.cond, out);
	fputs(" ? ", out);
	print_operand(expr->ternary.yes, out);
	fputs(" : ", out);
	print_operand(expr->ternary.no, out);
}

static void print_assign(const struct expr *expr, FILE *out)
{
	bool plain = op_group(expr->binary.op) == OPS_ASSIGN;

	expr_print(expr->binary.left, out);
	fprintf(out, " %s%s ", op_spelling(expr->binary.op), plain ? "" : "=");
	expr_print(expr->binary.right, out);
}

static void print_member(const struct expr *expr, FILE *out)
{
	const struct expr_list *keys = &expr->member.keys;

	if (keys->count == 1 && keys->items[0]) {
		print_operand(keys->items[0], out);
	} else {
		fputc('[', out);
		print_list(keys, out);
		fputc(']', out);
	}
	fputs(" in ", out);
	expr_print(expr->member.base, out);
}

static void print_call(const struct expr *expr, FILE *out)
{
	fprintf(out, "%s(", expr->call.name);
	print_list(&expr->call.args, out);
	fputc(')', out);
}

static void print_print(const struct expr *expr, FILE *out)
{
	const struct print *print = expr->print;

	fprintf(out, "%s(", print->name);
	if (print->has_format)
		print_string(print->format, print->format_len, out);
	if (print->has_delimiter)
		print_string(print->delimiter, print->delimiter_len, out);
	if ((print->has_format || print->has_delimiter) && print->args.count)
		fputs(", ", out);
	print_list(&print->args, out);
	fputc(')', out);
}

static void print_stat(const struct expr *expr, FILE *out)
{
	fprintf(out, "@%s(", stat_op_word(expr->stat.op));
	expr_print(expr->stat.stat, out);
	for (size_t i = 0; i < expr->stat.param_count; i++)
		fprintf(out, ", %" PRId64, expr->stat.params[i]);
	fputc(')', out);
}

static void print_module(const char *module, FILE *out)
{
	if (module) {
		fputs(", ", out);
		print_text(module, out);
	}
	fputc(')', out);
}

static void print_var(const struct target *target, FILE *out)
{
	fputs("@var(\"", out);
	print_escaped(target->name, strlen(target->name), out);
	if (target->file) {
		fputc('@', out);
		print_escaped(target->file, strlen(target->file), out);
	}
	fputc('"', out);
	print_module(target->module, out);
}

static void print_target_base(const struct target *target, FILE *out)
{
	switch (target->base) {
	case TARGET_DOLLAR:
		fputs(target->name, out);
		break;
	case TARGET_VAR:
		print_var(target, out);
		break;
	case TARGET_CAST:
		fputs("@cast(", out);
		expr_print(target->pointer, out);
		fputs(", ", out);
		print_text(target->type, out);
		print_module(target->module, out);
		break;
	case TARGET_VALUE:
		print_grouped(target->pointer,
			      target->pointer->kind == EXPR_TARGET || !is_atom(target->pointer),
			      out);
		break;
	}
}

static void print_target(const struct expr *expr, FILE *out)
{
	static const char *const suffixes[] = { "", "$", "$$" };
	const struct target *target = expr->target;

	if (target->address)
		fputc('&', out);
	print_target_base(target, out);
	for (size_t i = 0; i < target->path.count; i++) {
		const struct accessor *accessor = &target->path.items[i];

		if (accessor->kind == ACCESS_FIELD) {
			fprintf(out, "->%s", accessor->field);
			continue;
		}
		fputc('[', out);
		expr_print(accessor->index, out);
		fputc(']', out);
	}
	fputs(suffixes[target->pretty], out);
}

static void print_wrapped(const struct expr *expr, FILE *out)
{
	fputs(expr->kind == EXPR_DEFINED ? "@defined(" :
	      expr->kind == EXPR_ENTRY	 ? "@entry(" :
					   "@probewrite(",
	      out);
	expr_print(expr->wrapped.operand, out);
	fputc(')', out);
}

static void print_choose(const struct expr *expr, FILE *out)
{
	fputs("@choose_defined(", out);
	expr_print(expr->binary.left, out);
	fputs(", ", out);
	expr_print(expr->binary.right, out);
	fputc(')', out);
}

static void print_named(const struct expr *expr, FILE *out)
{
	fputs(expr->kind == EXPR_PERF ? "@perf(" : expr->kind == EXPR_ENUM ? "@enum(" : "@const(",
	      out);
	print_text(expr->named.name, out);
	print_module(expr->named.module, out);
}

static void print_machine(const struct expr *expr, FILE *out)
{
	fprintf(out, "@%c%s(", expr->machine.user ? 'u' : 'k',
		expr->kind == EXPR_DEREF ? "deref" : "register");
	if (expr->machine.size) {
		expr_print(expr->machine.size, out);
		fputs(", ", out);
	}
	expr_print(expr->machine.address, out);
	fputc(')', out);
}

static void print_embedded(const struct embedded *embedded, FILE *out)
{
	fputs("%{", out);
	fwrite(embedded->code, 1, embedded->len, out);
	fputs("%}", out);
}

static void print_number(const struct expr *expr, FILE *out)
{
	/* A literal above 2^63; with a sign it would be another tree. */
	if (expr->number < 0)
		fprintf(out, "0x%" PRIx64, (uint64_t)expr->number);
	else
		fprintf(out, "%" PRId64, expr->number);
}

static void print_string_expr(const struct expr *expr, FILE *out)
{
	print_string(expr->string.data, expr->string.len, out);
}

static void print_symbol(const struct expr *expr, FILE *out)
{
	fputs(expr->symbol.name, out);
}

static void print_embedded_expr(const struct expr *expr, FILE *out)
{
	print_embedded(expr->embedded, out);
}

void expr_print(const struct expr *expr, FILE *out)
{
	static void (*const printers[])(const struct expr *expr, FILE *out) = {
		[EXPR_NUMBER] = print_number,	   [EXPR_STRING] = print_string_expr,
		[EXPR_SYMBOL] = print_symbol,	   [EXPR_INDEX] = print_index,
		[EXPR_UNARY] = print_unary,	   [EXPR_STEP] = print_step,
		[EXPR_BINARY] = print_binary,	   [EXPR_TERNARY] = print_ternary,
		[EXPR_ASSIGN] = print_assign,	   [EXPR_MEMBER] = print_member,
		[EXPR_CALL] = print_call,	   [EXPR_PRINT] = print_print,
		[EXPR_STAT] = print_stat,	   [EXPR_TARGET] = print_target,
		[EXPR_DEFINED] = print_wrapped,	   [EXPR_CHOOSE] = print_choose,
		[EXPR_ENTRY] = print_wrapped,	   [EXPR_PROBEWRITE] = print_wrapped,
		[EXPR_PERF] = print_named,	   [EXPR_CONST] = print_named,
		[EXPR_ENUM] = print_named,	   [EXPR_REGISTER] = print_machine,
		[EXPR_DEREF] = print_machine,	   [EXPR_EMBEDDED] = print_embedded_expr,
	};

	printers[expr->kind](expr, out);
}

/* --- statements ------------------------------------------------------------------------------ */

static void print_block(const struct stmt *stmt, int indent, FILE *out)
{
	fputs("{\n", out);
	for (size_t i = 0; i < stmt->block.count; i++) {
		print_indent(indent + 1, out);
		stmt_print(stmt->block.items[i], indent + 1, out);
		fputc('\n', out);
	}
	print_indent(indent, out);
	fputc('}', out);
}

static void print_if(const struct stmt *stmt, int indent, FILE *out)
{
	fputs("if (", out);
	expr_print(stmt->branch.cond, out);
	fputs(") ", out);
	stmt_print(stmt->branch.then, indent, out);
	if (stmt->branch.otherwise) {
		fputs(" else ", out);
		stmt_print(stmt->branch.otherwise, indent, out);
	}
}

static void print_loop(const struct stmt *stmt, int indent, FILE *out)
{
	if (stmt->kind == STMT_WHILE) {
		fputs("while (", out);
		expr_print(stmt->loop.cond, out);
	} else {
		fputs("for (", out);
		if (stmt->loop.init)
			expr_print(stmt->loop.init, out);
		fputs("; ", out);
		if (stmt->loop.cond)
			expr_print(stmt->loop.cond, out);
		fputs("; ", out);
		if (stmt->loop.next)
			expr_print(stmt->loop.next, out);
	}
	fputs(") ", out);
	stmt_print(stmt->loop.body, indent, out);
}

static void print_sort(const struct stmt *stmt, int key, FILE *out)
{
	if (stmt->foreach.sort_direction && stmt->foreach.sort_key == key)
		fputc(stmt->foreach.sort_direction > 0 ? '+' : '-', out);
}

static void print_foreach_head(const struct stmt *stmt, FILE *out)
{
	if (stmt->foreach.value)
		fprintf(out, "%s = ", stmt->foreach.value->name);
	fputc('[', out);
	for (size_t i = 0; i < stmt->foreach.keys.count; i++) {
		fprintf(out, "%s%s", i ? ", " : "", stmt->foreach.keys.items[i].name);
		print_sort(stmt, (int)i + 1, out);
	}
	fputs("] in ", out);
	expr_print(stmt->foreach.base, out);
	if (stmt->foreach.slice.count) {
		fputc('[', out);
		print_list(&stmt->foreach.slice, out);
		fputc(']', out);
	}
	if (stmt->foreach.sort_stat != STAT_NONE)
		fprintf(out, " @%s ", stat_op_word(stmt->foreach.sort_stat));
	print_sort(stmt, 0, out);
	if (stmt->foreach.limit) {
		fputs(" limit ", out);
		expr_print(stmt->foreach.limit, out);
	}
}

static void print_try(const struct stmt *stmt, int indent, FILE *out)
{
	fputs("try ", out);
	stmt_print(stmt->trial.body, indent, out);
	fputs(" catch ", out);
	if (stmt->trial.message)
		fprintf(out, "(%s) ", stmt->trial.message->name);
	stmt_print(stmt->trial.handler, indent, out);
}

/* A word, perhaps with an expression after it, and a semicolon. */
static void print_simple(const char *word, const struct expr *expr, FILE *out)
{
	fputs(word, out);
	if (*word && expr)
		fputc(' ', out);
	if (expr)
		expr_print(expr, out);
	fputc(';', out);
}

void stmt_print(const struct stmt *stmt, int indent, FILE *out)
{
	switch (stmt->kind) {
	case STMT_BLOCK:
		print_block(stmt, indent, out);
		break;
	case STMT_IF:
		print_if(stmt, indent, out);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		print_loop(stmt, indent, out);
		break;
	case STMT_FOREACH:
		fputs("foreach (", out);
		print_foreach_head(stmt, out);
		fputs(") ", out);
		stmt_print(stmt->foreach.body, indent, out);
		break;
	case STMT_TRY:
		print_try(stmt, indent, out);
		break;
	case STMT_EMBEDDED:
		print_embedded(stmt->embedded, out);
		break;
	case STMT_RETURN:
		print_simple("return", stmt->expr, out);
		break;
	case STMT_DELETE:
		print_simple("delete", stmt->expr, out);
		break;
	case STMT_NEXT:
		print_simple("next", NULL, out);
		break;
	case STMT_BREAK:
		print_simple("break", NULL, out);
		break;
	case STMT_CONTINUE:
		print_simple("continue", NULL, out);
		break;
	case STMT_EXPR:
		print_simple("", stmt->expr, out);
		break;
	case STMT_NULL:
		fputc(';', out);
		break;
	}
}

/* --- top level ------------------------------------------------------------------------------- */

void probe_point_print(const struct probe_point *point, FILE *out)
{
	for (size_t i = 0; i < point->components.count; i++) {
		const struct component *component = &point->components.items[i];

		fprintf(out, "%s%s", i ? "." : "", component->name);
		if (component->arg) {
			fputc('(', out);
			print_literal(component->arg, out);
			fputc(')', out);
		}
	}
	if (point->optional)
		fputs(" ?", out);
	if (point->sufficient)
		fputs(" !", out);
	if (point->condition) {
		fputs(" if (", out);
		expr_print(point->condition, out);
		fputc(')', out);
	}
}

static void print_points(struct probe_point *const *points, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			fputs(", ", out);
		probe_point_print(points[i], out);
	}
}

static void print_probe(const struct probe *probe, FILE *out)
{
	fputs("probe ", out);
	if (probe->names.count) {
		print_points(probe->names.items, probe->names.count, out);
		fputs(probe->epilogue ? " += " : " = ", out);
	}
	print_points(probe->points.items, probe->points.count, out);
	fputc(' ', out);
	stmt_print(probe->body, 0, out);
	if (probe->after) {
		fputs(", ", out);
		stmt_print(probe->after, 0, out);
	}
}

static void print_type(enum value_type type, FILE *out)
{
	if (type != TYPE_UNKNOWN)
		fprintf(out, ":%s", value_type_name(type));
}

static void print_function(const struct function *function, FILE *out)
{
	fprintf(out, "%sfunction %s", function->is_private ? "private " : "", function->name);
	print_type(function->type, out);
	fputs(" (", out);
	for (size_t i = 0; i < function->params.count; i++) {
		fprintf(out, "%s%s", i ? ", " : "", function->params.items[i].name);
		print_type(function->params.items[i].type, out);
	}
	fputc(')', out);
	if (function->has_priority)
		fprintf(out, ":%" PRId64, function->priority);
	fputc(' ', out);
	stmt_print(function->body, 0, out);
}

static void print_global(const struct global *global, FILE *out)
{
	fprintf(out, "%s %s%s", global->is_private ? "private global" : "global", global->name,
		global->wraps ? "%" : "");
	if (global->size)
		fprintf(out, "[%" PRId64 "]", global->size);
	else if (global->is_array && !global->wraps)
		fputs("[]", out);
	if (global->value) {
		fputs(" = ", out);
		print_literal(global->value, out);
	}
}

static void print_item(const struct item *item, FILE *out)
{
	switch (item->kind) {
	case ITEM_PROBE:
	case ITEM_ALIAS:
		print_probe(item->probe, out);
		break;
	case ITEM_FUNCTION:
		print_function(item->function, out);
		break;
	case ITEM_GLOBAL:
		print_global(item->global, out);
		break;
	case ITEM_EMBEDDED:
		print_embedded(item->embedded, out);
		break;
	}
	fputc('\n', out);
}

void script_file_print(const struct script_file *file, FILE *out)
{
	for (size_t i = 0; i < file->items.count; i++)
		print_item(&file->items.items[i], out);
}

void script_print(const struct script *script, FILE *out)
{
	for (size_t i = 0; i < script->files.count; i++) {
		fputs("# file ", out);
		print_text(script->files.items[i]->source->name, out);
		fputc('\n', out);
		script_file_print(script->files.items[i], out);
	}
}
