// SPDX-License-Identifier: GPL-2.0-only
/* symbols/fit_bind.c - what an object's undefined symbol means on one kernel. The list is in fit.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/fit_private.h"
#include "symbols/kernel_private.h"

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* --- rows of kernel.def ---------------------------------------------------------------------- */

static bool is_there(const struct fit_row *row)
{
	return row->verdict == FIT_OK || row->verdict == FIT_ALTERNATIVE;
}

static struct error *bind_row(struct fitter *f, size_t i, struct binding *ret)
{
	const struct def_row *def = &f->defs[i];
	struct error *error = fitter_prepare(f, i);
	const struct fit_row *row;

	if (error)
		return error;
	row = fitter_row(f, i);
	if (def->must && !is_there(row))
		return error_create(
		    EOPNOTSUPP,
		    "kernel %s does not fit, row %s of kernel.def: %s (spile-run --check "
		    "tells all)",
		    kernel_release(f->k), row->name, row->reason);
	ret->value = is_there(row) ? row->value : 0;
	ret->number = def->kind != ROW_FUNC && def->kind != ROW_DATA;
	return NULL;
}

static struct error *bind_has(struct fitter *f, const char *name, struct binding *ret)
{
	for (size_t i = 0; i < f->count; i++) {
		struct error *error;

		if (strcmp(f->defs[i].has, name))
			continue;
		error = fitter_prepare(f, i);
		if (error)
			return error;
		ret->value = is_there(fitter_row(f, i));
		ret->number = true;
		return NULL;
	}
	return error_create(EINVAL, "kernel.def has no row called %s to ask khas() of", name);
}

/* --- functions to probe, variables to read ------------------------------------------------------ */

struct function_query {
	const char *name, *module;
	bool is_data;    /* of a variable, not a function */
	unsigned wanted; /* the N-th, from 1; 0: there must be one only */
};

static struct ksym *function_find(const struct fitter *f, const struct function_query *q,
                                  unsigned *count)
{
	struct ksym *sym = NULL, *found = NULL;

	*count = 0;
	while ((sym = kallsyms_next(f->ks, sym, q->name))) {
		if (ksym_is_text(sym) == q->is_data || !q->module != !sym->module)
			continue;
		if (q->module && strcmp(q->module, ksym_module(f->ks, sym)))
			continue;
		++*count;
		if (!found || *count == q->wanted)
			found = sym;
	}
	return q->wanted > *count ? NULL : found;
}

/* Cuts "module__in__name__2" into its parts, in place. */
static struct function_query function_parse(char *s, bool is_data)
{
	struct function_query q = {.name = s, .is_data = is_data};
	char *in = strstr(s, "__in__"), *number;

	if (in && in > s && in[6]) {
		*in = '\0';
		q.module = s;
		q.name = in + 6;
	}
	number = strrchr(q.name, '_');
	if (number && number > q.name + 1 && number[-1] == '_' &&
	    isdigit((unsigned char)number[1])) {
		q.wanted = strtoul(number + 1, NULL, 10);
		number[-1] = '\0';
	}
	return q;
}

static struct error *bind_function(struct fitter *f, const char *name, bool is_data,
                                   struct binding *ret)
{
	_cleanup_free_ char *copy = strdup(name);
	struct function_query q = {.name = name, .is_data = is_data};
	const char *what = is_data ? "variable" : "function";
	unsigned count;
	struct ksym *sym = function_find(f, &q, &count);

	if (!sym) {
		q = function_parse(copy, is_data);
		sym = function_find(f, &q, &count);
	}
	if (!sym)
		return error_create(ENOENT, "kernel %s has no %s %s%s%s",
		                    kernel_release(f->k), what, q.module ? q.module : "",
		                    q.module ? ":" : "", q.name);
	if (!q.wanted && count > 1)
		return error_create(ENOTUNIQ,
		                    "kernel %s has %u %ss called %s: which one is not said",
		                    kernel_release(f->k), count, what, name);
	ret->value = sym->address;
	return NULL;
}

/* --- the core's and the kernel's own --------------------------------------------------------- */

static bool is_core_name(const char *symbol)
{
	return starts_with(symbol, "spile_") || starts_with(symbol, "spl_");
}

static struct error *bind_core(struct fitter *f, const char *name, struct binding *ret)
{
	struct ksym *sym = NULL;

	while ((sym = kallsyms_next(f->ks, sym, name)))
		if (sym->module && !strcmp(ksym_module(f->ks, sym), "spile")) {
			ret->value = sym->address;
			return NULL;
		}
	return error_create(ENOENT, "the loaded core has no %s: is it loaded, and of this version?",
	                    name);
}

static bool is_helper(const char *name)
{
	static const char *const helpers[] = {"memcpy", "memset", "memmove",
	                                      "memcmp", "strlen", "__fentry__", NULL};

	for (const char *const *h = helpers; *h; h++)
		if (!strcmp(name, *h))
			return true;
	return starts_with(name, "__x86_return_thunk") ||
	       starts_with(name, "__x86_indirect_thunk_");
}

static struct error *bind_helper(struct fitter *f, const char *name, struct binding *ret)
{
	struct ksym *sym = NULL;

	while ((sym = kallsyms_next(f->ks, sym, name)))
		if (!sym->module) {
			ret->value = sym->address;
			return NULL;
		}
	return error_create(ENOENT, "kernel %s has no %s, which compiled code needs",
	                    kernel_release(f->k), name);
}

static struct error *bind_by_name(struct fitter *f, const char *symbol, struct binding *ret)
{
	if (starts_with(symbol, "kaddr_"))
		return bind_function(f, symbol + strlen("kaddr_"), false, ret);
	if (starts_with(symbol, "kdata_"))
		return bind_function(f, symbol + strlen("kdata_"), true, ret);
	if (is_core_name(symbol))
		return bind_core(f, symbol, ret);
	if (is_helper(symbol))
		return bind_helper(f, symbol, ret);
	return error_create(
	    EINVAL, "the object needs %s, which is neither in kernel.def nor in the core", symbol);
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool is_number(const struct fitter *f, const char *symbol)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->defs[i].symbol, symbol))
			return f->defs[i].kind != ROW_FUNC && f->defs[i].kind != ROW_DATA;
	return starts_with(symbol, "khas_");
}

/* What the loaded core tells: its own symbols, and what it was bound to itself. */
static bool bind_learned(const struct fitter *f, const char *symbol, struct binding *ret)
{
	const struct learned *learned = kernel_learned(f->k, symbol);

	if (!learned || (!learned->bound && !is_core_name(symbol)))
		return false;
	ret->value = learned->value;
	ret->number = is_number(f, symbol);
	return true;
}

struct error *fit_bind(struct fitter *f, const char *symbol, struct binding *ret)
{
	struct error *error;

	*ret = (struct binding){0};
	if (bind_learned(f, symbol, ret))
		return NULL;
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->defs[i].symbol, symbol))
			return bind_row(f, i, ret);
	if (starts_with(symbol, "khas_"))
		return bind_has(f, symbol + strlen("khas_"), ret);
	error = fitter_symbols(f);
	if (error)
		return error;
	if (!f->ks)
		return error_create(ENOENT,
		                    "%s cannot be bound: kernel %s is described without kallsyms",
		                    symbol, kernel_release(f->k));
	error = bind_by_name(f, symbol, ret);
	if (!error || error->err != ENOENT || !f->k->without_modules)
		return error;
	/* It may be a module's, which the table does not have yet. */
	error_destroy(error);
	error = kernel_kallsyms(f->k, &f->ks);
	return error ? error : bind_by_name(f, symbol, ret);
}
