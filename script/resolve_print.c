// SPDX-License-Identifier: GPL-2.0-only
/* -p2: globals, functions and planted probes with their locals and types. */
#include <string.h>

#include "script/parse.h"
#include "script/resolve.h"

static const char *type_name(enum value_type type)
{
	return type == TYPE_STRING ? "string" : type == TYPE_STATS ? "stats" : "long";
}

static void print_keys(const struct variable *var, FILE *out)
{
	fputs(" [", out);
	for (size_t i = 0; i < var->key_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", type_name(var->keys[i].type));
	fputc(']', out);
}

static void print_globals(const struct program *program, FILE *out)
{
	if (program->globals.count)
		fputs("# globals\n", out);
	for (size_t i = 0; i < program->globals.count; i++) {
		const struct variable *var = program->globals.items[i];

		fprintf(out, "%s:%s", var->name, type_name(var->value.type));
		if (var->is_array)
			print_keys(var, out);
		fputc('\n', out);
	}
}

static void print_locals(const struct body *body, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < body->locals.count; i++) {
		const struct variable *var = body->locals.items[i];

		if (var->kind != VAR_LOCAL)
			continue;
		if (!any)
			fputs("  # locals\n", out);
		any = true;
		fprintf(out, "  %s:%s\n", var->name, type_name(var->value.type));
	}
}

static void print_function(const struct function_info *info, FILE *out)
{
	fprintf(out, "%s:%s (", info->decl->name,
	        info->returns_value ? type_name(info->result.type) : "unknown");
	for (size_t i = 0; i < info->decl->params.count; i++)
		fprintf(out, "%s%s:%s", i ? ", " : "", info->decl->params.items[i].name,
		        type_name(info->decl->params.items[i].var->value.type));
	fputs(")\n", out);
	print_locals(&info->body, out);
	stmt_print(info->body.stmt, 0, out);
	fputc('\n', out);
}

static void print_functions(const struct program *program, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < program->functions.count; i++) {
		if (!program->functions.items[i]->used)
			continue;
		if (!any)
			fputs("# functions\n", out);
		any = true;
		print_function(program->functions.items[i], out);
	}
}

static void print_probe(const struct planted_probe *probe, FILE *out)
{
	fputs(probe->pp, out);
	if (strcmp(probe->pp, probe->origin))
		fprintf(out, " /* <- %s */", probe->origin);
	fputc('\n', out);
	print_locals(probe->body, out);
	stmt_print(probe->body->stmt, 0, out);
	fputc('\n', out);
}

void program_print(const struct program *program, FILE *out)
{
	print_globals(program, out);
	print_functions(program, out);
	if (program->probes.count)
		fputs("# probes\n", out);
	for (size_t i = 0; i < program->probes.count; i++)
		print_probe(program->probes.items[i], out);
}
