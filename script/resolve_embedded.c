// SPDX-License-Identifier: GPL-2.0-only
/*
 * C code in scripts: what pass 2 must know about it. Only its comments tell: `pure` (it has no effects
 * outside of itself), `guru` (only scripts in guru mode may call it), `string` (an expression's
 * type), `pragma:read:NAME` and `pragma:write:NAME` (globals it uses). The rest is the compiler's.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "script/walk.h"

static bool mentions(const struct embedded *code, const char *word)
{
	return memmem(code->code, code->len, word, strlen(word)) != NULL;
}

/* The first line that is an #include, or NULL. */
static const char *find_include(const struct embedded *code)
{
	const char *at = code->code, *end = code->code + code->len;

	while ((at = memmem(at, (size_t)(end - at), "include", 7))) {
		const char *p = at;

		while (p > code->code && (p[-1] == ' ' || p[-1] == '\t'))
			p--;
		if (p > code->code && p[-1] == '#')
			return at;
		at += 7;
	}
	return NULL;
}

/* What code needs that only kernel headers give is refused by name. */
static void check_code(struct resolver *r, const struct embedded *code)
{
	const char *include = find_include(code);

	r->program->has_embedded = true;
	if (include) {
		resolver_unsupported(r, code->tok,
		                     "C code with #%.*s; scripts are compiled without kernel headers",
		                     (int)strcspn(include, "\n"), include);
		diag_hint(r->diags, "leave it out: @cast(x, \"type\")->member reads structures, "
		                    "@const(\"NAME\") and @enum(\"NAME\") are constants; declare in the "
		                    "C code itself what else it needs");
	} else if (mentions(code, "THIS->") && !embedded_has_pragma(code, "unmangled"))
		resolver_unsupported(r, code->tok,
		                     "THIS-> in C code without the pragma unmangled; it is "
		                     "STAP_ARG_name and STAP_RETVALUE since version 1.8");
}

void resolve_embedded_top(struct resolver *r, const struct embedded *code)
{
	struct embedded_top top = {code, resolver_file_of(r, code->tok)};

	ARENA_APPEND(r->arena, &r->program->embedded, top);
	if (!top.file->is_tapset)
		check_code(r, code); /* of library files, what is used of them counts */
}

/* Globals that the code names in its pragmas are used as it says. */
static void read_pragmas(struct resolver *r, struct body *body, const struct embedded *code)
{
	static const struct {
		const char *format;
		unsigned use;
	} pragmas[] = {{"pragma:read:%s", USE_READ}, {"pragma:write:%s", USE_WRITE}};

	for (size_t i = 0; i < r->program->globals.count; i++) {
		struct variable *var = r->program->globals.items[i];

		for (int j = 0; j < 2; j++) {
			const struct embedded_use use = {var, pragmas[j].use};

			if (!embedded_has_pragma(code, arena_printf(r->arena, pragmas[j].format,
			                                            var->global->name)))
				continue;
			var->wanted = true;
			ARENA_APPEND(r->arena, &body->embedded_uses, use);
		}
	}
}

void resolve_embedded_code(struct resolver *r, struct body *body, const struct embedded *code)
{
	check_code(r, code);
	read_pragmas(r, body, code);
	body->impure |= !embedded_has_pragma(code, "pure");
}

static bool is_word(char ch)
{
	return ch == '_' || (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
	       (ch >= 'A' && ch <= 'Z');
}

static bool has_word(const struct embedded *code, const char *word)
{
	const char *at = code->code, *end = code->code + code->len;
	const size_t len = strlen(word);

	for (; (at = memmem(at, (size_t)(end - at), word, len)); at++)
		if ((at == code->code || !is_word(at[-1])) && (at + len == end || !is_word(at[len])))
			return true;
	return false;
}

bool embedded_defines(const struct resolver *r, const char *text)
{
	size_t len = 0;

	while (is_word(text[len]))
		len++;
	if (text[len] || !len || (text[0] >= '0' && text[0] <= '9'))
		return true;
	for (size_t i = 0; i < r->program->embedded.count; i++)
		if (has_word(r->program->embedded.items[i].code, text))
			return true;
	return false;
}

void resolve_embedded_function(struct function_info *info)
{
	const struct embedded *code = info->decl->body->embedded;

	info->returns_value = mentions(code, "STAP_RETVALUE") || mentions(code, "STAP_RETURN") ||
	                      mentions(code, "THIS->__retvalue");
}

bool function_needs_guru(const struct function_info *info)
{
	return info->decl->body->kind == STMT_EMBEDDED &&
	       embedded_has_pragma(info->decl->body->embedded, "guru");
}

static void note_next(struct stmt **slot, void *arg)
{
	bool *found = arg;

	*found |= (*slot)->kind == STMT_NEXT;
	stmt_each_child(*slot, note_next, found);
}

bool function_may_next(const struct function *function)
{
	struct stmt *body = function->body;
	bool found = false;

	if (body->kind == STMT_EMBEDDED)
		return mentions(body->embedded, "STAP_NEXT");
	note_next(&body, &found);
	return found;
}
