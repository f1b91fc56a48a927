// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/fit_type.c - does a kernel's type fit what kernel.def wrote?
 *
 * What has to agree is what a call or an access depends on: pointer or number, a number's size, the
 * name of the structure pointed to, the arguments of a function pointed to. Signedness, enum or
 * int, const and typedef names do not matter. `void *` in a row stands for any data pointer.
 *
 * The C of kernel.def is small: [const|volatile] (struct X | words | typedef) stars [name]. Types
 * of kernel.def's own CALLBACK rows are called kcb_NAME.
 */
#include <ctype.h>
#include <string.h>

#include "symbols/fit_private.h"

enum base { BASE_BAD, BASE_VOID, BASE_NUMBER, BASE_STRUCT, BASE_CALLBACK };

struct ctype {
	enum base base;
	unsigned size; /* BASE_NUMBER */
	char name[64]; /* BASE_STRUCT: the tag, BASE_CALLBACK: without kcb_ */
	unsigned stars;
};

/* Copies the next word or single character of *p into token; false at the end. */
static bool next_token(const char **p, const char *end, char token[64])
{
	size_t n = 0;

	while (*p < end && isspace((unsigned char)**p))
		(*p)++;
	if (*p == end)
		return false;
	do
		token[n++] = *(*p)++;
	while (n < 63 && *p < end && (isalnum((unsigned char)token[0]) || token[0] == '_') &&
	       (isalnum((unsigned char)**p) || **p == '_'));
	token[n] = '\0';
	return true;
}

static bool is_one_of(const char *token, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(token, *words))
			return true;
	return false;
}

static unsigned typedef_size(const char *name)
{
	static const struct {
		const char *name;
		unsigned size;
	} table[] = {
	    {"bool", 1},     {"_Bool", 1},   {"int8_t", 1},    {"uint8_t", 1}, {"int16_t", 2},
	    {"uint16_t", 2}, {"int32_t", 4}, {"uint32_t", 4},  {"int64_t", 8}, {"uint64_t", 8},
	    {"size_t", 8},   {"ssize_t", 8}, {"uintptr_t", 8},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			return table[i].size;
	return 0;
}

/* The base type that starts with `token`, which is no qualifier. May take further tokens. */
static void parse_base(struct ctype *t, const char *token, const char **p, const char *end)
{
	static const char *const words[] = {"unsigned", "signed", "char", "short",
	                                    "int",      "long",   NULL};
	char next[64];

	if (!strcmp(token, "void")) {
		t->base = BASE_VOID;
	} else if (!strcmp(token, "struct") || !strcmp(token, "union")) {
		t->base = next_token(p, end, t->name) ? BASE_STRUCT : BASE_BAD;
	} else if (!strncmp(token, "kcb_", 4)) {
		t->base = BASE_CALLBACK;
		strcpy(t->name, token + 4);
	} else if (is_one_of(token, words)) {
		const char *ahead = *p;

		t->base = BASE_NUMBER;
		t->size = 4;
		strcpy(next, token);
		do {
			if (!is_one_of(next, words))
				break;
			*p = ahead;
			t->size = !strcmp(next, "char")    ? 1
			          : !strcmp(next, "short") ? 2
			          : !strcmp(next, "long")  ? 8
			                                   : t->size;
		} while (next_token(&ahead, end, next));
	} else if ((t->size = typedef_size(token))) {
		t->base = BASE_NUMBER;
	}
}

static struct ctype parse_ctype(const char *p, const char *end)
{
	static const char *const qualifiers[] = {"const", "volatile", NULL};
	struct ctype t = {.base = BASE_BAD};
	char token[64];

	while (next_token(&p, end, token)) {
		if (is_one_of(token, qualifiers))
			continue;
		if (!strcmp(token, "*"))
			t.stars++;
		else if (t.base == BASE_BAD)
			parse_base(&t, token, &p, end);
		else
			break; /* the parameter's name */
	}
	return t;
}

static const struct btf_type *type_of(const struct btf_index *idx, int *type)
{
	*type = btf_index_strip(idx, *type);
	return btf_index_type(idx, *type);
}

static bool number_matches(const struct btf_type *bt, unsigned size)
{
	return (btf_is_int(bt) || btf_is_any_enum(bt)) && bt->size == size;
}

static bool callback_matches(const struct btf_index *idx, const char *name, int type)
{
	const struct def_row *row = def_callback_find(name);
	struct btf_prototype proto;
	struct error *error;

	if (!row)
		return false;
	error = btf_index_prototype(idx, type, &proto);
	if (error) {
		error_destroy(error);
		return false;
	}
	return fit_prototype_matches(idx, row->type, row->args, &proto);
}

static bool ctype_matches(const struct btf_index *idx, const struct ctype *t, int type)
{
	const struct btf_type *bt = type_of(idx, &type);

	for (unsigned i = 0; i < t->stars; i++) {
		if (!type || !btf_is_ptr(bt))
			return false;
		type = bt->type;
		bt = type_of(idx, &type);
	}
	switch (t->base) {
	case BASE_VOID:
		return t->stars ? !type || !btf_is_func_proto(bt) : !type;
	case BASE_NUMBER:
		return type && number_matches(bt, t->size);
	case BASE_STRUCT:
		return type && (btf_is_composite(bt) || btf_is_fwd(bt)) &&
		       !strcmp(btf_index_name(idx, bt->name_off), t->name);
	case BASE_CALLBACK:
		return type && btf_is_func_proto(bt) && callback_matches(idx, t->name, type);
	default:
		return false;
	}
}

bool fit_type_matches(const struct btf_index *idx, const char *ctype, int type)
{
	struct ctype t = parse_ctype(ctype, ctype + strlen(ctype));

	return ctype_matches(idx, &t, type);
}

static bool return_matches(const struct btf_index *idx, const char *ctype, int type)
{
	/* A result that nobody reads may be anything that comes in a register. */
	if (!strcmp(ctype, "void"))
		return btf_index_size(idx, type) <= 8;
	return fit_type_matches(idx, ctype, type);
}

bool fit_prototype_matches(const struct btf_index *idx, const char *ret_type, const char *args,
                           const struct btf_prototype *proto)
{
	const char *p = args + 1, *end;
	bool variadic = false;
	unsigned n = 0;

	if (!return_matches(idx, ret_type, proto->return_type))
		return false;
	for (; *p; p = end + 1) {
		struct ctype t;

		end = p + strcspn(p, ",)");
		p += strspn(p, " ");
		t = parse_ctype(p, end);
		if (!strncmp(p, "...", 3))
			variadic = true;
		else if (t.base == BASE_VOID && !t.stars && !n)
			; /* (void) */
		else if (n >= proto->argc || !ctype_matches(idx, &t, proto->args[n++].type))
			return false;
		if (*end == ')' || !*end)
			break;
	}
	return n == proto->argc && variadic == proto->variadic;
}
