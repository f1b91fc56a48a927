// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bzImage is a boot sector with the setup header (Documentation/arch/x86/boot.rst names the
 * fields), real-mode setup code, and the protected-mode part, which holds the compressed ELF:
 *
 *	0x1f1  setup_sects      (u8; 0 means 4)     protected mode starts at (setup_sects + 1) * 512
 *	0x202  "HdrS" is at 0x202, version at 0x206; the two fields below need 2.08
 *	0x248  payload_offset   (u32) from the start of the protected-mode part
 *	0x24c  payload_length   (u32) includes the u32 unpacked size behind an xz or zstd stream
 *
 * QEMU given the ELF starts it through its PVH note: no firmware, no decompressor in the guest,
 * which under TCG takes longer than all the rest of the boot.
 */
#include "vm/image.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/decompress.h"

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

struct error *image_extract_elf(const void *image, size_t len, char **ret, size_t *ret_len)
{
	const uint8_t *p = image;
	uint64_t start, size;
	struct error *error;

	if (len < 0x268 || memcmp(p + 0x202, "HdrS", 4))
		return error_create(EINVAL, "not a bzImage: no setup header");
	start = ((p[0x1f1] ? p[0x1f1] : 4) + 1) * 512 + (uint64_t)le32(p + 0x248);
	size = le32(p + 0x24c);
	if (!size || start + size > len)
		return error_create(EINVAL, "bzImage whose payload lies outside of it");
	error = decompress(p + start, size, ret, ret_len);
	if (error)
		return error_wrap(error, "kernel in the bzImage");
	if (*ret_len < sizeof(Elf64_Ehdr) || memcmp(*ret, ELFMAG, SELFMAG)) {
		free(*ret);
		return error_create(EINVAL, "the bzImage's payload is compressed in an unknown way "
					    "or is no ELF (xz, zstd and gzip are known)");
	}
	return NULL;
}

struct error *image_find_section(const void *elf, size_t len, const char *name, const void **ret,
				 size_t *ret_len)
{
	const Elf64_Ehdr *eh = elf;
	const Elf64_Shdr *sh, *strings;

	if (len < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_shoff + (uint64_t)eh->e_shnum * sizeof(*sh) > len || eh->e_shstrndx >= eh->e_shnum)
		return error_create(EINVAL, "no ELF with sections");
	sh = (const void *)((const char *)elf + eh->e_shoff);
	strings = &sh[eh->e_shstrndx];
	for (int i = 0; i < eh->e_shnum; i++) {
		const char *s = (const char *)elf + strings->sh_offset + sh[i].sh_name;

		if (strings->sh_offset + sh[i].sh_name + strlen(name) >= len || strcmp(s, name))
			continue;
		if (sh[i].sh_offset + sh[i].sh_size > len)
			return error_create(EINVAL, "ELF section %s lies outside of the file", name);
		*ret = (const char *)elf + sh[i].sh_offset;
		*ret_len = sh[i].sh_size;
		return NULL;
	}
	return error_create(ENOENT, "no ELF section %s", name);
}
