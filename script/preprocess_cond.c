// SPDX-License-Identifier: GPL-2.0-only
/*
 * The conditions of %( ... %?. What stands on the left decides how it is compared:
 *
 *	kernel_v kernel_vr systemtap_v    as versions (strverscmp); == and != also match wildcards
 *	arch runtime systemtap_privilege CONFIG_X     == and != with wildcards
 *	guru_mode                         with a number, 0 or 1
 *	number, string                    with the same kind, plainly
 *	defined(@1)                       whether the argument was given
 *
 * && binds closer than ||. Both sides are always read, so that errors are told whatever the values.
 */
#include <fnmatch.h>
#include <string.h>

#include "script/preprocess.h"

struct condition {
	struct preprocessor *pp;
	const struct token *token; /* the one to be looked at */
	bool failed;
};

static const struct token *advance(struct condition *c)
{
	const struct token *token = c->token;

	if (token->kind != TOKEN_END)
		c->token = macro_next(c->pp);
	return token;
}

static bool wrong(struct condition *c, const struct token *token, const char *why)
{
	if (!c->failed && token->kind == TOKEN_JUNK)
		junk_report(c->pp->diags, token);
	else if (!c->failed)
		diag_add(c->pp->diags, token, BAD_CONDITION, why);
	c->failed = true;
	return false;
}

/* -1: not an operator that compares. */
static int comparison(const struct token *token)
{
	static const char *const spellings[] = { "<", "<=", "==", "!=", ">", ">=" };

	for (int i = 0; i < 6; i++)
		if (token->kind == TOKEN_OPERATOR && !strcmp(token->text, spellings[i]))
			return i;
	return -1;
}

static bool compare(int op, int order)
{
	switch (op) {
	case 0:
		return order < 0;
	case 1:
		return order <= 0;
	case 2:
		return order == 0;
	case 3:
		return order != 0;
	case 4:
		return order > 0;
	default:
		return order >= 0;
	}
}

static const char *kernel_version(struct preprocessor *pp)
{
	const char *release = pp->options->release ? pp->options->release : "";

	return arena_strndup(pp->arena, release, strcspn(release, "-"));
}

/* What a word of the condition stands for; NULL if the word means nothing. */
static const char *fact(struct preprocessor *pp, const char *word, bool *versions)
{
	const struct parse_options *o = pp->options;
	const char *value = "";

	*versions = true;
	if (!strcmp(word, "kernel_v"))
		return kernel_version(pp);
	if (!strcmp(word, "kernel_vr"))
		return o->release ? o->release : "";
	if (!strcmp(word, "systemtap_v"))
		return o->version ? o->version : SCRIPT_LANGUAGE_VERSION;
	*versions = false;
	if (!strcmp(word, "arch"))
		return o->arch ? o->arch : "";
	if (!strcmp(word, "runtime"))
		return o->runtime ? o->runtime : "kernel";
	if (!strcmp(word, "systemtap_privilege"))
		return o->privilege ? o->privilege : "stapdev";
	if (strncmp(word, "CONFIG_", 7))
		return NULL;
	if (o->config_lookup)
		value = o->config_lookup(o->config_context, word);
	return value ? value : "";
}

static bool compare_fact(struct condition *c, const struct token *word)
{
	static const char *const words[] = { "kernel_v", "kernel_vr", "systemtap_v", "arch",
					     "runtime", "systemtap_privilege", "guru_mode" };
	const struct token *op_token = advance(c), *right = c->token;
	int op = comparison(op_token);
	bool versions, equality = op == 2 || op == 3;
	const char *value = fact(c->pp, word->text, &versions);

	if (!value) {
		const char *near = diag_nearest(word->text, words, 7);

		wrong(c, word, "the word has no meaning here");
		if (near)
			diag_hint(c->pp->diags, "did you mean '%s'?", near);
		return false;
	}
	if (op < 0)
		return wrong(c, op_token, "it needs a comparison");
	if (!versions && !equality)
		return wrong(c, op_token, "only == and != make sense here");
	if (right->kind != TOKEN_STRING)
		return wrong(c, right, "the right side is a string");
	advance(c);
	if (!versions || (equality && strpbrk(right->string.data, "*?[")))
		return (fnmatch(right->string.data, value, 0) == 0) == (op == 2);
	return compare(op, strverscmp(value, right->string.data));
}

static bool compare_number(struct condition *c, int64_t left)
{
	const struct token *op_token = advance(c), *right = c->token;
	int op = comparison(op_token);

	if (op < 0)
		return wrong(c, op_token, "it needs a comparison");
	if (right->kind != TOKEN_NUMBER)
		return wrong(c, right, "a number is compared with a number");
	advance(c);
	return compare(op, (left > right->number) - (left < right->number));
}

static bool compare_string(struct condition *c, const struct token *left)
{
	const struct token *op_token = advance(c), *right = c->token;
	int op = comparison(op_token);

	if (op < 0)
		return wrong(c, op_token, "it needs a comparison");
	if (right->kind != TOKEN_STRING)
		return wrong(c, right, "a string is compared with a string");
	advance(c);
	return compare(op, strcmp(left->string.data, right->string.data));
}

/* defined = "defined" "(" tokens ")"; the word is read. */
static bool read_defined(struct condition *c)
{
	bool given;

	if (!token_is(c->token, "("))
		return wrong(c, c->token, "defined() takes a script argument, as defined(@1)");
	advance(c);
	given = c->token->kind != TOKEN_JUNK || c->token->problem != DIAG_TAG_MISSING_ARGUMENT;
	while (c->token->kind != TOKEN_END && !token_is(c->token, ")"))
		advance(c);
	advance(c);
	return given;
}

/* simple = word op string | number op number | string op string | defined */
static bool read_simple(struct condition *c)
{
	const struct token *left = advance(c);

	if (left->kind == TOKEN_NUMBER)
		return compare_number(c, left->number);
	if (left->kind == TOKEN_STRING)
		return compare_string(c, left);
	if (left->kind != TOKEN_IDENTIFIER)
		return wrong(c, left, "it begins with a word, a number or a string");
	if (!strcmp(left->text, "guru_mode"))
		return compare_number(c, c->pp->options->guru);
	if (!strcmp(left->text, "defined"))
		return read_defined(c);
	return compare_fact(c, left);
}

/* all = simple { "&&" simple } */
static bool read_all(struct condition *c)
{
	bool truth = read_simple(c);

	while (!c->failed && token_is(c->token, "&&")) {
		advance(c);
		truth = read_simple(c) && truth;
	}
	return truth;
}

/* condition = all { "||" all } "%?" */
bool condition_read(struct preprocessor *pp, const struct token *open, bool *ret)
{
	struct condition c = { .pp = pp, .token = macro_next(pp) };
	bool truth = read_all(&c);

	while (!c.failed && token_is(c.token, "||")) {
		advance(&c);
		truth = read_all(&c) || truth;
	}
	if (!c.failed && c.token->kind == TOKEN_END) {
		diag_add(pp->diags, open, UNTERMINATED_CONDITIONAL);
		c.failed = true;
	}
	if (!c.failed && !token_is(c.token, "%?"))
		wrong(&c, c.token, "expected %? or another comparison");
	*ret = truth && !c.failed;
	return !c.failed;
}
