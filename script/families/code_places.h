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

/** Which of several symbols of its name kallsyms has it as, from 1; 0 when there is only one. */
unsigned code_search_namesake(const struct code_search *s, const struct elf_symbol *sym);
/** What the kernel says against a probe in that function, or at its entry; NULL: nothing. */
const char *code_search_refusal(struct code_search *s, const struct elf_symbol *sym, bool is_entry);
/** "tcp_sendmsg@net/ipv4/tcp.c:1234" */
const char *code_search_text(struct code_search *s, const char *function, const char *file,
			     int line);
/** Adds the probe at `address`, or counts it as left out (NULL); `site` says what is seen there. */
struct planted_probe *code_search_plant(struct code_search *s, uint64_t address, const char *text,
					const char *func, const struct probe_site *site);
/** Plants a place; `fn` is whose variables are seen there, NULL: those of whatever is there. */
void code_search_plant_place(struct code_search *s, const struct place *place,
			     const struct code_function *fn, const char *func);
/** Plants a function's entry, or its return. */
void code_search_plant_function(struct code_search *s, const struct code_function *fn,
				bool is_return);
/** Plants the functions that fn calls, as the request says. code_calls.c. */
int code_search_plant_callees(const struct code_function *fn, void *search);

#endif
