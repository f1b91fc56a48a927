/* SPDX-License-Identifier: GPL-2.0-only */
/** script/resolve_target.h - types and arguments, as target variables and their listing need. */
#ifndef SPILE_SCRIPT_RESOLVE_TARGET_H
#define SPILE_SCRIPT_RESOLVE_TARGET_H

#include "base/arena.h"
#include "symbols/c_type.h"

/** A type as stap writes it, qualifiers after what they qualify: "char const*", "struct file*". */
const char *target_type_text(struct arena *arena, struct c_type type);
/** The number of the eight-byte word in which argument i of a function is passed: 0 to 5 are the
 *  registers, from 6 on the stack above the return address. */
int target_argument_word(const struct btf_index *btf, const struct btf_prototype *proto,
			 unsigned argument);

#endif
