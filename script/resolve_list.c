// SPDX-License-Identifier: GPL-2.0-only
/* -L: the variables of a probe point with their types, in stap's spelling. */
#include <dwarf.h>
#include <string.h>

#include "script/resolve_private.h"
#include "script/resolve_target.h"
#include "symbols/variables.h"

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

static const char *btf_text(struct arena *arena, const struct btf_index *btf, int type)
{
	const struct btf_type *t = btf_index_type(btf, (uint32_t)type);

	if (!type || !t)
		return "void";
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return arena_printf(arena, "%s*", btf_text(arena, btf, (int)t->type));
	case BTF_KIND_CONST:
		return arena_printf(arena, "%s const", btf_text(arena, btf, (int)t->type));
	case BTF_KIND_VOLATILE:
		return arena_printf(arena, "%s volatile",
		                    btf_text(arena, btf, (int)t->type));
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return btf_text(arena, btf, (int)t->type);
	case BTF_KIND_ARRAY:
		return arena_printf(arena, "%s[%u]",
		                    btf_text(arena, btf, (int)btf_array(t)->type),
		                    btf_array(t)->nelems);
	case BTF_KIND_FUNC_PROTO:
		return arena_printf(arena, "%s (...)", btf_text(arena, btf, (int)t->type));
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPEDEF:
		return named(arena, btf, t, "");
	default:
		return named(arena, btf, t, keyword(t));
	}
}

static const char *dwarf_keyword(struct dwarf_type type)
{
	switch (dwarf_type_kind(type)) {
	case TYPE_STRUCT: return "struct ";
	case TYPE_UNION: return "union ";
	case TYPE_ENUM: return "enum ";
	default: return "";
	}
}

static const char *dwarf_qualifier(struct dwarf_type type)
{
	switch (dwarf_tag(&type.die)) {
	case DW_TAG_const_type: return " const";
	case DW_TAG_volatile_type: return " volatile";
	default: return "";
	}
}

/* `depth` ends what a damaged file might make endless. */
static const char *dwarf_text(struct arena *arena, struct dwarf_type type, unsigned depth)
{
	const char *name = dwarf_type_name(type), *target;
	enum type_kind kind = dwarf_type_kind(type);

	if (type.is_void || depth == 32)
		return "void";
	if (name || (kind != TYPE_POINTER && kind != TYPE_QUALIFIED && kind != TYPE_ARRAY &&
	             kind != TYPE_FUNCTION))
		return arena_printf(arena, "%s%s", dwarf_keyword(type), name ? name : "{...}");
	target = dwarf_text(arena, dwarf_type_target(type), depth + 1);
	if (kind == TYPE_POINTER)
		return arena_printf(arena, "%s*", target);
	if (kind == TYPE_QUALIFIED)
		return arena_printf(arena, "%s%s", target, dwarf_qualifier(type));
	if (kind == TYPE_FUNCTION)
		return arena_printf(arena, "%s (...)", target);
	return arena_printf(arena, "%s[%lld]", target, (long long)dwarf_type_count(type));
}

const char *target_type_text(struct arena *arena, struct c_type type)
{
	return type.btf ? btf_text(arena, type.btf, type.id) : dwarf_text(arena, type.dwarf, 0);
}

/* --- the list ------------------------------------------------------------------------------------- */

struct variable_list {
	struct arena *arena;
	FILE *out;
	bool parameters_only; /* at a return locals are gone */
};

static int list_variable(const struct code_variable *v, void *arg)
{
	struct variable_list *list = arg;

	if (!v->is_hidden && v->name &&
	    (v->kind == VARIABLE_PARAMETER || !list->parameters_only))
		fprintf(list->out, " $%s:%s", v->name,
		        target_type_text(list->arena, c_type_dwarf(v->type)));
	return 0;
}

static void list_by_site(struct resolver *r, const struct probe_site *site, FILE *out)
{
	struct variable_list list = {r->arena, out, site->kind == SITE_RETURN};
	struct dwarf_type type;
	struct location loc;
	struct error *error = NULL;

	if (site->kind == SITE_RETURN && site->fn)
		error = function_return(site->info, site->fn, &type, &loc);
	if (site->kind == SITE_RETURN && site->fn && !error && !type.is_void)
		fprintf(out, " $return:%s", target_type_text(r->arena, c_type_dwarf(type)));
	error_destroy(error);
	error_destroy(variables_at(site->info, site->address, site->fn, list_variable, &list));
}

/* By BTF; false when it does not know the function. */
static bool list_by_prototype(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	struct btf_prototype proto;
	struct btf_index *btf;
	struct error *error = resolver_btf(r, planted->module, &btf);

	if (!error)
		error = btf_index_find_function(btf, planted->symbol, &proto);
	if (error) {
		error_destroy(error);
		return false;
	}
	if (planted->is_return && proto.return_type)
		fprintf(out, " $return:%s",
		        target_type_text(r->arena, c_type_btf(btf, proto.return_type)));
	for (unsigned i = 0; i < proto.argc; i++)
		fprintf(out, " $%s:%s", btf_index_name(btf, proto.args[i].name_off),
		        target_type_text(r->arena, c_type_btf(btf, (int)proto.args[i].type)));
	return true;
}

/* What debug information has found is listed by it; else it is asked when BTF has no answer. A probe
 * of neither is listed without variables. */
void target_list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	const struct probe_site *site = planted->site;

	if (!planted->symbol || (!site && list_by_prototype(r, planted, out)))
		return;
	error_destroy(resolver_site(r, planted, &site));
	if (site)
		list_by_site(r, site, out);
}
