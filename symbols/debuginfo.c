// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/debuginfo.c - opens ELF files, finds their DWARF, and answers for their symbols.
 *
 * libdwfl does the finding (build id, debug link, alternate files) and the relocation of modules'
 * sections. It counts addresses from where it pretends to have loaded the file; `elf_bias` is that
 * place, and is taken off before anything leaves this file.
 */
#include "symbols/debuginfo.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "symbols/debuginfo_private.h"
#include "symbols/kernel_private.h"
#include "symbols/places_index.h"

#define LARGE_INFO (8u << 20) /* bytes of .debug_info that are walked in some 0.1 s */

/* --- opening --------------------------------------------------------------------------------- */

char *debuginfo_cache_path(const char *name)
{
	const char *own = getenv("SPILE_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	struct strbuf sb;

	strbuf_init(&sb);
	if (own && *own)
		strbuf_addf(&sb, "%s/%s", own, name);
	else if (xdg && *xdg)
		strbuf_addf(&sb, "%s/spile/%s", xdg, name);
	else
		strbuf_addf(&sb, "%s/.cache/spile/%s", home && *home ? home : "/root", name);
	return strbuf_steal(&sb);
}

/* The usual places, relative ones beside the file, and the cache. */
static char *usual_dirs(void)
{
	_cleanup_free_ char *cache = debuginfo_cache_path("debuginfo");
	struct strbuf sb;

	strbuf_init(&sb);
	strbuf_addf(&sb, ":.debug:/usr/lib/debug:%s", cache);
	return strbuf_steal(&sb);
}

static struct error *elf_error(const struct debuginfo *info)
{
	return error_create(EINVAL, "cannot read %s: %s", info->path, dwfl_errmsg(-1));
}

/* libdw would take other machines' files; the registers below are x86-64's. */
static struct error *check_machine(struct debuginfo *info)
{
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(info->elf, &ehdr))
		return error_create(EINVAL, "%s is not an ELF file", info->path);
	if (ehdr.e_machine != EM_X86_64 || gelf_getclass(info->elf) != ELFCLASS64)
		return error_create(EINVAL, "%s is not for x86-64", info->path);
	info->relocatable = ehdr.e_type == ET_REL;
	return NULL;
}

static void read_build_id(struct debuginfo *info)
{
	const unsigned char *bits;
	struct strbuf sb;
	GElf_Addr where;
	int len = dwfl_module_build_id(info->module, &bits, &where);

	strbuf_init(&sb);
	for (int i = 0; i < len; i++)
		strbuf_addf(&sb, "%02x", bits[i]);
	info->build_id = strbuf_steal(&sb);
}

static struct error *open_module(struct debuginfo *info)
{
	info->dwfl = dwfl_begin(&info->callbacks);
	if (!info->dwfl)
		return elf_error(info);
	dwfl_report_begin(info->dwfl);
	info->module = dwfl_report_offline(info->dwfl, "file", info->path, -1);
	dwfl_report_end(info->dwfl, NULL, NULL);
	if (!info->module)
		return elf_error(info);
	info->elf = dwfl_module_getelf(info->module, &info->elf_bias);
	if (!info->elf)
		return elf_error(info);
	read_build_id(info);
	return check_machine(info);
}

/*
 * libdw's own way, but it loads libdebuginfod, and libcurl behind it, for any file without debug
 * information, whether a server is named or not: 10 ms. Without one, and without a link to a file
 * by name, the build id says all.
 */
static int find_debuginfo(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
                          const char *file, const char *link, GElf_Word crc, char **ret)
{
	const char *servers = getenv("DEBUGINFOD_URLS");

	if (link || (servers && *servers))
		return dwfl_standard_find_debuginfo(mod, data, name, base, file, link, crc, ret);
	return dwfl_build_id_find_debuginfo(mod, data, name, base, file, link, crc, ret);
}

struct error *debuginfo_open(const char *path, const char *dirs, struct debuginfo **ret)
{
	struct debuginfo *info = calloc(1, sizeof(*info));
	struct error *error;
	struct stat st;

	if (!info)
		abort();
	arena_init(&info->arena);
	info->path = strdup(path);
	info->large_from = LARGE_INFO;
	info->debug_dirs = dirs ? strdup(dirs) : usual_dirs();
	info->callbacks = (Dwfl_Callbacks){
	    .find_elf = dwfl_build_id_find_elf,
	    .find_debuginfo = find_debuginfo,
	    .section_address = dwfl_offline_section_address,
	    .debuginfo_path = &info->debug_dirs,
	};
	if (access(path, R_OK) < 0 || stat(path, &st) < 0)
		error = error_create(errno, "cannot open %s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode)) /* reading a pipe would wait */
		error = error_create(EINVAL, "cannot read %s: it is no regular file", path);
	else
		error = open_module(info);
	if (error) {
		debuginfo_close(info);
		return error;
	}
	*ret = info;
	return NULL;
}

void debuginfo_close(struct debuginfo *info)
{
	if (!info)
		return;
	places_index_close(info->index);
	unit_views_close(info);
	frame_views_close(info);
	btf_index_destroy(info->btf);
	if (info->dwfl)
		dwfl_end(info->dwfl);
	kernel_close(info->own_kernel);
	free(info->symbols);
	free(info->ranges);
	free(info->dwarf_path);
	free(info->dwarf_reason);
	free(info->debug_dirs);
	free(info->build_id);
	free(info->path);
	arena_deinit(&info->arena);
	free(info);
}

const char *debuginfo_path(const struct debuginfo *info)
{
	return info->path;
}

const char *debuginfo_build_id(struct debuginfo *info)
{
	return info->build_id;
}

bool debuginfo_is_relocatable(struct debuginfo *info)
{
	return info->relocatable;
}

/* --- DWARF ----------------------------------------------------------------------------------- */

static void note_dwarf_path(struct debuginfo *info)
{
	const char *main_file = NULL, *debug_file = NULL;

	dwfl_module_info(info->module, NULL, NULL, NULL, NULL, NULL, &main_file, &debug_file);
	info->dwarf_path = strdup(debug_file ? debug_file : main_file ? main_file : info->path);
}

/* A file can have sections of DWARF without a single unit (made from assembler without -g). */
static bool has_units(Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;

	return dwarf_get_units(dwarf, NULL, &cu, NULL, NULL, NULL, NULL) == 0;
}

static void find_dwarf(struct debuginfo *info)
{
	Dwarf_Addr bias;

	info->dwarf_tried = true;
	info->dwarf = dwfl_module_getdwarf(info->module, &bias);
	if (!info->dwarf)
		info->dwarf_reason = strdup(dwfl_errmsg(-1));
	else if (!has_units(info->dwarf))
		info->dwarf_reason = strdup("its DWARF is empty or damaged");
	if (info->dwarf_reason)
		info->dwarf = NULL;
	else
		note_dwarf_path(info);
}

const char *debuginfo_dwarf_path(struct debuginfo *info)
{
	if (!info->dwarf_tried)
		find_dwarf(info);
	return info->dwarf_path;
}

struct error *debuginfo_check_dwarf(struct debuginfo *info)
{
	const char *id = *info->build_id ? info->build_id : "none";

	if (debuginfo_dwarf_path(info))
		return NULL;
	if (info->kernel)
		return error_create(ENODATA,
		                    "%s has no debug information (%s; build id %s): install the "
		                    "kernel's debug package (Debian: linux-image-%s-dbg), or name "
		                    "a vmlinux that has it",
		                    info->path, info->dwarf_reason, id,
		                    kernel_release(info->kernel));
	return error_create(ENODATA,
	                    "%s has no debug information (%s; build id %s): compile with -g, or "
	                    "install the program's -dbgsym package",
	                    info->path, info->dwarf_reason, id);
}

/* --- symbols --------------------------------------------------------------------------------- */

static bool wanted(const GElf_Sym *sym, const char *name)
{
	int type = GELF_ST_TYPE(sym->st_info);

	return name && *name && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE ||
	        type == STT_GNU_IFUNC);
}

/* Assembler code of the kernel has functions without a type. */
static bool is_code(struct debuginfo *info, const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);
	GElf_Shdr shdr;
	Elf_Scn *scn;

	if (type != STT_NOTYPE)
		return type == STT_FUNC || type == STT_GNU_IFUNC;
	scn = sym->st_shndx < SHN_LORESERVE ? elf_getscn(info->elf, sym->st_shndx) : NULL;
	return scn && gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_EXECINSTR;
}

static void add_symbol(struct debuginfo *info, struct elf_symbol symbol)
{
	if (!(info->symbol_count & (info->symbol_count - 1))) {
		size_t room = info->symbol_count ? info->symbol_count * 2 : 64;

		info->symbols = reallocarray(info->symbols, room, sizeof(*info->symbols));
		if (!info->symbols)
			abort();
	}
	info->symbols[info->symbol_count++] = symbol;
}

static void read_elf_symbols(struct debuginfo *info)
{
	int n = dwfl_module_getsymtab(info->module);

	for (int i = 1; i < n; i++) {
		GElf_Addr address;
		GElf_Sym sym;
		const char *name =
		    dwfl_module_getsym_info(info->module, i, &sym, &address, NULL, NULL, NULL);

		if (wanted(&sym, name))
			add_symbol(info,
			           (struct elf_symbol){
			               .name = name,
			               .address = address - info->elf_bias,
			               .size = sym.st_size,
			               .is_function = is_code(info, &sym),
			               .is_global = GELF_ST_BIND(sym.st_info) != STB_LOCAL,
			           });
	}
}

static struct error *read_kernel_symbols(struct debuginfo *info)
{
	struct kallsyms *ks;
	struct error *error = kernel_kallsyms(info->kernel, &ks);

	if (error)
		return error;
	for (size_t i = 0; i < ks->count; i++) {
		const struct ksym *sym = &ks->syms[i];

		if (!sym->module && sym->address >= KALLSYMS_KERNEL_HALF)
			add_symbol(info, (struct elf_symbol){
			                     .name = ksym_name(ks, sym),
			                     .address = sym->address,
			                     .is_function = ksym_is_text(sym),
			                     .is_global = sym->type < 'a',
			                 });
	}
	return NULL;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->is_global != y->is_global)
		return x->is_global ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Symbols of assembler code have no size. */
static void guess_sizes(struct debuginfo *info)
{
	uint64_t next = 0;

	for (size_t i = info->symbol_count; i-- > 0;) {
		struct elf_symbol *sym = &info->symbols[i];

		if (i + 1 < info->symbol_count && info->symbols[i + 1].address > sym->address)
			next = info->symbols[i + 1].address;
		if (!sym->size && next > sym->address && next - sym->address < 1u << 20)
			sym->size = next - sym->address;
	}
}

static void read_symbols(struct debuginfo *info)
{
	if (info->symbols_read)
		return;
	info->symbols_read = true;
	read_elf_symbols(info);
	if (!info->symbol_count && info->kernel && !info->relocatable)
		error_destroy(read_kernel_symbols(info));
}

static void sort_symbols(struct debuginfo *info)
{
	read_symbols(info);
	if (info->symbols_sorted)
		return;
	info->symbols_sorted = true;
	if (info->symbol_count)
		qsort(info->symbols, info->symbol_count, sizeof(*info->symbols), compare_symbols);
	guess_sizes(info);
}

const struct elf_symbol *symbols_sorted(struct debuginfo *info, uint64_t *ret_count)
{
	sort_symbols(info);
	*ret_count = info->symbol_count;
	return info->symbols;
}

int symbols_each(struct debuginfo *info,
                 int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	int result = 0;

	read_symbols(info);
	for (size_t i = 0; i < info->symbol_count && !result; i++)
		result = cb(&info->symbols[i], arg);
	return result;
}

/* Whether there is no need to read the file's own. */
static bool has_indexed_symbols(const struct debuginfo *info)
{
	return !info->symbols_read && info->index && !info->walks &&
	       places_index_symbols(info->index);
}

int debuginfo_symbol_match(struct debuginfo *info, const char *pattern,
                           int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	bool plain = !strpbrk(pattern, "*?[\\");
	int result = 0;

	/* an index has not kept their order in the file, which tells a module's namesakes apart */
	if (plain && !info->relocatable && has_indexed_symbols(info))
		return places_index_symbol_each(info->index, pattern, cb, arg);
	plain ? read_symbols(info) : sort_symbols(info);
	for (size_t i = 0; i < info->symbol_count && !result; i++) {
		const struct elf_symbol *sym = &info->symbols[i];

		if (plain ? !strcmp(pattern, sym->name) : !fnmatch(pattern, sym->name, 0))
			result = cb(sym, arg);
	}
	return result;
}

struct find_one {
	struct elf_symbol found;
	unsigned places;
};

static int note_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct find_one *f = arg;

	if (f->places && f->found.address == symbol->address)
		return 0;
	f->places++;
	f->found = *symbol;
	return 0;
}

struct error *debuginfo_symbol_find(struct debuginfo *info, const char *name,
                                    struct elf_symbol *ret)
{
	struct find_one f = {.places = 0};

	debuginfo_symbol_match(info, name, note_symbol, &f);
	if (!f.places)
		return error_create(ENOENT, "%s has no symbol %s", info->path, name);
	if (f.places > 1)
		return error_create(ENOTUNIQ, "%s has %u symbols called %s", info->path, f.places,
		                    name);
	*ret = f.found;
	if (!ret->size && debuginfo_symbol_at(info, ret->address))
		ret->size = debuginfo_symbol_at(info, ret->address)->size;
	return NULL;
}

static size_t symbols_up_to(const struct debuginfo *info, uint64_t address)
{
	size_t low = 0, high = info->symbol_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (info->symbols[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Better than `best` as the symbol of `address`: nearer, then a function, then as sorting would. */
static bool is_better(const struct elf_symbol *sym, const struct elf_symbol *best)
{
	if (!best || sym->address != best->address)
		return !best || sym->address > best->address;
	if (sym->is_function != best->is_function)
		return sym->is_function;
	return compare_symbols(sym, best) < 0;
}

/* One pass over the unsorted table, which is cheaper than sorting it for a few questions. A symbol
 * without a size ends where the next begins. */
static const struct elf_symbol *find_unsorted(struct debuginfo *info, uint64_t address)
{
	const struct elf_symbol *best = NULL;
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < info->symbol_count; i++) {
		const struct elf_symbol *sym = &info->symbols[i];

		if (sym->address > address)
			next = sym->address < next ? sym->address : next;
		else if ((!sym->size || address - sym->address < sym->size) && is_better(sym, best))
			best = sym;
	}
	if (best && !best->size && next - best->address < 1u << 20)
		info->symbols[best - info->symbols].size = next - best->address;
	return best && address - best->address < best->size ? best : NULL;
}

static const struct elf_symbol *find_sorted(struct debuginfo *info, uint64_t address)
{
	const struct elf_symbol *best = NULL;
	size_t n = symbols_up_to(info, address);

	for (size_t tries = 0; n-- > 0 && tries < 16; tries++) {
		const struct elf_symbol *sym = &info->symbols[n];

		if (best && sym->address < best->address)
			break;
		if (address - sym->address < sym->size && is_better(sym, best))
			best = sym;
	}
	return best;
}

/* The first symbol of the index that is at `address` or behind it. */
static size_t indexed_from(struct debuginfo *info, uint64_t address)
{
	size_t low = 0, high = places_index_symbols(info->index);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (places_index_symbol_address(info->index, mid) < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* An index has them sorted already, and there is no need to read them. */
static const struct elf_symbol *find_indexed(struct debuginfo *info, uint64_t address)
{
	size_t n = indexed_from(info, address + 1);
	struct elf_symbol sym, best = {.name = NULL}, *found;

	for (size_t tries = 0; n-- > 0 && tries < 16; tries++) {
		places_index_symbol(info->index, n, &sym);
		if (best.name && sym.address < best.address)
			break;
		if (address - sym.address < sym.size && is_better(&sym, best.name ? &best : NULL))
			best = sym;
	}
	if (!best.name)
		return NULL;
	found = ARENA_NEW(&info->arena, struct elf_symbol);
	*found = best;
	return found;
}

/* The one of the symbols at `address` that `name` begins, or NULL. */
static const char *named_indexed(struct debuginfo *info, uint64_t address, const char *name)
{
	size_t n = places_index_symbols(info->index);
	struct elf_symbol sym;

	for (size_t i = indexed_from(info, address);
	     i < n && places_index_symbol_address(info->index, i) == address; i++) {
		places_index_symbol(info->index, i, &sym);
		if (!strncmp(sym.name, name, strlen(name)))
			return sym.name;
	}
	return NULL;
}

#define UNSORTED_MAX 24 /* questions after which sorting pays */

const struct elf_symbol *debuginfo_symbol_at(struct debuginfo *info, uint64_t address)
{
	if (has_indexed_symbols(info))
		return find_indexed(info, address);
	if (++info->symbol_questions > UNSORTED_MAX)
		sort_symbols(info);
	else
		read_symbols(info);
	return info->symbols_sorted ? find_sorted(info, address) : find_unsorted(info, address);
}

const char *function_symbol(struct debuginfo *info, uint64_t address, const char *name)
{
	const struct elf_symbol *sym = debuginfo_symbol_at(info, address), *at, *end;

	if (!sym || sym->address != address)
		return NULL;
	if (!info->symbols_read) {
		const char *own = named_indexed(info, address, name);

		return own ? own : sym->name;
	}
	at = info->symbols;
	end = at + info->symbol_count;
	if (info->symbols_sorted) {
		for (at = sym; at > info->symbols && at[-1].address == address; at--)
			;
		for (end = sym; end < info->symbols + info->symbol_count && end->address == address;
		     end++)
			;
	}
	for (; at < end; at++)
		if (at->address == address && !strncmp(at->name, name, strlen(name)))
			return at->name;
	return sym->name;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static size_t read_section(struct debuginfo *info, uint64_t address, void *dst, size_t size)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(info->elf, scn))) {
		GElf_Shdr shdr;
		GElf_Addr start;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) ||
		    shdr.sh_type == SHT_NOBITS)
			continue;
		start = shdr.sh_addr; /* libdwfl stores what it made up in the header */
		if (address < start || address - start >= shdr.sh_size)
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || address - start >= data->d_size)
			return 0;
		if (size > data->d_size - (address - start))
			size = data->d_size - (address - start);
		memcpy(dst, (char *)data->d_buf + (address - start), size);
		return size;
	}
	return 0;
}

size_t debuginfo_read(struct debuginfo *info, uint64_t address, void *dst, size_t size)
{
	return read_section(info, address, dst, size);
}

bool debuginfo_file_offset(struct debuginfo *info, uint64_t address, uint64_t *ret)
{
	size_t n;

	if (elf_getphdrnum(info->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(info->elf, i, &phdr) || phdr.p_type != PT_LOAD ||
		    address - phdr.p_vaddr >= phdr.p_filesz)
			continue;
		*ret = address - phdr.p_vaddr + phdr.p_offset;
		return true;
	}
	return false;
}

const void *debuginfo_section(struct debuginfo *info, const char *name, size_t *size,
                              uint64_t *address)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(info->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(info->elf, scn))) {
		GElf_Shdr shdr;
		const char *own;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		own = elf_strptr(info->elf, names, shdr.sh_name);
		if (!own || strcmp(own, name))
			continue;
		data = elf_rawdata(scn, NULL);
		*size = data ? data->d_size : 0;
		*address = shdr.sh_addr;
		return data ? data->d_buf : NULL;
	}
	return NULL;
}
