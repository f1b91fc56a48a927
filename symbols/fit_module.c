// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/fit_module.c - from a compiler's object to what init_module() takes.
 *
 * What the kernel's build would have added (modpost, objtool, the linker script) is added here:
 *
 *   symbols             each undefined one becomes absolute, with the value that fit_bind() finds.
 *                       Modules lie within 2 GB of the kernel, so calls reach absolute addresses
 *   .modinfo            license, name, vermagic of the kernel, retpoline=Y; srcversion, a hash of
 *                       the object, by which a loaded core is known again
 *   .gnu.linkonce.this_module   struct module: size and the places of name, init and exit by BTF;
 *                       old kernels load a wrong one silently, so they are never guessed
 *   __versions          the checksum of module_layout, where the kernel wants checksums. No other
 *                       is needed since no symbol is left to import
 *   .return_sites, .retpoline_sites
 *                       where the code returns and calls through pointers, so that the kernel
 *                       patches its mitigations in as it does for its own modules
 *   ksize_module ...    more symbols: struct module's layout, for learn.c
 *
 * The other sections are copied; debugging, comments and notes are left out.
 *
 * Refused: a number or a per-CPU address used relative to the code (R_X86_64_PC32 and PLT32): such
 * a value is out of reach, and the kernel would refuse the module with "overflow in relocation".
 */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/elf_image.h"
#include "symbols/fit_private.h"

#define SECTION_ALIGN_MAX 4096u /* a page: more cannot be had in a module */
#define SECTION_SIZE_MAX (1u << 30)

/* What is asked of struct module. */
enum { LAYOUT_SIZE, LAYOUT_NAME, LAYOUT_INIT, LAYOUT_EXIT, LAYOUT_COUNT };
static const char *const layout_symbols[LAYOUT_COUNT] = {
    [LAYOUT_SIZE] = "ksize_module",
    [LAYOUT_NAME] = "koff_module_name",
    [LAYOUT_INIT] = "koff_module_init",
    [LAYOUT_EXIT] = "koff_module_exit",
};

struct job {
	struct fitter fitter;
	const char *name;
	Elf *elf;
	size_t shnum, shstrndx;
	size_t symtab; /* section index in the object */
	size_t symbol_count;
	Elf64_Sym *symbols; /* a copy, changed as symbols get bound */
	const char **symbol_names;
	bool *numbers; /* by symbol: a binding that is no place */
	size_t *map;   /* object's section index to the image's; 0 left out */
	struct elf_image image;
	const struct shipped *shipped;
	char version[FIT_VERSION_LEN + 1];
	uint64_t layout[LAYOUT_COUNT];
};

static struct error *bad_object(const char *what)
{
	return error_create(EBADMSG, "the object is damaged or was not made by `cc -c`: %s", what);
}

/* --- reading the object ---------------------------------------------------------------------- */

static const char *section_name(const struct job *job, Elf_Scn *scn, GElf_Shdr *shdr)
{
	const char *name =
	    gelf_getshdr(scn, shdr) ? elf_strptr(job->elf, job->shstrndx, shdr->sh_name) : NULL;

	return name ? name : "";
}

static struct error *open_object(struct job *job, const void *object, size_t len)
{
	GElf_Ehdr ehdr;

	elf_version(EV_CURRENT);
	/* libelf writes into the memory only when asked to. */
	job->elf = elf_memory((char *)object, len);
	if (!job->elf || elf_kind(job->elf) != ELF_K_ELF || !gelf_getehdr(job->elf, &ehdr))
		return bad_object("it is no ELF file");
	if (gelf_getclass(job->elf) != ELFCLASS64 || ehdr.e_machine != EM_X86_64 ||
	    ehdr.e_type != ET_REL)
		return bad_object("it is no relocatable file for x86-64");
	if (elf_getshdrnum(job->elf, &job->shnum) || elf_getshdrstrndx(job->elf, &job->shstrndx))
		return bad_object("it has no sections");
	job->map = calloc(job->shnum, sizeof(*job->map));
	if (!job->map)
		abort();
	return NULL;
}

static struct error *read_symbols(struct job *job)
{
	Elf_Scn *scn = NULL;
	Elf_Data *data = NULL;
	GElf_Shdr shdr;

	while (!data && (scn = elf_nextscn(job->elf, scn))) {
		section_name(job, scn, &shdr);
		if (shdr.sh_type == SHT_SYMTAB) {
			job->symtab = elf_ndxscn(scn);
			data = elf_getdata(scn, NULL);
		}
	}
	if (!data || !data->d_buf)
		return bad_object("it has no symbols");
	job->symbol_count = data->d_size / sizeof(Elf64_Sym);
	job->symbols = calloc(job->symbol_count, sizeof(*job->symbols));
	job->symbol_names = calloc(job->symbol_count, sizeof(*job->symbol_names));
	job->numbers = calloc(job->symbol_count, sizeof(*job->numbers));
	if (!job->symbols || !job->symbol_names || !job->numbers)
		abort();
	for (size_t i = 0; i < job->symbol_count; i++) {
		const char *name;

		if (!gelf_getsym(data, i, &job->symbols[i]))
			return bad_object("a symbol is cut off");
		name = elf_strptr(job->elf, shdr.sh_link, job->symbols[i].st_name);
		job->symbol_names[i] = name ? name : "";
	}
	return NULL;
}

/* --- copying sections ------------------------------------------------------------------------ */

static bool left_out(const char *name)
{
	return !strncmp(name, ".debug", 6) || !strncmp(name, ".note", 5) ||
	       !strcmp(name, ".comment") || !strncmp(name, ".eh_frame", 9) ||
	       !strcmp(name, ".llvm_addrsig");
}

static struct error *copy_section(struct job *job, Elf_Scn *scn, const char *name,
                                  const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	struct elf_image_section *section;
	size_t i;

	if (shdr->sh_addralign > SECTION_ALIGN_MAX || shdr->sh_size > SECTION_SIZE_MAX)
		return bad_object(name);
	i = elf_image_add(&job->image, name, shdr->sh_type, shdr->sh_flags, shdr->sh_addralign);
	section = &job->image.sections[i];
	job->map[elf_ndxscn(scn)] = i;
	section->shdr.sh_entsize = shdr->sh_entsize;
	if (shdr->sh_type == SHT_NOBITS)
		section->nobits = shdr->sh_size;
	else if (!data || (data->d_size && !data->d_buf))
		return bad_object(name);
	else if (data->d_size)
		strbuf_add(&section->data, data->d_buf, data->d_size);
	return NULL;
}

static struct error *copy_sections(struct job *job)
{
	struct error *error = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while (!error && (scn = elf_nextscn(job->elf, scn))) {
		const char *name = section_name(job, scn, &shdr);

		if ((shdr.sh_type == SHT_PROGBITS || shdr.sh_type == SHT_NOBITS ||
		     shdr.sh_type == SHT_INIT_ARRAY) &&
		    !left_out(name))
			error = copy_section(job, scn, name, &shdr);
	}
	return error;
}

/* --- symbols --------------------------------------------------------------------------------- */

static struct error *bind_symbol(struct job *job, size_t i)
{
	struct binding binding;
	struct error *error;

	error = fit_bind(&job->fitter, job->symbol_names[i], &binding);
	if (error && ELF64_ST_BIND(job->symbols[i].st_info) == STB_WEAK) {
		error_destroy(error);
		binding = (struct binding){0};
		error = NULL;
	}
	if (error)
		return error;
	job->symbols[i].st_shndx = SHN_ABS;
	job->symbols[i].st_value = binding.value;
	job->symbols[i].st_other = STV_DEFAULT;
	job->numbers[i] = binding.number;
	return NULL;
}

static struct error *bind_symbols(struct job *job, size_t this_module)
{
	for (size_t i = 1; i < job->symbol_count; i++) {
		Elf64_Sym *sym = &job->symbols[i];
		struct error *error;

		if (sym->st_shndx == SHN_COMMON)
			return bad_object("a common symbol (compile with -fno-common)");
		if (sym->st_shndx != SHN_UNDEF) {
			/* A section that was left out keeps its symbols, so that numbers stay. */
			if (sym->st_shndx < SHN_LORESERVE)
				sym->st_shndx =
				    sym->st_shndx < job->shnum && job->map[sym->st_shndx]
				        ? job->map[sym->st_shndx]
				        : SHN_ABS;
			continue;
		}
		if (!strcmp(job->symbol_names[i], "__this_module")) {
			sym->st_shndx = this_module;
			continue;
		}
		error = bind_symbol(job, i);
		if (error)
			return error;
	}
	return NULL;
}

static size_t symbol_find(const struct job *job, const char *name)
{
	for (size_t i = 1; i < job->symbol_count; i++)
		if (!strcmp(job->symbol_names[i], name))
			return i;
	return 0;
}

/* --- relocations ----------------------------------------------------------------------------- */

static struct error *check_relocation(const struct job *job, const Elf64_Rela *rela,
                                      const char *section)
{
	size_t i = ELF64_R_SYM(rela->r_info);
	unsigned type = ELF64_R_TYPE(rela->r_info);
	int64_t value;

	if (i >= job->symbol_count)
		return bad_object("a relocation names no symbol");
	if (type != R_X86_64_64 && type != R_X86_64_32 && type != R_X86_64_32S &&
	    type != R_X86_64_PC32 && type != R_X86_64_PLT32 && type != R_X86_64_PC64)
		return error_create(EBADMSG,
		                    "relocation type %u in %s: the object was not compiled with "
		                    "the core's flags",
		                    type, section);
	if (!job->numbers[i])
		return NULL;
	value = (int64_t)job->symbols[i].st_value + rela->r_addend;
	if (type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_PC64)
		return error_create(EBADMSG,
		                    "%s+0x%llx uses %s relative to the code, where it cannot be "
		                    "reached",
		                    section, (unsigned long long)rela->r_offset,
		                    job->symbol_names[i]);
	if (type == R_X86_64_32S && value != (int32_t)value)
		return error_create(ERANGE, "%s = 0x%llx does not fit into 32 bits at %s+0x%llx",
		                    job->symbol_names[i], (unsigned long long)value, section,
		                    (unsigned long long)rela->r_offset);
	return NULL;
}

static Elf64_Rela relocation(size_t offset, size_t symbol, unsigned type, int64_t addend)
{
	return (Elf64_Rela){
	    .r_offset = offset, .r_info = ELF64_R_INFO(symbol, type), .r_addend = addend};
}

static size_t add_rela_section(struct job *job, size_t of)
{
	_cleanup_free_ char *name = NULL;
	size_t i;

	if (asprintf(&name, ".rela%s", job->image.sections[of].name) < 0)
		abort();
	i = elf_image_add(&job->image, name, SHT_RELA, SHF_INFO_LINK, 8);
	job->image.sections[i].shdr.sh_info = of;
	job->image.sections[i].shdr.sh_entsize = sizeof(Elf64_Rela);
	return i;
}

/* Any symbol of a section will do to name a place in it. */
static size_t symbol_of_section(const struct job *job, size_t section)
{
	for (size_t i = 1; i < job->symbol_count; i++)
		if (job->symbols[i].st_shndx == section)
			return i;
	return 0;
}

/* A list of places in code: 4 bytes each, the distance from the entry to the instruction. */
struct sites {
	const char *name;
	struct strbuf relocations; /* Elf64_Rela */
};

static void sites_add(const struct job *job, struct sites *sites, size_t section, size_t at)
{
	size_t symbol = symbol_of_section(job, section);
	Elf64_Rela rela =
	    relocation(sites->relocations.len / sizeof(rela) * 4, symbol, R_X86_64_PC32,
	               (int64_t)at - (int64_t)job->symbols[symbol].st_value);

	if (symbol)
		strbuf_add(&sites->relocations, &rela, sizeof(rela));
}

static void sites_write(struct job *job, struct sites *sites)
{
	size_t count = sites->relocations.len / sizeof(Elf64_Rela), i, r;

	if (!count)
		return;
	i = elf_image_add(&job->image, sites->name, SHT_PROGBITS, SHF_ALLOC, 4);
	for (size_t n = 0; n < count; n++)
		strbuf_add(&job->image.sections[i].data, "\0\0\0", 4);
	r = add_rela_section(job, i);
	strbuf_add(&job->image.sections[r].data, sites->relocations.data, sites->relocations.len);
}

/*
 * Where the instruction starts whose 4-byte operand is relocated at `offset`: one byte before (e8
 * call, e9 jmp), two with the prefix 2e that the compiler puts before thunks of r8 to r15, or two
 * for a conditional jump (0f 8x).
 */
static size_t instruction_start(const struct elf_image_section *text, size_t offset,
                                bool may_prefix)
{
	const unsigned char *code = (const unsigned char *)text->data.data;

	if (offset < 2 || offset > text->data.len)
		return offset ? offset - 1 : 0;
	if ((code[offset - 1] & 0xf0) == 0x80 && code[offset - 2] == 0x0f)
		return offset - 2;
	if (may_prefix && code[offset - 2] == 0x2e)
		return offset - 2;
	return offset - 1;
}

static void note_site(const struct job *job, const Elf64_Rela *rela, size_t target,
                      struct sites *returns, struct sites *indirect)
{
	const struct elf_image_section *text = &job->image.sections[target];
	const char *name = job->symbol_names[ELF64_R_SYM(rela->r_info)];
	const char *thunk = "__x86_indirect_thunk_r";

	if (!(text->shdr.sh_flags & SHF_EXECINSTR))
		return;
	if (!strcmp(name, "__x86_return_thunk"))
		sites_add(job, returns, target, instruction_start(text, rela->r_offset, false));
	else if (!strncmp(name, thunk, strlen(thunk))) {
		char first = name[strlen(thunk)]; /* r8-r15, not rax */
		bool high = first >= '0' && first <= '9';

		sites_add(job, indirect, target, instruction_start(text, rela->r_offset, high));
	}
}

static struct error *copy_relocations(struct job *job, Elf_Scn *scn, const GElf_Shdr *shdr,
                                      struct sites *returns, struct sites *indirect)
{
	size_t target = shdr->sh_info < job->shnum ? job->map[shdr->sh_info] : 0, out;
	Elf_Data *data = elf_getdata(scn, NULL);
	struct error *error;

	if (!target)
		return NULL;
	if (!data || !data->d_buf || shdr->sh_link != job->symtab)
		return bad_object("relocations without symbols");
	out = add_rela_section(job, target);
	for (size_t i = 0; i < data->d_size / sizeof(Elf64_Rela); i++) {
		Elf64_Rela rela;

		memcpy(&rela, (char *)data->d_buf + i * sizeof(rela), sizeof(rela));
		error = check_relocation(job, &rela, job->image.sections[target].name);
		if (error)
			return error;
		strbuf_add(&job->image.sections[out].data, &rela, sizeof(rela));
		note_site(job, &rela, target, returns, indirect);
	}
	return NULL;
}

static struct error *copy_all_relocations(struct job *job)
{
	struct sites returns = {.name = ".return_sites"}, indirect = {.name = ".retpoline_sites"};
	struct error *error = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while (!error && (scn = elf_nextscn(job->elf, scn))) {
		section_name(job, scn, &shdr);
		if (shdr.sh_type == SHT_RELA)
			error = copy_relocations(job, scn, &shdr, &returns, &indirect);
	}
	if (!error) {
		sites_write(job, &returns);
		sites_write(job, &indirect);
	}
	strbuf_deinit(&returns.relocations);
	strbuf_deinit(&indirect.relocations);
	return error;
}

/* --- what a module has more than an object --------------------------------------------------- */

static void add_modinfo(struct job *job)
{
	size_t i = elf_image_add(&job->image, ".modinfo", SHT_PROGBITS, SHF_ALLOC, 1);
	struct strbuf *sb = &job->image.sections[i].data;

	strbuf_addf(sb, "license=GPL%cdepends=%cretpoline=Y%c", 0, 0, 0);
	strbuf_addf(sb, "srcversion=%s%cname=%s%c", job->version, 0, job->name, 0);
	strbuf_addf(sb, "vermagic=%s%c", job->shipped->vermagic, 0);
}

static void add_versions(struct job *job)
{
	char record[64] = {0};
	size_t i;

	if (!job->shipped->has_layout_crc)
		return;
	memcpy(record, &job->shipped->layout_crc, 8);
	strcpy(record + 8, "module_layout");
	i = elf_image_add(&job->image, "__versions", SHT_PROGBITS, SHF_ALLOC, 32);
	strbuf_add(&job->image.sections[i].data, record, sizeof(record));
}

static struct error *read_layout(struct job *job)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		struct binding binding;
		struct error *error = fit_bind(&job->fitter, layout_symbols[i], &binding);

		if (error)
			return error;
		job->layout[i] = binding.value;
	}
	return NULL;
}

/* struct module: zeros but for the name; init and exit come by relocation. */
static struct error *add_this_module(struct job *job, size_t *ret)
{
	uint64_t size = job->layout[LAYOUT_SIZE], name = job->layout[LAYOUT_NAME];
	struct strbuf *sb;

	if (strlen(job->name) >= 56 || name + 56 > size)
		return error_create(ENAMETOOLONG, "the module name %s is longer than 55 characters",
		                    job->name);
	*ret = elf_image_add(&job->image, ".gnu.linkonce.this_module", SHT_PROGBITS,
	                     SHF_ALLOC | SHF_WRITE, 64);
	sb = &job->image.sections[*ret].data;
	while (sb->len < size)
		strbuf_addc(sb, '\0');
	memcpy(sb->data + name, job->name, strlen(job->name));
	return NULL;
}

static struct error *relocate_this_module(struct job *job, size_t this_module)
{
	static const struct {
		const char *name;
		int offset;
	} functions[2] = {{"init_module", LAYOUT_INIT}, {"cleanup_module", LAYOUT_EXIT}};
	size_t out = add_rela_section(job, this_module);

	for (size_t i = 0; i < 2; i++) {
		size_t symbol = symbol_find(job, functions[i].name);
		Elf64_Rela rela;

		if (!symbol)
			return bad_object("init_module or cleanup_module is missing");
		rela = relocation(job->layout[functions[i].offset], symbol, R_X86_64_64, 0);
		strbuf_add(&job->image.sections[out].data, &rela, sizeof(rela));
	}
	return NULL;
}

static void add_layout_symbols(struct job *job, size_t symtab, size_t strtab)
{
	struct strbuf *symbols = &job->image.sections[symtab].data;
	struct strbuf *strings = &job->image.sections[strtab].data;

	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		Elf64_Sym sym = {
		    .st_name = strings->len,
		    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		    .st_shndx = SHN_ABS,
		    .st_value = job->layout[i],
		};

		strbuf_add(strings, layout_symbols[i], strlen(layout_symbols[i]) + 1);
		strbuf_add(symbols, &sym, sizeof(sym));
	}
}

/* The object's symbols in the object's order, so that relocations stay as they are. */
static struct error *add_symbols(struct job *job)
{
	Elf_Scn *scn = elf_getscn(job->elf, job->symtab);
	size_t symtab, strtab;
	Elf_Data *strings;
	GElf_Shdr shdr;

	if (!gelf_getshdr(scn, &shdr) ||
	    !(strings = elf_rawdata(elf_getscn(job->elf, shdr.sh_link), NULL)) || !strings->d_buf)
		return bad_object("it has no names");
	symtab = elf_image_add(&job->image, ".symtab", SHT_SYMTAB, 0, 8);
	strtab = elf_image_add(&job->image, ".strtab", SHT_STRTAB, 0, 1);
	strbuf_add(&job->image.sections[symtab].data, job->symbols,
	           job->symbol_count * sizeof(*job->symbols));
	strbuf_add(&job->image.sections[strtab].data, strings->d_buf, strings->d_size);
	add_layout_symbols(job, symtab, strtab);
	job->image.sections[symtab].shdr.sh_link = strtab;
	job->image.sections[symtab].shdr.sh_info = shdr.sh_info;
	job->image.sections[symtab].shdr.sh_entsize = sizeof(Elf64_Sym);
	for (size_t i = 1; i < job->image.count; i++)
		if (job->image.sections[i].shdr.sh_type == SHT_RELA)
			job->image.sections[i].shdr.sh_link = symtab;
	return NULL;
}

/* --- the whole ------------------------------------------------------------------------------- */

static struct error *build(struct job *job, struct kernel *k, const void *object, size_t len)
{
	size_t this_module = 0;
	struct error *error = open_object(job, object, len);

	/* What can go wrong without looking at the kernel goes wrong first. */
	if (!error)
		error = read_symbols(job);
	if (!error)
		error = shipped_read(k, &job->shipped);
	if (!error)
		error = read_layout(job);
	if (!error)
		error = copy_sections(job);
	if (!error)
		error = add_this_module(job, &this_module);
	if (!error)
		error = bind_symbols(job, this_module);
	if (!error)
		error = copy_all_relocations(job);
	if (!error)
		error = fit_exports(&job->fitter, &job->image);
	if (!error)
		error = relocate_this_module(job, this_module);
	if (error)
		return error;
	add_modinfo(job);
	add_versions(job);
	return add_symbols(job);
}

static void job_deinit(struct job *job)
{
	fitter_deinit(&job->fitter);
	elf_image_deinit(&job->image);
	elf_end(job->elf);
	free(job->symbols);
	free(job->symbol_names);
	free(job->numbers);
	free(job->map);
}

struct error *fit_module(struct kernel *k, const void *object, size_t len, const char *name,
                         void **image, size_t *image_len)
{
	struct job job = {.name = name};
	struct error *error;

	fit_object_version(object, len, job.version);
	fitter_init(k, def_rows, def_row_count, &job.fitter);
	elf_image_init(&job.image);
	error = build(&job, k, object, len);
	if (!error)
		elf_image_finish(&job.image, image, image_len);
	job_deinit(&job);
	return error ? error_wrap(error, "module %s", name) : NULL;
}
