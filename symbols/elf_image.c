// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/elf_image.h"

#include <stdlib.h>
#include <string.h>

void elf_image_init(struct elf_image *image)
{
	*image = (struct elf_image){0};
	elf_image_add(image, "", SHT_NULL, 0, 0);
}

void elf_image_deinit(struct elf_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		free(image->sections[i].name);
		strbuf_deinit(&image->sections[i].data);
	}
	free(image->sections);
}

size_t elf_image_add(struct elf_image *image, const char *name, unsigned type, unsigned long flags,
                     unsigned long align)
{
	struct elf_image_section *section;

	image->sections = realloc(image->sections, (image->count + 1) * sizeof(*image->sections));
	if (!image->sections)
		abort();
	section = &image->sections[image->count];
	*section = (struct elf_image_section){.name = strdup(name)};
	section->shdr.sh_type = type;
	section->shdr.sh_flags = flags;
	section->shdr.sh_addralign = align;
	strbuf_init(&section->data);
	return image->count++;
}

static void pad_to(struct strbuf *out, size_t align)
{
	while (align > 1 && out->len % align)
		strbuf_addc(out, '\0');
}

/* The last section: the names of all. */
static size_t add_names(struct elf_image *image)
{
	size_t index = elf_image_add(image, ".shstrtab", SHT_STRTAB, 0, 1);
	struct strbuf *names = &image->sections[index].data;

	for (size_t i = 0; i < image->count; i++) {
		image->sections[i].shdr.sh_name = names->len;
		strbuf_add(names, image->sections[i].name, strlen(image->sections[i].name) + 1);
	}
	return index;
}

static void place(struct elf_image_section *section, struct strbuf *out)
{
	pad_to(out, section->shdr.sh_addralign);
	section->shdr.sh_offset = out->len;
	section->shdr.sh_size = section->nobits ? section->nobits : section->data.len;
	if (section->data.len)
		strbuf_add(out, section->data.data, section->data.len);
}

void elf_image_finish(struct elf_image *image, void **data, size_t *len)
{
	Elf64_Ehdr header = {
	    .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	    .e_type = ET_REL,
	    .e_machine = EM_X86_64,
	    .e_version = EV_CURRENT,
	    .e_ehsize = sizeof(header),
	    .e_shentsize = sizeof(Elf64_Shdr),
	};
	struct strbuf out;

	header.e_shstrndx = add_names(image);
	header.e_shnum = image->count;
	strbuf_init(&out);
	strbuf_add(&out, &header, sizeof(header));
	for (size_t i = 1; i < image->count; i++)
		place(&image->sections[i], &out);
	pad_to(&out, 8);
	header.e_shoff = out.len;
	for (size_t i = 0; i < image->count; i++)
		strbuf_add(&out, &image->sections[i].shdr, sizeof(Elf64_Shdr));
	memcpy(out.data, &header, sizeof(header));
	*len = out.len;
	*data = strbuf_steal(&out);
}
