// SPDX-License-Identifier: GPL-2.0-only
/*
 * C code of scripts, between %{ and %}. It is put in as it stands, between #line directives, so that
 * what the compiler says about it has the script's places; the words that it is promised are macros
 * around it:
 *
 *	static spl_s64 f_add_0(struct spl_ctx *c, spl_s64 l_a, spl_s64 l_b)
 *	{
 *		struct spl_ctx *const spl_context = c;
 *		spl_s64 spl_ret = 0;
 *	#define STAP_ARG_a l_a
 *	#define STAP_RETURN(v) do { spl_ret = (spl_s64)(v); goto spl_out; } while (0)
 *		{
 *	#line 1 "x.stp"
 *	STAP_RETURN(STAP_ARG_a + STAP_ARG_b);
 *	#line 1 "script"
 *		}
 *	spl_out: ;
 *	#undef ...
 *		return spl_ret;
 *	}
 */
#include "codegen/codegen_private.h"

#include <string.h>

static const char support[] =
#include "embedded_support.h.inc"
    ;

/* Names of the code's own must not get in the way: `c` is a likely one. */
static const char context[] = "struct spl_ctx *const spl_context = c;\n";

/* --- code and its words ----------------------------------------------------------------------- */

static void add_code(struct gen *g, const struct embedded *code)
{
	const char *name = code->tok->source->name;

	strbuf_addf(g->out, "#line %u %s\n", code->tok->line, gen_literal(g, name, strlen(name)));
	strbuf_add(g->out, code->code, code->len);
	strbuf_adds(g->out, "\n#line 1 \"script\"\n");
}

static void add_error_word(struct gen *g, const struct token *tok, const char *fail)
{
	strbuf_addf(g->out,
	            "#undef STAP_ERROR\n"
	            "#define STAP_ERROR(...) do { spl_c_fail(spl_context, %s, __VA_ARGS__); goto %s; } while (0)\n",
	            gen_place(g, tok), fail);
}

/* Those of an array: STAP_GLOBAL_GET_x(k1, k2) and STAP_GLOBAL_SET_x(k1, k2, v). */
static void add_array_words(struct gen *g, const struct variable *var)
{
	const char *name = var->global->name, *map = gen_variable(g, var), *params = "", *keys = "";
	char type = var->value.type == TYPE_STRING ? 's' : 'n';

	for (size_t i = 0; i < var->key_count; i++) {
		params = gen_text(g, "%s%sk%zu", params, i ? ", " : "", i);
		keys = gen_text(g, "%s%s{ .%c = (k%zu) }", keys, i ? ", " : "",
		                var->keys[i].type == TYPE_STRING ? 's' : 'n', i);
	}
	keys = gen_text(g, "(union spl_val[]){ %s }", keys);
	strbuf_addf(g->out, "#define STAP_GLOBAL_GET_%s(%s) spl_map_get_%c(%s, %s)\n", name, params, type,
	            map, keys);
	strbuf_addf(g->out, "#define STAP_GLOBAL_SET_%s(%s, v) spl_map_set_%c(spl_context, %s, %s, (v))\n",
	            name, params, type, map, keys);
}

/* STAP_GLOBAL_GET_x() and STAP_GLOBAL_SET_x(v) of the globals that the code says it uses. */
static void add_global_words(struct gen *g, const struct body *body, bool define)
{
	for (size_t i = 0; i < body->embedded_uses.count; i++) {
		const struct variable *var = body->embedded_uses.items[i].var;
		const char *name = var->global->name;

		strbuf_addf(g->out, "#undef STAP_GLOBAL_GET_%s\n#undef STAP_GLOBAL_SET_%s\n", name,
		            name);
		if (!define || var->value.type == TYPE_STATS)
			continue;
		if (var->is_array) {
			add_array_words(g, var);
			continue;
		}
		strbuf_addf(g->out, "#define STAP_GLOBAL_GET_%s() %s\n", name, gen_variable(g, var));
		if (var->value.type == TYPE_STRING)
			strbuf_addf(g->out,
			            "#define STAP_GLOBAL_SET_%s(v) spl_str_copy(g_%s, SIZE, v)\n",
			            name, var->name);
		else
			strbuf_addf(g->out, "#define STAP_GLOBAL_SET_%s(v) (%s = (v))\n",
			            name, gen_variable(g, var));
	}
}

/* --- top level -------------------------------------------------------------------------------- */

static bool uses_file(const struct program *program, const struct script_file *file)
{
	if (!file->is_tapset)
		return true;
	for (size_t i = 0; i < program->functions.count; i++) {
		const struct function_info *info = program->functions.items[i];

		if (info->used && info->decl->file == file &&
		    info->decl->body->kind == STMT_EMBEDDED)
			return true;
	}
	return false;
}

void gen_embedded_top(struct gen *g)
{
	size_t format;

	if (!g->program->has_embedded)
		return;
	format = gen_format(g, "%s", "s");
	strbuf_addf(g->out,
	            "#define PRINT_FORMAT %zu\n#define STP_SKIP_BADVARS %d\n%s#line 1 \"script\"\n",
	            format, g->program->skip_badvars, support);
	for (size_t i = 0; i < g->program->embedded.count; i++) {
		const struct embedded_top *top = &g->program->embedded.items[i];

		if (uses_file(g->program, top->file))
			add_code(g, top->code);
	}
}

/* --- functions -------------------------------------------------------------------------------- */

static void add_argument_words(struct gen *g, const struct function *decl, bool define)
{
	for (size_t i = 0; i < decl->params.count; i++) {
		const char *name = decl->params.items[i].name;

		if (define)
			strbuf_addf(g->out, "#define STAP_ARG_%s l_%s\n", name, name);
		else
			strbuf_addf(g->out, "#undef STAP_ARG_%s\n", name);
	}
}

/* STAP_RETURN() leaves STAP_RETVALUE as it is. */
static void add_return_words(struct gen *g, bool text, bool number)
{
	if (text)
		strbuf_adds(g->out, "#define STAP_RETURN(v...) do { "
		                    "spl_str_copy(spl_ret, SIZE, (spl_ret, ##v)); "
		                    "goto spl_out; } while (0)\n");
	else if (number)
		strbuf_adds(g->out, "#define STAP_RETURN(v...) do { spl_ret = (spl_s64)(spl_ret, ##v); "
		                    "goto spl_out; } while (0)\n");
	else
		strbuf_adds(g->out, "#define STAP_RETURN(...) goto spl_out\n");
	if (text || number)
		strbuf_adds(g->out, "#define STAP_RETVALUE spl_ret\n");
}

/* The names of arguments before version 1.8: THIS->x and THIS->__retvalue. */
static void add_unmangled(struct gen *g, const struct embedded *code)
{
	static const char prefix[] = "THIS->", result[] = "__retvalue";
	const size_t len = sizeof(prefix) - 1, result_len = sizeof(result) - 1;
	struct embedded now = *code;
	struct strbuf sb;

	strbuf_init(&sb);
	for (size_t i = 0; i < code->len;) {
		if (code->len - i < len || strncmp(code->code + i, prefix, len)) {
			strbuf_addc(&sb, code->code[i++]);
			continue;
		}
		i += len;
		if (code->len - i >= result_len && !strncmp(code->code + i, result, result_len)) {
			strbuf_adds(&sb, "STAP_RETVALUE");
			i += result_len;
		} else {
			strbuf_adds(&sb, "STAP_ARG_");
		}
	}
	now.code = sb.data ? sb.data : "";
	now.len = sb.len;
	add_code(g, &now);
	strbuf_deinit(&sb);
}

const char *gen_embedded_function(struct gen *g, const struct function_info *info)
{
	const bool value = function_has_value(info), text = value && info->result.type == TYPE_STRING;
	struct strbuf sb;
	const char *kept;

	strbuf_init(&sb);
	g->out = &sb;
	strbuf_addf(&sb, "%s\n{\n%s", gen_function_head(g, info), context);
	if (text)
		strbuf_adds(&sb, "\tchar *const spl_ret = ret;\n\tret[0] = 0;\n");
	else if (value)
		strbuf_adds(&sb, "\tspl_s64 spl_ret = 0;\n");
	add_argument_words(g, info->decl, true);
	add_global_words(g, &info->body, true);
	add_return_words(g, text, value);
	add_error_word(g, info->decl->tok, "spl_out");
	if (info->may_next)
		strbuf_adds(&sb, "#define STAP_NEXT do { *spl_next = 1; goto spl_out; } while (0)\n");
	strbuf_adds(&sb, "\t{\n");
	if (embedded_has_pragma(info->decl->body->embedded, "unmangled"))
		add_unmangled(g, info->decl->body->embedded);
	else
		add_code(g, info->decl->body->embedded);
	strbuf_adds(&sb, "\t}\nspl_out: ;\n#undef STAP_RETURN\n#undef STAP_RETVALUE\n#undef STAP_NEXT\n");
	add_argument_words(g, info->decl, false);
	add_global_words(g, &info->body, false);
	strbuf_addf(&sb, "%s}\n", value && !text ? "\treturn spl_ret;\n" : "");
	kept = arena_strdup(&g->arena, sb.data);
	strbuf_deinit(&sb);
	return kept;
}

/* --- inside of script code -------------------------------------------------------------------- */

void gen_embedded_stmt(struct gen *g, const struct stmt *st)
{
	add_error_word(g, st->tok, g->fail);
	add_global_words(g, g->body, true);
	gen_line(g, "{");
	strbuf_adds(g->out, context);
	add_code(g, st->embedded);
	gen_line(g, "; }");
	add_global_words(g, g->body, false);
	gen_line(g, "CHECK(%s);", g->fail);
}

/* A number, or with the pragma string a char pointer, which is copied. */
struct operand gen_embedded_expr(struct gen *g, const struct expr *e)
{
	struct operand op;

	if (e->type == TYPE_STRING) {
		op = gen_slot(g);
		gen_line(g, "{");
		strbuf_adds(g->out, context);
		gen_line(g, "spl_str_copy(%s, SIZE, (", op.text);
		add_code(g, e->embedded);
		gen_line(g, ")); }");
		return op;
	}
	op = operand_of(gen_text(g, "t%u", g->temps++), true);
	gen_line(g, "spl_s64 %s; {", op.text);
	strbuf_adds(g->out, context);
	gen_line(g, "%s = (spl_s64)(", op.text);
	add_code(g, e->embedded);
	gen_line(g, "); }");
	return op;
}
