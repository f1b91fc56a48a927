// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which objects are loaded, which code is theirs, and names to addresses over all of them.
 * The symbols of one object are in symbols.user.c.
 */
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host.h"
#include "engine/host/linux-user/objects.h"
#include "engine/host/linux-user/symbols.h"

struct object {
	struct object *next;
	char *path;                 /* as the loader has it */
	char *file;                 /* the same, absolute: the program may change its folder */
	uint64_t base, serial;
	uint64_t text[SEGMENTS][2]; /* executable segments: first address, end */
	unsigned segments;
	uint64_t eh_frame_hdr;      /* 0: none */
	struct symbols *symbols;    /* read when asked for */
	bool symbols_tried, own, seen;
};

static struct object *objects;
static uint64_t last_serial;
static unsigned long long adds, subs;
static bool some_gone;

/* --- the list -------------------------------------------------------------------------------- */

static void object_destroy(struct object *object)
{
	symbols_close(object->symbols);
	free(object->path);
	free(object->file);
	free(object);
}

static bool in_text(const struct object *object, uint64_t addr)
{
	for (unsigned i = 0; i < object->segments; i++)
		if (addr >= object->text[i][0] && addr < object->text[i][1])
			return true;
	return false;
}

static void read_segments(struct object *object, const struct dl_phdr_info *info)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_GNU_EH_FRAME)
			object->eh_frame_hdr = start;
		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) || object->segments == SEGMENTS)
			continue;
		object->text[object->segments][0] = start;
		object->text[object->segments++][1] = start + ph->p_memsz;
	}
}

static struct object *find_loaded(const struct dl_phdr_info *info, const char *path)
{
	struct object *o;

	for (o = objects; o; o = o->next)
		if (o->base == info->dlpi_addr && !strcmp(o->path, path))
			return o;
	return NULL;
}

struct walk {
	bool first;          /* the executable comes first, without a name */
	struct object **end; /* objects are kept in the loader's order, which is the search order */
};

static int object_loaded(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct walk *walk = arg;
	const char *path = walk->first ? "/proc/self/exe" : info->dlpi_name;
	struct object *object;

	walk->first = false;
	adds = info->dlpi_adds;
	subs = info->dlpi_subs;
	if (!strchr(path, '/')) /* the vdso, and nothing else, has a name without */
		return 0;
	object = find_loaded(info, path);
	if (object) {
		object->seen = true;
		walk->end = &object->next;
		return 0;
	}
	object = calloc(1, sizeof(*object));
	if (!object || !(object->path = strdup(path))) {
		free(object);
		return 0;
	}
	object->file = realpath(path, NULL);
	object->base = info->dlpi_addr;
	object->serial = ++last_serial;
	read_segments(object, info);
	object->own = in_text(object, (uint64_t)(uintptr_t)object_loaded);
	object->seen = true;
	object->next = *walk->end;
	*walk->end = object;
	walk->end = &object->next;
	return 0;
}

static int read_counters(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned long long *now = arg;

	now[0] = info->dlpi_adds;
	now[1] = info->dlpi_subs;
	return 1;
}

static void refresh(void)
{
	unsigned long long now[2] = { 0, 0 };
	struct walk walk = { true, &objects };
	struct object **link, *o;

	dl_iterate_phdr(read_counters, now);
	if (objects && now[0] == adds && now[1] == subs)
		return;
	some_gone |= objects && now[1] != subs;
	for (o = objects; o; o = o->next)
		o->seen = false;
	dl_iterate_phdr(object_loaded, &walk);
	for (link = &objects; (o = *link);) {
		if (o->seen) {
			link = &o->next;
			continue;
		}
		*link = o->next;
		object_destroy(o);
	}
}

bool objects_gone(void)
{
	bool gone;

	refresh();
	gone = some_gone;
	some_gone = false;
	return gone;
}

const struct object *objects_find(uint64_t addr)
{
	struct object *o;

	for (o = objects; o && !in_text(o, addr); o = o->next)
		;
	return o;
}

const char *object_name(const struct object *object)
{
	return object->path;
}

uint64_t objects_serial(uint64_t addr)
{
	const struct object *o = objects_find(addr);

	return o ? o->serial : 0;
}

/*
 * libspile.so is its own with all its code. An executable that has the engine linked into it is
 * the program's: there the engine's functions are not told from others, and not refused.
 */
bool objects_is_own(uint64_t addr)
{
	const struct object *o = objects_find(addr);

	return o && o->own && strcmp(o->path, "/proc/self/exe");
}

void objects_own_text(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg)
{
	refresh();
	for (const struct object *o = objects; o; o = o->next)
		for (unsigned i = 0; i < o->segments && objects_is_own(o->text[0][0]); i++)
			each(o->text[i][0], o->text[i][1], arg);
}

static const struct symbols *object_symbols(struct object *object)
{
	if (!object->symbols_tried) {
		object->symbols_tried = true;
		object->symbols = symbols_open(object->file ? object->file : object->path);
	}
	return object->symbols;
}

/* --- names to addresses ---------------------------------------------------------------------- */

/* "libc.so.6", "libc.so" and "libc" all mean .../libc.so.6; so does "libc" for libc-2.31.so. */
static bool has_name(const struct object *object, const char *wanted, size_t len)
{
	const char *name = object->file ? strrchr(object->file, '/') + 1 : "";

	return !strncmp(name, wanted, len) && (!name[len] || name[len] == '.' || name[len] == '-');
}

static uint64_t symbol_address(const struct object *object, const struct symbol *symbol)
{
	uint64_t addr = object->base + symbol->value;

	return symbol->indirect ? ((uint64_t(*)(void))(uintptr_t)addr)() : addr;
}

int objects_resolve(const char *name, uint64_t *ret)
{
	const char *colon = strchr(name, ':');
	const struct symbol *symbol;
	struct object *o;
	int err;

	refresh();
	for (o = objects; o; o = o->next) {
		if (colon ? !has_name(o, name, colon - name) : objects_is_own(o->text[0][0]))
			continue;
		if (!object_symbols(o))
			continue;
		err = symbols_by_name(o->symbols, colon ? colon + 1 : name, &symbol);
		if (err == -ENOENT)
			continue;
		if (!err)
			*ret = symbol_address(o, symbol);
		return err;
	}
	return -ENOENT;
}

/* --- addresses to functions ------------------------------------------------------------------ */

int objects_function(uint64_t addr, struct function *ret)
{
	const struct object *found;
	const struct symbol *symbol;
	struct object *o;

	refresh();
	found = objects_find(addr);
	if (!found)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->object = found;
	o = (struct object *)found;
	symbol = object_symbols(o) ? symbols_by_value(o->symbols, addr - o->base) : NULL;
	if (symbol) {
		ret->name = symbol->name;
		ret->start = o->base + symbol->value;
		ret->end = ret->start + symbol->size;
	}
	if (!o->eh_frame_hdr || unwind_bounds(o->eh_frame_hdr, addr, ret))
		return symbol ? 0 : -ENOENT;
	return 0;
}
