/* SPDX-License-Identifier: GPL-2.0-only */
/** symbols/string_set.h - strings in one piece, each kept once, told by their offset. */
#ifndef SPILE_SYMBOLS_STRING_SET_H
#define SPILE_SYMBOLS_STRING_SET_H

#include <stdint.h>

#include "base/strbuf.h"

struct string_set {
	struct strbuf text; /* NUL-terminated strings; the empty one is at 0 */
	uint32_t *slots;    /* hash table of offsets; 0 free */
	size_t room, count;
};

void string_set_init(struct string_set *set);
void string_set_deinit(struct string_set *set);
/** The offset of `text`, added if need be; 0 for NULL and "", and when 2 GB are full. */
uint32_t string_set_add(struct string_set *set, const char *text);

#endif
