// SPDX-License-Identifier: GPL-2.0-only
/*
 * The section .spile.meta: lines of tab-separated fields, described in codegen/README.md.
 *
 * An object can come from anywhere, so nothing is believed: the ELF is read through libelf, which
 * checks offsets, and every line's fields are counted and checked.
 */
#include "reader/meta.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>


#define SECTION ".spile.meta"

enum { FIELDS_MAX = 5 };

static const char bad_object[] = "the object's section " SECTION " is damaged";

/* --- lines ---------------------------------------------------------------------------------------- */

struct parser {
	struct script_meta *meta;
	const char *pos;
	const char *end;
	unsigned line;
	bool ended;
	const char *fields[FIELDS_MAX];
	unsigned nfields;
	struct { ARENA_LIST(struct spl_format); } formats;
	struct { ARENA_LIST(struct meta_probe); } probes;
};

static struct error *parse_error(const struct parser *p, const char *what)
{
	return error_create(EINVAL, "%s, line %u: %s; translate the script again", bad_object, p->line,
			    what);
}

/* Undoes the escapes of one field, into the arena. NULL: an escape that does not exist. */
static const char *unescape(struct arena *arena, const char *s, size_t len)
{
	static const char codes[] = "\\tn0", bytes[] = "\\\t\n";
	char *text = arena_alloc(arena, len + 1), *out = text;

	for (size_t i = 0; i < len; i++) {
		const char *code;

		if (s[i] != '\\') {
			*out++ = s[i];
			continue;
		}
		code = ++i < len && s[i] ? strchr(codes, s[i]) : NULL;
		if (!code)
			return NULL;
		*out++ = bytes[code - codes];
	}
	return text;
}

/* Splits the next line into fields. */
static struct error *next_line(struct parser *p)
{
	const char *newline = memchr(p->pos, '\n', (size_t)(p->end - p->pos));

	p->line++;
	p->nfields = 0;
	if (!newline)
		return parse_error(p, "it ends too early");
	if (memchr(p->pos, '\0', (size_t)(newline - p->pos)))
		return parse_error(p, "it contains a NUL");
	for (const char *s = p->pos; s <= newline; p->nfields++) {
		const char *tab = memchr(s, '\t', (size_t)(newline - s));
		const char *stop = tab ? tab : newline;

		if (p->nfields == FIELDS_MAX)
			return parse_error(p, "too many fields");
		p->fields[p->nfields] = unescape(&p->meta->arena, s, (size_t)(stop - s));
		if (!p->fields[p->nfields])
			return parse_error(p, "an unknown escape");
		s = stop + 1;
	}
	p->pos = newline + 1;
	return NULL;
}

static struct error *take_name(struct parser *p)
{
	const char *name = p->fields[1];

	/* It becomes a module's name and part of a path. */
	if (!*name || strlen(name) > 55 ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")])
		return parse_error(p, "the name is not a module's");
	p->meta->name = name;
	return NULL;
}

static struct error *take_kernel(struct parser *p)
{
	p->meta->kernel = p->fields[1];
	return NULL;
}

static struct error *take_release(struct parser *p)
{
	p->meta->release = p->fields[1];
	return NULL;
}

static struct error *take_abi(struct parser *p)
{
	char *end;
	unsigned long abi = strtoul(p->fields[1], &end, 10);

	if (*end || end == p->fields[1] || abi > UINT32_MAX)
		return parse_error(p, "the ABI is not a number");
	p->meta->abi = (uint32_t)abi;
	return NULL;
}

static struct error *take_format(struct parser *p)
{
	struct spl_format format = { .types = p->fields[1], .text = p->fields[2] };

	/* Whether the text's conversions agree with the types does not matter to the formatter. */
	if (format.types[strspn(format.types, "nsmh")])
		return parse_error(p, "an unknown type");
	if (p->formats.count > UINT16_MAX)
		return parse_error(p, "too many formats");
	ARENA_APPEND(&p->meta->arena, &p->formats, format);
	return NULL;
}

static struct error *take_probe(struct parser *p)
{
	struct meta_probe probe = { .symbol = p->fields[2], .point = p->fields[3],
				    .source = p->fields[4] };

	ARENA_APPEND(&p->meta->arena, &p->probes, probe);
	return NULL;
}

static struct error *take_end(struct parser *p)
{
	p->ended = true;
	return NULL;
}

static const struct line_kind {
	const char *word;
	unsigned nfields;
	struct error *(*take)(struct parser *p);
} line_kinds[] = {
	{ "name", 2, take_name },     { "kernel", 2, take_kernel }, { "release", 2, take_release },
	{ "abi", 2, take_abi },       { "format", 3, take_format }, { "probe", 5, take_probe },
	{ "end", 1, take_end },
};

static struct error *parse_line(struct parser *p)
{
	struct error *error = next_line(p);

	if (error)
		return error;
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++) {
		if (strcmp(p->fields[0], line_kinds[i].word) != 0)
			continue;
		if (p->nfields != line_kinds[i].nfields)
			return parse_error(p, "the wrong number of fields");
		return line_kinds[i].take(p);
	}
	return parse_error(p, "an unknown word");
}

static struct error *parse(struct parser *p)
{
	struct error *error = next_line(p);

	if (error)
		return error;
	if (p->nfields != 1 || strcmp(p->fields[0], "spile-meta 1") != 0)
		return parse_error(p, "not of the version that this program reads");
	while (!error && !p->ended)
		error = parse_line(p);
	if (!error && (!p->meta->name || !p->meta->abi))
		error = parse_error(p, "the name or the ABI is missing");
	return error;
}

static struct script_meta *meta_alloc(void)
{
	struct script_meta *meta = calloc(1, sizeof(*meta));

	if (!meta)
		abort();
	arena_init(&meta->arena);
	meta->kernel = meta->release = "";
	return meta;
}

struct error *meta_create(const void *section, size_t len, struct script_meta **ret)
{
	struct parser p = { .meta = meta_alloc(), .pos = section,
			    .end = (const char *)section + len };
	struct error *error = parse(&p);

	if (error) {
		meta_destroy(p.meta);
		return error;
	}
	p.meta->formats = p.formats.items;
	p.meta->nformats = (uint32_t)p.formats.count;
	p.meta->probes = p.probes.items;
	p.meta->nprobes = (uint32_t)p.probes.count;
	*ret = p.meta;
	return NULL;
}

void meta_destroy(struct script_meta *meta)
{
	if (!meta)
		return;
	arena_deinit(&meta->arena);
	free(meta);
}

/* --- where it comes from ------------------------------------------------------------------------------ */

/* The section's bytes; they live as long as the Elf. NULL: there is no such section. */
static Elf_Data *find_section(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_kind(elf) != ELF_K_ELF || elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && strcmp(name, SECTION) == 0)
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

struct error *meta_create_elf(const void *object, size_t len, struct script_meta **ret)
{
	struct error *error;
	Elf_Data *data;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)object, len);
	data = elf ? find_section(elf) : NULL;
	if (data && data->d_buf)
		error = meta_create(data->d_buf, data->d_size, ret);
	else
		error = error_create(EINVAL, "this is no script's object: it has no section " SECTION);
	elf_end(elf);
	return error;
}

static const char *copy(struct script_meta *meta, const char *s)
{
	return arena_strdup(&meta->arena, s ? s : "");
}

struct script_meta *meta_create_script(const struct spl_script *script)
{
	struct script_meta *meta = meta_alloc();

	meta->name = copy(meta, script->name);
	meta->abi = script->abi;
	meta->nformats = script->nformats;
	meta->formats = arena_alloc(&meta->arena, (script->nformats + 1) * sizeof(*meta->formats));
	for (uint32_t i = 0; i < script->nformats; i++) {
		meta->formats[i].text = copy(meta, script->formats[i].text);
		meta->formats[i].types = copy(meta, script->formats[i].types);
	}
	meta->nprobes = script->nprobes;
	meta->probes = arena_alloc(&meta->arena, (script->nprobes + 1) * sizeof(*meta->probes));
	for (uint32_t i = 0; i < script->nprobes; i++) {
		meta->probes[i].point = copy(meta, script->probes[i].pp);
		meta->probes[i].symbol = copy(meta, script->probes[i].func);
		meta->probes[i].source = "";
	}
	return meta;
}
