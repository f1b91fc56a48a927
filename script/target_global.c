// SPDX-License-Identifier: GPL-2.0-only
/*
 * @var("name@file", "module"): globals of the kernel and its modules. BTF has the types of per-CPU
 * variables only (and, made by newer tools, of others); debug information has all.
 */
#include <errno.h>
#include <string.h>

#include "script/target_private.h"

/* --- by BTF ---------------------------------------------------------------------------------------- */

/* Whether the section that lists the VAR is that of per-CPU data. */
static bool is_per_cpu_variable(const struct btf_index *idx, int id)
{
	const struct btf_type *t =
	    btf_index_type(idx, (uint32_t)btf_index_find_section(idx, ".data..percpu"));

	for (unsigned i = 0; t && i < btf_vlen(t); i++)
		if (btf_var_secinfos(t)[i].type == (uint32_t)id)
			return true;
	return false;
}

static bool take_btf_variable(struct cursor *at, const struct target *target)
{
	struct target_walk *w = at->w;
	struct kernel_symbol symbol;
	struct error *error;
	int id;

	if (target->file || (target->module && !target_is_kernel(target->module)) ||
	    !target_need_btf(w, at->tok))
		return false;
	id = btf_index_find_variable(w->btf, target->name);
	if (!id)
		return false;
	error = kernel_symbol_find(w->r->kernel, target->name, &symbol);
	if (error || symbol.module) { /* a module's: debug information knows how it is bound */
		error_destroy(error);
		return false;
	}
	at->type = c_type_btf(
	    w->btf, (int)btf_index_type(w->btf, (uint32_t)id)->type);
	at->access->base = ACCESS_SYMBOL;
	at->access->symbol = arena_printf(w->r->arena, "kdata_%s", target->name);
	at->access->is_per_cpu = is_per_cpu_variable(w->btf, id);
	at->is_address = true;
	return true;
}

static uint64_t kernel_address(struct resolver *r, const char *name)
{
	struct kernel_symbol symbol;
	struct error *error = kernel_symbol_find(r->kernel, name, &symbol);
	uint64_t address = error ? 0 : symbol.address;

	error_destroy(error);
	return address;
}

/* &@var("name"): an address has no type, so the symbol is enough. */
static bool take_symbol(struct cursor *at, const struct target *target)
{
	struct target_walk *w = at->w;
	struct kernel_symbol symbol;
	struct error *error;

	if (!target->address || target->path.count || target->file || target->module ||
	    !resolver_kernel(w->r, at->tok))
		return false;
	error = kernel_symbol_find(w->r->kernel, target->name, &symbol);
	if (error || symbol.module || strchr("tTwW", symbol.type)) {
		error_destroy(error);
		return false;
	}
	at->access->base = ACCESS_SYMBOL;
	at->access->symbol = arena_printf(w->r->arena, "kdata_%s", target->name);
	at->access->is_per_cpu = symbol.address >= kernel_address(w->r, "__per_cpu_start") &&
	                         symbol.address < kernel_address(w->r, "__per_cpu_end");
	at->is_address = true;
	return true;
}

/* --- by debug information -------------------------------------------------------------------------- */

/* Without a module the variable is one of the file that the probe stands in. */
static struct error *open_debuginfo(struct cursor *at, const struct target *target,
                                    const char *module, struct debuginfo **ret)
{
	const struct planted_probe *planted = at->w->planted;

	if (target->module || !planted || !planted->site)
		return resolver_debuginfo(at->w->r, module, ret);
	*ret = planted->site->info;
	return NULL;
}

static struct error *take_dwarf_variable(struct cursor *at, const struct target *target,
                                         const char *module)
{
	struct code_variable v;
	struct debuginfo *info;
	struct location loc;
	struct error *error = open_debuginfo(at, target, module, &info);

	if (!error)
		error = debuginfo_check_dwarf(info);
	if (!error)
		error = variable_find_global(info, target->name, target->file, &v);
	if (!error)
		error = variable_location(info, &v, 0, &loc);
	if (error)
		return error;
	at->info_module = module;
	return target_take_location(at, info, &v.type, &loc);
}

/* --- both -------------------------------------------------------------------------------------------- */

/* Without its own messages: what is tried first may fail. */
static bool is_local(struct cursor *at, const struct target *target,
                     bool (*named)(struct cursor *at, const char *name))
{
	struct diag_list quiet, *loud = at->w->r->diags;
	bool found;

	if (target->file || target->module || !at->w->planted || !at->w->planted->symbol)
		return false;
	diag_list_init(&quiet);
	at->w->r->diags = &quiet;
	found = named(at, target->name);
	at->w->r->diags = loud;
	diag_list_deinit(&quiet);
	return found;
}

bool target_begin_var(struct cursor *at, const struct target *target,
                      bool (*named)(struct cursor *at, const char *name))
{
	const char *module = target->module ? target->module
	                     : at->w->planted ? at->w->planted->module
	                                      : NULL;
	struct error *error;

	if (module && target_is_kernel(module))
		module = NULL;
	at->spelled = arena_printf(at->w->r->arena, "@var(\"%s%s%s\")", target->name,
	                           target->file ? "@" : "", target->file ? target->file : "");
	if (is_local(at, target, named) || take_btf_variable(at, target))
		return true;
	error = take_dwarf_variable(at, target, module);
	if (error && take_symbol(at, target)) {
		error_destroy(error);
		return true;
	}
	if (!error)
		return true;
	diag_add(at->w->r->diags, at->tok, TARGET_NO_GLOBAL, target->name, error->message);
	error_destroy(error);
	return false;
}
