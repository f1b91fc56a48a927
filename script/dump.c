// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree, a line per node: KIND attributes, its children below it and further to the right.
 * Places and lists' brackets are left out: trees that mean the same look the same.
 */
#include <inttypes.h>
#include <string.h>

#include "script/parse.h"

struct dump {
	FILE *out;
	int depth;
};

static void dump_expr(struct dump *d, const char *role, const struct expr *expr);
static void dump_stmt(struct dump *d, const char *role, const struct stmt *stmt);

static void begin(struct dump *d, const char *role, const char *kind)
{
	fprintf(d->out, "%*s%s%s%s", d->depth * 2, "", role, *role ? " " : "", kind);
	d->depth++;
}

/* Text as hexadecimal where it is not plain, so that no two texts look the same. */
static void attribute(struct dump *d, const char *text, size_t len)
{
	fputs(" \"", d->out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 32 || c > 126 || c == '"' || c == '\\')
			fprintf(d->out, "\\x%02x", c);
		else
			fputc(c, d->out);
	}
	fputc('"', d->out);
}

static void word(struct dump *d, const char *text)
{
	if (text)
		attribute(d, text, strlen(text));
}

static void newline(struct dump *d)
{
	fputc('\n', d->out);
}

static void end(struct dump *d)
{
	d->depth--;
}

static void dump_exprs(struct dump *d, const char *role, const struct expr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		dump_expr(d, role, list->items[i]);
}

/* --- expressions ----------------------------------------------------------------------------- */

static void dump_target(struct dump *d, const struct target *target)
{
	static const char *const bases[] = { "dollar", "var", "cast", "value" };

	fprintf(d->out, " %s%s pretty=%d", bases[target->base], target->address ? " address" : "",
		target->pretty);
	word(d, target->name);
	word(d, target->file);
	word(d, target->type);
	word(d, target->module);
	newline(d);
	dump_expr(d, "pointer", target->pointer);
	for (size_t i = 0; i < target->path.count; i++) {
		const struct accessor *accessor = &target->path.items[i];

		if (accessor->kind == ACCESS_FIELD) {
			begin(d, "", "member");
			word(d, accessor->field);
			newline(d);
			end(d);
		} else {
			dump_expr(d, "subscript", accessor->index);
		}
	}
}

static void dump_print(struct dump *d, const struct print *print)
{
	word(d, print->name);
	if (print->has_format)
		attribute(d, print->format, print->format_len);
	if (print->has_delimiter)
		attribute(d, print->delimiter, print->delimiter_len);
	newline(d);
	for (size_t i = 0; i < print->parts.count; i++) {
		const struct format_part *part = &print->parts.items[i];

		begin(d, "", "part");
		if (!part->conversion)
			attribute(d, part->text, part->text_len);
		else
			fprintf(d->out, " %c flags=%x width=%d%s precision=%d%s", part->conversion,
				part->flags, part->width, part->dynamic_width ? "*" : "",
				part->precision, part->dynamic_precision ? "*" : "");
		newline(d);
		end(d);
	}
	dump_exprs(d, "arg", &print->args);
}

static void dump_stat(struct dump *d, const struct expr *expr)
{
	fprintf(d->out, " @%s", stat_op_word(expr->stat.op));
	for (size_t i = 0; i < expr->stat.param_count; i++)
		fprintf(d->out, " %" PRId64, expr->stat.params[i]);
	newline(d);
	dump_expr(d, "of", expr->stat.stat);
}

static void dump_binary(struct dump *d, const struct expr *expr)
{
	if (expr->kind != EXPR_CHOOSE)
		fprintf(d->out, " %s", op_spelling(expr->binary.op));
	newline(d);
	dump_expr(d, "", expr->binary.left);
	dump_expr(d, "", expr->binary.right);
}

static void dump_prefix(struct dump *d, const struct expr *expr)
{
	if (expr->kind == EXPR_UNARY) {
		fprintf(d->out, " %s\n", op_spelling(expr->unary.op));
		dump_expr(d, "", expr->unary.operand);
	} else {
		fprintf(d->out, " %s %s\n", op_spelling(expr->step.op),
			expr->step.prefix ? "prefix" : "suffix");
		dump_expr(d, "", expr->step.operand);
	}
}

static void dump_container(struct dump *d, const struct expr *base, const struct expr_list *keys)
{
	newline(d);
	dump_expr(d, "base", base);
	dump_exprs(d, "key", keys);
}

/* What follows the kind: attributes, the end of the line, the children. */
static void dump_parts(struct dump *d, const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_NUMBER:
		fprintf(d->out, " %" PRId64 "\n", expr->number);
		break;
	case EXPR_STRING:
		attribute(d, expr->string.data, expr->string.len);
		newline(d);
		break;
	case EXPR_SYMBOL:
		word(d, expr->symbol.name);
		newline(d);
		break;
	case EXPR_INDEX:
		dump_container(d, expr->index.base, &expr->index.keys);
		break;
	case EXPR_MEMBER:
		dump_container(d, expr->member.base, &expr->member.keys);
		break;
	case EXPR_UNARY:
	case EXPR_STEP:
		dump_prefix(d, expr);
		break;
	case EXPR_BINARY:
	case EXPR_ASSIGN:
	case EXPR_CHOOSE:
		dump_binary(d, expr);
		break;
	case EXPR_TERNARY:
		newline(d);
		dump_expr(d, "cond", expr->ternary.cond);
		dump_expr(d, "yes", expr->ternary.yes);
		dump_expr(d, "no", expr->ternary.no);
		break;
	case EXPR_CALL:
		word(d, expr->call.name);
		newline(d);
		dump_exprs(d, "arg", &expr->call.args);
		break;
	case EXPR_PRINT:
		dump_print(d, expr->print);
		break;
	case EXPR_STAT:
		dump_stat(d, expr);
		break;
	case EXPR_TARGET:
		dump_target(d, expr->target);
		break;
	case EXPR_DEFINED:
	case EXPR_ENTRY:
	case EXPR_PROBEWRITE:
		newline(d);
		dump_expr(d, "", expr->wrapped.operand);
		break;
	case EXPR_PERF:
	case EXPR_CONST:
	case EXPR_ENUM:
		word(d, expr->named.name);
		word(d, expr->named.module);
		newline(d);
		break;
	case EXPR_REGISTER:
	case EXPR_DEREF:
		fprintf(d->out, " %s\n", expr->machine.user ? "user" : "kernel");
		dump_expr(d, "size", expr->machine.size);
		dump_expr(d, "at", expr->machine.address);
		break;
	case EXPR_EMBEDDED:
		attribute(d, expr->embedded->code, expr->embedded->len);
		newline(d);
		break;
	}
}

static void dump_expr(struct dump *d, const char *role, const struct expr *expr)
{
	if (!expr) {
		if (!strcmp(role, "key") || !strcmp(role, "slice")) {
			begin(d, role, "ANY\n");
			end(d);
		}
		return;
	}
	begin(d, role, expr_kind_name(expr->kind));
	dump_parts(d, expr);
	end(d);
}

/* --- statements ------------------------------------------------------------------------------ */

static void dump_foreach(struct dump *d, const struct stmt *stmt)
{
	fprintf(d->out, " sort=%d by=%d @%s", stmt->foreach.sort_direction, stmt->foreach.sort_key,
		stat_op_word(stmt->foreach.sort_stat));
	if (stmt->foreach.value)
		word(d, stmt->foreach.value->name);
	fputs(" =", d->out);
	for (size_t i = 0; i < stmt->foreach.keys.count; i++)
		word(d, stmt->foreach.keys.items[i].name);
	newline(d);
	dump_expr(d, "base", stmt->foreach.base);
	dump_exprs(d, "slice", &stmt->foreach.slice);
	dump_expr(d, "limit", stmt->foreach.limit);
	dump_stmt(d, "", stmt->foreach.body);
}

static void dump_stmt_parts(struct dump *d, const struct stmt *stmt)
{
	switch (stmt->kind) {
	case STMT_BLOCK:
		newline(d);
		for (size_t i = 0; i < stmt->block.count; i++)
			dump_stmt(d, "", stmt->block.items[i]);
		break;
	case STMT_IF:
		newline(d);
		dump_expr(d, "cond", stmt->branch.cond);
		dump_stmt(d, "then", stmt->branch.then);
		dump_stmt(d, "else", stmt->branch.otherwise);
		break;
	case STMT_FOR:
	case STMT_WHILE:
		newline(d);
		dump_expr(d, "init", stmt->loop.init);
		dump_expr(d, "cond", stmt->loop.cond);
		dump_expr(d, "next", stmt->loop.next);
		dump_stmt(d, "", stmt->loop.body);
		break;
	case STMT_FOREACH:
		dump_foreach(d, stmt);
		break;
	case STMT_EXPR:
	case STMT_RETURN:
	case STMT_DELETE:
		newline(d);
		dump_expr(d, "", stmt->expr);
		break;
	case STMT_TRY:
		if (stmt->trial.message)
			word(d, stmt->trial.message->name);
		newline(d);
		dump_stmt(d, "", stmt->trial.body);
		dump_stmt(d, "catch", stmt->trial.handler);
		break;
	case STMT_EMBEDDED:
		attribute(d, stmt->embedded->code, stmt->embedded->len);
		newline(d);
		break;
	case STMT_NULL:
	case STMT_NEXT:
	case STMT_BREAK:
	case STMT_CONTINUE:
		newline(d);
		break;
	}
}

static void dump_stmt(struct dump *d, const char *role, const struct stmt *stmt)
{
	if (!stmt)
		return;
	begin(d, role, stmt_kind_name(stmt->kind));
	dump_stmt_parts(d, stmt);
	end(d);
}

/* --- top level ------------------------------------------------------------------------------- */

static void dump_point(struct dump *d, const char *role, const struct probe_point *point)
{
	begin(d, role, "");
	fprintf(d->out, "%s%s\n", point->optional ? "?" : "", point->sufficient ? "!" : "");
	for (size_t i = 0; i < point->components.count; i++) {
		begin(d, "", "component");
		word(d, point->components.items[i].name);
		newline(d);
		dump_expr(d, "", point->components.items[i].arg);
		end(d);
	}
	dump_expr(d, "if", point->condition);
	end(d);
}

static void dump_probe(struct dump *d, const struct probe *probe)
{
	begin(d, "", "probe");
	fprintf(d->out, "%s\n", probe->epilogue ? " epilogue" : "");
	for (size_t i = 0; i < probe->names.count; i++)
		dump_point(d, "alias", probe->names.items[i]);
	for (size_t i = 0; i < probe->points.count; i++)
		dump_point(d, "point", probe->points.items[i]);
	dump_stmt(d, "", probe->body);
	if (probe->after)
		dump_stmt(d, "after", probe->after);
	end(d);
}

static void dump_function(struct dump *d, const struct function *function)
{
	begin(d, function->is_private ? "private" : "", "function");
	word(d, function->name);
	fprintf(d->out, " %s", value_type_name(function->type));
	if (function->has_priority)
		fprintf(d->out, " priority=%" PRId64, function->priority);
	newline(d);
	for (size_t i = 0; i < function->params.count; i++) {
		begin(d, "", "parameter");
		word(d, function->params.items[i].name);
		fprintf(d->out, " %s\n", value_type_name(function->params.items[i].type));
		end(d);
	}
	dump_stmt(d, "", function->body);
	end(d);
}

static void dump_global(struct dump *d, const struct global *global)
{
	begin(d, global->is_private ? "private" : "", "global");
	word(d, global->name);
	fprintf(d->out, "%s%s size=%" PRId64 "\n", global->is_array ? " array" : "",
		global->wraps ? " wraps" : "", global->size);
	dump_expr(d, "", global->value);
	end(d);
}

static void dump_item(struct dump *d, const struct item *item)
{
	switch (item->kind) {
	case ITEM_PROBE:
	case ITEM_ALIAS:
		dump_probe(d, item->probe);
		break;
	case ITEM_FUNCTION:
		dump_function(d, item->function);
		break;
	case ITEM_GLOBAL:
		dump_global(d, item->global);
		break;
	case ITEM_EMBEDDED:
		begin(d, "", "embedded");
		attribute(d, item->embedded->code, item->embedded->len);
		newline(d);
		end(d);
		break;
	}
}

void script_file_dump(const struct script_file *file, FILE *out)
{
	struct dump d = { .out = out };

	for (size_t i = 0; i < file->items.count; i++)
		dump_item(&d, &file->items.items[i]);
}
