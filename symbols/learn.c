// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/learn.c - what a loaded core tells about the kernel, without reading kallsyms or BTF.
 *
 *   its own symbols   the kernel tells where each of a module's sections lies, in
 *                     /sys/module/NAME/sections/; the ELF file tells each symbol's place in its
 *                     section. The object at hand will do, if it is the very one that was loaded
 *   what it was bound to   an image (fit_module.c) has the values of everything that the core was
 *                     bound to as absolute symbols, and struct module's layout among them
 *   version marks     an image has them as any module has
 *
 * On an emulated CPU this takes a few milliseconds, where kallsyms takes a third of a second.
 */
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/fit_private.h"
#include "symbols/kernel_private.h"

#define UNKNOWN UINT64_MAX

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

/* The same by section index, asked once for each. */
static uint64_t address_of(Elf *elf, const char *module, size_t section, uint64_t *addresses)
{
	Elf_Scn *scn = elf_getscn(elf, section);
	const char *name;
	size_t names;
	GElf_Shdr shdr;

	if (addresses[section] != UNKNOWN)
		return addresses[section];
	addresses[section] = 0;
	if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) ||
	    elf_getshdrstrndx(elf, &names))
		return 0;
	name = elf_strptr(elf, names, shdr.sh_name);
	if (name)
		addresses[section] = section_address(module, name);
	return addresses[section];
}

static void learn(struct kernel *k, const char *name, uint64_t value, bool bound)
{
	struct learned *l;

	if (!(k->learned_count & (k->learned_count - 1))) {
		size_t room = k->learned_count ? 2 * k->learned_count : 1;

		k->learned = realloc(k->learned, room * sizeof(*k->learned));
	}
	l = &k->learned[k->learned_count++];
	*l = (struct learned){.name = strdup(name), .value = value, .bound = bound};
	if (!l->name)
		abort();
}

static void learn_symbols(struct kernel *k, const char *module, Elf *elf, Elf_Scn *scn,
                          uint64_t *addresses, size_t count)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Shdr shdr;
	GElf_Sym sym;

	gelf_getshdr(scn, &shdr);
	for (size_t i = 1; data && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, shdr.sh_link, sym.st_name);
		uint64_t address;

		if (!name || !*name || GELF_ST_BIND(sym.st_info) != STB_GLOBAL)
			continue;
		if (sym.st_shndx == SHN_ABS) {
			learn(k, name, sym.st_value, true);
		} else if (sym.st_shndx != SHN_UNDEF && sym.st_shndx < count) {
			address = address_of(elf, module, sym.st_shndx, addresses);
			if (address)
				learn(k, name, address + sym.st_value, false);
		}
	}
}

struct error *kernel_learn_module(struct kernel *k, const char *name, const void *image, size_t len)
{
	Elf_Scn *scn = NULL;
	uint64_t *addresses;
	GElf_Shdr shdr;
	size_t count;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image, len);
	if (!elf || elf_getshdrnum(elf, &count)) {
		elf_end(elf);
		return error_create(EBADMSG, "the image of module %s is no ELF file", name);
	}
	addresses = malloc((count + 1) * sizeof(*addresses));
	if (!addresses)
		abort();
	memset(addresses, 0xff, (count + 1) * sizeof(*addresses));
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
			learn_symbols(k, name, elf, scn, addresses, count);
	if (!k->shipped.vermagic)
		shipped_learn(elf, &k->shipped);
	free(addresses);
	elf_end(elf);
	return NULL;
}

const struct learned *kernel_learned(const struct kernel *k, const char *name)
{
	for (size_t i = 0; i < k->learned_count; i++)
		if (!strcmp(k->learned[i].name, name))
			return &k->learned[i];
	return NULL;
}

void learned_deinit(struct kernel *k)
{
	for (size_t i = 0; i < k->learned_count; i++)
		free(k->learned[i].name);
	free(k->learned);
	shipped_deinit(&k->shipped);
}
