// SPDX-License-Identifier: GPL-2.0-only
/*
 * Variables by debug information: what is visible where the probe stands, and where it is then.
 *
 * symbols/location.h's little programs are kept as they are; codegen/location.c writes them as C.
 * What has to be found here is what they mean on another boot: an address of the file becomes a
 * symbol and an offset. For the kernel that symbol is always _stext, since the image moves as one.
 *
 * At a return only what came as an argument is known, for that can be kept at the entry.
 */
#include <errno.h>
#include <string.h>

#include "script/target_private.h"

/* --- addresses ----------------------------------------------------------------------------------- */

static uint64_t symbol_address(struct debuginfo *info, const char *name)
{
	struct elf_symbol symbol;
	struct error *error = debuginfo_symbol_find(info, name, &symbol);
	uint64_t address = error ? 0 : symbol.address;

	error_destroy(error);
	return address;
}

/* Before 6.15 they lie at 0 on, which no boot changes; since then in the image. */
static bool is_per_cpu(struct debuginfo *info, uint64_t address)
{
	uint64_t end = symbol_address(info, "__per_cpu_end");

	return end && address >= symbol_address(info, "__per_cpu_start") && address < end;
}

/* Of a module's file or of a kernel's. */
static struct error *name_address(struct cursor *at, struct debuginfo *info, const char *module,
                                  uint64_t address, struct access_symbol *ret)
{
	struct arena *arena = at->w->r->arena;
	uint64_t stext = symbol_address(info, "_stext");
	const struct elf_symbol *symbol;

	if (!module && is_per_cpu(info, address)) {
		at->access->is_per_cpu = true;
		if (!symbol_address(info, "__per_cpu_start")) {
			*ret = (struct access_symbol){NULL, (int64_t)address};
			return NULL;
		}
	}
	if (!module && stext) {
		*ret = (struct access_symbol){"kaddr__stext", (int64_t)(address - stext)};
		return NULL;
	}
	symbol = debuginfo_symbol_at(info, address);
	if (!symbol)
		return error_create(ENOENT, "%s has no symbol at its address",
		                    debuginfo_path(info));
	ret->name = arena_printf(arena, "%s_%s%s%s", symbol->is_function ? "kaddr" : "kdata",
	                         module ? module : "", module ? "__in__" : "", symbol->name);
	ret->offset = (int64_t)(address - symbol->address);
	return NULL;
}

/* --- locations ----------------------------------------------------------------------------------- */

static const char *why_not_readable(const struct location *loc)
{
	if (location_is_none(loc))
		return "it is optimized out here";
	for (size_t i = 0; i < loc->piece_count; i++) {
		if (loc->pieces[i].kind == PIECE_REGISTER && loc->pieces[i].reg > 16)
			return "it is in a vector register";
		if (loc->pieces[i].kind == PIECE_POINTER)
			return "it points to what is in no memory";
	}
	for (size_t i = 0; i < loc->op_count; i++)
		if (loc->ops[i].op == LOC_TLS)
			return "it is the thread's own, and threads of the kernel have none";
	return NULL;
}

static bool is_whole_memory(const struct location *loc)
{
	return loc->piece_count == 1 && loc->pieces[0].kind == PIECE_MEMORY &&
	       !loc->pieces[0].bit_offset;
}

static struct error *name_addresses(struct cursor *at, struct debuginfo *info,
                                    struct location *loc)
{
	const char *module = at->info_module;
	struct access_symbol *symbols;
	struct error *error = NULL;

	symbols = arena_alloc(at->w->r->arena, (loc->op_count + 1) * sizeof(*symbols));
	for (size_t i = 0; i < loc->op_count && !error; i++)
		if (loc->ops[i].op == LOC_ADDRESS)
			error = name_address(at, info, module, (uint64_t)loc->ops[i].arg,
			                     &symbols[i]);
	at->access->symbols = symbols;
	return error;
}

/* Which argument register it is, by DWARF's numbers; -1: none. */
static int argument_of_register(unsigned reg)
{
	static const unsigned numbers[] = {5, 4, 1, 2, 8, 9};

	for (int i = 0; i < 6; i++)
		if (numbers[i] == reg)
			return i;
	return -1;
}

/* At the entry itself a register still has the value that it had at the entry. */
static void read_now(struct location *loc)
{
	for (size_t i = 0; i < loc->op_count; i++)
		if (loc->ops[i].op == LOC_ENTRY_REGISTER)
			loc->ops[i].op = LOC_REGISTER;
}

/* Which registers of the entry are asked for, by number of argument from here on. */
static struct error *number_arguments(struct location *loc)
{
	for (size_t i = 0; i < loc->op_count; i++) {
		int n = argument_of_register((unsigned)loc->ops[i].arg);

		if (loc->ops[i].op != LOC_ENTRY_REGISTER)
			continue;
		if (n < 0)
			return error_create(ENODATA, "it is what register %s was at the function's "
			                             "entry, of which only arguments are kept",
			                    location_register_name((unsigned)loc->ops[i].arg));
		loc->ops[i].arg = n;
	}
	return NULL;
}

/* Amid a function a hidden probe at its entry keeps the values: resolve_keep.c. */
static struct error *keep_entry(struct cursor *at, struct debuginfo *info, struct location *loc)
{
	const struct planted_probe *planted = at->w->planted;
	struct location *frame = ARENA_NEW(at->w->r->arena, struct location);
	const struct probe_site *site;
	struct error *error;
	uint64_t entry;

	if (!planted || planted->is_return || at->w->is_listing)
		return error_create(ENODATA, "only its value at the function's entry is known, which "
		                             "is not kept %s",
		                    at->w->is_listing ? "for a list" : "here");
	error = number_arguments(loc);
	if (!error)
		error = resolver_site(at->w->r, planted, &site);
	if (!error)
		error = variable_entry(info, site->address, &entry, frame);
	if (!error)
		error = resolve_keeper(at->w->r, planted, site, entry, &at->access->keeper);
	at->access->frame = frame;
	return error;
}

struct error *target_take_location(struct cursor *at, struct debuginfo *info,
                                   const struct dwarf_type *type, const struct location *loc)
{
	const struct planted_probe *planted = at->w->planted;
	bool at_entry = planted && planted->kind && !strcmp(planted->kind, "SPL_PROBE_ENTRY");
	const char *reason = why_not_readable(loc);
	struct error *error = NULL;
	struct location *kept;

	if (reason)
		return error_create(ENODATA, "%s", reason);
	kept = ARENA_NEW(at->w->r->arena, struct location);
	*kept = *loc;
	if (at_entry)
		read_now(kept);
	else if (loc->uses_entry)
		error = keep_entry(at, info, kept);
	if (error)
		return error;
	at->type = c_type_dwarf(*type);
	at->access->base = ACCESS_LOCATION;
	at->access->location = kept;
	at->access->is_address = at->is_address = is_whole_memory(loc);
	return name_addresses(at, info, kept);
}

/* --- variables where a probe stands --------------------------------------------------------------- */

/* Counts the words of arguments up to the one that is asked for. */
struct word_count {
	const char *name;
	struct argument_words words;
	int found; /* -1: not yet */
};

static int count_words(const struct code_variable *v, void *arg)
{
	struct word_count *count = arg;

	if (v->kind != VARIABLE_PARAMETER)
		return 1;
	count->found = target_next_argument(&count->words, dwarf_type_size(v->type));
	return v->name && !strcmp(v->name, count->name);
}

/*
 * Of an argument that the code stores away or never uses, compilers tell no place. But a function that
 * was not cloned is called as the psABI says, so at its entry the place is known all the same: the
 * word, or -1.
 */
static int argument_by_abi(const struct probe_site *site, const struct code_variable *v)
{
	struct word_count count = {.name = v->name, .words = ARGUMENT_WORDS, .found = -1};

	if (!target_is_at_function(site) || v->kind != VARIABLE_PARAMETER || !site->fn->symbol ||
	    strchr(site->fn->symbol, '.'))
		return -1;
	error_destroy(variables_at(site->info, site->address, site->fn, count_words, &count));
	return count.found;
}

/* At a return: what was in an argument's place at the entry. */
static struct error *take_saved_argument(struct cursor *at, const struct probe_site *site,
                                         const struct code_variable *v, const struct location *loc)
{
	bool in_register = loc->piece_count == 1 && loc->pieces[0].kind == PIECE_REGISTER;
	int n = in_register ? argument_of_register(loc->pieces[0].reg) : argument_by_abi(site, v);

	if (n < 0)
		return error_create(ENODATA, "at the return only arguments that came as the psABI "
		                             "says are known; say @entry($%s)",
		                    v->name);
	return target_take_argument(at, c_type_dwarf(v->type), n);
}

static bool is_visible(const struct code_variable *v, const struct planted_probe *planted)
{
	return !planted->is_return || v->kind == VARIABLE_PARAMETER || v->kind == VARIABLE_GLOBAL;
}

struct error *target_begin_dwarf(struct cursor *at, const char *name)
{
	const struct planted_probe *planted = at->w->planted;
	const struct probe_site *site;
	struct code_variable v;
	struct location loc;
	struct error *error;
	int word;

	error = resolver_site(at->w->r, planted, &site);
	if (!error)
		error = variable_find(site->info, site->address, site->fn, name, &v);
	if (error)
		return error;
	if (!is_visible(&v, planted))
		return error_create(ENODATA, "a local is gone when the function has returned");
	error = variable_location(site->info, &v, site->address, &loc);
	if (error)
		return error;
	at->info_module = planted->module;
	if (planted->is_return && v.kind == VARIABLE_PARAMETER)
		return take_saved_argument(at, site, &v, &loc);
	word = location_is_none(&loc) ? argument_by_abi(site, &v) : -1;
	if (word >= 0)
		return target_take_argument(at, c_type_dwarf(v.type), word);
	return target_take_location(at, site->info, &v.type, &loc);
}

bool target_begin_dwarf_return(struct cursor *at, struct error *no_prototype)
{
	const struct planted_probe *planted = at->w->planted;
	const struct probe_site *site;
	struct dwarf_type type;
	struct location loc;
	struct error *error = resolver_site(at->w->r, planted, &site);

	if (!error && site->fn)
		error = function_return(site->info, site->fn, &type, &loc);
	if (!error && (!site->fn || type.is_void))
		error = error_create(ENODATA, "the function returns nothing");
	if (!error) {
		at->info_module = planted->module;
		error = target_take_location(at, site->info, &type, &loc);
	}
	if (error)
		diag_add(at->w->r->diags, at->tok, TARGET_NO_PROTOTYPE, planted->symbol,
		         error->err == ENODATA ? no_prototype->message : error->message);
	error_destroy(no_prototype);
	if (!error)
		return true;
	error_destroy(error);
	return false;
}
