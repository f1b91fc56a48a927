// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of one ELF file, by name and by address, and function bounds from unwind tables.
 * The file stays mapped, so that names need no copy.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/host.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/symbols.h"

#define VERSION_HIDDEN 0x8000 /* of .gnu.version: an old version, not what a plain name means */

struct symbols {
	const uint8_t *file;
	size_t size;
	struct symbol *by_value;
	struct symbol **by_name;
	size_t count;
};

/* --- the file -------------------------------------------------------------------------------- */

static const void *part(const struct symbols *s, uint64_t offset, uint64_t size)
{
	return offset <= s->size && size <= s->size - offset ? s->file + offset : NULL;
}

static bool map_file(struct symbols *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_size >= (off_t)sizeof(Elf64_Ehdr))
		p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	s->file = p;
	s->size = st.st_size;
	return true;
}

static const Elf64_Shdr *sections(const struct symbols *s, unsigned *ret_count)
{
	const Elf64_Ehdr *eh = part(s, 0, sizeof(*eh));

	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_shentsize != sizeof(Elf64_Shdr))
		return NULL;
	*ret_count = eh->e_shnum;
	return part(s, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr));
}

static const Elf64_Shdr *find_section(const Elf64_Shdr *sh, unsigned n, uint32_t type)
{
	for (unsigned i = 0; i < n; i++)
		if (sh[i].sh_type == type)
			return &sh[i];
	return NULL;
}

/* --- the table ------------------------------------------------------------------------------- */

static int compare_value(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (int)y->global - (int)x->global;
}

static int compare_name(const void *a, const void *b)
{
	return strcmp((*(struct symbol *const *)a)->name, (*(struct symbol *const *)b)->name);
}

/* Takes the functions of one table; old versions of a name are left out. */
static void take(struct symbols *s, const Elf64_Sym *sym, size_t n, const Elf64_Shdr *strings,
		 const Elf64_Half *versions)
{
	const char *names = part(s, strings->sh_offset, strings->sh_size);

	for (size_t i = 0; names && i < n; i++) {
		unsigned type = ELF64_ST_TYPE(sym[i].st_info);
		struct symbol *to = &s->by_value[s->count];

		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym[i].st_shndx == SHN_UNDEF ||
		    !sym[i].st_value || sym[i].st_name >= strings->sh_size ||
		    (versions && versions[i] & VERSION_HIDDEN))
			continue;
		to->value = sym[i].st_value;
		to->size = sym[i].st_size;
		to->name = names + sym[i].st_name;
		to->global = ELF64_ST_BIND(sym[i].st_info) != STB_LOCAL;
		to->indirect = type == STT_GNU_IFUNC;
		s->count++;
	}
}

static bool build(struct symbols *s)
{
	const Elf64_Shdr *sh, *table, *version;
	const Elf64_Half *versions = NULL;
	const Elf64_Sym *sym;
	unsigned n = 0;
	size_t count;

	sh = sections(s, &n);
	table = sh ? find_section(sh, n, SHT_SYMTAB) : NULL;
	if (sh && !table) {
		table = find_section(sh, n, SHT_DYNSYM);
		version = find_section(sh, n, SHT_GNU_versym);
		if (table && version)
			versions = part(s, version->sh_offset,
					table->sh_size / sizeof(*sym) * sizeof(*versions));
	}
	if (!table || table->sh_link >= n)
		return false;
	count = table->sh_size / sizeof(*sym);
	sym = part(s, table->sh_offset, table->sh_size);
	s->by_value = calloc(count + 1, sizeof(*s->by_value));
	s->by_name = calloc(count + 1, sizeof(*s->by_name));
	if (!sym || !s->by_value || !s->by_name)
		return false;
	take(s, sym, count, &sh[table->sh_link], versions);
	qsort(s->by_value, s->count, sizeof(*s->by_value), compare_value);
	for (size_t i = 0; i < s->count; i++)
		s->by_name[i] = &s->by_value[i];
	qsort(s->by_name, s->count, sizeof(*s->by_name), compare_name);
	return s->count > 0;
}

struct symbols *symbols_open(const char *path)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (s && (!map_file(s, path) || !build(s))) {
		symbols_close(s);
		return NULL;
	}
	return s;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->file)
		munmap((void *)symbols->file, symbols->size);
	free(symbols->by_value);
	free(symbols->by_name);
	free(symbols);
}

int symbols_by_name(const struct symbols *s, const char *name, const struct symbol **ret)
{
	size_t lo = 0, hi = s->count;
	bool several = false;

	while (lo < hi) { /* the first that is not less */
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(s->by_name[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = NULL;
	for (; lo < s->count && !strcmp(s->by_name[lo]->name, name); lo++) {
		const struct symbol *found = s->by_name[lo];

		if (found->global) {
			*ret = found;
			return 0;
		}
		several |= *ret && (*ret)->value != found->value;
		*ret = found;
	}
	return several ? -EINVAL : *ret ? 0 : -ENOENT;
}

const struct symbol *symbols_by_value(const struct symbols *s, uint64_t value)
{
	size_t lo = 0, hi = s->count;

	while (lo < hi) { /* the first that starts behind it */
		size_t mid = lo + (hi - lo) / 2;

		if (s->by_value[mid].value <= value)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo-- > 0) {
		const struct symbol *found = &s->by_value[lo];

		if (value - found->value < found->size)
			return found;
		if (found->size && lo && s->by_value[lo - 1].value != found->value)
			break;
	}
	return NULL;
}

/* --- unwind tables --------------------------------------------------------------------------- */

/*
 * .eh_frame_hdr: version, three encodings, pointer to .eh_frame, count, then pairs sorted by
 * address: where a function starts and where its record is, both relative to the header.
 */
struct hdr {
	uint8_t version, pointer_enc, count_enc, table_enc;
	int32_t eh_frame;
	uint32_t count;
	struct {
		int32_t start, record;
	} rows[];
};

#define ENC_U32 0x03
#define ENC_SELF_S32 0x1b   /* relative to itself, 4 bytes: what all x86-64 linkers write */
#define ENC_TABLE_S32 0x3b

/* A record: length, distance back to its common part, start and length of the code, ... */
struct record {
	uint32_t length, common;
	int32_t start;
	uint32_t size;
};

/* Does the common part say that its records have a language specific area (try and catch)? */
static bool has_landing_pads(const struct record *r)
{
	uintptr_t common = (uintptr_t)&r->common - r->common;

	/* length, 0, version; then what follows, as letters */
	return strchr((const char *)common + 9, 'L') != NULL;
}

int unwind_bounds(uint64_t at, uint64_t addr, struct function *ret)
{
	const struct hdr *h = (const void *)(uintptr_t)at;
	const struct record *r;
	uint32_t lo = 0, hi;
	uint64_t start;

	if (h->version != 1 || h->pointer_enc != ENC_SELF_S32 || h->count_enc != ENC_U32 ||
	    h->table_enc != ENC_TABLE_S32)
		return -ENOENT;
	for (hi = h->count; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (at + h->rows[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return -ENOENT;
	start = at + h->rows[lo - 1].start;
	r = (const void *)(uintptr_t)(at + h->rows[lo - 1].record);
	if ((uint64_t)(uintptr_t)&r->start + r->start != start || addr - start >= r->size)
		return -ENOENT; /* another encoding than ours, or a gap between functions */
	ret->start = start;
	ret->end = start + r->size;
	ret->exceptions = has_landing_pads(r);
	return 0;
}
