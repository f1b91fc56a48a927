// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/frame_view.c - how one function's frame is found again, without the tables before it.
 *
 * .debug_frame is a row of entries, one for each stretch of code, in no order that could be searched: libdw
 * reads them one by one until it meets the one of the address, which in a kernel takes 20 ms. The index
 * has them sorted. So the one entry (FDE), with the common part that it refers to (CIE), is copied into
 * a small ELF file in memory, and libdw gets that:
 *
 *	ELF header | CIE | FDE, its reference set to 0 | names of sections | section headers
 *
 * Only plain entries are in the index: no augmentation, addresses of 8 bytes. For others, and where
 * there is no index, libdw searches.
 */
#include <stdlib.h>
#include <string.h>

#include "symbols/debuginfo_private.h"
#include "symbols/places_index.h"

#define ENTRY_MAX (1u << 20) /* bytes of one entry; real ones have some hundred */

struct frame_view {
	uint32_t entry; /* where in .debug_frame */
	char *image;
	Elf *elf;
	Dwarf *dwarf;
};

static const char section_names[] = "\0.debug_frame\0.shstrtab";

struct image_head {
	Elf64_Ehdr ehdr;
	Elf64_Shdr sections[3];
	char names[sizeof(section_names)];
};

/* --- reading entries ------------------------------------------------------------------------------ */

bool frame_entry_read(const Elf_Data *data, uint64_t at, struct frame_entry *ret)
{
	const char *bytes = data->d_buf;
	uint32_t words[2];

	if (at > data->d_size || data->d_size - at < sizeof(words))
		return false;
	memcpy(words, bytes + at, sizeof(words));
	*ret = (struct frame_entry){.at = at, .size = words[0] + 4ull, .cie = words[1]};
	if (words[0] < 4 || ret->size > data->d_size - at || ret->size > ENTRY_MAX)
		return false;
	ret->is_cie = words[1] == UINT32_MAX;
	if (ret->is_cie) /* version, augmentation */
		ret->is_plain = ret->size > 9 && !bytes[at + 9];
	else if (ret->size >= 24) {
		memcpy(&ret->start, bytes + at + 8, 8);
		memcpy(&ret->length, bytes + at + 16, 8);
	}
	return true;
}

/* --- the small file --------------------------------------------------------------------------------- */

static char *make_image(const Elf_Data *data, const struct frame_entry *cie,
                        const struct frame_entry *fde, size_t *ret_size)
{
	size_t size = cie->size + fde->size, at = sizeof(struct image_head);
	struct image_head head = {
	    .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	             .e_type = ET_EXEC,
	             .e_machine = EM_X86_64,
	             .e_version = EV_CURRENT,
	             .e_shoff = offsetof(struct image_head, sections),
	             .e_ehsize = sizeof(Elf64_Ehdr),
	             .e_shentsize = sizeof(Elf64_Shdr),
	             .e_shnum = 3,
	             .e_shstrndx = 2},
	    .sections = {[1] = {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = at,
	                        .sh_size = size, .sh_addralign = 1},
	                 [2] = {.sh_name = 14, .sh_type = SHT_STRTAB,
	                        .sh_offset = offsetof(struct image_head, names),
	                        .sh_size = sizeof(section_names), .sh_addralign = 1}},
	};
	char *image = calloc(1, at + size);

	if (!image)
		abort();
	memcpy(head.names, section_names, sizeof(section_names));
	memcpy(image, &head, sizeof(head));
	memcpy(image + at, (char *)data->d_buf + cie->at, cie->size);
	memcpy(image + at + cie->size, (char *)data->d_buf + fde->at, fde->size);
	memset(image + at + cie->size + 4, 0, 4); /* the CIE is the section's first entry */
	*ret_size = at + size;
	return image;
}

static void view_deinit(struct frame_view *view)
{
	if (view->dwarf)
		dwarf_end(view->dwarf);
	if (view->elf)
		elf_end(view->elf);
	free(view->image);
}

static bool view_init(struct debuginfo *info, uint32_t entry, struct frame_view *ret)
{
	const Elf_Data *data = elf_section_data(dwarf_getelf(info->dwarf), ".debug_frame");
	struct frame_entry cie, fde;
	size_t size;

	*ret = (struct frame_view){.entry = entry};
	if (!data || !frame_entry_read(data, entry, &fde) || fde.is_cie ||
	    !frame_entry_read(data, fde.cie, &cie) || !cie.is_cie || !cie.is_plain)
		return false;
	ret->image = make_image(data, &cie, &fde, &size);
	ret->elf = elf_memory(ret->image, size);
	if (ret->elf)
		ret->dwarf = dwarf_begin_elf(ret->elf, DWARF_C_READ, NULL);
	if (ret->dwarf)
		return true;
	view_deinit(ret);
	return false;
}

void frame_views_close(struct debuginfo *info)
{
	for (unsigned i = 0; i < info->frame_count; i++)
		view_deinit(&info->frames[i]);
	free(info->frames);
}

/* Many questions are about one function, so each is kept. */
static struct frame_view *view_of(struct debuginfo *info, uint32_t entry)
{
	for (unsigned i = 0; i < info->frame_count; i++)
		if (info->frames[i].entry == entry)
			return &info->frames[i];
	if (!(info->frame_count & (info->frame_count - 1))) {
		unsigned room = info->frame_count ? info->frame_count * 2 : 16;

		info->frames = reallocarray(info->frames, room, sizeof(*info->frames));
		if (!info->frames)
			abort();
	}
	if (!view_init(info, entry, &info->frames[info->frame_count]))
		return NULL;
	return &info->frames[info->frame_count++];
}

Dwarf_CFI *frame_view_cfi(struct debuginfo *info, uint64_t address)
{
	struct frame_view *view;
	uint32_t entry;

	if (!info->index || info->walks || info->relocatable ||
	    !places_index_frame(info->index, address, &entry))
		return NULL;
	view = view_of(info, entry);
	return view ? dwarf_getcfi(view->dwarf) : NULL;
}
