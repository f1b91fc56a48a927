/* SPDX-License-Identifier: GPL-2.0-only */
/** script/target_private.h - what the files about target variables share: resolve_target.c begins. */
#ifndef SPILE_SCRIPT_TARGET_PRIVATE_H
#define SPILE_SCRIPT_TARGET_PRIVATE_H

#include "script/resolve_private.h"
#include "script/resolve_target.h"
#include "symbols/c_type.h"
#include "symbols/variables.h"

/* One body whose target variables are being resolved. */
struct target_walk {
	struct resolver *r;
	struct body *body;
	const struct planted_probe *planted; /* NULL in functions */
	struct btf_index *btf;               /* NULL until asked for */
	bool is_strict;                      /* it is asked whether a variable is there */
	bool is_foreign;                     /* it is the kernel's, for a module that has none */
	bool is_listing;                     /* for $$vars: nothing is planted for that */
	struct {
		ARENA_LIST(struct typed_local);
	} locals;
};

/* A script value's C type: a pointer's, or that of the object whose address it is. */
struct pointed_type {
	struct c_type type;
	bool is_pointee, is_user;
};

/* x = $file: what x->f_inode means from there on. */
struct typed_local {
	const struct variable *var;
	struct pointed_type value;
};

/* How far a path has been walked: see the top of resolve_target.c. */
struct cursor {
	struct target_walk *w;
	struct target_access *access;
	const struct token *tok;
	const char *spelled; /* the path so far, for messages */
	struct c_type type;  /* as declared, typedefs included */
	bool is_address;     /* the steps lead to the address of an object of the type, not to its value */
	const char *info_module; /* that debug information is of; NULL: the kernel */
	bool is_part;        /* of a structure that is in no memory */
	bool is_user;        /* in the process's memory */
	struct c_member field; /* bit-field data of the last member */
	bool is_pointee;       /* nothing walked yet since a @cast: it may be indexed as its pointer may */
};

/* resolve_target.c */
void target_visit_expr(struct expr **slot, void *walk);

/* target_value.c */
/** What a script value is a pointer to, by where it comes from; false if nothing tells. */
bool target_value_type(struct target_walk *w, const struct expr *value, struct pointed_type *ret);

/* target_base.c: where a path begins. False after telling why it does not. */
bool target_begin(struct cursor *at, struct expr *e);
/** The types of where the body runs; false after telling why there are none. */
bool target_need_btf(struct target_walk *w, const struct token *tok);
/** @cast's and @var's "module" means the kernel proper: "kernel", or "kernel<header.h>". */
bool target_is_kernel(const char *module);
/** Whether a whole function begins, or has ended, where debug information put the probe. */
bool target_is_at_function(const struct probe_site *site);
/** The probed function's prototype, when it is probed at its entry or return. */
bool target_need_prototype(struct target_walk *w, const struct token *tok, const char *name,
			   struct btf_prototype *ret);

/* How the psABI hands out the eight-byte words that arguments come in; starts as ARGUMENT_WORDS. */
struct argument_words {
	int reg, stack;
};

#define ARGUMENT_WORDS { 0, ARGUMENT_REGISTERS }

/** The first word of the next argument, of so many bytes: below ARGUMENT_REGISTERS a register. */
int target_next_argument(struct argument_words *words, int64_t size);

enum { ARGUMENT_WORDS_KEPT = 64 }; /* for a return probe, at most */
/** The argument that begins in a word; at a return it is kept from the entry on. EOPNOTSUPP. */
struct error *target_take_argument(struct cursor *at, struct c_type type, int word);

/* target_dwarf.c: by debug information */
/** A variable that is visible where the probe stands; the error says why not. */
struct error *target_begin_dwarf(struct cursor *at, const char *name);
/** $return; without BTF's prototype, whose error is taken over and told if DWARF has none either. */
bool target_begin_dwarf_return(struct cursor *at, struct error *no_prototype);
/** Takes over a variable that debug information has found, by its location. */
struct error *target_take_location(struct cursor *at, struct debuginfo *info,
				   const struct dwarf_type *type, const struct location *loc);

/* target_global.c */
/** @var("name[@file]"[, "module"]); `named` is tried first where the name may be a local's. */
bool target_begin_var(struct cursor *at, const struct target *target,
		      bool (*named)(struct cursor *at, const char *name));

/** A type by its name, in the kernel (`modules` NULL) or the places of @cast's "module". */
struct error *target_find_type(struct target_walk *w, const char *name, const char *modules,
			       struct c_type *ret);

/* target_header.c */
/** A type of a C header of the system: "<sys/time.h>". */
struct error *target_header_type(struct resolver *r, const char *name, const char *header,
				 struct c_type *ret);

/* target_path.c */
bool target_walk_path(struct cursor *at, const struct target *target);
/** Loads the pointer that the path has led to: then the path is at what it points to. */
void target_follow(struct cursor *at);
/** Makes a value, an address, or a text of what the path has led to. */
bool target_end_path(struct cursor *at, const struct expr *e);

/* target_show.c: $x$ and $x$$ */
bool target_show(struct cursor *at, const struct expr *e);
/* target_listing.c: $$vars and its like. True if the expression was one, then it is a print. */
bool target_listing(struct target_walk *w, struct expr *e);

/** Resolves one variable with its path; e->target->access is NULL after telling why not. */
void target_resolve(struct target_walk *w, struct expr *e);

#endif
