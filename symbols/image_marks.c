// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/image_marks.c - the version marks that a module needs, read from the kernel's ELF image.
 *
 * For when no module that came with the kernel is at hand (shipped.c): a description folder without
 * modules/, a machine on which only the kernel itself is installed.
 *
 *   vermagic        stands in .rodata as a string: the release, words, a space at its end
 *   module_layout   __ksymtab and __kcrctab go side by side: the i-th exported symbol's checksum is
 *                   the i-th of 4 bytes each. An entry of __ksymtab is three distances of 4 bytes,
 *                   each counted from where it stands: to the value, the name, the namespace
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/fit_private.h"

#define ENTRY 12

struct part {
	const char *data; /* NULL: no such section */
	size_t len;
	uint64_t address;
};

static struct part part_find(Elf *elf, const char *name)
{
	struct part part = {0};
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr shdr;

	if (elf_getshdrstrndx(elf, &names))
		return part;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *s =
		    gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name) : NULL;
		Elf_Data *data;

		if (!s || strcmp(s, name) || shdr.sh_type != SHT_PROGBITS)
			continue;
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf)
			part = (struct part){data->d_buf, data->d_size, shdr.sh_addr};
		break;
	}
	return part;
}

/* --- vermagic -------------------------------------------------------------------------------- */

/* The string that starts at `s`, if it is one of "release word word... ". */
static char *vermagic_at(const char *s, size_t room, size_t release_len)
{
	size_t len = strnlen(s, room);

	if (len == room || s[len - 1] != ' ' || len <= release_len + 1)
		return NULL;
	for (size_t i = release_len; i < len; i++)
		if (s[i] < ' ' || s[i] > '~' || s[i] == '(')
			return NULL;
	return strndup(s, len);
}

static char *vermagic_find(const struct part *rodata, const char *release)
{
	const char *p = rodata->data, *end = p + rodata->len;
	size_t len = strlen(release);

	while (p && (p = memmem(p, end - p, release, len))) {
		bool whole = p > rodata->data && !p[-1] && p + len < end && p[len] == ' ';
		char *found = whole ? vermagic_at(p, end - p, len) : NULL;

		if (found)
			return found;
		p++;
	}
	return NULL;
}

/* --- checksums ------------------------------------------------------------------------------- */

static bool name_is(const struct part *table, size_t i, const struct part *strings,
                    const char *name)
{
	uint64_t place = table->address + i * ENTRY + 4, at;
	int32_t distance;

	memcpy(&distance, table->data + i * ENTRY + 4, sizeof(distance));
	at = place + distance - strings->address;
	return at < strings->len && strings->len - at > strlen(name) &&
	       !strcmp(strings->data + at, name);
}

static bool crc_find(Elf *elf, const char *table_name, const char *crc_name, const char *symbol,
                     uint64_t *ret)
{
	struct part table = part_find(elf, table_name), crcs = part_find(elf, crc_name);
	struct part strings = part_find(elf, "__ksymtab_strings");
	size_t count = crcs.len / 4;
	uint32_t crc;

	/* Entries of another size are of a format that is not known here. */
	if (!table.data || !crcs.data || !strings.data || table.len != count * ENTRY ||
	    !strings.len || strings.data[strings.len - 1])
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!name_is(&table, i, &strings, symbol))
			continue;
		memcpy(&crc, crcs.data + 4 * i, sizeof(crc));
		*ret = crc;
		return true;
	}
	return false;
}

/* --- both ------------------------------------------------------------------------------------ */

static void read_marks(Elf *elf, const char *release, struct shipped *ret)
{
	struct part rodata = part_find(elf, ".rodata");

	ret->vermagic = vermagic_find(&rodata, release);
	if (!ret->vermagic || !strstr(ret->vermagic, "modversions"))
		return;
	ret->has_layout_crc =
	    crc_find(elf, "__ksymtab", "__kcrctab", "module_layout", &ret->layout_crc) ||
	    crc_find(elf, "__ksymtab_gpl", "__kcrctab_gpl", "module_layout", &ret->layout_crc);
	if (!ret->has_layout_crc)
		shipped_deinit(ret);
}

bool shipped_from_image(const char *path, const char *release, struct shipped *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;

	*ret = (struct shipped){0};
	elf_version(EV_CURRENT);
	elf = fd >= 0 ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
	if (elf)
		read_marks(elf, release, ret);
	elf_end(elf);
	return ret->vermagic;
}
