// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/places_function.c - functions by name and source file, bodies and inlined copies.
 *
 * Where to look is decided by what is asked and how much there is:
 *
 *   little DWARF (a program, a module)   every unit is walked, which takes milliseconds
 *   a plain name                         its symbols (and clones, name.isra.0) lead to the units; for
 *                                        inlined copies that is enough unless a header has it
 *   a source file                        the unit of that name
 *   the rest, in a kernel                the index
 *
 * An inlined copy is a DW_TAG_inlined_subroutine with code. A call site (DW_TAG_call_site) may name
 * the same abstract function, but the function is called there, not copied; nor is the rest of a
 * function that was split off and copied back a copy.
 */
#include "symbols/places_private.h"

#include <dwarf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/places_index.h"

bool is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

bool query_takes(const struct place_query *q, const char *name, const char *file)
{
	if (q->function && (!name || (is_pattern(q->function) ? fnmatch(q->function, name, 0)
	                                                      : strcmp(q->function, name))))
		return false;
	return !q->file || (file && path_matches(file, q->file));
}

/* --- one unit ---------------------------------------------------------------------------------- */

struct walk {
	struct debuginfo *info;
	const struct unit *unit;
	unsigned kinds;
	walk_cb *cb;
	void *arg;
	unsigned depth;
	Dwarf_Off body; /* the function that is walked */
};

const char *die_called_from(Dwarf_Die *die, int *line)
{
	int64_t file = die_number(die, DW_AT_call_file, -1);

	*line = die_number(die, DW_AT_call_line, 0);
	return file < 0 ? NULL : die_file(die->cu, file);
}

/* gcc may split off what follows a function's first test, and copy it back into the function when nothing
 * else calls it: an inlined copy of the function in itself, called from the line it is declared in.
 * It is not where the function is entered. */
static bool is_rest(Dwarf_Die *die, struct code_function *fn)
{
	const char *from = die_called_from(die, &fn->call_line);

	return fn->call_line && fn->call_line == fn->line && from && fn->file &&
	       !strcmp(from, fn->file);
}

static int emit(struct walk *w, Dwarf_Die *die, enum function_kind kind, const char *container)
{
	struct code_function fn = {.kind = kind, .container = container};

	if (!(w->kinds & (kind == FUNCTION_BODY ? FUNCTIONS_BODIES : FUNCTIONS_INLINES)))
		return 0;
	fn.name = die_name(die);
	if (!fn.name || !die_entry(die, &fn.address))
		return 0;
	if (!fn.address && !w->info->relocatable)
		return 0; /* its section was dropped by the linker */
	fn.file = die_declared(die, &fn.line);
	fn.size = die_size(die, fn.address);
	fn.unit = w->unit->offset;
	fn.die = dwarf_dieoffset(die);
	fn.body = w->body;
	if (kind == FUNCTION_BODY) {
		Dwarf_Attribute attr;
		Dwarf_Die at = *die;

		fn.is_external = dwarf_attr_integrate(&at, DW_AT_external, &attr);
	} else {
		fn.is_rest = is_rest(die, &fn);
	}
	return w->cb(&fn, die, w->depth, w->arg);
}

static int walk_children(struct walk *w, Dwarf_Die *die, const char *container);

static int walk_die(struct walk *w, Dwarf_Die *die, const char *container)
{
	int result = 0;

	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		if (!die_has_code(die))
			return 0;
		w->body = dwarf_dieoffset(die);
		result = emit(w, die, FUNCTION_BODY, NULL);
		if (result || !(w->kinds & FUNCTIONS_INLINES))
			return result;
		return walk_children(w, die, die_name(die));
	case DW_TAG_inlined_subroutine:
		if (die_has_code(die))
			result = emit(w, die, FUNCTION_INLINE, container);
		return result ? result : walk_children(w, die, container);
	case DW_TAG_lexical_block:
	case DW_TAG_namespace:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return walk_children(w, die, container);
	}
	return 0;
}

static int walk_children(struct walk *w, Dwarf_Die *die, const char *container)
{
	Dwarf_Die child;
	int result = 0;

	if (w->depth == DIE_CHAIN_MAX || dwarf_child(die, &child))
		return 0;
	w->depth++;
	do
		result = walk_die(w, &child, container);
	while (!result && dwarf_siblingof(&child, &child) == 0);
	w->depth--;
	return result;
}

int unit_walk_functions(struct debuginfo *info, const struct unit *unit, unsigned kinds, walk_cb *cb,
                        void *arg)
{
	struct walk w = {.info = info, .unit = unit, .kinds = kinds, .cb = cb, .arg = arg};
	Dwarf_Die die = unit->die;

	return walk_children(&w, &die, NULL);
}

struct without_die {
	function_cb *cb;
	void *arg;
};

static int drop_die(const struct code_function *fn, Dwarf_Die *die, unsigned depth, void *arg)
{
	struct without_die *w = arg;

	return fn->is_rest ? 0 : w->cb(fn, w->arg);
}

int unit_each_function(struct debuginfo *info, const struct unit *unit, unsigned kinds,
                       function_cb *cb, void *arg)
{
	struct without_die w = {cb, arg};

	return unit_walk_functions(info, unit, kinds, drop_die, &w);
}

/* --- which units ------------------------------------------------------------------------------- */

/* Calls `cb` once for each unit, however often it is named. */
struct unit_set {
	struct debuginfo *info;
	unit_cb *cb;
	void *arg;
	Dwarf_Off *seen;
	size_t count;
	int result;
};

static int set_add(const struct unit *unit, void *arg)
{
	struct unit_set *set = arg;

	for (size_t i = 0; i < set->count; i++)
		if (set->seen[i] == unit->offset)
			return 0;
	if (!(set->count & (set->count - 1))) {
		size_t room = set->count ? set->count * 2 : 16;

		set->seen = reallocarray(set->seen, room, sizeof(*set->seen));
		if (!set->seen)
			abort();
	}
	set->seen[set->count++] = unit->offset;
	set->result = set->cb(unit, set->arg);
	return set->result;
}

static int add_nothing(const struct unit *unit, void *arg)
{
	return 0;
}

static int add_offset(uint64_t unit, void *arg)
{
	struct unit_set *set = arg;
	struct unit u;

	return unit_at(set->info, unit, &u) ? set_add(&u, set) : 0;
}

/* gcc's link-time optimization leaves the units of files without code; what has it names none. */
static int set_add_code(const struct unit *unit, void *arg)
{
	Dwarf_Die die = unit->skeleton;

	return die_has_code(&die) ? set_add(unit, arg) : 0;
}

struct by_symbol {
	struct unit_set *set;
	const char *name;
	bool elsewhere; /* copies may be in other units, too */
	bool local;     /* other files may have functions of their own by that name */
};

/* A function that is written in the unit's own source file can be copied in that unit only. One of a
 * header is in many units, and link-time optimization mixes all. */
static bool is_of_own_file(const struct unit *unit, uint64_t address)
{
	Dwarf_Die die = unit->die;
	const char *own = dwarf_diename(&die), *file;
	struct die_chain chain;
	int line;

	if (!own || !die_chain_at(unit, address, &chain))
		return false;
	file = die_declared(&chain.dies[0], &line);
	return file && (path_matches(file, own) || path_matches(own, file));
}

/* "name" itself, and what the compiler made of it: "name.isra.0". */
static int add_symbol_unit(const struct elf_symbol *sym, void *arg)
{
	struct by_symbol *by = arg;
	size_t n = strlen(by->name);
	struct unit unit;

	if (!sym->is_function || strncmp(sym->name, by->name, n) ||
	    (sym->name[n] && sym->name[n] != '.'))
		return 0;
	if (!unit_of_address(by->set->info, sym->address, &unit))
		return 0;
	by->elsewhere |= !is_of_own_file(&unit, sym->address);
	by->local |= !sym->is_global;
	return set_add(&unit, by->set);
}

/*
 * Hands the units over only if no others can have the function: its bodies have symbols, but a static
 * function of the same name may be inlined into its callers elsewhere, and no symbol tells. That is
 * not expected of a name that is global. A source file that is named narrows the search to its own
 * unit, or, when it is a header, to those that the index knows. (clang's link-time optimization copies
 * from one file's unit into another's: such copies are found by `.inline` only.)
 */
static bool add_units_of_symbols(struct unit_set *set, const struct place_query *q, unsigned kinds)
{
	struct unit_set found = {.info = set->info, .cb = add_nothing};
	struct by_symbol by = {.set = &found, .name = q->function};
	struct unit unit;
	bool all;

	if (!(kinds & FUNCTIONS_BODIES)) /* where is it inlined: anywhere */
		return false;
	symbols_each(set->info, add_symbol_unit, &by);
	all = found.count;
	if (all && kinds & FUNCTIONS_INLINES)
		all = !by.elsewhere && !by.local && !q->file && !places_index_is_made(set->info);
	for (size_t i = 0; all && i < found.count && !set->result; i++)
		if (unit_at(set->info, found.seen[i], &unit))
			set_add(&unit, set);
	free(found.seen);
	return all;
}

struct error *units_of_query(struct debuginfo *info, const struct place_query *q, unsigned kinds,
                             unit_cb *cb, void *arg)
{
	struct unit_set set = {.info = info, .cb = cb, .arg = arg};
	bool plain = q->function && !is_pattern(q->function), by_file;
	struct error *error = debuginfo_check_dwarf(info);

	if (error)
		return error;
	if (!debuginfo_is_large(info)) {
		unit_each(info, cb, arg);
		return NULL;
	}
	by_file = q->file && !is_pattern(q->file) && kinds & FUNCTIONS_BODIES;
	if (plain && add_units_of_symbols(&set, q, kinds))
		by_file = false;
	else if (by_file && !(plain && places_index_is_made(info)))
		unit_each_named(info, q->file, set_add_code, &set);
	/* Neither a symbol nor a unit of that name: included, inlined, or not there. */
	if (!set.count) {
		error = places_index_open(info);
		if (!error)
			places_index_units(info->index, q, kinds, add_offset, &set);
	}
	if (!error && !set.count && by_file) /* a line that another file's function has */
		unit_each_named(info, q->file, set_add_code, &set);
	free(set.seen);
	return error;
}

/* --- functions --------------------------------------------------------------------------------- */

struct find {
	struct debuginfo *info;
	const struct place_query *q;
	unsigned kinds;
	function_cb *cb;
	void *arg;
	struct code_function *found;
	size_t count;
};

static int collect(const struct code_function *fn, void *arg)
{
	struct find *f = arg;

	if (!query_takes(f->q, fn->name, fn->file))
		return 0;
	if (!(f->count & (f->count - 1))) {
		size_t room = f->count ? f->count * 2 : 16;

		f->found = reallocarray(f->found, room, sizeof(*f->found));
		if (!f->found)
			abort();
	}
	f->found[f->count] = *fn;
	if (fn->kind == FUNCTION_BODY && !fn->symbol)
		f->found[f->count].symbol = function_symbol(f->info, fn->address, fn->name);
	f->count++;
	return 0;
}

static int collect_unit(const struct unit *unit, void *arg)
{
	struct find *f = arg;

	return unit_each_function(f->info, unit, f->kinds, collect, f);
}

static int compare_functions(const void *a, const void *b)
{
	const struct code_function *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : x->die < y->die ? -1 : x->die > y->die;
}

static struct code_function symbol_function(const struct elf_symbol *sym)
{
	return (struct code_function){
	    .name = sym->name,
	    .symbol = sym->name,
	    .kind = FUNCTION_BODY,
	    .address = sym->address,
	    .size = sym->size,
	    .is_external = sym->is_global,
	};
}

/* Without DWARF the names of symbols are all there is. "f.isra.0" is f's. */
static int collect_symbol(const struct elf_symbol *sym, void *arg)
{
	struct find *f = arg;
	struct code_function fn = symbol_function(sym);
	const char *dot = strchr(sym->name, '.');

	if (!sym->is_function || dot == sym->name || strstr(sym->name, ".cold") ||
	    !strncmp(sym->name, "__pfx_", 6))
		return 0;
	if (dot)
		fn.name = arena_strndup(&f->info->arena, sym->name, dot - sym->name);
	return collect(&fn, f);
}

static struct error *find_by_symbols(struct find *f, struct error *no_dwarf)
{
	if (f->q->file || !(f->kinds & FUNCTIONS_BODIES))
		return no_dwarf;
	error_destroy(no_dwarf);
	debuginfo_symbol_match(f->info, "*", collect_symbol, f);
	return NULL;
}

static struct error *find_by_dwarf(struct find *f)
{
	bool plain = f->q->function && !is_pattern(f->q->function);
	struct unit_set set = {.info = f->info, .cb = collect_unit, .arg = f};
	struct error *error;

	if (places_index_answers(f->info)) {
		places_index_functions(f->info->index, f->q, f->kinds, collect, f);
		return NULL;
	}
	if (!debuginfo_is_large(f->info) || f->q->file) {
		error = units_of_query(f->info, f->q, f->kinds, collect_unit, f);
		if (error || f->count || !plain || !debuginfo_is_large(f->info))
			return error; /* else the file's own unit has none, but another may */
	} else if (plain && add_units_of_symbols(&set, f->q, f->kinds)) {
		free(set.seen);
		return NULL;
	}
	error = places_index_open(f->info);
	if (!error)
		places_index_functions(f->info->index, f->q, f->kinds, collect, f);
	return error;
}

/* --- the question --------------------------------------------------------------------------------- */

/* "malloc" is another symbol's name for the function that is written as __libc_malloc. */
static int collect_alias(const struct elf_symbol *sym, void *arg)
{
	struct find *f = arg;
	struct code_function fn = symbol_function(sym);
	struct die_chain chain;
	struct unit unit;
	uint64_t entry;

	if (!sym->is_function)
		return 0;
	if (unit_of_address(f->info, sym->address, &unit) &&
	    die_chain_at(&unit, sym->address, &chain) && die_entry(&chain.dies[0], &entry) &&
	    entry == sym->address) {
		fn.file = die_declared(&chain.dies[0], &fn.line);
		fn.unit = unit.offset;
		fn.die = dwarf_dieoffset(&chain.dies[0]);
	}
	return collect(&fn, f);
}

static void find_aliases(struct find *f)
{
	if (f->q->function && !is_pattern(f->q->function) && f->kinds & FUNCTIONS_BODIES)
		debuginfo_symbol_match(f->info, f->q->function, collect_alias, f);
}

struct error *functions_find(struct debuginfo *info, const struct place_query *q, unsigned kinds,
                             int (*cb)(const struct code_function *fn, void *arg), void *arg)
{
	struct find f = {.info = info, .q = q, .kinds = kinds, .cb = cb, .arg = arg};
	struct error *error = debuginfo_check_dwarf(info);

	error = error ? find_by_symbols(&f, error) : find_by_dwarf(&f);
	if (!error && !f.count && !info->split_missing)
		find_aliases(&f);
	if (!error && !f.count)
		error = function_missing(info, q, kinds);
	if (f.count)
		qsort(f.found, f.count, sizeof(*f.found), compare_functions);
	for (size_t i = 0; !error && i < f.count; i++) {
		const struct code_function *last = i ? &f.found[i - 1] : NULL;

		if (last && last->address == f.found[i].address && last->die == f.found[i].die &&
		    last->symbol == f.found[i].symbol)
			continue;
		if (cb(&f.found[i], arg))
			break;
	}
	free(f.found);
	return error;
}

/* --- behind the prologue ------------------------------------------------------------------------ */

/* How many of the function's own variables with that tag are told by lists, how many by the frame. */
struct told {
	unsigned lists, frame;
};

static struct told how_told(Dwarf_Die *function, int tag)
{
	struct told told = {0};
	Dwarf_Attribute attr;
	Dwarf_Block block;
	Dwarf_Die child;

	if (dwarf_child(function, &child))
		return told;
	do {
		if (dwarf_tag(&child) != tag ||
		    !dwarf_attr_integrate(&child, DW_AT_location, &attr))
			continue;
		if (dwarf_formblock(&attr, &block))
			told.lists++;
		else if (block.length && block.data[0] == DW_OP_fbreg)
			told.frame++;
	} while (dwarf_siblingof(&child, &child) == 0);
	return told;
}

/* gcc writes its options into the unit. */
static bool says_optimized(const struct unit *unit)
{
	Dwarf_Die die = unit->skeleton;
	Dwarf_Attribute attr;
	const char *producer = dwarf_attr(&die, DW_AT_producer, &attr) ? dwarf_formstring(&attr)
	                                                               : NULL;

	return producer && (strstr(producer, " -O1") || strstr(producer, " -O2") ||
	                    strstr(producer, " -O3") || strstr(producer, " -Os"));
}

/* Optimized code tells where an argument is at each instruction; other code has all variables in the
 * frame, which stands only behind the prologue. */
static bool frame_is_needed(Dwarf_Die *function)
{
	struct told arguments = how_told(function, DW_TAG_formal_parameter);
	struct told locals = how_told(function, DW_TAG_variable);

	if (arguments.lists || locals.lists)
		return false;
	return arguments.frame || locals.frame;
}

/* The row marked as prologue's end (clang), else the second row of another address. */
static uint64_t second_row(const struct unit *unit, const struct code_function *fn)
{
	Dwarf_Die die = unit->skeleton;
	uint64_t second = fn->address;
	Dwarf_Lines *lines;
	size_t n;

	if (dwarf_getsrclines(&die, &lines, &n))
		return fn->address;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *row = dwarf_onesrcline(lines, i);
		Dwarf_Addr address;
		bool end = false, prologue_end = false;
		int line = 0;

		if (dwarf_lineaddr(row, &address) || address < fn->address ||
		    address >= fn->address + fn->size)
			continue;
		dwarf_lineendsequence(row, &end);
		dwarf_lineprologueend(row, &prologue_end);
		dwarf_lineno(row, &line);
		if (prologue_end && !end)
			return address;
		if (second == fn->address && address > fn->address && !end && line)
			second = address;
	}
	return second;
}

uint64_t function_after_prologue(struct debuginfo *info, const struct code_function *fn)
{
	struct unit unit;
	struct die_chain chain;

	/* Walking to the function's DIE is the dear part. */
	if (fn->kind != FUNCTION_BODY || !fn->die || !unit_at(info, fn->unit, &unit) ||
	    says_optimized(&unit) || !die_chain_at(&unit, fn->address, &chain) ||
	    !frame_is_needed(&chain.dies[0]))
		return fn->address;
	return second_row(&unit, fn);
}
