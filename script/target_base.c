// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the path of a target variable begins. In order of price:
 *
 *	@cast(p, "type"), x->y       a script value, its type out of BTF
 *	$argument, $return           at a function's entry and return, by its prototype in BTF
 *	everything else              debug information (target_dwarf.c)
 */
#include <errno.h>
#include <string.h>

#include "script/target_private.h"

/* --- types ------------------------------------------------------------------------------------- */

static const char *module_of(const struct target_walk *w)
{
	return w->planted ? w->planted->module : NULL;
}

bool target_need_btf(struct target_walk *w, const struct token *tok)
{
	struct error *error;

	if (w->btf)
		return true;
	if (!resolver_kernel(w->r, tok))
		return false;
	error = resolver_btf(w->r, module_of(w), &w->btf);
	/* a module without BTF of its own; but one whose file is another build's is refused */
	w->is_foreign = error && module_of(w) && error->err != ESTALE;
	if (w->is_foreign) {
		error_destroy(error);
		error = resolver_btf(w->r, NULL, &w->btf);
	}
	if (error)
		diag_add(w->r->diags, tok, KERNEL_UNREADABLE, error->message);
	error_destroy(error);
	return w->btf != NULL;
}

bool target_is_kernel(const char *module)
{
	return !strcmp(module, "kernel") || !strncmp(module, "kernel<", 7);
}

bool target_is_at_function(const struct probe_site *site)
{
	return site->kind != SITE_PLACE && site->fn && site->fn->kind == FUNCTION_BODY &&
	       site->fn->address == site->address;
}

/* Only there do its arguments lie as the psABI says. */
static bool is_at_function(const struct planted_probe *planted)
{
	return planted->symbol && !planted->offset &&
	       (!planted->site || target_is_at_function(planted->site));
}

static struct error *find_prototype(struct target_walk *w, const struct token *tok,
                                    struct btf_prototype *ret)
{
	if (!is_at_function(w->planted))
		return error_create(ENOENT, "this is not a function's entry or return");
	if (!target_need_btf(w, tok))
		return error_create(ENODATA, "there is no BTF");
	if (w->is_foreign) /* what the kernel has under that name is another function */
		return error_create(ENODATA, "module %s has no BTF", module_of(w));
	return btf_index_find_function(w->btf, w->planted->symbol, ret);
}

bool target_need_prototype(struct target_walk *w, const struct token *tok, const char *name,
                           struct btf_prototype *ret)
{
	struct error *error;

	if (!w->planted || !w->planted->symbol) {
		diag_add(w->r->diags, tok, TARGET_NOT_HERE, name,
		         w->planted ? arena_printf(w->r->arena, "in probe %s", w->planted->pp)
		                    : "in functions; pass it as an argument");
		return false;
	}
	error = find_prototype(w, tok, ret);
	if (!error)
		return true;
	diag_add(w->r->diags, tok, TARGET_NO_PROTOTYPE, w->planted->symbol, error->message);
	diag_hint(w->r->diags, "long_arg(n) and pointer_arg(n) read them by number");
	error_destroy(error);
	return false;
}

/* --- arguments and the return value, by prototype ----------------------------------------------- */

/* Registers are handed out in order. A structure over 16 bytes, or one that the registers left do
 * not hold, goes to the stack whole; what follows may still get registers. */
int target_next_argument(struct argument_words *words, int64_t size)
{
	int n = size > 8 ? (int)((size + 7) / 8) : 1;
	bool in_regs = n <= 2 && words->reg + n <= ARGUMENT_REGISTERS;
	int *next = in_regs ? &words->reg : &words->stack;
	int first = *next;

	*next += n;
	return first;
}

int target_argument_word(const struct btf_index *btf, const struct btf_prototype *proto,
                         unsigned argument)
{
	struct argument_words words = ARGUMENT_WORDS;
	int word = 0;

	for (unsigned i = 0; i <= argument; i++)
		word = target_next_argument(&words, btf_index_size(btf, (int)proto->args[i].type));
	return word;
}

struct error *target_take_argument(struct cursor *at, struct c_type type, int word)
{
	int64_t size = c_type_size(type), end = word + (size > 8 ? (size + 7) / 8 : 1);
	enum type_kind kind = c_type_kind(type);

	at->type = type;
	at->access->base = ACCESS_ARGUMENT;
	at->access->argument = word;
	if (word >= ARGUMENT_REGISTERS && (kind == TYPE_STRUCT || kind == TYPE_UNION)) {
		at->access->base = ACCESS_STACK;
		at->is_address = true;
	}
	if (!at->w->planted->is_return)
		return NULL;
	if (end > ARGUMENT_WORDS_KEPT)
		return error_create(EOPNOTSUPP, "at the return the first %d words of arguments are "
		                                "known; it ends in word %lld",
		                    ARGUMENT_WORDS_KEPT, (long long)end);
	body_want_args(at->w->body, (unsigned)end);
	return NULL;
}

static bool begin_argument(struct cursor *at, const struct btf_prototype *proto, unsigned i)
{
	struct target_walk *w = at->w;
	struct error *error = target_take_argument(at, c_type_btf(w->btf, (int)proto->args[i].type),
	                                           target_argument_word(w->btf, proto, i));

	if (error)
		diag_add(w->r->diags, at->tok, TARGET_NO_VARIABLE,
		         btf_index_name(w->btf, proto->args[i].name_off), w->planted->pp,
		         error->message);
	error_destroy(error);
	return !error;
}

static int find_parameter(struct target_walk *w, const struct btf_prototype *proto,
                          const char *name)
{
	for (unsigned i = 0; i < proto->argc; i++)
		if (!strcmp(btf_index_name(w->btf, proto->args[i].name_off), name))
			return (int)i;
	return -1;
}

static void tell_unknown_parameter(struct cursor *at, const char *name,
                                   const struct btf_prototype *proto, const char *no_dwarf)
{
	struct target_walk *w = at->w;
	struct {
		ARENA_LIST(const char *);
	} names = {0};
	const char *near;

	for (unsigned i = 0; i < proto->argc; i++)
		ARENA_APPEND(w->r->arena, &names,
		             btf_index_name(w->btf, proto->args[i].name_off));
	if (w->planted->is_return)
		ARENA_APPEND(w->r->arena, &names, "return");
	near = diag_nearest(name, names.items, names.count);
	diag_add(w->r->diags, at->tok, TARGET_UNKNOWN, w->planted->symbol, name);
	if (near)
		diag_hint(w->r->diags, "did you mean '$%s'?", near);
	else if (names.count)
		diag_hint(w->r->diags,
		          "other variables: %s; list what is here with -L '%s'", no_dwarf,
		          w->planted->pp);
}

static bool begin_return(struct cursor *at)
{
	struct target_walk *w = at->w;
	struct btf_prototype proto;
	struct error *error;

	if (!w->planted->is_return) {
		diag_add(w->r->diags, at->tok, TARGET_NOT_HERE, "$return",
		         "at a function's entry; probe .return");
		return false;
	}
	error = find_prototype(w, at->tok, &proto);
	if (error)
		return target_begin_dwarf_return(at, error);
	if (!proto.return_type) {
		diag_add(w->r->diags, at->tok, TARGET_NOT_HERE, "$return",
		         "since the function returns nothing");
		return false;
	}
	at->type = c_type_btf(w->btf, proto.return_type);
	at->access->base = ACCESS_RETVAL;
	at->is_address = c_type_size(at->type) > 16; /* rax points to it */
	return true;
}

static bool begin_named(struct cursor *at, const char *name)
{
	struct target_walk *w = at->w;
	struct btf_prototype proto;
	struct error *error, *no_dwarf;
	int i;

	if (!w->planted || !w->planted->symbol) {
		diag_add(w->r->diags, at->tok, TARGET_NOT_HERE, at->tok->text,
		         w->planted ? arena_printf(w->r->arena, "in probe %s", w->planted->pp)
		                    : "in functions; pass it as an argument");
		return false;
	}
	if (!strcmp(name, "return"))
		return begin_return(at);
	error = find_prototype(w, at->tok, &proto);
	if (error && !resolver_kernel(w->r, at->tok)) {
		error_destroy(error);
		return false;
	}
	i = error ? -1 : find_parameter(w, &proto, name);
	if (i >= 0)
		return begin_argument(at, &proto, (unsigned)i);
	no_dwarf = target_begin_dwarf(at, name);
	if (no_dwarf && error && !w->planted->site) {
		diag_add(w->r->diags, at->tok, TARGET_NO_PROTOTYPE, w->planted->symbol,
		         error->message);
		diag_hint(w->r->diags, "long_arg(n) and pointer_arg(n) read them by number");
	} else if (no_dwarf && error) {
		diag_add(w->r->diags, at->tok, TARGET_NO_VARIABLE, name, w->planted->pp,
		         no_dwarf->message);
	} else if (no_dwarf) {
		tell_unknown_parameter(at, name, &proto, no_dwarf->message);
	}
	error_destroy(error);
	error_destroy(no_dwarf);
	return !no_dwarf;
}

/* --- script values ------------------------------------------------------------------------------- */

/* Compilers spell out what one writes in short. */
static const char *long_spelling(const char *name)
{
	static const char *const names[][2] = {
	    {"long", "long int"},
	    {"unsigned long", "long unsigned int"},
	    {"short", "short int"},
	    {"unsigned short", "short unsigned int"},
	    {"long long", "long long int"},
	    {"unsigned long long", "long long unsigned int"},
	    {"unsigned", "unsigned int"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	return name;
}

static struct error *find_named_type(const struct btf_index *btf, const char *name, int *ret)
{
	struct error *error = btf_index_find_type(btf, name, ret);

	if (error) {
		error_destroy(error);
		error = btf_index_find_type(btf, long_spelling(name), ret);
	}
	if (error) { /* "struct" may be left out */
		error_destroy(error);
		error = btf_index_find_struct(btf, name, ret);
	}
	return error;
}

/* The type that the name means in one of the places that are asked, "kernel:ext4". */
static struct error *find_type(struct target_walk *w, const char *name, const char *module,
                               struct c_type *ret)
{
	struct btf_index *btf = w->btf;
	struct error *error = NULL;
	int id;

	if (module && target_is_kernel(module))
		error = resolver_btf(w->r, NULL, &btf);
	else if (module)
		error = resolver_btf(w->r, module, &btf);
	if (error)
		return error;
	error = find_named_type(btf, name, &id);
	if (!error)
		*ret = c_type_btf(btf, id);
	return error;
}

/* Modules are searched one after the other; the last one's message is told. */
struct error *target_find_type(struct target_walk *w, const char *name, const char *modules,
                               struct c_type *ret)
{
	struct error *error = NULL;

	if (!modules)
		return find_type(w, name, NULL, ret);
	do {
		size_t len = strcspn(modules, ":");

		error_destroy(error);
		error = *modules == '<'
		            ? target_header_type(w->r, name, arena_strndup(w->r->arena, modules, len),
		                                 ret)
		            : find_type(w, name, arena_strndup(w->r->arena, modules, len), ret);
		modules += len + (modules[len] == ':');
	} while (error && *modules);
	return error;
}

static bool begin_cast(struct cursor *at, struct target *target)
{
	struct target_walk *w = at->w;
	const bool is_header = target->module && *target->module == '<';
	struct error *error;

	if (!is_header && !target_need_btf(w, at->tok))
		return false;
	error = target_find_type(w, target->type, target->module, &at->type);
	if (error) {
		diag_add(w->r->diags, at->tok, TARGET_TYPE, target->type, error->message);
		error_destroy(error);
		return false;
	}
	target_visit_expr(&target->pointer, w);
	at->access->base = ACCESS_POINTER;
	at->access->pointer = target->pointer;
	at->is_address = at->is_pointee = true;
	at->is_user = is_header;
	at->spelled = arena_printf(w->r->arena, "@cast(..., \"%s\")", target->type);
	return true;
}

/* x->y: x has last been assigned a pointer out of the kernel, or is one. */
static bool begin_value(struct cursor *at, struct target *target)
{
	struct pointed_type value;

	target_visit_expr(&target->pointer, at->w);
	target_value_type(at->w, target->pointer, &value);
	at->type = value.type;
	at->is_address = at->is_pointee = value.is_pointee;
	at->is_user = value.is_user;
	if (target->pointer->kind == EXPR_SYMBOL)
		at->spelled = target->pointer->symbol.name;
	if (value.is_pointee || c_type_kind(at->type) == TYPE_POINTER) {
		at->access->base = ACCESS_POINTER;
		at->access->pointer = target->pointer;
		return true;
	}
	diag_add(at->w->r->diags, at->tok, TARGET_UNTYPED);
	diag_hint(at->w->r->diags, "say of which with @cast(value, \"type\")->member");
	return false;
}

bool target_begin(struct cursor *at, struct expr *e)
{
	struct target *target = e->target;

	switch (target->base) {
	case TARGET_CAST:
		return begin_cast(at, target);
	case TARGET_VALUE:
		return begin_value(at, target);
	case TARGET_VAR:
		return target_begin_var(at, target, begin_named);
	case TARGET_DOLLAR:
		break;
	}
	return begin_named(at, target->name + 1);
}
