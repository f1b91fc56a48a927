// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/fit_exports.c - an object's export tables in the form of the kernel at hand.
 *
 * The object (kmod/exports.c) has them as kernels up to 6.x want them: __ksymtab_gpl, and
 * __kcrctab_gpl with a checksum of 4 bytes for each of its entries. Newer kernels have one table for
 * all licenses, __ksymtab, and __kflagstab with a byte of flags for each entry; their struct module
 * has a field flagstab. The entries themselves are the same.
 */
#include <stdlib.h>
#include <string.h>

#include "symbols/elf_image.h"
#include "symbols/fit_private.h"

#define CRC_BYTES 4
#define FLAG_GPL_ONLY 1 /* KSYM_FLAG_GPL_ONLY */

static struct elf_image_section *find(struct elf_image *image, const char *name)
{
	for (size_t i = 1; i < image->count; i++)
		if (!strcmp(image->sections[i].name, name))
			return &image->sections[i];
	return NULL;
}

static void rename_section(struct elf_image_section *section, const char *name)
{
	free(section->name);
	section->name = strdup(name);
	if (!section->name)
		abort();
}

static void flags_for_crcs(struct elf_image_section *section)
{
	size_t count = section->data.len / CRC_BYTES;

	strbuf_deinit(&section->data);
	strbuf_init(&section->data);
	while (count--)
		strbuf_addc(&section->data, FLAG_GPL_ONLY);
	section->shdr.sh_addralign = 1;
}

void fit_exports_merge(struct elf_image *image)
{
	struct elf_image_section *symbols = find(image, "__ksymtab_gpl");
	struct elf_image_section *relocations = find(image, ".rela__ksymtab_gpl");
	struct elf_image_section *crcs = find(image, "__kcrctab_gpl");

	if (!symbols || !relocations || !crcs)
		return;
	rename_section(symbols, "__ksymtab");
	rename_section(relocations, ".rela__ksymtab");
	rename_section(crcs, "__kflagstab");
	flags_for_crcs(crcs);
}

struct error *fit_exports(struct fitter *f, struct elf_image *image)
{
	struct binding one_table;
	struct error *error;

	if (!find(image, "__ksymtab_gpl"))
		return NULL; /* a script: no need to ask the kernel's types for it */
	error = fit_bind(f, "khas_module_flagstab", &one_table);
	if (!error && one_table.value)
		fit_exports_merge(image);
	return error;
}
