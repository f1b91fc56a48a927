// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/debuginfo_units.c - which compile unit a question is about.
 *
 * From an address: .debug_aranges, which libdw sorts once (3 ms for a kernel), gives the one unit
 * to look into. clang writes no such section; then the ranges that each unit's first DIE states are
 * collected instead, which touches every unit but only its first bytes. From a source file: the
 * name of the unit, and of what it includes the index (places_index.c) knows.
 */
#include <dwarf.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debuginfo_private.h"

bool path_matches(const char *path, const char *file)
{
	size_t n = strlen(path), m = strlen(file);

	if (strpbrk(file, "*?[")) {
		char pattern[512];

		if (!fnmatch(file, path, 0))
			return true;
		snprintf(pattern, sizeof(pattern), "*/%s", file);
		return !fnmatch(pattern, path, 0);
	}
	if (!strncmp(file, "./", 2))
		return path_matches(path, file + 2);
	return n >= m && !strcmp(path + n - m, file) && (n == m || path[n - m - 1] == '/');
}

/* --- units ------------------------------------------------------------------------------------ */

static bool fill(Dwarf_CU *cu, struct unit *ret)
{
	Dwarf_Die die, split;
	uint8_t type;

	if (!cu || dwarf_cu_info(cu, NULL, &type, &die, &split, NULL, NULL, NULL))
		return false;
	if (type != DW_UT_compile && type != DW_UT_skeleton)
		return false;
	if (dwarf_tag(&die) != DW_TAG_compile_unit && dwarf_tag(&die) != DW_TAG_skeleton_unit)
		return false;
	ret->offset = dwarf_dieoffset(&die);
	ret->skeleton = die;
	ret->die = type == DW_UT_skeleton && split.addr ? split : die;
	return true;
}

/* A split unit whose .dwo file is gone, or in a .dwp package, which libdw does not read yet. */
static bool lacks_contents(Dwarf_CU *cu, const struct unit *unit)
{
	uint8_t type;

	return dwarf_cu_info(cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) == 0 &&
	       type == DW_UT_skeleton && unit->die.addr == unit->skeleton.addr;
}

static bool read_uleb(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
	unsigned shift = 0;
	uint8_t byte;

	*ret = 0;
	do {
		if (*at == end)
			return false;
		byte = *(*at)++;
		if (shift < 64)
			*ret |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return true;
}

bool unit_at(struct debuginfo *info, Dwarf_Off offset, struct unit *ret)
{
	Dwarf_Die die;

	if (unit_view_find(info, offset, &die) && fill(die.cu, ret))
		return true;
	if (!info->dwarf || !dwarf_offdie(info->dwarf, offset, &die))
		return false;
	return fill(die.cu, ret);
}

/* Whether a table of abbreviations has a form that leads to another unit or file. */
static bool refers_outside(const uint8_t *at, const uint8_t *end)
{
	uint64_t code, word[2];

	while (read_uleb(&at, end, &code) && code) {
		if (!read_uleb(&at, end, &word[0]) || at == end)
			return true;
		at++; /* has children */
		do {
			if (!read_uleb(&at, end, &word[0]) || !read_uleb(&at, end, &word[1]))
				return true;
			switch (word[1]) {
			case DW_FORM_ref_addr:
			case DW_FORM_ref_sup4:
			case DW_FORM_ref_sup8:
			case DW_FORM_ref_sig8:
			case DW_FORM_GNU_ref_alt:
			case DW_FORM_indirect: return true;
			case DW_FORM_implicit_const: /* any ending: signed ones are as long */
				if (!read_uleb(&at, end, &(uint64_t){0}))
					return true;
			}
		} while (word[0] || word[1]);
	}
	return false;
}

Elf_Data *elf_section_data(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *own;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
		    shdr.sh_flags & SHF_COMPRESSED)
			continue;
		own = elf_strptr(elf, names, shdr.sh_name);
		if (own && !strcmp(own, name))
			return elf_getdata(scn, NULL);
	}
	return NULL;
}

bool unit_next_header(struct debuginfo *info, struct unit_header *header)
{
	const Elf_Data *table = elf_section_data(dwarf_getelf(info->dwarf), ".debug_abbrev");
	Dwarf_Half version;
	Dwarf_Off abbrev;
	size_t size;
	struct unit unit;

	header->offset = header->next;
	if (dwarf_next_unit(info->dwarf, header->offset, &header->next, &size, &version, &abbrev,
	                    NULL, NULL, NULL, NULL))
		return false;
	header->die = header->offset + size;
	header->is_alone =
	    table && abbrev < table->d_size && unit_at(info, header->die, &unit) &&
	    unit.die.addr == unit.skeleton.addr && !lacks_contents(unit.die.cu, &unit) &&
	    !refers_outside((uint8_t *)table->d_buf + abbrev,
	                    (uint8_t *)table->d_buf + table->d_size);
	return true;
}

int unit_each(struct debuginfo *info, int (*cb)(const struct unit *unit, void *arg), void *arg)
{
	Dwarf_CU *cu = NULL;
	struct unit unit;
	int result = 0;

	info->split_missing = 0;
	while (!result && info->dwarf &&
	       dwarf_get_units(info->dwarf, cu, &cu, NULL, NULL, NULL, NULL) == 0)
		if (fill(cu, &unit)) {
			info->split_missing += lacks_contents(cu, &unit);
			result = cb(&unit, arg);
		}
	return result;
}

struct named {
	const char *file;
	int (*cb)(const struct unit *unit, void *arg);
	void *arg;
};

static int check_name(const struct unit *unit, void *arg)
{
	struct named *named = arg;
	Dwarf_Die die = unit->die;
	const char *name = dwarf_diename(&die);

	return name && path_matches(name, named->file) ? named->cb(unit, named->arg) : 0;
}

int unit_each_named(struct debuginfo *info, const char *file,
                    int (*cb)(const struct unit *unit, void *arg), void *arg)
{
	struct named named = {.file = file, .cb = cb, .arg = arg};

	return unit_each(info, check_name, &named);
}

bool debuginfo_is_large(struct debuginfo *info)
{
	Elf *elf = info->dwarf ? dwarf_getelf(info->dwarf) : NULL;
	uint64_t total = 0;
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (name && strstr(name, "debug_info"))
			total += shdr.sh_size;
	}
	return total > info->large_from;
}

/* --- from an address -------------------------------------------------------------------------- */

static void add_range(struct debuginfo *info, struct unit_range range)
{
	if (!(info->range_count & (info->range_count - 1))) {
		size_t room = info->range_count ? info->range_count * 2 : 64;

		info->ranges = reallocarray(info->ranges, room, sizeof(*info->ranges));
		if (!info->ranges)
			abort();
	}
	info->ranges[info->range_count++] = range;
}

static int note_ranges(const struct unit *unit, void *arg)
{
	struct debuginfo *info = arg;
	Dwarf_Die die = unit->skeleton;
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(&die, at, &base, &start, &end)) > 0)
		if (start < end)
			add_range(info, (struct unit_range){start, end, unit->offset});
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void read_ranges(struct debuginfo *info)
{
	info->ranges_read = true;
	unit_each(info, note_ranges, info);
	if (info->range_count)
		qsort(info->ranges, info->range_count, sizeof(*info->ranges), compare_ranges);
}

static bool own_ranges_find(struct debuginfo *info, uint64_t address, Dwarf_Off *ret)
{
	size_t low = 0, high;

	if (!info->ranges_read)
		read_ranges(info);
	high = info->range_count;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (info->ranges[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address >= info->ranges[low - 1].end)
		return false;
	*ret = info->ranges[low - 1].unit;
	return true;
}

/* The section gives a unit's header; its DIE follows. */
static bool aranges_find(struct debuginfo *info, uint64_t address, Dwarf_Off *ret)
{
	Dwarf_Aranges *aranges;
	Dwarf_Arange *range;
	size_t n;

	if (dwarf_getaranges(info->dwarf, &aranges, &n) || !aranges)
		return false;
	range = dwarf_getarange_addr(aranges, address);
	return range && dwarf_getarangeinfo(range, NULL, NULL, ret) == 0;
}

bool unit_of_address(struct debuginfo *info, uint64_t address, struct unit *ret)
{
	Dwarf_Off offset;

	if (!debuginfo_dwarf_path(info))
		return false;
	if (aranges_find(info, address, &offset) && unit_at(info, offset, ret))
		return true;
	return own_ranges_find(info, address, &offset) && unit_at(info, offset, ret);
}
