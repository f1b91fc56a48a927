/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/location_dwarf.h - from DWARF expressions to location programs; inner part of symbols/. */
#ifndef SPILE_SYMBOLS_LOCATION_DWARF_H
#define SPILE_SYMBOLS_LOCATION_DWARF_H

#include "symbols/debuginfo_private.h"
#include "symbols/location.h"

/**
 * The location that `attr` (a DW_AT_location or alike) has for an instruction at `address`. `function`
 * is the DIE of the concrete function there, which has the frame base; NULL for globals. Something
 * optimized out is no error, but a location without pieces.
 */
struct error *location_from_dwarf(struct debuginfo *info, Dwarf_Attribute *attr,
				  Dwarf_Die *function, uint64_t address, struct location *ret);
/** Its canonical frame address, when the instruction at `address` is about to run. */
struct error *location_of_frame(struct debuginfo *info, uint64_t address, struct location *ret);
/** A DW_AT_const_value of `size` bytes (the type's). */
struct error *location_from_constant(Dwarf_Attribute *attr, struct location *ret);

#endif
