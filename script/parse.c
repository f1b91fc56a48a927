// SPDX-License-Identifier: GPL-2.0-only
/* Files, the top level of the grammar, and the tokens that all rules read. */
#include "script/parse.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "script/parse_private.h"

/* --- tokens ---------------------------------------------------------------------------------- */

const struct token *peek_at(const struct parser *p, size_t ahead)
{
	size_t at = p->next + ahead;

	return p->tokens.items[at < p->tokens.count ? at : p->tokens.count - 1];
}

const struct token *peek(const struct parser *p)
{
	return p->tokens.items[p->next];
}

const struct token *take(struct parser *p)
{
	const struct token *token = peek(p);

	if (token->kind != TOKEN_END)
		p->next++;
	return token;
}

bool next_is(const struct parser *p, const char *spelling)
{
	return token_is(peek(p), spelling);
}

bool accept(struct parser *p, const char *spelling)
{
	if (!next_is(p, spelling))
		return false;
	take(p);
	return true;
}

const struct token *expect(struct parser *p, const char *spelling)
{
	if (!next_is(p, spelling))
		fail_expected(p, arena_printf(p->arena, "'%s'", spelling));
	return take(p);
}

static bool word_in(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

bool is_keyword(const struct token *token)
{
	static const char *const words[] = {
		"probe", "global", "private", "function", "if",	   "else", "for",   "foreach",
		"while", "in",	   "return",  "delete",	  "next",  "break", "continue", "try",
		"catch", NULL,
	};

	return token->kind == TOKEN_IDENTIFIER && word_in(token->text, words);
}

bool is_name(const struct token *token)
{
	return token->kind == TOKEN_IDENTIFIER && token->text[0] != '$' && token->text[0] != '@' &&
	       !is_keyword(token);
}

const struct token *expect_name(struct parser *p, const char *what)
{
	if (!is_name(peek(p)))
		fail_expected(p, what);
	return take(p);
}

bool first_on_line(const struct parser *p)
{
	const struct token *token = peek(p), *before = p->next ? p->tokens.items[p->next - 1] : NULL;

	return !before || before->source != token->source || before->line != token->line;
}

bool begins_item(const struct parser *p)
{
	static const char *const words[] = { "probe", "global", "private", "function", NULL };
	const struct token *token = peek(p);

	return token->kind == TOKEN_IDENTIFIER && word_in(token->text, words) && first_on_line(p);
}

/* --- errors ---------------------------------------------------------------------------------- */

void fail(struct parser *p)
{
	if (diag_error_count(p->diags) >= p->error_limit)
		longjmp(*p->give_up, 1);
	longjmp(*p->recover, 1);
}

void fail_expected(struct parser *p, const char *what)
{
	fail_expected_hint(p, what, NULL);
}

void fail_expected_hint(struct parser *p, const char *what, const char *hint)
{
	const struct token *token = peek(p);

	if (token->kind == TOKEN_JUNK) {
		junk_report(p->diags, token);
		p->text_lost |= token->problem == DIAG_TAG_UNTERMINATED_STRING ||
				token->problem == DIAG_TAG_UNTERMINATED_COMMENT ||
				token->problem == DIAG_TAG_UNTERMINATED_EMBEDDED;
	} else if (token->kind != TOKEN_END || !p->text_lost) {
		diag_add(p->diags, token, EXPECTED, what);
		if (hint)
			diag_hint(p->diags, "%s", hint);
	}
	fail(p);
}

void enter(struct parser *p)
{
	if (diag_error_count(p->diags) >= p->error_limit)
		longjmp(*p->give_up, 1);
	if (++p->depth > NESTING_MAX)
		fail_at(p, peek(p), TOO_DEEP, NESTING_MAX);
}

void leave(struct parser *p)
{
	p->depth--;
}

/* --- literals and embedded code -------------------------------------------------------------- */

/* string = STRING { STRING } */
struct expr *parse_literal_string(struct parser *p, const char *what)
{
	struct expr *expr = expr_create(p, EXPR_STRING, peek(p));
	struct strbuf joined;

	if (peek(p)->kind != TOKEN_STRING)
		fail_expected(p, what);
	expr->string.data = peek(p)->string.data;
	expr->string.len = take(p)->string.len;
	if (peek(p)->kind != TOKEN_STRING)
		return expr;
	strbuf_init(&joined);
	strbuf_add(&joined, expr->string.data, expr->string.len);
	while (peek(p)->kind == TOKEN_STRING) {
		const struct token *more = take(p);

		strbuf_add(&joined, more->string.data, more->string.len);
	}
	expr->string.data = arena_strndup(p->arena, joined.data ? joined.data : "", joined.len);
	expr->string.len = joined.len;
	strbuf_deinit(&joined);
	return expr;
}

/* number = [ "-" | "+" ] NUMBER */
struct expr *parse_literal_number(struct parser *p, const char *what)
{
	const struct token *sign = peek(p);
	bool negative = accept(p, "-");
	struct expr *expr = expr_create(p, EXPR_NUMBER, sign);

	if (!negative)
		accept(p, "+");
	if (peek(p)->kind != TOKEN_NUMBER)
		fail_expected(p, what);
	expr->number = take(p)->number;
	if (negative)
		expr->number = (int64_t)(0 - (uint64_t)expr->number);
	return expr;
}

/* literal = string | number */
struct expr *parse_literal(struct parser *p)
{
	const char *what = "literal string or number";

	if (peek(p)->kind == TOKEN_STRING)
		return parse_literal_string(p, what);
	return parse_literal_number(p, what);
}

/* embedded = "%{" C "%}" */
struct embedded *parse_embedded(struct parser *p)
{
	struct embedded *embedded = ARENA_NEW(p->arena, struct embedded);
	const struct token *token = peek(p);

	if (token->kind != TOKEN_EMBEDDED)
		fail_expected(p, "embedded C code");
	if (!p->options->guru && !p->options->tapset)
		diag_add(p->diags, token, NEEDS_GURU);
	take(p);
	embedded->tok = token;
	embedded->code = token->string.data;
	embedded->len = token->string.len;
	return embedded;
}

/* --- top level ------------------------------------------------------------------------------- */

static void item_append(struct parser *p, struct item item)
{
	ARENA_APPEND(p->arena, &p->file->items, item);
}

/* type = "long" | "string" */
static enum value_type parse_type(struct parser *p)
{
	const struct token *token = peek(p);

	if (accept(p, "long"))
		return TYPE_LONG;
	if (accept(p, "string"))
		return TYPE_STRING;
	if (token->kind == TOKEN_IDENTIFIER)
		fail_at(p, token, UNKNOWN_TYPE, token->text);
	fail_expected(p, "'long' or 'string'");
}

/* "[" [ size ] "]" */
static void parse_array_size(struct parser *p, struct global *global)
{
	const struct token *token = peek(p);

	if (!accept(p, "["))
		return;
	global->is_array = true;
	if (accept(p, "]"))
		return;
	token = peek(p);
	global->size = parse_literal_number(p, "the array's size, a number")->number;
	if (global->size < 1 || global->size > INT32_MAX)
		diag_add(p->diags, token, BAD_ARRAY_SIZE, INT32_MAX);
	expect(p, "]");
}

/* variable = name [ "%" ] [ "[" [ size ] "]" ] [ "=" literal ] */
static void parse_global_variable(struct parser *p, bool is_private)
{
	struct global *global = ARENA_NEW(p->arena, struct global);

	global->tok = expect_name(p, "the name of a variable");
	global->name = global->tok->text;
	global->is_private = is_private;
	global->file = p->file;
	if (accept(p, "%"))
		global->wraps = global->is_array = true;
	parse_array_size(p, global);
	if (next_is(p, "=")) {
		const struct token *equals = take(p);

		global->value = parse_literal(p);
		if (global->is_array)
			diag_add(p->diags, equals, ARRAY_VALUE, global->name);
	}
	item_append(p, (struct item){ .kind = ITEM_GLOBAL, .global = global });
}

/* global = ( "global" | "private" [ "global" ] ) variable { "," variable } [ ";" ] */
static void parse_global(struct parser *p, bool is_private)
{
	do
		parse_global_variable(p, is_private);
	while (accept(p, ","));
	accept(p, ";");
}

/* parameter = name [ ":" type ] */
static void parse_parameter(struct parser *p, struct function *function)
{
	struct parameter param = { .tok = expect_name(p, "the name of a parameter") };

	param.name = param.tok->text;
	if (accept(p, ":"))
		param.type = parse_type(p);
	ARENA_APPEND(p->arena, &function->params, param);
}

/* body = block | embedded */
static struct stmt *parse_function_body(struct parser *p)
{
	struct stmt *body;

	if (peek(p)->kind != TOKEN_EMBEDDED)
		return parse_block(p);
	body = stmt_create(p, STMT_EMBEDDED, peek(p));
	body->embedded = parse_embedded(p);
	return body;
}

/* function = [ "private" ] "function" name [ ":" type ]
 *            "(" [ parameter { "," parameter } ] ")" [ ":" number ] body */
static void parse_function(struct parser *p, bool is_private)
{
	struct function *function = ARENA_NEW(p->arena, struct function);

	function->tok = expect_name(p, "the name of a function");
	function->name = function->tok->text;
	function->is_private = is_private;
	function->file = p->file;
	if (accept(p, ":"))
		function->type = parse_type(p);
	expect(p, "(");
	if (!next_is(p, ")"))
		do
			parse_parameter(p, function);
		while (accept(p, ","));
	if (!next_is(p, ")"))
		fail_expected(p, "',' or ')'");
	take(p);
	if (accept(p, ":")) {
		function->has_priority = true;
		function->priority = parse_literal_number(p, "a priority, a number")->number;
	}
	function->body = parse_function_body(p);
	item_append(p, (struct item){ .kind = ITEM_FUNCTION, .function = function });
}

/* probe = "probe" { name ( "=" | "+=" ) } point { "," point } block [ "," block ]
 * The second block is for an alias with "=": what comes after its user's statements. */
static void parse_probe(struct parser *p, const struct token *tok)
{
	struct probe *probe = ARENA_NEW(p->arena, struct probe);

	probe->tok = tok;
	probe->file = p->file;
	parse_probe_header(p, probe);
	probe->body = parse_block(p);
	if (probe->names.count && !probe->epilogue && accept(p, ","))
		probe->after = parse_block(p);
	item_append(p, (struct item){ .kind = probe->names.count ? ITEM_ALIAS : ITEM_PROBE,
				      .probe = probe });
}

static void fail_at_item(struct parser *p) __attribute__((noreturn));

static void fail_at_item(struct parser *p)
{
	static const char *const words[] = { "probe", "global", "private", "function" };
	const struct token *token = peek(p);
	const char *near = NULL;

	if (token->kind == TOKEN_IDENTIFIER)
		near = diag_nearest(token->text, words, sizeof(words) / sizeof(words[0]));
	if (near)
		near = arena_printf(p->arena, "did you mean '%s'?", near);
	fail_expected_hint(p, "'probe', 'global', 'private', 'function' or '%{'", near);
}

/* item = probe | function | global | embedded | ";" */
static void parse_item(struct parser *p)
{
	const struct token *token = peek(p);
	bool is_private = accept(p, "private");

	if (!is_private && accept(p, "probe"))
		parse_probe(p, token);
	else if (accept(p, "function"))
		parse_function(p, is_private);
	else if (accept(p, "global") || (is_private && is_name(peek(p))))
		parse_global(p, is_private);
	else if (!is_private && token->kind == TOKEN_EMBEDDED)
		item_append(p, (struct item){ .kind = ITEM_EMBEDDED,
					      .embedded = parse_embedded(p) });
	else if (is_private)
		fail_expected(p, "'function', 'global' or a name after 'private'");
	else if (!accept(p, ";"))
		fail_at_item(p);
}

/* The next item begins with its word, first on a line, however the braces stand. */
static void skip_item(struct parser *p, size_t started)
{
	if (p->next == started)
		take(p);
	while (peek(p)->kind != TOKEN_END && !begins_item(p))
		take(p);
}

static void parse_item_or_skip(struct parser *p)
{
	size_t started = p->next;
	jmp_buf here;

	p->depth = 0;
	p->recover = p->recover_item = &here;
	if (setjmp(here) == 0)
		parse_item(p);
	else
		skip_item(p, started);
}

/* file = { item } */
static void parse_file(struct parser *p)
{
	jmp_buf end;

	p->give_up = &end;
	if (setjmp(end) == 0)
		while (peek(p)->kind != TOKEN_END && diag_error_count(p->diags) < p->error_limit)
			parse_item_or_skip(p);
}

/* --- interface ------------------------------------------------------------------------------- */

void script_init(struct script *script)
{
	memset(script, 0, sizeof(*script));
	arena_init(&script->arena);
	script->macros = ARENA_NEW(&script->arena, struct macro_table);
}

void script_deinit(struct script *script)
{
	arena_deinit(&script->arena);
	memset(script, 0, sizeof(*script));
}

static struct script_file *parse_source(struct script *script, const struct source *source,
					const struct parse_options *options,
					struct diag_list *diags)
{
	struct script_file *file = ARENA_NEW(&script->arena, struct script_file);
	struct parser p = { .arena = &script->arena,
			    .diags = diags,
			    .options = options,
			    .file = file,
			    .error_limit = diag_error_count(diags) + ERRORS_PER_FILE };

	file->source = source;
	file->is_tapset = options->tapset;
	preprocess(&script->arena, source, script->macros, options, diags, &p.tokens);
	p.text_lost = diag_error_count(diags) + ERRORS_PER_FILE > p.error_limit;
	parse_file(&p);
	ARENA_APPEND(&script->arena, &script->files, file);
	return file;
}

static const struct source *read_source(struct script *script, const char *path,
					struct diag_list *diags)
{
	bool standard = !strcmp(path, "-");
	_cleanup_free_ char *data = NULL;
	size_t len;
	struct error *error = file_read(standard ? "/dev/stdin" : path, &data, &len);

	if (error) {
		diag_add(diags, NULL, CANNOT_READ, error->message);
		error_destroy(error);
		return NULL;
	}
	return source_create(&script->arena, standard ? "<input>" : path, data, len);
}

struct script_file *script_parse_file(struct script *script, const char *path,
				      const struct parse_options *options, struct diag_list *diags)
{
	const struct source *source = read_source(script, path, diags);

	return source ? parse_source(script, source, options, diags) : NULL;
}

struct script_file *script_parse_string(struct script *script, const char *name, const char *text,
					size_t len, const struct parse_options *options,
					struct diag_list *diags)
{
	return parse_source(script, source_create(&script->arena, name, text, len), options, diags);
}

void script_parse_macros(struct script *script, const char *path,
			 const struct parse_options *options, struct diag_list *diags)
{
	const struct source *source = read_source(script, path, diags);

	if (source)
		preprocess_library(&script->arena, source, script->macros, options, diags);
}

void script_define_macro(struct script *script, const char *name, const char *text,
			 const struct parse_options *options, struct diag_list *diags)
{
	const char *define = arena_printf(&script->arena, "@define %s %%( %s %%)", name, text);

	preprocess_library(&script->arena,
			   source_create(&script->arena, "<options>", define, strlen(define)),
			   script->macros, options, diags);
}
