// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/functions.c - which functions can be probed: kallsyms' text symbols, marked by what the
 * kernel says of them.
 *
 * available_filter_functions gives names without addresses, so of several functions of one name and
 * module all are marked; they are `ambiguous` anyway. The blacklist gives addresses. Init text is
 * gone by the time anybody asks, so it counts as blacklisted; its range stands in kallsyms.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/kernel_private.h"
#include "symbols/nearest.h"

static bool same_module(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* "name" or "name [module]" */
static void mark_line(struct kallsyms *ks, char *line)
{
	char *name = line, *module = strchr(line, ' ');
	struct ksym *sym = NULL;

	if (module) {
		*module++ = '\0';
		module += strspn(module, " [");
		module[strcspn(module, "]")] = '\0';
	}
	while ((sym = kallsyms_next(ks, sym, name)))
		if (ksym_is_text(sym) && same_module(ksym_module(ks, sym), module))
			sym->has_ftrace_site = true;
}

static struct error *read_sites(struct kernel *k, struct kallsyms *ks)
{
	_cleanup_free_ char *text = NULL;
	struct error *error;
	char *save, *line;
	size_t len;

	if (!k->functions_path || ks->has_sites)
		return NULL; /* without ftrace no function has a site */
	error = file_read(k->functions_path, &text, &len);
	if (error)
		return error;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		mark_line(ks, line);
	kernel_keep_sites(k);
	return NULL;
}

static void blacklist_add(struct kernel *k, uint64_t start, uint64_t end)
{
	if (end <= start)
		return;
	if (!(k->blacklist_count & (k->blacklist_count - 1))) {
		size_t room = k->blacklist_count ? k->blacklist_count * 2 : 1;

		k->blacklist = realloc(k->blacklist, room * sizeof(*k->blacklist));
		if (!k->blacklist)
			abort();
	}
	k->blacklist[k->blacklist_count++] = (struct address_range){start, end};
}

static int compare_ranges(const void *a, const void *b)
{
	const struct address_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Sorts, and lets overlapping ranges become one. */
static void blacklist_finish(struct kernel *k)
{
	size_t n = 0;

	if (!k->blacklist_count)
		return;
	qsort(k->blacklist, k->blacklist_count, sizeof(*k->blacklist), compare_ranges);
	for (size_t i = 1; i < k->blacklist_count; i++) {
		struct address_range *last = &k->blacklist[n], *next = &k->blacklist[i];

		if (next->start > last->end)
			k->blacklist[++n] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	k->blacklist_count = n + 1;
}

/* Lines "0xSTART-0xEND\tname", END outside. */
static struct error *read_blacklist(struct kernel *k)
{
	_cleanup_free_ char *text = NULL;
	struct error *error;
	char *save, *line;
	size_t len;

	if (!k->blacklist_path)
		return NULL;
	error = file_read(k->blacklist_path, &text, &len);
	if (error)
		return error;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long start, end;

		if (sscanf(line, "0x%llx-0x%llx", &start, &end) == 2)
			blacklist_add(k, start, end);
	}
	return NULL;
}

static void blacklist_init_text(struct kernel *k, struct kallsyms *ks)
{
	struct ksym *start = kallsyms_next(ks, NULL, "_sinittext");
	struct ksym *end = kallsyms_next(ks, NULL, "_einittext");

	if (start && end)
		blacklist_add(k, start->address, end->address);
}

static bool blacklisted(const struct kernel *k, uint64_t address)
{
	size_t low = 0, high = k->blacklist_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (k->blacklist[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low && address < k->blacklist[low - 1].end;
}

static struct error *read_functions(struct kernel *k, struct kallsyms **ret)
{
	struct error *error = kernel_kallsyms(k, ret);

	if (error || k->functions_read)
		return error;
	error = read_sites(k, *ret);
	if (!error)
		error = read_blacklist(k);
	if (error)
		return error;
	blacklist_init_text(k, *ret);
	blacklist_finish(k);
	kallsyms_sort(*ret);
	k->functions_read = true;
	return NULL;
}

/* Names that the compiler or the linker made beside a function. */
static bool is_made_up(const char *name)
{
	return !strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6) || strstr(name, ".cold");
}

static bool is_ambiguous(const struct kallsyms *ks, const struct ksym *sym)
{
	struct ksym *other = NULL;
	unsigned n = 0;

	while ((other = kallsyms_next(ks, other, ksym_name(ks, sym))))
		n += ksym_is_text(other) && other->module == sym->module;
	return n > 1;
}

bool kernel_function_has_prototype(struct kernel *k, const struct kernel_function *fn)
{
	struct btf_index *btf = NULL;

	if (fn->module)
		return false;
	error_destroy(kernel_btf(k, &btf)); /* without BTF no function has a prototype */
	return btf && btf_index_has_function(btf, fn->name);
}

struct match {
	struct kernel *k;
	struct kallsyms *ks;
	const char *module, *pattern;
	int (*cb)(const struct kernel_function *fn, void *arg);
	void *arg;
};

static int match_symbol(const struct match *m, const struct ksym *sym)
{
	const char *name = ksym_name(m->ks, sym), *module = ksym_module(m->ks, sym);
	struct kernel_function fn;

	if (!ksym_is_text(sym) || is_made_up(name) || !m->module != !module)
		return 0;
	if (m->module && fnmatch(m->module, module, 0))
		return 0;
	if (fnmatch(m->pattern, name, 0))
		return 0;
	fn = (struct kernel_function){
	    .name = name,
	    .module = module,
	    .address = sym->address,
	    .has_ftrace_site = sym->has_ftrace_site,
	    .blacklisted = blacklisted(m->k, sym->address),
	    .ambiguous = is_ambiguous(m->ks, sym),
	};
	return m->cb(&fn, m->arg);
}

struct error *kernel_function_match(struct kernel *k, const char *module, const char *pattern,
                                    int (*cb)(const struct kernel_function *fn, void *arg),
                                    void *arg)
{
	struct match m = {.k = k, .module = module, .pattern = pattern, .cb = cb, .arg = arg};
	struct error *error = read_functions(k, &m.ks);
	struct ksym *sym = NULL;

	if (error)
		return error;
	if (!strpbrk(pattern, "*?[\\")) {
		while ((sym = kallsyms_next(m.ks, sym, pattern)))
			if (match_symbol(&m, sym))
				break;
		return NULL;
	}
	for (size_t i = 0; i < m.ks->count; i++)
		if (match_symbol(&m, &m.ks->syms[m.ks->sorted[i]]))
			break;
	return NULL;
}

struct error *kernel_function_clones(struct kernel *k, const char *module, const char *name,
                                     int (*cb)(const struct kernel_function *fn, void *arg),
                                     void *arg)
{
	struct match m = {.k = k, .module = module, .pattern = "*", .cb = cb, .arg = arg};
	struct error *error = read_functions(k, &m.ks);
	size_t n = strlen(name);

	if (error)
		return error;
	for (size_t i = 0; i < m.ks->count; i++) {
		const struct ksym *sym = &m.ks->syms[i];
		const char *clone = ksym_name(m.ks, sym);

		if (clone[0] == name[0] && !strncmp(clone, name, n) && clone[n] == '.' &&
		    match_symbol(&m, sym))
			break;
	}
	return NULL;
}

const char *kernel_function_nearest(struct kernel *k, const char *name)
{
	unsigned distance = nearest_limit(name) + 1;
	const char *best = NULL;
	struct kallsyms *ks;
	struct error *error = read_functions(k, &ks);

	if (error) {
		error_destroy(error);
		return NULL;
	}
	for (size_t i = 0; i < ks->count && distance > 1; i++) {
		const struct ksym *sym = &ks->syms[i];
		const char *candidate = ksym_name(ks, sym);
		unsigned d;

		if (!ksym_is_text(sym) || sym->module || is_made_up(candidate) ||
		    blacklisted(k, sym->address))
			continue;
		d = nearest_distance(name, candidate, distance - 1);
		if (d < distance) {
			distance = d;
			best = candidate;
		}
	}
	return best;
}
