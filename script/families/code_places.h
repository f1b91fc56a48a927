/* SPDX-License-Identifier: GPL-2.0-only */
/** script/families/code_places.h - one search in the debug information of the kernel or a module. */
#ifndef SPILE_SCRIPT_CODE_PLACES_H
#define SPILE_SCRIPT_CODE_PLACES_H

#include "script/families/code_point.h"

struct code_search {
	struct code_request *q;
	const char *module; /* as the kernel calls it; NULL: the kernel proper */
	struct debuginfo *info;
	bool checked;        /* places may lie inside an instruction */
	struct error *error; /* from within a callback */
};

/** Plants a place; `fn` is whose variables are seen there, NULL: those of whatever is there. */
void code_search_plant_place(struct code_search *s, const struct place *place,
			     const struct code_function *fn, const char *func);
/** Plants a function's entry, or its return. */
void code_search_plant_function(struct code_search *s, const struct code_function *fn,
				bool is_return);

#endif
