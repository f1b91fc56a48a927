// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keepers: hidden probes at functions' entries, for variables amid a function of which debug
 * information says no more than which register had them at the entry (DW_OP_entry_value).
 *
 *	probe module("m").statement("work@m.c:20") { println($size) }
 *
 * plants, where $size is register rsi at the entry, a probe at m:work as well. It has no handler: the
 * core notes the argument registers of each call (runtime/kept.h), and $size asks for those of the
 * call that the statement is in. One keeper serves all places of its function.
 *
 * A keeper is asked for while variables are resolved, and @defined() may resolve some that no code is
 * left of; so what nobody asks is dropped at the end.
 */
#include <errno.h>
#include <string.h>

#include "script/families/code_places.h"
#include "script/walk.h"

static bool is_keeper(const struct planted_probe *planted)
{
	return planted->kind && !strcmp(planted->kind, "SPL_PROBE_KEEP");
}

static const struct planted_probe *find_keeper(const struct resolver *r,
                                               const struct debuginfo *info, uint64_t entry)
{
	for (size_t i = 0; i < r->program->probes.count; i++) {
		const struct planted_probe *planted = r->program->probes.items[i];

		if (is_keeper(planted) && planted->site->info == info &&
		    planted->site->address == entry)
			return planted;
	}
	return NULL;
}

static const struct planted_probe *make_keeper(struct code_search *s,
                                               const struct planted_probe *asker,
                                               const struct elf_symbol *sym)
{
	struct resolver *r = s->q->r;
	struct planted_probe *keeper = ARENA_NEW(r->arena, struct planted_probe);
	struct stmt *nothing = ARENA_NEW(r->arena, struct stmt);

	nothing->kind = STMT_NULL;
	nothing->tok = asker->tok;
	keeper->family = asker->family;
	keeper->tok = asker->tok;
	keeper->kind = "SPL_PROBE_KEEP";
	keeper->module = s->module;
	keeper->symbol = keeper->func = arena_strdup(r->arena, sym->name);
	keeper->nth = code_search_namesake(s, sym);
	keeper->pp = arena_printf(r->arena, "the entry of %s%s%s", s->module ? s->module : "",
	                          s->module ? ":" : "", sym->name);
	keeper->origin = asker->origin;
	keeper->source = asker->source;
	keeper->site = resolver_add_site(r, SITE_ENTRY, s->info, NULL, sym->address);
	keeper->body = ARENA_NEW(r->arena, struct body);
	keeper->body->stmt = nothing;
	ARENA_APPEND(r->arena, &r->program->probes, keeper);
	return keeper;
}

struct error *resolve_keeper(struct resolver *r, const struct planted_probe *planted,
                             const struct probe_site *site, uint64_t entry,
                             const struct planted_probe **ret)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(site->info, entry);
	struct code_request q = {.r = r, .kernel = r->kernel};
	struct code_search s = {.q = &q, .module = planted->module, .info = site->info};
	const char *reason = NULL;

	*ret = find_keeper(r, site->info, entry);
	if (*ret)
		return NULL;
	if (!sym || sym->address != entry)
		return error_create(ENODATA, "only its value at the function's entry is known, and no "
		                             "symbol is there");
	reason = code_search_refusal(&s, sym, true);
	if (reason)
		return error_create(ENODATA, "only its value at the entry of %s is known, which cannot be "
		                             "probed: %s",
		                    sym->name, reason);
	*ret = make_keeper(&s, planted, sym);
	return NULL;
}

/* --- which of them are used --------------------------------------------------------------------- */

struct uses {
	const struct planted_probe *keeper;
	bool found;
};

static void look_at_expr(struct expr **slot, void *arg)
{
	struct uses *uses = arg;
	const struct expr *e = *slot;

	uses->found |= e->kind == EXPR_TARGET && e->target->access &&
	               e->target->access->keeper == uses->keeper;
	expr_each_child(*slot, look_at_expr, arg);
}

static void look_at_stmt(struct stmt **slot, void *arg)
{
	stmt_each_expr(*slot, look_at_expr, arg);
	stmt_each_child(*slot, look_at_stmt, arg);
}

static bool is_used(const struct program *program, const struct planted_probe *keeper)
{
	struct uses uses = {.keeper = keeper};

	for (size_t i = 0; i < program->probes.count && !uses.found; i++)
		look_at_stmt(&program->probes.items[i]->body->stmt, &uses);
	for (size_t i = 0; i < program->functions.count && !uses.found; i++)
		if (program->functions.items[i]->place) /* a copy that a probe calls */
			look_at_stmt(&program->functions.items[i]->body.stmt, &uses);
	return uses.found;
}

void resolve_keepers_used(struct resolver *r)
{
	struct program *program = r->program;
	size_t kept = 0;

	for (size_t i = 0; i < program->probes.count; i++) {
		struct planted_probe *planted = program->probes.items[i];

		if (!is_keeper(planted) || is_used(program, planted))
			program->probes.items[kept++] = planted;
	}
	program->probes.count = kept;
}
