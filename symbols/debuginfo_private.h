/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/debuginfo_private.h - struct debuginfo, for the files behind debuginfo.h and places.h. */
#ifndef SPILE_SYMBOLS_DEBUGINFO_PRIVATE_H
#define SPILE_SYMBOLS_DEBUGINFO_PRIVATE_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "base/arena.h"
#include "symbols/debuginfo.h"

/** The code of one unit, when .debug_aranges does not tell (clang makes none). */
struct unit_range {
	uint64_t start, end;
	Dwarf_Off unit;
};

struct debuginfo {
	char *path, *build_id;
	char *debug_dirs;    /* what libdwfl gets */
	struct kernel *kernel; /* whose file it is; NULL: a program's */
	struct kernel *own_kernel; /* the same, when it is ours to close */
	Dwfl_Callbacks callbacks;
	Dwfl *dwfl;
	Dwfl_Module *module;
	Elf *elf;
	GElf_Addr elf_bias;  /* of the file's addresses in libdwfl's */
	bool relocatable;
	struct arena arena;  /* names of units, functions */

	bool dwarf_tried;
	Dwarf *dwarf;        /* NULL: none */
	char *dwarf_reason;  /* why not */
	char *dwarf_path;

	bool symbols_read, symbols_sorted;
	struct elf_symbol *symbols; /* sorted by address when many questions are asked */
	size_t symbol_count;
	unsigned symbol_questions;

	uint64_t large_from; /* bytes of .debug_info; see debuginfo_is_large() */
	unsigned split_missing; /* units whose .dwo file is not there, when last walked */
	bool ranges_read;
	struct unit_range *ranges;
	size_t range_count;
	struct btf_index *btf; /* of a module; NULL until asked for */
	struct places_index *index; /* places_index.c; NULL until needed */
	bool index_tried;    /* looked whether it is there */
	bool walks;          /* for tests: the index tells at most which units to look into */
	struct unit_view *views; /* unit_view.c */
	struct frame_view *frames; /* frame_view.c */
	unsigned view_count, frame_count;
};

/** ESTALE when the file of notes, /sys/module/NAME/notes/..., has another build id than `info`. */
struct error *debuginfo_check_loaded(struct debuginfo *info, const char *notes);

/** All symbols in no certain order, which spares sorting them. */
int symbols_each(struct debuginfo *info,
		 int (*cb)(const struct elf_symbol *symbol, void *arg), void *arg);
/** The same as a sorted array; it lives until debuginfo_close(). */
const struct elf_symbol *symbols_sorted(struct debuginfo *info, uint64_t *ret_count);
/** The symbol that starts at a function's entry; of several the one that `name` begins. */
const char *function_symbol(struct debuginfo *info, uint64_t address, const char *name);

/* --- debuginfo_units.c: compile units -------------------------------------------------------- */

/** A compile unit: where its lines and ranges are described, and where its contents are. They are
 *  the same unless the unit is split. */
struct unit {
	Dwarf_Off offset;   /* of the unit's first DIE, in the file's .debug_info */
	Dwarf_Die skeleton; /* lines, ranges */
	Dwarf_Die die;      /* functions, variables, types */
};

/** Fills *ret from the offset of a unit's DIE. False when there is none. */
bool unit_at(struct debuginfo *info, Dwarf_Off offset, struct unit *ret);
/** The unit whose code `address` is. */
bool unit_of_address(struct debuginfo *info, uint64_t address, struct unit *ret);
/** Calls `cb` for each unit that has code or data of its own (partial and type units do not). */
int unit_each(struct debuginfo *info, int (*cb)(const struct unit *unit, void *arg), void *arg);
/** The same for units whose own source file matches `file` (see path_matches()). */
int unit_each_named(struct debuginfo *info, const char *file,
		    int (*cb)(const struct unit *unit, void *arg), void *arg);
/** One unit's header, and where the next one is. */
struct unit_header {
	Dwarf_Off offset, die, next; /* start with next = 0 */
	bool is_alone; /* all of it is here, and it refers to no DIE outside */
};

/** Goes on to the header at header->next; false at the end. */
bool unit_next_header(struct debuginfo *info, struct unit_header *header);

/** unit_view.c: the DIE of a unit that is_alone, without reading the units before it. */
bool unit_view_find(struct debuginfo *info, Dwarf_Off unit, Dwarf_Die *ret);
void unit_views_close(struct debuginfo *info);

/** One entry of .debug_frame. */
struct frame_entry {
	uint64_t at, size; /* in the section, with the length in front */
	uint64_t cie;      /* of an FDE: where the common part is */
	uint64_t start, length; /* the code that it is about */
	bool is_cie, is_plain;  /* a CIE without augmentation */
};

/** Reads the entry at `at`; false at the end, and when it does not fit. */
bool frame_entry_read(const Elf_Data *data, uint64_t at, struct frame_entry *ret);
/** frame_view.c: unwinding information that covers `address`, quickly; NULL when that cannot be. */
Dwarf_CFI *frame_view_cfi(struct debuginfo *info, uint64_t address);
void frame_views_close(struct debuginfo *info);
/** A section's bytes, NULL when it is not there or compressed. */
Elf_Data *elf_section_data(Elf *elf, const char *name);

/** True when so much DWARF is there that walking all of it takes too long to do each time. */
bool debuginfo_is_large(struct debuginfo *info);

/** True when `file`, the end of a path or a shell pattern for one, names `path`:
 *  "socket.c" and "net/socket.c" and "*@/sock*.c" do "/build/linux/net/socket.c". */
bool path_matches(const char *path, const char *file);

/* --- die.c: what libdw leaves to its callers -------------------------------------------------- */

/** Where the code of a function, inlined instance, block or label is entered. */
bool die_entry(Dwarf_Die *die, uint64_t *ret);
/** Bytes from the entry to the end of the range that it is in; 0 unknown. */
uint64_t die_size(Dwarf_Die *die, uint64_t entry);
bool die_has_code(Dwarf_Die *die);
/** A DIE that an attribute refers to. */
bool die_reference(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret);
/** Follows abstract origins and specifications to the last. */
Dwarf_Die die_origin(const Dwarf_Die *die);
/** The name, of the origin if need be; NULL when there is none. */
const char *die_name(const Dwarf_Die *die);
bool die_same(const Dwarf_Die *a, const Dwarf_Die *b);
/** An unsigned or signed constant; `fallback` when the attribute is not there. Follows origins. */
int64_t die_number(const Dwarf_Die *die, unsigned attribute, int64_t fallback);
/** The path of a unit's file number, or NULL. */
const char *die_file(Dwarf_CU *cu, uint64_t number);
/** "path/of.c" that the DIE was declared in, or NULL; *line 0 when unknown. */
const char *die_declared(const Dwarf_Die *die, int *line);

#define DIE_CHAIN_MAX 64 /* how deep blocks and inlined instances may nest */

/** From the function (its DIE has code at `address`) down to the innermost block there. */
struct die_chain {
	Dwarf_Die dies[DIE_CHAIN_MAX];
	unsigned count;
};

/** The functions of a unit by address, for many questions about one unit. */
struct function_map {
	struct mapped_function {
		uint64_t start, end;
		Dwarf_Die die;
	} *items;
	size_t count;
};

void function_map_init(const struct unit *unit, struct function_map *ret);
void function_map_deinit(struct function_map *map);
/** As die_chain_at(). */
bool function_map_chain(const struct function_map *map, uint64_t address, struct die_chain *ret);

/** The same, when the function is known already. */
bool die_chain_below(Dwarf_Die *function, uint64_t address, struct die_chain *ret);
/** From the function down to the DIE at that offset. */
bool die_chain_to(Dwarf_Die *function, Dwarf_Off target, struct die_chain *ret);
/** The DIEs that `address` lies in, outermost (the concrete function) first. */
bool die_chain_at(const struct unit *unit, uint64_t address, struct die_chain *ret);

#endif
