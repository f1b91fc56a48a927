// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/die.c - small questions about one DIE that libdw has no call for, or answers for some
 * producers only.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debuginfo_private.h"

#define ORIGINS_MAX 16 /* a damaged file may refer in circles */

bool die_reference(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, attribute, &attr) && dwarf_formref_die(&attr, ret);
}

Dwarf_Die die_origin(const Dwarf_Die *die)
{
	Dwarf_Die at = *die, next;

	for (unsigned i = 0; i < ORIGINS_MAX; i++) {
		if (!die_reference(&at, DW_AT_abstract_origin, &next) &&
		    !die_reference(&at, DW_AT_specification, &next))
			break;
		at = next;
	}
	return at;
}

const char *die_name(const Dwarf_Die *die)
{
	Dwarf_Die at = *die;
	const char *name = dwarf_diename(&at);

	if (name)
		return name;
	at = die_origin(die);
	return dwarf_diename(&at);
}

bool die_same(const Dwarf_Die *a, const Dwarf_Die *b)
{
	return a->addr == b->addr;
}

int64_t die_number(const Dwarf_Die *die, unsigned attribute, int64_t fallback)
{
	Dwarf_Die at = *die;
	Dwarf_Attribute attr;
	Dwarf_Sword value;

	if (!dwarf_attr_integrate(&at, attribute, &attr))
		return fallback;
	switch (dwarf_whatform(&attr)) {
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		return dwarf_formsdata(&attr, &value) == 0 ? value : fallback;
	default:
		return dwarf_formudata(&attr, (Dwarf_Word *)&value) == 0 ? value : fallback;
	}
}

const char *die_file(Dwarf_CU *cu, uint64_t number)
{
	Dwarf_Die die, other;
	Dwarf_Files *files;
	uint8_t type;
	size_t n;

	if (dwarf_cu_info(cu, NULL, &type, &die, &other, NULL, NULL, NULL))
		return NULL;
	/* A split unit's files may stand with its skeleton only. */
	if (dwarf_getsrcfiles(&die, &files, &n) &&
	    (type != DW_UT_split_compile || !other.addr || dwarf_getsrcfiles(&other, &files, &n)))
		return NULL;
	return number < n ? dwarf_filesrc(files, number, NULL, NULL) : NULL;
}

/* dwarf_decl_file() ends the program on split units of DWARF 4. */
const char *die_declared(const Dwarf_Die *die, int *line)
{
	Dwarf_Die at = *die;
	Dwarf_Attribute attr;
	Dwarf_Word number;

	*line = 0;
	dwarf_decl_line(&at, line);
	if (!dwarf_attr_integrate(&at, DW_AT_decl_file, &attr) || dwarf_formudata(&attr, &number))
		return NULL;
	return die_file(attr.cu, number);
}

/* Code in several ranges: the first is where compilers put the entry, the rest is cold. */
static bool lowest(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Addr base, end;

	return dwarf_lowpc(die, ret) == 0 || dwarf_ranges(die, 0, &base, ret, &end) > 0;
}

bool die_entry(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word distance = 0;

	/* DW_AT_entry_pc is an address, or since DWARF 5 perhaps a distance from the start. */
	if (dwarf_attr(die, DW_AT_entry_pc, &attr)) {
		if (dwarf_formaddr(&attr, ret) == 0)
			return true;
		if (dwarf_formudata(&attr, &distance))
			return false;
	}
	if (!lowest(die, ret))
		return false;
	*ret += distance;
	return true;
}

bool die_has_code(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

uint64_t die_size(Dwarf_Die *die, uint64_t entry)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		if (start <= entry && entry < end)
			return end - entry;
	return 0;
}

/* --- from an address down --------------------------------------------------------------------- */

static bool may_hold_code(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_inlined_subroutine || tag == DW_TAG_namespace ||
	       tag == DW_TAG_module || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* Blocks without code of their own (a namespace, a gcc lexical block whose code is in children)
 * are looked into as well. */
static bool descend(Dwarf_Die *die, uint64_t address, struct die_chain *ret)
{
	unsigned mark = ret->count;
	bool here = false;
	Dwarf_Die child;

	if (die_has_code(die)) {
		if (dwarf_haspc(die, address) != 1)
			return false;
		here = true;
	} else if (dwarf_tag(die) == DW_TAG_subprogram) {
		return false; /* abstract, or a declaration */
	}
	if (ret->count == DIE_CHAIN_MAX)
		return here;
	ret->dies[ret->count++] = *die;
	if (dwarf_child(die, &child) == 0)
		do {
			if (may_hold_code(dwarf_tag(&child)) && descend(&child, address, ret))
				return true;
		} while (dwarf_siblingof(&child, &child) == 0);
	if (!here)
		ret->count = mark;
	return here;
}

bool die_chain_below(Dwarf_Die *function, uint64_t address, struct die_chain *ret)
{
	ret->count = 0;
	return descend(function, address, ret);
}

bool die_chain_to(Dwarf_Die *function, Dwarf_Off target, struct die_chain *ret)
{
	Dwarf_Die at = *function, child, below;

	for (ret->count = 0; ret->count < DIE_CHAIN_MAX; at = below) {
		bool is_below = false;

		ret->dies[ret->count++] = at;
		if (dwarf_dieoffset(&at) == target)
			return true;
		/* The last child that begins at the target or before has it, or none. */
		if (dwarf_child(&at, &child))
			return false;
		do {
			if (dwarf_dieoffset(&child) > target)
				break;
			below = child;
			is_below = true;
		} while (dwarf_siblingof(&child, &child) == 0);
		if (!is_below)
			return false;
	}
	return false;
}

static void chain_drop_front(struct die_chain *chain, unsigned n)
{
	chain->count -= n;
	memmove(chain->dies, chain->dies + n, chain->count * sizeof(chain->dies[0]));
}

bool die_chain_at(const struct unit *unit, uint64_t address, struct die_chain *ret)
{
	Dwarf_Die die = unit->die, child;
	unsigned i;

	ret->count = 0;
	if (dwarf_child(&die, &child))
		return false;
	do {
		if (may_hold_code(dwarf_tag(&child)) && descend(&child, address, ret))
			break;
	} while (dwarf_siblingof(&child, &child) == 0);
	for (i = 0; i < ret->count && dwarf_tag(&ret->dies[i]) != DW_TAG_subprogram; i++)
		;
	chain_drop_front(ret, i);
	return ret->count > 0;
}

/* --- all functions of a unit ------------------------------------------------------------------ */

static void map_ranges(struct function_map *map, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		if (!(map->count & (map->count - 1))) {
			size_t room = map->count ? map->count * 2 : 64;

			map->items = reallocarray(map->items, room, sizeof(*map->items));
			if (!map->items)
				abort();
		}
		map->items[map->count++] = (struct mapped_function){start, end, *die};
	}
}

static void map_children(struct function_map *map, Dwarf_Die *die, unsigned depth)
{
	Dwarf_Die child;

	if (depth > DIE_CHAIN_MAX || dwarf_child(die, &child))
		return;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram && die_has_code(&child))
			map_ranges(map, &child);
		else if (may_hold_code(tag) && !die_has_code(&child))
			map_children(map, &child, depth + 1);
	} while (dwarf_siblingof(&child, &child) == 0);
}

static int compare_mapped(const void *a, const void *b)
{
	const struct mapped_function *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void function_map_init(const struct unit *unit, struct function_map *ret)
{
	Dwarf_Die die = unit->die;

	*ret = (struct function_map){.count = 0};
	map_children(ret, &die, 0);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_mapped);
}

void function_map_deinit(struct function_map *map)
{
	free(map->items);
	map->items = NULL;
	map->count = 0;
}

bool function_map_chain(const struct function_map *map, uint64_t address, struct die_chain *ret)
{
	size_t low = 0, high = map->count;
	Dwarf_Die die;

	ret->count = 0;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (map->items[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address >= map->items[low - 1].end)
		return false;
	die = map->items[low - 1].die;
	return descend(&die, address, ret);
}
