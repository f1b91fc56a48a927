// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe aliases. An alias stands for other points and puts its own statements before (or, +=,
 * after; or, with two blocks, around) the user's. Its name may be the beginning of a point only: what follows goes behind each of
 * the alias's own points. Of several names that fit, the longest counts; a wildcard in the point
 * stands for all aliases whose name it matches, and those of them that come to nothing are passed
 * over as long as one does not.
 */
#include <fnmatch.h>
#include <string.h>

#include "script/resolve_private.h"

enum { ALIAS_DEPTH_MAX = 32 };

struct match {
	const struct probe *alias;
	const struct probe_point *name; /* the one of its names that fits */
};

struct match_list {
	ARENA_LIST(struct match);
};

/* --- finding ---------------------------------------------------------------------------------- */

/* Whether the alias's name is the beginning of the point. */
static bool alias_fits(const struct probe_point *name, const struct probe_point *point)
{
	if (name->components.count > point->components.count)
		return false;
	for (size_t i = 0; i < name->components.count; i++)
		if (point->components.items[i].arg ||
		    fnmatch(point->components.items[i].name, name->components.items[i].name, 0))
			return false;
	return true;
}

static bool is_beginning(const struct probe_point *part, const struct probe_point *whole)
{
	if (part->components.count >= whole->components.count)
		return false;
	for (size_t i = 0; i < part->components.count; i++)
		if (strcmp(part->components.items[i].name, whole->components.items[i].name))
			return false;
	return true;
}

static bool has_longer(const struct match_list *all, const struct match *match)
{
	for (size_t i = 0; i < all->count; i++)
		if (is_beginning(match->name, all->items[i].name))
			return true;
	return false;
}

static struct match_list find_aliases(struct resolver *r, const struct probe_point *point)
{
	struct match_list all = {0}, longest = {0};

	for (size_t i = 0; i < r->aliases.count; i++)
		for (size_t j = 0; j < r->aliases.items[i]->names.count; j++) {
			const struct match match = {r->aliases.items[i],
			                            r->aliases.items[i]->names.items[j]};

			if (alias_fits(match.name, point))
				ARENA_APPEND(r->arena, &all, match);
		}
	for (size_t i = 0; i < all.count; i++)
		if (!has_longer(&all, &all.items[i]))
			ARENA_APPEND(r->arena, &longest, all.items[i]);
	return longest;
}

/* --- expanding -------------------------------------------------------------------------------- */

struct stmt *stmt_join(struct resolver *r, struct stmt *first, struct stmt *second)
{
	struct stmt *block = ARENA_NEW(r->arena, struct stmt);

	block->kind = STMT_BLOCK;
	block->tok = first->tok;
	ARENA_APPEND(r->arena, &block->block, first);
	ARENA_APPEND(r->arena, &block->block, second);
	return block;
}

/* What the user wrote after the alias's name goes after the alias's own points. */
static struct probe_point *with_suffix(struct resolver *r, const struct probe_point *base,
                                       const struct probe_point *point, size_t from)
{
	struct probe_point *joined = ARENA_NEW(r->arena, struct probe_point);

	*joined = *base;
	joined->components.items = NULL;
	joined->components.count = 0;
	for (size_t i = 0; i < base->components.count; i++)
		ARENA_APPEND(r->arena, &joined->components, base->components.items[i]);
	for (size_t i = from; i < point->components.count; i++)
		ARENA_APPEND(r->arena, &joined->components, point->components.items[i]);
	joined->optional |= point->optional;
	return joined;
}

/* The user's statements between, before or after those of the alias. */
static struct stmt *join_body(struct resolver *r, const struct probe *alias, struct stmt *stmt)
{
	struct stmt *body = resolve_probewrites(r, alias->body, stmt), *joined;

	if (alias->epilogue)
		return stmt_join(r, stmt, body);
	joined = stmt_join(r, body, stmt);
	if (alias->after)
		joined = stmt_join(r, joined, resolve_probewrites(r, alias->after, stmt));
	return joined;
}

static bool expand(struct resolver *r, const struct match *match, const struct probe_point *point,
                   struct stmt *stmt)
{
	const struct probe *alias = match->alias;
	struct stmt *joined = join_body(r, alias, stmt);
	const char *name = NULL;
	const size_t first = r->program->probes.count;
	bool any = false;

	if (r->alias_loop)
		return false;
	if (r->alias_depth == ALIAS_DEPTH_MAX) {
		r->alias_loop = true;
		diag_add(r->diags, point->tok, ALIAS_RECURSION,
		         probe_point_text(r->arena, match->name));
		return false;
	}
	if (!r->alias_depth)
		name = probe_point_text(r->arena, with_suffix(r, match->name, point,
		                                                match->name->components.count));
	r->alias_depth++;
	for (size_t i = 0; i < alias->points.count; i++) {
		struct probe_point *target = with_suffix(r, alias->points.items[i], point,
		                                         match->name->components.count);
		bool made = resolve_point(r, target, joined);

		any |= made;
		if (made && target->sufficient)
			break;
	}
	r->alias_depth--;
	for (size_t i = first; name && i < r->program->probes.count; i++)
		r->program->probes.items[i]->alias = name;
	return any;
}

static bool has_wildcard(const struct probe_point *point)
{
	for (size_t i = 0; i < point->components.count; i++)
		if (strpbrk(point->components.items[i].name, "*?["))
			return true;
	return false;
}

bool resolve_alias(struct resolver *r, const struct probe_point *point, struct stmt *stmt,
                   bool *ret)
{
	struct match_list matches = find_aliases(r, point);
	struct probe_point each = *point;
	size_t before = diag_error_count(r->diags);

	*ret = false;
	each.optional |= has_wildcard(point);
	for (size_t i = 0; i < matches.count; i++)
		*ret |= expand(r, &matches.items[i], &each, stmt);
	if (matches.count && !*ret && each.optional && !point->optional &&
	    diag_error_count(r->diags) == before)
		diag_add(r->diags, point->tok, UNKNOWN_PROBE_POINT,
		         probe_point_text(r->arena, point));
	return matches.count != 0;
}

bool resolve_library_alias(struct resolver *r, const struct probe_point *point, struct stmt *stmt,
                           bool *ret)
{
	resolver_load_aliases(r, point);
	return resolve_alias(r, point, stmt, ret);
}
