// SPDX-License-Identifier: GPL-2.0-only
/*
 * @entry(expression) in a return probe: what the expression was when the function was entered. It is
 * worked out by a probe at the entry, which is planted beside, and kept in an array:
 *
 *	probe F.return { print(@entry($x)) }
 *
 * becomes
 *
 *	global __entry_0%, __entry_1%
 *	probe F {
 *		__entry_0[tid(), 7]++
 *		__entry_1[tid(), 7, __entry_0[tid(), 7]] = $x
 *	}
 *	probe F.return {
 *		__entry_depth = __entry_0[tid(), 7]
 *		__entry_value_1 = __entry_1[tid(), 7, __entry_depth]
 *		delete __entry_1[tid(), 7, __entry_depth]
 *		if (__entry_depth > 1) __entry_0[tid(), 7]-- else delete __entry_0[tid(), 7]
 *		print(__entry_value_1)
 *	}
 *
 * 7 being the number of the place: the places that one probe statement expands to share their
 * arrays. The first array counts how deep a thread is in the function, as one that calls itself has
 * a value for each call. The values are taken away first of all, so that no way out of the handler
 * leaves them. The arrays wrap: what was entered and never left does not fill them; it lies below
 * what is entered later, so it is not mistaken for it either.
 */
#include "script/resolve_private.h"

#include <string.h>

#include "base/strbuf.h"
#include "script/parse.h"
#include "script/walk.h"

struct entries {
	struct resolver *r;
	size_t place, ordinal;
	const struct global *depth;
	struct {
		ARENA_LIST(struct expr *);
	} values; /* what is worked out at the entry */
	struct strbuf entry, leave; /* the statements that are put there, as text */
};

static struct expr *make(struct resolver *r, enum expr_kind kind, const struct token *tok)
{
	struct expr *e = ARENA_NEW(r->arena, struct expr);

	e->kind = kind;
	e->tok = tok;
	e->height = 1;
	return e;
}

/* --- arrays ----------------------------------------------------------------------------------- */

/* A global of the library's kind: nobody is told that it is not read, nor shown it at the end. */
static struct global *declare_array(struct resolver *r, const struct token *tok)
{
	struct global *global = ARENA_NEW(r->arena, struct global);
	struct script_file *file = ARENA_NEW(r->arena, struct script_file);
	struct variable *var = ARENA_NEW(r->arena, struct variable);

	file->is_tapset = true;
	global->name = arena_printf(r->arena, "__entry_%zu", r->entry_arrays.count);
	global->tok = tok;
	global->is_array = global->wraps = true;
	global->file = file;
	global->var = var;
	var->kind = VAR_GLOBAL;
	var->name = global->name;
	var->tok = tok;
	var->global = global;
	var->is_array = true;
	var->number = r->program->globals.count;
	ARENA_APPEND(r->arena, &r->program->globals, var);
	return global;
}

/* The array of the n-th @entry of the probe statement. */
static struct global *find_array(struct entries *at, const struct token *tok)
{
	struct resolver *r = at->r;
	struct entry_array made = {r->source, at->ordinal++, NULL};

	for (size_t i = 0; i < r->entry_arrays.count; i++)
		if (r->entry_arrays.items[i].source == made.source &&
		    r->entry_arrays.items[i].ordinal == made.ordinal)
			return r->entry_arrays.items[i].global;
	made.global = declare_array(r, tok);
	ARENA_APPEND(r->arena, &r->entry_arrays, made);
	return made.global;
}

/* --- the two bodies --------------------------------------------------------------------------- */

/* @entry(...) becomes a variable; what it is of is worked out at the entry. */
static void replace_entry(struct expr **slot, void *arg)
{
	struct entries *at = arg;
	struct expr *e = *slot, *value;
	const char *name;

	if (e->kind != EXPR_ENTRY) {
		expr_each_child(e, replace_entry, at);
		return;
	}
	if (!at->depth)
		at->depth = find_array(at, e->tok);
	name = find_array(at, e->tok)->name;
	strbuf_addf(&at->entry, "%s[tid(), %zu, %s[tid(), %zu]] = 0\n", name, at->place,
	            at->depth->name, at->place);
	ARENA_APPEND(at->r->arena, &at->values, e->wrapped.operand);
	value = make(at->r, EXPR_SYMBOL, e->tok);
	value->symbol.name = arena_printf(at->r->arena, "__entry_value_%zu", at->ordinal - 1);
	strbuf_addf(&at->leave, "%s = %s[tid(), %zu, __entry_depth]\n", value->symbol.name, name,
	            at->place);
	strbuf_addf(&at->leave, "delete %s[tid(), %zu, __entry_depth]\n", name, at->place);
	*slot = value;
}

static void replace_in_stmt(struct stmt **slot, void *arg)
{
	stmt_each_expr(*slot, replace_entry, arg);
	stmt_each_child(*slot, replace_in_stmt, arg);
}

/* The statements as a block. The probe that they are parsed in is not to be planted. */
static struct stmt *parse_block(struct resolver *r, const char *text)
{
	const struct parse_options options = {.tapset = true};
	const char *probe = arena_printf(r->arena, "probe never {\n%s}", text);
	struct script_file *file = script_parse_string(r->script, "<@entry>", probe, strlen(probe),
	                                               &options, r->diags);

	file->items.count = 0;
	return file->items.items[0].probe->body;
}

/* Each 0 that the text assigns is in truth one of the values. */
static struct stmt *make_entry_body(struct entries *at)
{
	struct stmt *block = parse_block(
	    at->r, arena_printf(at->r->arena, "%s[tid(), %zu]++\n%s", at->depth->name, at->place,
	                        at->entry.data));

	for (size_t i = 0; i < at->values.count; i++)
		block->block.items[i + 1]->expr->binary.right = at->values.items[i];
	return block;
}

static struct stmt *make_return_prologue(struct entries *at)
{
	const char *depth = at->depth->name;

	return parse_block(at->r,
	                   arena_printf(at->r->arena,
	                                "__entry_depth = %s[tid(), %zu]\n%s"
	                                "if (__entry_depth > 1) %s[tid(), %zu]--\n"
	                                "else delete %s[tid(), %zu]\n",
	                                depth, at->place, at->leave.data, depth, at->place, depth,
	                                at->place));
}

static void plant_entry(struct resolver *r, const struct planted_probe *at_return,
                        struct stmt *block)
{
	struct planted_probe *planted = ARENA_NEW(r->arena, struct planted_probe);

	*planted = *at_return;
	planted->pp = arena_strndup(r->arena, planted->pp,
	                            (size_t)(strstr(planted->pp, ".return") - planted->pp));
	planted->kind = "SPL_PROBE_ENTRY";
	planted->is_return = false;
	planted->param = planted->param2 = 0;
	planted->body = ARENA_NEW(r->arena, struct body);
	planted->body->stmt = block;
	planted->body->wants_place = true;
	ARENA_APPEND(r->arena, &r->program->probes, planted);
	resolve_names(r, planted->body, NULL);
	resolve_targets(r, planted->body, planted);
}

void resolve_entries(struct resolver *r, struct planted_probe *planted)
{
	struct entries at = {.r = r, .place = r->program->probes.count};

	if (!planted->is_return || strcmp(planted->kind, "SPL_PROBE_RETURN"))
		return; /* what @entry is left is told when names are bound */
	strbuf_init(&at.entry);
	strbuf_init(&at.leave);
	replace_in_stmt(&planted->body->stmt, &at);
	if (at.depth) {
		planted->body->wants_place = true;
		planted->body->stmt =
		    stmt_join(r, make_return_prologue(&at), planted->body->stmt);
		plant_entry(r, planted, make_entry_body(&at));
	}
	strbuf_deinit(&at.entry);
	strbuf_deinit(&at.leave);
}
