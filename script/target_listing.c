// SPDX-License-Identifier: GPL-2.0-only
/*
 * $$vars $$parms $$locals $$return: a sprintf of name=value. A name without a value (optimized out, a
 * whole structure) has a question mark for it; $$vars$ shows structures instead.
 */
#include <string.h>

#include "script/target_private.h"

enum { LIST_PARAMETERS = 1, LIST_LOCALS = 2, LIST_RETURN = 4 };

struct listing {
	struct target_walk *w;
	const struct expr *origin;
	struct print *print;
	enum target_pretty pretty;
	unsigned wanted;
	bool any;
};

static void add_part(struct listing *l, char conversion, const char *text)
{
	struct format_part part = {.conversion = conversion, .width = -1, .precision = -1};

	if (!conversion) {
		part.text = text;
		part.text_len = strlen(text);
	} else if (conversion == 'x') {
		part.flags = FORMAT_ALT;
	}
	ARENA_APPEND(l->w->r->arena, &l->print->parts, part);
}

/* NULL: it cannot be had, which is no error here. */
static struct expr *make_variable(struct listing *l, const char *name)
{
	struct arena *arena = l->w->r->arena;
	struct expr *e = ARENA_NEW(arena, struct expr);
	struct diag_list quiet, *loud = l->w->r->diags;

	e->kind = EXPR_TARGET;
	e->tok = l->origin->tok;
	e->target = ARENA_NEW(arena, struct target);
	e->target->base = TARGET_DOLLAR;
	e->target->name = arena_printf(arena, "$%s", name);
	e->target->pretty = l->pretty;
	diag_list_init(&quiet);
	l->w->r->diags = &quiet;
	l->w->is_listing = true;
	target_resolve(l->w, e);
	l->w->is_listing = false;
	l->w->r->diags = loud;
	diag_list_deinit(&quiet);
	return e->target->access ? e : NULL;
}

static void add_variable(struct listing *l, const char *name)
{
	struct expr *e = make_variable(l, name);

	add_part(l, 0, arena_printf(l->w->r->arena, "%s%s=%s", l->any ? " " : "", name, e ? "" : "?"));
	l->any = true;
	if (!e)
		return;
	add_part(l, l->pretty == PRETTY_NONE ? 'x' : 's', NULL);
	ARENA_APPEND(l->w->r->arena, &l->print->args, e);
}

/* --- what there is ------------------------------------------------------------------------------------ */

static unsigned parse_listing(const char *name)
{
	return !strcmp(name, "$$parms")    ? LIST_PARAMETERS
	       : !strcmp(name, "$$locals") ? LIST_LOCALS
	       : !strcmp(name, "$$vars")   ? LIST_PARAMETERS | LIST_LOCALS
	       : !strcmp(name, "$$return") ? LIST_RETURN
	                                   : 0;
}

static int add_visible(const struct code_variable *v, void *arg)
{
	struct listing *l = arg;
	unsigned kind = v->kind == VARIABLE_PARAMETER ? LIST_PARAMETERS : LIST_LOCALS;

	if ((l->wanted & kind) && !v->is_hidden && v->name)
		add_variable(l, v->name);
	return 0;
}

/* Debug information is asked where the probe was found by it, or for what it alone knows. */
static bool list_by_dwarf(struct listing *l)
{
	const struct planted_probe *planted = l->w->planted;
	const struct probe_site *site;
	struct error *error;

	if (!planted || planted->is_return || l->wanted == LIST_RETURN ||
	    (!planted->site && (l->wanted & LIST_PARAMETERS)))
		return false;
	error = resolver_site(l->w->r, planted, &site);
	if (!error)
		error = variables_at(site->info, site->address, site->fn, add_visible, l);
	if (error)
		diag_add(l->w->r->diags, l->origin->tok, TARGET_NO_LOCALS, planted->pp,
		         error->message);
	error_destroy(error);
	return true;
}

static void list_by_prototype(struct listing *l)
{
	struct btf_prototype proto;
	struct target_walk *w = l->w;

	if (!target_need_prototype(w, l->origin->tok, l->origin->target->name, &proto))
		return;
	if ((l->wanted & LIST_RETURN) && w->planted->is_return && proto.return_type)
		add_variable(l, "return");
	for (unsigned i = 0; (l->wanted & LIST_PARAMETERS) && i < proto.argc; i++)
		add_variable(l, btf_index_name(w->btf, proto.args[i].name_off));
}

bool target_listing(struct target_walk *w, struct expr *e)
{
	struct listing l = {.w = w, .origin = e, .pretty = e->target->pretty};

	if (e->target->base != TARGET_DOLLAR || strncmp(e->target->name, "$$", 2))
		return false;
	l.wanted = parse_listing(e->target->name);
	if (!l.wanted) {
		diag_add(w->r->diags, e->tok, TARGET_LISTING, e->target->name);
		return true;
	}
	l.print = ARENA_NEW(w->r->arena, struct print);
	l.print->name = "sprintf";
	l.print->to_string = l.print->has_format = true;
	if (!list_by_dwarf(&l))
		list_by_prototype(&l);
	e->kind = EXPR_PRINT;
	e->print = l.print;
	return true;
}
