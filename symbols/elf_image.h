/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/elf_image.h - a relocatable ELF file, put together section by section. */
#ifndef SPILE_SYMBOLS_ELF_IMAGE_H
#define SPILE_SYMBOLS_ELF_IMAGE_H

#include <elf.h>
#include <stddef.h>

#include "base/strbuf.h"

struct elf_image_section {
	char *name;      /* owned */
	Elf64_Shdr shdr; /* sh_name, sh_offset, sh_size are filled in by elf_image_finish() */
	struct strbuf data;
	size_t nobits;   /* SHT_NOBITS: its size; data stays empty */
};

struct elf_image {
	struct elf_image_section *sections; /* [0] is ELF's null section */
	size_t count;
};

void elf_image_init(struct elf_image *image);
void elf_image_deinit(struct elf_image *image);
/** Adds an empty section and returns its index; pointers to sections are stale afterwards. */
size_t elf_image_add(struct elf_image *image, const char *name, unsigned type, unsigned long flags,
		     unsigned long align);
/** Lays out the file; the caller frees *data. */
void elf_image_finish(struct elf_image *image, void **data, size_t *len);

#endif
