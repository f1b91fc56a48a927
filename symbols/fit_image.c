// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/fit_image.c - images that were fitted before: whose they are, and for another boot.
 *
 * Addresses of the kernel stand in an image in one place only: as values of the absolute symbols
 * that fit_module.c made of undefined ones; relocations lead there. So to move them is to add the
 * distance to each, but for numbers: offsets, sizes, enumerators. These are known by their names,
 * since -1 looks like an address; per-CPU offsets of old kernels by being small.
 */
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/fit_private.h"
#include "symbols/hash.h"

void fit_object_version(const void *object, size_t len, char ret[FIT_VERSION_LEN + 1])
{
	uint64_t h = hash_bytes(def_rows_hash(def_rows, def_row_count), object, len);

	snprintf(ret, FIT_VERSION_LEN + 1, "%016llx", (unsigned long long)h);
}

bool fit_image_is(const void *image, size_t len, const char *version)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "srcversion=%s", version);

	return memmem(image, len, text, n + 1);
}

static bool moves(const char *name, uint64_t value)
{
	static const char *const numbers[] = {"koff_", "ksize_", "kenum_", "kfeat_", "khas_"};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strncmp(name, numbers[i], strlen(numbers[i])))
			return false;
	return value >= KALLSYMS_KERNEL_HALF;
}

static void move_symbols(Elf *elf, const GElf_Shdr *shdr, Elf64_Sym *symbols, uint64_t distance)
{
	for (size_t i = 1; i < shdr->sh_size / sizeof(*symbols); i++) {
		const char *name = elf_strptr(elf, shdr->sh_link, symbols[i].st_name);

		if (name && symbols[i].st_shndx == SHN_ABS && moves(name, symbols[i].st_value))
			symbols[i].st_value += distance;
	}
}

void fit_image_move(void *image, size_t len, uint64_t distance)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory(image, len);
	while (elf && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB &&
		    shdr.sh_offset <= len && shdr.sh_size <= len - shdr.sh_offset)
			move_symbols(elf, &shdr, (Elf64_Sym *)((char *)image + shdr.sh_offset),
			             distance);
	elf_end(elf);
}
