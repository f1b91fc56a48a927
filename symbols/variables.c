// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/variables.c - variables by walking down to a place and looking into each block on the way.
 *
 * A compiler may drop the DIE of a variable from an inlined copy, or from a function that has an
 * abstract origin, when nothing is left of it; the abstract function still lists it. So the children
 * of the origin that no child of the copy refers to are added, without a location.
 */
#include "symbols/nearest.h"
#include "symbols/variables.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debuginfo_private.h"
#include "symbols/location_dwarf.h"
#include "symbols/places_private.h"

/* --- collecting ------------------------------------------------------------------------------------ */

struct collection {
	struct code_variable *items;
	size_t count;
	Dwarf_Die function;
};

static void add_variable(struct collection *c, Dwarf_Die *die, unsigned depth)
{
	struct code_variable v = {.name = die_name(die), .die = *die, .depth = depth,
	                     .function = c->function};

	if (!v.name)
		return;
	v.kind = dwarf_tag(die) == DW_TAG_formal_parameter ? VARIABLE_PARAMETER : VARIABLE_LOCAL;
	v.type = dwarf_type_of(die);
	if (!(c->count & (c->count - 1))) {
		size_t room = c->count ? c->count * 2 : 16;

		c->items = reallocarray(c->items, room, sizeof(*c->items));
		if (!c->items)
			abort();
	}
	c->items[c->count++] = v;
}

static bool is_variable(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_formal_parameter || tag == DW_TAG_variable;
}

/* True when one of the block's variables is a copy of that abstract one. */
static bool refers_to(Dwarf_Die *block, Dwarf_Die *abstract)
{
	Dwarf_Die child, origin;

	if (dwarf_child(block, &child))
		return false;
	do
		if (is_variable(&child) && die_reference(&child, DW_AT_abstract_origin, &origin) &&
		    die_same(&origin, abstract))
			return true;
	while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* Parts of a variable-length array, for instance, are nobody's names. */
static bool is_own(Dwarf_Die *die)
{
	return is_variable(die) && !dwarf_hasattr_integrate(die, DW_AT_declaration) &&
	       !die_number(die, DW_AT_artificial, 0);
}

static void collect_block(struct collection *c, Dwarf_Die *block, unsigned depth)
{
	Dwarf_Die child, origin;

	if (dwarf_child(block, &child) == 0)
		do
			if (is_own(&child))
				add_variable(c, &child, depth);
		while (dwarf_siblingof(&child, &child) == 0);
	if (!die_reference(block, DW_AT_abstract_origin, &origin) ||
	    dwarf_child(&origin, &child))
		return;
	do
		if (is_own(&child) && !refers_to(block, &child))
			add_variable(c, &child, depth);
	while (dwarf_siblingof(&child, &child) == 0);
}

static void mark_hidden(struct collection *c)
{
	for (size_t i = 0; i < c->count; i++)
		for (size_t j = 0; j < c->count && !c->items[i].is_hidden; j++)
			c->items[i].is_hidden = c->items[j].depth < c->items[i].depth &&
			                        !strcmp(c->items[i].name, c->items[j].name);
}

/* Where in the chain the meant function stands: `of`, else as variables.h says. */
static unsigned meant(struct die_chain *chain, uint64_t address, const struct code_function *of)
{
	uint64_t entry;

	for (unsigned i = 0; of && of->die && i < chain->count; i++)
		if (dwarf_dieoffset(&chain->dies[i]) == of->die)
			return i;
	if (die_entry(&chain->dies[0], &entry) && entry == address)
		return 0;
	return chain_innermost(chain) - chain->dies;
}

/* From that function to its innermost block. */
static void collect_chain(struct collection *c, struct die_chain *chain, unsigned first)
{
	unsigned end = first + 1;

	while (end < chain->count && dwarf_tag(&chain->dies[end]) != DW_TAG_inlined_subroutine)
		end++;
	c->function = chain->dies[0];
	for (unsigned i = first; i < end; i++)
		collect_block(c, &chain->dies[i], end - 1 - i);
	mark_hidden(c);
}

static bool is_in_chain(const struct die_chain *chain, const struct code_function *of)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (dwarf_dieoffset((Dwarf_Die *)&chain->dies[i]) == of->die)
			return true;
	return false;
}

/* With the function's DIE at hand nothing is searched for. False when the copy does not lead to the
 * address, see below. */
static bool chain_by_body(struct debuginfo *info, uint64_t address, const struct code_function *of,
                          struct die_chain *ret)
{
	struct unit unit;
	Dwarf_Die body;

	if (!of || !of->body || !unit_at(info, of->unit, &unit) ||
	    !dwarf_offdie(dwarf_cu_getdwarf(unit.die.cu), of->body, &body))
		return false;
	if (die_chain_below(&body, address, ret) &&
	    (of->kind != FUNCTION_INLINE || is_in_chain(ret, of)))
		return true;
	return of->kind == FUNCTION_INLINE && die_chain_to(&body, of->die, ret);
}

/*
 * Of copies that begin at one instruction the ranges of some are empty, or begin behind it: no address
 * leads to these. Then the way is that of the tree, from the copy outwards.
 */
static bool chain_of(const struct unit *unit, const struct code_function *of,
                     struct die_chain *ret)
{
	Dwarf_Die die, *scopes;
	int count, function;

	if (!dwarf_offdie(dwarf_cu_getdwarf(unit->die.cu), of->die, &die))
		return false;
	count = dwarf_getscopes_die(&die, &scopes);
	for (function = count - 1; function >= 0; function--)
		if (dwarf_tag(&scopes[function]) == DW_TAG_subprogram)
			break;
	if (function >= 0 && function < DIE_CHAIN_MAX) {
		ret->count = 0;
		for (int i = function; i >= 0; i--)
			ret->dies[ret->count++] = scopes[i];
	}
	if (count > 0)
		free(scopes);
	return function >= 0;
}

static struct error *collect_at(struct debuginfo *info, uint64_t address,
                                const struct code_function *of, struct collection *ret)
{
	struct die_chain chain;
	struct unit unit;
	struct error *error = debuginfo_check_dwarf(info);

	*ret = (struct collection){.count = 0};
	if (error)
		return error;
	if (chain_by_body(info, address, of, &chain)) {
		collect_chain(ret, &chain, meant(&chain, address, of));
		return NULL;
	}
	if (!unit_of_address(info, address, &unit) || !die_chain_at(&unit, address, &chain))
		return error_create(ENODATA, "0x%llx of %s is in no function with debug "
		                             "information (assembler code, or compiled without -g)",
		                    (unsigned long long)address, info->path);
	if (of && of->die && of->kind == FUNCTION_INLINE && !is_in_chain(&chain, of))
		chain_of(&unit, of, &chain);
	collect_chain(ret, &chain, meant(&chain, address, of));
	return NULL;
}

struct error *variables_at(struct debuginfo *info, uint64_t address,
                           const struct code_function *of,
                           int (*cb)(const struct code_variable *variable, void *arg), void *arg)
{
	struct collection c;
	struct error *error = collect_at(info, address, of, &c);
	bool done = false;

	for (size_t i = 0; i < c.count && !error && !done; i++)
		if (c.items[i].kind == VARIABLE_PARAMETER)
			done = cb(&c.items[i], arg);
	for (size_t i = 0; i < c.count && !error && !done; i++)
		if (c.items[i].kind != VARIABLE_PARAMETER)
			done = cb(&c.items[i], arg);
	free(c.items);
	return error;
}

/* --- globals ----------------------------------------------------------------------------------------- */

struct global_search {
	struct debuginfo *info;
	const char *name, *file;
	struct code_variable *ret;
};

/* A DIE that only declares may stand beside the one that defines. */
static bool defines(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_location, &attr) ||
	       dwarf_attr_integrate(die, DW_AT_const_value, &attr);
}

static int search_unit(const struct unit *unit, void *arg)
{
	struct global_search *s = arg;
	Dwarf_Die die = unit->die, child;
	const char *name, *file;
	int line;

	if (dwarf_child(&die, &child))
		return 0;
	do {
		if (dwarf_tag(&child) != DW_TAG_variable || !defines(&child))
			continue;
		name = die_name(&child);
		if (!name || strcmp(name, s->name))
			continue;
		*s->ret = (struct code_variable){.name = name, .kind = VARIABLE_GLOBAL, .die = child,
		                            .type = dwarf_type_of(&child)};
		file = die_declared(&child, &line);
		if (s->file && (!file || !path_matches(file, s->file)))
			continue;
		return 1;
	} while (dwarf_siblingof(&child, &child) == 0);
	return 0;
}

/* With a symbol .debug_aranges may know the unit: gcc lists data there as well. */
static bool search_symbols_unit(struct global_search *s)
{
	struct elf_symbol sym;
	struct unit unit;
	struct error *error = debuginfo_symbol_find(s->info, s->name, &sym);
	bool found = !error && unit_of_address(s->info, sym.address, &unit) &&
	             search_unit(&unit, s);

	error_destroy(error);
	return found;
}

struct error *variable_find_global(struct debuginfo *info, const char *name, const char *file,
                                   struct code_variable *ret)
{
	struct global_search s = {.info = info, .name = name, .file = file, .ret = ret};
	struct error *error = debuginfo_check_dwarf(info);
	bool found;

	if (error)
		return error;
	found = file && unit_each_named(info, file, search_unit, &s);
	if (!found)
		found = search_symbols_unit(&s) || unit_each(info, search_unit, &s);
	if (found)
		return NULL;
	return error_create(ENOENT, "%s has no global variable %s%s%s", info->path, name,
	                    file ? " in " : "", file ? file : "");
}

/* Nothing there has the name, nor has a global. */
static struct error *not_here(const struct debuginfo *info, const struct collection *c, const char *name)
{
	unsigned limit = nearest_limit(name), distance;
	const char *near = NULL;

	for (size_t i = 0; i < c->count; i++) {
		distance = nearest_distance(name, c->items[i].name, limit);
		if (distance <= limit && (!near || distance < limit)) {
			near = c->items[i].name;
			limit = distance;
		}
	}
	return error_create(ENOENT, "%s: no variable %s is visible there%s%s%s, and no global has the name",
	                    info->path, name, near ? " (did you mean " : "", near ? near : "",
	                    near ? "?)" : "");
}

struct error *variable_find(struct debuginfo *info, uint64_t address,
                            const struct code_function *of, const char *name,
                            struct code_variable *ret)
{
	const char *at = strchr(name, '@');
	struct collection c;
	struct error *error;
	bool found = false;

	if (at) {
		char *plain = strndup(name, at - name);

		error = variable_find_global(info, plain, at + 1, ret);
		free(plain);
		return error;
	}
	error = collect_at(info, address, of, &c);
	for (size_t i = 0; !error && i < c.count; i++) {
		if (strcmp(c.items[i].name, name) || c.items[i].is_hidden)
			continue;
		*ret = c.items[i];
		found = true;
	}
	if (!error && !found) {
		error = variable_find_global(info, name, NULL, ret);
		if (error && error->err == ENOENT) {
			error_destroy(error);
			error = not_here(info, &c, name);
		}
	}
	free(c.items);
	return error;
}

/* --- where they are ---------------------------------------------------------------------------------- */

struct error *variable_location(struct debuginfo *info, const struct code_variable *variable,
                                uint64_t address, struct location *ret)
{
	Dwarf_Die die = variable->die, function = variable->function;
	Dwarf_Attribute attr;
	struct error *error = NULL;

	ret->op_count = ret->piece_count = 0;
	ret->uses_entry = false;
	if (dwarf_attr_integrate(&die, DW_AT_location, &attr))
		error = location_from_dwarf(info, &attr, function.addr ? &function : NULL, address,
		                            ret);
	else if (dwarf_attr_integrate(&die, DW_AT_const_value, &attr))
		error = location_from_constant(&attr, ret);
	return error ? error_wrap(error, "%s", variable->name) : NULL;
}

struct error *variable_entry(struct debuginfo *info, uint64_t address, uint64_t *ret_function,
                             struct location *ret_frame)
{
	struct die_chain chain;
	struct unit unit;
	struct error *error = debuginfo_check_dwarf(info);

	if (error)
		return error;
	if (!unit_of_address(info, address, &unit) || !die_chain_at(&unit, address, &chain) ||
	    !die_entry(&chain.dies[0], ret_function))
		return error_create(ENODATA, "0x%llx of %s is in no function with debug information",
		                    (unsigned long long)address, info->path);
	return location_of_frame(info, address, ret_frame);
}

/* The psABI's classes, as far as C functions of kernels and most programs need them. */
static struct error *return_location(struct dwarf_type type, struct location *ret)
{
	enum type_kind kind = dwarf_type_kind(dwarf_type_strip(type));
	struct location_piece piece = {.kind = PIECE_REGISTER, .reg = 0};
	int64_t size = dwarf_type_size(type);

	if (kind == TYPE_FLOAT && size <= 8) {
		piece.reg = 17;
	} else if (kind == TYPE_FLOAT || size < 0) {
		return error_create(EOPNOTSUPP, "its return value is not in a register");
	} else if (kind == TYPE_STRUCT || kind == TYPE_UNION) {
		if (size <= 16)
			return error_create(EOPNOTSUPP,
			                    "it returns a small structure in registers");
		piece = (struct location_piece){.kind = PIECE_MEMORY, .count = 1};
		ret->ops[ret->op_count++] = (struct location_op){LOC_REGISTER, 0};
	} else if (size > 8) {
		return error_create(EOPNOTSUPP, "it returns more than 64 bits");
	}
	ret->pieces[ret->piece_count++] = piece;
	return NULL;
}

struct error *function_return(struct debuginfo *info, const struct code_function *fn,
                              struct dwarf_type *ret_type, struct location *ret)
{
	struct die_chain chain;
	struct unit unit;
	struct error *error = debuginfo_check_dwarf(info);

	ret->op_count = ret->piece_count = 0;
	ret->uses_entry = false;
	if (error)
		return error;
	if (!unit_at(info, fn->unit, &unit) || !die_chain_at(&unit, fn->address, &chain))
		return error_create(ENODATA, "%s has no debug information", fn->name);
	*ret_type = dwarf_type_of(&chain.dies[0]);
	if (ret_type->is_void)
		return error_create(ENODATA, "%s returns nothing", fn->name);
	error = return_location(*ret_type, ret);
	return error ? error_wrap(error, "%s", fn->name) : NULL;
}
