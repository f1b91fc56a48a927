// SPDX-License-Identifier: GPL-2.0-only
/* -L: the variables of a probe point with their types, in stap's spelling. */
#include <string.h>

#include "script/resolve_private.h"
#include "script/resolve_target.h"

static const char *keyword(const struct btf_type *t)
{
	if (btf_is_union(t) || (btf_is_fwd(t) && btf_kflag(t)))
		return "union ";
	return btf_is_any_enum(t) ? "enum " : "struct ";
}

static const char *named(struct arena *arena, const struct btf_index *btf, const struct btf_type *t,
                         const char *prefix)
{
	const char *name = btf_index_name(btf, t->name_off);

	return arena_printf(arena, "%s%s", prefix, *name ? name : "{...}");
}

const char *target_type_text(struct arena *arena, const struct btf_index *btf, int type)
{
	const struct btf_type *t = btf__type_by_id(btf_index_btf(btf), (uint32_t)type);

	if (!type || !t)
		return "void";
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return arena_printf(arena, "%s*", target_type_text(arena, btf, (int)t->type));
	case BTF_KIND_CONST:
		return arena_printf(arena, "%s const", target_type_text(arena, btf, (int)t->type));
	case BTF_KIND_VOLATILE:
		return arena_printf(arena, "%s volatile",
		                    target_type_text(arena, btf, (int)t->type));
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return target_type_text(arena, btf, (int)t->type);
	case BTF_KIND_ARRAY:
		return arena_printf(arena, "%s[%u]",
		                    target_type_text(arena, btf, (int)btf_array(t)->type),
		                    btf_array(t)->nelems);
	case BTF_KIND_FUNC_PROTO:
		return arena_printf(arena, "%s (...)", target_type_text(arena, btf, (int)t->type));
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPEDEF:
		return named(arena, btf, t, "");
	default:
		return named(arena, btf, t, keyword(t));
	}
}

void target_list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	struct kernel *kernel = resolver_kernel(r, planted->tok);
	struct btf_prototype proto;
	struct btf_index *btf;
	struct error *error;

	error = kernel ? kernel_btf(kernel, &btf) : NULL;
	if (!error && kernel)
		error = btf_index_find_function(btf, planted->symbol, &proto);
	if (error || !kernel) { /* listed without variables */
		error_destroy(error);
		return;
	}
	if (planted->is_return && proto.return_type)
		fprintf(out, " $return:%s", target_type_text(r->arena, btf, proto.return_type));
	for (unsigned i = 0; i < proto.argc; i++)
		fprintf(out, " $%s:%s", btf_index_name(btf, proto.args[i].name_off),
		        target_type_text(r->arena, btf, proto.args[i].type));
}
