// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole C functions: handlers and script functions.
 *
 * Both take a frame for their strings (S(n) is its n-th slot) and leave by the label `out`, errors
 * too. A handler first takes the locks of the globals that it uses, in the order of their numbers,
 * which is the same in all handlers; when one cannot be had, those already taken are given back
 * and the hit counts as skipped:
 *
 *	if (!spl_lock_write(&k_a)) { spl_skip_lock(c); goto u0; }
 *	if (!spl_lock_read(&k_b)) { spl_skip_lock(c); goto u1; }
 *	...
 *	u2: spl_unlock_read(&k_b);
 *	u1: spl_unlock_write(&k_a);
 *	u0: ;
 *
 * Functions are called with the locks of their callers' handlers held, which cover theirs.
 */
#include "codegen/codegen_private.h"

/* --- the frame and the locals ----------------------------------------------------------------- */

static bool is_slot_local(const struct variable *var)
{
	return var->value.type == TYPE_STRING && !var->dropped &&
	       (var->kind == VAR_LOCAL || var->reassigned);
}

static size_t count_slot_locals(const struct body *body)
{
	size_t count = 0;

	for (size_t i = 0; i < body->locals.count; i++)
		count += is_slot_local(body->locals.items[i]);
	return count;
}

static void declare_numbers(struct gen *g, const struct body *body)
{
	for (size_t i = 0; i < body->locals.count; i++)
		if (body->locals.items[i]->kind == VAR_LOCAL && !body->locals.items[i]->dropped &&
		    body->locals.items[i]->value.type != TYPE_STRING)
			gen_line(g, "%s %s = { 0 };",
			         body->locals.items[i]->value.type == TYPE_STATS
			             ? "struct spl_samples"
			             : "spl_s64",
			         gen_variable(g, body->locals.items[i]));
}

/* A string parameter that the function writes to comes in as a_NAME and is copied. */
static void declare_strings(struct gen *g, const struct body *body)
{
	size_t slot = 0;

	for (size_t i = 0; i < body->locals.count; i++) {
		const struct variable *var = body->locals.items[i];

		if (!is_slot_local(var))
			continue;
		gen_line(g, "char *%s = S(%zu);", gen_variable(g, var), slot++);
		if (var->kind == VAR_PARAM)
			gen_line(g, "spl_str_copy(l_%s, SIZE, a_%s);", var->name, var->name);
		else
			gen_line(g, "l_%s[0] = 0;", var->name);
	}
}

/* The body is translated first, since only then its slots are known. */
static const char *gen_body(struct gen *g, const struct body *body)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	g->out = &text;
	g->body = body;
	g->indent = 1;
	g->temps = g->labels = 0;
	g->local_slots = g->next_slot = g->max_slot = count_slot_locals(body);
	g->fail = "out";
	g->next_iteration = NULL;
	gen_block(g, body->stmt);
	kept = arena_strdup(&g->arena, text.data);
	strbuf_deinit(&text);
	return kept;
}

static size_t slot_stride(const struct gen *g)
{
	return ((size_t)g->options->limits.string_size + 7) & ~(size_t)7;
}

static void add_frame(struct gen *g, const struct body *body, const char *code, size_t frame,
                      const char *no_frame)
{
	if (frame) {
		gen_line(g, "char *f = spl_frame_push(c, %zu);", frame);
		gen_line(g, "if (spl_unlikely(!f)) goto %s;", no_frame);
	}
	declare_strings(g, body);
	strbuf_adds(g->out, code);
	gen_line(g, "out: ;");
	if (frame)
		gen_line(g, "spl_frame_pop(c, f);");
}

/* --- handlers --------------------------------------------------------------------------------- */

static bool wants_lock(const struct gen *g, const struct body *body, size_t global)
{
	return body->uses[global] && g->locked[global];
}

static const char *lock_word(const struct body *body, size_t global)
{
	return body->uses[global] & (USE_CHANGE | USE_SORT) ? "write" : "read";
}

/* Whether and how it takes part in adding without locks: NULL, "enter" or "stop". */
static const char *share_word(const struct gen *g, const struct body *body)
{
	const char *word = NULL;

	if (!g->sharing)
		return NULL;
	for (size_t i = 0; i < g->program->globals.count; i++) {
		if (!g->shared[i] || !body->uses[i])
			continue;
		if (body->uses[i] & ~USE_ADD)
			return "stop";
		word = "enter";
	}
	return word;
}

static size_t add_locks(struct gen *g, const struct body *body)
{
	const char *share = share_word(g, body);
	size_t taken = 0;

	if (share)
		gen_line(g, "if (!spl_share_%s(c)) { spl_skip_lock(c); goto u%zu; }", share,
		         taken++);
	for (size_t i = 0; i < g->program->globals.count; i++)
		if (wants_lock(g, body, i))
			gen_line(g, "if (!spl_lock_%s(&k_%s)) { spl_skip_lock(c); goto u%zu; }",
			         lock_word(body, i), g->program->globals.items[i]->name, taken++);
	return taken;
}

static void add_unlocks(struct gen *g, const struct body *body, size_t taken)
{
	const char *share = share_word(g, body);

	gen_line(g, "u%zu: ;", taken);
	for (size_t i = g->program->globals.count; i-- > 0;)
		if (wants_lock(g, body, i))
			gen_line(g, "spl_unlock_%s(&k_%s); u%zu: ;", lock_word(body, i),
			         g->program->globals.items[i]->name, --taken);
	if (share)
		gen_line(g, "spl_share_%s(c); u%zu: ;", share[0] == 'e' ? "leave" : "resume",
		         --taken);
}

const char *gen_handler(struct gen *g, const struct body *body, size_t *ret_frame)
{
	struct strbuf text;
	const char *code, *kept;
	size_t taken;

	code = gen_body(g, body);
	if (g->program->captures)
		code = gen_text(g, "\tc->match.matched = 0;\n\tc->match.text = S(%zu);\n%s",
		                g->max_slot++, code);
	*ret_frame = g->max_slot * slot_stride(g);
	strbuf_init(&text);
	strbuf_adds(&text, "(struct spl_ctx *c)\n{\n");
	g->out = &text;
	declare_numbers(g, body);
	taken = add_locks(g, body);
	add_frame(g, body, code, *ret_frame, gen_text(g, "u%zu", taken));
	add_unlocks(g, body, taken);
	strbuf_adds(&text, "}\n");
	kept = arena_strdup(&g->arena, text.data);
	strbuf_deinit(&text);
	return kept;
}

/* --- script functions ------------------------------------------------------------------------- */

static bool returns_string(const struct function_info *info)
{
	return function_has_value(info) && info->result.type == TYPE_STRING;
}

static bool returns_number(const struct function_info *info)
{
	return function_has_value(info) && info->result.type != TYPE_STRING;
}

static const char *function_face(struct gen *g, const struct function_info *info, char prefix)
{
	const char *text = gen_text(g, "static %s %c_%s_%zu(struct spl_ctx *c%s",
	                            returns_number(info) ? "spl_s64" : "void", prefix,
	                            info->decl->name, info->number,
	                            returns_string(info) ? ", char *ret" : "");

	for (size_t i = 0; i < info->decl->params.count; i++) {
		const struct variable *var = info->decl->params.items[i].var;

		text = gen_text(g, "%s, %s%s_%s", text,
		                var->value.type == TYPE_STRING ? "const char *" : "spl_s64 ",
		                is_slot_local(var) ? "a" : "l", var->name);
	}
	return gen_text(g, "%s%s)", text, prefix == 'o' ? ", int *spl_next" : "");
}

bool is_overload(const struct function_info *info)
{
	return info->may_next || info->is_fallback;
}

const char *gen_function_declaration(struct gen *g, const struct function_info *info)
{
	const char *text = function_face(g, info, 'f');

	return is_overload(info) ? gen_text(g, "%s;\n%s", function_face(g, info, 'o'), text)
	                         : text;
}

const char *gen_function_head(struct gen *g, const struct function_info *info)
{
	return function_face(g, info, is_overload(info) ? 'o' : 'f');
}

/* Calls of an overload and of its fallbacks, up to one that does not say `next`. */
static void add_tries(struct gen *g, const struct function_info *info)
{
	const struct function_info *first = info;

	for (; info; info = info->fallback) {
		const char *call = gen_text(g, "%so_%s_%zu(c%s", returns_number(info) ? "ret = " : "",
		                            info->decl->name, info->number,
		                            returns_string(info) ? ", ret" : "");

		for (size_t i = 0; i < info->decl->params.count; i++)
			call = gen_text(g, "%s, %s_%s", call,
			                is_slot_local(first->decl->params.items[i].var) ? "a" : "l",
			                first->decl->params.items[i].name);
		gen_line(g, "next = 0;");
		gen_line(g, "%s, &next);", call);
		gen_line(g, "if (!next || c->error) return%s;", returns_number(info) ? " ret" : "");
	}
}

/* What is called by the function's name: the overloads one after the other. */
static const char *gen_dispatcher(struct gen *g, const struct function_info *info)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	g->out = &text;
	g->indent = 1;
	strbuf_addf(&text, "%s\n{\n\tint next;\n", function_face(g, info, 'f'));
	if (returns_number(info))
		gen_line(g, "spl_s64 ret;");
	add_tries(g, info);
	gen_line(g, "spl_fail(c, \"'next' in the last function '%s'\", %s);", info->decl->name,
	         gen_place(g, info->decl->tok));
	gen_line(g, "return%s;", returns_number(info) ? " 0" : "");
	strbuf_adds(&text, "}\n");
	kept = arena_strdup(&g->arena, text.data);
	strbuf_deinit(&text);
	return kept;
}

static void add_entry(struct gen *g, const struct function_info *info)
{
	if (returns_number(info))
		gen_line(g, "spl_s64 ret = 0;");
	if (returns_string(info))
		gen_line(g, "ret[0] = 0;");
	gen_line(g, "if (spl_unlikely(c->nesting <= 0)) {");
	gen_line(g, "\tspl_fail(c, \"MAXNESTING exceeded\", %s);", gen_place(g, info->decl->tok));
	gen_line(g, "\treturn%s;", returns_number(info) ? " 0" : "");
	gen_line(g, "}");
	gen_line(g, "c->nesting--;");
}

static const char *gen_one_function(struct gen *g, const struct function_info *info,
                                     size_t *ret_frame)
{
	struct strbuf text;
	const char *code, *kept;

	*ret_frame = 0;
	if (info->decl->body->kind == STMT_EMBEDDED)
		return gen_embedded_function(g, info);
	g->in_function = true;
	code = gen_body(g, &info->body);
	g->in_function = false;
	*ret_frame = g->max_slot * slot_stride(g);
	strbuf_init(&text);
	strbuf_addf(&text, "%s\n{\n", gen_function_head(g, info));
	g->out = &text;
	declare_numbers(g, &info->body);
	add_entry(g, info);
	add_frame(g, &info->body, code, *ret_frame, "leave");
	gen_line(g, "leave: ;");
	gen_line(g, "c->nesting++;");
	if (returns_number(info))
		gen_line(g, "return ret;");
	strbuf_adds(&text, "}\n");
	kept = arena_strdup(&g->arena, text.data);
	strbuf_deinit(&text);
	return kept;
}

const char *gen_function_definition(struct gen *g, const struct function_info *info,
                                    size_t *ret_frame)
{
	const char *text = gen_one_function(g, info, ret_frame);

	return is_overload(info) ? gen_text(g, "%s%s", text, gen_dispatcher(g, info)) : text;
}
