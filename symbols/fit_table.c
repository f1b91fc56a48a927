// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/fit_table.c - the rows of kernel.def against one kernel.
 *
 * Each row is looked at when it is first needed: a script module touches a few, `--check` all. For
 * each of a row's alternatives, from left to right: does its condition hold, is the name there, is
 * it what the row's C type says? The first for which all is true is taken. What was there but
 * differed is remembered as the reason for a refusal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/fit_private.h"
#include "symbols/kernel_private.h"

struct fit_table {
	struct fitter fitter;
	bool fits;
	size_t count;
	size_t *shown; /* indexes of def_rows[]: all but the CALLBACK rows */
};

#define ROW_WORD 160

/* One alternative of a spec, cut into words. */
struct alternative {
	char name[ROW_WORD];
	char condition[ROW_WORD]; /* "" none */
};

static void copy_trimmed(char *to, const char *from, size_t len)
{
	while (len && *from == ' ') {
		from++;
		len--;
	}
	while (len && from[len - 1] == ' ')
		len--;
	if (len >= ROW_WORD)
		len = ROW_WORD - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Reads the alternative at *p, moves *p to the next. False at the end. */
static bool next_alternative(const char **p, struct alternative *ret)
{
	size_t len = strcspn(*p, ",");
	const char *condition;

	if (!len)
		return false;
	copy_trimmed(ret->name, *p, len);
	*p += len + ((*p)[len] == ',');
	condition = strstr(ret->name, " if ");
	ret->condition[0] = '\0';
	if (condition) {
		copy_trimmed(ret->condition, condition + 4, strlen(condition + 4));
		ret->name[condition - ret->name] = '\0';
	}
	return true;
}

/* --- conditions ------------------------------------------------------------------------------ */

static bool succeeded(struct error *error)
{
	error_destroy(error);
	return !error;
}

static bool field_exists(const struct fitter *f, const char *strct, const char *path)
{
	struct btf_field field;
	int type;

	return succeeded(btf_index_find_struct(f->btf, strct, &type)) &&
	       succeeded(btf_index_find_field(f->btf, type, path, &field));
}

static struct ksym *text_symbol(const struct fitter *f, const char *name, unsigned *count)
{
	struct ksym *sym = NULL, *found = NULL;

	*count = 0;
	while (f->ks && (sym = kallsyms_next(f->ks, sym, name)))
		if (!sym->module && ksym_is_text(sym)) {
			found = sym;
			++*count;
		}
	return found;
}

static bool function_exists(const struct fitter *f, const char *name)
{
	unsigned count;

	return text_symbol(f, name, &count) || (!f->ks && btf_index_has_function(f->btf, name));
}

static bool term_holds(const struct fitter *f, char *term)
{
	bool negated = *term == '!';
	char *end = strchr(term, '('), *dot;

	term += negated;
	if (end) {
		*end = '\0';
		return function_exists(f, term) != negated;
	}
	dot = strchr(term, '.');
	if (!dot)
		return false;
	*dot = '\0';
	return field_exists(f, term, dot + 1) != negated;
}

static bool condition_holds(const struct fitter *f, const char *condition)
{
	while (*condition) {
		size_t len = strcspn(condition, "&");
		char term[ROW_WORD];

		copy_trimmed(term, condition, len);
		if (!term_holds(f, term))
			return false;
		condition += len + (condition[len] == '&');
	}
	return true;
}

/* --- one alternative of one row -------------------------------------------------------------- */

/* The outcome of trying an alternative: taken, not there, or there but wrong (then `reason`). */
enum outcome { TAKEN, ABSENT, WRONG };

struct attempt {
	int64_t value;
	bool unchecked;
	char *reason; /* owned */
};

static enum outcome wrong(struct attempt *a, char *reason)
{
	free(a->reason);
	a->reason = reason;
	return WRONG;
}

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		abort();
	va_end(args);
	return s;
}

static enum outcome wrong_error(struct attempt *a, struct error *error)
{
	enum outcome outcome = error->err == ENOENT ? ABSENT : WRONG;

	/* What was found and differed says more than what was not found. */
	if (outcome == WRONG || !a->reason)
		wrong(a, strdup(error->message));
	error_destroy(error);
	return outcome;
}

static enum outcome try_prototype(const struct fitter *f, const struct def_row *row,
                                  const char *name, struct attempt *a)
{
	struct btf_prototype proto;
	struct error *error = btf_index_find_function(f->btf, name, &proto);

	if (error && error->err == ENOENT) {
		error_destroy(error);
		a->unchecked = true;
		return f->ks ? TAKEN : ABSENT;
	}
	if (error)
		return wrong_error(a, error);
	if (!fit_prototype_matches(f->btf, row->type, row->args, &proto)) {
		_cleanup_free_ char *has = btf_index_type_string(f->btf, proto.type);

		return wrong(a, format("the kernel's %s is `%s`, the core would call `%s %s`", name,
		                       has, row->type, row->args));
	}
	return TAKEN;
}

static enum outcome try_function(const struct fitter *f, const struct def_row *row,
                                 const char *name, struct attempt *a)
{
	unsigned count;
	struct ksym *sym = text_symbol(f, name, &count);

	if (f->ks && !sym)
		return ABSENT;
	if (count > 1)
		return wrong(a, format("the kernel has %u functions called %s", count, name));
	a->value = sym ? (int64_t)sym->address : 0;
	return try_prototype(f, row, name, a);
}

static enum outcome try_variable(const struct fitter *f, const char *name, struct attempt *a)
{
	struct ksym *sym = NULL, *found = NULL;

	a->unchecked = !f->ks;
	if (!f->ks)
		return TAKEN;
	while ((sym = kallsyms_next(f->ks, sym, name))) {
		if (sym->module)
			continue;
		if (found && found->address != sym->address)
			return wrong(a, format("the kernel has several symbols called %s", name));
		found = sym;
	}
	if (!found)
		return ABSENT;
	a->value = found->address;
	return TAKEN;
}

static enum outcome try_field(const struct fitter *f, const char *strct, const char *path,
                              struct btf_field *field, struct attempt *a)
{
	struct error *error;
	int type;

	error = btf_index_find_struct(f->btf, strct, &type);
	if (!error)
		error = btf_index_find_field(f->btf, type, path, field);
	if (error)
		return wrong_error(a, error);
	if (field->bit_size)
		return wrong(a, format("%s.%s is a bit-field", strct, path));
	a->value = field->offset;
	return TAKEN;
}

static enum outcome try_typed_field(const struct fitter *f, const struct def_row *row,
                                    const char *path, struct attempt *a)
{
	struct btf_field field;
	enum outcome outcome = try_field(f, row->strct, path, &field, a);

	if (outcome == TAKEN && row->kind == ROW_FIELD &&
	    !fit_type_matches(f->btf, row->type, field.type)) {
		_cleanup_free_ char *has = btf_index_type_string(f->btf, field.type);

		return wrong(a, format("the kernel's %s.%s is a `%s`, the core would use a `%s`",
		                       row->strct, path, has, row->type));
	}
	return outcome;
}

/* "symbol" or "symbol+struct.field" */
static enum outcome try_percpu(const struct fitter *f, const char *name, struct attempt *a)
{
	char symbol[ROW_WORD], *plus, *dot;
	struct btf_field field;
	int64_t offset = 0;
	enum outcome outcome;

	strcpy(symbol, name);
	plus = strchr(symbol, '+');
	if (plus) {
		*plus = '\0';
		dot = strchr(plus + 1, '.');
		if (!dot)
			return ABSENT;
		*dot = '\0';
		outcome = try_field(f, plus + 1, dot + 1, &field, a);
		if (outcome != TAKEN)
			return outcome;
		offset = a->value;
	}
	outcome = try_variable(f, symbol, a);
	a->value += offset;
	return outcome;
}

static enum outcome try_enumerator(const struct fitter *f, const char *name, struct attempt *a)
{
	struct error *error;

	if (*name == '=') {
		a->value = strtoll(name + 1, NULL, 0);
		return TAKEN;
	}
	error = btf_index_find_enumerator(f->btf, name, &a->value);
	return error ? wrong_error(a, error) : TAKEN;
}

static enum outcome try_size(const struct fitter *f, const struct def_row *row, struct attempt *a)
{
	struct error *error;
	int type;

	error = btf_index_find_struct(f->btf, row->name, &type);
	if (error)
		return wrong_error(a, error);
	a->value = btf_index_size(f->btf, type);
	if (row->kind == ROW_BLOB && a->value > (int64_t)row->max)
		return wrong(a, format("struct %s has %lld bytes, the core has room for %u",
		                       row->name, (long long)a->value, row->max));
	return TAKEN;
}

static enum outcome try_alternative(const struct fitter *f, const struct def_row *row,
                                    const char *name, struct attempt *a)
{
	switch (row->kind) {
	case ROW_FUNC:
		return try_function(f, row, name, a);
	case ROW_DATA:
		return try_variable(f, name, a);
	case ROW_PERCPU:
		return try_percpu(f, name, a);
	case ROW_FIELD:
	case ROW_EMBED:
		return try_typed_field(f, row, name, a);
	case ROW_ENUM:
		return try_enumerator(f, name, a);
	default:
		return try_size(f, row, a);
	}
}

/* --- rows ------------------------------------------------------------------------------------ */

static void evaluate_feature(const struct fitter *f, const struct def_row *row, struct fit_row *ret)
{
	struct alternative alt;

	for (const char *p = row->spec; next_alternative(&p, &alt);)
		ret->value |= condition_holds(f, alt.name);
	ret->verdict = FIT_OK;
}

static char *missing_reason(const struct def_row *row, const char *spec, bool known)
{
	if (row->kind == ROW_FUNC && !known)
		return format("BTF does not have %s, and there is no kallsyms to look in", spec);
	if (row->strct)
		return format("no field %s in struct %s", spec, row->strct);
	return format("the kernel has no %s", spec);
}

static void evaluate(struct fitter *f, size_t i)
{
	const struct def_row *row = &f->defs[i];
	const char *spec = row->spec && *row->spec ? row->spec : row->name;
	struct fit_row *ret = &f->rows[i];
	struct attempt a = {0};
	struct alternative alt;
	bool was_wrong = false;
	unsigned n = 0;

	for (const char *p = spec; next_alternative(&p, &alt); n++) {
		enum outcome outcome;

		if (!condition_holds(f, alt.condition))
			continue;
		a.unchecked = false;
		outcome = try_alternative(f, row, alt.name, &a);
		if (outcome == TAKEN) {
			ret->verdict = n ? FIT_ALTERNATIVE : FIT_OK;
			ret->value = a.value;
			ret->unchecked = a.unchecked;
			ret->taken = f->texts[2 * i] = strdup(alt.name);
			free(a.reason);
			return;
		}
		was_wrong |= outcome == WRONG;
	}
	ret->verdict = was_wrong ? FIT_REFUSED : FIT_MISSING;
	ret->reason = f->texts[2 * i + 1] = a.reason ? a.reason : missing_reason(row, spec, f->ks);
}

const struct fit_row *fitter_row(struct fitter *f, size_t i)
{
	if (!f->evaluated[i]) {
		f->evaluated[i] = true;
		if (f->defs[i].kind == ROW_FEATURE)
			evaluate_feature(f, &f->defs[i], &f->rows[i]);
		else if (f->defs[i].kind != ROW_CALLBACK)
			evaluate(f, i);
	}
	return &f->rows[i];
}

struct error *fitter_symbols(struct fitter *f)
{
	struct error *error;

	if (f->symbols_read)
		return NULL;
	error = kernel_kallsyms_partial(f->k, &f->ks);
	if (error && (kernel_is_running(f->k) || error->err != ENOENT))
		return error;
	error_destroy(error);
	f->symbols_read = true;
	return NULL;
}

struct error *fitter_prepare(struct fitter *f, size_t i)
{
	const struct def_row *row = &f->defs[i];
	bool symbols = row->kind == ROW_FUNC || row->kind == ROW_DATA || row->kind == ROW_PERCPU ||
	               (row->spec && strchr(row->spec, '(')); /* a condition on a function */
	struct error *error = NULL;

	if (!f->btf)
		error = kernel_btf(f->k, &f->btf);
	return error || !symbols ? error : fitter_symbols(f);
}

void fitter_init(struct kernel *k, const struct def_row *defs, size_t count, struct fitter *ret)
{
	struct fitter f = {.k = k, .defs = defs, .count = count};

	f.rows = calloc(count, sizeof(*f.rows));
	f.texts = calloc(2 * count, sizeof(*f.texts));
	f.evaluated = calloc(count, sizeof(*f.evaluated));
	if (!f.rows || !f.texts || !f.evaluated)
		abort();
	for (size_t i = 0; i < count; i++) {
		f.rows[i].kind = row_kind_names[defs[i].kind];
		f.rows[i].name = defs[i].symbol;
		f.rows[i].must = defs[i].must;
	}
	*ret = f;
}

void fitter_deinit(struct fitter *f)
{
	for (size_t i = 0; i < 2 * f->count && f->texts; i++)
		free(f->texts[i]);
	free(f->texts);
	free(f->rows);
	free(f->evaluated);
}

/* --- the whole table ------------------------------------------------------------------------- */

struct error *fit_table_check(struct kernel *k, struct fit_table **ret)
{
	struct fit_table *table = calloc(1, sizeof(*table));
	struct error *error;

	if (!table)
		abort();
	fitter_init(k, def_rows, def_row_count, &table->fitter);
	table->fits = true;
	table->shown = calloc(def_row_count, sizeof(*table->shown));
	for (size_t i = 0; i < def_row_count; i++) {
		const struct fit_row *row;

		error = fitter_prepare(&table->fitter, i);
		if (error) {
			fit_table_destroy(table);
			return error;
		}
		row = fitter_row(&table->fitter, i);
		if (def_rows[i].kind == ROW_CALLBACK)
			continue;
		table->shown[table->count++] = i;
		if (row->must && (row->verdict == FIT_MISSING || row->verdict == FIT_REFUSED))
			table->fits = false;
	}
	*ret = table;
	return NULL;
}

void fit_table_destroy(struct fit_table *table)
{
	if (!table)
		return;
	fitter_deinit(&table->fitter);
	free(table->shown);
	free(table);
}

size_t fit_table_count(const struct fit_table *table)
{
	return table->count;
}

const struct fit_row *fit_table_row(const struct fit_table *table, size_t i)
{
	return &table->fitter.rows[table->shown[i]];
}

bool fit_table_fits(const struct fit_table *table)
{
	return table->fits;
}

const char *fit_verdict_name(enum fit_verdict verdict)
{
	static const char *const names[] = {
	    [FIT_OK] = "ok",
	    [FIT_ALTERNATIVE] = "alternative",
	    [FIT_MISSING] = "missing",
	    [FIT_REFUSED] = "refused",
	};

	return names[verdict];
}
