// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/kallsyms.c - "ffffffff81000000 T name\t[module]" lines into a hashed table, in one pass.
 *
 * The names of the text (10 MB, 200,000 lines) are moved together in place, the rest of it is
 * dropped. Chains are in file order, which is what `kaddr_NAME__N` counts; modules' symbols stand at
 * the end of the file.
 */
#include "symbols/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HASH_START 2166136261u

static inline uint32_t hash_step(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 16777619u;
}

static inline uint32_t hash_end(uint32_t h)
{
	return h ^ h >> 15;
}

static uint32_t hash_name(const char *s)
{
	uint32_t h = HASH_START;

	while (*s)
		h = hash_step(h, *s++);
	return hash_end(h);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static uint64_t parse_hex(const char **p)
{
	uint64_t v = 0;
	int d;

	while ((d = hex_digit(**p)) >= 0) {
		v = v << 4 | d;
		(*p)++;
	}
	return v;
}

/* Moves *p to the end of a name and returns its hash, the same as hash_name() of it alone. */
static uint32_t scan_name(const char **p)
{
	uint32_t h = HASH_START;
	const char *s = *p;

	for (; *s && *s != '\n' && *s != '\t' && *s != ' '; s++)
		h = hash_step(h, *s);
	*p = s;
	return hash_end(h);
}

/* Puts a string behind the names that are there already; the text is read faster than this grows. */
static uint32_t keep_string(struct kallsyms *ks, const char *s, size_t len)
{
	uint32_t at = ks->text_size;

	memmove(ks->text + at, s, len);
	ks->text[at + len] = '\0';
	ks->text_size = at + len + 1;
	return at;
}

/* "\t[module]" up to the line's end. A module's symbols stand together: one comparison is enough to
 * share the name's string. */
static uint32_t scan_module(struct kallsyms *ks, const char **p)
{
	const struct ksym *last = ks->count ? &ks->syms[ks->count - 1] : NULL;
	const char *s = *p + strspn(*p, "\t [");
	size_t len = strcspn(s, "]\n");

	*p = s + len + (s[len] == ']');
	if (last && last->module && !strncmp(ks->text + last->module, s, len) &&
	    !ks->text[last->module + len])
		return last->module;
	return keep_string(ks, s, len);
}

/*
 * Reads the line at *p, keeps its names and moves *p to the next. `next` is the name's hash until
 * hash_all() makes chains of it. False: not such a line.
 */
static bool parse_line(struct kallsyms *ks, const char **p, struct ksym *ret)
{
	const char *s = *p, *name;

	ret->address = parse_hex(&s);
	if (s == *p || s[0] != ' ' || !s[1] || s[2] != ' ')
		return false;
	ret->type = s[1];
	name = s += 3;
	ret->next = scan_name(&s);
	if (s == name)
		return false;
	ret->name = keep_string(ks, name, s - name);
	ret->module = *s && *s != '\n' ? scan_module(ks, &s) : 0;
	if (*s && *s != '\n')
		return false;
	*p = *s ? s + 1 : s;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static struct error *parse(struct kallsyms *ks, const char *place)
{
	const char *p = ks->text;

	ks->hidden = true;
	ks->text_size = 1; /* offset 0 is no name */
	while (*p) {
		struct ksym *sym = &ks->syms[ks->count];

		if (!parse_line(ks, &p, sym))
			return error_create(EBADMSG, "%s: line %zu is not `address type name`",
			                    place, ks->count + 1);
		/* Old per-CPU symbols do start at 0; a shown text address never does. */
		if (sym->address && ksym_is_text(sym))
			ks->hidden = false;
		ks->count++;
	}
	if (!ks->count)
		return error_create(EBADMSG, "%s is empty", place);
	ks->text[0] = '\0';
	return NULL;
}

static void hash_all(struct kallsyms *ks)
{
	/* From the end, so that chains are in file order. */
	for (size_t i = ks->count; i-- > 0;) {
		uint32_t *head = &ks->heads[ks->syms[i].next & ks->mask];

		ks->syms[i].next = *head;
		*head = i + 1;
	}
}

struct error *kallsyms_create(char *text, const char *place, struct kallsyms **ret)
{
	struct kallsyms *ks = calloc(1, sizeof(*ks));
	size_t lines = count_lines(text), size = 1024;
	struct error *error;

	while (size < lines)
		size *= 2;
	if (!ks)
		abort();
	ks->text = text;
	ks->mask = size - 1;
	ks->syms = calloc(lines, sizeof(*ks->syms));
	ks->heads = calloc(size, sizeof(*ks->heads));
	if (!ks->syms || !ks->heads)
		abort();
	error = parse(ks, place);
	if (error) {
		kallsyms_destroy(ks);
		return error;
	}
	hash_all(ks);
	*ret = ks;
	return NULL;
}

void kallsyms_destroy(struct kallsyms *ks)
{
	if (!ks)
		return;
	if (ks->map) {
		munmap(ks->map, ks->map_size);
	} else {
		free(ks->text);
		free(ks->syms);
		free(ks->heads);
		free(ks->sorted);
	}
	free(ks);
}

struct ksym *kallsyms_next(const struct kallsyms *ks, const struct ksym *prev, const char *name)
{
	uint32_t i = prev ? prev->next : ks->heads[hash_name(name) & ks->mask];

	for (; i && i <= ks->count; i = ks->syms[i - 1].next)
		if (!strcmp(ksym_name(ks, &ks->syms[i - 1]), name))
			return &ks->syms[i - 1];
	return NULL;
}

/* Chains need no change: they rise, and kallsyms_next() ends them where the table ends. */
void kallsyms_drop_modules(struct kallsyms *ks)
{
	size_t own = 0;

	while (own < ks->count && !ks->syms[own].module)
		own++;
	if (ks->sorted) {
		size_t n = 0;

		for (size_t i = 0; i < ks->count; i++)
			if (ks->sorted[i] < own)
				ks->sorted[n++] = ks->sorted[i];
	}
	ks->count = own;
}

static int compare_address(const void *a, const void *b, void *arg)
{
	const struct ksym *syms = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (syms[x].address != syms[y].address)
		return syms[x].address < syms[y].address ? -1 : 1;
	return x < y ? -1 : x > y;
}

void kallsyms_sort(struct kallsyms *ks)
{
	if (ks->sorted)
		return;
	ks->sorted = malloc(ks->count * sizeof(*ks->sorted));
	if (!ks->sorted)
		abort();
	for (size_t i = 0; i < ks->count; i++)
		ks->sorted[i] = i;
	qsort_r(ks->sorted, ks->count, sizeof(*ks->sorted), compare_address, ks->syms);
}

size_t kallsyms_position(const struct kallsyms *ks, uint64_t address)
{
	size_t low = 0, high = ks->count; /* sorted[low - 1] <= address < sorted[high] */

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (ks->syms[ks->sorted[mid]].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : ks->count;
}

/* --- the text as it is ----------------------------------------------------------------------- */

bool kallsyms_text_find(const char *text, const char *name, uint64_t *ret)
{
	char line[80];
	const char *at;

	snprintf(line, sizeof(line), " T %s\n", name);
	at = strstr(text, line);
	if (!at || at - text < 16)
		return false;
	*ret = strtoull(at - 16, NULL, 16);
	return *ret >= KALLSYMS_KERNEL_HALF;
}

/* --- as a file ------------------------------------------------------------------------------- */

#define IMAGE_MAGIC "spile kallsyms 1"

/* Behind it the four arrays, in this order. */
struct image {
	char magic[16];
	uint64_t stamp;
	uint64_t count, heads, text_size;
	uint64_t hidden, has_sites;
};

static size_t image_size(const struct image *image)
{
	return sizeof(*image) + image->count * (sizeof(struct ksym) + sizeof(uint32_t)) +
	       image->heads * sizeof(uint32_t) + image->text_size;
}

static char *append(char *to, const void *data, size_t len)
{
	memcpy(to, data, len);
	return to + len;
}

void kallsyms_to_image(struct kallsyms *ks, uint64_t stamp, void **data, size_t *len)
{
	struct image image = {
	    .magic = IMAGE_MAGIC,
	    .stamp = stamp,
	    .count = ks->count,
	    .heads = ks->mask + 1ul,
	    .text_size = ks->text_size,
	    .hidden = ks->hidden,
	    .has_sites = ks->has_sites,
	};
	char *p;

	kallsyms_sort(ks);
	*len = image_size(&image);
	*data = p = malloc(*len);
	if (!p)
		abort();
	p = append(p, &image, sizeof(image));
	p = append(p, ks->syms, image.count * sizeof(*ks->syms));
	p = append(p, ks->heads, image.heads * sizeof(*ks->heads));
	p = append(p, ks->sorted, image.count * sizeof(*ks->sorted));
	append(p, ks->text, image.text_size);
}

static bool image_fits(const struct image *image, size_t len)
{
	const size_t most = len / sizeof(uint32_t); /* of any array, so that no sum overflows */

	return len > sizeof(*image) && !memcmp(image->magic, IMAGE_MAGIC, sizeof(image->magic)) &&
	       image->count && image->count < most && image->heads && image->heads < most &&
	       !(image->heads & (image->heads - 1)) && image->text_size &&
	       image->text_size < len && image_size(image) == len &&
	       !((const char *)image)[len - 1];
}

bool kallsyms_from_image(void *map, size_t len, uint64_t *stamp, struct kallsyms **ret)
{
	const struct image *image = map;
	struct kallsyms *ks;

	if (!image_fits(image, len)) {
		munmap(map, len);
		return false;
	}
	ks = calloc(1, sizeof(*ks));
	if (!ks)
		abort();
	*ks = (struct kallsyms){
	    .count = image->count,
	    .mask = image->heads - 1,
	    .text_size = image->text_size,
	    .hidden = image->hidden,
	    .has_sites = image->has_sites,
	    .map = map,
	    .map_size = len,
	};
	ks->syms = (struct ksym *)(image + 1);
	ks->heads = (uint32_t *)(ks->syms + ks->count);
	ks->sorted = ks->heads + image->heads;
	ks->text = (char *)(ks->sorted + ks->count);
	if (stamp)
		*stamp = image->stamp;
	*ret = ks;
	return true;
}
