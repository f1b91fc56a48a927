/* SPDX-License-Identifier: GPL-2.0-only */
/** script/resolve_private.h - what the files of pass 2 share. */
#ifndef SPILE_SCRIPT_RESOLVE_PRIVATE_H
#define SPILE_SCRIPT_RESOLVE_PRIVATE_H

#include "script/resolve.h"

/* The array that keeps the values of one @entry. */
struct entry_array {
	size_t source, ordinal; /* of the probe statement; which @entry in it */
	struct global *global;
};

struct resolver {
	struct script *script;
	struct arena *arena;
	const struct resolve_options *options;
	struct diag_list *diags;
	struct program *program;
	struct kernel *kernel;      /* NULL until asked for */
	const char *kernel_failure; /* why there is none */
	struct {
		ARENA_LIST(struct probe *);
	} aliases;
	struct {
		ARENA_LIST(struct function_info *);
	} pending; /* functions of the library that were called */
	size_t resolved; /* of these are bound */
	/* The probe statement and point that are being expanded. */
	const struct probe_point *written; /* as the user wrote it */
	struct stmt *shared_stmt;          /* the tree of `shared` */
	struct body *shared;               /* a body that does not depend on its place */
	size_t source;
	const struct planted_probe *place; /* whose body is being bound; NULL: a function's */
	bool has_placed;     /* a function is that depends on the probe that calls it */
	size_t placed_known; /* so many functions were looked at for that */
	unsigned alias_depth;
	bool alias_loop; /* was told: nothing more is expanded, it could be without end */
	struct {
		ARENA_LIST(struct entry_array);
	} entry_arrays;
	const struct planted_probe *sited; /* the last that resolver_site() looked for */
	const struct probe_site *site;     /* and what it found */
	bool listing;      /* only places are wanted, no bodies */
	bool sees_private; /* the code that is being bound may name every global */
};

/** The kernel, or NULL after telling why there is none, with `tok` as the place. */
struct kernel *resolver_kernel(struct resolver *r, const struct token *tok);

/** The body reads that many words of arguments: registers are kept all or none. */
static inline void body_want_args(struct body *body, unsigned words)
{
	if (words && words < ARGUMENT_REGISTERS)
		words = ARGUMENT_REGISTERS;
	if (words > body->entry_args)
		body->entry_args = words;
}

/* resolve.c: takes up what a file declares */
void resolver_declare(struct resolver *r, const struct script_file *file);
struct function_info *resolver_add_function(struct resolver *r, struct function *function);

/* resolve_library.c */
/** The file that a token was written in; the user of a macro, not the macro's. */
const struct script_file *resolver_file_of(const struct resolver *r, const struct token *tok);
/** Loads the next file of the library that defines a name, from *at on (begin with 0); false when
 *  there is no more. */
bool resolver_load(struct resolver *r, enum tapset_kind kind, const char *name, size_t *at);
/** Loads every file with an alias whose name can be the beginning of the point. */
void resolver_load_aliases(struct resolver *r, const struct probe_point *point);
/** Forgets functions and globals of the library that nobody asked for. */
void resolver_drop_unwanted(struct resolver *r);

/* resolve_embedded.c: C code at top level, in a body, and as a function's body */
void resolve_embedded_top(struct resolver *r, const struct embedded *code);
void resolve_embedded_code(struct resolver *r, struct body *body, const struct embedded *code);
void resolve_embedded_function(struct function_info *info);
/** Whether @const("text") is for the compiler: more than a name, or a name in C code at top level. */
bool embedded_defines(const struct resolver *r, const char *text);
/** Whether a function's body can hand over to the next overload. */
bool function_may_next(const struct function *function);
/** Whether only scripts in guru mode, and the library, may call it. */
bool function_needs_guru(const struct function_info *info);

/* resolve_alias.c */
/** Whether an alias stands for the point: then it is expanded, and *ret tells if to anything. */
bool resolve_alias(struct resolver *r, const struct probe_point *point, struct stmt *stmt,
		   bool *ret);
/** The same with aliases of the library. */
bool resolve_library_alias(struct resolver *r, const struct probe_point *point, struct stmt *stmt,
			   bool *ret);
struct stmt *stmt_join(struct resolver *r, struct stmt *first, struct stmt *second);

/* resolve_probewrite.c */
/** Answers the @probewrite in a part of a probe's body, by what `handler` writes; the part itself
 *  if there is none, else a copy. */
struct stmt *resolve_probewrites(struct resolver *r, struct stmt *part, struct stmt *handler);

/* resolve_probes.c */
/** Plants a point with a body; false when nothing was planted. */
bool resolve_point(struct resolver *r, const struct probe_point *point, struct stmt *stmt);
void resolve_probe(struct resolver *r, struct probe *probe);
/** Adds one planted probe for the point; used by the families, who fill in the rest. */
struct planted_probe *resolver_plant(struct resolver *r, const struct probe_point *point);
const char *probe_point_text(struct arena *arena, const struct probe_point *point);
/** The names of its first `count` components, without arguments: "kernel.function". */
const char *probe_point_names(struct arena *arena, const struct probe_point *point, size_t count);
size_t probe_point_list(struct resolver *r, const struct probe_point *pattern, bool variables,
			FILE *out);

/* resolve_site.c */
/** What the kernel calls a module: "/x/some-name.ko" is some_name. */
const char *resolver_module_name(struct resolver *r, const char *path);
/** The debug information of the kernel (`module` NULL) or of a module (its name or path), opened
 *  once; it may be a file without DWARF. */
struct error *resolver_debuginfo(struct resolver *r, const char *module, struct debuginfo **ret);
/** A site for planted->site; `fn` is copied. */
const struct probe_site *resolver_add_site(struct resolver *r, enum site_kind kind,
					   struct debuginfo *info, const struct code_function *fn,
					   uint64_t address);
/** Where a planted probe stands: planted->site, or the same for one that was found by name, for
 *  which debug information is opened now. ENODATA without, ENOENT for what DWARF does not have. */
struct error *resolver_site(struct resolver *r, const struct planted_probe *planted,
			    const struct probe_site **ret);
/** The types of the kernel, or of a module on top of them. Borrowed. */
struct error *resolver_btf(struct resolver *r, const char *module, struct btf_index **ret);

/* resolve_names.c: binds names in a body; `function` NULL for probes */
void resolve_names(struct resolver *r, struct body *body, struct function_info *function);
/* resolve_call.c: what a call means; tells when it means nothing */
void resolve_call(struct resolver *r, struct body *body, struct expr *call);

/* resolve_copies.c: functions that depend on the probe that calls them */
bool function_has_targets(const struct function *function);
/** Whether it must be copied for each probe; never so for a copy. */
bool function_is_placed(struct resolver *r, const struct function_info *info);
/** The copy for r->place, bound. */
struct function_info *function_at_place(struct resolver *r, struct function_info *info);

/* resolve_entry.c: takes the @entry of a return probe out of its body, before names are bound */
void resolve_entries(struct resolver *r, struct planted_probe *planted);

/* resolve_keep.c */
/** The hidden probe at the entry (an address of the site's file) of the function that `planted` is in.
 *  Made if it is not there. The error says why it cannot be probed. */
struct error *resolve_keeper(struct resolver *r, const struct planted_probe *planted,
			     const struct probe_site *site, uint64_t entry,
			     const struct planted_probe **ret);
/** Drops those that no code asks after all; before sets are computed. */
void resolve_keepers_used(struct resolver *r);

/* resolve_target.c: `planted` NULL for functions */
void resolve_targets(struct resolver *r, struct body *body, const struct planted_probe *planted);
/** Prints " $name:type" for each parameter, as -L does. */
void target_list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out);

/* types.c */
void resolve_types(struct resolver *r);

/* resolve_dead.c: leaves out assignments that nobody reads */
void resolve_dead(struct resolver *r);

/* resolve_sets.c */
/** Computes the sets of the bodies that have none yet. */
void resolve_sets(struct resolver *r);
/** Tells what is never used; at the very end. */
void resolve_unused(struct resolver *r);

/* resolve_autoprint.c: adds an end probe that prints globals that are only written; true if so */
bool resolve_autoprint(struct resolver *r);
/** Adds an end probe that calls the translator's timing_report(), for -t. */
void resolve_timing(struct resolver *r);

/** Tells that a construct is not translated yet. */
#define resolver_unsupported(r, tok, ...)                                                          \
	diag_add((r)->diags, (tok), UNSUPPORTED, arena_printf((r)->arena, __VA_ARGS__))

#endif
