// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/btf_string.c - a BTF type as C writes it.
 *
 * C declarations grow from the inside out, BTF chains run from the outside in: "pointer to array of
 * 4 const int" is `const int (*)[4]`. So the walk follows the chain and wraps what it has so far
 * (`inner`): a pointer puts a star in front, an array or a function its brackets behind, and the
 * type at the chain's end goes in front of all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "symbols/btf.h"

#define STRING_DEPTH 24

static void replace(struct strbuf *inner, const char *before, const char *after)
{
	struct strbuf out;

	strbuf_init(&out);
	strbuf_adds(&out, before);
	strbuf_adds(&out, inner->data ? inner->data : "");
	strbuf_adds(&out, after);
	strbuf_deinit(inner);
	*inner = out;
}

static char *string_at_depth(const struct btf_index *idx, int type, int depth);

static void add_arguments(const struct btf_index *idx, const struct btf_type *t,
                          struct strbuf *inner, int depth)
{
	struct strbuf args;

	strbuf_init(&args);
	strbuf_addc(&args, '(');
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_param *p = &btf_params(t)[i];
		_cleanup_free_ char *s = string_at_depth(idx, p->type, depth + 1);
		bool dots = i + 1u == btf_vlen(t) && !p->type;

		strbuf_addf(&args, "%s%s", i ? ", " : "", dots ? "..." : s);
	}
	strbuf_adds(&args, btf_vlen(t) ? ")" : "void)");
	replace(inner, "", args.data);
	strbuf_deinit(&args);
}

static bool needs_brackets(const struct btf_index *idx, int type)
{
	const struct btf_type *t = btf_index_type(idx, type);

	while (t && btf_is_mod(t) && type)
		t = btf_index_type(idx, type = t->type);
	return t && (btf_is_array(t) || btf_is_func_proto(t));
}

/* Qualifiers of a pointer stand behind its star, those of other types in front of the type. */
static void add_qualifier(const struct btf_index *idx, const struct btf_type *t, const char *word,
                          struct strbuf *inner, struct strbuf *front)
{
	const struct btf_type *of = btf_index_type(idx, t->type);

	if (of && btf_is_ptr(of))
		replace(inner, word, "");
	else
		strbuf_adds(front, word);
}

static const char *keyword(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
		return "struct ";
	case BTF_KIND_UNION:
		return "union ";
	case BTF_KIND_FWD:
		return btf_kflag(t) ? "union " : "struct ";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return "enum ";
	default:
		return "";
	}
}

static char *finish(const char *front, const char *word, const char *name, struct strbuf *inner)
{
	struct strbuf out;

	strbuf_init(&out);
	strbuf_addf(&out, "%s%s%s", front ? front : "", word, *name ? name : "{...}");
	if (inner->len)
		strbuf_addf(&out, " %s", inner->data);
	while (out.len && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	strbuf_deinit(inner);
	return strbuf_steal(&out);
}

static char *string_at_depth(const struct btf_index *idx, int type, int depth)
{
	struct strbuf inner, front;
	char count[32], *result;

	strbuf_init(&inner);
	strbuf_init(&front);
	for (; depth < STRING_DEPTH; depth++) {
		const struct btf_type *t = type ? btf_index_type(idx, type) : NULL;

		switch (t ? btf_kind(t) : BTF_KIND_UNKN) {
		case BTF_KIND_PTR:
			if (needs_brackets(idx, t->type))
				replace(&inner, "(*", ")");
			else
				replace(&inner, "*", "");
			type = t->type;
			continue;
		case BTF_KIND_ARRAY:
			snprintf(count, sizeof(count), "[%u]", btf_array(t)->nelems);
			replace(&inner, "", count);
			type = btf_array(t)->type;
			continue;
		case BTF_KIND_FUNC_PROTO:
			add_arguments(idx, t, &inner, depth);
			type = t->type;
			continue;
		case BTF_KIND_CONST:
			add_qualifier(idx, t, "const ", &inner, &front);
			type = t->type;
			continue;
		case BTF_KIND_VOLATILE:
			add_qualifier(idx, t, "volatile ", &inner, &front);
			type = t->type;
			continue;
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			type = t->type;
			continue;
		case BTF_KIND_UNKN:
			result = finish(front.data, "", "void", &inner);
			break;
		default:
			result = finish(front.data, keyword(t), btf_index_name(idx, t->name_off),
			                &inner);
		}
		strbuf_deinit(&front);
		return result;
	}
	strbuf_deinit(&front);
	strbuf_deinit(&inner);
	return strdup("...");
}

char *btf_index_type_string(const struct btf_index *idx, int type)
{
	return string_at_depth(idx, type, 0);
}
