// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/kallsyms.c - "ffffffff81000000 T name\t[module]" lines into a hashed table, in one pass.
 *
 * The text (10 MB, 200,000 lines) is kept and cut into strings in place. Chains are in file order,
 * which is what `kaddr_NAME__N` counts.
 */
#include "symbols/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static uint64_t parse_hex(char **p)
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
static uint32_t scan_name(char **p)
{
	uint32_t h = HASH_START;
	char *s = *p;

	for (; *s && *s != '\n' && *s != '\t' && *s != ' '; s++)
		h = hash_step(h, *s);
	*p = s;
	return hash_end(h);
}

/* "\t[module]" up to the line's end */
static char *scan_module(char **p)
{
	char *s = *p + strspn(*p, "\t ["), *module = s;

	s += strcspn(s, "]\n");
	*p = s;
	if (*s == ']')
		*p = s + 1;
	*s = '\0';
	return module;
}

/*
 * Reads the line at *p, cuts it into strings and moves *p to the next. `next` is the name's hash
 * until hash_all() makes chains of it. False: not such a line.
 */
static bool parse_line(char **p, struct ksym *ret)
{
	char *s = *p, *name_end;

	ret->address = parse_hex(&s);
	if (s == *p || s[0] != ' ' || !s[1] || s[2] != ' ')
		return false;
	ret->type = s[1];
	ret->name = s += 3;
	ret->next = scan_name(&s);
	ret->module = NULL;
	name_end = s;
	if (s == ret->name)
		return false;
	if (*s && *s != '\n')
		ret->module = scan_module(&s);
	if (*s && *s != '\n')
		return false;
	*p = *s ? s + 1 : s;
	*name_end = '\0';
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* A module's symbols stand together: one comparison is enough to share the name's string. */
static void share_module(struct kallsyms *ks, struct ksym *sym)
{
	const struct ksym *last = ks->count ? sym - 1 : NULL;

	if (!sym->module || !last || !last->module)
		return;
	if (!strcmp(last->module, sym->module))
		sym->module = last->module;
}

static struct error *parse(struct kallsyms *ks, const char *place)
{
	char *p = ks->text;

	ks->hidden = true;
	while (*p) {
		struct ksym *sym = &ks->syms[ks->count];

		if (!parse_line(&p, sym))
			return error_create(EBADMSG, "%s: line %zu is not `address type name`",
			                    place, ks->count + 1);
		share_module(ks, sym);
		/* Old per-CPU symbols do start at 0; a shown text address never does. */
		if (sym->address && ksym_is_text(sym))
			ks->hidden = false;
		ks->count++;
	}
	if (!ks->count)
		return error_create(EBADMSG, "%s is empty", place);
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
	free(ks->text);
	free(ks->syms);
	free(ks->heads);
	free(ks->sorted);
	free(ks);
}

struct ksym *kallsyms_next(const struct kallsyms *ks, const struct ksym *prev, const char *name)
{
	uint32_t i = prev ? prev->next : ks->heads[hash_name(name) & ks->mask];

	for (; i; i = ks->syms[i - 1].next)
		if (!strcmp(ks->syms[i - 1].name, name))
			return &ks->syms[i - 1];
	return NULL;
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

size_t kallsyms_text_own(const char *text)
{
	const char *bracket = strstr(text, "\t[");

	if (!bracket)
		return strlen(text);
	while (bracket > text && bracket[-1] != '\n')
		bracket--;
	return bracket - text;
}
