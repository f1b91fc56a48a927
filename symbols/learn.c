// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/learn.c - where a module's symbols came to lie, without reading kallsyms again.
 *
 * The kernel tells the address of each of a module's sections in /sys/module/NAME/sections/; the
 * image tells each symbol's place in its section. On an emulated CPU this takes a millisecond,
 * where kallsyms takes a third of a second.
 */
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/kernel_private.h"

/* The section's address; 0 when the kernel does not tell. */
static uint64_t section_address(const char *module, const char *section)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	struct error *error;
	size_t len;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", module, section);
	error = file_read(path, &text, &len);
	if (error) {
		error_destroy(error);
		return 0;
	}
	return strtoull(text, NULL, 16);
}

static uint64_t *section_addresses(Elf *elf, const char *module, size_t count)
{
	uint64_t *addresses = calloc(count, sizeof(*addresses));
	size_t names;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	if (!addresses)
		abort();
	if (elf_getshdrstrndx(elf, &names))
		return addresses;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
		    gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name) : NULL;

		if (name && shdr.sh_flags & SHF_ALLOC && shdr.sh_size)
			addresses[elf_ndxscn(scn)] = section_address(module, name);
	}
	return addresses;
}

static void learn_symbols(struct kallsyms *ks, const char *module, Elf *elf, Elf_Scn *scn,
                          const uint64_t *addresses, size_t count)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Shdr shdr;
	GElf_Sym sym;

	gelf_getshdr(scn, &shdr);
	for (size_t i = 1; data && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, shdr.sh_link, sym.st_name);
		bool text = GELF_ST_TYPE(sym.st_info) == STT_FUNC;

		if (!name || !*name || GELF_ST_BIND(sym.st_info) != STB_GLOBAL ||
		    sym.st_shndx >= count || !addresses[sym.st_shndx])
			continue;
		kallsyms_add(ks, name, module, addresses[sym.st_shndx] + sym.st_value,
		             text ? 'T' : 'D');
	}
}

struct error *kernel_learn_module(struct kernel *k, const char *name, const void *image, size_t len)
{
	Elf_Scn *scn = NULL;
	uint64_t *addresses;
	struct kallsyms *ks;
	struct error *error;
	GElf_Shdr shdr;
	size_t count;
	Elf *elf;

	if (!k->kallsyms)
		return NULL; /* not read yet: it will be, with the module in it */
	error = kernel_kallsyms_partial(k, &ks);
	if (error)
		return error;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image, len);
	if (!elf || elf_getshdrnum(elf, &count)) {
		elf_end(elf);
		return error_create(EBADMSG, "the image of module %s is no ELF file", name);
	}
	addresses = section_addresses(elf, name, count);
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
			learn_symbols(ks, name, elf, scn, addresses, count);
	free(addresses);
	elf_end(elf);
	return NULL;
}
