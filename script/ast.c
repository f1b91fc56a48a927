// SPDX-License-Identifier: GPL-2.0-only
#include "script/ast.h"

#include <ctype.h>
#include <string.h>

const char *op_spelling(enum op op)
{
	static const char *const spellings[] = {
#define OPERATOR(name, spelling, group) spelling,
#include "script/ast.def"
	};

	return spellings[op];
}

enum op_group op_group(enum op op)
{
	static const enum op_group groups[] = {
#define OPERATOR(name, spelling, group) OPS_##group,
#include "script/ast.def"
	};

	return groups[op];
}

const char *stat_op_word(enum stat_op op)
{
	static const char *const words[] = {
#define FUNNEL(name, word) word,
#include "script/ast.def"
		"none",
	};

	return words[op];
}

const char *expr_kind_name(enum expr_kind kind)
{
	static const char *const names[] = {
#define EXPR(kind, member) #kind,
#include "script/ast.def"
	};

	return names[kind];
}

const char *stmt_kind_name(enum stmt_kind kind)
{
	static const char *const names[] = {
#define STMT(kind, member) #kind,
#include "script/ast.def"
	};

	return names[kind];
}

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = { "unknown", "long", "string", "stats" };

	return names[type];
}

bool embedded_has_pragma(const struct embedded *embedded, const char *pragma)
{
	const char *at = embedded->code, *end = embedded->code + embedded->len;
	size_t len = strlen(pragma);

	while ((at = memmem(at, (size_t)(end - at), "/*", 2))) {
		at += 2;
		while (at < end && isspace((unsigned char)*at))
			at++;
		if ((size_t)(end - at) < len || memcmp(at, pragma, len))
			continue;
		for (const char *rest = at + len; rest < end; rest++) {
			if (end - rest >= 2 && rest[0] == '*' && rest[1] == '/')
				return true;
			if (!isspace((unsigned char)*rest))
				break;
		}
	}
	return false;
}

bool print_histogram(const struct print *print)
{
	const struct expr *arg = print->args.count == 1 ? print->args.items[0] : NULL;

	return arg && !print->has_format && arg->kind == EXPR_STAT &&
	       (arg->stat.op == STAT_HIST_LOG || arg->stat.op == STAT_HIST_LINEAR);
}
