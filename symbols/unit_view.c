// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/unit_view.c - one unit of a large file, without the thousands before it.
 *
 * To find the unit at an offset libdw reads the header of every unit up to there: each tells where the
 * next begins. In a kernel these are 2,400 places of 170 MB, some 15 ms. An index knows where a unit
 * begins (places_index_unit()). So libdw is led there: in a private mapping of the file the header at
 * which libdw would go on, the frontier, is given for a moment a length that reaches to the wanted one.
 *
 *	 read so far        skipped                       wanted
 *	|----|------|-------|============================|-----|
 *	            frontier: length until ------------->|
 *
 * libdw remembers that as one large unit that nobody asks for, and the wanted one. The bytes are
 * put back at once. All offsets stay those of the file. What lies in a skipped stretch can be asked for
 * of another view only, so a question about several units should ask by rising offset. Units that refer
 * to DIEs of others are not looked at in this way: the reference might lead into such a stretch.
 *
 * Whatever does not fit (compressed sections, DWARF of 64 bits, an index that lies) makes the caller go
 * the long way: the unit that libdw finds must be the one that was asked for.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/debuginfo_private.h"
#include "symbols/places_index.h"

#define VIEWS_MAX 16

struct unit_view {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	uint8_t *bytes; /* .debug_info, writable, private */
	size_t size;
	Dwarf_Off frontier;
	Dwarf_Off *units; /* DIEs of those that were led to */
	size_t count;
};

/* --- opening ---------------------------------------------------------------------------------- */

static void view_deinit(struct unit_view *view)
{
	if (view->dwarf)
		dwarf_end(view->dwarf);
	if (view->elf)
		elf_end(view->elf);
	if (view->fd >= 0)
		close(view->fd);
	free(view->units);
}

static bool find_bytes(struct unit_view *view)
{
	Elf_Data *data = elf_section_data(view->elf, ".debug_info");

	view->bytes = data ? data->d_buf : NULL;
	view->size = data ? data->d_size : 0;
	return view->bytes;
}

static bool view_init(const struct debuginfo *info, struct unit_view *ret)
{
	*ret = (struct unit_view){.fd = open(info->dwarf_path, O_RDONLY | O_CLOEXEC)};
	if (ret->fd >= 0)
		ret->elf = elf_begin(ret->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (ret->elf && find_bytes(ret))
		ret->dwarf = dwarf_begin_elf(ret->elf, DWARF_C_READ, NULL);
	if (ret->dwarf)
		return true;
	view_deinit(ret);
	return false;
}

void unit_views_close(struct debuginfo *info)
{
	for (unsigned i = 0; i < info->view_count; i++)
		view_deinit(&info->views[i]);
	free(info->views);
}

/* --- leading ---------------------------------------------------------------------------------- */

static bool has_unit(const struct unit_view *view, Dwarf_Off unit)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->units[i] == unit)
			return true;
	return false;
}

static void note_unit(struct unit_view *view, Dwarf_Off unit)
{
	if (!(view->count & (view->count - 1))) {
		size_t room = view->count ? view->count * 2 : 16;

		view->units = reallocarray(view->units, room, sizeof(*view->units));
		if (!view->units)
			abort();
	}
	view->units[view->count++] = unit;
}

/* The DIE of a unit, and only that. */
static bool unit_die(struct unit_view *view, Dwarf_Off unit, Dwarf_Die *ret)
{
	Dwarf_Die of_unit;

	return dwarf_offdie(view->dwarf, unit, ret) &&
	       dwarf_diecu(ret, &of_unit, NULL, NULL) && dwarf_dieoffset(&of_unit) == unit;
}

/* The end of the unit whose header is at `at`; 0 when that is not inside. */
static Dwarf_Off unit_end(const struct unit_view *view, Dwarf_Off at)
{
	uint32_t length;

	if (at > view->size || view->size - at < sizeof(length))
		return 0;
	memcpy(&length, view->bytes + at, sizeof(length));
	at += sizeof(length);
	return length < 0xfffffff0 && length <= view->size - at ? at + length : 0;
}

static bool lead_to(struct unit_view *view, Dwarf_Off unit, Dwarf_Off header, Dwarf_Die *ret)
{
	uint8_t *length = view->bytes + view->frontier, kept[4];
	Dwarf_Off end = unit_end(view, header);
	uint32_t distance = header - view->frontier - sizeof(distance);
	bool found;

	if (!end || unit < header || unit >= end || !unit_end(view, view->frontier) ||
	    header - view->frontier > UINT32_MAX / 2)
		return false;
	memcpy(kept, length, sizeof(kept));
	if (header > view->frontier)
		memcpy(length, &distance, sizeof(distance));
	found = unit_die(view, unit, ret);
	memcpy(length, kept, sizeof(kept));
	view->frontier = end;
	if (found)
		note_unit(view, unit);
	return found;
}

static struct unit_view *add_view(struct debuginfo *info)
{
	if (!info->views)
		info->views = calloc(VIEWS_MAX, sizeof(*info->views));
	if (!info->views)
		abort();
	if (info->view_count == VIEWS_MAX || !view_init(info, &info->views[info->view_count]))
		return NULL;
	return &info->views[info->view_count++];
}

bool unit_view_find(struct debuginfo *info, Dwarf_Off unit, Dwarf_Die *ret)
{
	struct unit_view *view;
	uint64_t header;

	if (!info->index || info->walks || info->relocatable || !places_index_unit(info->index, unit, &header))
		return false;
	for (unsigned i = 0; i < info->view_count; i++)
		if (has_unit(&info->views[i], unit))
			return unit_die(&info->views[i], unit, ret);
	for (unsigned i = 0; i < info->view_count; i++)
		if (info->views[i].frontier <= header)
			return lead_to(&info->views[i], unit, header, ret);
	view = add_view(info);
	return view && lead_to(view, unit, header, ret);
}
